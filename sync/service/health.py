"""The service's health, as `/healthz` and `/readyz` show it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Role = Literal["leader", "standby"]


class Heartbeat:
    """The heartbeat of the service's loop, which shows whether it hangs. Thread-safe.

    The loop calls `beat`. `longest` is how many seconds may pass between two beats; `monotonic`
    returns seconds from any origin.
    """

    def __init__(self, longest: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._longest, self._monotonic = longest, monotonic
        self._lock = threading.Lock()
        self._last = monotonic()

    def beat(self) -> None:
        """Record that the loop has begun another round."""
        with self._lock:
            self._last = self._monotonic()

    @property
    def silent(self) -> float:
        """Return the seconds since the last beat."""
        with self._lock:
            return self._monotonic() - self._last

    @property
    def alive(self) -> bool:
        """Tell whether the last beat is recent enough."""
        return self.silent <= self._longest


@dataclass(frozen=True, slots=True)
class Health:
    """The service's health. Times are aware.

    Attributes:
        alive: whether its loop still runs.
        unreachable: why the state can't be used just now; empty when it can.
        migrated: whether the state's tables have this version.
        role: whether this replica may write; None before that is known.
        loaded: when the configuration in use was read.
        reload_failed: when the last reload failed, if no later one succeeded.
        paused: since when a person has stopped all sending.
        clock_trouble: the difference of this machine's clock from Inspera's, with the remedy; empty
            if the clocks agree.
    """

    alive: bool
    unreachable: str
    migrated: bool
    role: Role | None
    loaded: datetime
    reload_failed: datetime | None = None
    paused: datetime | None = None
    clock_trouble: str = ""

    @property
    def ready(self) -> bool:
        """Tell whether jobs can run here, or could if it led; a pause does not matter."""
        return self.alive and not self.unreachable and self.migrated and self.role is not None

    def document(self) -> dict[str, object]:
        """Return the document that `/readyz` shows, with times in UTC."""
        return {
            "ready": self.ready,
            "alive": self.alive,
            "state": self.unreachable or "reachable",
            "migrations": "done" if self.migrated else "pending",
            "role": self.role,
            "paused_since": _text(self.paused),
            "clock": self.clock_trouble or "right",
            "configuration": {
                "loaded_at": _text(self.loaded),
                "reload_failed_at": _text(self.reload_failed),
            },
        }


def _text(moment: datetime | None) -> str | None:
    return (
        moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        if moment
        else None
    )
