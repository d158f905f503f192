"""What reads see while writes take time to be readable (vendor contract, Conventions): an older state of everything."""

import sqlite3
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

Deed = Callable[[sqlite3.Connection], object]
"""A write that was carried out; done again on the same state, it does the same."""


class Replica:
    """A second database, which gets every write `delay` later, in order. Without a delay there is none."""

    def __init__(self) -> None:
        self._db: sqlite3.Connection | None = None
        self._delay = timedelta()
        self._waiting: deque[tuple[datetime, Deed]] = deque()

    def keep(self, delay: float, copy: Callable[[], sqlite3.Connection]) -> None:
        """Sees to it that there is one just when there is a delay, in seconds; a new one is a copy of now.

        To be called before each write. When the delay ends, everything is readable at once.
        """
        self._delay = timedelta(seconds=delay)
        if delay and self._db is None:
            self._db = copy()
        elif not delay and self._db is not None:
            self.close()

    def later(self, now: datetime, deed: Deed) -> bool:
        """Has a write of now done when it is to be readable; tells whether that is later."""
        if self._db is None:
            return False
        self._waiting.append((now + self._delay, deed))
        return True

    def seen(self, now: datetime, db: sqlite3.Connection) -> sqlite3.Connection:
        """What a read of now sees: `db` itself, or the older state of it."""
        if self._db is None:
            return db
        if self._waiting and self._waiting[0][0] <= now:
            with self._db:
                self._db.execute("BEGIN")
                while self._waiting and self._waiting[0][0] <= now:
                    self._waiting.popleft()[1](self._db)
        return self._db

    def close(self) -> None:
        """Lets go of it."""
        self._waiting.clear()
        if self._db is not None:
            self._db.close()
            self._db = None
