"""Scopes over a limit: what is held with them, and what the hash of one stands for."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sync.mapping import fingerprint
from sync.planning.decide import DraftedChange
from sync.planning.guard import PASS, Ruling
from sync.planning.limits import HeldScope, Limit, Limits
from sync.records.base import Kind
from sync.records.changes import Action, Cause, Change, PlannedChange, Verdict
from sync.records.kinds import ON_A_TEST
from sync.state.store import Store

from .databases import blank
from .worlds import NOW

pytestmark = pytest.mark.usefixtures("database")

TIGHT = Limits(Limit(1, 0), Limit(1, 0), Limit(1, 0))
TEST = "ØV-1"


def make_draft(action: Action, kind: Kind, *key: str, **after: Any) -> DraftedChange:
    return DraftedChange(Change(action, kind, key, after=after, changed=tuple(after)), PASS)


def removal(n: int, kind: Kind = Kind.CANDIDATE, **before: Any) -> DraftedChange:
    return DraftedChange(Change(Action.REMOVE, kind, (TEST, f"{n:02}"), before=before), PASS)


@contextmanager
def planned(
    items: Sequence[DraftedChange], allowed: Sequence[str] = ()
) -> Iterator[tuple[Store, list[HeldScope]]]:
    with blank() as connection:
        store = Store(connection, places=[], fingerprint=fingerprint)
        store.plan.draft(items)
        scopes = store.plan.hold_scopes(TIGHT, allowed, NOW)
        store.plan.close()
        yield store, scopes


def left(
    items: Sequence[DraftedChange], allowed: Sequence[str] = ()
) -> dict[tuple[Verdict, Cause], int]:
    with planned(items, allowed) as (store, _):
        return store.plan.causes()


def held(
    items: Sequence[DraftedChange], allowed: Sequence[str] = ()
) -> tuple[list[HeldScope], list[PlannedChange]]:
    with planned(items, allowed) as (store, scopes):
        return scopes, list(store.plan.read())


@pytest.mark.parametrize(
    ("kind", "on_test"),
    [
        (Kind.CANDIDATE, "removals on test"),
        (Kind.CONTRIBUTOR, "removals of contributor on test"),
        (Kind.COMMITTEE, "removals of committee on test"),
    ],
)
def test_a_removal_beyond_the_limits_of_both_kind_and_test_is_named_for_both(
    kind: Kind, on_test: str
) -> None:
    scopes, lines = held([removal(n, kind) for n in range(3)])
    names = ["all held removals", f"removals of {kind}", f"{on_test} {TEST}"]
    assert [scope.scope.name for scope in scopes] == names
    assert {line.verdict for line in lines} == {Verdict.HELD}
    assert all(f"apply --allow {scopes[0].digest}" in line.reason for line in lines)
    assert scopes[0].digest != scopes[1].digest


def test_allowing_one_scope_does_not_let_the_other_go() -> None:
    items = [removal(n) for n in range(3)]
    whole, kind, test = (scope.digest for scope in held(items)[0])
    assert {line.verdict for line in held(items, [kind])[1]} == {Verdict.HELD}
    assert {line.verdict for line in held(items, [test])[1]} == {Verdict.HELD}
    assert {line.verdict for line in held(items, [kind, test])[1]} == {Verdict.PASS}
    assert {line.verdict for line in held(items, [whole])[1]} == {Verdict.PASS}


def test_kinds_are_counted_apart_on_a_test_too() -> None:
    mixed = [removal(0, Kind.CANDIDATE), removal(1, Kind.CONTRIBUTOR), removal(2, Kind.COMMITTEE)]
    scopes, lines = held(mixed)
    assert scopes == []
    assert {line.verdict for line in lines} == {Verdict.PASS}


def test_disabling_and_deleting_staff_is_counted_as_one() -> None:
    leaving = [
        make_draft(action, Kind.STAFF, f"{action}") for action in (Action.DISABLE, Action.DELETE)
    ]
    scopes, lines = held(leaving)
    assert [(scope.scope.name, scope.scope.count) for scope in scopes] == [("removals of staff", 2)]
    assert {line.verdict for line in lines} == {Verdict.HELD}
    assert {line.verdict for line in held(leaving, [scopes[0].digest])[1]} == {Verdict.PASS}


@pytest.mark.parametrize("kind", list(Kind))
def test_many_updates_of_a_kind_are_held_and_its_creates_are_not(kind: Kind) -> None:
    keys = [(TEST, str(n)) if kind in ON_A_TEST else (str(n),) for n in range(3)]
    updates = [make_draft(Action.UPDATE, kind, *key, room="R 7") for key in keys[:2]]
    scopes, lines = held([*updates, make_draft(Action.CREATE, kind, *keys[2])])
    assert [scope.scope.name for scope in scopes] == [f"updates of {kind}"]
    assert {line.change.action: line.verdict for line in lines} == {
        Action.UPDATE: Verdict.HELD,
        Action.CREATE: Verdict.PASS,
    }


def test_what_is_only_sent_again_or_let_in_again_is_no_update() -> None:
    again = [make_draft(Action.UPDATE, Kind.STAFF, str(n)) for n in range(3)]
    enabled = [make_draft(Action.ENABLE, Kind.STAFF, str(n), status="active") for n in range(3, 6)]
    assert held([*again, *enabled])[0] == []


def test_what_is_not_over_a_limit_goes_on_next_to_what_is_held() -> None:
    create = make_draft(Action.CREATE, Kind.LEARNER, "00")
    _, lines = held([create, *(removal(n) for n in range(3))])
    assert [line.verdict for line in lines if line.change.kind is Kind.LEARNER] == [Verdict.PASS]


@settings(deadline=None, max_examples=8)
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
def test_a_scopes_hash_depends_on_every_change_in_it(other: list[DraftedChange]) -> None:
    mine = {scope.digest for scope in held([removal(n) for n in range(3)])[0]}
    theirs = {scope.digest for scope in held(other)[0]}
    assert theirs
    assert not mine & theirs


def test_an_allowed_hash_of_other_changes_lets_nothing_go() -> None:
    yesterday = [scope.digest for scope in held([removal(n) for n in range(3)])[0]]
    _, lines = held([removal(n) for n in range(4)], yesterday)
    assert {line.verdict for line in lines} == {Verdict.HELD}


def test_what_a_limit_holds_is_counted_under_that_cause() -> None:
    resting = Ruling(Verdict.DEFERRED, "why", Cause.REFUSED)
    items = [*(removal(n) for n in range(3)), replace(removal(3), ruling=resting)]
    both = [scope.digest for scope in held(items)[0]]
    assert left(items) == {(Verdict.HELD, Cause.LIMIT): 3, (Verdict.DEFERRED, Cause.REFUSED): 1}
    assert left(items, both) == {(Verdict.DEFERRED, Cause.REFUSED): 1}


def test_changes_that_wait_or_are_deferred_are_not_counted() -> None:
    calm = [replace(removal(n), ruling=Ruling(Verdict.DEFERRED, "why")) for n in range(5)]
    scopes, lines = held([*calm, removal(5)])
    assert scopes == []
    assert [line.verdict for line in lines].count(Verdict.PASS) == 1
