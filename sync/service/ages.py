"""Metrics that grow by themselves, so that they are computed whenever they are read."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

NextAfter = Callable[[datetime], datetime | None]
"""A function that returns a job's first scheduled time after a moment; None without one."""

_DAY = timedelta(days=1)


class Ages:
    """How late each job is, and when the certificate and the API key end. Thread-safe."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._now = clock
        self._leads = False
        self._succeeded: dict[str, datetime] = {}
        self._could_run: dict[str, datetime] = {}
        self._next_after: Mapping[str, NextAfter] = {}
        self._ends: dict[str, datetime] = {}

    def leads(self, is_leader: bool) -> None:
        """Set whether this replica leads: a standby runs no jobs."""
        self._leads = is_leader
        for job in self._next_after if is_leader else ():
            self._could_run.setdefault(job, self._now())

    def could_run(self, job: str, since: datetime) -> None:
        """Set since when a job that has never succeeded could have done so."""
        self._could_run[job] = min(since, self._could_run.get(job, since))

    def succeeded(self, job: str, at: datetime) -> None:
        """Set when a run of this job last succeeded."""
        self._succeeded[job] = at

    def schedule(self, next_after: Mapping[str, NextAfter]) -> None:
        """Set the schedules of all jobs, and forget jobs without one."""
        for known in (self._succeeded, self._could_run):
            for job in [job for job in list(known) if job not in next_after]:
                known.pop(job, None)
        self._next_after = dict(next_after)

    def ends(self, what: str, at: datetime | None) -> None:
        """Set when the `certificate` or the `api_key` ends; None if that is not known."""
        if at is None:
            self._ends.pop(what, None)
        else:
            self._ends[what] = at

    def since_success(self) -> Mapping[str, float]:
        """Return the seconds since each job's last success.

        Of a job that has never succeeded, the seconds for which it could have: otherwise an alert
        on a job that never succeeds could not fire.
        """
        now = self._now()
        return {job: (now - moment).total_seconds() for job, moment in self._since().items()}

    def overdue(self) -> Mapping[str, float]:
        """Return the seconds since the first time at which each job was due after its success."""
        now, seconds = self._now(), {}
        for job, moment in self._since().items():
            next_after = self._next_after.get(job)
            due = next_after(moment) if next_after else None
            seconds[job] = max((now - due).total_seconds(), 0.0) if due else 0.0
        return seconds

    def days_left(self, what: str) -> float | None:
        """Return the days until the end of the `certificate` or the `api_key`, if it is known."""
        end = self._ends.get(what)
        return None if end is None else (end - self._now()) / _DAY

    def _since(self) -> dict[str, datetime]:
        return (dict(self._could_run) if self._leads else {}) | dict(self._succeeded)


class AgeCollector(Collector):
    """The metrics of `Ages`, with this prefix."""

    def __init__(self, ages: Ages, prefix: str) -> None:
        self._ages, self._prefix = ages, prefix

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the metrics as they are now."""
        yield self._by_job(
            "since_success_seconds",
            "How long ago a run of the job last succeeded, or could first have run.",
            self._ages.since_success(),
        )
        yield self._by_job(
            "overdue_seconds",
            "How long ago the job was due, if no run has succeeded since; otherwise 0.",
            self._ages.overdue(),
        )
        for what, text in (
            ("certificate", "Days until the certificate of Inspera's address ends."),
            ("api_key", "Days until `inspera.api_key_ends`."),
        ):
            family = GaugeMetricFamily(f"{self._prefix}_{what}_days_left", text)
            if (days := self._ages.days_left(what)) is not None:
                family.add_metric([], days)
            yield family

    def _by_job(self, name: str, text: str, values: Mapping[str, float]) -> GaugeMetricFamily:
        family = GaugeMetricFamily(f"{self._prefix}_{name}", text, labels=["job"])
        for job, value in values.items():
            family.add_metric([job], value)
        return family
