"""What must be there before something can go onto a test, and what the call for it carries."""

from typing import Any

import pytest
from sync.contract import OptionRule
from sync.engine.changes_on_test import ChangesOnTest, MembershipPolicy, prepare
from sync.planning.freeze import Moment
from sync.records.base import Kind, joined
from sync.records.changes import Action, PlannedChange, Result
from sync.records.kinds import ON_A_TEST

from ...support.tenant import NOW
from .state_with_journal import StateWithJournal, line, results

KEYS = {
    Kind.OPTION: "LOCKDOWN_BROWSER",
    Kind.COMMITTEE: "A",
    Kind.CONTRIBUTOR: "7",
    Kind.CANDIDATE: "7",
}
PEOPLE = {Kind.CONTRIBUTOR: Kind.STAFF, Kind.CANDIDATE: Kind.LEARNER}
WANTED: dict[Kind, dict[str, Any]] = {
    Kind.OPTION: {"value": "true"},
    Kind.COMMITTEE: {"type": "GRADING"},
    Kind.CONTRIBUTOR: {"roles": "evaluate"},
    Kind.CANDIDATE: {"candidate_id": "17"},
}


def prepared(book: StateWithJournal, *lines: PlannedChange, **policy: Any) -> ChangesOnTest:
    return prepare(
        book.store, lines[0].change.kind, "T", lines, MembershipPolicy(**policy), Moment.of(NOW)
    )


def ready(book: StateWithJournal, kind: Kind, **fields: Any) -> PlannedChange:
    """A line for something on test T, which is there, as is its person."""
    book.know_test()
    if kind in PEOPLE:
        book.know_person(PEOPLE[kind])
    return line(kind, ("T", KEYS[kind]), **{**WANTED[kind], **fields})


@pytest.mark.parametrize("kind", ON_A_TEST)
def test_what_has_its_test_and_its_person_is_ready(book: StateWithJournal, kind: Kind) -> None:
    one = ready(book, kind)
    changes = prepared(book, one)
    assert changes.waiting == []
    assert [place.line for place in changes.places] == [one]
    assert (changes.kind, changes.remote_id, changes.removals) == (kind, "284", False)


@pytest.mark.parametrize("kind", ON_A_TEST)
@pytest.mark.parametrize("remote_id", [None, "284"])
def test_whatever_is_on_a_test_waits_for_the_test(
    book: StateWithJournal, kind: Kind, remote_id: str | None
) -> None:
    if kind in PEOPLE:
        book.know_person(PEOPLE[kind])
    if remote_id is None:
        book.know(Kind.TEST, "T", remote_id=None, external_test_id="x1")
    changes = prepared(book, line(kind, ("T", KEYS[kind]), **WANTED[kind]))
    says = "waits for test T, which is not in Inspera yet"
    assert results(changes.waiting) == {("T", KEYS[kind]): (Result.WAITING, says)}
    assert changes.places == []


@pytest.mark.parametrize("kind", list(PEOPLE))
@pytest.mark.parametrize("external_id", [None, ""])
def test_places_wait_for_their_person_and_the_id_by_which_they_are_put_there(
    book: StateWithJournal, kind: Kind, external_id: str | None
) -> None:
    book.know_test()
    one = line(kind, ("T", "7"), **WANTED[kind])
    waits = f"waits for {PEOPLE[kind]} 7, who"
    assert results(prepared(book, one).waiting)["T", "7"] == (
        Result.WAITING,
        f"{waits} is not in Inspera yet",
    )
    book.know_person(PEOPLE[kind], external_id=external_id)
    assert results(prepared(book, one).waiting)["T", "7"] == (
        Result.WAITING,
        f"{waits} has no external id in Inspera; if this tenant takes no updates, link it to the "
        f"account there, then run `adopt {PEOPLE[kind]} 7`",
    )


