"""Drift in three groups: managed and changed, managed and gone, not managed; and repairs."""

from datetime import timedelta
from typing import Any

import pytest
from sync.engine.reconcile import READ_ON_TESTS, Drift, DriftGroup, Reconciler
from sync.engine.repair import Repair, take_over
from sync.errors import CallError, CallMissing, Refused, Retry, Stop, Unknown
from sync.planning.limits import Limit
from sync.records.base import Key, Kind
from sync.records.changes import Fields
from sync.records.kinds import PEOPLE
from sync.records.remote import Member, RemoteTest

from ...support.tenant import NOW, FakeTenant, somebody
from .state_with_journal import StateWithJournal, text_of

P7 = ("FEIDE", "p7@example.edu")
DELAY = timedelta(seconds=10)
PERSON_OF = {Kind.CONTRIBUTOR: Kind.STAFF, Kind.CANDIDATE: Kind.LEARNER}
SEATS: dict[Kind, tuple[Key, tuple[str, str], dict[str, Any], dict[str, Any]]] = {
    Kind.COMMITTEE: (("T", "A"), ("", "A"), {"type": "GRADING"}, {"type": "REASSESSMENT"}),
    Kind.CONTRIBUTOR: (("T", "7"), P7, {"roles": "evaluate"}, {"roles": "evaluate\nplan"}),
    Kind.CANDIDATE: (("T", "7"), P7, {"extra_time": 30}, {"extra_time": 60}),
}
"""Of each kind on a test its key, how Inspera shows it, what is known, and what somebody makes of it."""


def drift(
    book: StateWithJournal, tenant: FakeTenant, people: str = "none", at: timedelta = timedelta()
) -> list[Drift]:
    reconciler = Reconciler(book.store, tenant, people, NOW + at, DELAY, lambda *_: None)
    return list(reconciler.drift())


def heaps(found: list[Drift]) -> list[tuple[DriftGroup, Kind, Key, tuple[str, ...]]]:
    return [(one.heap, one.kind, one.key, one.fields) for one in found]


def set_up(
    book: StateWithJournal, hours: float = 24, kinds: tuple[Kind, ...] = READ_ON_TESTS
) -> FakeTenant:
    """Test T with one managed record of each kind, in the state and in Inspera alike."""
    book.know_test(hours)
    for kind in kinds:
        key, _, known, _ = SEATS[kind]
        if kind in PERSON_OF:
            book.know_person(PERSON_OF[kind], status=None)
        book.know(kind, *key, **known)
    places = {kind: {SEATS[kind][1]: Member("u7", **SEATS[kind][2])} for kind in kinds}
    test = RemoteTest("284", "x1", "Ø", text_of(hours), text_of(hours + 4))
    return FakeTenant(people=[somebody(7, last_name="Ø", email=None)], tests=[test], places=places)


def test_where_both_sides_agree_there_is_no_drift(book: StateWithJournal) -> None:
    tenant = set_up(book)
    assert drift(book, tenant, "one_by_one") == []
    assert tenant.calls == []


@pytest.mark.parametrize("kind", READ_ON_TESTS)
def test_what_somebody_changed_is_reported_with_its_fields(
    book: StateWithJournal, kind: Kind
) -> None:
    tenant = set_up(book)
    key, who, _, changed = SEATS[kind]
    tenant.places[kind] = {who: Member("u7", **changed)}
    assert heaps(drift(book, tenant)) == [(DriftGroup.CHANGED, kind, key, tuple(changed))]


@pytest.mark.parametrize("kind", READ_ON_TESTS)
def test_what_somebody_took_away_is_gone_and_what_somebody_put_there_is_not_managed(
    book: StateWithJournal, kind: Kind
) -> None:
    tenant = set_up(book)
    stranger = ("", "By hand") if kind is Kind.COMMITTEE else ("LTI", "by hand")
    tenant.places[kind] = {stranger: Member("u99")}
    assert heaps(drift(book, tenant)) == [
        (DriftGroup.GONE, kind, SEATS[kind][0], ()),
        (DriftGroup.FOREIGN, kind, ("T", " ".join(stranger).strip()), ()),
    ]


def test_one_person_under_several_ids_is_no_stranger_and_told_once_when_they_are(
    book: StateWithJournal,
) -> None:
    tenant = set_up(book)
    managed, foreign = Member("u7", **SEATS[Kind.CONTRIBUTOR][2]), Member("u99")
    tenant.places[Kind.CONTRIBUTOR] = {
        P7: managed,
        ("LTI", "same"): managed,
        ("LTI", "x"): foreign,
        ("FEIDE", "x"): foreign,
    }
    assert heaps(drift(book, tenant)) == [
        (DriftGroup.FOREIGN, Kind.CONTRIBUTOR, ("T", "LTI x"), ())
    ]


