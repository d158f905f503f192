"""The plan as a table: the order in which it is read."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sync.mapping import fingerprint
from sync.planning.decide import DraftedChange
from sync.planning.guard import PASS, Ruling
from sync.records.base import Kind
from sync.records.candidate import Candidate
from sync.records.changes import ADDITIONS, REMOVALS, Action, Cause, Change, PlannedChange, Verdict
from sync.records.committee import Committee
from sync.records.contributor import Contributor
from sync.records.kinds import PEOPLE, Record
from sync.records.learner import Learner
from sync.records.option import Option
from sync.records.staff import Staff
from sync.records.test import Test
from sync.state.store import Store

from ...support.examples import examples
from .databases import blank
from .worlds import NOW

pytestmark = pytest.mark.usefixtures("database")

LEARNERS, TESTS = [f"{n:02}" for n in range(6)], ["ØV-1", "øv-2", "T 3", "01"]


Pairs = Sequence[tuple[int, int]]
"""Numbers of a test and of a person on it."""


def fill_store(starts: Sequence[int], seats: Pairs, duties: Pairs = ()) -> Iterator[Store]:
    """Return a store that wants these tests (days until each) with their members."""
    with blank() as connection:
        store = Store(connection, places=["a.csv"], fingerprint=fingerprint)
        tests = []
        for key, days in zip(TESTS, starts, strict=True):
            start = NOW + timedelta(days=days)
            tests.append(Test(key, start=start, end=start + timedelta(hours=4)))
        wanted: dict[Kind, Sequence[Record]] = {
            Kind.LEARNER: [Learner(key) for key in LEARNERS],
            Kind.STAFF: [Staff(key) for key in LEARNERS],
            Kind.TEST: tests,
            Kind.OPTION: [Option(key, "LOCKDOWN_BROWSER", "true") for key in TESTS],
            Kind.COMMITTEE: [Committee(key, "A") for key in TESTS],
            Kind.CONTRIBUTOR: [Contributor(TESTS[t], LEARNERS[n]) for t, n in duties],
            Kind.CANDIDATE: [Candidate(TESTS[t], LEARNERS[n]) for t, n in seats],
        }
        for kind, records in wanted.items():
            store.staging.stage(kind, 0, [(record, None, 1) for record in records])
        store.staging.close(unsure=frozenset(Kind))
        store.comparison.compute_windows(NOW)
        store.comparison.compute_context(NOW, {})
        yield store


def make_draft(
    action: Action, kind: Kind, *key: str, ruling: Ruling = PASS, **after: Any
) -> DraftedChange:
    return DraftedChange(Change(action, kind, key, after=after, changed=tuple(after)), ruling)


LAYERS = (
    {Kind.LEARNER, Kind.STAFF},
    {Kind.TEST},
    {Kind.OPTION},
    {Kind.COMMITTEE},
    {Kind.CONTRIBUTOR},
    {Kind.CANDIDATE},
)


def layer(line: PlannedChange) -> int:
    """Return additions in the order of need, then removals in reverse, then silent changes."""
    added = next(number for number, kinds in enumerate(LAYERS) if line.change.kind in kinds)
    if line.change.action in ADDITIONS:
        return added
    return 2 * len(LAYERS) - added if line.change.action in REMOVALS else 99


def part(line: PlannedChange) -> int:
    """Return people first, then tests, then who leaves, then silent changes."""
    if layer(line) == 99:
        return 4
    return 2 if line.change.kind not in PEOPLE else 1 if line.change.action in ADDITIONS else 3


pairs_drawn = st.sets(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=12).map(
    sorted
)
starts_drawn = st.tuples(*[st.integers(1, 40)] * 4)
ACTIONS = {
    Kind.LEARNER: [Action.CREATE, Action.UPDATE, Action.RELEASE],
    Kind.STAFF: [Action.CREATE, Action.UPDATE, Action.ENABLE, Action.DISABLE, Action.DELETE],
    Kind.TEST: [Action.CREATE, Action.UPDATE, Action.WITHDRAW],
    Kind.OPTION: [Action.CREATE, Action.UPDATE],
    Kind.COMMITTEE: [Action.CREATE, Action.UPDATE, Action.REMOVE],
    Kind.CONTRIBUTOR: [Action.CREATE, Action.UPDATE, Action.REMOVE],
    Kind.CANDIDATE: [Action.CREATE, Action.UPDATE, Action.REMOVE, Action.RETIRE],
}


@settings(deadline=None, max_examples=examples(12))
@given(starts_drawn, pairs_drawn, pairs_drawn, st.data())
def test_every_line_is_read_once_soonest_test_first_and_in_layers_on_a_test(
    starts: tuple[int, ...], seats: Pairs, duties: Pairs, data: st.DataObject
) -> None:
    keys: dict[Kind, list[tuple[str, ...]]] = {
        kind: [(key,) for key in LEARNERS] for kind in PEOPLE
    }
    keys[Kind.TEST] = [(key,) for key in TESTS]
    keys[Kind.OPTION] = [(key, "LOCKDOWN_BROWSER") for key in TESTS]
    keys[Kind.COMMITTEE] = [(key, "A") for key in TESTS]
    keys[Kind.CONTRIBUTOR] = [(TESTS[t], LEARNERS[n]) for t, n in duties]
    keys[Kind.CANDIDATE] = [(TESTS[t], LEARNERS[n]) for t, n in seats]
    wanted = [
        make_draft(data.draw(st.sampled_from(ACTIONS[kind])), kind, *key)
        for kind in Kind
        for key in keys[kind]
    ]
    for store in fill_store(starts, seats, duties):
        store.plan.draft(data.draw(st.permutations(wanted)))
        store.plan.close()
        lines = list(store.plan.read())
    assert sorted(map(repr, (line.change for line in lines))) == sorted(
        repr(item.change) for item in wanted
    )
    days, on = dict(zip(TESTS, starts, strict=True)), {Kind.LEARNER: seats, Kind.STAFF: duties}

    def wave(line: PlannedChange) -> int:
        """Return the days to the test that needs it; a day and a week are one wave each."""
        who = line.change.key[0]
        if line.change.action in (Action.DISABLE, Action.DELETE):
            return 9999
        needed = [starts[t] for t, n in on.get(line.change.kind, []) if LEARNERS[n] == who]
        soonest = days[who] if line.change.kind not in PEOPLE else min(needed, default=9999)
        return soonest if soonest > 7 else (1 if soonest > 1 else 0)

    def place(line: PlannedChange) -> tuple[int, str]:
        """Return the place among people (by key) or tests (by start, then key)."""
        key = line.change.key[0]
        return (0 if line.change.kind in PEOPLE else days[key], key)

    order = [(wave(line), part(line), *place(line), layer(line)) for line in lines]
    assert order == sorted(order)


@settings(deadline=None, max_examples=examples(12))
@given(pairs_drawn, st.data())
def test_a_verdicts_lines_are_read_alone(seats: Pairs, data: st.DataObject) -> None:
    kept_back = st.sampled_from([verdict for verdict in Verdict if verdict is not Verdict.PASS])
    rulings = st.just(PASS) | st.builds(
        Ruling, kept_back, st.just("why"), st.sampled_from(list(Cause))
    )
    wanted = [
        make_draft(Action.CREATE, Kind.CANDIDATE, TESTS[t], LEARNERS[n], ruling=data.draw(rulings))
        for t, n in seats
    ]
    for store in fill_store([1, 2, 3, 40], seats):
        store.plan.draft(wanted)
        store.plan.close()
        read = {
            verdict: {line.change.key for line in store.plan.read(verdict)} for verdict in Verdict
        }
        tally, causes = store.plan.tally(), store.plan.causes()
    ruled = [one.ruling for one in wanted if one.ruling.verdict is not Verdict.PASS]
    assert causes == Counter((ruling.verdict, ruling.cause) for ruling in ruled)
    for verdict in Verdict:
        assert read[verdict] == {
            item.change.key for item in wanted if item.ruling.verdict is verdict
        }
        assert tally.get((Kind.CANDIDATE, Action.CREATE, verdict), 0) == len(read[verdict])
