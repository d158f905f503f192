"""Durations as the configuration writes them: `90s`, `26h`, `1h30m`."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, StringConstraints

from sync.config_base.base import told_one

_SIZES = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_SHAPE = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?")
_SCHEMA = r"^[0-9]{1,6}[dhms]([0-9]{1,6}[hms]){0,3}$"
_REMEDY = "write it with its unit, such as 90s, 30m, 6h, 1d or 1h30m"


def parse_duration(text: str) -> timedelta:
    """Return the duration that a text such as `90s`, `30m`, `6h`, `1d` or `1h30m` means.

    Raises:
        ValueError: the text is not a duration.
    """
    found = _SHAPE.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        raise ValueError(_REMEDY)
    numbers = zip(_SIZES.values(), found.groups(), strict=True)
    return timedelta(seconds=sum(size * int(number or 0) for size, number in numbers))


def duration_text(duration: timedelta) -> str:
    """Return a duration as the configuration writes it, to the second, such as `1h30m`."""
    seconds = int(duration.total_seconds())
    parts = []
    for unit, size in _SIZES.items():
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"


def rounded_duration(duration: timedelta) -> str:
    """Return a duration for people, in one unit: a long one is rounded down, such as `26h`."""
    seconds = int(duration.total_seconds())
    for unit, size in _SIZES.items():
        if seconds >= size and (seconds % size == 0 or seconds >= 2 * size):
            return f"{seconds // size}{unit}"
    return "0s"


def _parsed(value: object) -> object:
    """Parse our own notation: pydantic's (ISO 8601) is not what people write in such files."""
    if isinstance(value, timedelta):
        return value
    try:
        return parse_duration(value if isinstance(value, str) else "")
    except ValueError as error:
        raise told_one("is not a duration", str(error)) from None


def _not_zero(duration: timedelta) -> timedelta:
    if not duration:
        raise told_one("is zero", "give a longer duration, such as 90s")
    return duration


Duration = Annotated[
    timedelta,
    BeforeValidator(
        _parsed, json_schema_input_type=Annotated[str, StringConstraints(pattern=_SCHEMA)]
    ),
    PlainSerializer(duration_text, return_type=str, when_used="json"),
]
"""A duration, such as `90s`, `26h` or `1h30m`."""

PositiveDuration = Annotated[Duration, AfterValidator(_not_zero)]
"""A duration that is longer than zero."""
