"""What a reading of the test leaves to be sent: what was there is not managed, and what somebody changed is held."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sync.engine.changes_on_test import MembershipPolicy, prepare
from sync.engine.membership import read_and_judge
from sync.engine.prepared_work import PreparedWork
from sync.planning.freeze import Moment
from sync.planning.guard import ACTIVATED, FULL
from sync.records.base import Kind, joined
from sync.records.candidate import MAX_CANDIDATES
from sync.records.changes import Action, Cause, PlannedChange, Result
from sync.records.remote import Member, RemoteTest

from ...support.tenant import NOW, FakeTenant
from .state_with_journal import StateWithJournal, line, results, text_of

P7 = ("FEIDE", "p7@example.edu")
PEOPLE = {Kind.CONTRIBUTOR: Kind.STAFF, Kind.CANDIDATE: Kind.LEARNER}
PERSONAL = list(PEOPLE)
CONTRIBUTOR: dict[str, Any] = {
    "roles": "evaluate",
    "committees": None,
    "room": None,
    "building": None,
}


def judged(
    book: StateWithJournal,
    tenant: FakeTenant,
    *lines: PlannedChange,
    now: datetime = NOW,
    **policy: Any,
) -> PreparedWork:
    rules = MembershipPolicy(**policy)
    changes = prepare(book.store, lines[0].change.kind, "T", lines, rules, Moment.of(now))
    tenant.now = now
    return read_and_judge(changes, tenant, rules)


def set_up(book: StateWithJournal, kind: Kind, **test: Any) -> PlannedChange:
    """A new place of person 7 on test T, which is there."""
    book.know_test(**test)
    if kind is Kind.COMMITTEE:
        return line(kind, ("T", "A"), type="GRADING")
    book.know_person(PEOPLE[kind])
    return line(
        kind, ("T", "7"), **(CONTRIBUTOR if kind is Kind.CONTRIBUTOR else {"candidate_id": "17"})
    )


def update_of(one: PlannedChange) -> PlannedChange:
    return replace(one, change=replace(one.change, action=Action.UPDATE))


def holding(kind: Kind, seat: Member) -> FakeTenant:
    return FakeTenant(places={kind: {("", "A") if kind is Kind.COMMITTEE else P7: seat}})


@pytest.mark.parametrize("kind", [Kind.COMMITTEE, *PERSONAL])
def test_what_is_not_there_is_sent_and_is_managed(book: StateWithJournal, kind: Kind) -> None:
    tenant, one = FakeTenant(), set_up(book, kind)
    ready = judged(book, tenant, one)
    assert (ready.ended, ready.already, ready.lines, tenant.calls) == ([], [], [one], [])
    assert [outcome.result for outcome in ready.send()] == [Result.DONE]
    assert [word for word, _ in tenant.calls] == [f"assign {kind}"]


@pytest.mark.parametrize("type_", [None, "GRADING", "REASSESSMENT"])
def test_a_committee_that_is_there_is_skipped_and_known_as_it_is_there(
    book: StateWithJournal, type_: str | None
) -> None:
    one = set_up(book, Kind.COMMITTEE)
    ready = judged(book, holding(Kind.COMMITTEE, Member(type=type_)), one)
    ((_, outcome),) = ready.ended
    assert (ready.lines, outcome.result) == ([], Result.FOUND)
    assert outcome.there == ({} if type_ is None else {"type": type_})
    claimed = judged(book, holding(Kind.COMMITTEE, Member(type=type_)), one, claim=["T"])
    assert [outcome.result for _, outcome in claimed.ended] == [Result.DONE]


@pytest.mark.parametrize("claim", [[], ["T"], ["X*"]])
def test_a_contributor_who_was_there_is_noted_first_then_updated_and_not_managed_unless_claimed(
    book: StateWithJournal, claim: list[str]
) -> None:
    one = set_up(book, Kind.CONTRIBUTOR)
    one = line(Kind.CONTRIBUTOR, ("T", "7"), **{**CONTRIBUTOR, "room": "R 2"})
    ready = judged(
        book,
        holding(Kind.CONTRIBUTOR, Member("u7", roles="evaluate", room="R 1")),
        one,
        claim=claim,
    )
    managed = claim == ["T"]
    assert [there.fields["room"] for there in ready.already] == ([] if managed else ["R 1"])
    assert [outcome.result for outcome in ready.send()] == [
        Result.DONE if managed else Result.FOUND
    ]


@pytest.mark.parametrize("kind", PERSONAL)
def test_somebody_who_is_there_as_wanted_needs_no_call(book: StateWithJournal, kind: Kind) -> None:
    one = set_up(book, kind)
    seat = Member("u7", candidate_id="17", roles="evaluate", room="R 1")
    ready = judged(book, holding(kind, seat), one)
    ((_, outcome),) = ready.ended
    assert (ready.lines, outcome.result) == ([], Result.FOUND)
    if kind is Kind.CONTRIBUTOR:
        assert outcome.there["room"] == "R 1", "what the feeds leave alone is known from now on"


def test_further_roles_given_by_hand_are_held(book: StateWithJournal) -> None:
    one = set_up(book, Kind.CONTRIBUTOR)
    ready = judged(book, holding(Kind.CONTRIBUTOR, Member(roles=joined(["evaluate", "plan"]))), one)
    result, message = results(ready.ended)["T", "7"]
    assert (ready.lines, result) == ([], Result.HELD)
    assert "further roles for this contributor (plan)" in message


@pytest.mark.parametrize("kind", [Kind.COMMITTEE, *PERSONAL])
def test_something_known_that_is_not_there_any_more_is_drift(
    book: StateWithJournal, kind: Kind
) -> None:
    one = set_up(book, kind)
    update = update_of(one)
    result, message = results(judged(book, FakeTenant(), update).ended)[one.change.key]
    assert result is Result.HELD
    assert f"does not have this {kind} any more" in message


@pytest.mark.parametrize("kind", PERSONAL)
@pytest.mark.parametrize("managed", [False, True])
@pytest.mark.parametrize("assumed", [False, True])
def test_what_could_not_be_read_is_managed_on_our_own_tests_and_else_as_configured(
    book: StateWithJournal, kind: Kind, managed: bool, assumed: bool
) -> None:
    one = set_up(book, kind, managed=managed)
    ready = judged(book, FakeTenant(unreadable=frozenset({kind})), one, unread_is_managed=assumed)
    (outcome,) = ready.send()
    assert outcome.result is (Result.DONE if managed or assumed else Result.FOUND)
    assert managed or assumed or f"its test's {kind}s can't be read" in outcome.message


@pytest.mark.parametrize("kind", PERSONAL)
def test_people_who_inspera_shows_without_an_id_might_be_anybody(
    book: StateWithJournal, kind: Kind
) -> None:
    update = update_of(set_up(book, kind))
    ready = judged(book, FakeTenant(unnamed=1), update)
    assert (ready.ended, ready.lines) == ([], [update])


def test_a_committees_type_that_can_not_be_read_is_not_sent_again_and_again(
    book: StateWithJournal,
) -> None:
    update = update_of(set_up(book, Kind.COMMITTEE))
    ready = judged(book, FakeTenant(unreadable=frozenset({Kind.COMMITTEE})), update)
    assert results(ready.ended)["T", "A"][0] is Result.DEFERRED
    shown = judged(book, holding(Kind.COMMITTEE, Member(type="REASSESSMENT")), update)
    ((_, outcome),) = shown.ended
    assert (outcome.result, outcome.there) == (Result.DONE, {"type": "REASSESSMENT"})


def test_the_last_free_place_goes_to_the_first_and_the_others_are_deferred(
    book: StateWithJournal,
) -> None:
    book.know_test()
    for n in (7, 8):
        book.know_person(Kind.LEARNER, n)
    full = {("FEIDE", str(n)): Member(str(n)) for n in range(MAX_CANDIDATES - 1)}
    lines = [line(Kind.CANDIDATE, ("T", str(n))) for n in (7, 8)]
    ready = judged(book, FakeTenant(places={Kind.CANDIDATE: full}), *lines)
    assert ready.lines == lines[:1]
    assert results(ready.ended) == {("T", "8"): (Result.DEFERRED, FULL)}


def an_option(option: str = "LOCKDOWN_BROWSER") -> PlannedChange:
    return line(Kind.OPTION, ("T", option), value="true")


@pytest.mark.parametrize(
    ("hours", "there", "status", "goes"),
    [
        (24, 24, "CREATED", True),
        (24, 24, "scheduled", True),
        (24, 24, None, True),
        (24, 24, "ACTIVE", False),
        (24, 24, "graded", False),
        (-1, -1, "scheduled", False),
        (24, -1, "scheduled", False),
    ],
)
def test_security_options_are_deferred_once_the_test_is_activated_or_has_begun(
    book: StateWithJournal, hours: float, there: float, status: str | None, goes: bool
) -> None:
    book.know_test(hours)
    tenant = FakeTenant(
        tests=[RemoteTest("284", "x1", "Ø", text_of(there), text_of(there + 4), status)]
    )
    ready = judged(book, tenant, an_option())
    shown = "" if str(status).lower() == "scheduled" else f" (Inspera shows the status '{status}')"
    expected = {("T", "LOCKDOWN_BROWSER"): (Result.DEFERRED, f"{ACTIVATED}{shown}")}
    assert results(ready.ended) == ({} if goes else expected)
    assert len(ready.lines) == goes


def test_other_options_go_whatever_the_test_is_doing_and_need_no_look(
    book: StateWithJournal,
) -> None:
    book.know_test(-1)
    other = an_option("EXPLANATION_OF_GRADES_ADMINISTRATION_ENABLED")
    tenant = FakeTenant(tests=[RemoteTest("284", "x1", start=text_of(-1), status="ACTIVE")])
    ready = judged(book, tenant, an_option(), other)
    assert ready.lines == [other]
    tenant.asked.clear()
    judged(book, tenant, other)
    assert tenant.asked == []


@pytest.mark.parametrize(("seconds", "sent"), [(60, 1), (61, 0)])
@pytest.mark.parametrize("kind", PERSONAL)
def test_nothing_is_sent_by_a_reading_that_is_too_old(
    book: StateWithJournal, kind: Kind, seconds: int, sent: int
) -> None:
    tenant = FakeTenant()
    ready = judged(book, tenant, set_up(book, kind))
    tenant.now = NOW + timedelta(seconds=seconds)
    (outcome,) = ready.send()
    assert (outcome.cause is Cause.OUTDATED, len(tenant.calls)) == (not sent, sent)
