"""A watch over a run, which ends it at its deadline, at a pause, or when its lock is lost."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from sync.engine.interruption import LOST, UNCONFIRMED, Interruption
from sync.engine.protocols import Clock
from sync.errors import StateError
from sync.exit_codes import Exit
from sync.service.background import BackgroundCall

EVERY = 1.0
"""Seconds between two looks at whether a run is to end."""

SILENCE = 5.0
"""Seconds for which a run goes on while the state does not confirm that it may.

A process that takes over looks at what was sent after 10 seconds at the soonest, when the calls of
this run are over.
"""


class Watch:
    """A look, every second, at whether a run is to end.

    Args:
        interruption: what is set when it is.
        paused: returns why all sending is paused, or an empty text.
        clock: returns the time now, aware.
        deadline: when the run ends at the latest; aware.
        lost: returns whether another process may write the state by now.
        monotonic: returns seconds from any origin.
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
        self._call = BackgroundCall(self._ask_state, "watch")
        self._answered = monotonic()

    def _ask_state(self) -> tuple[bool, str]:
        return self._lost(), self._paused()

    def look(self) -> None:
        """End the run when it is time."""
        if self._ends is not None and self._monotonic() >= self._ends:
            self._interruption.end("its deadline has passed; what is left is for the next run")
        try:
            lost, paused = self._call.result(EVERY)
        except (TimeoutError, StateError):
            if self._monotonic() - self._answered >= SILENCE:
                self._interruption.end(UNCONFIRMED)
            return
        self._answered = self._monotonic()
        if lost:
            self._interruption.end(LOST)
        elif paused:
            self._interruption.end(paused, Exit.HELD)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look at once, and then every second in a thread of its own, as long as this is open.

        Raises:
            StateError: the state does not confirm at once that the run may begin.
        """
        if paused := self._paused():  # somebody may have paused while the run waited for its lock
            self._interruption.end(paused, Exit.HELD)
        over = threading.Event()

        def watch() -> None:
            while not over.wait(EVERY):
                self.look()

        thread = threading.Thread(target=watch, name="watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
