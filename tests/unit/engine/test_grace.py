"""A record that is absent in fewer healthy readings than needed causes no call, whatever the history (rules 5)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from sync.engine.run import plan_only
from sync.mapping import fingerprint
from sync.planning.grace import GraceRules
from sync.records.base import Kind
from sync.records.candidate import Candidate
from sync.records.changes import REMOVALS, Verdict
from sync.records.kinds import Record
from sync.records.learner import Learner
from sync.records.test import Test
from sync.state.sqlite.open import open_to_write
from sync.state.store import Store

from ...support.tenant import NOW
from .state_and_tenant import POLICY, START, StateAndTenant, a_person, feeds

PRESENT, ABSENT, UNREAD = "present", "absent", "unread"


def rows(*learners: str) -> list[Record]:
    test = Test("T", "T", "Title", START, START + timedelta(hours=2), 120)
    people = [Learner(str(n), **a_person(n)) for n in range(3)]
    return [*people, test, *(Candidate("T", learner) for learner in learners)]


def read(path: Path, reading: str, needed: int, at: int) -> bool:
    """Read and plan as `apply` does; return whether the plan removes somebody."""
    kinds = set(Kind) - ({Kind.CANDIDATE} if reading == UNREAD else set())
    of_run = [
        feed
        for feed in feeds(rows("1", "2") if reading != PRESENT else rows("0", "1", "2"))
        if feed.kind in kinds
    ]
    policy = replace(POLICY, grace=GraceRules(needed))
    with open_to_write(path, "apply") as connection:
        store = Store(connection, places=[one.place for one in of_run], fingerprint=fingerprint)
        plan = plan_only(of_run, store, policy, NOW + timedelta(minutes=at), lambda *_: None)
        store.plan.count_absences(plan.now, plan.healthy_kinds(policy.kinds))
        connection.commit()
        return any(line.change.action in REMOVALS for line in store.plan.read(Verdict.PASS))


@given(st.lists(st.sampled_from([PRESENT, ABSENT, UNREAD]), max_size=5), st.integers(1, 3))
@settings(max_examples=8, deadline=None)
def test_a_removal_needs_so_many_readings_in_a_row(history: Sequence[str], needed: int) -> None:
    with TemporaryDirectory() as folder:
        path, missed = Path(folder) / "state.db", 0
        StateAndTenant(path).run(rows("0", "1", "2"))
        for at, reading in enumerate(history):
            # What was not read is neither there nor missing.
            missed = {PRESENT: 0, ABSENT: missed + 1, UNREAD: missed}[reading]
            removes = read(path, reading, needed, at)
            assert removes == (reading == ABSENT and missed >= needed), (history, needed, at)
