"""A circuit that opens when most calls fail: no record is to blame for that, and waiting out each would take days."""

from collections import deque
from typing import Final

WINDOW: Final = 100
"""Attempts that are looked back on."""

LEAST: Final = 40
"""Attempts that must have been made before anything is concluded."""


class Circuit:
    """Counts which of the last attempts failed. Not thread-safe: its owner locks.

    It opens when more than half of them did. With every fifth call failing at random that does not come about in a
    million runs; with every call failing it takes `LEAST` attempts.
    """

    def __init__(self) -> None:
        self._failed: deque[bool] = deque(maxlen=WINDOW)

    def note(self, *, failed: bool) -> str | None:
        """Takes in how an attempt went, and gives the reason to send nothing more when that opens the circuit."""
        self._failed.append(failed)
        made, bad = len(self._failed), sum(self._failed)
        if made < LEAST or bad * 2 <= made:
            return None
        return (
            f"Inspera failed on {bad} of the last {made} calls, which is more than half, so nothing more is sent in "
            f"this run; look whether Inspera has trouble, then run again"
        )