@pytest.mark.parametrize("kind", READ_ON_TESTS)
def test_what_this_tenant_does_not_show_is_unread_and_what_it_shows_without_an_id_might_be_anybody(
    book: StateWithJournal, kind: Kind
) -> None:
    tenant = set_up(book)
    tenant.unreadable = frozenset({kind})
    ((heap, *_),) = heaps(drift(book, tenant))
    assert heap is DriftGroup.UNREAD
    tenant.unreadable, tenant.unnamed, tenant.places = frozenset(), 2, {}
    assert {one.heap for one in drift(book, tenant)} == {DriftGroup.FOREIGN}


def test_nothing_is_unread_where_nothing_is_known(book: StateWithJournal) -> None:
    tenant = set_up(book, kinds=())
    tenant.unreadable = frozenset(READ_ON_TESTS)
    assert drift(book, tenant) == []


def test_a_test_that_is_gone_or_moved_or_there_twice_is_reported(book: StateWithJournal) -> None:
    tenant = set_up(book)
    moved = RemoteTest("284", "x1", "Another title", text_of(48), text_of(52))
    tenant.tests = [moved]
    assert heaps(drift(book, tenant)) == [
        (DriftGroup.CHANGED, Kind.TEST, ("T",), ("title", "start", "end"))
    ]
    tenant.tests = []
    assert heaps(drift(book, tenant)) == [(DriftGroup.GONE, Kind.TEST, ("T",), ())]
    tenant.tests = [moved, moved]
    assert heaps(drift(book, tenant)) == [(DriftGroup.UNREAD, Kind.TEST, ("T",), ())]


def why_unread(book: StateWithJournal, tenant: FakeTenant) -> str:
    """Why the one test could not be read."""
    (one,) = drift(book, tenant)
    assert (one.heap, one.kind, one.key) == (DriftGroup.UNREAD, Kind.TEST, ("T",))
    return one.text


def test_a_search_that_finds_less_than_there_is_proves_nothing(book: StateWithJournal) -> None:
    tenant = set_up(book)
    tenant.tests, tenant.hidden = [], tenant.tests
    assert "Inspera shows it by its id" in why_unread(book, tenant)


def test_a_tenant_that_has_answered_no_search_has_lost_no_test(book: StateWithJournal) -> None:
    tenant = set_up(book)
    tenant.tests, tenant.sure = [], False
    assert "run `doctor`" in why_unread(book, tenant)


def test_a_404_on_a_reading_by_id_that_has_never_worked_proves_nothing(
    book: StateWithJournal,
) -> None:
    tenant = set_up(book)
    tenant.tests, tenant.sure_of_id = [], False
    assert "a 404 there proves nothing" in why_unread(book, tenant)


@pytest.mark.parametrize(
    "error",
    [Refused("no right", 403), CallMissing("no such call"), Retry("busy"), Unknown("no answer")],
)
def test_a_test_that_can_not_be_read_by_its_id_is_not_gone(
    book: StateWithJournal, error: CallError
) -> None:
    tenant = set_up(book)
    tenant.tests, tenant.failing = [], {"read_test": error}
    assert why_unread(book, tenant).endswith(f"it cannot be read by its id ({error})")


def test_a_stop_on_the_reading_by_id_ends_the_reading(book: StateWithJournal) -> None:
    tenant = set_up(book)
    tenant.tests, tenant.failing = [], {"read_test": Stop("the key is refused")}
    with pytest.raises(Stop):
        drift(book, tenant)


def test_a_missing_test_is_judged_once_all_others_were_read(book: StateWithJournal) -> None:
    tenant = set_up(book, kinds=())
    book.know(Kind.TEST, "U", remote_id="285", external_test_id="x2", title="Ø")
    tenant.tests = [RemoteTest("285", "x2", "Ø")]
    assert heaps(drift(book, tenant)) == [(DriftGroup.GONE, Kind.TEST, ("T",), ())]
    assert [word for word in tenant.asked if word != "seats"] == [
        "find_test",
        "find_test",
        "read_test",
    ]


def test_a_test_without_an_id_is_searched_for_once_more(book: StateWithJournal) -> None:
    class Slow(FakeTenant):
        """Finds the test in the second search."""

        def find_test(self, external_test_id: str, /) -> list[RemoteTest]:
            self.tests, found = self.hidden, super().find_test(external_test_id)
            return found

    book.know(Kind.TEST, "T", remote_id=None, external_test_id="x1", title="Ø")
    assert why_unread(book, Slow(hidden=[RemoteTest("284", "x1", "Ø")])) == (
        "one search does not find it, and the next one does"
    )
    assert heaps(drift(book, FakeTenant(sure_of_id=False))) == [
        (DriftGroup.GONE, Kind.TEST, ("T",), ())
    ]


