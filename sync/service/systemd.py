"""What the service tells systemd: that it is ready, reloads, stops, is alive, and what it does (sd_notify(3)).

The protocol is one datagram to a socket, so that no library is needed for it. Without systemd nothing is told.
"""

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Self

_LONGEST = 1.0
"""Seconds that a message may take when systemd is slow to read; then it is dropped."""


class Notifier:
    """Tells systemd how the service is. A socket that is lost, full or not there never hurts the service.

    `watchdog_seconds` is how often `watchdog` must be called, half of what systemd allows; None when it does not watch.
    """

    def __init__(self, address: str = "", watchdog_seconds: float | None = None) -> None:
        # '@' stands for the null byte of a name that is in no file system.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self.watchdog_seconds = watchdog_seconds

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """As `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` say."""
        given = os.environ if environment is None else environment
        return cls(given.get("NOTIFY_SOCKET", ""), _watchdog_seconds(given))

    def ready(self) -> None:
        """The service is up, or a reload is done, well or not."""
        self._tell("READY=1")

    def reloading(self) -> None:
        """The configuration is being read again; `ready` must follow."""
        microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._tell("RELOADING=1", f"MONOTONIC_USEC={microseconds}")

    def stopping(self) -> None:
        """The service is on its way out."""
        self._tell("STOPPING=1")

    def status(self, text: str) -> None:
        """What `systemctl status` shows, in one line."""
        self._tell(f"STATUS={' '.join(text.split())}")

    def watchdog(self) -> None:
        """The loop that would hang does not."""
        if self.watchdog_seconds is not None:
            self._tell("WATCHDOG=1")

    def _tell(self, *lines: str) -> None:
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
    """Half the time that systemd allows, as sd_watchdog_enabled(3) advises; None when it is not this process's."""
    microseconds, pid = given.get("WATCHDOG_USEC", ""), given.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or not int(microseconds) or pid not in {"", str(os.getpid())}:
        return None
    return int(microseconds) / 2e6
