"""The service's loop: it looks at the clock, at signals and at who leads, and starts what is due.

Everything that could take long runs in the timetable's threads, so that this loop comes round about once a second; it
is the one that tells systemd's watchdog that the service lives.
"""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from structlog.contextvars import bound_contextvars

from sync.daemon.notify import Notifier
from sync.daemon.turns import Ticket, Turns
from sync.errors import Locked, StateUnreachable, SyncError
from sync.schedule.timetable import Timed, Timetable

ROUND = 1.0
"""Seconds at most from one look to the next."""

_PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds between two attempts to reach the state."""

YIELDED = "yielded"
"""What a run says that ended for another one, and is to go on after it."""

_log = structlog.get_logger("service")


class Run(Protocol):
    """One run of a job, of which parts may come later, when it gave way to another one."""

    def run(self, gives_way: Callable[[Callable[[], str]], bool], began: datetime) -> str:
        """One run, or the rest of one that `began` then; gives what became of it in a word."""

    def end(self, reason: str) -> None:
        """Ends its run: calls under way finish, nothing new is sent."""

    def soonest(self) -> str:
        """When the soonest test begins to which it would add something (UTC text); empty for none."""


class Job(Protocol):
    """Something that is done at its times."""

    @property
    def timed(self) -> Timed:
        """When."""

    @property
    def takes_turns(self) -> bool:
        """Whether it writes the state, so that it runs alone."""

    def begin(self) -> Run:
        """A run of it, which has not begun to do anything."""


@dataclass(frozen=True, slots=True)
class Setup:
    """One configuration: its jobs by name, and how long stopping may take."""

    jobs: Mapping[str, Job]
    grace: timedelta


class Lead(Protocol):
    """Whether this process is the one that may run jobs on its state."""

    def leads(self) -> bool:
        """Whether it is; takes the lead when nobody has it. Quick.

        Raises:
            StateUnreachable: that can't be found out just now.
        """


class Told(Protocol):
    """Is told what happens, for metrics and health."""

    def ended(self, job: str, outcome: str, seconds: float) -> None: ...  # noqa: D102
    def overlapped(self, job: str) -> None: ...  # noqa: D102
    def reloaded(self, ok: bool) -> None: ...  # noqa: D102
    def round(self, leads: bool, unreachable: str, next_runs: Mapping[str, datetime]) -> None: ...  # noqa: D102


class Service:
    """Runs jobs until it is told to stop.

    Args:
        load: reads the configuration; raises a `SyncError` when it can't be used.
        prepare: makes the state ready (migrated); gives the jobs whose last run did not come to its end.
        clock: gives the time, aware.
    """

    def __init__(
        self,
        load: Callable[[], Setup],
        prepare: Callable[[], list[str]],
        lead: Lead,
        notifier: Notifier,
        told: Told,
        clock: Callable[[], datetime],
        *,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._load, self._prepare, self._lead = load, prepare, lead
        self._notifier, self._told, self._clock = notifier, told, clock
        self._setup = load()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._hang_up = threading.Event()
        self.turns = Turns()
        self._under_way: list[tuple[str, Run]] = []
        self._lock = threading.Lock()
        self._ready = self._led = False
        self._unreachable = ""
        self._again, self._attempts = 0.0, 0
        self._seen = clock()
        self._timetable = Timetable(
            self._run,
            overlapped=self._due_again,
            failed=self._failed,
            wake=self._wake.set,
            chance=chance,
        )

    def stop(self, number: int = 0, _frame: object = None) -> None:
        """Ends the service in order; as a signal's handler, a second one ends the process at once."""
        if self._stop.is_set() and number:
            os._exit(128 + number)
        self._stop.set()
        self._wake.set()

    def hang_up(self, _number: int = 0, _frame: object = None) -> None:
        """Reads the configuration again, at the loop's next round."""
        self._hang_up.set()
        self._wake.set()

    def obey_signals(self) -> None:
        """SIGTERM and SIGINT stop it, SIGHUP makes it read its configuration again."""
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        signal.signal(signal.SIGHUP, self.hang_up)

    def run(self) -> bool:
        """Turns until it is told to stop. Gives whether everything came to its end within the grace."""
        self._timetable.start()
        self._notifier.ready()
        _log.info("service started", jobs=sorted(self._setup.jobs))
        while not self._stop.is_set():
            if self._hang_up.is_set():
                self._hang_up.clear()
                self._reload()
            wait = self._round()
            self._notifier.watchdog()
            self._wake.wait(wait)
            self._wake.clear()
        return self._wind_up()

    def _round(self) -> float:
        """One look at everything; gives the seconds until the next."""
        leads = self._leads()
        if leads and not self._ready:
            self._make_ready()
        wait = ROUND
        if leads and self._ready:
            wait = min(self._timetable.tick(), ROUND)
        next_runs = self._timetable.next_times() if self._ready else {}
        self._told.round(leads, self._unreachable, next_runs)
        self._notifier.status(self._words(leads, next_runs))
        return wait

    def _leads(self) -> bool:
        try:
            leads = self._lead.leads()
        except StateUnreachable as error:
            self._cannot(error)
            leads = False
        if self._led and not leads:
            _log.warning("no longer the leader: what is under way ends, and this replica stands by")
            self._end_all("another process has taken over")
            self._ready = False
        if not leads:
            self._seen = self._clock()
        elif not self._led:
            _log.info("leads")
        self._led = leads
        return leads

    def _make_ready(self) -> None:
        """Makes the state ready, takes the jobs' times from now on, and takes up what was left."""
        if time.monotonic() < self._again:
            return
        try:
            unfinished = set(self._prepare())
        except (StateUnreachable, Locked) as error:
            self._cannot(error)
            return
        self._attempts, self._unreachable = 0, ""
        jobs, now = self._setup.jobs, self._clock()
        self._timetable.replace({})
        self._timetable.replace({name: job.timed for name, job in jobs.items()})
        missed = {name for name, job in jobs.items() if (job.timed.schedule.next_after(self._seen) or now) < now}
        for name in sorted((unfinished | missed) & jobs.keys()):
            _log.info("takes up", job=name, why="its last run was cut off" if name in unfinished else "it was missed")
            self._timetable.run_now(name)
        self._ready = True

    def _cannot(self, error: SyncError) -> None:
        if str(error) != self._unreachable:
            _log.error("the state can't be used just now; tried again", error=str(error))
        self._unreachable = str(error)
        self._again = time.monotonic() + _PAUSES[min(self._attempts, len(_PAUSES) - 1)]
        self._attempts += 1

    def _words(self, leads: bool, next_runs: Mapping[str, datetime]) -> str:
        if self._unreachable:
            return f"waiting for the state: {self._unreachable}"
        if not leads:
            return "standby: another replica leads"
        running = self.turns.running
        soonest = min(next_runs, key=next_runs.__getitem__, default="")
        after = f"next: {soonest} at {next_runs[soonest]:%Y-%m-%d %H:%M:%S} UTC" if soonest else "nothing is due"
        return f"running {running}; {after}" if running else after

    def _reload(self) -> None:
        self._notifier.reloading()
        try:
            setup = self._load()
        except SyncError as error:
            for fault in str(error).splitlines():
                _log.error("the new configuration can't be used, the old one goes on", fault=fault)
            self._told.reloaded(False)
        else:
            if self._ready and self._led:
                self._timetable.tick()  # what is due by the old times is not lost
            self._setup = setup
            if self._ready:
                self._timetable.replace({name: job.timed for name, job in setup.jobs.items()})
            self._told.reloaded(True)
            _log.info("configuration read again", jobs=sorted(setup.jobs))
        self._notifier.ready()

    def _run(self, name: str) -> None:
        """One run of a job, in a thread of the timetable's."""
        job = self._setup.jobs.get(name)
        if job is None or self._stop.is_set():
            return
        run = job.begin()
        with self._lock:
            overlaps = any(other == name for other, _ in self._under_way)
            self._under_way.append((name, run))
        if overlaps:
            self._overlapped(name)
        try:
            with bound_contextvars(job=name):
                if job.takes_turns:
                    self._in_turn(name, run)
                elif not overlaps:
                    self._once(name, run, self._clock())
        finally:
            with self._lock:
                self._under_way.remove((name, run))
            self._wake.set()

    def _in_turn(self, name: str, run: Run) -> None:
        """Runs when it is this run's turn. One that gave way goes on afterwards, but not one that overtook another."""
        ticket, began = Ticket(name), None
        while True:
            with self.turns.turn(ticket, self._looking_ahead(run)) as granted:
                if not granted or self._stop.is_set():
                    return
                began = began or self._clock()
                if self._once(name, run, began) != YIELDED or ticket.ends_at is not None:
                    return
            ticket = Ticket(name, resumes=True)

    def _looking_ahead(self, run: Run) -> Callable[[], str]:
        def look() -> str:
            try:
                return run.soonest()
            except SyncError as error:
                _log.warning("can't look ahead, so it waits for its turn", error=str(error))
                return ""

        return look

    def _once(self, name: str, run: Run, began: datetime) -> str:
        start, outcome = time.monotonic(), "failed"
        try:
            outcome = run.run(self.turns.gives_way, began)
        except Locked as error:
            outcome = "locked"
            _log.warning("not run, the state is in use", error=str(error))
        except SyncError as error:
            _log.error("run failed", error=str(error))
        finally:
            self._told.ended(name, outcome, time.monotonic() - start)
        return outcome

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
        for _, run in under_way:
            run.end(reason)

    def _wind_up(self) -> bool:
        """Ends what is under way. Gives whether that was done within the grace."""
        self._notifier.stopping()
        _log.info("stopping: the calls under way are finished and recorded first")
        until = time.monotonic() + self._setup.grace.total_seconds() - ROUND
        self.turns.close()
        while True:
            self._end_all("stopped by a signal")  # a run may only now have begun
            with self._lock:
                left = sorted(name for name, _ in self._under_way)
            if not left or time.monotonic() >= until:
                break
            self._wake.wait(0.1)
            self._wake.clear()
        self._timetable.shutdown(wait=not left)
        if left:
            _log.error("not over within the grace; its open calls are settled by the next run", jobs=left)
        _log.info("service stopped")
        return not left
