"""Whose turn it is: one run at a time, in order; but a run that waits and has sooner tests goes first."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition

_NONE = "~"
"""Later than any test, as text is compared."""


@dataclass(slots=True, eq=False)
class QueuedRun:
    """A job's place in the line.

    Attributes:
        job: its name.
        soonest: when the soonest test begins to which it would add something (UTC text); empty while that is not
            known, or when there is none.
        look: whether what it would add is to be looked at (again).
        resumes: it gave way before, so that it does not ask the others to.
        ends_at: it went before another run, which goes on with what a test that starts then needs (UTC text; empty for
            what no test needs). So it gives way itself when it comes to that. None when it went before nobody.
        met: the soonest test that the running one still had something to send for, since this one last looked. Where
            that is as soon as its own, the running one may have sent what this one asked for.
    """

    job: str
    soonest: str = ""
    look: bool = False
    resumes: bool = False
    ends_at: str | None = None
    met: str = _NONE


class RunQueue:
    """The line of jobs in front of one state. Thread-safe."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._waiting: list[QueuedRun] = []
        self._running: QueuedRun | None = None
        self._given_way_at: str | None = None
        self._closed = False

    @contextmanager
    def turn(
        self, ticket: QueuedRun, look_ahead: Callable[[], str] | None = None
    ) -> Iterator[bool]:
        """Waits for the ticket's turn and holds it. Gives false, and no turn, when the line is closed meanwhile.

        While it waits behind another run, `look_ahead` says when the soonest test begins for which this job has
        something to add; it is called once, and again whenever `look_again` says so.
        """
        with self._changed:
            behind = (
                [one for one in self._waiting if one.resumes] if ticket.resumes else self._waiting
            )
            self._waiting.insert(len(behind), ticket)
            ticket.look = (
                self._running is not None and look_ahead is not None and not ticket.resumes
            )
        try:
            granted = self._wait(ticket, look_ahead)
        finally:
            with self._changed:
                self._waiting.remove(ticket)
        try:
            yield granted
        finally:
            with self._changed:
                if self._running is ticket:
                    self._running = None
                self._changed.notify_all()

    def _wait(self, ticket: QueuedRun, look_ahead: Callable[[], str] | None) -> bool:
        """Waits until it is the ticket's turn, which it then has; false when the line is closed."""
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._closed or ticket.look or self._next() is ticket
                )
                if self._closed:
                    return False
                if self._next() is ticket:
                    self._running = ticket
                    if not ticket.resumes:
                        ticket.ends_at, self._given_way_at = self._given_way_at, None
                    return True
                ticket.look, ticket.met = False, _NONE
            soonest = look_ahead() if look_ahead else ""
            with self._changed:
                ticket.soonest = soonest
                self._changed.notify_all()

    def resumes(self, job: str) -> bool:
        """Whether a run of this job waits that gave way before."""
        with self._changed:
            return any(ticket.resumes and ticket.job == job for ticket in self._waiting)

    def look_again(self, job: str) -> None:
        """Has a waiting run of this job look again at what it would add: it is due once more."""
        with self._changed:
            for ticket in self._waiting:
                ticket.look = ticket.look or (ticket.job == job and not ticket.resumes)
            self._changed.notify_all()

    def _next(self) -> QueuedRun | None:
        """Who is to run next: of those with tests the one with the soonest, or else whoever came first."""
        if self._running is not None:
            return None
        asking = [ticket for ticket in self._waiting if ticket.soonest and not ticket.resumes]
        return (
            min(asking, key=lambda ticket: ticket.soonest)
            if asking
            else next(iter(self._waiting), None)
        )

    def should_yield(self, goes_on_with: Callable[[], str]) -> bool:
        """Whether the run whose turn it is has to end, so that one that waits goes first.

        `goes_on_with` gives when the soonest test begins for which it would send something next; empty for none. It
        goes on when that is as soon as the tests of all who wait. One who looked while it still had those tests to send
        for looks again first. One that went before another gives way as well when it has come as far as that one.
        """
        with self._changed:
            ends_at = self._running.ends_at if self._running else None
            if ends_at is None and all(ticket.resumes for ticket in self._waiting):
                return False
        own = goes_on_with()
        if ends_at is not None and (not own or (bool(ends_at) and own >= ends_at)):
            return True
        with self._changed:
            if not self._is_asked(own or _NONE):
                return False
            self._given_way_at = own
            return True

    def _is_asked(self, own: str) -> bool:
        """Whether somebody waits for a test that starts before `own`."""
        asked = False
        for ticket in self._waiting:
            ticket.met = min(ticket.met, own)
            if ticket.resumes or not ticket.soonest or own <= ticket.soonest:
                continue
            if ticket.met <= ticket.soonest:
                ticket.soonest, ticket.look = "", True
                self._changed.notify_all()
            else:
                asked = True
        return asked

    def close(self) -> None:
        """Lets nobody have a turn any more; whoever waits is told."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def running(self) -> str:
        """The job whose turn it is, empty when it is nobody's."""
        with self._changed:
            return self._running.job if self._running else ""

    @property
    def waiting(self) -> list[str]:
        """The jobs that wait, in the order in which they came."""
        with self._changed:
            return [ticket.job for ticket in self._waiting]
