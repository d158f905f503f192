"""Reading one table of comma-separated values from an open file, strictly and to its very end."""

import csv
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from io import StringIO, TextIOWrapper
from itertools import chain, islice
from typing import BinaryIO, NamedTuple, TextIO
from unicodedata import normalize

from sync.errors import SourceError
from sync.model import Row
from sync.sources.csv_places import find_bad_byte, find_open_quote, line_breaks

MAX_LINE = 1 << 20
"""Characters in one line; a longer one is no CSV, and would have to be held in memory to say what it is."""

_BLOCK = 1 << 16

Opener = Callable[[], AbstractContextManager[BinaryIO]]
"""Opens the same bytes once more, from their start."""
Texts = Callable[[Iterable[str]], Iterable[str]]
"""Passes a table's text on, or less of it; all but the last text end with a line break."""


class CsvForm(NamedTuple):
    """How a table is written.

    Attributes:
        delimiter: the character between cells.
        quotechar: the character around cells that hold a delimiter, a line break or, doubled, this character itself.
        encoding: of the text; utf-8-sig takes a byte order mark and does without one.
        header: the names of the columns, when the table has no line that gives them; otherwise empty.
    """

    delimiter: str = ","
    quotechar: str = '"'
    encoding: str = "utf-8-sig"
    header: tuple[str, ...] = ()

    def text(self, file: BinaryIO, errors: str = "strict") -> TextIOWrapper:
        """The file's text, with its line breaks as they are; closing it closes the file."""
        return TextIOWrapper(file, self.encoding, errors, newline="")


_PLAIN = CsvForm()


def column_names(cells: Iterable[str]) -> tuple[str, ...]:
    """A header's cells as columns are named: stripped and composed (NFC)."""
    return tuple(normalize("NFC", cell.strip()) for cell in cells)


def repeated_name(names: tuple[str, ...]) -> str:
    """A name that stands there more than once; empty when each has its own."""
    return min((name for name in set(names) if names.count(name) > 1), default="")


