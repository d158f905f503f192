"""How a source writes times, durations and whole names, by its first rows; None in doubt."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from sync.mapping.times import is_date

FORMATS = (
    "",
    "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%y %H:%M", "%d.%m.%Y %H.%M", "%d.%m.%Y kl. %H:%M",
    "%d-%m-%Y %H:%M", "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H.%M",
    "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M %p", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H.%M", "%Y%m%d %H:%M",
    "%Y%m%d %H%M", "%Y%m%d%H%M",
)  # fmt: skip
"""Ways of writing a time; the first stands for ISO 8601."""

_MINUTES: dict[str, str] = {
    "hh:mm": r"[0-9]{1,3}:[0-5][0-9]",
    "iso8601": r"P(T|[0-9]).*",
    "hours": r"[0-9]{1,2}[.,][0-9]+|[0-9]|1[0-2]",
    "number": r"[0-9]{2,6}",
}


def time_format(texts: Sequence[str]) -> str | None:
    """Return the only format that fits all of these times; '' for ISO 8601, None without one.

    Days and months in American and in European order fit the same texts, until a day is above 12.
    """
    given = [text.strip() for text in texts if text.strip()]
    fitting = [one for one in FORMATS if all(map(_reader(one), given))]
    return fitting[0] if given and len(fitting) == 1 else None


def _reader(pattern: str) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            if pattern:
                datetime.strptime(text, pattern)  # noqa: DTZ007 - only tried
                return True
            datetime.fromisoformat(text)
        except ValueError:
            return False
        return not is_date(text)

    return fits


def minutes_way(texts: Sequence[str]) -> str | None:
    """Return the form of durations: `number`, `hours`, `hh:mm` or `iso8601`; None if unknown."""
    given = [text.strip() for text in texts if text.strip()]
    fitting = [
        way
        for way, pattern in _MINUTES.items()
        if all(re.fullmatch(pattern, text) for text in given)
    ]
    return fitting[0] if given and len(fitting) == 1 else None


def family_first(texts: Sequence[str]) -> bool:
    """Tell whether whole names are written `Family, Given`, each with one comma."""
    given = [text.strip() for text in texts if text.strip()]
    return bool(given) and all(
        re.fullmatch(r"[^,]*[^, ][^,]*,[^,]*[^, ][^,]*", text) for text in given
    )
