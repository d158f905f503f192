"""The plan as a table: the order in which it is read, and what a held scope's hash stands for."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sync.decide import Drafted
from sync.guard import PASS, HeldScope, Limit, Limits, Ruling
from sync.mapping import fingerprint
from sync.model import Candidate, Kind, Learner, Test
from sync.plan import Action, Change, Planned, Verdict
from sync.state.database import open_to_read
from sync.state.store import Store

from .worlds import NOW

NOT_THERE = Path("/nonexistent/state.db")
"""A missing state is an empty one."""
TIGHT = Limits(Limit(1, 0), Limit(1, 0), Limit(1, 0))
LEARNERS, TESTS = [f"{n:02}" for n in range(6)], ["ØV-1", "øv-2", "T 3", "01"]


def filled(starts: Sequence[int], seats: Sequence[tuple[int, int]]) -> Iterator[Store]:
    with open_to_read(NOT_THERE) as connection:
        store = Store(connection, ["l.csv", "t.csv", "c.csv"], fingerprint)
        store.stage(Kind.LEARNER, 0, [(Learner(key), None, n) for n, key in enumerate(LEARNERS)])
        tests = []
        for key, days in zip(TESTS, starts, strict=True):
            start = NOW + timedelta(days=days)
            tests.append((Test(key, start=start, end=start + timedelta(hours=4)), None, 1))
        store.stage(Kind.TEST, 1, tests)
        store.stage(Kind.CANDIDATE, 2, [(Candidate(TESTS[t], LEARNERS[n]), None, 1) for t, n in seats])
        store.close_staging()
        store.gather_circumstances(NOW, {})
        yield store


def drafted(action: Action, kind: Kind, *key: str, ruling: Ruling = PASS, **after: Any) -> Drafted:
    return Drafted(Change(action, kind, key, after=after, changed=tuple(after)), ruling)


def layer(line: Planned) -> int:
    """Learners, tests, candidates, then removals, then what makes no call."""
    action, kind = line.change.action, line.change.kind
    if action in {Action.CREATE, Action.UPDATE}:
        return list(Kind).index(kind)
    return 3 if action is Action.REMOVE else 4


seats_drawn = st.sets(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=12).map(sorted)
starts_drawn = st.tuples(*[st.integers(1, 40)] * 4)


@settings(deadline=None, max_examples=40)
@given(starts_drawn, seats_drawn, st.data())
def test_every_line_is_read_once_in_waves_and_layers_soonest_test_first(
    starts: tuple[int, ...], seats: list[tuple[int, int]], data: st.DataObject
) -> None:
    wanted = [drafted(Action.CREATE, Kind.LEARNER, key) for key in LEARNERS]
    wanted += [drafted(data.draw(st.sampled_from([Action.CREATE, Action.UPDATE])), Kind.TEST, key) for key in TESTS]
    actions = st.sampled_from([Action.CREATE, Action.UPDATE, Action.REMOVE, Action.RETIRE])
    wanted += [drafted(data.draw(actions), Kind.CANDIDATE, TESTS[t], LEARNERS[n]) for t, n in seats]
    for store in filled(starts, seats):
        store.draft(data.draw(st.permutations(wanted)))
        store.put_in_order()
        lines = list(store.planned())
    assert sorted(map(repr, (line.change for line in lines))) == sorted(repr(item.change) for item in wanted)
    days = dict(zip(TESTS, starts, strict=True))

    def wave(line: Planned) -> int:
        """The days to the test that needs it; everything within a week is one wave."""
        if line.change.kind is Kind.LEARNER:
            needed = [starts[t] for t, n in seats if LEARNERS[n] == line.change.key[0]]
        else:
            needed = [days[line.change.key[0]]]
        soonest = min(needed, default=9999)
        return 0 if soonest <= 7 else soonest

    order = [(wave(line), layer(line)) for line in lines]
    assert order == sorted(order)


@settings(deadline=None, max_examples=40)
@given(seats_drawn, st.data())
def test_a_verdicts_lines_are_read_alone(seats: list[tuple[int, int]], data: st.DataObject) -> None:
    rulings = st.sampled_from([PASS, *(Ruling(v, "why") for v in Verdict if v is not Verdict.PASS)])
    wanted = [
        drafted(Action.CREATE, Kind.CANDIDATE, TESTS[t], LEARNERS[n], ruling=data.draw(rulings)) for t, n in seats
    ]
    for store in filled([1, 2, 3, 40], seats):
        store.draft(wanted)
        store.put_in_order()
        read = {verdict: {line.change.key for line in store.planned(verdict)} for verdict in Verdict}
        tally = store.tally()
    for verdict in Verdict:
        assert read[verdict] == {item.change.key for item in wanted if item.ruling.verdict is verdict}
        assert tally.get((Kind.CANDIDATE, Action.CREATE, verdict), 0) == len(read[verdict])


def removal(n: int, **before: Any) -> Drafted:
    return Drafted(Change(Action.REMOVE, Kind.CANDIDATE, (TESTS[0], LEARNERS[n]), before=before), PASS)


def held(items: Sequence[Drafted], allowed: Sequence[str] = ()) -> tuple[list[HeldScope], list[Planned]]:
    for store in filled([1, 2, 3, 40], []):
        store.draft(items)
        scopes = store.hold_scopes(TIGHT, allowed)
        store.put_in_order()
        return scopes, list(store.planned())
    raise AssertionError


def test_a_removal_beyond_the_limits_of_both_kind_and_test_is_named_for_both() -> None:
    scopes, lines = held([removal(n) for n in range(3)])
    assert [scope.scope.name for scope in scopes] == ["removals of candidate", f"removals on test {TESTS[0]}"]
    assert {line.verdict for line in lines} == {Verdict.HELD}
    assert all(f"apply --allow {scopes[0].digest}" in line.reason for line in lines)
    assert scopes[0].digest != scopes[1].digest


def test_allowing_one_scope_does_not_let_the_other_go() -> None:
    items = [removal(n) for n in range(3)]
    kind, test = (scope.digest for scope in held(items)[0])
    assert {line.verdict for line in held(items, [kind])[1]} == {Verdict.HELD}
    assert {line.verdict for line in held(items, [test])[1]} == {Verdict.HELD}
    assert {line.verdict for line in held(items, [kind, test])[1]} == {Verdict.PASS}


def test_what_is_not_over_a_limit_goes_on_beside_what_is_held() -> None:
    create = drafted(Action.CREATE, Kind.LEARNER, LEARNERS[0])
    _, lines = held([create, *(removal(n) for n in range(3))])
    assert [line.verdict for line in lines if line.change.kind is Kind.LEARNER] == [Verdict.PASS]


@settings(deadline=None, max_examples=40)
@given(st.permutations(range(4)))
def test_a_scopes_hash_does_not_depend_on_the_order_of_the_rows(order: Sequence[int]) -> None:
    assert [s.digest for s in held([removal(n) for n in order])[0]] == [
        s.digest for s in held([removal(n) for n in range(4)])[0]
    ]


@pytest.mark.parametrize(
    "other",
    [
        [removal(0), removal(1)],
        [removal(0), removal(1), removal(2), removal(3)],
        [removal(0), removal(1), removal(3)],
        [removal(0), removal(1), removal(2, room="R 7")],
    ],
)
def test_a_scopes_hash_depends_on_every_change_in_it(other: list[Drafted]) -> None:
    mine = {scope.digest for scope in held([removal(n) for n in range(3)])[0]}
    theirs = {scope.digest for scope in held(other)[0]}
    assert theirs
    assert not mine & theirs


def test_an_allowed_hash_of_other_changes_lets_nothing_go() -> None:
    yesterday = [scope.digest for scope in held([removal(n) for n in range(3)])[0]]
    _, lines = held([removal(n) for n in range(4)], yesterday)
    assert {line.verdict for line in lines} == {Verdict.HELD}


def test_changes_that_wait_or_are_withheld_are_not_counted() -> None:
    calm = [replace(removal(n), ruling=Ruling(Verdict.WITHHELD, "why")) for n in range(5)]
    scopes, lines = held([*calm, removal(5)])
    assert scopes == []
    assert [line.verdict for line in lines].count(Verdict.PASS) == 1
