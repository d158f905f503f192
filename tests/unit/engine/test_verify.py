"""Reading back what a run has written: what is as sent, what shows late and by how much, and what never does."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sync.engine.verify import POLLS, Verification, Verifier
from sync.errors import Retry, Stop
from sync.records.base import Key, Kind
from sync.records.changes import Action, Outcome, Result
from sync.records.remote import Member, RemoteTest

from ...support.tenant import NOW, FakeTenant, somebody
from .state_with_journal import StateWithJournal, line, text_of

DELAY = timedelta(seconds=10)
P7 = ("FEIDE", "p7@example.edu")
ROLES: dict[str, Any] = {"roles": "evaluate"}
PERSON: dict[str, Any] = {
    "username": "login7",
    "auth_system": "FEIDE",
    "external_id": "p7@example.edu",
    "first_name": "Åse",
}


class Reading:
    """A verifier whose clock goes on only while it sleeps; before each look something may happen in Inspera."""

    def __init__(
        self,
        book: StateWithJournal,
        tenant: FakeTenant,
        later: dict[int, Callable[[], None]] | None = None,
    ) -> None:
        # the journal of these tests writes long before now
        self.now = NOW.replace(year=NOW.year - 1)
        self.slept: list[float] = []
        self._later = later or {}
        self._verifier = Verifier(book.store, tenant, DELAY, lambda: self.now, self._sleep)
        self._run = book.journal.run_id

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)
        self._later.get(len(self.slept), lambda: None)()

    def verify(self, most: int | None = None) -> Verification:
        return self._verifier.verify(self._run, most)


def write(
    book: StateWithJournal, kind: Kind, key: Key, action: Action = Action.CREATE, **after: Any
) -> None:
    one = line(kind, key, action, **after)
    (intent,) = book.journal.intend([one])
    book.journal.record([(intent, one, Outcome(Result.DONE, remote_id="9"))])


def a_contributor(book: StateWithJournal) -> FakeTenant:
    """Person 7 has just been put on test T; Inspera shows it."""
    book.know_test()
    book.know_person(Kind.STAFF)
    write(book, Kind.CONTRIBUTOR, ("T", "7"), **ROLES)
    return FakeTenant(places={Kind.CONTRIBUTOR: {P7: Member("u7", **ROLES)}})


def said(verified: Verification) -> list[tuple[Kind, Key, str]]:
    return [(one.kind, one.key, trouble) for one, trouble in verified.bad]


def test_what_shows_at_once_is_good_and_says_nothing_of_the_delay(book: StateWithJournal) -> None:
    reading = Reading(book, a_contributor(book))
    reading.now += timedelta(seconds=5)
    assert reading.verify() == Verification(good=1)
    assert reading.slept == []


@pytest.mark.parametrize("looks", [1, 3, POLLS])
def test_what_shows_late_is_good_and_its_delay_is_noted(book: StateWithJournal, looks: int) -> None:
    tenant = a_contributor(book)
    places, tenant.places = tenant.places, {}
    reading = Reading(book, tenant, {looks: lambda: tenant.places.update(places)})
    assert reading.verify() == Verification(good=1, longest=looks)
    assert reading.slept == [1.0] * looks


def test_what_does_not_show_within_the_delay_is_reported(book: StateWithJournal) -> None:
    tenant = a_contributor(book)
    tenant.places = {}
    reading = Reading(book, tenant)
    verified = reading.verify()
    assert (verified.good, said(verified)) == (0, [(Kind.CONTRIBUTOR, ("T", "7"), "is not there")])
    assert len(reading.slept) <= POLLS


def test_what_was_written_long_before_is_looked_at_once(book: StateWithJournal) -> None:
    tenant = a_contributor(book)
    tenant.places = {}
    reading = Reading(book, tenant)
    reading.now += DELAY + timedelta(seconds=1)
    assert len(reading.verify().bad) == 1
    assert reading.slept == []


def test_what_is_there_otherwise_is_reported_with_its_fields(book: StateWithJournal) -> None:
    tenant = a_contributor(book)
    tenant.places[Kind.CONTRIBUTOR] = {P7: Member("u7", roles="plan")}
    assert said(Reading(book, tenant).verify())[0][2] == "roles is not as sent"


def test_a_removal_is_good_once_nothing_is_there(book: StateWithJournal) -> None:
    tenant = a_contributor(book)
    reading = Reading(book, tenant)
    assert reading.verify().good == 1
    write(book, Kind.CONTRIBUTOR, ("T", "8"), Action.REMOVE)
    book.know_person(Kind.STAFF, 8)
    tenant.places[Kind.CONTRIBUTOR]["FEIDE", "p8@example.edu"] = Member("u8")
    assert said(Reading(book, tenant).verify()) == [
        (Kind.CONTRIBUTOR, ("T", "8"), "is still there")
    ]
    del tenant.places[Kind.CONTRIBUTOR]["FEIDE", "p8@example.edu"]
    assert Reading(book, tenant).verify() == Verification(good=2)


@pytest.mark.parametrize("kind", [Kind.LEARNER, Kind.STAFF])
def test_people_are_read_back_one_by_one(book: StateWithJournal, kind: Kind) -> None:
    write(book, kind, ("7",), **PERSON)
    tenant = FakeTenant(people=[somebody(7)])
    assert Reading(book, tenant).verify() == Verification(good=1)
    tenant.people = [somebody(7, first_name="Asa", last_name="Prøve")]
    assert said(Reading(book, tenant).verify()) == [(kind, ("7",), "first_name is not as sent")]


def test_somebody_without_a_link_is_read_back_by_login(book: StateWithJournal) -> None:
    write(book, Kind.STAFF, ("7",), username="login7", first_name="Åse")
    assert Reading(
        book, FakeTenant(people=[somebody(7, external_ids=())])
    ).verify() == Verification(good=1)


def test_staff_who_were_disabled_must_show_so_where_that_is_shown(book: StateWithJournal) -> None:
    book.know_person(Kind.STAFF, last_name=None)
    write(book, Kind.STAFF, ("7",), Action.DISABLE, status="disabled")
    assert Reading(
        book, FakeTenant(people=[somebody(7, status="disabled")])
    ).verify() == Verification(good=1)
    assert Reading(book, FakeTenant(people=[somebody(7)])).verify() == Verification(good=1)
    active = Reading(book, FakeTenant(people=[somebody(7, status="active")])).verify()
    assert said(active) == [(Kind.STAFF, ("7",), "status is not as sent")]


def test_a_tests_times_are_read_back(book: StateWithJournal) -> None:
    times: dict[str, Any] = {"start": text_of(24), "end": text_of(28)}
    write(book, Kind.TEST, ("T",), external_test_id="x1", title="Ø", **times)
    tenant = FakeTenant(tests=[RemoteTest("284", "x1", "Ø", **times)])
    assert Reading(book, tenant).verify() == Verification(good=1)
    tenant.tests = [RemoteTest("284", "x1", "Ø", text_of(25), text_of(28))]
    assert said(Reading(book, tenant).verify()) == [(Kind.TEST, ("T",), "start is not as sent")]


def test_committees_are_read_back_by_name_and_options_not_at_all(book: StateWithJournal) -> None:
    book.know_test()
    write(book, Kind.COMMITTEE, ("T", "A"), type="GRADING")
    write(book, Kind.OPTION, ("T", "LOCKDOWN_BROWSER"), value="true")
    tenant = FakeTenant(places={Kind.COMMITTEE: {("", "A"): Member(type="GRADING")}})
    assert Reading(book, tenant).verify() == Verification(good=1)


def test_nothing_is_said_of_what_this_tenant_does_not_show(book: StateWithJournal) -> None:
    tenant = a_contributor(book)
    tenant.unreadable = frozenset({Kind.CONTRIBUTOR})
    reading = Reading(book, tenant)
    assert (reading.verify(), reading.slept) == (Verification(), [])


def test_what_could_not_be_read_is_reported_and_a_stop_is_passed_on(book: StateWithJournal) -> None:
    tenant = a_contributor(book)
    tenant.failing = {"seats": Retry("Inspera is busy")}
    assert said(Reading(book, tenant).verify())[0][2] == "could not be read: Inspera is busy"
    tenant.failing = {"seats": Stop("the key is refused")}
    with pytest.raises(Stop):
        Reading(book, tenant).verify()


def test_a_sample_reads_only_so_many_of_each_kind_and_each_test_once(
    book: StateWithJournal,
) -> None:
    book.know_test()
    for n in range(30):
        book.know_person(Kind.LEARNER, n)
        write(book, Kind.CANDIDATE, ("T", str(n)), room="R 1")
    seats = {("FEIDE", f"p{n}@example.edu"): Member(f"u{n}", room="R 1") for n in range(30)}
    tenant = FakeTenant(places={Kind.CANDIDATE: seats})
    assert Reading(book, tenant).verify(most=10) == Verification(good=10)
    assert tenant.asked == ["seats"]
    assert Reading(book, tenant).verify() == Verification(good=30)
