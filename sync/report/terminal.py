"""A report on a terminal: colours, lists as tables, wrapped to the width. Elsewhere plain text.

What comes from sources is printed as text: it is escaped, and never read as markup of rich.
"""

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sync.console import put, say
from sync.report.lines import ROW_INDENT, Figures, Line, TableColumn, TableRow, Tone
from sync.text.characters import escaped

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

Say = Callable[[str], None]

MOST_ROWS = 200
"""Rows of one table. The next rows begin another one, so that a long list needs little memory."""

GAP = 2
"""Blanks between two columns."""

INDENT = 4
"""Blanks in front of what is below the first line of a paragraph."""

LEAST_TEXT = 24
"""Characters that a wrapped column needs; with fewer, each row is printed as a paragraph."""

_SIGNS: Final = {
    Tone.ADD: "+",
    Tone.UPDATE: "~",
    Tone.REMOVE: "−",
    Tone.HELD: "!",
    Tone.ERROR: "!",
}
_STYLES: Final = {
    Tone.HEADING: "bold",
    Tone.ADD: "green",
    Tone.UPDATE: "yellow",
    Tone.REMOVE: "red",
    Tone.HELD: "bold magenta",
    Tone.ERROR: "bold red",
    Tone.GOOD: "green",
    Tone.MUTED: "dim",
}
_WORD: Final = re.compile(r"\s*(\S+(?: / \S+)*)")
"""A word, or a key of several parts such as `INF1000-H26 / 100123`, after blanks."""

_BETWEEN: Final = {
    TableColumn.LABEL: " ",
    TableColumn.KIND: " ",
    TableColumn.KEY: "\n",
    TableColumn.TEXT: "",
}
"""What separates the cells of one column: each key has a line of its own."""


@contextmanager
def shown_report(*, plain: bool = False) -> Iterator[Say]:
    """Yield where a report's lines go: to the terminal of standard output, or there as plain text.

    Args:
        plain: whether it is plain text even on a terminal.
    """
    # Importing rich takes longer than many a command, so a file or a pipe does without it.
    forced = os.environ.get("FORCE_COLOR") or os.environ.get("TTY_COMPATIBLE") == "1"
    console = None if plain or not (sys.stdout.isatty() or forced) else _console()
    if console is None or not console.is_terminal or console.is_dumb_terminal:
        yield say
        return
    report = _TerminalReport(console)
    try:
        yield report.say
    finally:
        report.finish()


def _console() -> "Console":
    from rich.console import Console

    if os.environ.get("NO_COLOR"):
        return Console(file=sys.stdout, color_system=None)
    return Console(file=sys.stdout)


class _TerminalReport:
    """A report on a terminal, shown line by line; rows are shown when their list is complete."""

    def __init__(self, console: "Console") -> None:
        self._console = console
        self._rows: list[TableRow] = []

    def say(self, line: str) -> None:
        """Show a line."""
        if isinstance(line, TableRow):
            self._rows.append(line)
            if len(self._rows) == MOST_ROWS:
                self.finish()
            return
        self.finish()
        if isinstance(line, Figures) and line.counts:
            self._print_counts(line)
        text = _text(line, line.tone if isinstance(line, Line) else None)
        self._print(_wrapped(text, self._console.width))

    def finish(self) -> None:
        """Show the rows that were not shown yet."""
        rows, self._rows = self._rows, []
        if rows:
            self._print(_list(rows, self._console.width))

    def _print_counts(self, figures: Figures) -> None:
        """Print the counts as a table, if the terminal has room for it."""
        from rich.measure import Measurement

        table = _counts_table(figures)
        least = Measurement.get(self._console, self._console.options, table).minimum
        if least <= self._console.width:
            put("\n")
            self._print(table)

    def _print(self, content: "Table | Text") -> None:
        # A word that is longer than the line, such as a key, is not cut, so it can be copied.
        with self._console.capture() as captured:
            self._console.print(content, overflow="ignore", crop=False)
        put(captured.get())


def _text(text: str, tone: Tone | None) -> "Text":
    from rich.text import Text

    return Text(escaped(text), _STYLES[tone] if tone else "")


