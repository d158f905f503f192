"""What absence means for each kind, and what a row can say of staff and options beyond its values."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sync.planning.diff import ACTIVE, DISABLED, Context, diff
from sync.records.base import Kind
from sync.records.changes import REMOVALS, Action, Change

from .test_diff import Pair, a_key, fields_of, is_disabled, known_of, pairs

MEMBERS = (Kind.COMMITTEE, Kind.CONTRIBUTOR)


def of(*kinds: Kind) -> st.SearchStrategy[Pair]:
    return pairs(st.sampled_from(kinds))


def gone(pair: Pair) -> Change | None:
    kind, _, known, about = pair
    return diff(kind, a_key(kind), None, known, about)


def action(change: Change | None) -> Action | None:
    return change.action if change else None


@given(pairs())
def test_what_we_found_is_never_taken_out_of_inspera(pair: Pair) -> None:
    _, _, _, about = pair
    if not about.managed:
        assert action(gone(pair)) not in REMOVALS


@given(of(Kind.CANDIDATE))
def test_only_a_candidate_of_managed_on_a_test_that_goes_on_is_removed(pair: Pair) -> None:
    about = pair[3]
    over = about.ended or about.covered
    assert (action(gone(pair)) is Action.REMOVE) == (about.managed and not over)


@given(of(Kind.CANDIDATE))
def test_a_candidate_of_an_ended_test_retires_anyone_who_put_them_there(pair: Pair) -> None:
    about = pair[3]
    stays = about.covered or about.lifecycle == "retired"
    assert (action(gone(pair)) is Action.RETIRE) == (about.ended and not stays)


@given(of(*MEMBERS))
def test_a_contributor_or_committee_of_managed_is_removed_also_after_the_end_of_the_test(
    pair: Pair,
) -> None:
    about = pair[3]
    with_its_test = about.covered or (about.lifecycle == "retired" and about.ended)
    assert action(gone(pair)) is (Action.REMOVE if about.managed and not with_its_test else None)


@given(of(Kind.OPTION))
def test_an_option_that_no_row_names_stays_as_it_is(pair: Pair) -> None:
    assert gone(pair) is None


@given(of(Kind.OPTION))
def test_a_blank_option_leaves_inspera_alone_known_or_not(pair: Pair) -> None:
    kind, _, known, about = pair
    assert diff(kind, a_key(kind), {"value": None, "secret": None}, None, about) is None
    assert diff(kind, a_key(kind), {"value": None, "secret": None}, known, about) is None


@given(of(Kind.LEARNER))
def test_a_learner_with_a_seat_is_never_released(pair: Pair) -> None:
    about = pair[3]
    assert (action(gone(pair)) is Action.RELEASE) == (
        not about.seated and about.lifecycle != "released"
    )


@given(of(Kind.TEST))
def test_an_ended_test_is_retired_and_never_withdrawn(pair: Pair) -> None:
    about = pair[3]
    if about.ended:
        assert action(gone(pair)) is (None if about.lifecycle == "retired" else Action.RETIRE)
    else:
        assert action(gone(pair)) is (None if about.lifecycle == "withdrawn" else Action.WITHDRAW)


@given(of(Kind.STAFF))
def test_absent_staff_of_managed_are_disabled_and_deleted_only_where_that_is_said(
    pair: Pair,
) -> None:
    about = pair[3]
    out = about.lifecycle == "disabled" and not about.unsettled
    leaves = Action.DELETE if about.delete else Action.DISABLE
    assert action(gone(pair)) is (leaves if about.managed and not out else None)


@st.composite
def rows_that_disable(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any], Context]:
    _, wanted, known, about = draw(of(Kind.STAFF))
    return {**wanted, "status": DISABLED}, known, about


@given(rows_that_disable())
def test_a_row_that_disables_staff_does_just_that_and_only_once(
    pair: tuple[dict[str, Any], dict[str, Any], Context],
) -> None:
    wanted, known, about = pair
    change = diff(Kind.STAFF, ("1001",), wanted, known, about, "staff.csv line 2")
    if is_disabled(known, about) and not about.unsettled:
        assert change is None
    else:
        assert change is not None
        assert (change.action, change.changed, change.where) == (
            Action.DISABLE,
            ("status",),
            "staff.csv line 2",
        )
        assert change.after == {**known, "status": DISABLED}


@given(fields_of(Kind.STAFF))
def test_a_row_that_disables_somebody_who_inspera_does_not_have_makes_no_account(
    wanted: dict[str, Any],
) -> None:
    assert diff(Kind.STAFF, ("1001",), {**wanted, "status": DISABLED}, None, Context()) is None


@given(known_of(Kind.STAFF), st.booleans(), st.sampled_from([None, ACTIVE]))
def test_disabled_staff_who_are_wanted_again_are_enabled_with_whatever_else_changed(
    known: dict[str, Any], managed: bool, status: str | None
) -> None:
    wanted = {**known, "status": status, "first_name": "Frøydis", "username": None}
    change = diff(Kind.STAFF, ("1001",), wanted, known, Context("disabled", managed=managed))
    assert change is not None
    assert change.action is Action.ENABLE
    assert set(change.changed) == {"status", "first_name"}
    assert (change.after["status"], change.after["first_name"]) == (ACTIVE, "Frøydis")


@pytest.mark.parametrize("notify", [None, 1])
@pytest.mark.parametrize("unsettled", [False, True])
def test_a_notice_is_asked_for_once_and_never_after_a_call_without_an_outcome(
    notify: int | None, unsettled: bool
) -> None:
    wanted = {
        "roles": "evaluate",
        "committees": None,
        "room": None,
        "building": None,
        "notify": notify,
    }
    about = Context(unsettled=unsettled)
    change = diff(Kind.CONTRIBUTOR, ("INF1000", "7"), wanted, None, about)
    assert change is not None
    assert change.after["notify"] == (None if unsettled else notify)
    known = {**wanted, "roles": "monitor"}
    del known["notify"]
    update = diff(Kind.CONTRIBUTOR, ("INF1000", "7"), wanted, known, about)
    assert update is not None
    assert "notify" not in update.after


@pytest.mark.parametrize(
    ("known", "wanted", "expected"),
    [
        ("GRADING", "REASSESSMENT", Action.IDENTITY_CHANGE),
        ("GRADING", None, None),
        ("GRADING", "GRADING", None),
    ],
)
def test_a_committee_can_not_change_its_type(
    known: str, wanted: str | None, expected: Action | None
) -> None:
    change = diff(Kind.COMMITTEE, ("INF1000", "A"), {"type": wanted}, {"type": known}, Context())
    assert action(change) is expected
