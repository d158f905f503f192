"""A sample as text: side by side on a wide terminal, otherwise one below the other."""

from collections.abc import Iterator, Mapping
from io import StringIO
from typing import TYPE_CHECKING

from sync.records.base import RowError
from sync.report.sampled import MappedRecord, Sample, SampledRow, SampleOutcome, Shown, ShownTime
from sync.report.wording import plural
from sync.text.characters import escaped
from sync.text.masking import masked

if TYPE_CHECKING:
    from rich.text import Text

LEAST_WIDTH, MOST_WIDTH = 36, 70
"""Characters that a column needs to be read side by side with others, and that are of use to it."""

MOST_SHOWN = 200
"""Characters of one value that are shown."""


def sample_text(sample: Sample, width: int | None) -> Iterator[str]:
    """Yield the sample's lines; as tables where `width` (None: no terminal) has room for them."""
    for row in sample.rows:
        columns = 1 + len(row.records)
        if width is not None and width >= columns * LEAST_WIDTH:
            yield from _table(row, min(width, columns * MOST_WIDTH))
        else:
            yield from _stacked(row)
        yield ""
    if not sample.rows:
        names = ", ".join(map(printable, sample.columns))
        yield f"{sample.place} has no row; its columns are {names}."
    for problem in sample.problems:
        yield f"Source: {printable(masked(problem))}"
    yield from map(printable, sample.notes)
    if sample.rows:
        row_errors = (
            plural(sample.row_errors, "row error") if sample.row_errors else "No row errors"
        )
        these = "this row" if len(sample.rows) == 1 else f"these {len(sample.rows)} rows"
        yield f"{row_errors} in {these}; `check` reads them all."


def printable(text: str) -> str:
    """Return the text in one line for a terminal: unprintable characters escaped, long text cut."""
    line = escaped(text).replace("\n", "\\n")
    return line if len(line) <= MOST_SHOWN else f"{line[:MOST_SHOWN]}… ({len(text):,} characters)"


def _stacked(row: SampledRow) -> Iterator[str]:
    yield printable(row.place)
    yield "  as read"
    yield from _named(row.cells)
    for record in row.records:
        yield f"  {_title(record)}{_remark(record)}"
        yield from _named(record.joined)
        yield from _named({name: value_text(value) for name, value in record.fields.items()})
        for row_error in record.row_errors:
            yield f"    row error: {row_error_words(row_error)}"


def _named(values: Mapping[str, str]) -> Iterator[str]:
    width = max((len(printable(name)) for name in values), default=0)
    for name, text in values.items():
        yield f"    {printable(name):<{width}}  {printable(text)}".rstrip()


def _title(record: MappedRecord) -> str:
    return f"feeds[{record.feed}] {record.kind}"


def _remark(record: MappedRecord) -> str:
    """Return why a row makes no record; empty when it makes one."""
    if record.outcome is SampleOutcome.SKIPPED:
        return ": not selected"
    if record.outcome is SampleOutcome.DEPARTS:
        return ": says that this record departs"
    return f": {plural(len(record.row_errors), 'row error')}" if record.row_errors else ""


def value_text(value: Shown) -> str:
    """Return a field's value in words."""
    if value is None:
        return "(left alone)"
    if value == "":
        return "(cleared)"
    if isinstance(value, ShownTime):
        return f"{value.utc} ({value.local} {value.zone})" if value.zone else value.utc
    return value


def row_error_words(row_error: RowError) -> str:
    """Return a row error without its place, which is printed above it."""
    return printable(masked(f"{row_error.field}: {row_error.reason}; {row_error.remedy}"))


def _table(row: SampledRow, width: int) -> Iterator[str]:
    """Yield the row as a table: as read on the left, then a column for each feed."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=SIMPLE_HEAD, title=Text(printable(row.place)), title_justify="left", width=width
    )
    table.add_column("as read", ratio=1, overflow="fold")
    for record in row.records:
        table.add_column(Text(_title(record)), ratio=1, overflow="fold")
    table.add_row(_cell(row.cells), *map(_record_cell, row.records))
    console = Console(file=StringIO(), force_terminal=True, width=width)
    with console.capture() as captured:
        console.print(table)
    yield from captured.get().rstrip("\n").splitlines()


def _cell(values: Mapping[str, str]) -> "Text":
    """Return names, dimmed, with their values. Text, not markup: a value may hold brackets."""
    from rich.text import Text

    lines = [
        Text.assemble((f"{printable(name)} ", "dim"), printable(text))
        for name, text in values.items()
    ]
    return Text("\n").join(lines)


def _record_cell(record: MappedRecord) -> "Text":
    from rich.text import Text

    lines = [Text(_remark(record).removeprefix(": "), "yellow")] if _remark(record) else []
    fields = {name: value_text(value) for name, value in record.fields.items()}
    lines += [_cell(values) for values in (record.joined, fields) if values]
    for row_error in record.row_errors:
        lines.append(Text(row_error_words(row_error), "red"))
    return Text("\n").join(lines)
