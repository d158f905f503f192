"""One pair, decided: what only shows once a record is known to be new or different, and the guard's word on it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sync.planning.decide import NEEDED, Decision, Pair, decide
from sync.planning.diff import Context
from sync.planning.guard import Facts
from sync.records.base import Kind
from sync.records.changes import Action, Verdict
from sync.records.kinds import COMPARED

LEARNER = {
    "username": "ase",
    "external_id": "ase@example.edu",
    "auth_system": "FEIDE",
    "first_name": "Åse",
    "last_name": "Prøvesen",
    "email": "ase@example.edu",
}
TEST = {
    "external_test_id": "INF1000-H26",
    "title": "INF1000 Øving",
    "start": "2026-12-01T08:00:00Z",
    "end": "2026-12-01T12:00:00Z",
    "duration": 240,
}
WHOLE: dict[Kind, dict[str, Any]] = {
    Kind.LEARNER: LEARNER,
    Kind.STAFF: {**LEARNER, "accesses": "extended"},
    Kind.TEST: TEST,
    Kind.OPTION: {"value": "true"},
    Kind.COMMITTEE: {},
    Kind.CONTRIBUTOR: {"roles": "evaluate"},
    Kind.CANDIDATE: {"candidate_id": "17"},
}
KEYS = {
    Kind.LEARNER: ("1001",),
    Kind.STAFF: ("7",),
    Kind.TEST: ("INF1000-H26",),
    Kind.OPTION: ("INF1000-H26", "LOCKDOWN_BROWSER"),
    Kind.COMMITTEE: ("INF1000-H26", "A"),
    Kind.CONTRIBUTOR: ("INF1000-H26", "7"),
    Kind.CANDIDATE: ("INF1000-H26", "1001"),
}
NEEDING = st.sampled_from(list(NEEDED))
PEOPLE = (Kind.LEARNER, Kind.STAFF)


def decided(
    kind: Kind,
    wanted: dict[str, Any] | None,
    known: dict[str, Any] | None = None,
    about: Context | None = None,
    facts: Facts | None = None,
    secret: str | None = None,
) -> Decision:
    blank = dict.fromkeys(COMPARED[kind])
    sides = [None if side is None else {**blank, **side} for side in (wanted, known)]
    about, facts = about or Context(), facts or Facts()
    return decide(
        Pair(kind, KEYS[kind], sides[0], sides[1], about, facts, "f.csv line 2", b"print", secret)
    )


@pytest.mark.parametrize("kind", list(Kind))
def test_a_new_and_whole_record_is_drafted_with_what_its_sending_needs(kind: Kind) -> None:
    drafted = decided(kind, WHOLE[kind], secret="a-secret").drafted
    assert drafted is not None
    assert (drafted.change.action, drafted.ruling.verdict) == (Action.CREATE, Verdict.PASS)
    assert (drafted.fingerprint, drafted.secret) == (b"print", "a-secret")
    assert "a-secret" not in repr(drafted)


@settings(deadline=None)  # the first email waits for its checker to be imported
@given(NEEDING, st.data())
def test_a_new_record_without_what_it_needs_is_row_errors_that_name_each_field_and_the_row(
    kind: Kind, data: st.DataObject
) -> None:
    lacking = data.draw(st.sets(st.sampled_from(NEEDED[kind]), min_size=1))
    decision = decided(
        kind, {name: value for name, value in WHOLE[kind].items() if name not in lacking}
    )
    assert decision.drafted is None
    assert {row_error.field for row_error in decision.row_errors} == lacking
    assert all(
        (row_error.where, row_error.key) == ("f.csv line 2", KEYS[kind])
        for row_error in decision.row_errors
    )
    assert not decision.settled


@settings(deadline=None)  # the first email waits for its checker to be imported
@given(NEEDING, st.data())
def test_a_known_record_may_leave_blank_what_inspera_already_has(
    kind: Kind, data: st.DataObject
) -> None:
    lacking = data.draw(st.sets(st.sampled_from(NEEDED[kind])))
    wanted = {name: value for name, value in WHOLE[kind].items() if name not in lacking}
    decision = decided(kind, wanted, WHOLE[kind])
    assert decision == Decision(settled=True)


@pytest.mark.parametrize("kind", PEOPLE)
def test_a_bad_email_is_left_out_and_is_a_row_error_only_where_it_is_new(kind: Kind) -> None:
    mistyped = {**LEARNER, "email": "ase@@example.edu"}
    for known in (None, LEARNER):
        decision = decided(kind, mistyped, known)
        assert [row_error.field for row_error in decision.row_errors] == ["email"]
        assert not decision.settled
        if known is None:
            assert decision.drafted is not None
            assert decision.drafted.fingerprint is None
            assert decision.drafted.change.after.get("email") is None
        else:
            assert decision.drafted is None
        assert "ase@@" not in str(decision.row_errors[0])
    assert decided(kind, mistyped, mistyped) == Decision(settled=True)


@pytest.mark.parametrize("kind", PEOPLE)
def test_a_person_may_have_one_name_but_not_none(kind: Kind) -> None:
    assert decided(kind, {**LEARNER, "first_name": None}).drafted is not None
    nameless = decided(kind, {**LEARNER, "first_name": "", "last_name": None})
    assert [row_error.field for row_error in nameless.row_errors] == ["last_name"]


def test_staff_who_are_to_be_disabled_are_so_whatever_else_is_wrong_with_their_row() -> None:
    out = {**LEARNER, "email": "ase@@example.edu", "status": "disabled"}
    drafted = decided(Kind.STAFF, out, LEARNER).drafted
    assert drafted is not None
    assert (drafted.change.action, drafted.ruling.verdict) == (Action.DISABLE, Verdict.PASS)
    assert decided(Kind.STAFF, out).drafted is None


def test_nothing_is_missing_from_staff_who_are_enabled_again() -> None:
    again = {name: value for name, value in LEARNER.items() if name != "email"}
    drafted = decided(Kind.STAFF, again, LEARNER, Context("disabled")).drafted
    assert drafted is not None
    assert (drafted.change.action, drafted.change.after["email"]) == (
        Action.ENABLE,
        LEARNER["email"],
    )
    mistyped = decided(Kind.STAFF, {"email": "ase@@example.edu"}, LEARNER, Context("disabled"))
    assert [row_error.field for row_error in mistyped.row_errors] == ["email"]


@pytest.mark.parametrize(
    ("moved", "field"),
    [({"start": "2026-12-01T13:00:00Z"}, "end"), ({"start": "2026-12-01T09:00:00Z"}, "duration")],
)
def test_a_tests_times_are_judged_with_what_is_known_filled_in(
    moved: dict[str, str], field: str
) -> None:
    decision = decided(Kind.TEST, moved, TEST)
    assert [row_error.field for row_error in decision.row_errors] == [field]
    control = decided(Kind.TEST, {"end": "2026-12-01T13:00:00Z"}, TEST).drafted
    assert control is not None
    assert control.change.after == {**TEST, "end": "2026-12-01T13:00:00Z"}


def test_a_held_identity_change_is_held_whatever_else_is_wrong_with_its_row() -> None:
    drafted = decided(
        Kind.LEARNER, {**LEARNER, "username": "aase", "email": "no address"}, LEARNER
    ).drafted
    assert drafted is not None
    assert (drafted.change.action, drafted.ruling.verdict) == (Action.IDENTITY_CHANGE, Verdict.HELD)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_record_that_is_gone_is_never_a_row_error(kind: Kind) -> None:
    decision = decided(kind, None, {})
    assert (decision.drafted is None) == (kind is Kind.OPTION)  # which stays as it is
    assert not decision.row_errors
    assert decided(kind, None, None) == Decision()


def test_a_row_without_a_value_keeps_nothing_of_an_option_open() -> None:
    assert decided(Kind.OPTION, {}, {"value": "true"}, Context(unsettled=True)) == Decision(
        settled=True
    )


def test_the_guards_word_goes_with_the_change() -> None:
    waiting = decided(
        Kind.CANDIDATE, {"candidate_id": "17"}, facts=Facts(waits_for=("learner 1001",))
    ).drafted
    assert waiting is not None
    assert waiting.ruling.verdict is Verdict.WAITING
    begun = decided(Kind.CANDIDATE, None, {"candidate_id": "17"}, facts=Facts(begun=True)).drafted
    assert begun is not None
    assert begun.ruling.verdict is Verdict.DEFERRED
