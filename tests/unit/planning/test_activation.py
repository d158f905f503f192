"""When a test is due for activation, and what its activation waits for."""

from datetime import UTC, datetime, timedelta

import pytest
from sync.planning.activation import ActivationFacts, is_due, judge_activation
from sync.planning.freeze import Moment, TimeFacts, TimeRules
from sync.records.base import Kind
from sync.records.changes import Cause, Verdict

START, ENDS = "2026-12-01T08:00:00Z", "2026-12-01T12:00:00Z"


def timing(moment: str, before: timedelta | None = timedelta(hours=24)) -> TimeFacts:
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    return TimeFacts(Moment.of(now), START, ENDS, TimeRules(activate=before))


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        ("2026-11-30T07:59:59", False),
        ("2026-11-30T08:00:00", True),
        ("2026-12-01T09:00:00", True),
        ("2026-12-01T12:00:00", False),
    ],
)
def test_a_test_is_due_from_the_window_to_its_end(moment: str, due: bool) -> None:
    assert is_due(START, timing(moment)) is due


def test_no_test_of_a_feed_without_the_setting_is_due() -> None:
    assert not is_due(START, timing("2026-12-01T07:00:00", None))


def facts(moment: str = "2026-11-30T09:00:00", **more: object) -> ActivationFacts:
    values = {"timing": timing(moment), "candidates": 2, **more}
    return ActivationFacts(**values)  # type: ignore[arg-type]  # of these names


def test_it_passes_when_nothing_is_missing() -> None:
    assert judge_activation(facts()).verdict is Verdict.PASS


@pytest.mark.parametrize("kind", [Kind.CANDIDATE, Kind.CONTRIBUTOR, Kind.COMMITTEE])
def test_what_can_follow_later_is_awaited_only_until_the_freeze(kind: Kind) -> None:
    ruling = judge_activation(facts(late={kind: 2}))
    assert (ruling.verdict, ruling.cause) == (Verdict.WAITING, Cause.NEEDS)
    assert f"waits for 2 {kind}s" in ruling.reason
    assert "from 2 h before its start" in ruling.reason
    for moment in ("2026-12-01T06:30:00", "2026-12-01T09:00:00"):
        assert judge_activation(facts(moment, late={kind: 2})).verdict is Verdict.PASS
        assert judge_activation(facts(moment, unread={kind})).verdict is Verdict.PASS


@pytest.mark.parametrize("kind", [Kind.OPTION, Kind.TEST])
def test_options_and_the_test_itself_are_always_awaited(kind: Kind) -> None:
    for missing in ({"missing": {kind: 1}}, {"unread": {kind}}):
        ruling = judge_activation(facts("2026-12-01T09:00:00", **missing))
        assert ruling.verdict is Verdict.WAITING
        assert "without them" not in ruling.reason


def test_a_test_without_candidates_always_waits() -> None:
    ruling = judge_activation(facts("2026-12-01T07:30:00", candidates=0))
    assert ruling.reason == "not activated: waits for at least one candidate"


def test_protection_and_the_pilot_come_first_and_a_refusal_last() -> None:
    ruled = [
        judge_activation(facts(outside=True, missing={Kind.TEST: 1})).cause,
        judge_activation(facts(protected="until May", missing={Kind.TEST: 1})).cause,
        judge_activation(facts(refused="refused before", missing={Kind.TEST: 1})).cause,
        judge_activation(facts(refused="refused before")).cause,
    ]
    assert ruled == [Cause.PILOT, Cause.PROTECTED, Cause.NEEDS, Cause.REFUSED]
