"""Ends a wait for a server that says nothing any more, where the driver would wait for ever.

A server whose process is frozen still answers on the level of the network, and its own timeouts are frozen with it.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any

GRACE = 10
"""Seconds that a server has, beyond its own timeout, to say that the time is up."""


class Watchdog:
    """Bites when one wait takes longer than the timeout and `GRACE`. Without a socket it sleeps."""

    def __init__(self, seconds: float, line: socket.socket | None = None) -> None:
        self._most, self._line = seconds + GRACE, line
        self._ends = float("inf")
        self._over = Event()

    @contextmanager
    def awake(self) -> Iterator[None]:
        """Watches what is done inside."""
        self._ends = time.monotonic() + self._most
        try:
            yield
        finally:
            self._ends = float("inf")

    def watch(self) -> None:
        """Looks once a second, until it is told that it is over."""
        while not self._over.wait(1):
            if self._line is not None and time.monotonic() > self._ends:
                with suppress(OSError):
                    self._line.shutdown(
                        socket.SHUT_RDWR
                    )  # the driver then finds its connection gone
                return

    def end(self) -> None:
        """Needed no more."""
        self._over.set()


@contextmanager
def watched(connection: Any, seconds: float) -> Iterator[Watchdog]:
    """A watchdog over a driver's connection; of drivers that show their socket, which have no timeout of their own."""
    fileno = getattr(connection, "fileno", None)
    if fileno is None:
        yield Watchdog(seconds)
        return
    with socket.socket(fileno=os.dup(fileno())) as line:
        dog = Watchdog(seconds, line)
        thread = Thread(target=dog.watch, daemon=True)
        thread.start()
        try:
            yield dog
        finally:
            dog.end()
            thread.join()
