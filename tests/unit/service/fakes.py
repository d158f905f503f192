"""Fakes for the service: jobs that last until they may end, a state, an observer, systemd."""

import socket
import time
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from urllib.error import HTTPError

import pytest
import structlog
from structlog.testing import LogCapture
from sync.schedule.every import Every
from sync.schedule.times import Schedule
from sync.schedule.timetable import ScheduledJob
from sync.service.loop import Service
from sync.service.protocols import ServiceSetup
from sync.service.systemd import Notifier

PATIENCE = 60.0
SELDOM = Every(timedelta(days=36_600))
"""A schedule that is not due while anybody waits for it."""


def now() -> datetime:
    """The time, as the timetable has it as well."""
    return datetime.now(UTC)


def until(met: Callable[[], bool]) -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not met():
        if time.monotonic() > deadline:
            pytest.fail("it did not come to that")
        time.sleep(0.005)


def page(port: int, path: str) -> tuple[int, str]:
    """The status and the text of a page on loopback; 0 while nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


class AtOnce:
    """A schedule that is due as soon as somebody asks for it, and then seldom."""

    def __init__(self) -> None:
        self._due: datetime | None = None

    def next_after(self, moment: datetime) -> datetime:
        if self._due is None:
            self._due = moment + timedelta(milliseconds=1)
        return self._due if moment < self._due else SELDOM.next_after(moment)


@dataclass(frozen=True)
class Given:
    """A schedule of these times, and then seldom."""

    moments: tuple[datetime, ...]

    def next_after(self, moment: datetime) -> datetime:
        return min((one for one in self.moments if one > moment), default=SELDOM.next_after(moment))


@dataclass
class Past:
    """What the state remembers of a job."""

    started: datetime
    cut_off: bool = False


class PlayedRun:
    """A run that lasts until `go` or `end` is called."""

    def __init__(self, job: "PlayedJob") -> None:
        self._job = job
        self.began = list[datetime]()
        self.reasons = list[str]()
        self.over, self._go = Event(), Event()

    def run(self, should_yield: Callable[[Callable[[], str]], bool], began: datetime) -> str:
        job = self._job
        job.state.past[job.name] = Past(now(), cut_off=True)
        self.began.append(began)
        while job.lasts and not self._go.wait(0.005) and not should_yield(lambda: job.soonest):
            pass
        try:
            outcome = job.comes_to() if self._go.is_set() or not job.lasts else "yielded"
        finally:
            self.over.set()
        job.state.past[job.name].cut_off = outcome in {"interrupted", "yielded"}
        return "interrupted" if self.reasons else outcome

    def end(self, reason: str) -> None:
        self.reasons.append(reason)
        if self._job.obeys:
            self._go.set()

    def soonest_start(self) -> str:
        return self._job.soonest

    def go(self) -> None:
        """Lets it come to its end."""
        self._go.set()


@dataclass
class PlayedJob:
    """A job. `lasts`: until `go` is called. `obeys`: ends on `end`. `error`: raised at the end."""

    name: str
    state: "PlayedState"
    schedule: Schedule = field(default_factory=AtOnce)
    exclusive: bool = True
    lasts: bool = False
    obeys: bool = True
    error: Exception | None = None
    soonest: str = ""
    runs: list[PlayedRun] = field(default_factory=list)

    @property
    def timed(self) -> ScheduledJob:
        return ScheduledJob(self.schedule)

    def begin(self) -> PlayedRun:
        self.runs.append(PlayedRun(self))
        return self.runs[-1]

    def comes_to(self) -> str:
        if self.error:
            raise self.error
        return "done"

    @property
    def begun(self) -> list[PlayedRun]:
        """Its runs that had their turn."""
        return [run for run in self.runs if run.began]

    @property
    def under_way(self) -> list[PlayedRun]:
        return [run for run in self.begun if not run.over.is_set()]


class PlayedState:
    """A state that returns what a test sets, or hangs as long as `answers` is not set."""

    def __init__(self) -> None:
        self.leading: bool | Exception = True
        self.prepared: Exception | None = None
        self.past: dict[str, Past] = {}
        self.answers = Event()
        self.answers.set()
        self.asked = 0
        self.approvals = False
        self.requested: list[str] = []

    def leads(self) -> bool:
        self.asked += 1
        self.answers.wait(PATIENCE)
        if isinstance(self.leading, Exception):
            raise self.leading
        return self.leading

    def approvals_wait(self) -> bool:
        return self.approvals

    def take_requested(self) -> list[str]:
        requested, self.requested = self.requested, []
        return requested

    def prepare(self) -> Mapping[str, Past]:
        if self.prepared:
            raise self.prepared
        return dict(self.past)


class RecordingObserver:
    """Records what happens. A round lasts until `rounds_go` is set."""

    def __init__(self) -> None:
        self.runs = list[tuple[str, str]]()
        self.overlaps = list[str]()
        self.reloads = list[bool]()
        self.rounds, self.lead, self.unreachable = 0, False, ""
        self.next_runs: Mapping[str, datetime] = {}
        self.stopped = ""
        self.rounds_go = Event()
        self.rounds_go.set()

    def ended(self, job: str, outcome: str, seconds: float) -> None:
        assert seconds >= 0
        self.runs.append((job, outcome))

    def overlapped(self, job: str) -> None:
        self.overlaps.append(job)

    def reloaded(self, ok: bool) -> None:
        self.reloads.append(ok)

    def round(self, leads: bool, unreachable: str, next_runs: Mapping[str, datetime]) -> None:
        self.rounds += 1
        self.lead, self.unreachable, self.next_runs = leads, unreachable, next_runs
        self.rounds_go.wait(PATIENCE)

    def impediment(self) -> str:
        return self.stopped


class Systemd:
    """The socket that systemd listens at, read all the time, as it holds but a few messages."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self.heard = list[str]()
        self._thread = Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while message := self._socket.recv(4096).decode():
            self.heard.append(message)

    @property
    def notifications(self) -> list[str]:
        """Return all notifications except the watchdog's and the status lines."""
        told = (message.partition("\n")[0] for message in list(self.heard))
        return [one for one in told if one != "WATCHDOG=1" and not one.startswith("STATUS=")]

    @property
    def alive(self) -> int:
        """Return how often the watchdog was notified."""
        return list(self.heard).count("WATCHDOG=1")

    @property
    def status(self) -> str:
        """What `systemctl status` shows just now."""
        said = [message for message in list(self.heard) if message.startswith("STATUS=")]
        return said[-1].removeprefix("STATUS=") if said else ""

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"", self._socket.getsockname())
        self._thread.join(PATIENCE)
        self._socket.close()


