"""What ends a run before its end: a signal, its deadline, a pause. Calls under way finish and are recorded."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sync.engine.doors import Clock, Progress
from sync.errors import Interrupted, StateError
from sync.exits import Exit

EVERY = 1.0
"""Seconds between two looks at whether a run is to end."""


@dataclass(slots=True)
class Interruption:
    """Once it is set, calls under way finish and are recorded, and nothing new is sent. `reason` is for people."""

    event: threading.Event = field(default_factory=threading.Event)
    status: Exit = Exit.INTERRUPTED
    reason: str = ""

    def end(self, reason: str, status: Exit = Exit.INTERRUPTED) -> None:
        """Ends the run. The first reason stays."""
        if not self.event.is_set():
            self.reason, self.status = reason, status
            self.event.set()

    def heeded_by(self, progress: Progress) -> Progress:
        """The same progress; but work that reports to it ends by `Interrupted` once this is set."""

        def told(phase: str, done: int, total: int | None = None) -> None:
            if self.event.is_set():
                raise Interrupted(self.reason or "interrupted")
            progress(phase, done, total)

        return told


@dataclass(frozen=True, slots=True)
class Watch:
    """Looks whether a run is to end: `paused` gives why all sending is stopped, or nothing; `deadline` is aware."""

    interruption: Interruption
    paused: Callable[[], str]
    clock: Clock
    deadline: datetime | None = None

    def look(self) -> None:
        """Ends the run when it is time."""
        if self.deadline is not None and self.clock() >= self.deadline:
            self.interruption.end("its deadline has passed; what is left is for the next run")
        try:
            paused = self.paused()
        except StateError:
            return  # the run itself meets what is wrong with the state
        if paused:
            self.interruption.end(paused, Exit.HELD)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Looks at once, and then every second, in a thread of its own, as long as this is open."""
        self.look()  # the run may have waited long for its turn
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
