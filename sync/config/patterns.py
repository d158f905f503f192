"""Checks of the small languages inside settings.

Regular expressions, date formats and time zones.
"""

import re
import warnings
import zoneinfo
from datetime import UTC, datetime
from difflib import get_close_matches

from sync.config_base.base import told_one

_DIRECTIVES = re.compile(r"%(.?)", re.DOTALL)
_KNOWN = frozenset("dmyYHIMSfpzjbBaA%")
_SAMPLE = datetime(2024, 10, 18, 7, 0, tzinfo=UTC)
_DATES = (frozenset("dm"), frozenset("db"), frozenset("dB"), frozenset("j"))


def checked_pattern(text: str) -> str:
    """Return the regular expression, if it compiles without doubt and names a group."""
    if not re.compile(checked_expression(text)).groupindex:
        raise told_one("has no named group", "name the part to take, as in (?P<value>…)")
    return text


def checked_expression(text: str) -> str:
    """Return the regular expression, if it compiles without doubt."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "error"
            )  # a doubtful expression is one that the next Python may read differently
            re.compile(text)
    except (re.error, Warning, OverflowError, RecursionError) as error:
        reason = error.msg if isinstance(error, re.error) else "it can't be read with certainty"
        raise told_one(
            f"is not a valid regular expression ({reason})",
            "correct it, or put it in single quotes",
        ) from None
    return text


def groups_of(pattern: str) -> frozenset[str]:
    """Return the names of a sound expression's groups."""
    return frozenset(re.compile(pattern).groupindex)


def checked_format(text: str) -> str:
    """Return the date format, if any machine can read it and it has year, day and hour."""
    letters = frozenset(_DIRECTIVES.findall(text))
    unknown = sorted(letters - _KNOWN)
    if unknown:
        remedy = "use %Y %m %d %H %M %S, %b or %B for a month's name, %z for an offset"
        raise told_one(f"has '%{unknown[0]}', which is not understood here", remedy)
    if not letters & {"y", "Y"} or not any(needed <= letters for needed in _DATES):
        raise told_one(
            "does not say the whole date", "give the year (%Y), the month (%m) and the day (%d)"
        )
    if "H" not in letters and not {"I", "p"} <= letters:
        raise told_one(
            "does not say the hour", "add %H (or %I with %p), or join columns by 'template'"
        )
    try:
        datetime.strptime(_SAMPLE.strftime(text), text)  # noqa: DTZ007 - only tried, to find what is said twice
    except (ValueError, re.error):
        raise told_one(
            "can't be read back", "say each part of the time once, with something between the parts"
        ) from None
    return text


_NOT_ZONES = {
    "BST": "Europe/London", "CEST": "Europe/Oslo", "EEST": "Europe/Helsinki",
    "IST": "Europe/Dublin", "WEST": "Europe/Lisbon", "EDT": "America/New_York",
    "PST": "America/Los_Angeles", "PDT": "America/Los_Angeles",
    "CST": "America/Chicago", "CDT": "America/Chicago",
    "AEST": "Australia/Sydney", "AEDT": "Australia/Sydney",
    "NZST": "Pacific/Auckland", "NZDT": "Pacific/Auckland",
}  # fmt: skip
_FIXED = {"GMT": "Europe/London", "EST": "America/New_York", "MST": "America/Denver"}


def fixed_zone(name: str) -> str:
    """Return which zone was perhaps meant by one whose clock is never changed.

    The answer is `""` if the zone is not doubtful. UTC is not: systems use it, and nobody takes it
    for the clock on a wall.
    """
    plain = name.upper().removeprefix("ETC/").rstrip("0+-")
    if name.upper() in ("GREENWICH", "ETC/GREENWICH"):
        plain = "GMT"
    if plain in _FIXED:
        return _FIXED[plain]
    return "Europe/Oslo" if re.fullmatch(r"(ETC/)?GMT[+-]\d+", name.upper()) else ""


def checked_zone(name: str) -> str:
    """Return the time zone's name, if this machine (or the tzdata package) knows it."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        if name.upper() in _NOT_ZONES:
            raise told_one(
                "is not a valid time zone", f"did you mean '{_NOT_ZONES[name.upper()]}'?"
            ) from None
        near = get_close_matches(name, sorted(zoneinfo.available_timezones()), n=1, cutoff=0.75)
        remedy = f"did you mean '{near[0]}'?" if near else "write one such as Europe/Oslo"
        raise told_one("is not a valid time zone", remedy) from None
    return name
