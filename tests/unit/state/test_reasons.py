"""Reasons why something on a test waits, stays or is held, so that a person can act."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sync.engine.plan import Policy
from sync.engine.run import plan_only
from sync.mapping import fields_of, fingerprint
from sync.planning.limits import Limit, Limits
from sync.records.base import Key, Kind, RowError
from sync.records.candidate import Candidate
from sync.records.changes import PlannedChange, Verdict
from sync.records.committee import Committee
from sync.records.contributor import Contributor
from sync.records.kinds import COMPARED, Record, key_of
from sync.records.learner import Learner
from sync.records.option import Option
from sync.records.staff import Staff
from sync.records.test import Test
from sync.state.store import Store

from .databases import blank
from .worlds import NOW, Identity, World, put

pytestmark = pytest.mark.usefixtures("database")

ANY = Limit(10**6, 100)
TEST = Test("T", "x1", "Øving", NOW + timedelta(days=2), NOW + timedelta(days=2, hours=4), 60)
OTHER = TEST._replace(key="U", external_test_id="x2", title="Prøve")
ENDED = TEST._replace(start=NOW - timedelta(days=2), end=NOW - timedelta(days=1))
UNDER_WAY = TEST._replace(start=NOW - timedelta(hours=1), end=NOW + timedelta(hours=3))


def staff(key: str, account: str = "") -> Staff:
    mail = f"p{account or key}@example.edu"
    return Staff(key, mail, mail, "FEIDE", "Åse", f"Prøvesen {key}", f"{key}@example.edu")


def knowing(
    *records: Record, managed: bool = True, lifecycle: str = "active"
) -> dict[Identity, dict[str, Any]]:
    known = {}
    for record in records:
        fields = {
            name: value
            for name, value in fields_of(record).items()
            if name in COMPARED[record.kind]
        }
        told = {"fingerprint": fingerprint(record), "lifecycle": lifecycle, "managed": managed}
        known[record.kind, key_of(record)] = {**fields, **told}
    return known


def planned(
    rows: Sequence[Record | RowError],
    known: dict[Identity, dict[str, Any]] | None = None,
    **world: Any,
) -> dict[Identity, PlannedChange]:
    """Return the plan of what these rows want against what is known, by record."""
    whole = World(
        known or {}, {kind: [row for row in rows if row.kind is kind] for kind in Kind}, **world
    )
    with blank() as connection:
        put(connection, whole)
        store = Store(
            connection,
            places=[f"{kind}.csv" for kind in Kind],
            fingerprint=fingerprint,
        )
        plan_only(whole.feeds(), store, Policy(Limits(ANY, ANY, ANY), {}), NOW, lambda *_: None)
        return {(line.change.kind, line.change.key): line for line in store.plan.read()}


def describe(
    plan: dict[Identity, PlannedChange], kind: Kind, *key: str
) -> tuple[str, Verdict, str]:
    line = plan[kind, key]
    return line.change.action.value, line.verdict, line.reason


PART: Key = ("T", "7")
A_PART = Contributor("T", "7", "evaluate")


def bad(kind: Kind, *key: str) -> RowError:
    return RowError(f"{kind}.csv line 9", "email", "is bad", "correct it", kind, key)


def test_a_contributor_waits_for_staff_whose_row_is_a_row_error() -> None:
    plan = planned([TEST, bad(Kind.STAFF, "7"), A_PART])
    words = ("create", Verdict.WAITING, "waits for staff 7 (its row has an error)")
    assert describe(plan, Kind.CONTRIBUTOR, *PART) == words


@pytest.mark.parametrize("rows", [[TEST], [staff("7")], []])
def test_a_contributor_of_nobody_known_is_no_change_but_waits_where_a_source_can_not_be_read(
    rows: list[Record | RowError],
) -> None:
    assert (Kind.CONTRIBUTOR, PART) not in planned([*rows, A_PART])
    _, verdict, reason = describe(
        planned([*rows, A_PART], unread={Kind.STAFF, Kind.TEST}), Kind.CONTRIBUTOR, *PART
    )
    assert verdict is Verdict.WAITING
    assert "staff 7 (its source can't be relied on in this run)" in reason


def test_a_contributor_waits_for_somebody_whose_own_change_does_not_pass() -> None:
    refused: dict[Identity, Any] = {(Kind.STAFF, ("7",)): (staff("7"), True)}
    plan = planned([TEST, staff("7"), A_PART], refused=refused)
    _, verdict, reason = describe(plan, Kind.CONTRIBUTOR, *PART)
    assert verdict is Verdict.WAITING
    assert reason == "waits for staff 7 (deferred)"
    renamed = planned([TEST, staff("7", "other"), A_PART], knowing(staff("7")))
    assert (
        describe(renamed, Kind.CONTRIBUTOR, *PART)[2] == "waits for staff 7 (held as an identity "
        "change)"
    )


@pytest.mark.parametrize("kind", [Kind.OPTION, Kind.COMMITTEE])
def test_what_needs_nobody_waits_for_its_test_alone(kind: Kind) -> None:
    row = Option("T", "LOCKDOWN_BROWSER", "true") if kind is Kind.OPTION else Committee("T", "A")
    reason = "waits for test T (its row has an error)"
    assert describe(planned([row, bad(Kind.TEST, "T")]), kind, *key_of(row))[2] == reason
    assert planned([row]) == {}
    assert describe(planned([row, TEST]), kind, *key_of(row))[1] is Verdict.PASS


@pytest.mark.parametrize("kind", [Kind.COMMITTEE, Kind.CONTRIBUTOR, Kind.CANDIDATE])
def test_any_row_of_a_test_that_is_a_row_error_might_have_named_its_committee(kind: Kind) -> None:
    known = knowing(TEST, OTHER, Committee("T", "A"), Committee("T", "B"))
    plan = planned([TEST, Committee("T", "B"), bad(kind, "T", "8")], known)
    action, verdict, reason = describe(plan, Kind.COMMITTEE, "T", "A")
    assert (action, verdict) == ("remove", Verdict.DEFERRED)
    assert "names no committee who can be read" in reason
    elsewhere = planned([TEST, Committee("T", "B"), bad(kind, "U", "8")], known)
    assert describe(elsewhere, Kind.COMMITTEE, "T", "A")[1] is Verdict.PASS
    anywhere = planned([TEST, Committee("T", "B"), bad(kind, "u?", "8")], known)
    assert describe(anywhere, Kind.COMMITTEE, "T", "A")[1] is Verdict.DEFERRED


def test_staff_who_contributors_still_name_are_held_with_how_many_these_are() -> None:
    rows: list[Record] = [TEST, A_PART, Contributor("U", "7", "plan"), staff("8")]
    plan = planned(
        rows, knowing(TEST, OTHER, staff("7"), staff("8"), Contributor("V", "7", "plan"), A_PART)
    )
    action, verdict, reason = describe(plan, Kind.STAFF, "7")
    assert (action, verdict) == ("disable", Verdict.HELD)
    assert reason.startswith("2 contributors still name this person"), (
        "test V leaves with its own row"
    )


def test_a_part_of_the_same_account_under_another_key_is_not_taken_away() -> None:
    again = staff("77", "7")
    plan = planned(
        [TEST, again, Contributor("T", "77", "evaluate")], knowing(TEST, staff("7"), again, A_PART)
    )
    action, verdict, reason = describe(plan, Kind.CONTRIBUTOR, *PART)
    assert (action, verdict) == ("remove", Verdict.DEFERRED)
    assert reason == "staff 77 has the same account in Inspera, and a place on this test"


@pytest.mark.parametrize(
    ("test", "kind", "verdict"),
    [
        (TEST, Kind.CONTRIBUTOR, Verdict.PASS),
        (UNDER_WAY, Kind.CONTRIBUTOR, Verdict.DEFERRED),
        (ENDED, Kind.CONTRIBUTOR, Verdict.PASS),
        (TEST, Kind.CANDIDATE, Verdict.PASS),
        (UNDER_WAY, Kind.CANDIDATE, Verdict.DEFERRED),
    ],
)
def test_a_test_under_way_keeps_its_people_and_an_ended_one_its_candidates(
    test: Test, kind: Kind, verdict: Verdict
) -> None:
    part: Record = A_PART if kind is Kind.CONTRIBUTOR else Candidate("T", "1")
    other: Record = (
        Contributor("T", "8", "plan") if kind is Kind.CONTRIBUTOR else Candidate("T", "2")
    )
    known = knowing(test, part, other, staff("8"), Learner("2"))
    plan = planned([test, other], known)
    assert describe(plan, kind, *key_of(part))[:2] == ("remove", verdict)


@pytest.mark.parametrize(("test", "verdict"), [(TEST, Verdict.PASS), (UNDER_WAY, Verdict.DEFERRED)])
def test_an_option_that_is_locked_can_not_change_from_the_start_on_and_others_can(
    test: Test, verdict: Verdict
) -> None:
    rows: list[Record] = [
        test,
        Option("T", "LOCKDOWN_BROWSER", "true"),
        Option("T", "OTHER", "true"),
    ]
    plan = planned(rows, knowing(test))
    assert describe(plan, Kind.OPTION, "T", "LOCKDOWN_BROWSER")[1] is verdict
    assert describe(plan, Kind.OPTION, "T", "OTHER")[1] is Verdict.PASS


def test_a_locked_option_of_an_ended_test_is_passed_over() -> None:
    rows: list[Record] = [
        ENDED,
        Option("T", "LOCKDOWN_BROWSER", "true"),
        Option("T", "OTHER", "true"),
    ]
    plan = planned(rows, knowing(ENDED))
    assert describe(plan, Kind.OPTION, "T", "OTHER")[1] is Verdict.PASS
    assert [key for kind, key in plan if kind is Kind.OPTION] == [("T", "OTHER")]


def test_what_was_found_stays_whatever_the_sources_say() -> None:
    found = knowing(staff("7"), A_PART, Committee("T", "A"), managed=False)
    plan = planned([TEST], {**knowing(TEST), **found})
    assert plan == {}
