"""The setting `plausible` of a test feed: the times at which its tests may be."""

from datetime import UTC, date, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, field_validator

from sync.config.patterns import check_zone
from sync.config_base.base import Strict, require_entries, validation_error
from sync.config_base.durations import Duration, between
from sync.planning.plausible import WEEKDAYS, PlausibleTimes


def _parse_day(value: object) -> object:
    """Return the day that a text such as `2026-08-01` means."""
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise validation_error("is not a day", "write it such as 2026-08-01") from None


Day = Annotated[
    date, BeforeValidator(_parse_day), WithJsonSchema({"type": "string", "format": "date"})
]
_Move = Annotated[Duration, between(timedelta(0), timedelta(days=3660))]
Hour = Annotated[int, Field(ge=0, le=24)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class PlausibleSettings(Strict):
    """The times at which the tests of a feed may be. A test outside of them is held."""

    between: tuple[Day, Day] | None = None
    """The first and the last day of a test, such as `[2026-08-01, 2027-07-31]`. Default: any day."""
    move: _Move = PlausibleTimes().move
    """How far the start or the end of a known test may move."""
    weekdays: Annotated[tuple[Weekday, ...], AfterValidator(require_entries)] | None = None
    """The days of the week on which tests start and end: `mon`, `tue`, `wed`, `thu`, `fri`, `sat`,
    `sun`. Default: all."""
    hours: tuple[Hour, Hour] | None = None
    """The full hours of the day between which tests start and end, such as `[7, 21]`; `24` is
    midnight. Default: all."""
    zone: str | None = None
    """The time zone of these days and hours. Default: that of the feed's `start`."""

    @field_validator("zone")
    @classmethod
    def _check_zone(cls, value: str | None) -> str | None:
        return None if value is None else check_zone(value)

    @field_validator("between")
    @classmethod
    def _check_days(cls, value: tuple[date, date] | None) -> tuple[date, date] | None:
        if value is not None and value[0] > value[1]:
            raise validation_error(
                "has its last day before its first", "write the first day, then the last one"
            )
        return value

    @field_validator("hours")
    @classmethod
    def _check_hours(cls, value: tuple[int, int] | None) -> tuple[int, int] | None:
        if value is not None and value[0] >= value[1]:
            raise validation_error(
                "does not end after it begins", "write the first hour, then a later one"
            )
        return value

    @property
    def needs_zone(self) -> bool:
        """Tell whether days or hours are set, which mean nothing without a time zone."""
        return bool(self.between or self.weekdays or self.hours) and self.zone is None

    def as_times(self, zone: str | None) -> PlausibleTimes:
        """Return the plausible times; `zone` is that of the feed's `start`."""
        name = self.zone or zone
        return PlausibleTimes(
            move=self.move,
            first=self.between[0] if self.between else None,
            last=self.between[1] if self.between else None,
            weekdays=tuple(sorted(WEEKDAYS.index(day) for day in self.weekdays or ())),
            hours=self.hours,
            zone=ZoneInfo(name) if name else UTC,
        )
