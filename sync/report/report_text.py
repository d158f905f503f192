"""A report as lines of text, for a terminal, a mail or a ticket: keys, but no names of people."""

from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from sync.records.base import utc_text
from sync.records.changes import Action
from sync.report.lines import Cell, Line, TableColumn, TableRow, Tone, capped, heading, muted
from sync.report.local_time import with_local_times
from sync.report.report_items import shared_remedy
from sync.report.report_model import FieldChange, Group, Item, Report, Section, SectionName
from sync.report.report_words import value_text
from sync.report.wording import NAMES, key_text
from sync.text.masking import masked

_TONES = {SectionName.HELD: Tone.HELD, SectionName.ERRORS: Tone.ERROR}


def report_text(report: Report, most: int | None) -> Iterator[Line]:
    """Yield the lines of a report; each group has at most `most` rows, with None all of them."""
    zone = ZoneInfo(report.zone) if report.zone else None
    yield heading(report.title)
    yield Line(with_local_times(report.statement, zone))
    made = with_local_times(utc_text(report.made_at), zone)
    yield muted(f"{report.tenant}, {made}")
    if report.meaning:
        yield Line(f"Exit status {report.meaning}.")
    for notice in report.notices:
        yield Line(masked(notice), Tone.HELD)
    totals = ", ".join(f"{number:,} {name}" for name, number in report.totals.items())
    yield Line(f"Totals: {totals}.")
    for section in report.sections:
        if section.total:
            yield from _section_text(section, most, zone)


def _section_text(section: Section, most: int | None, zone: ZoneInfo | None) -> Iterator[Line]:
    yield Line("")
    yield heading(f"{section.title} ({section.total:,})")
    yield muted(section.about)
    for group in section.groups:
        yield Line(f"{group.title} ({group.total:,})", _TONES.get(section.name))
        rule = f" (rules {group.rule})" if group.rule else ""
        if group.explanation:
            yield muted(f"  {group.explanation}{rule}")
        for note in group.notes:
            yield Line(f"  {masked(note)}")
        rows = _rows(group, section.name, zone)
        yield from capped(rows, most, group.total, indent="    ")


def _rows(group: Group, section: SectionName, zone: ZoneInfo | None) -> Iterator[Line]:
    own, shared = section in _OWN_REASONS, ("", "")
    for item in group.items:
        reason = (item.reason, shared_remedy(item))
        if not own and reason not in (shared, ("", "")):
            yield Line(f"  {with_local_times(masked(_texts(reason)), zone)}:")
            shared = reason
        ends = [item.note, "" if shared_remedy(item) and not own else item.remedy]
        yield _row(item, zone, [item.reason, *ends] if own else ends)


_OWN_REASONS = frozenset({SectionName.ERRORS, SectionName.CHANGES})
"""Sections in which each row has a reason of its own."""


def _row(item: Item, zone: ZoneInfo | None, ends: Iterable[str]) -> TableRow:
    differs = item.fields if item.action == Action.UPDATE else ()
    fields = ", ".join(_field_text(field, zone) for field in differs)
    cells = (
        Cell(item.action or item.result, TableColumn.LABEL),
        Cell(item.kind, TableColumn.KIND, " "),
        Cell(key_text(item.key) if item.key else "", TableColumn.KEY, " "),
        Cell(fields, TableColumn.TEXT, ": "),
        Cell(item.place, TableColumn.TEXT, " (", ")", muted=True),
        Cell(with_local_times(_texts(ends), zone), TableColumn.TEXT, ": "),
    )
    return TableRow(cells, None, 4).rewritten(masked)


def _texts(texts: Iterable[str]) -> str:
    return "; ".join(filter(None, texts))


def _field_text(field: FieldChange, zone: ZoneInfo | None) -> str:
    if field.secret or field.name in NAMES:
        return f"{field.name} changes"  # text goes to mails and tickets: keys, no names
    before, after = (value_text(field.name, side, zone) for side in (field.before, field.after))
    return f"{field.name} {before} → {after}"
