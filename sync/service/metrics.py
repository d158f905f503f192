"""The service's metrics for Prometheus.

Labels contain words of the program and of the configuration, never those of a record.
"""

import sys
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.samples import Sample

from sync import __version__
from sync.records.base import utc_time
from sync.service.ages import AgeCollector, Ages, NextAfter
from sync.state.service_figures import ServiceFigures

SUCCESS = "done"
"""The outcome of a complete run that left nothing for a person to solve."""

ENDED = frozenset({SUCCESS, "row_errors", "held"})
"""The outcomes of complete runs; each of them counts as a success."""

_FAILED = frozenset({"failed", "stopped"})
"""The outcomes of runs that an error has ended."""

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

_PREFIX = "inspera_sync"
_RUN_SECONDS = (1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14400)
_CALL_SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

# Otherwise each counter has a second series with its start time, which nobody needs here.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """All metrics of one service, in a registry. Thread-safe; `clock` returns aware times."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._registry = CollectorRegistry()
        self._ages = Ages(clock)
        self._behind_since: dict[str, datetime] = {}
        self._sources: Collection[str] = ()
        self._runs = self._counter("runs", "Runs that have ended.", "job", "outcome")
        self._run_seconds = self._histogram(
            "run_seconds", "How long runs took.", _RUN_SECONDS, "job"
        )
        self._overlaps = self._counter(
            "overlaps", "Times a job was due while its earlier run had not ended.", "job"
        )
        self._yields = self._counter(
            "yields", "Runs that yielded to a run with sooner tests.", "job"
        )
        self._success = self._gauge(
            "last_success_timestamp_seconds", "When a run last succeeded.", "job"
        )
        self._next = self._gauge("next_run_timestamp_seconds", "When the job runs next.", "job")
        self._define_run_metrics()
        self._define_inspera_metrics()
        self._define_state_metrics()
        self._define_service_metrics()

    def _define_run_metrics(self) -> None:
        self._last_ok = self._gauge(
            "last_run_successful", "0 when an error has ended the job's newest run.", "job"
        )
        self._began = self._gauge(
            "run_started_timestamp_seconds", "When the run under way began.", "job"
        )
        self._sent = self._gauge("run_changes_done", "Changes that the run has done.", "job")
        self._to_send = self._gauge("run_changes", "Changes that the run under way does.", "job")
        self._consistency = self._histogram(
            "time_to_consistency_seconds",
            "From the begin of the first run that found a change to the end of the run after which "
            "everything wanted was in Inspera.",
            _RUN_SECONDS,
            "job",
        )

    def _define_state_metrics(self) -> None:
        self._held = self._gauge("held", "Changes that wait for a person's decision.", "reason")
        self._exams = self._gauge(
            "exams_next_24h", "Tests that start within 24 hours, or are under way."
        )
        self._incomplete = self._gauge(
            "exams_incomplete", "Tests of `exams_next_24h` that lack something in Inspera."
        )
        self._healthy = self._gauge(
            "source_healthy", "0 when the newest reading was unreliable.", "source", "kind"
        )
        self._read_at = self._gauge(
            "source_read_timestamp_seconds", "When a run last read the source.", "source", "kind"
        )

    def _define_inspera_metrics(self) -> None:
        self._changes = self._counter(
            "changes", "Changes, by their outcome.", "kind", "action", "outcome"
        )
        self._deferred = self._gauge(
            "deferred", "Changes that the last run did not send.", "job", "verdict", "reason"
        )
        self._waiting = self._gauge(
            "waiting",
            "Changes of the last run that wait for a missing record or a candidate number.",
            "job",
            "due",
        )
        self._calls = self._counter(
            "calls", "Requests to Inspera, by the status of the response.", "call", "status"
        )
        self._call_seconds = self._histogram(
            "call_seconds", "How long requests took.", _CALL_SECONDS, "call"
        )
        self._in_flight = self._gauge("calls_in_flight", "Requests to Inspera in progress.")
        self._allowed = self._gauge(
            "calls_in_flight_allowed", "How many requests may be in progress at present."
        )
        self._rows = self._gauge(
            "source_rows", "Rows of each source when it was last read.", "source", "kind"
        )

    def _define_service_metrics(self) -> None:
        self._paused = self._gauge("paused", "1 while a person has stopped all sending.")
        self._leads = self._gauge("leader", "1 while this replica leads, 0 while it is on standby.")
        self._clock = self._gauge(
            "clock_offset_seconds", "How far this machine's clock is ahead of Inspera's."
        )
        self.clock_trouble = ""
        self._notifications = self._counter(
            "notifications", "Notifications, by their outcome.", "target", "outcome"
        )
        self._reloads = self._counter("reloads", "Reloads of the configuration.", "outcome")
        self._sound = self._gauge(
            "last_reload_successful", "0 when the newest configuration is invalid."
        )
        self._sound.set(1)
        build = self._gauge("build_info", "The version that runs.", "version", "python")
        build.labels(__version__, ".".join(map(str, sys.version_info[:3]))).set(1)
        self._registry.register(AgeCollector(self._ages, _PREFIX))
        ProcessCollector(registry=self._registry)

    def run_began(self, job: str, at: datetime) -> None:
        """Record that a run which brings Inspera up to date has begun, or goes on."""
        self._began.labels(job).set(at.timestamp())
        self._behind_since.setdefault(job, at)

    def progress(self, job: str, done: int, total: int) -> None:
        """Set how many of the run's changes are done."""
        self._sent.labels(job).set(done)
        self._to_send.labels(job).set(total)

    def run_ended(self, job: str, outcome: str, seconds: float, at: datetime) -> None:
        """Record that a run ended; `outcome` is `SUCCESS` or any other word of the program."""
        self._runs.labels(job, outcome).inc()
        self._run_seconds.labels(job).observe(seconds)
        for metric in (self._began, self._sent, self._to_send):
            metric.remove_by_labels({"job": job})
        if outcome in ENDED:
            self.succeeded(job, at)
        if outcome in ENDED | _FAILED:
            self._last_ok.labels(job).set(outcome in ENDED)
        if outcome == SUCCESS and (since := self._behind_since.pop(job, None)):
            self._consistency.labels(job).observe((at - since).total_seconds())

    def succeeded(self, job: str, at: datetime) -> None:
        """Set when a run of this job last succeeded, now or before the service began."""
        self._success.labels(job).set(at.timestamp())
        self._ages.succeeded(job, at)

    def never_succeeded(self, job: str, since: datetime) -> None:
        """Set since when a job that has never succeeded has been run."""
        self._ages.could_run(job, since)

    def overlapped(self, job: str) -> None:
        """Count that the job was due while its earlier run had not ended."""
        self._overlaps.labels(job).inc()

    def yielded(self, job: str) -> None:
        """Count that the job's run yielded to a run with sooner tests."""
        self._yields.labels(job).inc()

    def changes(self, kind: str, action: str, outcome: str, n: int) -> None:
        """Count `n` changes with this outcome."""
        self._changes.labels(kind, action, outcome).inc(n)

    def deferred(self, job: str, left: Mapping[tuple[str, str], int]) -> None:
        """Set how many changes the job's last run did not send, by verdict and reason."""
        self._deferred.remove_by_labels({"job": job})
        for (verdict, reason), n in left.items():
            self._deferred.labels(job, verdict, reason).set(n)

    def waiting(self, job: str, n: int, soon: int) -> None:
        """Set how many changes wait after the job's last run; `soon`: for tests within 7 days."""
        self._waiting.labels(job, "within 7 days").set(soon)
        self._waiting.labels(job, "later").set(n - soon)

    def call(self, name: str, status: str, seconds: float) -> None:
        """Count a request to Inspera; `status` is the HTTP status, or a word without one."""
        self._calls.labels(name, status).inc()
        self._call_seconds.labels(name).observe(seconds)

    def in_flight(self, now: int, allowed: int) -> None:
        """Set how many requests to Inspera are in progress, and how many may be."""
        self._in_flight.set(now)
        self._allowed.set(allowed)

    def source_rows(self, source: str, kind: str, n: int) -> None:
        """Set how many rows a source had, for one kind."""
        self._rows.labels(source, kind).set(n)

    def figures(self, figures: ServiceFigures) -> None:
        """Set what the state contains: held changes, tests that start soon, and sources."""
        _keep(self._held, "reason", [cause.value for cause in figures.held])
        for cause, n in figures.held.items():
            self._held.labels(cause.value).set(n)
        self._exams.set(figures.exams)
        self._incomplete.set(figures.incomplete)
        for one in figures.sources:
            if one.source not in self._sources:
                continue  # the state still knows it, the configuration does not
            if not one.partial:
                self.source_rows(one.source, one.kind, one.rows)
            self._healthy.labels(one.source, one.kind).set(not one.trouble)
            self._read_at.labels(one.source, one.kind).set(utc_time(one.at).timestamp())

    def certificate(self, ends: datetime) -> None:
        """Set when the certificate of Inspera's address ends."""
        self._ages.ends("certificate", ends)

    def api_key_ends(self, at: datetime | None) -> None:
        """Set when the API key ends, as the configuration says."""
        self._ages.ends("api_key", at)

    def next_run(self, job: str, moment: datetime | None) -> None:
        """Set when the job runs next; None when it does not."""
        if moment is None:
            self._next.remove_by_labels({"job": job})
        else:
            self._next.labels(job).set(moment.timestamp())

    def paused(self, is_paused: bool) -> None:
        """Set whether a person has stopped all sending."""
        self._paused.set(is_paused)

    def leads(self, is_leader: bool) -> None:
        """Set whether this replica leads."""
        self._leads.set(is_leader)
        self._ages.leads(is_leader)

    def clock(self, offset: timedelta, trouble: str) -> None:
        """Set the offset of this machine's clock; `trouble` is empty if the clock is correct."""
        self._clock.set(offset.total_seconds())
        self.clock_trouble = trouble

    def reload(self, ok: bool) -> None:
        """Count a reload; `ok` tells whether the new configuration was valid and is in use."""
        self._reloads.labels("done" if ok else "refused").inc()
        self._sound.set(ok)

    def notified(self, target: str, outcome: str) -> None:
        """Count a notification to a target: `delivered` or `failed`."""
        self._notifications.labels(target, outcome).inc()

    def keep(self, jobs: Mapping[str, NextAfter], sources: Collection[str]) -> None:
        """Remove all other jobs and sources, which are no longer in the configuration.

        Each job comes with a function that returns its first scheduled time after a moment.
        """
        self._ages.schedule(jobs)
        self._sources = frozenset(sources)
        for job in jobs:
            for outcome in (SUCCESS, *_FAILED):
                # From zero on: Prometheus sees no increase from nothing to 1.
                self._runs.labels(job, outcome)
        by_job = (
            *(self._runs, self._run_seconds, self._overlaps, self._yields, self._deferred),
            *(self._waiting, self._success, self._next, self._last_ok, self._began),
            *(self._sent, self._to_send, self._consistency),
        )
        for metric in by_job:
            _keep(metric, "job", jobs)
        for metric in (self._rows, self._healthy, self._read_at):
            _keep(metric, "source", sources)

    def expose(self) -> bytes:
        """Return all metrics in the format that `CONTENT_TYPE` names."""
        return generate_latest(self._registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"{_PREFIX}_{name}", text, labels, registry=self._registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"{_PREFIX}_{name}", text, labels, registry=self._registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(
            f"{_PREFIX}_{name}", text, labels, buckets=buckets, registry=self._registry
        )


def _samples(metric: MetricWrapperBase) -> list[Sample]:
    return [sample for family in metric.collect() for sample in family.samples]


def _keep(metric: MetricWrapperBase, label: str, values: Collection[str]) -> None:
    for value in {sample.labels[label] for sample in _samples(metric)} - set(values):
        metric.remove_by_labels({label: value})
