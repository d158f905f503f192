"""Keeps all workers together within one budget of calls per second.

GCRA: one number, the theoretical arrival time of the next call, moved on by each call. A bucket that refills each
second would let a whole second's calls go in the first instant; this spaces them out.
"""

import threading
from collections.abc import Callable

_NEGLIGIBLE = 1e-6  # seconds; shorter waits are rounding errors, which a clock might never make up for


class Limiter:
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
        self._lock = threading.Lock()
        self._queue = threading.Lock()

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

    def _take(self) -> float:
        """Takes the turn when it has come, else says how many seconds are left until it does."""
        with self._lock:
            now = self._monotonic()
            wait = self._due - self._tolerance - now
            if wait <= _NEGLIGIBLE:
                self._due = max(self._due, now) + self._interval
            return wait
