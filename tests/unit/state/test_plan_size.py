"""A plan in figures, on both databases: what is sent together, and who is new."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sync.mapping import fingerprint
from sync.planning.decide import DraftedChange
from sync.planning.export_need import NewPeople
from sync.planning.guard import PASS, Ruling
from sync.planning.plan_size import PlanPart
from sync.records.base import Key, Kind
from sync.records.candidate import Candidate
from sync.records.changes import Action, Cause, Change, Verdict
from sync.records.kinds import Record
from sync.records.learner import Learner
from sync.records.test import Test
from sync.state.store import Store

from .databases import blank
from .worlds import NOW

pytestmark = pytest.mark.usefixtures("database")

LATER = Ruling(Verdict.DEFERRED, "in the freeze", Cause.FREEZE)


def drafted(
    kind: Kind, *key: str, action: Action = Action.CREATE, secret: str | None = None
) -> DraftedChange:
    return DraftedChange(Change(action, kind, key), PASS, b"", secret)


def test_a_plan_is_measured_by_what_is_sent_together() -> None:
    starts = {"near": 1, "far": 30}
    learners: list[Key] = [(str(n),) for n in range(5)]
    with blank() as connection:
        store = Store(connection, places=["a.csv"], fingerprint=fingerprint)
        tests = [
            Test(key, start=NOW + timedelta(days=n), end=NOW + timedelta(days=n, hours=4))
            for key, n in starts.items()
        ]
        seats = [Candidate("near", "0"), *(Candidate("far", key[0]) for key in learners)]
        wanted: dict[Kind, Sequence[Record]] = {
            Kind.LEARNER: [Learner(*key) for key in learners],
            Kind.TEST: tests,
            Kind.CANDIDATE: seats,
        }
        for kind, records in wanted.items():
            store.staging.stage(kind, 0, [(record, None, 1) for record in records])
        store.staging.close(unsure=frozenset(Kind))
        store.comparison.compute_windows(NOW)
        store.comparison.compute_context(NOW, {})
        changes = [drafted(Kind.LEARNER, *key) for key in learners]
        changes[0] = drafted(Kind.LEARNER, *learners[0], secret="made-up")
        changes += [drafted(Kind.CANDIDATE, "far", *key) for key in learners[:3]]
        changes += [drafted(Kind.CANDIDATE, "far", "9", action=Action.REMOVE)]
        changes += [drafted(Kind.CANDIDATE, "near", "0", action=Action.UPDATE)]
        changes += [drafted(Kind.COMMITTEE, "far", "A"), drafted(Kind.CONTRIBUTOR, "far", "7")]
        changes += [drafted(Kind.COMMITTEE, "near", "A", action=Action.REMOVE)]
        changes += [drafted(Kind.OPTION, "far", "PIN"), drafted(Kind.OPTION, "far", "OTHER")]
        changes += [drafted(Kind.OPTION, "near", "OTHER"), drafted(Kind.TEST, "far")]
        changes += [DraftedChange(Change(Action.CREATE, Kind.TEST, ("near",)), LATER)]
        store.plan.draft(changes)
        store.plan.index_draft()
        store.plan.close()
        size = store.plan.size(2, ["PIN"], blank=True)
        assert store.plan.size(2, [], blank=False).secured == 0
    assert size.new_people == {Kind.LEARNER: NewPeople(near=1, later=4)}
    assert (size.passwords, size.secured, size.shared, size.blank) == (1, 1, 1, True)
    assert set(size.parts) == {
        PlanPart(Kind.LEARNER, Action.CREATE, 5),
        PlanPart(Kind.TEST, Action.CREATE, 1),
        PlanPart(Kind.OPTION, Action.CREATE, 3, groups=2, batches=2),
        PlanPart(Kind.COMMITTEE, Action.CREATE, 1, groups=1, batches=1),
        PlanPart(Kind.COMMITTEE, Action.REMOVE, 1, groups=1, batches=1),
        PlanPart(Kind.CONTRIBUTOR, Action.CREATE, 1, groups=1, batches=1),
        PlanPart(Kind.CANDIDATE, Action.CREATE, 4, groups=2, batches=3),
        PlanPart(Kind.CANDIDATE, Action.REMOVE, 1, groups=1, batches=1),
    }
