"""What may go ahead, what waits, what clears by itself and what only a person can let through."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sync.planning.absence import AbsenceDoubt
from sync.planning.freeze import Moment, TimeFacts
from sync.planning.guard import ACTIVATED, FULL, STAYS, UNDER_WAY, Facts, Ruling, judge
from sync.planning.limits import ChangeType, Limit, Limits, Recent, Scope
from sync.records.base import Kind, joined
from sync.records.candidate import MAX_CANDIDATES
from sync.records.changes import CALLING, Action, Cause, Change, Fields, Verdict
from sync.records.kinds import ON_A_TEST

ADDED = dict.fromkeys(Kind, (Action.CREATE, Action.UPDATE)) | {
    Kind.STAFF: (Action.CREATE, Action.UPDATE, Action.ENABLE)
}
GONE: dict[Kind, tuple[Action, ...]] = {
    Kind.LEARNER: (Action.RELEASE,),
    Kind.STAFF: (Action.DISABLE, Action.DELETE),
    Kind.TEST: (Action.WITHDRAW, Action.RETIRE),
    Kind.COMMITTEE: (Action.REMOVE,),
    Kind.CONTRIBUTOR: (Action.REMOVE,),
    Kind.CANDIDATE: (Action.REMOVE, Action.RETIRE),
}
additions = st.sampled_from(
    [(kind, action) for kind, actions in ADDED.items() for action in actions]
)
absences = st.sampled_from([(kind, action) for kind, actions in GONE.items() for action in actions])
leaving_tests = st.sampled_from([Kind.COMMITTEE, Kind.CONTRIBUTOR, Kind.CANDIDATE])
Asked = tuple[Kind, Action]

UNRELIABLE = AbsenceDoubt("exams.csv can't be relied on in this run")
SHRUNK = AbsenceDoubt("exams.csv has become shorter", needs_person=True)

facts = st.builds(
    Facts,
    trouble=st.sampled_from([None, UNRELIABLE]),
    begun=st.booleans(),
    waits_for=st.sampled_from([(), ("learner 1001",), ("learner 1001", "test INF1000")]),
    registered=st.integers(0, 3),
    suspect=st.sampled_from(["", "learner 1001"]),
    room_left=st.integers(-1, 2),
    refused=st.sampled_from(["", "", "refused before: no such room; tried again later"]),
)
limits = st.builds(
    Limit,
    st.integers(0, 30),
    st.sampled_from([0, 1, 10, 25, 33.3, 50, 100]),
    st.none() | st.integers(0, 60),
)
counts = st.integers(0, 400)


def a_change(kind: Kind, action: Action) -> Change:
    return Change(
        action, kind, ("INF1000", "1001") if kind in ON_A_TEST else ("1001",), reason="a reason"
    )


def judged(asked: Asked, about: Facts) -> Ruling:
    return judge(a_change(*asked), about)


@given(facts, leaving_tests)
def test_a_test_under_way_loses_nothing_whatever_else_is_true(about: Facts, kind: Kind) -> None:
    begun = replace(about, begun=True)
    assert judged((kind, Action.REMOVE), begun).verdict is not Verdict.PASS
    calm = replace(begun, trouble=None, suspect="", refused="")
    says = STAYS if kind is Kind.CANDIDATE else UNDER_WAY
    assert judged((kind, Action.REMOVE), calm) == Ruling(Verdict.DEFERRED, says, Cause.BEGUN)


@given(facts, absences)
def test_no_absence_counts_while_its_feeds_prove_nothing(about: Facts, asked: Asked) -> None:
    ruling = judged(
        asked,
        replace(about, trouble=UNRELIABLE, refused=""),
    )
    assert ruling == Ruling(Verdict.DEFERRED, UNRELIABLE.reason, Cause.SOURCE)


@given(facts, absences)
def test_absence_from_a_source_that_shrank_waits_for_a_person(about: Facts, asked: Asked) -> None:
    ruling = judged(asked, replace(about, trouble=SHRUNK, refused=""))
    assert ruling == Ruling(Verdict.HELD, SHRUNK.reason, Cause.SOURCE)


@given(facts, absences)
def test_what_may_live_on_under_a_new_key_is_held(about: Facts, asked: Asked) -> None:
    ruling = judged(asked, replace(about, trouble=None, suspect="learner 1001", refused=""))
    assert ruling.verdict is Verdict.HELD
    assert "learner 1001" in ruling.reason


@given(facts, additions)
def test_additions_do_not_mind_trouble_suspects_or_a_begun_test(about: Facts, asked: Asked) -> None:
    about = replace(about, begun=about.begun and asked[0] is not Kind.OPTION)
    calm = replace(about, trouble=None, begun=False, suspect="", registered=0)
    assert judged(asked, about) == judged(asked, calm)


@given(facts, st.sampled_from([Action.CREATE, Action.UPDATE]))
def test_an_option_that_can_not_change_any_more_is_deferred(about: Facts, action: Action) -> None:
    ruling = judged((Kind.OPTION, action), replace(about, begun=True, waits_for=(), refused=""))
    assert ruling == Ruling(Verdict.DEFERRED, ACTIVATED, Cause.BEGUN)


@given(facts, additions)
def test_what_waits_says_everything_that_it_waits_for(about: Facts, asked: Asked) -> None:
    ruling = judged(asked, replace(about, refused=""))
    assert (ruling.verdict is Verdict.WAITING) == bool(about.waits_for)
    assert all(name in ruling.reason for name in about.waits_for)


@given(facts, st.one_of(additions, absences))
def test_a_call_that_was_refused_rests_until_its_time_and_says_why(
    about: Facts, asked: Asked
) -> None:
    resting = judged(asked, replace(about, refused="refused before: no"))
    if asked[1] in CALLING:
        assert resting == Ruling(Verdict.DEFERRED, "refused before: no", Cause.REFUSED)
    else:
        assert resting == judged(asked, replace(about, refused=""))


@given(facts)
def test_a_full_test_takes_nobody_new_but_keeps_in_step_those_that_it_has(about: Facts) -> None:
    full = replace(about, room_left=0, waits_for=(), refused="")
    create, update = (Kind.CANDIDATE, Action.CREATE), (Kind.CANDIDATE, Action.UPDATE)
    assert judged(create, full) == Ruling(Verdict.DEFERRED, FULL, Cause.FULL)
    assert judged(update, full).verdict is Verdict.PASS
    assert judged(create, replace(full, room_left=1)).verdict is Verdict.PASS
    assert str(MAX_CANDIDATES) in FULL


@given(facts, st.sampled_from(list(Kind)))
def test_an_identity_change_is_always_held_and_names_the_way_out(about: Facts, kind: Kind) -> None:
    ruling = judged((kind, Action.IDENTITY_CHANGE), about)
    assert ruling.verdict is Verdict.HELD
    assert "adopt" in ruling.reason


@given(
    facts,
    st.sampled_from(
        [(Kind.TEST, Action.WITHDRAW), *((Kind.STAFF, action) for action in GONE[Kind.STAFF])]
    ),
)
def test_who_or_what_others_still_name_does_not_leave_unasked(about: Facts, asked: Asked) -> None:
    quiet = replace(about, trouble=None, suspect="", refused="")
    ruling = judged(asked, quiet)
    assert ruling.verdict is (Verdict.HELD if quiet.registered else Verdict.PASS)
    assert not quiet.registered or str(quiet.registered) in ruling.reason


@given(facts, st.sampled_from(GONE[Kind.STAFF]), st.sampled_from(["found", "shares"]))
def test_an_account_that_is_not_managed_or_is_also_somebody_elses_is_not_taken_away_unasked(
    about: Facts, action: Action, why: str
) -> None:
    quiet = replace(about, trouble=None, suspect="", refused="", registered=0)
    assert judged((Kind.STAFF, action), quiet).verdict is Verdict.PASS
    held = (
        replace(quiet, existing=True) if why == "found" else replace(quiet, shares="learner 1001")
    )
    ruling = judged((Kind.STAFF, action), held)
    assert ruling.verdict is Verdict.HELD
    assert (
        "adopt staff KEY --managed" if why == "found" else "learner 1001 has the same account"
    ) in ruling.reason


NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
UNDER_WAY_NOW = TimeFacts(Moment.of(NOW), "2026-12-01T08:00:00Z", "2026-12-01T12:00:00Z")
names = st.sets(st.sampled_from(["a", "b", "å"]))


@given(facts, names, names, st.sampled_from(["roles", "committees"]), st.booleans())
def test_nobody_on_a_test_loses_a_role_or_committee_while_it_runs_or_its_rows_prove_nothing(
    about: Facts, before: set[str], after: set[str], name: str, under_way: bool
) -> None:
    change = Change(
        Action.UPDATE,
        Kind.CONTRIBUTOR,
        ("INF1000", "7"),
        {name: joined(before)},
        {name: joined(after)},
        (name,),
    )
    timing = UNDER_WAY_NOW if under_way else None
    ruling = judge(change, replace(about, waits_for=(), refused="", room_left=1, timing=timing))
    deferred = bool(before - after) and (under_way or bool(about.trouble))
    assert ruling.verdict is (Verdict.DEFERRED if deferred else Verdict.PASS)
    assert not deferred or f"it would take {name} away" in ruling.reason


@given(facts, st.none() | st.integers(0, 60), st.none() | st.integers(0, 60))
def test_no_candidate_loses_minutes_while_the_test_runs(
    about: Facts, before: int | None, after: int | None
) -> None:
    sides: tuple[Fields, Fields] = {"extra_time": before}, {"extra_time": after}
    change = Change(Action.UPDATE, Kind.CANDIDATE, ("INF1000", "1001"), *sides, ("extra_time",))
    ruling = judge(
        change, replace(about, waits_for=(), refused="", trouble=None, timing=UNDER_WAY_NOW)
    )
    assert (ruling.verdict is Verdict.DEFERRED) == ((after or 0) < (before or 0))


@given(facts, st.sampled_from(list(Kind)))
def test_a_record_that_comes_back_passes(about: Facts, kind: Kind) -> None:
    assert judged((kind, Action.RESTORE), about).verdict is Verdict.PASS


@given(facts, st.sampled_from(list(Kind)), st.sampled_from(list(Action)))
def test_whatever_does_not_pass_says_why(about: Facts, kind: Kind, action: Action) -> None:
    ruling = judged((kind, action), about)
    assert (ruling.verdict is Verdict.PASS) == (ruling.reason == "") == (ruling.cause is Cause.NONE)


@given(limits, counts, counts)
def test_a_limit_grows_with_what_is_known_and_never_below_its_floor(
    limit: Limit, one: int, other: int
) -> None:
    few, many = sorted((one, other))
    assert limit.at_least <= limit.of(few) <= limit.of(many)
    if limit.at_most is not None:
        assert limit.of(many) <= max(limit.at_least, limit.at_most)


@given(limits, counts, counts, st.sampled_from(ChangeType))
def test_more_changes_never_pass_where_fewer_are_held(
    limit: Limit, count: int, known: int, type_: ChangeType
) -> None:
    if Scope("s", count, known, limit, type_).excess():
        assert Scope("s", count + 1, known, limit, type_).excess()


@given(limits, counts, counts)
def test_a_scope_is_held_exactly_when_it_is_beyond_its_limit_or_nobody_would_remain(
    limit: Limit, count: int, known: int
) -> None:
    emptied = known >= 2 and count >= known
    assert bool(Scope("s", count, known, limit).excess()) == (emptied or count > limit.of(known))
    assert bool(Scope("s", count, known, limit, ChangeType.UPDATES).excess()) == (
        count > limit.of(known)
    )


@pytest.mark.parametrize(
    ("limit", "known", "most"),
    [
        (Limits().kind, 50, 10),
        (Limits().kind, 1_000, 100),
        (Limits().kind, 10_000, 500),
        (Limits().kind, 16_666, 500),
        (Limits().kind, 20_000, 600),
        (Limits().kind, 171_000, 5_130),
        (Limit(10, 10, 500), 171_000, 500),
        (Limits().test, 9, 3),
        (Limits().test, 100, 25),
        (Limits().test, 1_500, 100),
        (Limits().updates, 15, 10),
        (Limits().updates, 1_000, 500),
    ],
)
def test_exactly_the_limit_passes_and_one_more_is_held(limit: Limit, known: int, most: int) -> None:
    assert Scope("s", most, known, limit).excess() == ""
    assert (
        f"{most + 1} of {known} known is more than" in Scope("s", most + 1, known, limit).excess()
    )


@pytest.mark.parametrize(
    ("count", "known", "held"), [(9, 9, True), (2, 2, True), (1, 2, False), (1, 1, False)]
)
def test_taking_the_last_of_several_is_held_and_of_one_is_not(
    count: int, known: int, held: bool
) -> None:
    generous = Limit(100, 100)
    said = f"{count} of {known} known: none would remain"
    assert Scope("removals on test INF1000", count, known, generous).excess() == (
        said if held else ""
    )


def test_the_arithmetic_of_a_held_scope_is_said() -> None:
    text = Scope("removals of candidate", 101, 1_000, Limits().kind).excess()
    assert text == "101 of 1000 known is more than max(10, 10% up to 500) = 100"
    text = Scope("updates of learner", 501, 1_000, Limits().updates, ChangeType.UPDATES).excess()
    assert text == "501 of 1000 known is more than max(10, 50%) = 500"


OF_KIND = Limits().kind


def lost(count: int, known: int, day: int, week: int, limit: Limit = OF_KIND) -> str:
    return Scope("removals", count, known, limit, recent=Recent(day, week)).excess()


def test_removals_of_the_last_day_are_added_to_both_sides_of_the_arithmetic() -> None:
    assert (
        lost(8, 53, 7, 7)
        == "8 in this run and 7 in the last 24 h of 60 known is more than max(10, 10% up to 500) = 10"
    )
    assert lost(3, 53, 7, 7) == ""
    none = "1 in this run and 2 in the last 24 h of 3 known: none would remain"
    assert lost(1, 1, 2, 2, Limits().test) == none


def test_a_week_allows_twice_as_much_and_each_window_that_is_over_is_said() -> None:
    week = "of 300 known is more than 2 × max(10, 10% up to 500) = 60"
    assert lost(4, 244, 9, 56) == ""
    assert lost(5, 244, 9, 56) == f"5 in this run and 56 in the last 7 days {week}"
    assert lost(25, 244, 9, 56) == (
        "25 in this run and 9 in the last 24 h of 253 known is more than max(10, 10% up to 500) = "
        f"25.3 and 25 in this run and 56 in the last 7 days {week}"
    )


def created(count: int, known: int, day: int = 0, week: int = 0) -> str:
    recent = Recent(day, week)
    return Scope("creates", count, known, Limits().creates, ChangeType.CREATES, recent).excess()


def test_a_first_load_has_no_limit_even_if_it_takes_days() -> None:
    assert created(100_000, 0) == ""
    assert created(97_000, 3_000, 0, 3_000) == ""


def test_creates_are_held_when_a_kind_would_more_than_double() -> None:
    assert created(1_000, 40) == created(5_000, 5_000) == ""
    assert created(1_001, 40) == "1001 of 40 known is more than max(1000, 100%) = 1000"
    assert created(500, 700, 600, 600) == (
        "500 in this run and 600 in the last 24 h of 100 known is more than max(1000, 100%) = 1000"
    )


def test_a_large_limit_is_shown_in_full() -> None:
    text = Scope("updates", 1_234_568, 2_469_134, Limits().updates, ChangeType.UPDATES).excess()
    assert text.endswith("= 1234567")


@given(st.lists(st.integers(0, 12), min_size=1, max_size=6), st.integers(1, 80))
def test_no_loss_passes_in_portions_that_would_be_held_as_one(
    portions: list[int], known: int
) -> None:
    gone = 0
    for portion in portions:
        count = min(portion, known - gone)
        recent = Recent(gone, gone)
        if count and not Scope("s", count, known - gone, Limits().test, recent=recent).excess():
            gone += count
    assert gone == 0 or Scope("s", gone, known, Limits().test).excess() == ""


@given(st.lists(st.integers(0, 30), min_size=1, max_size=30), st.integers(1, 300))
def test_whatever_leaves_nightly_no_seven_days_lose_more_than_the_week_allows(
    leaving: list[int], known: int
) -> None:
    sent: list[int] = []
    here, pending = known, 0
    for leave in leaving:  # what is held is asked for again the next night, with what leaves then
        pending = min(here, pending + leave)
        recent = Recent(sum(sent[-1:]), sum(sent[-6:]))
        scope = Scope("s", pending, here, Limits().kind, recent=recent)
        gone = pending if pending and not scope.excess() else 0
        sent, here, pending = [*sent, gone], here - gone, pending - gone
    for first in range(len(sent)):
        before = known - sum(sent[:first])
        assert sum(sent[first : first + 7]) <= 2 * Limits().kind.of(before)
        assert sum(sent[first : first + 2]) <= Limits().kind.of(before)
