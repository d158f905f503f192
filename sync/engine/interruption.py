"""The request to end a run early: by a signal, its deadline, a pause, or the loss of its lock."""

import threading
from dataclasses import dataclass, field

from sync.errors import Interrupted
from sync.exit_codes import Exit
from sync.progress import Progress

LOST = "another process may have taken over the state"
UNCONFIRMED = "the state does not confirm that this run may go on"


@dataclass(slots=True)
class Interruption:
    """A request to end a run.

    Once it is set, calls under way finish and are recorded, and nothing new is sent.

    Attributes:
        event: set when the run is to end; also by a run that yields to another one.
        status: the exit status of the interrupted run.
        reason: why, for people; None while nobody has given one, and for a run that yields.
    """

    event: threading.Event = field(default_factory=threading.Event)
    status: Exit = Exit.INTERRUPTED
    reason: str | None = None

    @property
    def lost_lock(self) -> bool:
        """Tell whether another process may write the state by now."""
        return self.reason in (LOST, UNCONFIRMED)

    def end(self, reason: str, status: Exit = Exit.INTERRUPTED) -> None:
        """End the run. The first reason stays."""
        if self.reason is None:
            self.reason, self.status = reason, status
        self.event.set()

    def raise_if_set(self) -> None:
        """Stop work that has sent nothing yet.

        Raises:
            Interrupted: the run is to end.
        """
        if self.event.is_set():
            raise Interrupted(self.reason or "interrupted")

    def stopping(self, progress: Progress) -> Progress:
        """Return a progress that raises `Interrupted` once this is set."""

        def report(phase: str, done: int, total: int | None = None) -> None:
            self.raise_if_set()
            progress(phase, done, total)

        return report
