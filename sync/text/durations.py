"""Lengths of time as text, such as `90s`, `26h` or `1h30m`: one spelling everywhere."""

import re
from datetime import timedelta
from typing import Final

UNITS: Final = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds"}
_SHAPE: Final = re.compile("".join(rf"(?:([0-9]{{1,6}}){unit})?" for unit in UNITS))


def parse_duration(text: str) -> timedelta:
    """Return the length of `90s`, `30m`, `26h`, `7d`, `1h30m` or `200ms`.

    Raises:
        ValueError: the text is not a duration.
    """
    match = _SHAPE.fullmatch(text.strip())
    numbers = match.groups() if match else ()
    if not any(numbers):
        raise ValueError("not a duration")
    parts = zip(UNITS.values(), numbers, strict=True)
    return timedelta(**{unit: int(number) for unit, number in parts if number})
