"""One rate limit for all workers together, which is lowered when Inspera asks for fewer calls.

The algorithm is GCRA: one number, the theoretical arrival time of the next call, which each call
moves on. A bucket that refills each second would send a whole second's calls at once; GCRA spaces
them out.
"""

import threading
from collections.abc import Callable
from typing import Final

LEAST_SHARE: Final = 1 / 16
"""The smallest share of `calls_per_second` to which the rate is lowered."""

STEP: Final = 1 / 100
"""The share of `calls_per_second` that each successful response gives back."""

# In seconds. Shorter waits are rounding errors; waiting for those might never end.
_NEGLIGIBLE = 1e-6


class Throttle:
    """A rate limit that spaces calls out to `calls_per_second`.

    A burst may have the calls of a tenth of a second, and at least one. `monotonic` returns seconds
    from any origin. `sleep` waits that many seconds, and returns early once `stop` is set.
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
        """Return the present rate."""
        with self._lock:
            return self._share / self._interval

    def acquire(self) -> bool:
        """Wait until one more call may be sent; return false when `stop` is set before that."""
        # One worker at a time waits here; otherwise all would wake up for the same call.
        with self._queue:
            while not self._stop.is_set():
                wait = self._reserve()
                if wait <= _NEGLIGIBLE:
                    return True
                self._sleep(wait)
        return False

    def pause(self, seconds: float) -> None:
        """Send nothing for that long, and no burst after it; the longest of several counts."""
        with self._lock:
            self._due = max(self._due, self._monotonic() + seconds + self._tolerance)

    def slow_down(self, sent_at: float) -> bool:
        """Halve the rate, because the call sent at `sent_at` (by `monotonic`) was one too many.

        A call that was sent before the last halving changes nothing: eight workers are refused at
        once, but the rate must be halved only once. Return whether the rate was lowered.
        """
        with self._lock:
            if self._slowed_at is not None and sent_at <= self._slowed_at:
                return False
            before, self._slowed_at = self._share, self._monotonic()
            self._share = max(LEAST_SHARE, self._share / 2)
            return self._share < before

    def speed_up(self) -> None:
        """Raise the rate by one step, because a call succeeded."""
        with self._lock:
            self._share = min(1.0, self._share + STEP)

    def _reserve(self) -> float:
        """Reserve the next call if it is due; return the seconds until it is."""
        with self._lock:
            now = self._monotonic()
            wait = self._due - self._tolerance - now
            if wait <= _NEGLIGIBLE:
                self._due = max(self._due, now) + self._interval / self._share
            return wait
