"""CSV files, by header name and strictly: a file that is not sound to its very end is not used at all."""

import codecs
import csv
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Literal, TextIO
from unicodedata import normalize

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sync.errors import SourceError
from sync.extract import Extract
from sync.model import Row
from sync.sources.base import SourceSettings
from sync.sources.csv_places import find_bad_byte, find_open_quote, line_breaks
from sync.sources.whole import WholeTable
from sync.strict import empty_is_default

MAX_LINE = 1 << 20
"""Characters in one line; a longer one is no CSV, and would have to be held in memory to say what it is."""

_BLOCK = 1 << 16


def _text_encoding(name: str) -> str:
    try:
        "".encode(name)
        usable = codecs.lookup(name).incrementaldecoder is not None
    except (LookupError, UnicodeError, ValueError):
        usable = False
    if not usable:
        raise ValueError("is not a known text encoding, such as utf-8-sig, cp1252 or iso-8859-1")
    return name


def _usable_character(text: str) -> str:
    if text in "\r\n\0":
        raise ValueError("can't be a line break or a NUL")
    return text


_Character = Annotated[str, Field(min_length=1, max_length=1), AfterValidator(_usable_character)]


class CsvSettings(SourceSettings):
    """A CSV file whose first line names the columns. Blank lines are skipped; any other irregularity is a fault."""

    type: Literal["csv"] = "csv"
    """The kind of source."""
    path: Path
    """The file. A relative path starts at the folder of the configuration file."""
    delimiter: _Character = ","
    """The character between cells, such as `;` or a tab (`"\\t"`)."""
    encoding: Annotated[str, AfterValidator(_text_encoding)] = "utf-8-sig"
    """How the file's text is encoded. The default is UTF-8, with or without a byte order mark. It is never guessed."""
    quotechar: _Character = '"'
    """The character around cells that hold a delimiter, a line break or, doubled, this character itself."""
    whole: Annotated[WholeTable, BeforeValidator(empty_is_default)] = WholeTable()
    """What has to hold before this source's word is taken for what it does not name."""

    @model_validator(mode="after")
    def _told_apart(self) -> "CsvSettings":
        if self.delimiter == self.quotechar:
            raise ValueError("'delimiter' and 'quotechar' are the same character")
        return self

    def place(self, folder: Path) -> str:
        """How the file is named to people: from `folder` on when it is in there, otherwise by its whole path."""
        path = folder / self.path
        return str(path.relative_to(folder) if path.is_relative_to(folder) else path)

    @contextmanager
    def open(self, folder: Path) -> Iterator[Extract]:
        """The file, for one reading; a row has the physical line on which it starts (a quoted cell may span lines).

        Raises:
            SourceError: the file can't be read, is empty, or its header has blank or repeated names. Of its rows: it is
                not sound to its very end, or was changed while it was read.
        """
        path, place = folder / self.path, self.place(folder)
        with _opened(path, place, self.encoding) as file:
            reading = _Reading(self, path, place, file)
            with reading.explaining():
                columns = reading.header()
            yield Extract(place, columns, reading.rows(columns))


