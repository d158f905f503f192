"""The service's loop, which checks the clock, signals and leadership, and starts due jobs.

Everything that could take long runs in other threads. So this loop has a round about once a second,
and notifies systemd's watchdog in each.
"""

import math
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue

import structlog
from structlog.contextvars import bound_contextvars

from sync.errors import Deposed, Locked, StateError, SyncError
from sync.schedule.timetable import Timetable
from sync.service.approvals import APPROVED, ApprovalStarter
from sync.service.deliveries import Deliveries
from sync.service.leadership import Leadership
from sync.service.protocols import (
    YIELDED,
    Job,
    JobHistory,
    JobRun,
    ServiceObserver,
    ServiceSetup,
    ServiceState,
)
from sync.service.run_queue import QueuedRun, RunQueue
from sync.service.systemd import Notifier

ROUND = 1.0
"""The most seconds from one round of the loop to the next."""

LATE = timedelta(hours=1)
"""How late a job is still run that was missed because no service was running.

A service that waited for the state or the lead runs everything that it missed.
"""

CLOCK_SET = timedelta(seconds=10)
"""How far the clock must differ from the elapsed time to count as changed by someone."""

_RESUME_AFTER = 30.0
"""Seconds after which a run is resumed if it lost the state while its service kept the lead."""

_log = structlog.get_logger("service")


@dataclass(slots=True, eq=False)
class _DueRun:
    """A run of a job that is due.

    Until it begins, it uses the newest configuration. Once `ended`, it never begins.
    """

    name: str
    job: Job
    run: JobRun
    ended: bool = False


