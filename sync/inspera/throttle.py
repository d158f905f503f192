"""Keeps all workers together within one budget of calls per second, and makes it smaller when Inspera says so.

GCRA: one number, the theoretical arrival time of the next call, moved on by each call. A bucket that refills each
second would let a whole second's calls go in the first instant; this spaces them out.
"""

import threading
from collections.abc import Callable
from typing import Final

LEAST_SHARE: Final = 1 / 16
"""Of the budget: it never comes down further."""

STEP: Final = 1 / 100
"""Of the budget: that much comes back with each good answer."""

_NEGLIGIBLE = (
    1e-6  # seconds; shorter waits are rounding errors, which a clock might never make up for
)


class Throttle:
    """Spaces calls out to `calls_per_second`, with a burst of a tenth of a second's calls, and at least one.

    `monotonic` gives seconds from any origin; `sleep` waits that many seconds, and returns early once `stop` is set.
    """

    def __init__(
        self,
        calls_per_second: float,
        stop: threading.Event,
        monotonic: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._interval = 1.0 / calls_per_second
        self._tolerance = (max(1, int(calls_per_second / 10)) - 1) * self._interval
        self._stop, self._monotonic, self._sleep = stop, monotonic, sleep
        self._due = monotonic()
        self._share = 1.0
        self._slowed_at: float | None = None
        self._lock = threading.Lock()
        self._queue = threading.Lock()

    @property
    def calls_per_second(self) -> float:
        """The rate as it is now."""
        with self._lock:
            return self._share / self._interval

    def acquire(self) -> bool:
        """Waits until one more call may go. False when `stop` was set before that: then nothing may be sent."""
        # One worker at a time waits for its turn, so that the others do not all wake for the same one.
        with self._queue:
            while not self._stop.is_set():
                wait = self._take()
                if wait <= _NEGLIGIBLE:
                    return True
                self._sleep(wait)
        return False

    def pause(self, seconds: float) -> None:
        """Lets no worker send anything for that long, and no burst after it. Of several pauses the longest counts."""
        with self._lock:
            self._due = max(self._due, self._monotonic() + seconds + self._tolerance)

    def slow_down(self, sent_at: float) -> bool:
        """Halves the rate, since a call that went out at `sent_at` (by `monotonic`) was one too many.

        When that was before the last halving it tells nothing new: eight workers are refused at once, and the rate is
        to be halved once. Gives whether the rate came down.
        """
        with self._lock:
            if self._slowed_at is not None and sent_at <= self._slowed_at:
                return False
            before, self._slowed_at = self._share, self._monotonic()
            self._share = max(LEAST_SHARE, self._share / 2)
            return self._share < before

    def speed_up(self) -> None:
        """Gives a little of the rate back, since a call was answered well."""
        with self._lock:
            self._share = min(1.0, self._share + STEP)

    def _take(self) -> float:
        """Takes the turn when it has come, else says how many seconds are left until it does."""
        with self._lock:
            now = self._monotonic()
            wait = self._due - self._tolerance - now
            if wait <= _NEGLIGIBLE:
                self._due = max(self._due, now) + self._interval / self._share
            return wait
