"""The queue of runs: one run at a time, in order, except that sooner tests go first (rules 20)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition

_NO_TEST = "~"
"""A text that sorts after the start of any test."""


@dataclass(slots=True, eq=False)
class QueuedRun:
    """A run of a job in the queue. Times are the starts of tests, as UTC text.

    Attributes:
        job: the job's name.
        soonest: the start of the soonest test to which this run would add something; empty while
            that is not known, or without such a test.
        must_look: whether this run must look (again) at what it would add.
        resumed: whether this run has yielded before; then it does not preempt others.
        yields_at: if this run preempted another one, the start of the test with which the other one
            continues (empty if no test needs the rest). This run yields when it reaches that test.
        running_soonest: the soonest test for which the running one still had something to send
            since this run last looked. If that is not later than `soonest`, the running one may
            have sent what this run would add.
    """

    job: str
    soonest: str = ""
    must_look: bool = False
    resumed: bool = False
    yields_at: str | None = None
    running_soonest: str = _NO_TEST


class RunQueue:
    """The queue of runs that write one state. Thread-safe."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._waiting: list[QueuedRun] = []
        self._running: QueuedRun | None = None
        self._yielded_at: str | None = None
        self._closed = False

    @contextmanager
    def acquire(
        self, queued: QueuedRun, look_ahead: Callable[[], str] | None = None
    ) -> Iterator[bool]:
        """Wait until this run may begin; the others wait until the block ends.

        Yields false when the queue is closed meanwhile: then the run must not begin. While it waits
        behind another run, `look_ahead` returns the start of the soonest test to which it would add
        something. It is called once, and once more after each `look_again`.
        """
        with self._changed:
            # A resumed run goes before all new ones, but behind those that were resumed earlier.
            ahead = [other for other in self._waiting if other.resumed or not queued.resumed]
            self._waiting.insert(len(ahead), queued)
            queued.must_look = (
                self._running is not None and look_ahead is not None and not queued.resumed
            )
        try:
            granted = self._wait(queued, look_ahead)
        finally:
            with self._changed:
                self._waiting.remove(queued)
        try:
            yield granted
        finally:
            with self._changed:
                if self._running is queued:
                    self._running = None
                self._changed.notify_all()

    def _wait(self, queued: QueuedRun, look_ahead: Callable[[], str] | None) -> bool:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._closed or queued.must_look or self._next() is queued
                )
                if self._closed:
                    return False
                if self._next() is queued:
                    self._running = queued
                    if not queued.resumed:
                        queued.yields_at, self._yielded_at = self._yielded_at, None
                    return True
                queued.must_look, queued.running_soonest = False, _NO_TEST
            # Outside the lock: looking ahead reads the sources, and the others must not wait for
            # it.
            soonest = look_ahead() if look_ahead else ""
            with self._changed:
                queued.soonest = soonest
                self._changed.notify_all()

    def has_resumed(self, job: str) -> bool:
        """Tell whether a run of this job that has yielded before waits."""
        with self._changed:
            return any(queued.resumed and queued.job == job for queued in self._waiting)

    def look_again(self, job: str) -> None:
        """Let a waiting run of this job look again at what it would add: it is due once more."""
        with self._changed:
            for queued in self._waiting:
                queued.must_look = queued.must_look or (queued.job == job and not queued.resumed)
            self._changed.notify_all()

    def _next(self) -> QueuedRun | None:
        """Return the run with the soonest test, or else the first one; `None` while one runs."""
        if self._running is not None:
            return None
        urgent = [queued for queued in self._waiting if queued.soonest and not queued.resumed]
        if urgent:
            return min(urgent, key=lambda queued: queued.soonest)
        return next(iter(self._waiting), None)

    def should_yield(self, next_start: Callable[[], str]) -> bool:
        """Tell whether the running run must end so that a waiting one goes first.

        `next_start` returns the start of the soonest test for which it would send something next;
        empty when no test needs it. The run goes on when that is as soon as the tests of all
        waiting runs. A waiting run that looked while those tests were still being sent looks again
        first. A run that preempted another one also yields when it has come as far as that one.
        """
        with self._changed:
            yields_at = self._running.yields_at if self._running else None
            if yields_at is None and all(queued.resumed for queued in self._waiting):
                return False
        own = next_start()
        if yields_at is not None and (not own or (bool(yields_at) and own >= yields_at)):
            return True
        with self._changed:
            if not self._is_preempted(own or _NO_TEST):
                return False
            self._yielded_at = own
            return True

    def _is_preempted(self, own: str) -> bool:
        """Tell whether a run waits for a test that starts before `own`."""
        preempted = False
        for queued in self._waiting:
            queued.running_soonest = min(queued.running_soonest, own)
            if queued.resumed or not queued.soonest or own <= queued.soonest:
                continue
            if queued.running_soonest <= queued.soonest:
                # The running one may have sent this already, so yielding could be useless.
                queued.soonest, queued.must_look = "", True
                self._changed.notify_all()
            else:
                preempted = True
        return preempted

    def close(self) -> None:
        """Let no run begin any more; `acquire` yields false to all that wait."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def running(self) -> str:
        """Return the running job; empty while no job runs."""
        with self._changed:
            return self._running.job if self._running else ""

    @property
    def waiting(self) -> list[str]:
        """Return the jobs that wait, in the order of the queue."""
        with self._changed:
            return [queued.job for queued in self._waiting]
