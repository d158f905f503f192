"""What the times of a test make of a change: within the freeze nothing shortens, moves or renames it unasked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sync.planning.decide import Pair, decide
from sync.planning.diff import Context, diff
from sync.planning.freeze import (
    Moment,
    TimeFacts,
    TimeRules,
    additive,
    digest_of,
    doubts,
)
from sync.planning.guard import Facts, judge
from sync.records.base import Kind, joined, utc_text
from sync.records.changes import Action, Cause, Change, Fields, Verdict

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
KNOWN: dict[str, Any] = {
    "external_test_id": "INF1000-H26",
    "title": "INF1000 Øving",
    "start": "2026-12-01T08:00:00Z",
    "end": "2026-12-01T12:00:00Z",
    "duration": 240,
}

minutes_apart = st.integers(-100_000, 100_000)
versions = st.builds(
    lambda start, length, share, title: {
        **KNOWN,
        "title": title,
        "start": utc_text(NOW + timedelta(minutes=start)),
        "end": utc_text(NOW + timedelta(minutes=start + length)),
        "duration": max(1, length * share // 100),
    },
    st.one_of(st.integers(-300, 300), minutes_apart),
    st.one_of(st.integers(1, 600), st.integers(1, 200_000)),
    st.integers(1, 100),
    st.sampled_from(["INF1000 Øving", "INF1000 Prøve"]),
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def timing_of(known: Fields, now: datetime = NOW, extra: int = 0, **rules: Any) -> TimeFacts:
    ends = utc_text(at(str(known["end"])) + timedelta(minutes=extra))
    return TimeFacts(Moment.of(now), str(known["start"]), ends, TimeRules(**rules))


def pair_of(wanted: Fields, known: Fields | None, timing: TimeFacts) -> Pair:
    about = Context()
    return Pair(
        Kind.TEST, ("INF1000",), wanted, known, about, Facts(timing=timing), "exams.csv line 2"
    )


def verdict(wanted: Fields, known: Fields | None, timing: TimeFacts) -> tuple[Verdict, str]:
    drafted = decide(pair_of(wanted, known, timing)).drafted
    assert drafted is not None
    return drafted.ruling.verdict, drafted.ruling.reason


@given(versions, versions, st.integers(0, 120))
def test_of_any_two_versions_nothing_shortens_moves_or_renames_a_frozen_test_unasked(
    known: dict[str, Any], wanted: dict[str, Any], extra: int
) -> None:
    timing = timing_of(known, extra=extra)
    drafted = decide(pair_of(wanted, known, timing)).drafted
    frozen = (
        at(known["start"]) <= NOW + timedelta(hours=2)
        and at(known["end"]) + timedelta(minutes=extra) > NOW
    )
    if drafted is None or not frozen or drafted.ruling.verdict is not Verdict.PASS:
        return
    sent = drafted.change.after
    assert sent["start"] == known["start"]
    assert sent["title"] == known["title"]
    assert str(sent["end"]) >= known["end"]
    assert int(sent["duration"] or 0) >= known["duration"]


@given(versions, versions)
def test_no_time_becomes_past_and_none_moves_far_unasked(
    known: dict[str, Any], wanted: dict[str, Any]
) -> None:
    drafted = decide(pair_of(wanted, known, timing_of(known))).drafted
    if drafted is None or drafted.ruling.verdict is not Verdict.PASS:
        return
    for name in ("start", "end"):
        assert not at(wanted[name]) <= NOW < at(known[name])
        assert abs(at(wanted[name]) - at(known[name])) <= TimeRules().plausible.move


@given(versions, versions)
def test_what_a_person_allows_passes_whole_and_only_just_that(
    known: dict[str, Any], wanted: dict[str, Any]
) -> None:
    pair = pair_of(wanted, known, timing_of(known))
    drafted = decide(pair).drafted
    if drafted is None or drafted.ruling.verdict is not Verdict.HELD:
        return
    digest = drafted.ruling.reason.rpartition("apply --allow ")[2]
    allowed = decide(pair, [digest]).drafted
    assert allowed is not None
    assert (allowed.ruling.verdict, allowed.allowed, allowed.change) == (
        Verdict.PASS,
        digest,
        drafted.change,
    )
    other = decide(replace(pair, wanted={**wanted, "title": "another"}), [digest]).drafted
    assert other is not None
    assert other.ruling.verdict is Verdict.HELD


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (
            {"end": "2026-12-01T08:50:00Z", "duration": 50},
            "shorten it and its end would be in the past",
        ),
        ({"duration": 200}, "the test is under way, and this would shorten it"),
        (
            {"end": "2026-12-01T11:59:00Z", "duration": 239},
            "this would end it earlier and shorten it",
        ),
        ({"title": "INF1000 Prøve"}, "the test is under way, and this would rename it"),
        ({"start": "2026-12-01T07:00:00Z"}, "this would move its start"),
        (
            {"start": "2026-12-01T08:30:00Z", "duration": 200},
            "this would move its start and shorten it",
        ),
        (
            {"start": "2026-12-08T08:00:00Z", "end": "2026-12-08T12:00:00Z"},
            "this would move its start",
        ),
        (
            {"start": "2062-12-01T08:00:00Z", "end": "2062-12-01T12:00:00Z"},
            "its start would move by 13,149 days",
        ),
        ({"end": "2062-12-01T12:00:00Z"}, "its end would move by 13,149 days"),
    ],
)
def test_a_test_under_way_is_held_with_what_would_become_of_it(
    wanted: dict[str, Any], why: str
) -> None:
    held, reason = verdict({**KNOWN, **wanted}, KNOWN, timing_of(KNOWN))
    assert held is Verdict.HELD
    assert why in reason
    assert "; if that is right: apply --allow " in reason


@pytest.mark.parametrize(
    "wanted", [{"end": "2026-12-01T12:30:00Z", "duration": 270}, {"end": "2026-12-01T12:30:00Z"}]
)
def test_a_later_end_and_a_longer_duration_pass_while_the_test_runs(wanted: dict[str, Any]) -> None:
    assert verdict({**KNOWN, **wanted}, KNOWN, timing_of(KNOWN))[0] is Verdict.PASS


@pytest.mark.parametrize(
    ("now", "frozen"),
    [
        ("2026-12-01T05:59:59", False),
        ("2026-12-01T06:00:00", True),
        ("2026-12-01T12:29:59", True),
        ("2026-12-01T12:30:00", False),
    ],
)
def test_the_freeze_is_from_two_hours_before_the_start_to_the_end_with_the_longest_extra_time(
    now: str, frozen: bool
) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert timing_of(KNOWN, moment, extra=30).frozen is frozen


def test_a_longer_freeze_holds_earlier() -> None:
    two_days_before = NOW - timedelta(days=2)
    assert not timing_of(KNOWN, two_days_before).frozen
    assert timing_of(KNOWN, two_days_before, before=timedelta(days=2)).frozen


def test_two_clocks_each_count_where_that_is_careful() -> None:
    apart = Moment(NOW - timedelta(hours=4), NOW + timedelta(hours=4))
    timing = TimeFacts(apart, "2026-12-01T12:00:00Z", "2026-12-01T13:00:00Z")
    assert timing.begun
    assert not timing.ended
    assert not replace(timing, moment=Moment.of(NOW)).begun


@pytest.mark.parametrize(
    ("known", "wanted", "why"),
    [
        # tomorrow's test comes to be about to start, or to have begun
        (
            "2026-12-02T08:00:00Z",
            "2026-12-01T10:30:00Z",
            "it would move to a start that is past or within 2 h",
        ),
        ("2026-12-02T08:00:00Z", "2026-12-01T08:00:00Z", "its start would be in the past"),
        ("2026-12-02T08:00:00Z", "2026-02-12T08:00:00Z", "its start would move by 293 days"),
        ("2026-12-02T08:00:00Z", "2027-02-12T08:00:00Z", "its start would move by 72 days"),
        # what has ended would begin again, now
        (
            "2026-11-30T08:00:00Z",
            "2026-12-01T08:00:00Z",
            "it would move to a start that is past or within 2 h",
        ),
    ],
)
def test_a_move_into_the_freeze_into_the_past_or_far_away_is_held(
    known: str, wanted: str, why: str
) -> None:
    before, after = moved(known), moved(wanted)
    held, reason = verdict(after, before, timing_of(before))
    assert held is Verdict.HELD
    assert why in reason


@pytest.mark.parametrize(("known", "wanted"), [("2026-12-05T08:00:00Z", "2026-12-06T08:00:00Z")])
def test_a_move_from_one_day_to_come_to_another_passes(known: str, wanted: str) -> None:
    assert verdict(moved(wanted), moved(known), timing_of(moved(known)))[0] is Verdict.PASS


def moved(start: str, hours: int = 4) -> dict[str, Any]:
    return {**KNOWN, "start": start, "end": utc_text(at(start) + timedelta(hours=hours))}


def test_a_correction_of_a_test_that_has_ended_by_a_wrong_end_passes_where_only_its_end_comes_later() -> (
    None
):
    known = {**KNOWN, "end": "2026-12-01T08:40:00Z", "duration": 40}
    assert verdict(KNOWN, known, timing_of(known))[0] is Verdict.PASS


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ({**KNOWN, "duration": 0}, "its duration would be 0"),
        (
            {**moved("2026-12-05T08:00:00Z", 48), "duration": 1500},
            "its duration would be 25 h, above 24 h",
        ),
        (moved("2026-12-05T08:00:00Z", 24 * 100), "it would be open for 100 days"),
        (moved("2026-11-28T08:00:00Z", 24 * 14), "it would start 3 days ago"),
    ],
)
def test_a_new_test_with_times_that_can_not_be_is_held(wanted: dict[str, Any], why: str) -> None:
    change = Change(
        Action.CREATE,
        Kind.TEST,
        ("INF1000",),
        after=wanted,
        changed=("title", "start", "end", "duration"),
    )
    assert why in doubts(change, timing_of(wanted))


def test_a_new_test_that_is_under_way_is_made_all_the_same() -> None:
    assert verdict(KNOWN, None, timing_of(KNOWN))[0] is Verdict.PASS


def test_a_feed_with_home_exams_says_how_long_they_may_last() -> None:
    home = {**moved("2026-12-05T08:00:00Z", 24 * 7), "duration": 7 * 24 * 60}
    assert verdict(home, None, timing_of(home))[0] is Verdict.HELD
    assert "longest_duration" in verdict(home, None, timing_of(home))[1]
    assert verdict(home, None, timing_of(home, longest=7 * 24 * 60))[0] is Verdict.PASS


def seat(before: Fields, after: Fields) -> Change:
    made = diff(
        Kind.CANDIDATE, ("INF1000", "1001"), after, before, Context(), "registrations.csv line 2"
    )
    assert made is not None
    return made


NOBODY: dict[str, Any] = {
    "candidate_id": "7",
    "extra_time": 15,
    "room": "A",
    "building": None,
    "committees": joined("B"),
}


@pytest.mark.parametrize(
    ("changed", "passes"),
    [
        ({"extra_time": 30}, True),
        ({"extra_time": 0}, False),
        ({"building": "H1"}, True),
        ({"room": "B"}, False),
        ({"room": ""}, False),
        ({"candidate_id": "8"}, False),
        ({"committees": joined("BC")}, True),
        ({"committees": joined("C")}, False),
    ],
)
def test_on_a_frozen_test_only_what_adds_passes(changed: dict[str, Any], passes: bool) -> None:
    change = seat(NOBODY, {**NOBODY, **changed})
    ruling = judge(change, Facts(timing=timing_of(KNOWN)))
    assert additive(change) is passes
    assert ruling.verdict is (Verdict.PASS if passes else Verdict.DEFERRED)
    assert ruling.cause is (Cause.NONE if passes else Cause.FREEZE)
    assert (
        judge(change, Facts(timing=timing_of(moved("2026-12-05T08:00:00Z")))).verdict
        is Verdict.PASS
    )


def test_a_first_candidate_number_waits_as_inspera_may_have_given_one() -> None:
    assert not additive(seat({**NOBODY, "candidate_id": None}, NOBODY))


def test_more_extra_time_passes_though_its_row_also_changes_the_room() -> None:
    wanted = {**NOBODY, "extra_time": 30, "room": "B"}
    facts, about = Facts(timing=timing_of(KNOWN)), Context()
    pair = Pair(
        Kind.CANDIDATE, ("INF1000", "1001"), wanted, NOBODY, about, facts, "", b"of what is wanted"
    )
    drafted = decide(pair).drafted
    assert drafted is not None
    assert drafted.ruling.verdict is Verdict.PASS
    assert drafted.change.changed == ("extra_time",)
    assert drafted.change.after == {**NOBODY, "extra_time": 30}
    assert drafted.change.reason == "room stays as it is for now"
    assert drafted.fingerprint is None  # so that the room is decided about in the next run


@given(st.sampled_from([Kind.CANDIDATE, Kind.CONTRIBUTOR, Kind.COMMITTEE]), st.booleans())
def test_nothing_is_taken_off_a_frozen_test_but_by_a_hash_before_it_begins(
    kind: Kind, begun: bool
) -> None:
    change = Change(Action.REMOVE, kind, ("INF1000", "1001"))
    facts = Facts(timing=timing_of(KNOWN, NOW - timedelta(hours=0 if begun else 2)), begun=begun)
    ruling = judge(change, facts)
    assert ruling.verdict is Verdict.DEFERRED
    assert ruling.allowable is not begun


@given(versions, versions)
def test_a_hash_is_of_exactly_one_change(one: dict[str, Any], other: dict[str, Any]) -> None:
    def make(after: Fields) -> Change:
        return Change(Action.UPDATE, Kind.TEST, ("INF1000",), KNOWN, after)

    assert (digest_of(make(one)) == digest_of(make(other))) == (one == other)
