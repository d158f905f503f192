"""Taking in what a tenant that is in use already has: matches, misses and doubts of every kind, and nothing sent."""

from pathlib import Path

import pytest
from sync.engine.adopt import DOUBTFUL, MISSING, TAKEN, Adopter, AdoptionResult
from sync.engine.resolve import Resolution, Resolver
from sync.records.base import Key, Kind, joined
from sync.records.candidate import Candidate
from sync.records.committee import Committee
from sync.records.contributor import Contributor
from sync.records.kinds import Record
from sync.records.learner import Learner
from sync.records.option import Option
from sync.records.remote import Member, RemoteTest
from sync.records.staff import Staff
from sync.records.test import Test

from ...support.tenant import FakeTenant, StoringTenant, somebody
from .state_and_tenant import START, StateAndTenant, a_person, planning
from .state_with_journal import StateWithJournal, text_of

P7 = ("FEIDE", "p7@example.edu")
ROWS: tuple[Record, ...] = (
    Learner("1", **a_person(1)),
    Staff("7", **a_person(7)),
    Test("T", "x1", "Øving", START, START.replace(hour=12), 60),
    Option("T", "LOCKDOWN_BROWSER", "true"),
    Committee("T", "A", "GRADING"),
    Contributor("T", "7", "evaluate", "A"),
    Candidate("T", "1", "17"),
)
TEST = RemoteTest("284", "x1", "Øving", text_of(72), text_of(76))


def in_use() -> StoringTenant:
    """A tenant that has all of that already, made by hand."""
    return StoringTenant(
        people=[somebody(1), somebody(7)],
        tests=[TEST],
        places={
            Kind.COMMITTEE: {("", "A"): Member(type="GRADING")},
            Kind.CONTRIBUTOR: {P7: Member("u7", roles="evaluate", committees="A")},
            Kind.CANDIDATE: {("FEIDE", "p1@example.edu"): Member("u1", candidate_id="17")},
        },
    )


@pytest.fixture
def synced(tmp_path: Path) -> StateAndTenant:
    return StateAndTenant(tmp_path / "state.db", in_use())


def taken_in(
    synced: StateAndTenant,
    rows: tuple[Record, ...] = ROWS,
    *,
    managed: bool = False,
    by_email: bool = False,
) -> dict[tuple[Kind, Key], str]:
    with planning(synced.path, rows) as (store, journal, _):
        adopter = Adopter(store, journal, synced.tenant, managed=managed, by_email=by_email)
        found = {(one.kind, one.key): one.word for one in adopter.take_in(lambda *_: None)}
        journal.commit()
    assert synced.tenant.calls == []
    return found


def test_everything_that_is_there_is_taken_in_and_only_what_is_not_shown_is_sent_after_that(
    synced: StateAndTenant,
) -> None:
    assert set(taken_in(synced).values()) == {TAKEN}
    assert synced.run(ROWS) == ["update test", "assign option"]
    assert synced.run(ROWS) == []


@pytest.mark.parametrize("managed", [False, True])
def test_what_is_taken_in_is_managed_only_when_a_lost_state_is_rebuilt(
    synced: StateAndTenant, managed: bool
) -> None:
    taken_in(synced, managed=managed)
    for kind, key in {
        Kind.STAFF: ("7",),
        Kind.COMMITTEE: ("T", "A"),
        Kind.CONTRIBUTOR: ("T", "7"),
    }.items():
        assert bool((synced.known(kind, *key) or {})["managed"]) is managed


def test_misses_and_doubts_are_reported_and_left_as_they_are(synced: StateAndTenant) -> None:
    synced.tenant.people = [somebody(7, username="another")]
    synced.tenant.places[Kind.COMMITTEE] = {}
    found = taken_in(synced)
    assert found[Kind.LEARNER, ("1",)] == MISSING
    assert found[Kind.STAFF, ("7",)] == DOUBTFUL
    assert found[Kind.COMMITTEE, ("T", "A")] == MISSING
    assert found[Kind.CONTRIBUTOR, ("T", "7")] == TAKEN, (
        "whose place it is does not hang on what the account is called"
    )
    assert synced.known(Kind.STAFF, "7") is None


def test_roles_given_by_hand_are_doubtful(synced: StateAndTenant) -> None:
    synced.tenant.places[Kind.CONTRIBUTOR] = {P7: Member("u7", roles=joined(["evaluate", "plan"]))}
    assert taken_in(synced)[Kind.CONTRIBUTOR, ("T", "7")] == DOUBTFUL


