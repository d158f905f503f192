"""Checks of regular expressions, date formats and time zones in settings."""

import re
import warnings
import zoneinfo
from datetime import UTC, datetime
from difflib import get_close_matches

from sync.config_base.base import validation_error

_DIRECTIVES = re.compile(r"%(.?)", re.DOTALL)
_KNOWN = frozenset("dmyYHIMSfpzjbBaA%")
_SAMPLE = datetime(2024, 10, 18, 7, 0, tzinfo=UTC)
_DATES = (frozenset("dm"), frozenset("db"), frozenset("dB"), frozenset("j"))


def check_pattern(text: str) -> str:
    """Return the regular expression, if it is valid and has a named group."""
    if not re.compile(check_expression(text)).groupindex:
        raise validation_error("has no named group", "name the part to use, as in (?P<value>…)")
    return text


def check_expression(text: str) -> str:
    """Return the regular expression, if it is valid and its meaning will not change."""
    try:
        with warnings.catch_warnings():
            # Python warns of an expression that a later version will read differently.
            warnings.simplefilter("error")
            re.compile(text)
    except (re.error, Warning, OverflowError, RecursionError) as error:
        reason = error.msg if isinstance(error, re.error) else "its meaning depends on the version"
        raise validation_error(
            f"is not a valid regular expression ({reason})",
            "correct it, or put it in single quotes",
        ) from None
    return text


def groups_of(pattern: str) -> frozenset[str]:
    """Return the names of the groups of a valid expression."""
    return frozenset(re.compile(pattern).groupindex)


def check_format(text: str) -> str:
    """Return the date format, if it works on every machine and has year, day and hour."""
    letters = frozenset(_DIRECTIVES.findall(text))
    unknown = sorted(letters - _KNOWN)
    if unknown:
        remedy = "use %Y %m %d %H %M %S, %b or %B for the name of a month, %z for an offset"
        raise validation_error(f"has '%{unknown[0]}', which is not supported", remedy)
    if not letters & {"y", "Y"} or not any(needed <= letters for needed in _DATES):
        raise validation_error(
            "does not contain the whole date", "add the year (%Y), the month (%m) and the day (%d)"
        )
    if "H" not in letters and not {"I", "p"} <= letters:
        raise validation_error(
            "does not contain the hour",
            "add %H (or %I with %p), or combine columns with 'template'",
        )
    try:
        datetime.strptime(_SAMPLE.strftime(text), text)  # noqa: DTZ007 - only a trial of the format
    except (ValueError, re.error):
        raise validation_error(
            "is ambiguous", "write each part of the time once, with a separator between the parts"
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


def fixed_zone(name: str) -> str | None:
    """Return the zone that was probably meant, for a zone without summer time; otherwise None.

    UTC is not reported: systems use it, and nobody confuses it with local time.
    """
    plain = name.upper().removeprefix("ETC/").rstrip("0+-")
    if name.upper() in ("GREENWICH", "ETC/GREENWICH"):
        plain = "GMT"
    if plain in _FIXED:
        return _FIXED[plain]
    return "Europe/Oslo" if re.fullmatch(r"(ETC/)?GMT[+-]\d+", name.upper()) else None


def check_zone(name: str) -> str:
    """Return the time zone's name, if this machine (or the tzdata package) knows it."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        if name.upper() in _NOT_ZONES:
            raise validation_error(
                "is not a valid time zone", f"did you mean '{_NOT_ZONES[name.upper()]}'?"
            ) from None
        near = get_close_matches(name, sorted(zoneinfo.available_timezones()), n=1, cutoff=0.75)
        remedy = f"did you mean '{near[0]}'?" if near else "write a zone such as Europe/Oslo"
        raise validation_error("is not a valid time zone", remedy) from None
    return name