def _sign(row: TableRow) -> "Text":
    return _text(_SIGNS.get(row.tone, " ") if row.tone else " ", row.tone)


def _cell(row: TableRow, column: TableColumn) -> "Text":
    """Return what a row has in a column, in one line for each key, otherwise in one line."""
    from rich.text import Text

    text = Text()
    for cell in row.cells:
        if cell.column is column:
            before = cell.before if text else cell.before.lstrip(" :;")
            content = (
                f"{before}{cell.text}{cell.after}" if column is TableColumn.TEXT else cell.text
            )
            tone = row.tone if column is TableColumn.LABEL else Tone.MUTED if cell.muted else None
            text.append(_BETWEEN[column] if text else "")
            text.append_text(_text(content.replace("\n", "\\n"), tone))
    part_of_a_group = column is TableColumn.LABEL and text and row.indent > ROW_INDENT
    return Text("  ") + text if part_of_a_group else text


def _list(rows: Sequence[TableRow], width: int) -> "Table | Text":
    """Return rows as a table, or as paragraphs if a table would leave the text too little room."""
    from rich.table import Table
    from rich.text import Text

    columns = [[_cell(row, column) for row in rows] for column in TableColumn]
    widths = [max(_widest(cell.plain.split("\n")) for cell in cells) for cells in columns]
    room = width - sum(each + GAP for each in widths[:-1] if each) - 1 - GAP
    longest = max(_widest(_WORD.findall(cell.plain)) for cell in columns[-1])
    if room < max(longest, min(widths[-1], LEAST_TEXT)):
        return Text("\n").join(_paragraph(row, width) for row in rows)
    columns[-1] = [_wrapped(cell, room) for cell in columns[-1]]
    used = [cells for cells, each in zip(columns, widths, strict=True) if each]
    table = Table.grid(padding=(0, GAP, 0, 0))
    for cells in zip(map(_sign, rows), *used, strict=True):
        table.add_row(*cells)
    return table


def _paragraph(row: TableRow, width: int) -> "Text":
    """Return a row with its keys and its text below its record."""
    from rich.text import Text

    head, keys, text = _sign(row), _cell(row, TableColumn.KEY), _cell(row, TableColumn.TEXT)
    for column in (TableColumn.LABEL, TableColumn.KIND):
        head = Text(" ").join(filter(None, (head, _cell(row, column))))
    if "\n" not in keys.plain and head.cell_len + 1 + keys.cell_len <= width:
        head, keys = Text(" ").join(filter(None, (head, keys))), Text()
    below = (*keys.split("\n"), *_wrapped(text, width - INDENT).split("\n"))
    return Text("\n").join((head, *(Text(" " * INDENT) + line for line in below if line)))


def _wrapped(text: "Text", width: int) -> "Text":
    """Return the text with line breaks between words, never inside a key, as rich would do it."""
    from rich.cells import cell_len
    from rich.text import Text

    lines: list[Text] = []
    for line in text.split("\n"):
        blanks = len(line.plain) - len(line.plain.lstrip())
        starts, used = [], 0
        for found in _WORD.finditer(line.plain):
            used += cell_len(found[0])
            if used > width and found.start():
                starts.append(found.start(1))
                used = blanks + cell_len(found[1])
        first, *others = line.divide(starts)
        lines += (first, *(Text(" " * blanks) + other for other in others))
    for line in lines:
        line.rstrip()
    return Text("\n").join(lines)


def _widest(texts: Iterable[str]) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, texts), default=0)


def _counts_table(figures: Figures) -> "Table":
    """Return the counts as a table: a column for each second name, in the order of `columns`."""
    from rich.table import Table

    table = Table("", box=None, pad_edge=False, padding=(0, GAP, 0, 0))
    used = {name for _, name in figures.counts}
    columns = {name: tone for name, tone in figures.columns.items() if name in used}
    for name, tone in columns.items():
        table.add_column(_text(name, tone), justify="right")
    for first in dict.fromkeys(name for name, _ in figures.counts):
        numbers = (figures.counts.get((first, name), 0) for name in columns)
        table.add_row(_text(first, None), *(f"{number:,}" if number else "" for number in numbers))
    return table
