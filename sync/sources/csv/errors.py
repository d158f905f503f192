"""The errors of CSV files: each names its line, and what to do."""

import csv
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import islice
from typing import BinaryIO

from sync.errors import SourceError
from sync.sources.csv.diagnostics import find_bad_byte, find_open_quote
from sync.sources.csv.format import CsvFormat

MOST_NAMED = 20
"""How many rows with a wrong number of cells are named, each by its line."""

TWO_EXPORTS = "if two exports are in one file, deliver each in its own file"

UNEXPECTED_HEADER = (
    "is a header, but 'columns' is for a file without one",
    "remove the header from the file, or remove 'columns' to use the names of the header",
)

Reopen = Callable[[], AbstractContextManager[BinaryIO]]
"""Opens the same bytes once more, from their start."""


def line_error(place: str, line: int | None, reason: str, remedy: str) -> SourceError:
    """Return an error at a line; None if the line is not known."""
    return SourceError(place if line is None else f"{place} line {line}", reason, remedy)


def undecodable(place: str, encoding: str, reopen: Reopen) -> SourceError:
    """Return the error for a file that is in another encoding.

    Raises:
        OSError: the file can't be read again.
    """
    name = "UTF-8" if encoding == "utf-8-sig" else encoding  # its mark is not what is wrong
    remedy = f"export the file as {name}, or set 'encoding' to the one it is in, such as cp1252"
    with reopen() as file:
        bad = find_bad_byte(file, encoding)
    if bad is None:
        return line_error(place, None, f"is not in {name}", remedy)
    reason = f"byte 0x{bad.byte:02X} can't be read as {name}"
    return line_error(place, bad.line, reason, remedy)


def malformed(
    error: csv.Error, place: str, lines: tuple[int, int], form: CsvFormat, reopen: Reopen
) -> SourceError:
    """Return the error for a row that is not CSV.

    Args:
        error: what Python's parser raised.
        place: the file, for people.
        lines: the first line of the row, and the line at which the parser stopped.
        form: how the table is written.
        reopen: opens the file again.

    Raises:
        OSError: the file can't be read again.
    """
    quote, (first, last) = form.quotechar, lines
    # Invalid bytes may follow that the parser did not reach: they are not this error.
    with reopen() as file, form.open_text(file, "replace") as text:
        row = islice(text, first - 1, last)
        open_quote = find_open_quote(row, first, form.delimiter, quote, form.escape)
    too_long = str(error).startswith("field larger")
    most = f"{csv.field_size_limit():,} characters"
    if open_quote is None:
        reason = f"a cell has more than {most}" if too_long else f"is not CSV ({error})"
        return line_error(place, last, reason, "correct it in the source")
    if open_quote.open:
        within = f" within {most}" if too_long else ": the file is cut off, or a quote is missing"
        reason = f"the quote ({quote}) that opens a cell here is not closed{within}"
        remedy = "export the file again, or close the quote in the source"
        return line_error(place, open_quote.line, reason, remedy)
    opened = "" if open_quote.line == last else f" that opens on line {open_quote.line}"
    reason = f"a quote ({quote}) inside a quoted cell{opened} is not doubled"
    return line_error(place, last, reason, f"double it in the source ({quote}{quote})")


def unreadable(place: str, line: int, error: Exception) -> SourceError:
    """Return the error for a file whose disk fails."""
    detail = getattr(error, "strerror", None) or type(error).__name__
    return line_error(
        place, line, f"can't be read any further ({detail})", "check the disk or the share it is on"
    )


class RaggedRows:
    """The rows that do not have as many cells as there are columns.

    Attributes:
        count: how many there are.
    """

    def __init__(self, place: str) -> None:
        self._place, self._width = place, 0
        self.count = 0
        self._named: list[tuple[int, int]] = []

    def add(self, line: int, cells: int, width: int) -> None:
        """Note one row, with its number of cells and the number of columns."""
        self.count, self._width = self.count + 1, width
        if len(self._named) < MOST_NAMED:
            self._named.append((line, cells))

    def error(self, *, has_header: bool) -> SourceError:
        """Return one error that names all these rows."""
        if self.count == 1:
            ((line, cells),) = self._named
            columns = "the header has" if has_header else "'columns' names"
            return line_error(
                self._place,
                line,
                f"has {_count_cells(cells)} where {columns} {self._width}",
                "correct the row in the source; a cell that contains the delimiter needs quotes",
            )
        columns = "the header" if has_header else "'columns'"
        remedy = "correct them in the source; a cell that contains the delimiter needs quotes"
        if self.count > 2 and len({cells for _, cells in self._named}) == 1:
            remedy += f"; {TWO_EXPORTS}"
        lines = ", ".join(f"{line} ({_count_cells(cells)})" for line, cells in self._named)
        unnamed = self.count - len(self._named)
        more = f" and {unnamed:,} more" if unnamed else ""
        return SourceError(
            f"{self._place} lines {lines}{more}",
            f"do not have as many cells as {columns} ({self._width})",
            remedy,
        )


def _count_cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"
