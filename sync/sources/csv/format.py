"""How a table of comma-separated values is written, and how its columns are named."""

from collections.abc import Iterable
from io import TextIOWrapper
from typing import BinaryIO, NamedTuple
from unicodedata import normalize

from sync.text.characters import trimmed


class CsvFormat(NamedTuple):
    """How a table is written.

    Attributes:
        delimiter: the character between cells.
        quotechar: the character around cells that contain a delimiter, a line break or, doubled,
            this character itself.
        encoding: the encoding of the text; utf-8-sig works with and without a byte order mark.
        columns: the names of the columns, for a table without a header line; otherwise empty.
        skip_lines: how many lines are before the table.
        escape: the character that makes the next one plain.
    """

    delimiter: str = ","
    quotechar: str = '"'
    encoding: str = "utf-8-sig"
    columns: tuple[str, ...] = ()
    skip_lines: int = 0
    escape: str | None = None

    def open_text(self, file: BinaryIO, errors: str = "strict") -> TextIOWrapper:
        """Return the file's text with its line breaks as they are; closing it closes the file."""
        return TextIOWrapper(file, self.encoding, errors, newline="")


def column_names(cells: Iterable[str]) -> tuple[str, ...]:
    """Return the column names of a header: its cells, stripped and composed (NFC)."""
    return tuple(normalize("NFC", trimmed(cell)) for cell in cells)


def repeated_name(names: tuple[str, ...]) -> str | None:
    """Return a name that occurs more than once; None if each column has its own."""
    return min((name for name in set(names) if names.count(name) > 1), default=None)
