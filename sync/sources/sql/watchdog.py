"""The end of the wait for a server that has stopped answering, where the driver would wait forever.

The network still acknowledges packets for a server whose process is frozen, and its own timeouts
are frozen too.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any

GRACE = 10
"""Seconds after its own timeout in which a server must report that the time is up."""


class Watchdog:
    """A thread that closes a socket if one wait takes longer than the timeout and `GRACE`."""

    def __init__(self, seconds: float, connection: socket.socket | None = None) -> None:
        """Take the timeout and the socket; without a socket, do nothing."""
        self._limit, self._connection = seconds + GRACE, connection
        self._ends = float("inf")
        self._over = Event()

    @contextmanager
    def limit(self) -> Iterator[None]:
        """Limit the time of what is done inside."""
        self._ends = time.monotonic() + self._limit
        try:
            yield
        finally:
            self._ends = float("inf")

    def watch(self) -> None:
        """Check once a second, until the end."""
        while not self._over.wait(1):
            if self._connection is not None and time.monotonic() > self._ends:
                with suppress(OSError):
                    # The driver then finds its connection closed, and raises an error.
                    self._connection.shutdown(socket.SHUT_RDWR)
                return

    def stop(self) -> None:
        """Stop watching."""
        self._over.set()


@contextmanager
def watched(connection: Any, seconds: float) -> Iterator[Watchdog]:
    """Watch the connection of a driver that provides its socket: such drivers have no timeout."""
    fileno = getattr(connection, "fileno", None)
    if fileno is None:
        yield Watchdog(seconds)
        return
    with socket.socket(fileno=os.dup(fileno())) as copy:
        dog = Watchdog(seconds, copy)
        thread = Thread(target=dog.watch, daemon=True)
        thread.start()
        try:
            yield dog
        finally:
            dog.stop()
            thread.join()
