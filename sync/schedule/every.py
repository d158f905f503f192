"""Intervals: `every: 30m`. They count from the same moment everywhere, so that all processes say the same times."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_SHAPE = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?")


def duration(text: str) -> timedelta:
    """How long `90s`, `30m`, `6h`, `1d` or `1h30m` is.

    Raises:
        ValueError: it is none of these, nothing at all, or longer than anybody waits.
    """
    found = _SHAPE.fullmatch(text.strip())
    parts = dict(zip(_UNITS.values(), found.groups(), strict=True)) if found else {}
    if not any(parts.values()):
        raise ValueError(
            "write how long in days, hours, minutes and seconds, such as 90s, 30m, 6h, 1d or 1h30m"
        )
    return timedelta(**{unit: int(number) for unit, number in parts.items() if number})


@dataclass(frozen=True, slots=True)
class Every:
    """A schedule of equal steps of elapsed time, counted from midnight UTC of 1 January 1970."""

    step: timedelta

    def next_after(self, moment: datetime) -> datetime:
        """The first time (UTC) after a moment (aware)."""
        return _EPOCH + ((moment - _EPOCH) // self.step + 1) * self.step