class Stage:
    """A service among all that, in a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self.state, self.observer = PlayedState(), RecordingObserver()
        self.systemd = Systemd(folder / "notify")
        self.jobs: dict[str, PlayedJob] = {}
        self.approved: PlayedJob | None = None
        self.row_errors: Exception | None = None
        self.grace = timedelta(seconds=5)
        self.clock = now
        self._log, self._all = LogCapture(), list[PlayedJob]()
        structlog.configure(processors=[structlog.contextvars.merge_contextvars, self._log])
        self._notifier = Notifier(str(folder / "notify"), 15)
        self.service: Service
        self._done: Future[bool] | None = None

    def job(self, name: str, schedule: Schedule | None = None, **how: object) -> PlayedJob:
        """Puts a job into the file; by default it is due at once."""
        job = PlayedJob(name, self.state, schedule or AtOnce(), **how)  # type: ignore[arg-type]
        self.jobs[name] = job
        self._all.append(job)
        return job

    def start(self) -> None:
        """Starts the service, and waits until it has looked round once."""
        self.service = Service(
            self._load, self.state, self._notifier, self.observer, self.clock, chance=lambda: 0.0
        )
        done = self._done = Future()

        def run() -> None:
            try:
                done.set_result(self.service.run())
            except BaseException as error:  # raised where somebody waits for its end
                done.set_exception(error)

        Thread(target=run, daemon=True).start()
        until(lambda: self.observer.rounds > 0 or done.done())

    def _load(self) -> ServiceSetup:
        if self.row_errors:
            raise self.row_errors
        return ServiceSetup(dict(self.jobs), self.grace, self.approved)

    def reload(self) -> None:
        """Has the file read again, and waits until it is."""
        before = len(self.observer.reloads)
        self.service.reload()
        until(lambda: len(self.observer.reloads) > before)

    def due_again(self, job: PlayedJob) -> None:
        """Makes a job due once more, by a new schedule in the file."""
        job.schedule = AtOnce()
        self.reload()

    def rounds(self, number: int = 3) -> None:
        """Waits until the service has looked round so often again."""
        before = self.observer.rounds
        until(lambda: self.observer.rounds >= before + number)

    def stop(self) -> bool:
        """Stops it; gives what `run` gives."""
        self.service.stop()
        return self.ended()

    def ended(self) -> bool:
        """Waits for its end; gives what `run` gives, or raises what it raises."""
        assert self._done is not None
        return self._done.result(PATIENCE)

    def events(self, event: str, **fields: object) -> list[Mapping[str, object]]:
        """The lines of its log that say this event, with these fields."""
        return [
            one
            for one in list(self._log.entries)
            if one["event"] == event and fields.items() <= one.items()
        ]

    def close(self) -> None:
        """Lets everything go and ends it."""
        self.state.answers.set()
        self.observer.rounds_go.set()
        if self._done is not None:
            self.service.stop()
            for job in self._all:
                for run in job.runs:
                    run.go()
            self._done.exception(PATIENCE)
        self.systemd.close()
        structlog.reset_defaults()
