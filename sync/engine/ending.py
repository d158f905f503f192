"""The end of a run of `apply`, `adopt` or `reconcile`, and how an error ends it."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sync.engine.interruption import Interruption
from sync.errors import (
    CallError,
    Deposed,
    Interrupted,
    StateBusy,
    StateError,
    StateUnreachable,
    SyncError,
)
from sync.exit_codes import Exit
from sync.state.journal import Journal

_COMPLETE = (Exit.OK, Exit.HELD, Exit.ERRORS)


@dataclass(slots=True)
class Ending:
    """How a run ended, as `status` shows it.

    Attributes:
        counts: the figures of the run by their name.
        reasons: what stopped it, or why its exit status is not zero, a line each.
    """

    status: Exit = Exit.OK
    counts: Counter[str] = field(default_factory=Counter)
    reasons: list[str] = field(default_factory=list)

    def record(self, journal: Journal, interruption: Interruption) -> None:
        """Record the end of a run of `adopt` or `reconcile`.

        An interruption decides its exit status.
        """
        if interruption.event.is_set():
            self.status = interruption.status
        word = "done" if self.status in _COMPLETE else "stopped"
        journal.end(word, self.status, self.counts, self.reasons)


@contextmanager
def recording_errors(
    journal: Journal,
    ending: Ending,
    note: Callable[[str], None],
    has_called: Callable[[], bool] = lambda: False,
) -> Iterator[None]:
    """Let an error end a run, so that the journal records it.

    After an error of Inspera or an interruption the caller goes on, and records the end. Every
    other error is recorded here and raised again.

    Args:
        journal: of the run.
        ending: receives the exit status and the reason.
        note: shows a line to people.
        has_called: whether the run may have made a call. If so, an unusable state ends it with exit
            status 4, since status 2 promises that nothing was done.
    """
    try:
        yield
    except CallError as error:
        ending.reasons.append(f"Inspera: {error}")
        note(ending.reasons[-1])
        ending.status = Exit.INSPERA
    except Interrupted:
        pass  # the interruption has the exit status
    except Deposed:
        raise  # another process may write the state: nothing of this run may be recorded any more
    except StateError as error:
        if has_called():
            note(
                "Stopped: the state failed, so nothing more is sent. "
                "The next run finds out what became of calls without a recorded outcome."
            )
        if not isinstance(error, StateBusy):  # the caller waits for a busy state, and tries again
            reasons = [*ending.reasons, str(error)]
            journal.give_up("interrupted", Exit.SOURCE, ending.counts, reasons)
        if has_called() and not isinstance(error, StateUnreachable):
            raise StateUnreachable(str(error)) from None
        raise
    except SyncError as error:
        journal.end("stopped", Exit.USAGE, ending.counts, [*ending.reasons, str(error)])
        raise
