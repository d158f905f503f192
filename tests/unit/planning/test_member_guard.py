"""What a reading of Inspera makes of a change on a test: send it, leave it, or hold it for a person."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sync.planning.guard import FULL, STAYS, UNDER_WAY
from sync.planning.member_guard import (
    FRESH,
    judge_candidate,
    judge_member,
    judge_removal,
    unless_fresh,
)
from sync.records.base import Kind, joined
from sync.records.changes import Action, Change, Fields, Result
from sync.records.remote import Member

minutes = st.none() | st.integers(0, 90)
roles = st.sets(st.sampled_from(["evaluate", "monitor", "plan"]), min_size=1)


def a_change(action: Action, **after: int | str | None) -> Change:
    return changed(Kind.CANDIDATE, action, after)


def changed(kind: Kind, action: Action, after: Fields) -> Change:
    names = tuple(name for name, value in after.items() if value is not None)
    return Change(action, kind, ("INF1000", "1001"), after=after, changed=names)


@given(minutes, minutes, minutes, st.booleans(), st.integers(0, 2), st.booleans())
def test_extra_time_given_by_hand_is_never_lowered(
    there: int | None,
    known: int | None,
    wanted: int | None,
    existing: bool,
    left: int,
    claimed: bool,
) -> None:
    change = replace(a_change(Action.UPDATE, extra_time=wanted), before={"extra_time": known})
    ruling = judge_candidate(change, Member(extra_time=there), left, claimed, existing)
    bound = (
        wanted if existing else known
    ) or 0  # what is known of a found seat may be a hand's gift itself
    by_hand = wanted is not None and bound < (there or 0) != wanted  # agreement is no drift
    agreed = wanted is not None and there is not None and there == wanted
    assert (ruling.result is Result.HELD) == by_hand
    assert ruling.send is not (by_hand or agreed)
    if by_hand:
        assert "drift" in ruling.reason


@given(st.booleans(), minutes)
def test_a_known_candidate_who_is_not_there_any_more_is_drift(
    existing: bool, wanted: int | None
) -> None:
    ruling = judge_candidate(
        a_change(Action.UPDATE, extra_time=wanted), None, 5, claimed=False, existing=existing
    )
    assert (ruling.send, ruling.result) == (False, Result.HELD)
    assert "adopt" in ruling.reason


@given(minutes, minutes, st.booleans())
def test_a_seat_that_was_there_before_us_is_found_unless_it_is_claimed(
    there: int | None, wanted: int | None, claimed: bool
) -> None:
    ruling = judge_candidate(
        a_change(Action.CREATE, extra_time=wanted), Member(extra_time=there), 0, claimed
    )
    if wanted is not None and (there or 0) > wanted:
        assert ruling.result is Result.HELD
    else:
        assert ruling.existing is not claimed
        assert ruling.send == (wanted is not None and there != wanted)


@pytest.mark.parametrize("left", [-1, 0, 1])
def test_a_new_seat_needs_a_free_place(left: int) -> None:
    ruling = judge_candidate(a_change(Action.CREATE), None, left, claimed=False)
    assert ruling.send is (left > 0)
    if not ruling.send:
        assert (ruling.result, ruling.reason) == (Result.DEFERRED, FULL)


@given(st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_no_reading_lets_a_begun_test_lose_anybody(
    read: bool, there: bool, fresh: bool, candidate: bool
) -> None:
    ruling = judge_removal(
        read, Member() if there else None, begun=True, fresh=fresh, candidate=candidate
    )
    says = STAYS if candidate else UNDER_WAY
    assert (ruling.send, ruling.result, ruling.reason) == (False, Result.DEFERRED, says)


@pytest.mark.parametrize(
    ("read", "there", "fresh", "send", "result"),
    [
        (True, True, False, True, Result.DONE),
        (True, True, True, True, Result.DONE),
        (False, False, True, True, Result.DONE),
        (True, False, False, False, Result.DONE),
        (True, False, True, False, Result.DEFERRED),
    ],
)
def test_a_seat_that_is_not_there_counts_as_gone_only_once_our_last_write_can_be_read(
    read: bool, there: bool, fresh: bool, send: bool, result: Result
) -> None:
    ruling = judge_removal(read, Member() if there else None, begun=False, fresh=fresh)
    assert (ruling.send, ruling.result) == (send, result)


@given(roles, roles, roles)
def test_roles_given_by_hand_are_never_taken_away(
    there: set[str], known: set[str], wanted: set[str]
) -> None:
    change = replace(
        changed(Kind.CONTRIBUTOR, Action.UPDATE, {"roles": joined(wanted)}),
        before={"roles": joined(known)},
    )
    ruling = judge_member(change, Member(roles=joined(there)), claimed=False)
    by_hand = there - known - wanted
    assert ruling.send is not (bool(by_hand) or there == wanted)
    assert (ruling.result is Result.HELD) == bool(by_hand)
    assert all(role in ruling.reason for role in by_hand)


@given(roles, roles, st.booleans())
def test_a_contributor_who_was_there_is_brought_up_to_date_and_is_managed_only_when_claimed(
    there: set[str], wanted: set[str], claimed: bool
) -> None:
    change = changed(Kind.CONTRIBUTOR, Action.CREATE, {"roles": joined(wanted), "room": "R 7"})
    ruling = judge_member(change, Member(roles=joined(there), room="R 7"), claimed)
    if there - wanted:
        assert ruling.result is Result.HELD
    else:
        assert (ruling.existing, ruling.send) == (not claimed, there != wanted)
        assert ruling.result is (Result.DONE if claimed else Result.FOUND)


@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE])
@pytest.mark.parametrize("type_", [None, "GRADING", "REASSESSMENT"])
@pytest.mark.parametrize("claimed", [False, True])
def test_a_committee_that_is_there_is_never_made_again(
    action: Action, type_: str | None, claimed: bool
) -> None:
    change = changed(Kind.COMMITTEE, action, {"type": "GRADING"})
    ruling = judge_member(change, Member(type=type_), claimed)
    assert not ruling.send
    assert ruling.existing is (action is Action.CREATE and not claimed)


@pytest.mark.parametrize("kind", [Kind.CONTRIBUTOR, Kind.COMMITTEE])
def test_what_is_not_there_is_made_when_new_and_drift_when_known(kind: Kind) -> None:
    assert judge_member(changed(kind, Action.CREATE, {}), None, claimed=False).send
    ruling = judge_member(changed(kind, Action.UPDATE, {}), None, claimed=False)
    assert (ruling.send, ruling.result) == (False, Result.HELD)
    assert f"does not have this {kind} any more" in ruling.reason


def test_what_looks_like_drift_right_after_our_own_write_is_looked_at_again_instead() -> None:
    drift = judge_member(changed(Kind.CONTRIBUTOR, Action.UPDATE, {}), None, claimed=False)
    assert unless_fresh(drift, fresh=False) == drift
    rests = unless_fresh(drift, fresh=True)
    assert (rests.send, rests.result, rests.reason) == (False, Result.DEFERRED, FRESH)
    full = judge_candidate(a_change(Action.CREATE), None, 0, claimed=False)
    assert unless_fresh(full, fresh=True) == full