class Service:
    """Runs jobs until `stop` is called.

    Args:
        load: reads the configuration; raises a `SyncError` when it can't be used.
        state: the state that the jobs write.
        notifier: notifies systemd.
        observer: receives what happens, for metrics and health.
        clock: returns aware times.
        chance: returns a random number from 0 to 1, for the jitter of schedules.
    """

    def __init__(
        self,
        load: Callable[[], ServiceSetup],
        state: ServiceState,
        notifier: Notifier,
        observer: ServiceObserver,
        clock: Callable[[], datetime],
        *,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._load, self._notifier, self._observer, self._clock = load, notifier, observer, clock
        self._state = state
        self._leadership = Leadership(state)
        self._setup = load()
        self._approvals = ApprovalStarter(state, self._run, self._log_crash)
        # The only way to wake a thread that is safe in a signal handler.
        self._wake_ups: SimpleQueue[None] = SimpleQueue()
        self._requested: SimpleQueue[str] = SimpleQueue()
        self._deliveries = Deliveries(self.request_run)
        self._stopping = self._reload_requested = False
        self.run_queue = RunQueue()
        self._under_way: list[_DueRun] = []
        self._lock = threading.Lock()
        self._to_resume: dict[str, float] = {}
        self._last_lead = clock()
        self._last_clock = (self._last_lead, time.monotonic())
        self._timetable = Timetable(
            self._run,
            overlapped=self._note_due_again,
            failed=self._log_crash,
            wake=self._wake,
            chance=chance,
        )

    def stop(self, number: int = 0, _frame: object = None) -> None:
        """Begin the shutdown; as a signal handler, the second call ends the process at once."""
        if self._stopping and number:
            os._exit(128 + number)
        self._stopping = True
        self._wake()

    def reload(self, _number: int = 0, _frame: object = None) -> None:
        """Read the configuration again in the loop's next round."""
        self._reload_requested = True
        self._wake()

    def request_run(self, name: str) -> bool:
        """Start a job once the state is ready, from any thread.

        Return whether this replica leads and has such a job.
        """
        if not self._leadership.leads or self._stopping or name not in self._setup.jobs:
            return False
        self._requested.put(name)
        self._wake()
        return True

    def _start_requested(self) -> None:
        """Start what was requested here, on the page, by a delivery or with `run-now`."""
        names: dict[str, None] = {}
        with suppress(Empty):
            while True:
                names[self._requested.get_nowait()] = None
        names |= dict.fromkeys(self._state.take_requested())
        for name in names:
            if name in self._setup.jobs:
                _log.info("starting a job on request", job=name)
                self._timetable.run_now(name)
            else:
                _log.warning("not started: the configuration has no such job", job=name)

    def _wake(self) -> None:
        self._wake_ups.put(None)

    def _sleep(self, seconds: float) -> None:
        """Wait until it is woken, or that many seconds have passed."""
        with suppress(Empty):
            self._wake_ups.get(timeout=seconds)
            while True:
                self._wake_ups.get_nowait()

    def install_signal_handlers(self) -> None:
        """Stop on SIGTERM and SIGINT, and read the configuration again on SIGHUP."""
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        signal.signal(signal.SIGHUP, self.reload)

    def run(self) -> bool:
        """Run until `stop` is called; return whether all runs ended within the timeout."""
        self._timetable.start()
        try:
            # The first round raises permanent errors, before systemd is notified that all is well.
            wait = self._round()
            self._notifier.ready()
            _log.info("service started", jobs=sorted(self._setup.jobs))
            self._deliveries.replace(self._setup.watched)
            while not self._stopping:
                self._notifier.watchdog()
                self._sleep(wait)
                if self._reload_requested:
                    self._reload_requested = False
                    self._reload()
                wait = self._round()
        finally:
            ended = self._shut_down()
        return ended

    def _round(self) -> float:
        """Check everything once; return the seconds until the next round."""
        leadership = self._leadership
        led = leadership.leads
        past = leadership.check(ROUND)
        self._log_lead(led)
        if past is not None:
            self._schedule_jobs(past)
        if leadership.ready or not (leadership.leads or leadership.unreachable):
            # Some service leads now, and runs what is due. Jobs are only missed after this time.
            self._last_lead = self._clock()
        wait = ROUND
        self._check_clock()
        if leadership.ready:
            self._resume_lost()
            self._start_requested()
            self._approvals.start_if_due()
            wait = min(self._timetable.tick(), ROUND)
        next_runs = self._timetable.next_times() if leadership.ready else {}
        self._observer.round(leadership.leads, leadership.unreachable, next_runs)
        self._notifier.status(self._status_line(next_runs))
        return wait

    def _log_lead(self, led: bool) -> None:
        leadership = self._leadership
        if led and not leadership.leads:
            reason = leadership.unreachable or "another replica leads"
            _log.warning("lost the lead, ending the runs under way", reason=reason)
            self._end_all("this service has lost the lead")
        if leadership.leads and not led:
            _log.info("took the lead")

    def _schedule_jobs(self, past: Mapping[str, JobHistory]) -> None:
        """Schedule the jobs from now on, and start those that were interrupted or missed."""
        jobs, now = self._setup.jobs, self._clock()
        self._reset_times()
        lost = set(self._to_resume)
        self._to_resume.clear()
        for name, job in sorted(jobs.items()):
            before = past.get(name)
            since = (
                max(before.started, min(self._last_lead, now - LATE)) if before else self._last_lead
            )
            due = job.timed.schedule.next_after(since)
            if (before and before.cut_off) or name in lost or (due is not None and due <= now):
                reason = "it lost the state" if name in lost else "it was missed"
                if before and before.cut_off:
                    reason = "its last run was cut off"
                _log.info("starting a job late", job=name, reason=reason)
                self._timetable.run_now(name)

    def _reset_times(self) -> None:
        """Compute all jobs' times from now."""
        self._timetable.replace({})
        self._timetable.replace({name: job.timed for name, job in self._setup.jobs.items()})

    def _check_clock(self) -> None:
        """Compute the jobs' times again if somebody changed the clock; run each missed job once.

        Otherwise, with a clock set back, no job would run until the old time comes again. With a
        clock set forward, a job would run for each time that was skipped.
        """
        before, self._last_clock = self._last_clock, (self._clock(), time.monotonic())
        now, passed = self._last_clock[0], timedelta(seconds=self._last_clock[1] - before[1])
        jump = now - before[0] - passed
        if abs(jump) < CLOCK_SET:
            return
        direction = "forward" if jump > timedelta() else "back"
        seconds = abs(round(jump.total_seconds()))
        _log.warning(f"this machine's clock was set {direction}", seconds=seconds)
        if self._leadership.ready:
            due = [name for name, moment in self._timetable.next_times().items() if moment <= now]
            self._reset_times()
            for name in due:
                self._timetable.run_now(name)

    def _resume_lost(self) -> None:
        for name, moment in list(self._to_resume.items()):
            if time.monotonic() >= moment:
                self._to_resume.pop(name, None)
                if name in self._setup.jobs:
                    _log.info("starting a job late", job=name, reason="it lost the state")
                    self._timetable.run_now(name)

    def _status_line(self, next_runs: Mapping[str, datetime]) -> str:
        leadership = self._leadership
        if leadership.unreachable:
            return f"waiting for the state: {leadership.unreachable}"
        if not leadership.leads:
            return "standby: another replica leads"
        if not leadership.ready:
            return "preparing the state"
        impediment, running = self._observer.impediment(), self.run_queue.running
        soonest = min(next_runs, key=next_runs.__getitem__, default="")
        after = (
            f"next: {soonest} at {next_runs[soonest]:%Y-%m-%d %H:%M:%S} UTC"
            if soonest
            else "nothing is due"
        )
        return "; ".join(
            words for words in (impediment, running and f"running {running}", after) if words
        )

    def _reload(self) -> None:
        self._notifier.reloading()
        try:
            setup = self._load()
        except SyncError as error:
            for problem in str(error).splitlines():
                _log.error(
                    "the new configuration can't be used, the old one stays in use", error=problem
                )
            self._observer.reloaded(False)
        else:
            if self._leadership.ready:
                self._check_clock()
                self._timetable.tick()  # starts what is due by the old times
            self._setup = setup
            self._deliveries.replace(setup.watched)
            if self._leadership.ready:
                self._timetable.replace({name: job.timed for name, job in setup.jobs.items()})
            self._observer.reloaded(True)
            _log.info("configuration read again", jobs=sorted(setup.jobs))
        self._notifier.ready()

    def _job(self, name: str) -> Job | None:
        return self._setup.approved if name == APPROVED else self._setup.jobs.get(name)

    def _run(self, name: str) -> None:
        """Run a job, in a thread of the timetable."""
        job = self._job(name)
        if job is None or self._stopping:
            return
        due = _DueRun(name, job, job.begin())
        self._to_resume.pop(name, None)
        with self._lock:
            overlaps = any(other.name == name for other in self._under_way)
            self._under_way.append(due)
        if overlaps:
            self._overlapped(name)
        try:
            with bound_contextvars(job=name):
                if job.exclusive:
                    self._run_in_queue(due)
                elif not overlaps:
                    self._run_once(due, self._clock())
        finally:
            with self._lock:
                self._under_way.remove(due)
            self._wake()

    def _run_in_queue(self, due: _DueRun) -> None:
        """Run in the queue's order; resume after yielding, unless a newer run of the job waits."""
        queued, began, yielded_at = QueuedRun(due.name), None, self._clock()
        while True:
            with self.run_queue.acquire(queued, self._look_ahead(due)) as granted:
                if (
                    not granted
                    or due.ended
                    or self._stopping
                    or self._must_wait_for_state(due.name)
                ):
                    return
                if began is None and not self._refresh(due):
                    return
                # The run's timeout must not count the time for which it waited in between.
                began = self._clock() if began is None else began + (self._clock() - yielded_at)
                if self._run_once(due, began) != YIELDED:
                    return
                yielded_at = self._clock()
            if self.run_queue.has_resumed(due.name):
                return  # that run reads everything again
            queued = QueuedRun(due.name, resumed=True)

    def _must_wait_for_state(self, name: str) -> bool:
        """Tell whether an earlier run could not use the state; this one is resumed later."""
        missing = not self._leadership.ready
        if missing:
            self._to_resume[name] = math.inf
        return missing

    def _refresh(self, due: _DueRun) -> bool:
        """Use the newest configuration for a run; return whether that still has its job."""
        job = self._job(due.name)
        if job is None:
            _log.info("not run: the configuration no longer has this job")
            return False
        if job is not due.job:
            due.job, due.run = job, job.begin()
        return True

    def _look_ahead(self, due: _DueRun) -> Callable[[], str]:
        def look() -> str:
            try:
                return due.run.soonest_start() if self._refresh(due) else ""
            except SyncError as error:
                _log.warning("can't look ahead, so it waits in the queue", error=str(error))
                return ""

        return look

    def _run_once(self, due: _DueRun, began: datetime) -> str:
        name, run = due.name, due.run
        start, outcome = time.monotonic(), "failed"
        try:
            outcome = run.run(self.run_queue.should_yield, began)
        except Locked as error:
            outcome = "locked"
            _log.warning("not run, the state is in use", error=str(error))
        except SyncError as error:
            self._fail(name, error)
        else:
            if due.job.exclusive:
                self._leadership.report_success()
        finally:
            self._observer.ended(name, outcome, time.monotonic() - start)
        return outcome

    def _fail(self, name: str, error: SyncError) -> None:
        """Log why a run failed. An error of the state is logged once for all runs."""
        is_new = True
        if isinstance(error, Deposed):
            self._to_resume[name] = time.monotonic() + _RESUME_AFTER
        elif isinstance(error, StateError):
            self._to_resume[name] = math.inf  # resumed as soon as the state is ready again
            is_new = self._leadership.report_failure(error)
        if is_new:
            _log.error("run failed", error=str(error))

    def _note_due_again(self, name: str) -> None:
        """Let the waiting run look ahead again, instead of queueing a third run of its job."""
        self._overlapped(name)
        self.run_queue.look_again(name)

    def _overlapped(self, name: str) -> None:
        _log.warning("due again while its earlier run is not over", job=name)
        self._observer.overlapped(name)

    def _log_crash(self, name: str, error: BaseException) -> None:
        _log.error("run failed with an unexpected error", job=name, exc_info=error)

    def _end_all(self, reason: str) -> None:
        with self._lock:
            under_way = list(self._under_way)
        for due in under_way:
            due.ended = True
            due.run.end(reason)

    def _shut_down(self) -> bool:
        """End all runs; return whether they ended within the shutdown timeout."""
        self._notifier.stopping()
        self._deliveries.close()
        _log.info("stopping: the calls under way are finished and recorded first")
        until = time.monotonic() + self._setup.shutdown_timeout.total_seconds() - ROUND
        self.run_queue.close()
        while True:
            self._end_all("stopped by a signal")  # again: a run may have begun only now
            with self._lock:
                left = sorted(due.name for due in self._under_way)
            if not left or time.monotonic() >= until:
                break
            self._sleep(0.1)
        self._timetable.shutdown(wait=not left)
        if left:
            _log.error(
                "not ended within shutdown_timeout; the next run settles their open calls",
                jobs=left,
            )
        _log.info("service stopped")
        return not left and self._leadership.idle
