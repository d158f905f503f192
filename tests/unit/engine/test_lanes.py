"""Lanes: each test goes on step by step, tests go on side by side, and nobody is put on a test before they exist."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from threading import Barrier, Event

from hypothesis import given, settings
from hypothesis import strategies as st
from sync.engine.changes_on_test import MembershipPolicy
from sync.engine.executor import Executor
from sync.engine.lanes import Lane, Lanes
from sync.engine.prepared_work import WorkUnit
from sync.records.base import Kind
from sync.records.candidate import Candidate
from sync.records.changes import Action, Change, PlannedChange, Result, Verdict
from sync.records.kinds import PEOPLE, Record
from sync.records.learner import Learner
from sync.records.remote import RemoteTest
from sync.records.test import Test
from sync.state.compare.plan_reader import PlanStep

from ...support.examples import examples
from ...support.tenant import NOW, StoringTenant
from .state_and_tenant import START, a_person, planning

ON_TEST = (
    (Kind.TEST, Action.CREATE),
    (Kind.OPTION, Action.CREATE),
    (Kind.CONTRIBUTOR, Action.CREATE),
    (Kind.CANDIDATE, Action.REMOVE),
    (Kind.CANDIDATE, Action.UPDATE),
    (Kind.CONTRIBUTOR, Action.REMOVE),
)
"""What may be done on a test, in the order of its layers."""


@dataclass
class DrawnPlan:
    """Steps in the order of a plan, with the people that each puts on its test."""

    steps: list[PlanStep] = field(default_factory=list)
    people: dict[PlanStep, list[str]] = field(default_factory=dict)

    def add(self, kind: Kind, key: str, action: Action, people: Sequence[str] = ()) -> None:
        first = self.steps[-1].last + 1 if self.steps else 1
        self.steps.append(PlanStep(kind, key, action, first, first + max(1, len(people)) - 1))
        self.people[self.steps[-1]] = list(people)

    def read(self, step: PlanStep) -> list[PlannedChange]:
        members: list[tuple[str, ...]] = [(step.key, who) for who in self.people[step]]
        keys = members or [(step.key,)]
        return [
            PlannedChange(
                seq, Change(step.action, step.kind, key), Verdict.PASS, "", "", "", 1, None, None
            )
            for seq, key in enumerate(keys, step.first)
        ]

    def before(self, step: PlanStep) -> set[PlanStep]:
        """Return the steps that must have ended before this one begins."""
        earlier = [one for one in self.steps if one.first < step.first]
        if step.kind is Kind.STAFF and step.action is Action.DISABLE:
            return {one for one in earlier if one.action is not Action.DISABLE}
        if step.kind in PEOPLE:
            return set()
        same = {one for one in earlier if one.kind not in PEOPLE and one.key == step.key}
        person = Kind.LEARNER if step.kind is Kind.CANDIDATE else Kind.STAFF
        if step.action is Action.REMOVE:
            return same
        return same | {
            one for one in earlier if one.kind is person and one.key in self.people[step]
        }


@st.composite
def plans(draw: st.DrawFn) -> DrawnPlan:
    """Return up to two waves of people and tests, and people who leave at the end."""
    plan = DrawnPlan()
    names = [f"p{n}" for n in range(5)]
    for wave in range(draw(st.integers(1, 2))):
        for name in names[2 * wave : 2 * wave + 3]:
            kind = draw(st.sampled_from([Kind.LEARNER, Kind.STAFF]))
            if not any((one.kind, one.key) == (kind, name) for one in plan.steps):
                plan.add(kind, name, Action.CREATE)
        for test in range(draw(st.integers(0, 4))):
            for kind, action in draw(
                st.lists(st.sampled_from(ON_TEST), unique=True, min_size=1).map(
                    lambda drawn: sorted(drawn, key=ON_TEST.index)
                )
            ):
                people = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
                on = people if kind in (Kind.CANDIDATE, Kind.CONTRIBUTOR) else ()
                plan.add(kind, f"T{wave}{test}", action, on)
    for name in draw(st.lists(st.sampled_from(names), unique=True, max_size=2)):
        plan.add(Kind.STAFF, name, Action.DISABLE)
    return plan


@settings(deadline=None, max_examples=examples(60))
@given(plans(), st.integers(1, 4), st.data())
def test_every_step_waits_for_what_it_needs_and_for_nothing_else(
    plan: DrawnPlan, workers: int, data: st.DataObject
) -> None:
    lanes = Lanes(iter(plan.steps), plan.read, 2 * workers)
    ended: set[PlanStep] = set()
    under_way: dict[PlanStep, Lane] = {}
    while True:
        while len(under_way) < workers and (lane := lanes.take()):
            step = lane.steps[0]
            assert step not in under_way
            assert plan.before(step) <= ended
            sooner = [one for one in plan.steps if one.first < step.first]
            idle = [one for one in sooner if one not in ended and one not in under_way]
            assert not [one for one in idle if plan.before(one) <= ended], "a sooner one could go"
            under_way[step] = lane
        if not under_way:
            break
        assert lanes.first_line <= min(step.first for step in under_way)
        step = data.draw(st.sampled_from(sorted(under_way, key=lambda one: one.first)))
        lane = under_way.pop(step)
        again = not lane.follow_up and data.draw(st.booleans())
        lanes.put_back(lane, WorkUnit(list, plan.read(step)) if again else None)
        if not again:
            ended.add(step)
    assert ended == set(plan.steps)


class SlowTenant(StoringTenant):
    """A tenant that answers the first searches for tests only when so many are in flight."""

    def __init__(self, together: int) -> None:
        super().__init__()
        self.meet, self._ids = Barrier(together, timeout=20), count(300)
        self.met = 0

    def find_test(self, external_test_id: str, /) -> list[RemoteTest]:
        if not self.met:
            self.meet.wait()
            self.met += 1
        return super().find_test(external_test_id)


def test_tests_on_different_days_are_sent_side_by_side(tmp_path: Path) -> None:
    rows: list[Record] = [Learner(str(n), **a_person(n)) for n in range(3)]
    for n in range(3):
        start = START + timedelta(days=20 * n)
        rows.append(Test(f"T{n}", f"x{n}", "Øving", start, start + timedelta(hours=4), 240))
        rows.append(Candidate(f"T{n}", str(n), str(17 + n)))
    tenant = SlowTenant(3)
    with planning(tmp_path / "state.db", rows) as (store, journal, _):
        executor = Executor(
            store,
            journal,
            tenant,
            MembershipPolicy(),
            workers=3,
            stop=Event(),
            clock=lambda: NOW,
            progress=lambda *_: None,
            look_up_learners=False,
        )
        result = executor.execute(9)
    assert tenant.met
    assert result.count(Result.DONE) == 9, result.results