def test_what_can_not_be_read_is_doubtful_once_for_its_test(synced: StateAndTenant) -> None:
    synced.tenant.unreadable = frozenset({Kind.CONTRIBUTOR})
    found = taken_in(synced)
    assert found[Kind.TEST, ("T",)] == DOUBTFUL
    assert (Kind.CONTRIBUTOR, ("T", "7")) not in found


@pytest.mark.parametrize("by_email", [False, True])
def test_somebody_matched_by_email_keeps_the_username_that_inspera_has(
    synced: StateAndTenant, by_email: bool
) -> None:
    synced.tenant.people = [somebody(1), somebody(7, username="a.prove", external_ids=())]
    found = taken_in(synced, by_email=by_email)
    assert found[Kind.STAFF, ("7",)] == (TAKEN if by_email else MISSING)
    calls = synced.run(ROWS)
    assert ("create staff" in calls) is not by_email
    assert ("update staff" in calls) is by_email, (
        "the link is added, and nothing is taken for a identity change"
    )
    if by_email:
        assert (synced.known(Kind.STAFF, "7") or {})["username"] == "a.prove"


def settled(
    book: StateWithJournal, tenant: FakeTenant, kind: Kind, *key: str, as_new: bool = False
) -> AdoptionResult:
    adopter = Adopter(book.store, book.journal, tenant, managed=False)
    return Resolver(book.store, book.journal, tenant, adopter).settle(
        Resolution(kind, key, as_new), None
    )


@pytest.mark.parametrize("managed", [False, True])
@pytest.mark.parametrize(
    ("kind", "key", "who", "seat"),
    [
        (Kind.COMMITTEE, ("T", "A"), ("", "A"), {"type": "REASSESSMENT"}),
        (Kind.CONTRIBUTOR, ("T", "7"), P7, {"roles": "plan"}),
    ],
)
def test_inspera_s_side_of_one_place_becomes_known_and_stays_whose_it_was(
    book: StateWithJournal,
    kind: Kind,
    key: Key,
    who: tuple[str, str],
    seat: dict[str, str],
    managed: bool,
) -> None:
    book.know_test()
    book.know_person(Kind.STAFF)
    book.know(kind, *key, managed=managed)
    tenant = FakeTenant(places={kind: {who: Member("u7", **seat)}})  # type: ignore[arg-type]  # all texts
    assert settled(book, tenant, kind, *key).word == TAKEN
    fields = book.store.known.find(kind, key) or {}
    assert {name: fields[name] for name in seat} == seat
    assert bool(fields["managed"]) is managed
    assert settled(book, FakeTenant(), kind, *key).word == TAKEN
    assert book.store.known.find(kind, key) is None, "it is not there: the next apply makes it anew"


def test_an_option_can_not_be_settled_by_looking(book: StateWithJournal) -> None:
    book.know_test()
    assert settled(book, FakeTenant(), Kind.OPTION, "T", "LOCKDOWN_BROWSER").word == DOUBTFUL


def test_staff_made_anew_are_forgotten_with_their_places(book: StateWithJournal) -> None:
    book.know_person(Kind.STAFF)
    book.know(Kind.CONTRIBUTOR, "T", "7")
    assert settled(book, FakeTenant(), Kind.STAFF, "7", as_new=True).word == TAKEN
    assert book.store.known.find(Kind.STAFF, ("7",)) is None
    assert book.store.known.find(Kind.CONTRIBUTOR, ("T", "7")) is None


@pytest.mark.parametrize("managed", [False, True])
def test_staff_who_are_settled_stay_whose_they_were_while_it_is_the_same_account(
    synced: StateAndTenant, managed: bool
) -> None:
    taken_in(synced, managed=managed)
    synced.tenant.people = [somebody(1), somebody(7, last_name="Øy")]
    with planning(synced.path, ROWS) as (store, journal, _):
        adopter = Adopter(store, journal, synced.tenant, managed=False)
        settling = Resolver(store, journal, synced.tenant, adopter)
        assert settling.settle(Resolution(Kind.STAFF, ("7",)), None).word == TAKEN
        fields = store.known.find(Kind.STAFF, ("7",)) or {}
    assert (fields["last_name"], bool(fields["managed"])) == ("Øy", managed)
