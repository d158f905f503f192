"""Time that only passes when somebody waits."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sync.inspera.connection import Connection
from sync.inspera.target import InsperaTarget

NOON = datetime(2030, 5, 2, 12, 0, tzinfo=UTC)


class Time:
    """A clock that moves only by waits; `waits` are the waits in order, in seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.passed = 0.0
        self.waits: list[float] = []
        self.while_waiting: Callable[[], None] = lambda: None

    def monotonic(self) -> float:
        with self._lock:
            return self.passed

    def clock(self) -> datetime:
        return NOON + timedelta(seconds=self.monotonic())

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.passed += seconds
            self.waits.append(seconds)
        self.while_waiting()


def target_at(
    connection: Connection, time: Time, stop: threading.Event | None = None
) -> InsperaTarget:
    """Return a target whose time is this one."""
    return InsperaTarget(
        connection,
        stop or threading.Event(),
        time.clock,
        monotonic=time.monotonic,
        sleep=time.sleep,
    )
