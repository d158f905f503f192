"""Durations in the configuration: one type, one spelling and one message for all of them."""

import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

from sync.config_base.base import told_one

_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds"}
_SHAPE: Final = re.compile("".join(rf"(?:([0-9]{{1,6}}){unit})?" for unit in _UNITS))
_PATTERN: Final = "^([0-9]{1,6}(d|h|m|s|ms))+$"  # editors need no more than the characters


def parse_duration(text: str) -> timedelta:
    """Return the length of `90s`, `30m`, `26h`, `7d`, `1h30m` or `200ms`.

    Raises:
        ValueError: the text is not a duration.
    """
    found = _SHAPE.fullmatch(text.strip())
    numbers = found.groups() if found else ()
    if not any(numbers):
        raise ValueError("not a duration")
    parts = zip(_UNITS.values(), numbers, strict=True)
    return timedelta(**{unit: int(number) for unit, number in parts if number})


def duration_text(duration: timedelta) -> str:
    """Return a duration as it is written in the configuration, such as `1h30m`."""
    rest = duration // timedelta(milliseconds=1)
    parts = []
    for unit, name in _UNITS.items():
        number, rest = divmod(rest, timedelta(**{name: 1}) // timedelta(milliseconds=1))
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"


_LONG: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


def rounded_duration(duration: timedelta) -> str:
    """Return a duration for people, in one unit: a long one is rounded down, such as `26h`."""
    seconds = int(duration.total_seconds())
    for unit, size in _LONG.items():
        if seconds >= size and (seconds % size == 0 or seconds >= 2 * size):
            return f"{seconds // size}{unit}"
    return "0s"


def _parsed(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    try:
        return parse_duration(str(value))
    except ValueError:
        raise told_one(
            "is not a valid duration",
            "write it with its unit, such as 200ms, 90s, 30m, 26h, 7d or 1h30m",
        ) from None


Duration = Annotated[
    timedelta,
    BeforeValidator(_parsed),
    PlainSerializer(duration_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": _PATTERN, "examples": ["90s", "26h", "1h30m"]}),
]
"""A duration, written such as `90s`, `26h` or `1h30m`. Pydantic's own spelling (`PT1H`) is
refused."""


def _not_zero(duration: timedelta) -> timedelta:
    if not duration:
        raise told_one("is zero", "give a longer duration, such as 90s")
    return duration


PositiveDuration = Annotated[Duration, AfterValidator(_not_zero)]
"""A duration that is longer than zero."""


def between(least: timedelta, most: timedelta) -> AfterValidator:
    """Return the check that a duration lies between these two, both included."""

    def check(value: timedelta) -> timedelta:
        if not least <= value <= most:
            raise told_one(
                f"is not between {duration_text(least)} and {duration_text(most)}",
                "give a duration in this range",
            )
        return value

    return AfterValidator(check)
