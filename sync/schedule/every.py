"""Intervals: `every: 30m`. They count from the same moment everywhere, so that all processes say the same times."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Every:
    """A schedule of equal steps of elapsed time, counted from midnight UTC of 1 January 1970."""

    step: timedelta

    def next_after(self, moment: datetime) -> datetime:
        """The first time (UTC) after a moment (aware)."""
        return _EPOCH + ((moment - _EPOCH) // self.step + 1) * self.step