@pytest.mark.parametrize("how", ["one_by_one", "export", "none"])
@pytest.mark.parametrize("kind", PEOPLE)
def test_people_are_read_as_asked(book: StateWithJournal, kind: Kind, how: str) -> None:
    for n in (7, 8, 9):
        book.know_person(kind, n, first_name="Åse", last_name=None, email=None)
    tenant = FakeTenant(people=[somebody(7), somebody(8, first_name="Asa")])
    found = [one for one in heaps(drift(book, tenant, how)) if one[1] is kind]
    expected = [
        (DriftGroup.CHANGED, kind, ("8",), ("first_name",)),
        (DriftGroup.GONE, kind, ("9",), ()),
    ]
    assert found == ([] if how == "none" else expected)


def test_an_export_tells_who_is_not_managed_and_single_look_ups_can_not(
    book: StateWithJournal,
) -> None:
    book.know_person(Kind.STAFF, 7)
    tenant = FakeTenant(people=[somebody(7, last_name="Ø"), somebody(99)])
    foreign = (DriftGroup.FOREIGN, Kind.STAFF, ("p99@example.edu",), ())
    assert foreign in heaps(drift(book, tenant, "export"))
    assert drift(book, tenant, "one_by_one") == []


@pytest.mark.parametrize("known", [False, True])
def test_an_export_that_names_nobody_is_not_believed(book: StateWithJournal, known: bool) -> None:
    if known:
        book.know_person(Kind.STAFF, 7)
    assert [(one.heap, one.kind) for one in drift(book, FakeTenant(), "export")] == [
        (DriftGroup.UNREAD, Kind.STAFF)
    ] * known


def test_somebody_without_a_link_is_looked_up_by_login(book: StateWithJournal) -> None:
    book.know_person(Kind.STAFF, 7, external_id=None, auth_system=None)
    tenant = FakeTenant(people=[somebody(7, first_name="Asa", external_ids=())])
    assert heaps(drift(book, tenant, "one_by_one")) == [
        (DriftGroup.CHANGED, Kind.STAFF, ("7",), ("first_name",))
    ]


def test_what_was_written_a_moment_ago_is_passed_over(book: StateWithJournal) -> None:
    set_up(book)
    long_ago = NOW.replace(year=NOW.year - 1)
    just_written = long_ago - NOW + DELAY / 2
    empty = FakeTenant()
    assert drift(book, empty, "one_by_one", just_written) == []
    assert drift(book, empty, "one_by_one", just_written + DELAY) != []


def test_a_record_that_can_not_be_read_does_not_hide_the_others_and_a_stop_does(
    book: StateWithJournal,
) -> None:
    tenant = set_up(book)
    tenant.failing = {"seats": Retry("Inspera is busy")}
    found = drift(book, tenant)
    assert [(one.heap, one.kind, one.text) for one in found] == [
        (DriftGroup.UNREAD, kind, "Inspera is busy") for kind in READ_ON_TESTS
    ]
    tenant.failing = {"find_test": Stop("the key is refused")}
    with pytest.raises(Stop):
        drift(book, tenant)


def known(book: StateWithJournal, kind: Kind, key: Key) -> Fields | None:
    return book.store.known.find(kind, key)


@pytest.mark.parametrize("kind", READ_ON_TESTS)
@pytest.mark.parametrize("managed", [False, True])
def test_a_repair_takes_inspera_s_side_so_that_the_next_plan_sees_the_difference(
    book: StateWithJournal, kind: Kind, managed: bool
) -> None:
    tenant = set_up(book)
    key, who, before, changed = SEATS[kind]
    book.know(kind, *key, managed=managed, **before)
    tenant.places[kind] = {who: Member("u7", **changed)}
    (one,) = drift(book, tenant)
    assert take_over(one, book.journal)
    fields = known(book, kind, key) or {}
    assert {name: fields[name] for name in changed} == changed
    assert bool(fields["managed"]) is managed
    assert drift(book, tenant) == []


@pytest.mark.parametrize("kind", READ_ON_TESTS)
def test_a_repair_forgets_what_is_gone_so_that_it_is_made_anew(
    book: StateWithJournal, kind: Kind
) -> None:
    tenant = set_up(book)
    tenant.places[kind] = {}
    (one,) = drift(book, tenant)
    assert take_over(one, book.journal)
    assert known(book, kind, SEATS[kind][0]) is None
    tenant.tests = []
    (test,) = drift(book, tenant)
    assert take_over(test, book.journal)
    assert not any(book.store.known.on_test(other, "T") for other in READ_ON_TESTS), (
        "all of it is made anew with its test"
    )


