"""Durations in the configuration: one type, one spelling and one message for all of them."""

from datetime import timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

from sync.config_base.base import validation_error
from sync.text.durations import UNITS, parse_duration

_PATTERN: Final = "^([0-9]{1,6}(d|h|m|s|ms))+$"  # for editors: it does not check the order of units


def duration_text(duration: timedelta) -> str:
    """Return a duration as it is written in the configuration, such as `1h30m`."""
    rest = duration // timedelta(milliseconds=1)
    parts = []
    for unit, name in UNITS.items():
        number, rest = divmod(rest, timedelta(**{name: 1}) // timedelta(milliseconds=1))
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"


_LONG: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


def rounded_duration(duration: timedelta) -> str:
    """Return a duration in one unit for messages; a long one is rounded down, such as `26h`."""
    seconds = int(duration.total_seconds())
    for unit, size in _LONG.items():
        if seconds >= size and (seconds % size == 0 or seconds >= 2 * size):
            return f"{seconds // size}{unit}"
    return "0s"


def _parse(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    try:
        return parse_duration(str(value))
    except ValueError:
        raise validation_error(
            "is not a valid duration",
            "write it with its unit, such as 200ms, 90s, 30m, 26h, 7d or 1h30m",
        ) from None


Duration = Annotated[
    timedelta,
    BeforeValidator(_parse),
    PlainSerializer(duration_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": _PATTERN, "examples": ["90s", "26h", "1h30m"]}),
]
"""A duration, such as `90s`, `26h` or `1h30m`. Pydantic's own spelling (`PT1H`) is refused."""


def _refuse_zero(duration: timedelta) -> timedelta:
    if not duration:
        raise validation_error("is zero", "give a longer duration, such as 90s")
    return duration


PositiveDuration = Annotated[Duration, AfterValidator(_refuse_zero)]
"""A duration that is longer than zero."""


def between(least: timedelta, most: timedelta) -> AfterValidator:
    """Return a check that a duration is not below `least` and not above `most`."""

    def check(value: timedelta) -> timedelta:
        if not least <= value <= most:
            raise validation_error(
                f"is not between {duration_text(least)} and {duration_text(most)}",
                "give a duration in this range",
            )
        return value

    return AfterValidator(check)
