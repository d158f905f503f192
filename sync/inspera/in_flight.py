"""One limit for the calls in flight, which is lowered when Inspera has too many in progress."""

import threading
from collections.abc import Callable
from typing import Final

from sync.inspera.connection import CallObserver

STEP: Final = 50
"""How many calls that are not refused give one more call in flight back."""

PROBE: Final = 200
"""The same for the number that was refused last: the refused call might be another integration's."""


class InFlight:
    """A limit on the calls in flight, of all workers together. Thread-safe.

    Inspera allows 10 at once and counts those of the customer's other integrations too (vendor
    contract, Conventions). So how many we may have is known only from its refusals. `monotonic`
    returns seconds from any origin. Once `stop` is set, nobody waits any longer.
    """

    def __init__(
        self,
        most: int,
        stop: threading.Event,
        monotonic: Callable[[], float],
        observer: CallObserver | None = None,
    ) -> None:
        self._most = self._allowed = most
        self._stop, self._monotonic, self._observer = stop, monotonic, observer
        self._now = self._successes = 0
        self._lowered_at: float | None = None
        self._refused_at = most + 1
        self._changed = threading.Condition()
        self._report()

    @property
    def allowed(self) -> int:
        """Return how many calls may be in flight at present."""
        with self._changed:
            return self._allowed

    def wait_for_room(self) -> None:
        """Wait until one more call may begin, or `stop` is set."""
        with self._changed:
            # Nothing wakes this thread when `stop` is set, and nothing needs to: the calls in
            # flight end soon, and each of them wakes it.
            self._changed.wait_for(lambda: self._stop.is_set() or self._now < self._allowed)

    def enter(self) -> bool:
        """Count one more call as in flight; return false when the limit is reached."""
        with self._changed:
            if self._now >= self._allowed:
                return False
            self._now += 1
            self._report()
            return True

    def leave(self) -> None:
        """Count a call as ended."""
        with self._changed:
            self._now -= 1
            self._report()
            self._changed.notify_all()

    def lower(self, sent_at: float) -> int | None:
        """Halve the limit, because Inspera refused the call sent at `sent_at` (by `monotonic`).

        Return how many calls were in flight. Return `None` for a call that was sent before the last
        halving, which changes nothing: four may be refused at once, but the limit must be halved
        only once.
        """
        with self._changed:
            if self._lowered_at is not None and sent_at <= self._lowered_at:
                return None
            self._lowered_at, self._refused_at = self._monotonic(), self._allowed
            self._allowed, self._successes = max(1, self._allowed // 2), 0
            self._report()
            return self._now

    def succeed(self) -> None:
        """Count a call that was not refused; `STEP` or `PROBE` of them raise the limit by one."""
        with self._changed:
            if self._allowed == self._most:
                return
            self._successes += 1
            probes = self._allowed + 1 >= self._refused_at
            if self._successes >= (PROBE if probes else STEP):
                self._allowed, self._successes = self._allowed + 1, 0
                self._refused_at = self._most + 1 if probes else self._refused_at
                self._report()
                self._changed.notify_all()

    def close(self) -> None:
        """Report that nothing is in flight any more, and the limit of the next run."""
        if self._observer:
            self._observer.in_flight(0, self._most)

    def _report(self) -> None:
        if self._observer:
            self._observer.in_flight(self._now, self._allowed)
