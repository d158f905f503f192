"""The older state that reads show until writes are visible (vendor contract, Conventions)."""

import sqlite3
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

Write = Callable[[sqlite3.Connection], object]
"""A write that was carried out. Repeated on the same contents, it has the same effect."""


class Replica:
    """A second database, which gets each write `delay` later, in order; absent without a delay."""

    def __init__(self) -> None:
        self._db: sqlite3.Connection | None = None
        self._delay = timedelta()
        self._waiting: deque[tuple[datetime, Write]] = deque()

    def keep(self, delay: float, copy: Callable[[], sqlite3.Connection]) -> None:
        """Create the copy if there is a delay (in seconds) now, or drop it if there is not.

        Call it before each write. When the delay is switched off, everything is readable at once.
        """
        self._delay = timedelta(seconds=delay)
        if delay and self._db is None:
            self._db = copy()
        elif not delay and self._db is not None:
            self.close()

    def later(self, now: datetime, write: Write) -> bool:
        """Schedule a write for when it becomes readable; tell whether that is later."""
        if self._db is None:
            return False
        self._waiting.append((now + self._delay, write))
        return True

    def seen(self, now: datetime, db: sqlite3.Connection) -> sqlite3.Connection:
        """Return the database that a read of now uses: `db` itself, or its older state."""
        if self._db is None:
            return db
        if self._waiting and self._waiting[0][0] <= now:
            with self._db:
                self._db.execute("BEGIN")
                while self._waiting and self._waiting[0][0] <= now:
                    self._waiting.popleft()[1](self._db)
        return self._db

    def close(self) -> None:
        """Close it."""
        self._waiting.clear()
        if self._db is not None:
            self._db.close()
            self._db = None
