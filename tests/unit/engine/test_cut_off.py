"""A run that can't record any more sends nothing more: nobody would know of it."""

from collections.abc import Sequence
from pathlib import Path
from threading import Event

import pytest
from sync.engine.changes_on_test import MembershipPolicy
from sync.engine.executor import Executor
from sync.errors import Deposed
from sync.records.learner import Learner

from ...support.tenant import NOW, StoringTenant
from .state_and_tenant import a_person, planning


def test_workers_are_reported_to_stop_when_an_outcome_cannot_be_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = Event()

    def deposed(_ended: Sequence[object]) -> None:
        raise Deposed("another process has taken over")

    people = [Learner(str(number), **a_person(number)) for number in range(20)]
    with planning(tmp_path / "state.db", people) as (store, journal, _):
        monkeypatch.setattr(journal, "record", deposed)
        carrier = Executor(
            store,
            journal,
            StoringTenant(),
            MembershipPolicy(),
            workers=1,
            stop=stop,
            clock=lambda: NOW,
            progress=lambda *_: None,
            look_up_learners=False,
        )
        with pytest.raises(Deposed):
            carrier.execute(len(people))
    assert stop.is_set()
