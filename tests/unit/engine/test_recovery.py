"""Calls of an earlier run without an outcome: what a reading shows of them, and what stays open to be sent again."""

from datetime import timedelta
from typing import Any

import pytest
from sync.engine.recovery import Recovery, RecoveryResult
from sync.errors import Stop, Unknown
from sync.records.base import Key, Kind
from sync.records.changes import Action, Fields
from sync.records.remote import Member
from sync.state.journal import Journal

from ...support.tenant import FakeTenant, somebody
from .state_with_journal import StateWithJournal, line

DELAY = timedelta(seconds=10)
P7 = ("FEIDE", "p7@example.edu")
PEOPLE = {Kind.CONTRIBUTOR: Kind.STAFF, Kind.CANDIDATE: Kind.LEARNER}
READABLE = (Kind.COMMITTEE, *PEOPLE)
STAFF: dict[str, Any] = {
    "username": "login7",
    "auth_system": "FEIDE",
    "external_id": "p7@example.edu",
}
WANTED: dict[Kind, dict[str, Any]] = {
    Kind.COMMITTEE: {"type": "GRADING"},
    Kind.CONTRIBUTOR: {"roles": "evaluate", "committees": None},
    Kind.CANDIDATE: {"candidate_id": "17"},
}


def key_of(kind: Kind) -> Key:
    return ("T", "A") if kind is Kind.COMMITTEE else ("T", "7")


def left_open(
    book: StateWithJournal, kind: Kind, action: Action = Action.CREATE, managed: bool = True
) -> None:
    """An earlier run was about to send this when it was killed."""
    book.know_test(managed=managed)
    if kind in PEOPLE:
        book.know_person(PEOPLE[kind])
    if action is Action.REMOVE:
        book.know(kind, *key_of(kind), **WANTED[kind])
    book.journal.intend([line(kind, key_of(kind), action, **WANTED[kind])])


def recover(book: StateWithJournal, tenant: FakeTenant) -> RecoveryResult:
    return Recovery(book.store, book.journal, tenant, DELAY, book.clock, book.sleep).settle()


def known(book: StateWithJournal, kind: Kind) -> Fields | None:
    return book.store.known.find(kind, key_of(kind))


def holding(kind: Kind, **seat: Any) -> FakeTenant:
    where = ("", "A") if kind is Kind.COMMITTEE else P7
    return FakeTenant(places={kind: {where: Member("u7", **{**WANTED[kind], **seat})}})


def test_staff_who_are_there_now_were_made_by_us_and_are_sent_again(book: StateWithJournal) -> None:
    book.journal.intend([line(Kind.STAFF, ("7",), **STAFF)])
    recovered = recover(book, FakeTenant(people=[somebody(7)]))
    fields = book.store.known.find(Kind.STAFF, ("7",)) or {}
    assert (fields["managed"], fields["remote_id"], fields["first_name"]) == (1, "u7", "Åse")
    assert book.open_intents() == [("7",)], "what the reading does not show is sent again"
    assert recovered.barred == set()


def test_staff_who_are_not_there_were_not_made(book: StateWithJournal) -> None:
    book.journal.intend([line(Kind.STAFF, ("7",), **STAFF)])
    recover(book, FakeTenant())
    assert (book.open_intents(), book.store.known.find(Kind.STAFF, ("7",))) == ([], None)


def test_staff_whose_account_is_in_doubt_or_can_not_be_read_stay_open(
    book: StateWithJournal,
) -> None:
    book.journal.intend([line(Kind.STAFF, ("7",), **STAFF)])
    assert recover(book, FakeTenant(people=[somebody(7, username="other")])).barred == set()
    assert recover(book, FakeTenant(failing={"find_person": Unknown("no answer")})).barred == {
        (Kind.STAFF, ("7",))
    }
    assert book.open_intents() == [("7",)]


@pytest.mark.parametrize("action", [Action.UPDATE, Action.ENABLE, Action.DISABLE, Action.DELETE])
def test_other_calls_for_staff_stay_open_and_need_no_reading(
    book: StateWithJournal, action: Action
) -> None:
    book.know_person(Kind.STAFF)
    book.journal.intend([line(Kind.STAFF, ("7",), action, **STAFF)])
    tenant = FakeTenant()
    assert recover(book, tenant).barred == set()
    assert (book.open_intents(), tenant.asked) == ([("7",)], [])


def test_a_learner_whose_creation_was_tried_is_sent_again_without_a_look(
    book: StateWithJournal,
) -> None:
    book.journal.intend(
        [line(Kind.LEARNER, ("7",), **STAFF), line(Kind.LEARNER, ("8",), Action.UPDATE, **STAFF)]
    )
    tenant = FakeTenant()
    assert recover(book, tenant).tried == {(Kind.LEARNER, ("7",))}
    assert tenant.asked == []


def test_an_option_is_sent_again_since_none_can_be_read(book: StateWithJournal) -> None:
    book.know_test()
    book.journal.intend([line(Kind.OPTION, ("T", "LOCKDOWN_BROWSER"), value="true")])
    tenant = FakeTenant()
    recovered = recover(book, tenant)
    assert (recovered.barred, tenant.asked, len(book.open_intents())) == (set(), [], 1)


@pytest.mark.parametrize("kind", READABLE)
def test_what_is_there_as_it_was_to_be_was_put_there_by_us(
    book: StateWithJournal, kind: Kind
) -> None:
    left_open(book, kind, managed=False)
    recover(book, holding(kind))
    fields = known(book, kind) or {}
    assert (book.open_intents(), fields["managed"], fields["remote_id"]) == ([], 1, "u7")


