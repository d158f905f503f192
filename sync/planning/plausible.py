"""The times at which a feed's tests may be, by its `plausible` setting. Pure (rules 35)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The days of a week as the configuration names them, in the order of `datetime.weekday`."""

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlausibleTimes:
    """The plausible times of tests; what lies outside is held until a person allows it.

    Attributes:
        move: how far the start or the end of a test may move unasked. A wrong year or century
            moves it farther.
        first: the first day of a test; None for any.
        last: the last day of a test; None for any.
        weekdays: the days of the week, 0 for Monday; empty for all.
        hours: the full hours between which a test starts and ends; None for all.
        zone: the time zone of days and hours.
    """

    move: timedelta = timedelta(days=60)
    first: date | None = None
    last: date | None = None
    weekdays: tuple[int, ...] = ()
    hours: tuple[int, int] | None = None
    zone: tzinfo = UTC

    def doubts_about(self, name: str, time: datetime) -> Iterator[str]:
        """Yield why the start or the end of a test is not plausible. `name` is `start` or `end`."""
        local = time.astimezone(self.zone)
        # An end at midnight belongs to the day before, and an end at 21:00 is not after 21:00.
        inside = local if name == "start" else (time - _SECOND).astimezone(self.zone)
        shown = f"its {name} would be {WEEKDAYS[local.weekday()].capitalize()} "
        shown += f"{local:%Y-%m-%d %H:%M} {self.zone}"
        reasons = (*self._outside_days(inside), *self._outside_hours(name, inside, local))
        if reasons:
            yield f"{shown}: {', '.join(reasons)}"

    def _outside_days(self, inside: datetime) -> Iterator[str]:
        day = inside.date()
        if self.first and day < self.first:
            yield f"{_days(self.first - day)} before {self.first} (plausible.between)"
        if self.last and day > self.last:
            yield f"{_days(day - self.last)} after {self.last} (plausible.between)"
        if self.weekdays and day.weekday() not in self.weekdays:
            named = ", ".join(WEEKDAYS[number] for number in self.weekdays)
            yield f"not on one of {named} (plausible.weekdays)"

    def _outside_hours(self, name: str, inside: datetime, local: datetime) -> Iterator[str]:
        if self.hours is None:
            return
        earliest, latest = self.hours
        minutes = inside.hour * 60 + inside.minute
        shown = local.hour * 60 + local.minute
        if minutes < earliest * 60:
            early = timedelta(minutes=earliest * 60 - shown)
            yield f"{span_text(early)} before {earliest}:00 (plausible.hours)"
        elif minutes >= latest * 60:
            midnight = shown or 24 * 60
            late = timedelta(minutes=(shown if name == "start" else midnight) - latest * 60)
            late_by = f"{span_text(late)} after {latest}:00" if late else f"not before {latest}:00"
            yield f"{late_by} (plausible.hours)"


def span_text(length: timedelta) -> str:
    """Return a length of time in whole units, such as `2 h` or `90 min`."""
    minutes = int(length.total_seconds()) // 60
    hours = f"{minutes // 60:,} h" if minutes >= 60 else ""
    return f"{hours} {minutes % 60} min".strip() if minutes % 60 or not hours else hours


def _days(length: timedelta) -> str:
    return f"{length.days:,} day{'' if length.days == 1 else 's'}"
