"""A repeated reading of the state's figures, in the background, for the metrics."""

import time
from collections.abc import Callable

from sync.errors import SyncError
from sync.service.background import BackgroundCall
from sync.state.service_figures import ServiceFigures

EVERY = 60.0
"""Seconds between two readings; after the end of a run they are read at once."""


class FigureReader:
    """Reads the figures every minute, and passes them on.

    `read` may take long and fail: then the figures of before stay. `monotonic` returns seconds.
    """

    def __init__(
        self,
        read: Callable[[], ServiceFigures],
        pass_on: Callable[[ServiceFigures], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._call, self._pass_on = BackgroundCall(read, "figures"), pass_on
        self._monotonic = monotonic
        self._due = 0.0
        self._under_way = self._expired = False

    def expire(self) -> None:
        """Read again in the next round: a run has ended, so a reading under way is too old."""
        self._due, self._expired = 0.0, True

    def refresh(self, wait: float = 0.0) -> None:
        """Begin a reading when one is due; pass on what one has found that began before."""
        if self._monotonic() < self._due:
            return
        if not self._under_way:
            self._under_way, self._expired = True, False
        figures = None
        try:
            figures = self._call.result(wait)
        except TimeoutError:
            return
        except SyncError:  # the service shows elsewhere that its state can't be used
            pass
        self._under_way = False
        if self._expired:
            return
        self._due = self._monotonic() + EVERY
        if figures is not None:
            self._pass_on(figures)