@pytest.mark.parametrize("kind", READABLE)
def test_what_is_not_there_was_not_put_there(book: StateWithJournal, kind: Kind) -> None:
    left_open(book, kind)
    recover(book, FakeTenant())
    assert (book.open_intents(), known(book, kind)) == ([], None)


@pytest.mark.parametrize(
    ("kind", "seat"), [(Kind.CONTRIBUTOR, {"roles": "plan"}), (Kind.COMMITTEE, {"type": None})]
)
def test_what_is_there_otherwise_or_not_shown_whole_is_managed_and_sent_again(
    book: StateWithJournal, kind: Kind, seat: dict[str, Any]
) -> None:
    left_open(book, kind)
    recover(book, holding(kind, **seat))
    assert book.open_intents() == [key_of(kind)]
    assert (known(book, kind) or {})["managed"] == 1


@pytest.mark.parametrize("kind", READABLE)
def test_what_we_had_found_there_before_we_sent_anything_stays_not_managed(
    book: StateWithJournal, kind: Kind
) -> None:
    left_open(book, kind)
    book.know(kind, *key_of(kind), managed=False)
    recover(book, holding(kind))
    assert (book.open_intents(), (known(book, kind) or {})["managed"]) == ([], 0)


@pytest.mark.parametrize("kind", READABLE)
def test_a_removal_is_done_when_nothing_is_there_and_was_not_sent_when_it_still_is(
    book: StateWithJournal, kind: Kind
) -> None:
    left_open(book, kind, Action.REMOVE)
    recover(book, holding(kind))
    assert book.open_intents() == []
    assert known(book, kind) is not None
    left_open(book, kind, Action.REMOVE)
    recover(book, FakeTenant())
    assert (book.open_intents(), known(book, kind)) == ([], None)


@pytest.mark.parametrize("kind", READABLE)
@pytest.mark.parametrize("unnamed", [0, 1])
def test_what_can_not_be_read_is_sent_again_only_where_that_is_safe(
    book: StateWithJournal, kind: Kind, unnamed: int
) -> None:
    left_open(book, kind)
    tenant = FakeTenant(unreadable=frozenset() if unnamed else frozenset({kind}), unnamed=unnamed)
    recovered = recover(book, tenant)
    assert recovered.barred == ({(kind, key_of(kind))} if kind is Kind.COMMITTEE else set())
    assert book.open_intents() == [key_of(kind)]
    assert (known(book, kind) is None) == (kind is Kind.COMMITTEE)


@pytest.mark.parametrize("managed", [False, True])
def test_a_place_that_can_not_be_read_is_managed_on_a_test_that_we_made(
    book: StateWithJournal, managed: bool
) -> None:
    left_open(book, Kind.CONTRIBUTOR, managed=managed)
    recover(book, FakeTenant(unreadable=frozenset({Kind.CONTRIBUTOR})))
    assert bool((known(book, Kind.CONTRIBUTOR) or {})["managed"]) is managed


def test_a_reading_that_fails_bars_what_it_was_for_and_not_the_rest(book: StateWithJournal) -> None:
    left_open(book, Kind.CONTRIBUTOR)
    book.journal.intend(
        [
            line(
                Kind.STAFF,
                ("8",),
                **{**STAFF, "external_id": "p8@example.edu", "username": "login8"},
            )
        ]
    )
    recovered = recover(book, FakeTenant(failing={"seats": Unknown("no answer")}))
    assert recovered.barred == {(Kind.CONTRIBUTOR, ("T", "7"))}
    assert book.open_intents() == [("T", "7")]


def test_a_stop_ends_it_all(book: StateWithJournal) -> None:
    left_open(book, Kind.CONTRIBUTOR)
    with pytest.raises(Stop):
        recover(book, FakeTenant(failing={"seats": Stop("the key is refused")}))


def test_several_kinds_on_one_test_are_read_apart(book: StateWithJournal) -> None:
    for kind in READABLE:
        left_open(book, kind)
    tenant = FakeTenant(places={kind: holding(kind).places[kind] for kind in READABLE})
    recover(book, tenant)
    assert book.open_intents() == []
    assert tenant.asked.count("seats") == len(READABLE)


@pytest.mark.parametrize(
    ("age", "ended", "waited"),
    [
        (5, None, 70),
        (300, None, 70),
        (3640, None, 30),
        (3700, None, 0),
        (300, 20, 50),
        (300, 80, 0),
    ],
    ids=str,
)
def test_it_waits_until_no_call_can_be_carried_out_any_more(
    book: StateWithJournal, age: int, ended: int | None, waited: int
) -> None:
    """A call waits for its turn after its intent: of a run that was cut off, the end is not known."""
    option = line(Kind.OPTION, ("T", "LOCKDOWN_BROWSER"), value="true")
    sent = book.now - timedelta(seconds=age)
    journal = Journal(book.journal._connection, lambda: sent, "apply")
    journal.intend([option])
    if ended is not None:
        sent = book.now - timedelta(seconds=ended)
        journal.end("done", 1, {})
    delay, notes = timedelta(seconds=70), list[str]()
    Recovery(
        book.store, book.journal, FakeTenant(), delay, book.clock, book.sleep, notes.append
    ).settle()
    assert book.slept == ([float(waited)] if waited else [])
    assert len(notes) == bool(waited)
