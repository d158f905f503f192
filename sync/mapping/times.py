"""Date-times: from the text of a source to an aware time in UTC, without guessing."""

import re
import warnings
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from sync.mapping.months import translated
from sync.mapping.rules import FieldRule, RuleError
from sync.mapping.values import BadValueError, quoted
from sync.text.masking import quoted_value

_FRACTION = re.compile(r"[.,][0-9]*[1-9]")
_CORRECT = "correct the time in the source"
_FIRST_YEAR, _LAST_YEAR = 1970, 2199
_SAMPLE = datetime(2024, 10, 18, 7, 0, tzinfo=UTC)


def compile_time(rule: FieldRule) -> Callable[[str], datetime]:
    """Return the reader of a date-time.

    By `format` and `zone`, or ISO 8601 with an offset (or without one, in `zone`).

    The reader gives an aware time in UTC and raises `BadValueError` for text that does not fit, for
    a fraction of a second, and for a local time that a clock change skips or repeats.

    Raises:
        RuleError: the zone is unknown, the format can't be read, or local times have no zone.
    """
    zone = _zone(rule.zone) if rule.zone is not None else None
    parse: Callable[[str], datetime] = _parse_iso
    if rule.format is not None:
        _try_format(rule.format)
        pattern, prepared = rule.format, None
        if rule.languages:
            pattern, prepared = translated(rule.format, rule.languages)
        if zone is None and "%z" not in rule.format:
            raise RuleError("format: local times need a 'zone', such as Europe/Oslo")
        parse = _by_format(pattern, rule.format, prepared)

    def read(text: str) -> datetime:
        return _in_utc(parse(text), zone, text)

    return read


def next_day(rule: FieldRule) -> Callable[[datetime], datetime]:
    """Return what moves a time that this rule has read to the next day.

    The time of its own clock stays the same. It raises `BadValueError` when a clock change skips or
    repeats that time.
    """
    zone = _zone(rule.zone) if rule.zone is not None else None

    def later(value: datetime) -> datetime:
        if zone is None:
            return value + timedelta(days=1)
        local = value.astimezone(zone).replace(tzinfo=None) + timedelta(days=1)
        return _in_utc(local, zone, f"{local:%Y-%m-%d %H:%M}")

    return later


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        raise RuleError(
            f"zone: {quoted(name)} is not a time zone; use an IANA name such as Europe/Oslo"
        ) from None


def _try_format(pattern: str) -> None:
    try:
        with warnings.catch_warnings():
            # A format without a year, which is refused elsewhere
            warnings.simplefilter("ignore", DeprecationWarning)
            datetime.strptime(_SAMPLE.strftime(pattern), pattern)  # noqa: DTZ007 - only tried
    except (ValueError, re.error) as error:
        raise RuleError(
            f"format: {quoted(pattern)} can't be read ({error}); use such as '%d.%m.%Y %H:%M'"
        ) from None


def _by_format(
    pattern: str, shown: str, prepared: Callable[[str], str] | None
) -> Callable[[str], datetime]:
    def parse(text: str) -> datetime:
        try:
            return datetime.strptime(prepared(text) if prepared else text, pattern)  # noqa: DTZ007 - `_in_utc` zones it
        except BadValueError:
            raise
        except (ValueError, OverflowError):
            raise BadValueError(
                f"{quoted_value(text)} does not fit the format '{shown}'", _CORRECT
            ) from None

    return parse


def _parse_iso(text: str) -> datetime:
    try:
        value = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise BadValueError(
            f"{quoted_value(text)} is not an ISO 8601 date-time, such as 2024-10-18T09:00+02:00",
            "correct the time in the source, or give the feed's 'format'",
        ) from None
    if _is_date(text):
        raise BadValueError(f"{quoted_value(text)} has no time of day", _CORRECT)
    if _FRACTION.search(text):
        # Digits beyond microseconds would be dropped silently before they could be seen below.
        value = value.replace(microsecond=1)
    return value


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _in_utc(value: datetime, zone: tzinfo | None, text: str) -> datetime:
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        reason = f"{quoted_value(text)}: the year {value.year} is not in {_FIRST_YEAR}–{_LAST_YEAR}"
        raise BadValueError(reason, _CORRECT)
    if value.microsecond:
        raise BadValueError(
            f"{quoted_value(text)} has a fraction of a second; Inspera takes whole seconds",
            _CORRECT,
        )
    if value.tzinfo is None:
        value = _localised(value, zone, text)
    return value.astimezone(UTC)


def _localised(value: datetime, zone: tzinfo | None, text: str) -> datetime:
    if zone is None:
        raise BadValueError(
            f"{quoted_value(text)} has no offset from UTC",
            "give the feed's 'zone', such as Europe/Oslo, or an offset in the source",
        )
    early, late = value.replace(tzinfo=zone, fold=0), value.replace(tzinfo=zone, fold=1)
    before, after = early.utcoffset(), late.utcoffset()
    if before is None or after is None or before == after:
        return early
    # Across a jump forward the later offset is the greater one; where the clock goes back it is the
    # smaller one.
    if before < after:
        raise BadValueError(
            f"{quoted_value(text)} does not exist in {zone}: the clock skips it", _CORRECT
        )
    raise BadValueError(
        f"{quoted_value(text)} is ambiguous in {zone}: the clock goes back and it comes twice",
        "give the time with its offset from UTC in the source",
    )
