"""What `/metrics` shows."""

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sync import __version__
from sync.records.base import Kind
from sync.records.changes import Cause
from sync.service.metrics import SUCCESS, Metrics
from sync.state.service_figures import ServiceFigures
from sync.state.source_readings import SourceReading

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def metrics(clock: Clock) -> Metrics:
    return Metrics(clock)


def daily(moment: datetime) -> datetime:
    """The next midnight."""
    return moment.replace(hour=0, minute=0) + timedelta(days=1)


def exposed(metrics: Metrics) -> Series:
    families = text_string_to_metric_families(metrics.expose().decode())
    return {
        (one.name, frozenset(one.labels.items())): one.value
        for family in families
        for one in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return exposed(metrics).get((f"inspera_sync_{name}", frozenset(labels.items())))


def test_runs_are_counted_by_job_and_outcome_with_their_time(metrics: Metrics) -> None:
    metrics.run_ended("nightly", SUCCESS, 90, NOON)
    metrics.run_ended("nightly", SUCCESS, 10, NOON)
    metrics.run_ended("nightly", "interrupted", 3, NOON)
    assert value(metrics, "runs_total", job="nightly", outcome=SUCCESS) == 2
    assert value(metrics, "runs_total", job="nightly", outcome="interrupted") == 1
    assert value(metrics, "run_seconds_sum", job="nightly") == 103
    assert value(metrics, "run_seconds_bucket", job="nightly", le="60.0") == 2


def test_the_last_success_ages_until_the_next_one_and_failures_do_not_renew_it(
    metrics: Metrics, clock: Clock
) -> None:
    metrics.run_ended("nightly", SUCCESS, 1, NOON)
    clock.now = NOON + timedelta(hours=2)
    metrics.run_ended("nightly", "stopped", 1, clock.now)
    assert value(metrics, "last_success_timestamp_seconds", job="nightly") == NOON.timestamp()
    assert value(metrics, "since_success_seconds", job="nightly") == 7200
    metrics.run_ended("nightly", SUCCESS, 1, clock.now)
    assert value(metrics, "since_success_seconds", job="nightly") == 0


def test_a_job_that_never_succeeds_ages_from_when_this_service_could_run_it(
    metrics: Metrics, clock: Clock
) -> None:
    metrics.keep({"exam_day": daily, "nightly": daily}, [])
    metrics.leads(True)
    metrics.succeeded("nightly", NOON - timedelta(days=1))
    clock.now = NOON + timedelta(hours=27)
    metrics.leads(True)
    metrics.run_ended("exam_day", "stopped", 1, clock.now)
    assert value(metrics, "since_success_seconds", job="exam_day") == 27 * 3600
    assert value(metrics, "since_success_seconds", job="nightly") == 51 * 3600
    metrics.keep({"nightly": daily}, [])
    assert value(metrics, "since_success_seconds", job="exam_day") is None


def test_a_job_that_never_succeeded_has_no_age_on_a_standby(metrics: Metrics) -> None:
    metrics.keep({"nightly": daily}, [])
    metrics.leads(False)
    assert value(metrics, "since_success_seconds", job="nightly") is None


def test_a_job_whose_first_run_was_days_ago_and_never_succeeded_is_late_after_a_restart(
    metrics: Metrics,
) -> None:
    metrics.keep({"nightly": daily}, [])
    metrics.leads(True)
    metrics.never_succeeded("nightly", NOON - timedelta(days=3))
    assert value(metrics, "since_success_seconds", job="nightly") == 3 * 86400
    assert value(metrics, "overdue_seconds", job="nightly") == 2.5 * 86400


def test_a_job_is_overdue_from_the_first_time_after_its_success(
    metrics: Metrics, clock: Clock
) -> None:
    metrics.keep({"nightly": daily}, [])
    metrics.succeeded("nightly", NOON)
    assert value(metrics, "overdue_seconds", job="nightly") == 0
    clock.now = NOON + timedelta(hours=13)
    assert value(metrics, "overdue_seconds", job="nightly") == 3600
    metrics.succeeded("nightly", clock.now)
    assert value(metrics, "overdue_seconds", job="nightly") == 0


def test_a_run_shows_its_progress_until_it_ends(metrics: Metrics) -> None:
    metrics.run_began("nightly", NOON)
    metrics.progress("nightly", 20, 80)
    assert value(metrics, "run_started_timestamp_seconds", job="nightly") == NOON.timestamp()
    assert value(metrics, "run_changes_done", job="nightly") == 20
    assert value(metrics, "run_changes", job="nightly") == 80
    metrics.run_ended("nightly", "yielded", 1, NOON)
    assert value(metrics, "run_started_timestamp_seconds", job="nightly") is None
    assert value(metrics, "run_changes", job="nightly") is None


def test_consistency_takes_from_the_first_run_that_left_something_to_the_first_that_left_nothing(
    metrics: Metrics,
) -> None:
    for hour, outcome in enumerate(["held", "stopped", SUCCESS, SUCCESS]):
        began = NOON + timedelta(hours=hour)
        metrics.run_began("nightly", began)
        metrics.run_ended("nightly", outcome, 60, began + timedelta(minutes=1))
    assert value(metrics, "time_to_consistency_seconds_count", job="nightly") == 2
    assert value(metrics, "time_to_consistency_seconds_sum", job="nightly") == 2 * 3600 + 60 + 60


def test_a_failed_run_is_shown_until_another_is_complete_and_a_pause_changes_nothing(
    metrics: Metrics,
) -> None:
    metrics.keep({"nightly": daily}, [])
    assert value(metrics, "runs_total", job="nightly", outcome="failed") == 0
    for outcome, ok in [("failed", 0), ("paused", 0), ("held", 1), ("locked", 1), ("stopped", 0)]:
        metrics.run_ended("nightly", outcome, 1, NOON)
        assert value(metrics, "last_run_successful", job="nightly") == ok


def test_what_the_state_contains_is_shown_without_sources_that_are_gone(metrics: Metrics) -> None:
    at = "2026-11-24T11:00:00Z"
    read = [
        SourceReading("students", Kind.LEARNER, 900, at=at),
        SourceReading("exams", Kind.TEST, 2, partial=True, trouble="cut short", at=at),
        SourceReading("gone", Kind.TEST, 2, at=at),
    ]
    metrics.keep({}, ["students", "exams"])
    metrics.figures(ServiceFigures({Cause.LIMIT: 12}, exams=3, incomplete=1, sources=read))
    assert value(metrics, "held", reason="limit") == 12
    assert value(metrics, "exams_next_24h") == 3
    assert value(metrics, "exams_incomplete") == 1
    assert value(metrics, "source_healthy", source="students", kind="learner") == 1
    assert value(metrics, "source_healthy", source="exams", kind="test") == 0
    assert value(metrics, "source_rows", source="students", kind="learner") == 900
    assert value(metrics, "source_rows", source="exams", kind="test") is None
    seen = value(metrics, "source_read_timestamp_seconds", source="students", kind="learner")
    assert seen == NOON.timestamp() - 3600
    assert not [labels for _, labels in exposed(metrics) if ("source", "gone") in labels]
    metrics.figures(ServiceFigures())
    assert value(metrics, "held", reason="limit") is None


def test_the_days_until_the_certificate_and_the_key_end_are_counted_down(
    metrics: Metrics, clock: Clock
) -> None:
    assert value(metrics, "certificate_days_left") is None
    metrics.certificate(NOON + timedelta(days=30))
    metrics.api_key_ends(NOON + timedelta(days=10))
    clock.now = NOON + timedelta(days=12)
    assert value(metrics, "certificate_days_left") == 18
    assert value(metrics, "api_key_days_left") == -2
    metrics.api_key_ends(None)
    assert value(metrics, "api_key_days_left") is None


def test_changes_and_calls_add_up(metrics: Metrics) -> None:
    for _ in range(2):
        metrics.changes("candidate", "create", "done", 100)
        metrics.call("candidate.add", "200", 0.2)
    metrics.call("candidate.add", "lost", 10)
    assert value(metrics, "changes_total", kind="candidate", action="create", outcome="done") == 200
    assert value(metrics, "calls_total", call="candidate.add", status="200") == 2
    assert value(metrics, "calls_total", call="candidate.add", status="lost") == 1
    assert value(metrics, "call_seconds_count", call="candidate.add") == 3
    assert value(metrics, "call_seconds_bucket", call="candidate.add", le="0.25") == 2


def test_the_calls_in_flight_are_those_of_now(metrics: Metrics) -> None:
    metrics.in_flight(3, 4)
    metrics.in_flight(1, 2)
    assert value(metrics, "calls_in_flight") == 1
    assert value(metrics, "calls_in_flight_allowed") == 2


def test_what_is_deferred_is_that_of_the_jobs_last_run(metrics: Metrics) -> None:
    limit, begun = ("held", "limit"), ("deferred", "begun")
    metrics.deferred("nightly", {limit: 12, begun: 1})
    metrics.deferred("exam_day", {limit: 3})
    metrics.deferred("nightly", {begun: 2})
    assert value(metrics, "deferred", job="nightly", verdict="held", reason="limit") is None
    assert value(metrics, "deferred", job="nightly", verdict="deferred", reason="begun") == 2
    assert value(metrics, "deferred", job="exam_day", verdict="held", reason="limit") == 3


def test_the_next_run_is_a_time_and_goes_when_there_is_none(metrics: Metrics) -> None:
    metrics.next_run("nightly", NOON)
    assert value(metrics, "next_run_timestamp_seconds", job="nightly") == NOON.timestamp()
    metrics.next_run("nightly", None)
    assert value(metrics, "next_run_timestamp_seconds", job="nightly") is None


def test_switches_are_one_or_zero(metrics: Metrics) -> None:
    metrics.paused(True)
    metrics.leads(True)
    assert (value(metrics, "paused"), value(metrics, "leader")) == (1, 1)
    metrics.paused(False)
    metrics.leads(False)
    assert (value(metrics, "paused"), value(metrics, "leader")) == (0, 0)


def test_a_refused_reload_shows_until_a_sound_one(metrics: Metrics) -> None:
    assert value(metrics, "last_reload_successful") == 1
    metrics.reload(False)
    assert value(metrics, "last_reload_successful") == 0
    assert value(metrics, "reloads_total", outcome="refused") == 1
    metrics.reload(True)
    assert value(metrics, "last_reload_successful") == 1
    assert value(metrics, "reloads_total", outcome="done") == 1


def fill(metrics: Metrics, job: str, source: str) -> None:
    metrics.run_ended(job, SUCCESS, 1, NOON)
    metrics.overlapped(job)
    metrics.yielded(job)
    metrics.deferred(job, {("held", "limit"): 1})
    metrics.next_run(job, NOON)
    metrics.source_rows(source, "learner", 5)


def test_jobs_and_sources_that_vanish_at_a_reload_lose_every_series_and_no_other_does(
    metrics: Metrics,
) -> None:
    fill(metrics, "kept", "students")
    metrics.keep({"kept": daily}, ["students"])
    before = set(exposed(metrics))
    fill(metrics, "gone", "old")
    assert any(("job", "gone") in labels for _, labels in exposed(metrics))
    metrics.keep({"kept": daily}, ["students"])
    assert set(exposed(metrics)) == before


def test_every_name_has_the_prefix_or_is_of_the_process_and_there_are_no_series_of_creation(
    metrics: Metrics,
) -> None:
    fill(metrics, "nightly", "students")
    names = {name for name, _ in exposed(metrics)}
    assert all(name.startswith(("inspera_sync_", "process_")) for name in names)
    assert not [name for name in names if name.endswith("_created")]
    assert "process_resident_memory_bytes" in names


def test_the_version_is_reported(metrics: Metrics) -> None:
    assert [
        each
        for (name, labels), each in exposed(metrics).items()
        if name == "inspera_sync_build_info" and ("version", __version__) in labels
    ] == [1.0]


def test_two_services_in_one_process_do_not_share_figures(metrics: Metrics, clock: Clock) -> None:
    metrics.overlapped("nightly")
    assert value(Metrics(clock), "overlaps_total", job="nightly") is None
