"""Intervals: `every: 30m`."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Every:
    """A schedule of equal steps of elapsed time.

    The steps count from midnight UTC of 1 January 1970, so all processes agree on the times.
    """

    step: timedelta

    def next_after(self, moment: datetime) -> datetime:
        """Return the first time (UTC) after a moment (aware)."""
        return _EPOCH + ((moment - _EPOCH) // self.step + 1) * self.step