@pytest.mark.parametrize("kind", READ_ON_TESTS)
def test_nothing_of_a_test_under_way_is_repaired_but_a_candidate_who_is_gone_from_it(
    book: StateWithJournal, kind: Kind
) -> None:
    tenant = set_up(book, hours=-1)
    key, who, _, changed = SEATS[kind]
    for places, repaired in (({who: Member("u7", **changed)}, False), ({}, kind is Kind.CANDIDATE)):
        tenant.places[kind] = places
        (one,) = drift(book, tenant)
        assert one.under_way
        assert take_over(one, book.journal) is repaired
        assert (known(book, kind, key) is None) is repaired


@pytest.mark.parametrize("heap", [DriftGroup.FOREIGN, DriftGroup.UNREAD])
def test_what_is_not_managed_and_what_was_not_read_is_left_alone(
    book: StateWithJournal, heap: DriftGroup
) -> None:
    assert not take_over(Drift(heap, Kind.CANDIDATE, ("T", "LTI x")), book.journal)


def repaired(
    book: StateWithJournal, found: list[Drift], limit: Limit
) -> tuple[Repair, list[tuple[Kind, str]]]:
    """A whole repair, and the kinds that it left with their arithmetic."""
    repair = Repair(book.store, book.journal, limit)
    for one in found:
        repair.take(one)
    return repair, [(kind, scope.excess()) for kind, scope in repair.finish()]


def candidates(book: StateWithJournal, count: int) -> list[Drift]:
    """So many of ten known candidates are gone."""
    for n in range(10):
        book.know(Kind.CANDIDATE, "T", str(n))
    return [Drift(DriftGroup.GONE, Kind.CANDIDATE, ("T", str(n))) for n in range(count)]


@pytest.mark.parametrize(
    ("gone", "held"),
    [(3, ""), (4, "4 of 10 known is more than max(3, 10%) = 3"), (10, "none would remain")],
)
def test_what_is_gone_is_taken_over_up_to_the_limit_of_its_kind_and_not_at_all_above(
    book: StateWithJournal, gone: int, held: str
) -> None:
    repair, left = repaired(book, candidates(book, gone), Limit(3, 10))
    assert [kind for kind, _ in left] == [Kind.CANDIDATE] * bool(held)
    assert all(held in excess for _, excess in left)
    assert (repair.taken, repair.left) == ((0, gone) if held else (gone, 0))
    assert len(book.store.known.on_test(Kind.CANDIDATE, "T")) == 10 - repair.taken


def test_all_of_two_or_more_are_never_gone_and_the_only_one_may_be(book: StateWithJournal) -> None:
    for n in range(2):
        book.know_person(Kind.LEARNER, n)
    book.know_person(Kind.STAFF, 7)
    keys = [(Kind.LEARNER, "0"), (Kind.LEARNER, "1"), (Kind.STAFF, "7")]
    repair, left = repaired(
        book, [Drift(DriftGroup.GONE, kind, (key,)) for kind, key in keys], Limit(100, 100)
    )
    assert left == [(Kind.LEARNER, "2 of 2 known: none would remain")]
    assert (repair.taken, repair.left) == (1, 2)


def test_nothing_that_is_gone_is_taken_over_before_all_was_counted_and_what_was_changed_is_at_once(
    book: StateWithJournal,
) -> None:
    tenant = set_up(book, kinds=(Kind.COMMITTEE, Kind.CANDIDATE))
    tenant.places = {Kind.COMMITTEE: {("", "A"): Member(type="REASSESSMENT")}}
    repair = Repair(book.store, book.journal, Limit(10, 10))
    for one in drift(book, tenant):
        repair.take(one)
    assert repair.taken == 1
    assert known(book, Kind.CANDIDATE, ("T", "7"))
    assert repair.finish() == []
    assert known(book, Kind.CANDIDATE, ("T", "7")) is None


@pytest.mark.parametrize("kind", PEOPLE)
def test_the_seats_of_somebody_whose_account_is_gone_went_with_it(
    book: StateWithJournal, kind: Kind
) -> None:
    set_up(book)
    place = next(other for other, person in PERSON_OF.items() if person is kind)
    assert take_over(Drift(DriftGroup.GONE, kind, ("7",)), book.journal)
    assert [other for other in PERSON_OF if book.store.known.on_test(other, "T")] == [
        one for one in PERSON_OF if one != place
    ]
