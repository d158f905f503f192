"""The start of a run of approved changes: one at a time, and not again and again."""

from collections.abc import Mapping
from threading import Event

import pytest
from sync.service import approvals
from sync.service.approvals import APPROVED, ApprovalStarter
from sync.service.protocols import JobHistory

from .fakes import until


class State:
    """A state in which something is always approved."""

    def leads(self) -> bool:
        return True

    def approvals_wait(self) -> bool:
        return True

    def take_requested(self) -> list[str]:
        return []

    def prepare(self) -> Mapping[str, JobHistory]:
        return {}


def test_a_run_is_not_started_while_one_is_under_way_nor_soon_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over, began, ended = Event(), list[str](), Event()

    def run(name: str) -> None:
        began.append(name)
        over.wait(10)
        ended.set()

    starter = ApprovalStarter(State(), run, lambda *_: None)
    starter.start_if_due()
    until(lambda: began == [APPROVED])
    monkeypatch.setattr(approvals, "_LEAST_PAUSE", 0.0)
    starter.start_if_due()
    over.set()
    until(ended.is_set)
    starter.start_if_due()
    assert began == [APPROVED]


def test_an_unexpected_error_is_reported() -> None:
    failed = list[tuple[str, str]]()

    def run(_name: str) -> None:
        raise RuntimeError("why")

    ApprovalStarter(
        State(), run, lambda job, error: failed.append((job, str(error)))
    ).start_if_due()
    until(lambda: failed == [(APPROVED, "why")])
