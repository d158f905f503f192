"""How a source writes times, durations and full names, by its first rows; None in doubt."""

import re
from collections.abc import Iterable
from datetime import datetime

FORMATS = (
    "",
    "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%y %H:%M", "%d.%m.%Y %H.%M", "%d.%m.%Y kl. %H:%M",
    "%d-%m-%Y %H:%M", "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H.%M",
    "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M %p", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H.%M", "%Y%m%d %H:%M",
    "%Y%m%d %H%M", "%Y%m%d%H%M",
)  # fmt: skip
"""Formats of times; the first stands for ISO 8601."""

_LONGEST_DATE = 10
"""Characters of a date without a time in ISO 8601, such as `2026-12-01`."""

_DURATIONS: dict[str, str] = {
    "hh:mm": r"[0-9]{1,3}:[0-5][0-9]",
    "iso8601": r"P(T|[0-9]).*",
    "hours": r"[0-9]{1,2}[.,][0-9]+|[0-9]|1[0-2]",
    "number": r"[0-9]{2,6}",
}
_FAMILY_FIRST = r"[^,]*[^, ][^,]*,[^,]*[^, ][^,]*"


def time_format(texts: Iterable[str]) -> str | None:
    """Return the only format that fits all of these times; '' for ISO 8601, None without one.

    Days and months in American and in European order fit the same texts, until a day is above 12.
    """
    given = _given(texts)
    fitting = [form for form in FORMATS if all(_is_time(text, form) for text in given)]
    return fitting[0] if given and len(fitting) == 1 else None


def _is_time(text: str, form: str) -> bool:
    try:
        if form:
            datetime.strptime(text, form)  # noqa: DTZ007 - only tried
        else:
            datetime.fromisoformat(text)
    except ValueError:
        return False
    return bool(form) or len(text) > _LONGEST_DATE


def duration_form(texts: Iterable[str]) -> str | None:
    """Return the form of durations: `number`, `hours`, `hh:mm` or `iso8601`; None if unknown."""
    given = _given(texts)
    fitting = [
        form
        for form, pattern in _DURATIONS.items()
        if all(re.fullmatch(pattern, text) for text in given)
    ]
    return fitting[0] if given and len(fitting) == 1 else None


def family_first(texts: Iterable[str]) -> bool:
    """Tell whether full names are written `Family, Given`, each with one comma."""
    given = _given(texts)
    return bool(given) and all(re.fullmatch(_FAMILY_FIRST, text) for text in given)


def _given(texts: Iterable[str]) -> list[str]:
    return [text.strip() for text in texts if text.strip()]
