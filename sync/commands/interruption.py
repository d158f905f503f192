"""What ends a run before its end: a signal, its deadline, a pause. Calls under way finish and are recorded."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sync.engine.protocols import Clock, Progress
from sync.errors import Interrupted, StateError
from sync.exit_codes import Exit
from sync.service.background import BackgroundCall

EVERY = 1.0
"""Seconds between two looks at whether a run is to end."""

SILENCE = 5.0
"""Seconds for which a run goes on while the state does not say whether it may. Whoever takes over looks at what was
sent after 10 seconds at the soonest, so that the calls of this one are over by then."""

LOST = "another process may have taken over the state"
SILENT = "the state does not say whether this run may go on"


@dataclass(slots=True)
class Interruption:
    """Once it is set, calls under way finish and are recorded, and nothing new is sent. `reason` is for people."""

    event: threading.Event = field(default_factory=threading.Event)
    status: Exit = Exit.INTERRUPTED
    reason: str = ""

    def end(self, reason: str, status: Exit = Exit.INTERRUPTED) -> None:
        """Ends the run. The first reason stays; a run that gives way to another one has none."""
        if not self.reason:
            self.reason, self.status = reason, status
        self.event.set()

    def heeded_by(self, progress: Progress) -> Progress:
        """The same progress; but work that reports to it ends by `Interrupted` once this is set."""

        def told(phase: str, done: int, total: int | None = None) -> None:
            if self.event.is_set():
                raise Interrupted(self.reason or "interrupted")
            progress(phase, done, total)

        return told


class Watch:
    """Looks whether a run is to end.

    Args:
        paused: gives why all sending is stopped, or nothing.
        lost: whether another process may write the state by now.
        deadline: when it ends at the latest; aware.
        monotonic: gives seconds from any origin.
    """

    def __init__(
        self,
        interruption: Interruption,
        paused: Callable[[], str],
        clock: Clock,
        deadline: datetime | None = None,
        lost: Callable[[], bool] = lambda: False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._interruption, self._paused, self._lost = interruption, paused, lost
        self._monotonic = monotonic
        # counted in time that passes, as the clock may be set while the run lasts
        self._ends = (
            None if deadline is None else monotonic() + (deadline - clock()).total_seconds()
        )
        self._asking = BackgroundCall(self._ask, "watch")
        self._answered = monotonic()

    def _ask(self) -> tuple[bool, str]:
        return self._lost(), self._paused()

    def look(self) -> None:
        """Ends the run when it is time."""
        if self._ends is not None and self._monotonic() >= self._ends:
            self._interruption.end("its deadline has passed; what is left is for the next run")
        try:
            lost, paused = self._asking.result(EVERY)
        except (TimeoutError, StateError):
            if self._monotonic() - self._answered >= SILENCE:
                self._interruption.end(SILENT)
            return
        self._answered = self._monotonic()
        if lost:
            self._interruption.end(LOST)
        elif paused:
            self._interruption.end(paused, Exit.HELD)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Looks at once, and then every second, in a thread of its own, as long as this is open.

        Raises:
            StateError: the state does not say at once whether the run may begin.
        """
        if paused := self._paused():  # given while the run waited for its turn
            self._interruption.end(paused, Exit.HELD)
        over = threading.Event()

        def keep() -> None:
            while not over.wait(EVERY):
                self.look()

        thread = threading.Thread(target=keep, name="watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
