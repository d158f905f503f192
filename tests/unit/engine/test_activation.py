"""What a worker makes of an activation once it has read the test."""

from datetime import UTC, datetime, timedelta

import pytest
from sync.contract import OPTIONS
from sync.engine.activation import UnsentOnTests, prepare_activation
from sync.errors import Unknown
from sync.planning.activation import Need
from sync.planning.freeze import Moment, TimeFacts, TimeRules
from sync.records.base import Kind
from sync.records.changes import (
    Action,
    Cause,
    Change,
    Outcome,
    PlannedChange,
    Result,
    Verdict,
)
from sync.records.remote import RemoteTest

from ...support.tenant import NOW, FakeTenant

START, ENDS = "2026-12-01T07:00:00Z", "2026-12-01T11:00:00Z"
TIMING = TimeFacts(Moment.of(NOW), START, ENDS, TimeRules(activate=timedelta(hours=24)))


def line(kind: Kind = Kind.TEST, action: Action = Action.ACTIVATE) -> PlannedChange:
    key = ("T1",) if kind is Kind.TEST else ("T1", "LOCKDOWN_BROWSER")
    change = Change(action, kind, key, after={"external_test_id": "T1"})
    return PlannedChange(1, change, Verdict.PASS, "", "", "0", 16, None, None)


def there(status: str | None = "scheduled", start: str | None = START) -> FakeTenant:
    return FakeTenant(tests=[RemoteTest("284", "T1", start=start, status=status)])


@pytest.mark.parametrize("status", ["scheduled", "CREATED", None])
def test_a_running_test_that_nobody_has_activated_is_activated(status: str | None) -> None:
    assert TIMING.begun
    tenant = there(status)
    ready = prepare_activation(line(), None, TIMING, tenant)
    assert [one.result for one in ready.send()] == [Result.DONE]
    assert tenant.calls == [("activate test", "T1")]


@pytest.mark.parametrize(
    "status", ["ACTIVE", "Finished", "grading in progress", "GRADING_IN_PROGRESS"]
)
def test_one_that_is_or_was_active_counts_as_activated(status: str) -> None:
    ready = prepare_activation(line(), None, TIMING, there(status))
    assert [outcome.result for _, outcome in ready.ended] == [Result.FOUND]
    assert ready.lines == []


def test_times_that_inspera_does_not_show_are_no_obstacle() -> None:
    assert prepare_activation(line(), None, TIMING, there(start=None)).lines


def test_what_cannot_be_told_from_a_search_is_not_sent() -> None:
    unreadable = there()
    unreadable.failing["find_test"] = Unknown("no answer")
    twice = there()
    twice.tests *= 2
    for tenant in (unreadable, twice, FakeTenant()):
        ready = prepare_activation(line(), None, TIMING, tenant)
        assert [outcome.result for _, outcome in ready.ended] == [Result.NOT_SENT]


def test_another_test_under_the_same_external_id_is_not_activated() -> None:
    tenant = there()
    (test,) = tenant.tests
    assert prepare_activation(line(), None, TIMING, tenant, test.remote_id).lines
    ready = prepare_activation(line(), None, TIMING, tenant, "another")
    ((_, outcome),) = ready.ended
    assert outcome.result is Result.NOT_SENT
    assert "has another test" in outcome.message


def test_a_test_that_ended_meanwhile_is_left_alone() -> None:
    tenant = there()
    tenant.now = datetime(2026, 12, 1, 12, tzinfo=UTC)
    ready = prepare_activation(line(), None, TIMING, tenant)
    assert [outcome.cause for _, outcome in ready.ended] == [Cause.ENDED]


def test_only_what_is_missing_in_inspera_counts_as_unsent() -> None:
    unsent = UnsentOnTests()
    unsent.note(line(action=Action.UPDATE), Outcome(Result.DONE))
    unsent.note(line(action=Action.UPDATE), Outcome(Result.DEFERRED, cause=Cause.FREEZE))
    unsent.note(line(action=Action.REMOVE), Outcome(Result.REFUSED))
    assert not unsent.on("T1", OPTIONS)[Need.ALWAYS]
    unsent.note(line(action=Action.UPDATE), Outcome(Result.REFUSED))
    unsent.note(line(Kind.OPTION, Action.CREATE), Outcome(Result.NOT_SENT))
    assert unsent.on("T1", OPTIONS)[Need.ALWAYS] == {Kind.TEST: 1, Kind.OPTION: 1}
