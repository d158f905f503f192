"""A circuit breaker that opens when most calls fail.

When most calls fail, no single record causes it, and retrying each of them would take days.
"""

from collections import deque
from typing import Final

WINDOW: Final = 100
"""The number of last attempts that are counted."""

LEAST: Final = 40
"""The number of attempts that are needed before the circuit breaker can open."""


class CircuitBreaker:
    """A count of the last attempts that failed. Not thread-safe: its owner locks.

    It opens when more than half of them failed. If every fifth call fails at random, that does not
    happen in a million runs; if every call fails, it takes `LEAST` attempts.
    """

    def __init__(self) -> None:
        self._failed: deque[bool] = deque(maxlen=WINDOW)

    def note(self, *, failed: bool) -> str | None:
        """Count an attempt; return the reason to send nothing more when the circuit opens."""
        self._failed.append(failed)
        attempts, failures = len(self._failed), sum(self._failed)
        if attempts < LEAST or failures * 2 <= attempts:
            return None
        return (
            f"Inspera failed on {failures} of the last {attempts} calls, which is more than half, "
            "so nothing more is sent in this run; check Inspera's status, then run again"
        )
