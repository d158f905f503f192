"""The values of a mapped row that may be shown: no secrets, identity numbers masked."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from sync.config import Configuration, Feed, FieldSettings, TimeSettings
from sync.config.fields import placeholders
from sync.contract import OptionRule
from sync.mapping import CompiledFeed
from sync.records.base import Kind, Row, listed, utc_text
from sync.records.candidate import SHARES
from sync.records.checks import email_errors
from sync.records.kinds import PEOPLE, Record
from sync.report.sampled import HIDDEN, MappedRecord, SampleOutcome, Shown, ShownTime
from sync.text.masking import masked


def hidden_columns(loaded: Configuration, place: str) -> frozenset[str]:
    """Return the columns at this place that some feed maps to a secret, as own or joined columns.

    By the place, as two sources may be the same file.
    """
    settings, folder = loaded.settings, loaded.folder
    options = settings.inspera.options_in_force()
    named = [name for name, source in settings.sources.items() if source.place(folder) == place]
    found: set[str] = set()
    for feed in settings.feeds:
        columns = {
            column
            for name in _secrets(feed, options)
            for column in _columns(feed.fields().get(name))
        }
        if feed.source in named:
            found |= columns
        for source in feed.join:
            if source in named:
                found |= {
                    column.removeprefix(f"{source}.")
                    for column in columns
                    if column.startswith(f"{source}.")
                }
    return frozenset(found)


def hidden_for(loaded: Configuration, feed: Feed) -> frozenset[str]:
    """Return the hidden columns of a feed's own source and, by the feed's names, of joined ones."""
    places = {name: source.place(loaded.folder) for name, source in loaded.settings.sources.items()}
    joined = {
        f"{name}.{column}" for name in feed.join for column in hidden_columns(loaded, places[name])
    }
    return hidden_columns(loaded, places[feed.source]) | joined


def hidden_fields(
    feed: Feed, options: Mapping[str, OptionRule], hidden: frozenset[str]
) -> frozenset[str]:
    """Return the fields of a feed that are secrets, or are made of a column that holds one."""
    mixed = {name for name, spec in feed.fields().items() if hidden.intersection(_columns(spec))}
    return frozenset(mixed.union(_secrets(feed, options)))


def _secrets(feed: Feed, options: Mapping[str, OptionRule]) -> tuple[str, ...]:
    """Return the fields that are, or for some rows may be, a secret."""
    if feed.kind in PEOPLE:
        return ("password",)
    if feed.kind is not Kind.OPTION:
        return ()
    rule = options.get((feed.fields()["option"].constant or "").strip().upper())
    return () if rule is not None and not rule.secret and rule.type != "pin" else ("value",)


def _columns(spec: FieldSettings | None) -> Iterator[str]:
    """Return the columns of which a field is made."""
    if spec is None:
        return
    if spec.column is not None:
        yield spec.column
    if spec.template is not None and spec.pattern is None:
        yield from placeholders(spec.template)
    for one in spec.first_of or ():
        yield from placeholders(one) if "{" in one else (one,)


def made_of(
    number: int,
    feed: Feed,
    mapper: CompiledFeed,
    row: Row,
    joined: Mapping[str, str],
    hidden: frozenset[str],
) -> MappedRecord:
    """Return what this feed makes of a row that has all its columns."""
    departure = mapper.departure(row) if mapper.has_departures else None
    if isinstance(departure, tuple):
        key = {"key": masked(" / ".join(departure))}
        return MappedRecord(number, mapper.kind, SampleOutcome.DEPARTS, joined, key)
    mapped = departure if departure is not None else mapper.map(row)
    if mapped is None:
        return MappedRecord(number, mapper.kind, SampleOutcome.SKIPPED, joined)
    if isinstance(mapped, list):
        return MappedRecord(
            number, mapper.kind, SampleOutcome.ROW_ERRORS, joined, row_errors=mapped
        )
    row_errors = email_errors(mapped, f"{mapper.place} {row.line}")
    fields = {name: _shown(mapped, name, spec, hidden) for name, spec in feed.fields().items()}
    return MappedRecord(
        number,
        mapper.kind,
        SampleOutcome.ROW_ERRORS if row_errors else SampleOutcome.RECORD,
        joined,
        fields,
        row_errors,
    )


def _shown(record: Record, name: str, spec: FieldSettings, hidden: frozenset[str]) -> Shown:
    """Return a field of a record as it may be shown; None if left alone, '' if cleared."""
    value = _value(record, name)
    if value is None:
        return None
    if value == "":
        return ""
    if name in hidden:
        return HIDDEN
    if isinstance(value, datetime):
        return _moment(value, spec.zone if isinstance(spec, TimeSettings) else None)
    return masked(", ".join(listed(str(value))))


def _value(record: Record, name: str) -> str | int | datetime | None:
    """Return what the record has for a field of the map; two of these are elsewhere in it."""
    value: str | int | datetime | None = getattr(record, name)
    if value is None and name == "value":
        return getattr(record, "secret", None)
    share = getattr(record, "extra_share", None) if name == "extra_time" else None
    return value if share is None else f"{share * 100 / SHARES:.6g}% of the duration"


def _moment(time: datetime, zone: str | None) -> ShownTime:
    if zone is None:
        return ShownTime(utc_text(time))
    return ShownTime(
        utc_text(time), time.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M"), zone
    )
