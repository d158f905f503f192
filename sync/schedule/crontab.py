"""The five fields of crontab, as cron understands them, in a time zone.

APScheduler calculates with the calendar, in local time. It differs from cron in three ways, which
are corrected here. Its weekdays start with 0 for Monday. It requires both day of month and day of
week where cron accepts either. It repeats the times that a clock change repeats.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

WORDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_SECOND = timedelta(seconds=1)
_PART = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\d+))?")


@dataclass(frozen=True, slots=True)
class _Field:
    """One of the five fields: its name, its limits, and names for the numbers from `lowest` on."""

    name: str
    lowest: int
    highest: int
    names: tuple[str, ...] = ()

    def numbers(self, text: str) -> frozenset[int]:
        """Return the numbers that a text allows in this field."""
        return frozenset(number for part in text.split(",") for number in self._part(part))

    def _part(self, part: str) -> Sequence[int]:
        found = _PART.fullmatch(part)
        if not found:
            raise self._error(part, "is not a number, a range or a step")
        first, last, step = found["first"], found["last"], int(found["step"] or 1)
        if step < 1:
            raise self._error(part, "has a step below 1")
        if first == "*":
            if last:
                raise self._error(part, "is not a number, a range or a step")
            return range(self.lowest, self.highest + 1, step)
        begin = self._number(first, part)
        end = self._number(last, part) if last else (self.highest if found["step"] else begin)
        if end < begin:
            if last and self.names == _DAYS and end == 0:
                end = 7  # the other number of Sunday in cron, as in fri-sun
            else:
                raise self._error(
                    part, "ends before it begins; write two ranges, separated by a comma"
                )
        return range(begin, end + 1, step)

    def _number(self, text: str, part: str) -> int:
        if text.lower() in self.names:
            return self.names.index(text.lower()) + self.lowest
        if not text.isdecimal():
            raise self._error(part, f"{text!r} is neither a number nor a name of a {self.name}")
        number = int(text)
        if not self.lowest <= number <= self.highest:
            raise self._error(part, f"{number} is not from {self.lowest} to {self.highest}")
        return number

    def _error(self, part: str, reason: str) -> ValueError:
        return ValueError(f"{self.name} {part!r}: {reason}")


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 7, _DAYS),
)


def crontab(text: str, zone: str) -> "Crontab":
    """Return the schedule of five fields, or of a word such as `@daily`, in a time zone.

    Raises:
        ValueError: the fields are not valid or match no day, or the zone is not known.
    """
    time_zone = _zone(zone)
    fields = WORDS.get(text.strip().lower(), text).split()
    if fields and fields[0].startswith("@"):
        raise ValueError(f"{fields[0]!r} is not known; use {', '.join(WORDS)}, or five fields")
    if len(fields) != len(_FIELDS):
        raise ValueError(
            f"has {len(fields)} fields instead of five (minute, hour, day of the month, month, day"
            " of the week), such as '15 2 * * *' for 02:15 every day"
        )
    numbers = [each.numbers(given) for each, given in zip(_FIELDS, fields, strict=True)]
    schedule = Crontab(
        " ".join(fields), time_zone, fields[1] in ("*", "*/1"), _triggers(numbers, fields)
    )
    if schedule.next_after(datetime(2024, 1, 1, tzinfo=UTC)) is None:
        raise ValueError(
            "never fires: no such day exists; correct the day of the month or the month"
        )
    return schedule


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # KeyError: an unknown name
        raise ValueError(
            f"time zone {name!r} is not known; use a name such as Europe/Oslo"
        ) from None


def _triggers(
    numbers: Sequence[frozenset[int]], fields: Sequence[str]
) -> tuple["CronTrigger", ...]:
    """Return one trigger, or two if both kinds of days are restricted: cron runs on either."""
    from apscheduler.triggers.cron import CronTrigger

    minute, hour, day, month, weekday = numbers
    days = ",".join(map(str, sorted(day)))
    # 0 and 7 are Sunday in cron; APScheduler counts from Monday.
    weekdays = ",".join(str(number) for number in sorted({(number - 1) % 7 for number in weekday}))
    rest = {
        name: ",".join(map(str, sorted(allowed)))
        for name, allowed in (("month", month), ("hour", hour), ("minute", minute))
    }

    def trigger(**days_of: str) -> CronTrigger:
        return CronTrigger(**rest, **days_of, second="0", timezone=UTC)

    if fields[2].startswith("*") or fields[4].startswith("*"):
        return (trigger(day=days, day_of_week=weekdays),)
    return (trigger(day=days), trigger(day_of_week=weekdays))


@dataclass(frozen=True, slots=True)
class Crontab:
    """A schedule by the local time of a zone.

    With any hour (`*`), it follows elapsed time through both clock changes. With certain hours,
    each local time occurs once. A repeated time occurs the first time. Skipped times occur
    together, at the moment of the change.
    """

    fields: str
    zone: ZoneInfo
    every_hour: bool
    triggers: tuple["CronTrigger", ...] = field(compare=False, repr=False)

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first time (UTC) after a moment (aware); otherwise None."""
        before = moment.astimezone(UTC).replace(microsecond=0)
        # The offset is that of the moment itself, because the clock may change at the very start.
        start, offset = before + _SECOND, self._offset(before)
        while (due := self._due(start + offset)) is not None:
            time = due - offset
            change = self._change(start, offset, time)
            if change is None:
                if self.every_hour or not time.astimezone(self.zone).fold:
                    return time
                start = time + _SECOND  # its local time has occurred before
            elif not self.every_hour and due < change + self._offset(change):
                return change  # its local time is skipped
            else:
                start, offset = change, self._offset(change)
        return None

    def _due(self, local: datetime) -> datetime | None:
        """Return the first local time at or after another, both written as if they were UTC."""
        found = [trigger.get_next_fire_time(None, local) for trigger in self.triggers]
        return min(filter(None, found), default=None)

    def _offset(self, moment: datetime) -> timedelta:
        return moment.astimezone(self.zone).utcoffset() or timedelta()

    def _change(self, start: datetime, offset: timedelta, end: datetime) -> datetime | None:
        """Return when the offset first differs from `offset`, from `start` to `end`; else None."""
        if self._offset(start) != offset:
            return start
        before = start
        while before < end:
            after = min(before + timedelta(days=1), end)
            if self._offset(after) != offset:
                return self._second_of_change(before, after)
            before = after
        return None

    def _second_of_change(self, before: datetime, after: datetime) -> datetime:
        """Return the first second whose offset is no longer that of `before`."""
        offset = self._offset(before)
        while after - before > _SECOND:
            middle = before + timedelta(seconds=(after - before) // _SECOND // 2)
            if self._offset(middle) == offset:
                before = middle
            else:
                after = middle
        return after
