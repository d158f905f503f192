"""Notifications to systemd: ready, reloading, stopping, alive, and a status line (sd_notify(3)).

The protocol is one datagram to a socket, so it needs no library. Without systemd nothing is sent.
"""

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Self

_LONGEST = 1.0
"""The seconds after which a message is dropped if systemd does not read it."""


class Notifier:
    """A sender of notifications to systemd. A socket that is lost or full never harms the service.

    `watchdog_seconds` is how often `watchdog` must be called: half of what systemd allows. It is
    None when systemd does not watch this process.
    """

    def __init__(self, address: str = "", watchdog_seconds: float | None = None) -> None:
        # '@' means a null byte: an abstract socket, which has no file.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self.watchdog_seconds = watchdog_seconds

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Return a notifier as `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` define it."""
        given = os.environ if environment is None else environment
        return cls(given.get("NOTIFY_SOCKET", ""), _watchdog_seconds(given))

    def ready(self) -> None:
        """Report that the service is up, or that a reload has ended, with or without success."""
        self._notify("READY=1")

    def reloading(self) -> None:
        """Report that the configuration is being read again; `ready` must follow."""
        microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._notify("RELOADING=1", f"MONOTONIC_USEC={microseconds}")

    def stopping(self) -> None:
        """Report that the service is shutting down."""
        self._notify("STOPPING=1")

    def status(self, text: str) -> None:
        """Set the line that `systemctl status` shows."""
        self._notify(f"STATUS={' '.join(text.split())}")

    def watchdog(self) -> None:
        """Report that the loop does not hang."""
        if self.watchdog_seconds is not None:
            self._notify("WATCHDOG=1")

    def _notify(self, *lines: str) -> None:
        if not self._address:
            return
        with (
            suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender,
        ):
            sender.settimeout(_LONGEST)
            sender.connect(self._address)
            sender.sendall("\n".join(lines).encode())


def _watchdog_seconds(given: Mapping[str, str]) -> float | None:
    """Return half the time that systemd allows, as sd_watchdog_enabled(3) advises.

    None when the watchdog is not for this process.
    """
    microseconds, pid = given.get("WATCHDOG_USEC", ""), given.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or not int(microseconds) or pid not in {"", str(os.getpid())}:
        return None
    return int(microseconds) / 2e6