class CsvTable:
    """One pass over an open table: its columns, its rows, and what can be said about where it went wrong.

    A blank line is skipped; any other irregularity is a fault. Whoever opened the text closes it.
    """

    def __init__(
        self,
        place: str,
        text: TextIO,
        again: Opener,
        form: CsvForm = _PLAIN,
        refuse_change: Callable[[], None] = lambda: None,
        passing: Texts = iter,
    ) -> None:
        """Nothing is read yet.

        Args:
            place: what is read, as people know it; faults add the line.
            text: the table's text, from its start, as `form.text` gives it.
            again: opens the same bytes once more, to find the line of a fault.
            form: how the table is written.
            refuse_change: raises a `SourceError` when the file is not any more what it was when it was opened.
            passing: what the text goes through before it is read.
        """
        self._place, self._again, self._form, self._refuse_change = place, again, form, refuse_change
        self._text = text
        self._ended = 0  # lines that ended in the blocks so far
        self._reader = csv.reader(
            chain.from_iterable(StringIO(text, newline="") for text in passing(self._blocks())),
            delimiter=form.delimiter,
            quotechar=form.quotechar,
            strict=True,
        )
        self._line = 1

    def header(self) -> tuple[str, ...]:
        """The column names; to be asked for first, and once.

        Raises:
            SourceError: the table can't be read, is empty, or has blank or repeated names.
        """
        if self._form.header:
            return self._form.header
        with self._explaining():
            cells = self._first()
            if cells is None:
                remedy = "export it again; a header line is the least"
                raise self._fault(None, "is empty: it has not even a header", remedy)
            names = column_names(cells)
            self._check(names)
        self._line = self._reader.line_num + 1
        return names

    def rows(self, header: tuple[str, ...]) -> Iterator[Row]:
        """Every row below the header, with the physical line on which it starts (a quoted cell may span lines).

        Raises:
            SourceError: the table is not sound to its very end, or was changed while it was read.
        """
        with self._explaining():
            reader, width = self._reader, len(header)
            for cells in reader:
                if len(cells) == width:
                    # The width was just compared: a strict zip would do it again, a million times.
                    yield Row(self._line, dict(zip(header, cells)))  # noqa: B905 - see above
                elif cells:
                    raise self._ragged(len(cells), width)
                self._line = reader.line_num + 1
            self._refuse_change()

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        """Turns what goes wrong inside into a `SourceError` at its line."""
        try:
            yield
        except (SourceError, csv.Error, UnicodeError, OSError) as error:
            # A file that is being written is torn in any way; that it is being written is then what helps.
            self._refuse_change()
            raise error if isinstance(error, SourceError) else self._explained(error) from None

    def _first(self) -> list[str] | None:
        for cells in self._reader:
            if cells:
                return cells
            self._line = self._reader.line_num + 1
        return None

    def _check(self, names: tuple[str, ...]) -> None:
        if "" in names:
            reason = f"the header has no name for column {names.index('') + 1} of {len(names)}"
            raise self._fault(self._line, reason, "name it, or take the column out")
        if repeated := repeated_name(names):
            # The name is not repeated here: in a file without a header it is somebody's.
            first = names.index(repeated)
            reason = f"the header gives columns {first + 1} and {names.index(repeated, first + 1) + 1} the same name"
            raise self._fault(self._line, reason, "give each column its own name, or name them by 'columns'")

    def _blocks(self) -> Iterator[str]:
        """The file in blocks of whole lines: what is looked for in every line is looked for in a block at once."""
        rest = ""
        while block := self._text.read(_BLOCK):
            text = rest + block
            self._refuse_marks(text)
            # A carriage return at the very end may be the first half of a line break.
            end = 1 + max(text.rfind("\n"), text.rfind("\r", 0, len(text) - 1))
            rest = text[end:]
            self._ended += line_breaks(text[:end])
            if len(rest) > MAX_LINE:
                reason = f"has more than {MAX_LINE:,} characters in one line"
                raise self._fault(self._ended + 1, reason, "check that this is the CSV file that is meant")
            yield text[:end]
        yield rest

    def _refuse_marks(self, text: str) -> None:
        """Raises at what no table holds: a NUL, or (in the first block) a byte order mark."""
        if (at := text.find("\0")) >= 0:
            reason = "holds a NUL character: the file is damaged, or not in this encoding"
            remedy = f"export it again as {self._form.encoding}, or set its 'encoding'"
            raise self._fault(self._ended + 1 + line_breaks(text[:at]), reason, remedy)
        if not self._ended and text.startswith("\ufeff"):
            remedy = "set 'encoding' to one that takes it, such as utf-8-sig or utf-16"
            raise self._fault(1, "starts with a byte order mark", remedy)

    def _fault(self, line: int | None, reason: str, remedy: str) -> SourceError:
        return SourceError(self._place if line is None else f"{self._place} line {line}", reason, remedy)

    def _ragged(self, cells: int, width: int) -> SourceError:
        """The current row has not as many cells as the header."""
        found = "1 cell" if cells == 1 else f"{cells} cells"
        remedy = "correct the row in the source; a cell that holds the delimiter needs quotes"
        named = f"'header' names {width}" if self._form.header else f"the header has {width}"
        return self._fault(self._line, f"has {found} where {named}", remedy)

    def _explained(self, error: Exception) -> SourceError:
        """What stopped the reading, as a fault at its line. Looks into the file again to find that line."""
        try:
            if isinstance(error, UnicodeError):
                return self._undecodable()
            if isinstance(error, csv.Error):
                return self._malformed(error)
        except OSError as again:
            error = again
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        return self._fault(self._line, f"can't be read any further ({reason})", "see to the disk or the share it is on")

    def _undecodable(self) -> SourceError:
        encoding = self._form.encoding
        remedy = f"export the file as {encoding}, or set the 'encoding' it is in, such as cp1252"
        with self._again() as file:
            found = find_bad_byte(file, encoding)
        if found is None:
            return self._fault(None, f"is not in {encoding}", remedy)
        return self._fault(found.line, f"byte 0x{found.byte:02X} can't be read as {encoding}", remedy)

    def _malformed(self, error: csv.Error) -> SourceError:
        quote, last = self._form.quotechar, self._reader.line_num
        # Bad bytes may follow that the first reading did not come to; here they are beside the point.
        with self._again() as file, self._form.text(file, "replace") as text:
            found = find_open_quote(islice(text, self._line - 1, last), self._line, self._form.delimiter, quote)
        too_long = str(error).startswith("field larger")
        most = f"{csv.field_size_limit():,} characters"
        if found is None:
            reason = f"a cell has more than {most}" if too_long else f"is not CSV ({error})"
            return self._fault(last, reason, "correct it in the source")
        if found.open:
            within = f" within {most}" if too_long else ": the file is cut off, or a quote is missing"
            reason = f"the quote ({quote}) that opens a cell here is not closed{within}"
            return self._fault(found.line, reason, "export the file again, or close the quote in the source")
        opened = "" if found.line == last else f", which opens on line {found.line}"
        reason = f"a lone quote ({quote}) stands inside a quoted cell{opened}"
        return self._fault(last, reason, f"double it in the source ({quote}{quote})")
