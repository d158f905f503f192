"""The lines of a report: plain text, with what a terminal needs to show colours and columns.

Each line is a `str`, its plain text. So a report is built once, and a file gets it as it is.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import IntEnum, StrEnum, auto
from itertools import islice
from typing import NamedTuple, Self

ROW_INDENT = 2
"""Blanks in front of a row in plain text; one that is a part of a group has more."""


class Tone(StrEnum):
    """What a line means, which gives it a sign and a colour on a terminal."""

    HEADING = auto()
    ADD = auto()
    UPDATE = auto()
    REMOVE = auto()
    HELD = auto()
    ERROR = auto()
    GOOD = auto()
    MUTED = auto()


class TableColumn(IntEnum):
    """The columns of a list, from left to right; `TEXT` is the only one that is wrapped."""

    LABEL = auto()
    KIND = auto()
    KEY = auto()
    TEXT = auto()


class Cell(NamedTuple):
    """A part of a row.

    Attributes:
        text: what it contains; an empty cell is left out.
        column: its column on a terminal. A column can have several cells.
        before: what precedes it in plain text, such as `: `.
        after: what follows it in plain text.
        muted: whether it matters less than the rest.
    """

    text: str
    column: TableColumn
    before: str = ""
    after: str = ""
    muted: bool = False

    @property
    def plain(self) -> str:
        """Return the cell as a part of the plain text."""
        return f"{self.before}{self.text}{self.after}" if self.text else ""


class Line(str):
    """A line of a report; its value is the plain text."""

    tone: Tone | None

    def __new__(cls, text: str, tone: Tone | None = None) -> Self:
        """Make a line with a tone."""
        line = super().__new__(cls, text)
        line.tone = tone
        return line

    def rewritten(self, rewrite: Callable[[str], str]) -> "Line":
        """Return the line with its text rewritten, for example masked."""
        return Line(rewrite(self), self.tone)


class TableRow(Line):
    """A line of a list: its cells, which are the columns of a table on a terminal."""

    cells: tuple[Cell, ...]
    indent: int

    def __new__(
        cls, cells: Iterable[Cell], tone: Tone | None = None, indent: int = ROW_INDENT
    ) -> Self:
        """Make a row of the cells that are not empty."""
        cells = tuple(cell for cell in cells if cell.text)
        row = super().__new__(cls, " " * indent + "".join(cell.plain for cell in cells), tone)
        row.cells, row.indent = cells, indent
        return row

    def rewritten(self, rewrite: Callable[[str], str]) -> "TableRow":
        """Return the row with the text of each cell rewritten."""
        cells = (cell._replace(text=rewrite(cell.text)) for cell in self.cells)
        return TableRow(cells, self.tone, self.indent)


class Figures(Line):
    """A line of figures; a terminal shows its counts as a table, too.

    Attributes:
        counts: the numbers, each by the name of its row and of its column.
        columns: the names of the columns in their order, with the tone of each.
    """

    counts: Mapping[tuple[str, str], int]
    columns: Mapping[str, Tone | None]

    def __new__(
        cls,
        text: Line,
        counts: Mapping[tuple[str, str], int],
        columns: Mapping[str, Tone | None],
    ) -> Self:
        """Make a line with counts."""
        line = super().__new__(cls, text, text.tone)
        line.counts, line.columns = counts, columns
        return line


def heading(text: str) -> Line:
    """Return the heading of a section."""
    return Line(text, Tone.HEADING)


def muted(text: str) -> Line:
    """Return a line that matters less than the others."""
    return Line(text, Tone.MUTED)


def section(title: str, lines: Iterable[Line], *, spaced: bool = True) -> Iterator[Line]:
    """Yield the lines under their heading, after a blank line; nothing for an empty list."""
    for number, line in enumerate(lines):
        if number == 0:
            yield from (Line(""), heading(f"{title}:")) if spaced else (heading(f"{title}:"),)
        yield line


def capped(
    lines: Iterable[Line], most: int | None, total: int | None = None, indent: str = "  "
) -> Iterator[Line]:
    """Yield at most `most` lines, then how many more there were, counted or from `total`."""
    rest = iter(lines)
    yield from islice(rest, most)
    if most is None:
        return
    more = sum(1 for _ in rest) if total is None else max(0, total - most)
    if more:
        yield muted(f"{indent}… and {more:,} more (--all shows them)")
