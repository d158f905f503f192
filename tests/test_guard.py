"""What may go ahead, what waits, what clears by itself and what only a person can let through."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sync.found import Seat
from sync.guard import FULL, Facts, Limit, Limits, Ruling, Scope, judge, judge_removal, judge_seat
from sync.model import MAX_CANDIDATES, Key, Kind
from sync.plan import Action, Change, Result, Verdict

ADDITIONS = (Action.CREATE, Action.UPDATE)
ABSENCES = (Action.REMOVE, Action.RELEASE, Action.WITHDRAW, Action.RETIRE)

facts = st.builds(
    Facts,
    trouble=st.sampled_from(["", "exams.csv can't be relied on in this run"]),
    begun=st.booleans(),
    waits_for=st.sampled_from([(), ("learner 1001",), ("learner 1001", "test INF1000")]),
    registered=st.integers(0, 3),
    suspect=st.sampled_from(["", "learner 1001"]),
    room_left=st.integers(-1, 2),
)
limits = st.builds(
    Limit, st.integers(0, 30), st.sampled_from([0, 1, 10, 25, 33.3, 50, 100]), st.none() | st.integers(0, 60)
)
counts = st.integers(0, 400)
minutes = st.none() | st.integers(0, 90)


def a_change(action: Action, **after: int | str | None) -> Change:
    kind = {Action.RELEASE: Kind.LEARNER, Action.WITHDRAW: Kind.TEST}.get(action, Kind.CANDIDATE)
    key: Key = ("INF1000", "1001") if kind is Kind.CANDIDATE else ("1001",)
    changed = tuple(name for name, value in after.items() if value is not None)
    return Change(action, kind, key, after=after, changed=changed, reason="a reason")


@given(facts)
def test_a_begun_test_loses_no_candidate_whatever_else_is_true(about: Facts) -> None:
    ruling = judge(a_change(Action.REMOVE), replace(about, begun=True))
    assert ruling.verdict is not Verdict.PASS


@given(facts, st.sampled_from(ABSENCES))
def test_no_absence_counts_while_its_feeds_prove_nothing(about: Facts, action: Action) -> None:
    ruling = judge(a_change(action), replace(about, trouble="registrations.csv can't be relied on in this run"))
    assert ruling == Ruling(Verdict.WITHHELD, "registrations.csv can't be relied on in this run")


@given(facts, st.sampled_from(ABSENCES))
def test_what_may_live_on_under_a_new_key_is_held(about: Facts, action: Action) -> None:
    ruling = judge(a_change(action), replace(about, trouble="", suspect="learner 1001"))
    assert ruling.verdict is Verdict.HELD
    assert "learner 1001" in ruling.reason


@given(facts, st.sampled_from(ADDITIONS))
def test_additions_do_not_mind_trouble_suspects_or_a_begun_test(about: Facts, action: Action) -> None:
    calm = replace(about, trouble="", begun=False, suspect="", registered=0)
    assert judge(a_change(action), about) == judge(a_change(action), calm)


@given(facts, st.sampled_from(ADDITIONS))
def test_what_waits_says_everything_that_it_waits_for(about: Facts, action: Action) -> None:
    ruling = judge(a_change(action), about)
    assert (ruling.verdict is Verdict.WAITING) == bool(about.waits_for)
    assert all(name in ruling.reason for name in about.waits_for)


@given(facts)
def test_a_full_test_takes_nobody_new_but_keeps_in_step_those_that_it_has(about: Facts) -> None:
    full = replace(about, room_left=0, waits_for=())
    assert judge(a_change(Action.CREATE), full) == Ruling(Verdict.WITHHELD, FULL)
    assert judge(a_change(Action.UPDATE), full).verdict is Verdict.PASS
    assert judge(a_change(Action.CREATE), replace(full, room_left=1)).verdict is Verdict.PASS
    assert str(MAX_CANDIDATES) in FULL


@given(facts)
def test_a_rekey_is_always_held_and_names_the_way_out(about: Facts) -> None:
    ruling = judge(a_change(Action.REKEY), about)
    assert ruling.verdict is Verdict.HELD
    assert "adopt" in ruling.reason


@given(facts)
def test_a_test_that_registrations_name_is_not_withdrawn_unasked(about: Facts) -> None:
    quiet = replace(about, trouble="", suspect="")
    ruling = judge(a_change(Action.WITHDRAW), quiet)
    assert ruling.verdict is (Verdict.HELD if quiet.registered else Verdict.PASS)


@given(facts)
def test_a_record_that_comes_back_passes(about: Facts) -> None:
    assert judge(a_change(Action.RESTORE), about).verdict is Verdict.PASS


@given(facts, st.sampled_from(list(Action)))
def test_whatever_does_not_pass_says_why(about: Facts, action: Action) -> None:
    ruling = judge(a_change(action), about)
    assert (ruling.verdict is Verdict.PASS) == (ruling.reason == "")


@given(limits, counts, counts)
def test_a_limit_grows_with_what_is_known_and_never_below_its_floor(limit: Limit, one: int, other: int) -> None:
    few, many = sorted((one, other))
    assert limit.at_least <= limit.of(few) <= limit.of(many)
    if limit.at_most is not None:
        assert limit.of(many) <= max(limit.at_least, limit.at_most)


@given(limits, counts, counts, st.booleans())
def test_more_changes_never_pass_where_fewer_are_held(limit: Limit, count: int, known: int, removals: bool) -> None:
    if Scope("s", count, known, limit, removals).excess():
        assert Scope("s", count + 1, known, limit, removals).excess()


@given(limits, counts, counts)
def test_a_scope_is_held_exactly_when_it_is_beyond_its_limit_or_nobody_would_remain(
    limit: Limit, count: int, known: int
) -> None:
    emptied = known >= 2 and count >= known
    assert bool(Scope("s", count, known, limit).excess()) == (emptied or count > limit.of(known))
    assert bool(Scope("s", count, known, limit, removals=False).excess()) == (count > limit.of(known))


@pytest.mark.parametrize(
    ("limit", "known", "most"),
    [
        (Limits().kind, 50, 10),
        (Limits().kind, 1_000, 100),
        (Limits().kind, 100_000, 500),
        (Limits().test, 9, 3),
        (Limits().test, 100, 25),
        (Limits().test, 1_500, 100),
        (Limits().updates, 15, 10),
        (Limits().updates, 1_000, 500),
    ],
)
def test_exactly_the_limit_passes_and_one_more_is_held(limit: Limit, known: int, most: int) -> None:
    assert Scope("s", most, known, limit).excess() == ""
    assert f"{most + 1} of {known} known is more than" in Scope("s", most + 1, known, limit).excess()


@pytest.mark.parametrize(("count", "known", "held"), [(9, 9, True), (2, 2, True), (1, 2, False), (1, 1, False)])
def test_taking_the_last_of_several_is_held_and_of_one_is_not(count: int, known: int, held: bool) -> None:
    generous = Limit(100, 100)
    said = f"{count} of {known} known: none would remain"
    assert Scope("removals on test INF1000", count, known, generous).excess() == (said if held else "")


def test_the_arithmetic_of_a_held_scope_is_said() -> None:
    text = Scope("removals of candidate", 101, 1_000, Limits().kind).excess()
    assert text == "101 of 1000 known is more than max(10, 10% up to 500) = 100"
    text = Scope("updates of learner", 501, 1_000, Limits().updates, removals=False).excess()
    assert text == "501 of 1000 known is more than max(10, 50%) = 500"


@given(minutes, minutes, minutes, st.booleans(), st.integers(0, 2), st.booleans())
def test_extra_time_given_by_hand_is_never_lowered(
    there: int | None, known: int | None, wanted: int | None, found: bool, left: int, claimed: bool
) -> None:
    change = replace(a_change(Action.UPDATE, extra_time=wanted), before={"extra_time": known})
    ruling = judge_seat(change, Seat(extra_time=there), left, claimed, found)
    bound = (wanted if found else known) or 0  # what is known of a found seat may be a hand's gift itself
    by_hand = wanted is not None and (there or 0) > bound
    assert (ruling.result is Result.HELD) == by_hand
    assert ruling.send != by_hand
    if by_hand:
        assert "drift" in ruling.reason


@given(st.booleans(), minutes)
def test_a_known_candidate_who_is_not_there_any_more_is_drift(found: bool, wanted: int | None) -> None:
    ruling = judge_seat(a_change(Action.UPDATE, extra_time=wanted), None, 5, claimed=False, found=found)
    assert (ruling.send, ruling.result) == (False, Result.HELD)
    assert "adopt" in ruling.reason


@given(minutes, minutes, st.booleans())
def test_a_seat_that_was_there_before_us_is_found_unless_it_is_claimed(
    there: int | None, wanted: int | None, claimed: bool
) -> None:
    ruling = judge_seat(a_change(Action.CREATE, extra_time=wanted), Seat(extra_time=there), 0, claimed)
    if wanted is not None and (there or 0) > wanted:
        assert ruling.result is Result.HELD
    else:
        assert ruling.found is not claimed
        assert ruling.send == (wanted is not None and there != wanted)


@pytest.mark.parametrize("left", [-1, 0, 1])
def test_a_new_seat_needs_a_free_place(left: int) -> None:
    ruling = judge_seat(a_change(Action.CREATE), None, left, claimed=False)
    assert ruling.send is (left > 0)
    if not ruling.send:
        assert (ruling.result, ruling.reason) == (Result.WITHHELD, FULL)


@given(st.booleans(), st.booleans(), st.booleans())
def test_no_reading_lets_a_begun_test_lose_a_candidate(read: bool, there: bool, fresh: bool) -> None:
    ruling = judge_removal(read, Seat() if there else None, begun=True, fresh=fresh)
    assert (ruling.send, ruling.result) == (False, Result.WITHHELD)


@pytest.mark.parametrize(
    ("read", "there", "fresh", "send", "result"),
    [
        (True, True, False, True, Result.DONE),
        (True, True, True, True, Result.DONE),
        (False, False, True, True, Result.DONE),
        (True, False, False, False, Result.DONE),
        (True, False, True, False, Result.WITHHELD),
    ],
)
def test_a_seat_that_is_not_there_counts_as_gone_only_once_our_last_write_can_be_read(
    read: bool, there: bool, fresh: bool, send: bool, result: Result
) -> None:
    ruling = judge_removal(read, Seat() if there else None, begun=False, fresh=fresh)
    assert (ruling.send, ruling.result) == (send, result)
