"""The service's loop: it looks at the clock, at signals and at who leads, and starts what is due.

Everything that could take long runs in the timetable's threads, so that this loop comes round about once a second; it
is the one that tells systemd's watchdog that the service lives.
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
"""Seconds at most from one look to the next."""

LATE = timedelta(hours=1)
"""How long after its time a job is still made up for when no service was there. One that waited makes up for it all."""

CLOCK_SET = timedelta(seconds=10)
"""By how much the clock must differ from the time that has passed to count as set."""

_TAKE_UP = 30.0
"""Seconds after which a run is taken up again that lost the state while its service went on to lead."""

_log = structlog.get_logger("service")


@dataclass(slots=True, eq=False)
class _Due:
    """A run of a job that is due. Until it begins, it follows the configuration; once `ended`, it never begins."""

    name: str
    job: Job
    run: JobRun
    ended: bool = False


class Service:
    """Runs jobs until it is told to stop.

    Args:
        load: reads the configuration; raises a `SyncError` when it can't be used.
        clock: gives the time, aware.
    """

    def __init__(
        self,
        load: Callable[[], ServiceSetup],
        state: ServiceState,
        notifier: Notifier,
        told: ServiceObserver,
        clock: Callable[[], datetime],
        *,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._load, self._notifier, self._told, self._clock = load, notifier, told, clock
        self._standing = Leadership(state)
        self._setup = load()
        self._woken: SimpleQueue[None] = (
            SimpleQueue()
        )  # of all ways to wake a thread, the one for handlers of signals
        self._stopping = self._hung_up = False
        self.turns = RunQueue()
        self._under_way: list[_Due] = []
        self._lock = threading.Lock()
        self._cut_off: dict[str, float] = {}
        self._seen = clock()
        self._ticks = (self._seen, time.monotonic())
        self._timetable = Timetable(
            self._run,
            overlapped=self._due_again,
            failed=self._failed,
            wake=self._wake,
            chance=chance,
        )

    def stop(self, number: int = 0, _frame: object = None) -> None:
        """Ends the service in order; as a signal's handler, a second one ends the process at once."""
        if self._stopping and number:
            os._exit(128 + number)
        self._stopping = True
        self._wake()

    def hang_up(self, _number: int = 0, _frame: object = None) -> None:
        """Reads the configuration again, at the loop's next round."""
        self._hung_up = True
        self._wake()

    def _wake(self) -> None:
        self._woken.put(None)

    def _sleep(self, seconds: float) -> None:
        """Until it is woken, or so many seconds have passed."""
        with suppress(Empty):
            self._woken.get(timeout=seconds)
            while True:
                self._woken.get_nowait()

    def install_signal_handlers(self) -> None:
        """SIGTERM and SIGINT stop it, SIGHUP makes it read its configuration again."""
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        signal.signal(signal.SIGHUP, self.hang_up)

    def run(self) -> bool:
        """Turns until it is told to stop. Gives whether everything came to its end within the grace."""
        self._timetable.start()
        try:
            wait = (
                self._round()
            )  # what time won't mend is found out before systemd is told that all is well
            self._notifier.ready()
            _log.info("service started", jobs=sorted(self._setup.jobs))
            while not self._stopping:
                self._notifier.watchdog()
                self._sleep(wait)
                if self._hung_up:
                    self._hung_up = False
                    self._reload()
                wait = self._round()
        finally:
            ended = self._wind_up()
        return ended

    def _round(self) -> float:
        """One look at everything; gives the seconds until the next."""
        standing = self._standing
        led = standing.leads
        past = standing.look(ROUND)
        self._tell_lead(led)
        if past is not None:
            self._take_jobs(past)
        if standing.ready or not (standing.leads or standing.unreachable):
            self._seen = self._clock()  # whoever leads starts what is due
        wait = ROUND
        self._heed_clock()
        if standing.ready:
            self._take_up_again()
            wait = min(self._timetable.tick(), ROUND)
        next_runs = self._timetable.next_times() if standing.ready else {}
        self._told.round(standing.leads, standing.unreachable, next_runs)
        self._notifier.status(self._words(next_runs))
        return wait

    def _tell_lead(self, led: bool) -> None:
        standing = self._standing
        if led and not standing.leads:
            why = standing.unreachable or "another replica does"
            _log.warning("leads no longer, what is under way ends", why=why)
            self._end_all("this service leads no longer")
        if standing.leads and not led:
            _log.info("leads")

    def _take_jobs(self, past: Mapping[str, JobHistory]) -> None:
        """Takes the jobs' times from now on, and takes up what was cut off or missed."""
        jobs, now = self._setup.jobs, self._clock()
        self._count_anew()
        lost = set(self._cut_off)
        self._cut_off.clear()
        for name, job in sorted(jobs.items()):
            before = past.get(name)
            since = max(before.started, min(self._seen, now - LATE)) if before else self._seen
            due = job.timed.schedule.next_after(since)
            if (before and before.cut_off) or name in lost or (due is not None and due <= now):
                cut_off = "its last run was cut off" if before and before.cut_off else ""
                why = cut_off or ("it lost the state" if name in lost else "it was missed")
                _log.info("takes up", job=name, why=why)
                self._timetable.run_now(name)

    def _count_anew(self) -> None:
        """Counts all jobs' times from now."""
        self._timetable.replace({})
        self._timetable.replace({name: job.timed for name, job in self._setup.jobs.items()})

    def _heed_clock(self) -> None:
        """Counts the jobs' times anew when the clock was set; what was due in between is due now, each job once.

        Set back, they would not come before it has caught up. Set forward, each single time would be gone through.
        """
        before, self._ticks = self._ticks, (self._clock(), time.monotonic())
        now, passed = self._ticks[0], timedelta(seconds=self._ticks[1] - before[1])
        jump = now - before[0] - passed
        if abs(jump) < CLOCK_SET:
            return
        words = "forward" if jump > timedelta() else "back"
        _log.warning(
            f"this machine's clock was set {words}", seconds=abs(round(jump.total_seconds()))
        )
        if self._standing.ready:
            due = [name for name, moment in self._timetable.next_times().items() if moment <= now]
            self._count_anew()
            for name in due:
                self._timetable.run_now(name)

    def _take_up_again(self) -> None:
        for name, moment in list(self._cut_off.items()):
            if time.monotonic() >= moment:
                self._cut_off.pop(name, None)
                if name in self._setup.jobs:
                    _log.info("takes up", job=name, why="it lost the state")
                    self._timetable.run_now(name)

    def _words(self, next_runs: Mapping[str, datetime]) -> str:
        standing = self._standing
        if standing.unreachable:
            return f"waiting for the state: {standing.unreachable}"
        if not standing.leads:
            return "standby: another replica leads"
        if not standing.ready:
            return "making the state ready"
        impediment, running = self._told.impediment(), self.turns.running
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
            for row_error in str(error).splitlines():
                _log.error(
                    "the new configuration can't be used, the old one goes on", row_error=row_error
                )
            self._told.reloaded(False)
        else:
            if self._standing.ready:
                self._heed_clock()
                self._timetable.tick()  # what is due by the old times is not lost
            self._setup = setup
            if self._standing.ready:
                self._timetable.replace({name: job.timed for name, job in setup.jobs.items()})
            self._told.reloaded(True)
            _log.info("configuration read again", jobs=sorted(setup.jobs))
        self._notifier.ready()

    def _run(self, name: str) -> None:
        """One run of a job, in a thread of the timetable's."""
        job = self._setup.jobs.get(name)
        if job is None or self._stopping:
            return
        due = _Due(name, job, job.begin())
        self._cut_off.pop(name, None)
        with self._lock:
            overlaps = any(other.name == name for other in self._under_way)
            self._under_way.append(due)
        if overlaps:
            self._overlapped(name)
        try:
            with bound_contextvars(job=name):
                if job.exclusive:
                    self._in_turn(due)
                elif not overlaps:
                    self._once(due, self._clock())
        finally:
            with self._lock:
                self._under_way.remove(due)
            self._wake()

    def _in_turn(self, due: _Due) -> None:
        """Runs when it is this run's turn. One that gave way goes on afterwards, unless another of its job does."""
        ticket, began, left = QueuedRun(due.name), None, self._clock()
        while True:
            with self.turns.turn(ticket, self._looking_ahead(due)) as granted:
                if not granted or due.ended or self._stopping or self._lacks_state(due.name):
                    return
                if began is None and not self._renew(due):
                    return
                # the time for which it waited in between does not count
                began = self._clock() if began is None else began + (self._clock() - left)
                if self._once(due, began) != YIELDED:
                    return
                left = self._clock()
            if self.turns.resumes(due.name):
                return  # which reads everything anew
            ticket = QueuedRun(due.name, resumes=True)

    def _lacks_state(self, name: str) -> bool:
        """Whether the run before this one found the state in trouble; then this one is taken up once that is over."""
        lacks = not self._standing.ready
        if lacks:
            self._cut_off[name] = math.inf
        return lacks

    def _renew(self, due: _Due) -> bool:
        """Has a run that is to begin use the configuration of now. Gives whether that still has its job."""
        job = self._setup.jobs.get(due.name)
        if job is None:
            _log.info("not run: the configuration has this job no more")
            return False
        if job is not due.job:
            due.job, due.run = job, job.begin()
        return True

    def _looking_ahead(self, due: _Due) -> Callable[[], str]:
        def look() -> str:
            try:
                return due.run.soonest() if self._renew(due) else ""
            except SyncError as error:
                _log.warning("can't look ahead, so it waits for its turn", error=str(error))
                return ""

        return look

    def _once(self, due: _Due, began: datetime) -> str:
        name, run = due.name, due.run
        start, outcome = time.monotonic(), "failed"
        try:
            outcome = run.run(self.turns.should_yield, began)
        except Locked as error:
            outcome = "locked"
            _log.warning("not run, the state is in use", error=str(error))
        except SyncError as error:
            self._fail(name, error)
        else:
            if due.job.exclusive:
                self._standing.trust()
        finally:
            self._told.ended(name, outcome, time.monotonic() - start)
        return outcome

    def _fail(self, name: str, error: SyncError) -> None:
        """Says why a run failed. A trouble of the state's is said once, however often it makes a run fail."""
        news = True
        if isinstance(error, Deposed):
            self._cut_off[name] = time.monotonic() + _TAKE_UP
        elif isinstance(error, StateError):
            self._cut_off[name] = math.inf  # taken up as soon as the state is ready again
            news = self._standing.doubt(error)
        if news:
            _log.error("run failed", error=str(error))

    def _due_again(self, name: str) -> None:
        """A third run of a job would be due: the second, which waits, looks again at what it would do."""
        self._overlapped(name)
        self.turns.look_again(name)

    def _overlapped(self, name: str) -> None:
        _log.warning("due again while its earlier run is not over", job=name)
        self._told.overlapped(name)

    def _failed(self, name: str, error: BaseException) -> None:
        _log.error("run failed in a way that nobody foresaw", job=name, exc_info=error)

    def _end_all(self, reason: str) -> None:
        with self._lock:
            under_way = list(self._under_way)
        for due in under_way:
            due.ended = True
            due.run.end(reason)

    def _wind_up(self) -> bool:
        """Ends what is under way. Gives whether that was done within the grace."""
        self._notifier.stopping()
        _log.info("stopping: the calls under way are finished and recorded first")
        until = time.monotonic() + self._setup.shutdown_timeout.total_seconds() - ROUND
        self.turns.close()
        while True:
            self._end_all("stopped by a signal")  # a run may only now have begun
            with self._lock:
                left = sorted(due.name for due in self._under_way)
            if not left or time.monotonic() >= until:
                break
            self._sleep(0.1)
        self._timetable.shutdown(wait=not left)
        if left:
            _log.error(
                "not over within the grace; its open calls are settled by the next run", jobs=left
            )
        _log.info("service stopped")
        return not left and self._standing.answers
