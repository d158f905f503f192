"""Taking something off a test: the test is looked up and read first, and nothing leaves it while it is under way."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sync.engine.changes_on_test import MembershipPolicy, prepare
from sync.engine.membership import read_and_judge
from sync.engine.prepared_work import PreparedWork
from sync.errors import Retry, Stop
from sync.planning.freeze import Moment
from sync.planning.guard import STAYS, UNDER_WAY
from sync.records.base import Kind, utc_text
from sync.records.changes import ALLOWED, Action, Cause, Result
from sync.records.remote import Member, RemoteTest

from ...support.tenant import NOW, FakeTenant
from .state_with_journal import StateWithJournal, line, results, text_of

KINDS = (Kind.COMMITTEE, Kind.CONTRIBUTOR, Kind.CANDIDATE)
PEOPLE = {Kind.CONTRIBUTOR: Kind.STAFF, Kind.CANDIDATE: Kind.LEARNER}
P7 = ("FEIDE", "p7@example.edu")


def taken_off(
    book: StateWithJournal,
    tenant: FakeTenant,
    kind: Kind,
    delay: timedelta = timedelta(seconds=10),
    scope: str = "",
) -> PreparedWork:
    """The removal of what is known of this kind on test T, as of the plan made now."""
    rules = MembershipPolicy(read_after_write_delay=delay)
    if not book.store.comparison.timing("T", Moment.of(NOW)).start:
        book.store.comparison.compute_windows(NOW)
        book.store.comparison.compute_context(NOW, {})
    key = ("T", "A") if kind is Kind.COMMITTEE else ("T", "7")
    removal = replace(line(kind, key, Action.REMOVE), scope=scope)
    changes = prepare(book.store, kind, "T", [removal], rules, Moment.of(NOW))
    return read_and_judge(changes, tenant, rules)


def set_up(book: StateWithJournal, kind: Kind, hours: float = 24) -> FakeTenant:
    """Test T, begun so many hours from now, with something managed on it; and Inspera, where all of that is."""
    book.know_test(hours)
    if kind in PEOPLE:
        book.know_person(PEOPLE[kind])
    book.know(kind, "T", "A" if kind is Kind.COMMITTEE else "7")
    test = RemoteTest("284", "x1", "Ø", text_of(hours), text_of(hours + 4))
    return FakeTenant(
        tests=[test], places={kind: {("", "A") if kind is Kind.COMMITTEE else P7: Member("u7")}}
    )


def said(ready: PreparedWork) -> tuple[Result, str] | None:
    """What it ended in without a call, None when it is to be sent."""
    return next(iter(results(ready.ended).values()), None)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_there_on_a_test_to_come_is_taken_off_with_nothing_but_its_id(
    book: StateWithJournal, kind: Kind
) -> None:
    tenant = set_up(book, kind)
    ready = taken_off(book, tenant, kind)
    assert said(ready) is None
    assert [outcome.result for outcome in ready.send()] == [Result.DONE]
    ((word, entry),) = tenant.calls
    assert (word, entry.fields) == (f"remove {kind}", {})


@pytest.mark.parametrize("kind", KINDS)
def test_a_test_under_way_keeps_everything(book: StateWithJournal, kind: Kind) -> None:
    ready = taken_off(book, set_up(book, kind, hours=-1), kind)
    assert said(ready) == (Result.DEFERRED, STAYS if kind is Kind.CANDIDATE else UNDER_WAY)


@pytest.mark.parametrize("kind", KINDS)
def test_a_test_that_inspera_says_has_begun_keeps_everything_whatever_we_knew(
    book: StateWithJournal, kind: Kind
) -> None:
    tenant = set_up(book, kind)
    tenant.tests = [RemoteTest("284", "x1", start=text_of(-1), end=text_of(3))]
    ready = taken_off(book, tenant, kind)
    assert ready.lines == []
    assert (said(ready) or ("",))[0] is Result.DEFERRED


@pytest.mark.parametrize("kind", KINDS)
def test_once_a_test_has_ended_graders_and_committees_may_go_and_candidates_stay(
    book: StateWithJournal, kind: Kind
) -> None:
    ready = taken_off(book, set_up(book, kind, hours=-48), kind)
    assert said(ready) == ((Result.DEFERRED, STAYS) if kind is Kind.CANDIDATE else None)


@pytest.mark.parametrize("kind", KINDS)
def test_a_test_that_somebody_extended_by_hand_has_not_ended(
    book: StateWithJournal, kind: Kind
) -> None:
    tenant = set_up(book, kind, hours=-5)
    tenant.tests = [RemoteTest("284", "x1", start=text_of(-5), end=text_of(1))]
    assert (said(taken_off(book, tenant, kind)) or ("",))[0] is Result.DEFERRED


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_there_any_more_is_done_unless_our_write_may_not_be_readable_yet(
    book: StateWithJournal, kind: Kind
) -> None:
    tenant = set_up(book, kind)
    tenant.places = {}
    assert said(taken_off(book, tenant, kind)) == (Result.DONE, "was not there any more")
    with_delay = taken_off(book, tenant, kind, timedelta(days=400))
    assert (said(with_delay) or ("",))[0] is Result.DEFERRED


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("unnamed", [0, 1])
def test_what_can_not_be_read_or_told_apart_is_sent(
    book: StateWithJournal, kind: Kind, unnamed: int
) -> None:
    tenant = set_up(book, kind)
    tenant.places, tenant.unnamed = {}, unnamed
    tenant.unreadable = frozenset() if unnamed else frozenset({kind})
    assert said(taken_off(book, tenant, kind)) is None


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_sent_to_a_test_that_inspera_does_not_have_or_that_can_not_be_looked_up(
    book: StateWithJournal, kind: Kind
) -> None:
    tenant = set_up(book, kind)
    tenant.tests = []
    result, message = said(taken_off(book, tenant, kind)) or ("", "")
    assert (result, "`adopt test " in str(message)) == (Result.NOT_SENT, True)


@pytest.mark.parametrize("name", ["find_test", "seats"])
def test_a_failed_reading_ends_only_this_and_a_stop_ends_the_run(
    book: StateWithJournal, name: str
) -> None:
    tenant = set_up(book, Kind.CONTRIBUTOR)
    tenant.failing = {name: Retry("Inspera is busy")}
    ready = taken_off(book, tenant, Kind.CONTRIBUTOR)
    assert (said(ready), ready.lines) == ((Result.NOT_SENT, "Inspera is busy"), [])
    tenant.failing = {name: Stop("the key is refused")}
    with pytest.raises(Stop):
        taken_off(book, tenant, Kind.CONTRIBUTOR)


@pytest.mark.parametrize("scope", ["", ALLOWED])
def test_a_removal_that_was_judged_before_the_test_began_is_judged_again(
    book: StateWithJournal, scope: str
) -> None:
    """It may have begun for Inspera alone: somebody has moved it."""
    tenant = set_up(book, Kind.CANDIDATE, 24)
    start = NOW + (timedelta(seconds=30) if scope else timedelta(hours=2, seconds=30))
    tenant.tests = [replace(tenant.tests[0], start=utc_text(start))]
    ready = taken_off(book, tenant, Kind.CANDIDATE, scope=scope)
    tenant.now += timedelta(seconds=31)
    (outcome,) = ready.send()
    assert (outcome.cause, tenant.calls) == (Cause.OUTDATED, [])
    ready = taken_off(book, tenant, Kind.CANDIDATE, scope=scope)
    ((_, outcome),) = ready.ended
    assert outcome.cause is (Cause.BEGUN if scope else Cause.FREEZE)
