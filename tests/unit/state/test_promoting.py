"""What is known after changes are carried out, when keys move, and when tests retire."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sync.planning.decide import DraftedChange
from sync.planning.guard import PASS, Ruling
from sync.records.base import Key, Kind
from sync.records.changes import Action, Change, Outcome, Result, Verdict
from sync.records.kinds import ON_A_TEST, PEOPLE, Record
from sync.records.option import Option
from sync.records.staff import Staff

from .journalled import State, line

TEST, OTHER = ("PRV1-H26",), ("PRV2-H26",)
SEATS: dict[Kind, str] = {
    Kind.OPTION: "LOCKDOWN_BROWSER",
    Kind.COMMITTEE: "Å",
    Kind.CONTRIBUTOR: "7",
    Kind.CANDIDATE: "1",
}


pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    """Return a state with two tests, one member of each kind on each, a learner and staff."""
    state = State(tmp_path)
    for kind, key in everything():
        state.journal.known.remember(kind, key, {}, fingerprint=b"1", remote_id="9", managed=True)
    state.journal.commit()
    yield state
    state.close()


def everything() -> Iterator[tuple[Kind, Key]]:
    yield from ((Kind.LEARNER, ("1",)), (Kind.STAFF, ("7",)), (Kind.TEST, TEST), (Kind.TEST, OTHER))
    yield from ((kind, (test[0], name)) for test in (TEST, OTHER) for kind, name in SEATS.items())


def known(state: State) -> set[tuple[Kind, Key]]:
    return {one for one in everything() if state.known(one)}


def lifecycles(state: State) -> dict[tuple[Kind, Key], object]:
    return {one: fields["lifecycle"] for one in everything() if (fields := state.known(one))}


def add_to_draft(state: State, action: Action, kind: Kind, key: Key, ruling: Ruling = PASS) -> None:
    state.store.plan.draft([DraftedChange(Change(action, kind, key), ruling)])


@pytest.mark.parametrize("kind", list(ON_A_TEST))
def test_what_was_found_is_remembered_with_inspera_s_values_and_is_not_managed(
    state: State, kind: Kind
) -> None:
    one = (kind, ("PRV3-H26", "8"))
    there = {"committees": "B"} if kind in (Kind.CONTRIBUTOR, Kind.CANDIDATE) else {}
    state.journal.record(
        [(None, line(one, Action.CREATE), Outcome(Result.FOUND, remote_id="5", there=there))]
    )
    fields = state.known(one)
    assert fields is not None
    assert (fields["managed"], fields["remote_id"]) == (0, "5")
    assert {name: fields[name] for name in there} == there


@pytest.mark.parametrize("differs", [False, True])
def test_a_record_that_inspera_has_otherwise_than_wanted_is_paired_anew_next_time(
    state: State, differs: bool
) -> None:
    one = (Kind.COMMITTEE, ("PRV3-H26", "B"))
    there = {"type": "REASSESSMENT" if differs else "GRADING"}
    wanted = line(one, Action.CREATE, "GRADING")
    state.journal.record([(None, wanted, Outcome(Result.FOUND, there=there))])
    assert (state.known(one) or {})["type"] == there["type"]
    assert state.fingerprint(one) == (None if differs else wanted.fingerprint)


def test_staff_who_are_disabled_stay_known_as_such_and_enabling_makes_them_active_again(
    state: State,
) -> None:
    one = (Kind.STAFF, ("7",))
    state.journal.record([(None, line(one, Action.DISABLE), Outcome(Result.DONE))])
    assert (state.known(one) or {})["status"] == (state.known(one) or {})["lifecycle"] == "disabled"
    change = replace(
        line(one, Action.ENABLE).change, after={"status": "active", "first_name": "Åse"}
    )
    state.journal.record(
        [(None, replace(line(one, Action.ENABLE), change=change), Outcome(Result.DONE))]
    )
    fields = state.known(one) or {}
    assert (fields["status"], fields["lifecycle"], fields["first_name"], fields["managed"]) == (
        "active",
        "active",
        "Åse",
        1,
    )


def test_staff_who_are_deleted_are_forgotten(state: State) -> None:
    state.journal.record([(None, line((Kind.STAFF, ("7",)), Action.DELETE), Outcome(Result.DONE))])
    assert state.known((Kind.STAFF, ("7",))) is None


def on(test: Key) -> set[tuple[Kind, Key]]:
    return {(kind, (test[0], name)) for kind, name in SEATS.items()}


def test_a_test_is_forgotten_with_everything_on_it_and_no_other(state: State) -> None:
    state.journal.known.forget_with_candidates(Kind.TEST, TEST)
    assert set(everything()) - known(state) == {(Kind.TEST, TEST), *on(TEST)}


@pytest.mark.parametrize(
    ("kind", "key", "part"),
    [(Kind.LEARNER, "1", Kind.CANDIDATE), (Kind.STAFF, "7", Kind.CONTRIBUTOR)],
)
def test_a_person_is_forgotten_with_their_places_on_all_tests(
    state: State, kind: Kind, key: str, part: Kind
) -> None:
    state.journal.known.forget_with_candidates(kind, (key,))
    places = {(part, (test[0], key)) for test in (TEST, OTHER)}
    assert set(everything()) - known(state) == {(kind, (key,)), *places}


def test_a_tests_new_key_goes_to_everything_on_it(state: State) -> None:
    state.journal.known.rename(Kind.TEST, TEST, ("PRV9-H26",))
    assert set(everything()) - known(state) == {(Kind.TEST, TEST), *on(TEST)}
    assert all(state.known(one) for one in on(("PRV9-H26",)))


@pytest.mark.parametrize(
    ("kind", "key", "part"),
    [(Kind.LEARNER, "1", Kind.CANDIDATE), (Kind.STAFF, "7", Kind.CONTRIBUTOR)],
)
def test_a_persons_new_key_goes_to_their_places(
    state: State, kind: Kind, key: str, part: Kind
) -> None:
    state.journal.known.rename(kind, (key,), ("99",))
    assert all(state.known((part, (test[0], "99"))) for test in (TEST, OTHER))
    assert not any(state.known((part, (test[0], key))) for test in (TEST, OTHER))


def test_everything_on_a_test_retires_with_it(state: State) -> None:
    add_to_draft(state, Action.RETIRE, Kind.TEST, TEST)
    add_to_draft(
        state,
        Action.RETIRE,
        Kind.TEST,
        OTHER,
        Ruling(Verdict.DEFERRED, "its feed can't be relied on"),
    )
    state.journal.promote_silent()
    retired = {one for one, lifecycle in lifecycles(state).items() if lifecycle == "retired"}
    assert retired == {(Kind.TEST, TEST), *on(TEST)}


@pytest.mark.parametrize("kind", list(ON_A_TEST))
def test_single_places_retire_and_come_back_alone(state: State, kind: Kind) -> None:
    one = (kind, (TEST[0], SEATS[kind]))
    add_to_draft(state, Action.RETIRE, *one)
    state.journal.promote_silent()
    assert {other for other, lifecycle in lifecycles(state).items() if lifecycle == "retired"} == {
        one
    }
    state.run_again()
    add_to_draft(state, Action.RESTORE, *one)
    state.journal.promote_silent()
    assert set(lifecycles(state).values()) == {"active"}


@pytest.mark.parametrize("kind", PEOPLE)
def test_people_come_back_to_be_kept_in_step(state: State, kind: Kind) -> None:
    key: Key = ("1",) if kind is Kind.LEARNER else ("7",)
    state.journal.record([(None, line((kind, key), Action.UPDATE), Outcome(Result.DONE))])
    add_to_draft(state, Action.RESTORE, kind, key)
    state.journal.promote_silent()
    assert lifecycles(state)[kind, key] == "active"


def test_a_renewed_fingerprint_goes_to_just_its_record(state: State) -> None:
    renewed = [one for one in everything() if OTHER[0] not in one[1]]
    state.store.comparison.refresh((kind, key, b"2") for kind, key in renewed)
    state.journal.promote_silent()
    assert {one: state.fingerprint(one) for one in everything()} == {
        one: b"2" if one in renewed else b"1" for one in everything()
    }


def stage(state: State, kind: Kind, records: Iterable[Record]) -> None:
    state.store.staging.stage(kind, 0, [(record, None, 2) for record in records])


@pytest.mark.parametrize(
    ("kind", "action", "wanted", "managed", "lapses"),
    [
        (Kind.STAFF, Action.UPDATE, [], True, True),
        (Kind.STAFF, Action.UPDATE, [Staff("7")], True, False),
        (Kind.STAFF, Action.ENABLE, [], True, False),
        (Kind.STAFF, Action.DISABLE, [], True, False),
        (Kind.STAFF, Action.DELETE, [], True, False),
        (Kind.STAFF, Action.ENABLE, [], False, True),
        (Kind.OPTION, Action.UPDATE, [], True, True),
        (Kind.OPTION, Action.UPDATE, [Option(TEST[0], "LOCKDOWN_BROWSER")], True, True),
        (Kind.OPTION, Action.UPDATE, [Option(TEST[0], "LOCKDOWN_BROWSER", "true")], True, False),
        (Kind.CONTRIBUTOR, Action.UPDATE, [], True, False),
    ],
)
def test_a_call_without_an_outcome_lapses_only_when_nothing_asks_what_became_of_it(
    state: State, kind: Kind, action: Action, wanted: list[Record], managed: bool, lapses: bool
) -> None:
    key = ("7",) if kind is Kind.STAFF else (TEST[0], SEATS[kind])
    state.journal.known.remember(kind, key, {}, managed=managed)
    state.journal.intend([line((kind, key), action)])
    state.run_again()
    stage(state, kind, wanted)
    state.journal.lapse([kind])
    assert len(state.open()) == 1, "not all that is wanted was read"
    state.journal.lapse()
    assert bool(state.open()) is not lapses
