"""Durations and extra time.

Whole minutes, written in one of four ways, or a share of the test's duration.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from sync.mapping.rules import FieldRule, RuleError
from sync.mapping.values import BadValueError, quoted
from sync.records.candidate import SHARES
from sync.text.masking import quoted_value

MAX_EXTRA_PERCENT = 100
"""Extra time is at most as long as the test, which is checked again once the test's duration is
known."""

_NUMBER = re.compile(r"[0-9]{1,6}")
_CLOCK = re.compile(r"([0-9]{1,3}):([0-5][0-9])")
_HOURS = re.compile(r"[0-9]{1,4}(?:[.,][0-9]{1,6})?")
_ISO = re.compile(
    r"P(?=.)(?:([0-9]{1,3})D)?(?:T(?=.)(?:([0-9]{1,4})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,8})S)?)?"
)
_WHOLE = re.compile(r"([0-9]{1,6})[.,]0{1,3}")
_SHARE = r"\+? ?([0-9]{1,3}(?:[.,][0-9]{1,3})?)"
_MIN = r"(?:min(?:s|utes?|utt(?:er)?|uter|uten|\.)?)"
_PERCENT = re.compile(rf"{_SHARE} ?%")
_AN_HOUR = re.compile(
    rf"{_SHARE} ?{_MIN} ?(?:/|per|pro|pr\.?|i) ?"
    r"(?:h|hours?|hrs?|t|timer?|timme|tim|stunde|std\.?|uur|60 ?min)",
    re.IGNORECASE,
)
_PLUS = re.compile(r"\A\+ ?(?=[0-9])")
_UNIT = re.compile(rf"(?<=[0-9]) ?{_MIN}\Z", re.IGNORECASE)
_CORRECT = "correct the duration in the source, or the feed's 'minutes'"


class Share(int):
    """Extra time as a share of the test's duration, in `SHARES`.

    A class of its own, to tell it from minutes.
    """


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise BadValueError(f"{quoted_value(text)} is not a whole number of minutes", _CORRECT)
    return int(text)


def _clock(text: str) -> int:
    match = _CLOCK.fullmatch(text)
    if not match:
        raise BadValueError(
            f"{quoted_value(text)} is not hours and minutes, such as 4:30", _CORRECT
        )
    return int(match[1]) * 60 + int(match[2])


def _hours(text: str) -> int:
    if not _HOURS.fullmatch(text):
        raise BadValueError(
            f"{quoted_value(text)} is not a number of hours, such as 4.5 or 4,5", _CORRECT
        )
    minutes = Decimal(text.replace(",", ".")) * 60
    if minutes != int(minutes):
        raise BadValueError(f"{quoted_value(text)} hours are not whole minutes", _CORRECT)
    return int(minutes)


def _iso(text: str) -> int:
    match = _ISO.fullmatch(text)
    if not match:
        raise BadValueError(
            f"{quoted_value(text)} is not an ISO 8601 duration, such as PT4H30M", _CORRECT
        )
    days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
    if seconds % 60:
        raise BadValueError(f"{quoted_value(text)} is not whole minutes", _CORRECT)
    return (days * 24 + hours) * 60 + minutes + seconds // 60


_WAYS: Mapping[str, Callable[[str], int]] = {
    "number": _number,
    "hh:mm": _clock,
    "hours": _hours,
    "iso8601": _iso,
}


def _way(rule: FieldRule) -> Callable[[str], int]:
    name = "number" if rule.minutes is None else rule.minutes
    if name not in _WAYS:
        raise RuleError(f"minutes: {quoted(name)} is unknown; use one of {', '.join(_WAYS)}")
    return _WAYS[name]


def compile_duration(rule: FieldRule) -> Callable[[str], int]:
    """Return the reader of a test's duration in whole minutes, more than 0.

    Raises:
        RuleError: the rule's `minutes` is not one of the four ways.
    """
    parse = _way(rule)

    def read(text: str) -> int:
        minutes = parse(text)
        if minutes == 0:
            raise BadValueError("a duration of 0 minutes", _CORRECT)
        return minutes

    return read


def compile_extra_time(rule: FieldRule) -> Callable[[str], int]:
    """Return the reader of extra time.

    Whole minutes, or a `Share` from `25%`, `33.3 %`, `+12,5%` or `15 min/h`.

    Raises:
        RuleError: the rule's `minutes` is not one of the four ways.
    """
    parse = _way(rule)
    number = parse is _number

    def read(text: str) -> int:
        if match := _PERCENT.fullmatch(text):
            return _share(match[1], 100, text)
        if match := _AN_HOUR.fullmatch(text):
            return _share(match[1], 60, text)
        text = _PLUS.sub("", text, count=1)
        if number:
            whole = _WHOLE.fullmatch(_UNIT.sub("", text, count=1))
            text = whole[1] if whole else _UNIT.sub("", text, count=1)
        return parse(text)

    return read


def _share(number: str, whole: int, text: str) -> Share:
    """Return the exact share that `number` is of `whole`.

    Neither a third of a percent nor a minute an hour is rounded.
    """
    share = Decimal(number.replace(",", ".")) * SHARES / whole
    if share > SHARES * MAX_EXTRA_PERCENT // 100:
        reason = f"{quoted_value(text)} of extra time is more than the test's own duration"
        raise BadValueError(reason, "correct it in the source")
    return Share(int(share))