class _Reading:
    """One pass over an open file, and what can be said about where it went wrong."""

    def __init__(self, settings: CsvSettings, path: Path, place: str, file: TextIO) -> None:
        self._settings, self._path, self._place, self._file = settings, path, place, file
        self._opened = _identity(os.fstat(file.fileno()))
        self.reader = csv.reader(
            chain.from_iterable(self._blocks()),
            delimiter=settings.delimiter,
            quotechar=settings.quotechar,
            strict=True,
        )
        self.line = 1

    def header(self) -> tuple[str, ...]:
        """The column names; afterwards come the rows."""
        cells = self._first()
        if cells is None:
            raise self._fault(None, "is empty: it has not even a header", "export it again; a header line is the least")
        if cells[0].startswith("\ufeff"):
            remedy = "set 'encoding' to one that takes it, such as utf-8-sig or utf-16"
            raise self._fault(self.line, "starts with a byte order mark", remedy)
        names = tuple(normalize("NFC", cell.strip()) for cell in cells)
        if "" in names:
            reason = f"the header has no name for column {names.index('') + 1} of {len(names)}"
            raise self._fault(self.line, reason, "name it, or take the column out")
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            reason = f"the header has '{repeated[0]}' more than once"
            raise self._fault(self.line, reason, "give each column its own name")
        self.line = self.reader.line_num + 1
        return names

    def rows(self, header: tuple[str, ...]) -> Iterator[Row]:
        """Every row below the header."""
        with self.explaining():
            reader, width = self.reader, len(header)
            for cells in reader:
                if len(cells) == width:
                    # The width was just compared: a strict zip would do it again, a million times.
                    yield Row(self.line, dict(zip(header, cells)))  # noqa: B905 - see above
                elif cells:
                    raise self._ragged(len(cells), width)
                self.line = reader.line_num + 1
            self.refuse_change()

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """Turns what goes wrong inside into a `SourceError` at its line."""
        try:
            yield
        except (SourceError, csv.Error, UnicodeError, OSError) as error:
            # A file that is being written is torn in any way; that it is being written is then what helps.
            self.refuse_change()
            raise error if isinstance(error, SourceError) else self.explained(error) from None

    def _first(self) -> list[str] | None:
        for cells in self.reader:
            if cells:
                return cells
            self.line = self.reader.line_num + 1
        return None

    def _ragged(self, cells: int, width: int) -> SourceError:
        """The current row has not as many cells as the header."""
        found = "1 cell" if cells == 1 else f"{cells} cells"
        remedy = "correct the row in the source; a cell that holds the delimiter needs quotes"
        return self._fault(self.line, f"has {found} where the header has {width}", remedy)

    def refuse_change(self) -> None:
        """Raises a `SourceError` if the file is not the one that was opened, as it was then."""
        try:
            same = self._opened == _identity(os.fstat(self._file.fileno())) == _identity(self._path.stat())
        except OSError:
            same = False
        if not same:
            remedy = "wait until it is written, or write it under another name and rename it when it is whole"
            raise self._fault(None, "was changed or replaced while it was read", remedy)

    def explained(self, error: Exception) -> SourceError:
        """What stopped the reading, as a fault at its line. Looks into the file again to find that line."""
        try:
            if isinstance(error, UnicodeError):
                return self._undecodable()
            if isinstance(error, csv.Error):
                return self._malformed(error)
        except OSError as again:
            error = again
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        return self._fault(self.line, f"can't be read any further ({reason})", "see to the disk or the share it is on")

    def _fault(self, line: int | None, reason: str, remedy: str) -> SourceError:
        return SourceError(self._place if line is None else f"{self._place} line {line}", reason, remedy)

    def _blocks(self) -> Iterator[StringIO]:
        """The file in blocks of whole lines: what is looked for in every line is looked for in a block at once."""
        rest = ""
        while block := self._file.read(_BLOCK):
            text = rest + block
            if (at := text.find("\0")) >= 0:
                reason = "holds a NUL character: the file is damaged, or not in this encoding"
                remedy = f"export it again as {self._settings.encoding}, or set its 'encoding'"
                raise self._fault(self._line_at(text[:at]), reason, remedy)
            # A carriage return at the very end may be the first half of a line break.
            end = 1 + max(text.rfind("\n"), text.rfind("\r", 0, len(text) - 1))
            rest = text[end:]
            if len(rest) > MAX_LINE:
                reason = f"has more than {MAX_LINE:,} characters in one line"
                raise self._fault(self._line_at(text[:end]), reason, "check that this is the CSV file that is meant")
            yield StringIO(text[:end], newline="")
        yield StringIO(rest, newline="")

    def _line_at(self, before: str) -> int:
        """The line after `before`, which starts where the lines that were handed to the reader end."""
        return self.reader.line_num + 1 + line_breaks(before)

    def _undecodable(self) -> SourceError:
        encoding = self._settings.encoding
        remedy = f"export the file as {encoding}, or set the 'encoding' it is in, such as cp1252"
        found = find_bad_byte(self._path, encoding)
        if found is None:
            return self._fault(None, f"is not in {encoding}", remedy)
        return self._fault(found.line, f"byte 0x{found.byte:02X} can't be read as {encoding}", remedy)

    def _malformed(self, error: csv.Error) -> SourceError:
        settings, last = self._settings, self.reader.line_num
        quote = settings.quotechar
        # Bad bytes may follow that the first reading did not come to; here they are beside the point.
        with self._path.open(encoding=settings.encoding, newline="", errors="replace") as file:
            lines = islice(file, self.line - 1, last)
            found = find_open_quote(lines, self.line, settings.delimiter, quote)
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


def _opened(path: Path, place: str, encoding: str) -> TextIO:
    try:
        # Looked at before opening: opening a named pipe would wait for its writer.
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            return path.open(encoding=encoding, newline="")
    except FileNotFoundError:
        raise SourceError(place, "is not there", "check 'path', and that the export has run") from None
    except OSError as error:
        denied = isinstance(error, PermissionError)
        remedy = "give the account that runs this the right to read it" if denied else "check 'path'"
        raise SourceError(place, f"can't be opened ({error.strerror})", remedy) from None
    reason = "is a folder, not a file" if stat.S_ISDIR(mode) else "is not a plain file"
    raise SourceError(place, reason, "set 'path' to a CSV file")


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