@pytest.mark.parametrize("kind", list(PEOPLE))
def test_places_wait_for_every_committee_that_is_not_there(
    book: StateWithJournal, kind: Kind
) -> None:
    one = ready(book, kind, committees=joined(["A", "B", "C"]))
    book.know(Kind.COMMITTEE, "T", "A")
    book.know(Kind.COMMITTEE, "U", "B")
    says = "waits for committee B, C, which is not in Inspera yet"
    assert results(prepared(book, one).waiting) == {("T", "7"): (Result.WAITING, says)}
    for name in ("B", "C"):
        book.know(Kind.COMMITTEE, "T", name)
    assert prepared(book, one).waiting == []


@pytest.mark.parametrize("kind", list(PEOPLE))
def test_a_committee_stays_while_somebody_on_its_test_is_known_to_be_in_it(
    book: StateWithJournal, kind: Kind
) -> None:
    book.know_test()
    for name in ("A", "B"):
        book.know(Kind.COMMITTEE, "T", name)
    book.know(kind, "T", "7", committees=joined(["B", "C"]))
    book.know(kind, "U", "7", committees="A")
    removals = [line(Kind.COMMITTEE, ("T", name), Action.REMOVE) for name in ("A", "B")]
    changes = prepared(book, *removals)
    assert [place.line.change.key for place in changes.places] == [("T", "A")]
    assert results(changes.waiting)["T", "B"][0] is Result.WAITING
    book.know(kind, "T", "7", committees="C")
    assert prepared(book, *removals).waiting == []


def test_a_contributors_call_carries_who_they_are_and_a_candidates_does_not(
    book: StateWithJournal,
) -> None:
    names = {"first_name": "Åse", "last_name": "Ø", "email": None}
    (contributor,) = prepared(book, ready(book, Kind.CONTRIBUTOR, notify=1)).places
    assert contributor.who == ("FEIDE", "p7@example.edu")
    assert dict(contributor.fields) == {**names, "roles": "evaluate", "notify": 1}
    (candidate,) = prepared(
        book, ready(book, Kind.CANDIDATE, extra_time=10, extra_share=75_000)
    ).places
    assert dict(candidate.fields) == {"candidate_id": "17", "extra_time": 10}
    assert "Åse" not in repr(contributor)


def test_a_committees_call_carries_its_type_under_its_name(book: StateWithJournal) -> None:
    (committee,) = prepared(book, ready(book, Kind.COMMITTEE)).places
    assert (committee.who, dict(committee.fields)) == (("", "A"), {"type": "GRADING"})


@pytest.mark.parametrize(
    ("option", "rule", "value"),
    [
        ("LOCKDOWN_BROWSER", OptionRule("security"), "true"),
        ("SEB_SETTINGS_PINCODE", OptionRule("security", "pin", secret=True), "marker7531pin"),
        ("OWN", OptionRule("exam_day", "text"), "true"),
    ],
)
def test_an_options_call_carries_its_group_and_a_pin_in_the_place_of_its_digest(
    book: StateWithJournal, option: str, rule: OptionRule, value: str
) -> None:
    book.know_test()
    one = line(
        Kind.OPTION,
        ("T", option),
        secret="marker7531pin",
        value="digest 0" if rule.secret else "true",
    )
    (place,) = prepared(book, one, options={option: rule}).places
    assert place.who == ("", option)
    assert dict(place.fields) == {
        "value": value,
        "group": rule.group,
        "type": rule.type,
        "secret": int(rule.secret),
    }
    assert "marker7531pin" not in repr(place)


@pytest.mark.parametrize("kind", [Kind.COMMITTEE, Kind.CONTRIBUTOR, Kind.CANDIDATE])
@pytest.mark.parametrize("managed", [False, True])
def test_whose_it_is_and_whether_it_was_written_a_moment_ago_is_known(
    book: StateWithJournal, kind: Kind, managed: bool
) -> None:
    one = ready(book, kind)
    assert [(place.managed, place.fresh) for place in prepared(book, one).places] == [(True, False)]
    book.know(kind, "T", KEYS[kind], managed=managed)
    assert [(place.managed, place.fresh) for place in prepared(book, one).places] == [
        (managed, False)
    ]
    last_year = NOW.replace(year=NOW.year - 1)
    (place,) = prepare(
        book.store, kind, "T", [one], MembershipPolicy(), Moment.of(last_year)
    ).places
    assert place.fresh
