"""How the service is, as `/healthz` and `/readyz` tell it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Role = Literal["leader", "standby"]


class Heartbeat:
    """Whether the loop that would hang still turns: it calls `beat`, and anybody may ask. Thread-safe.

    `longest` is how many seconds may pass from one beat to the next; `monotonic` gives seconds from any origin.
    """

    def __init__(self, longest: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._longest, self._monotonic = longest, monotonic
        self._lock = threading.Lock()
        self._last = monotonic()

    def beat(self) -> None:
        """The loop has come round."""
        with self._lock:
            self._last = self._monotonic()

    @property
    def silent(self) -> float:
        """Seconds since the last beat."""
        with self._lock:
            return self._monotonic() - self._last

    @property
    def alive(self) -> bool:
        """Whether the last beat is recent enough."""
        return self.silent <= self._longest


@dataclass(frozen=True, slots=True)
class Health:
    """What the service knows of itself. Times are aware.

    Attributes:
        alive: whether its loop still turns.
        unreachable: why the state can't be used just now; empty when it can.
        migrated: whether the tables of the state are of this version.
        role: whether this replica may write; None before that is known.
        loaded: when the configuration in use was read.
        reload_failed: when a newer configuration was found invalid, if that was the last that happened to it.
        paused: since when a person has stopped all sending.
        clock_trouble: what is wrong with this machine's clock, by Inspera's last answers; empty when nothing is.
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
        """Whether jobs can run here, or could once this replica leads. A pause is somebody's wish, and no row error."""
        return self.alive and not self.unreachable and self.migrated and self.role is not None

    def document(self) -> dict[str, object]:
        """As `/readyz` shows it, with times in UTC."""
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
