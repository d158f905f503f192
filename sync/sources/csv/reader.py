"""Reading one table of comma-separated values from an open file, strictly and to its very end."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from io import StringIO, TextIOWrapper
from itertools import chain, islice
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, TextIO
from unicodedata import normalize

from sync.errors import SourceError
from sync.records.base import Row
from sync.sources.csv.diagnostics import find_bad_byte, find_open_quote, line_breaks
from sync.sources.csv.encoding import Utf8Watch
from sync.sources.csv.header import HeaderWatch, is_made_of_words, is_rule, reads_like_header
from sync.text.characters import trimmed

if TYPE_CHECKING:
    from _csv import Reader

MAX_LINE = 1 << 20
"""Characters in one line; a longer one is no CSV, and would have to be held in memory to say what it is."""

_BLOCK = 1 << 16

MOST_NAMED = 20
"""Rows with a wrong number of cells that are named, each by its line."""

TWO_EXPORTS = "two exports in one file? Deliver each in a file of its own"

UNASKED_HEADER = (
    "is a header, which 'columns' says is not there",
    "take it out, or take 'columns' out and use the names that the header has",
)

_SEPARATOR = re.compile(r'"?sep=([^"\w\s]|\t)"?[,;\t ]*(?:\r\n|\r|\n|$)', re.IGNORECASE)
"""What Excel understands as the first line of a file: the delimiter."""

_MARK_INSIDE = re.compile("(?:^|[\r\n])\ufeff")

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
        skip: how many lines stand before the table.
        escape: the character that makes the next one plain; empty for none.
    """

    delimiter: str = ","
    quotechar: str = '"'
    encoding: str = "utf-8-sig"
    header: tuple[str, ...] = ()
    skip: int = 0
    escape: str = ""

    def text(self, file: BinaryIO, errors: str = "strict") -> TextIOWrapper:
        """The file's text, with its line breaks as they are; closing it closes the file."""
        return TextIOWrapper(file, self.encoding, errors, newline="")


_PLAIN = CsvForm()


def column_names(cells: Iterable[str]) -> tuple[str, ...]:
    """A header's cells as columns are named: stripped and composed (NFC)."""
    return tuple(normalize("NFC", trimmed(cell)) for cell in cells)


def repeated_name(names: tuple[str, ...]) -> str:
    """A name that stands there more than once; empty when each has its own."""
    return min((name for name in set(names) if names.count(name) > 1), default="")


class CsvTable:
    """One pass over an open table: its columns, its rows, and what can be said about where it went wrong.

    Blank lines, rows of blank cells and of dashes only are skipped; any other irregularity is an error.
    Whoever opened the text closes it.

    Attributes:
        torn: whether the text ended without a line break. Known once the last row was read.
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
            place: what is read, as people know it; errors add the line.
            text: the table's text, from its start, as `form.text` gives it.
            again: opens the same bytes once more, to find the line of an error.
            form: how the table is written.
            refuse_change: raises a `SourceError` when the file is not any more what it was when it was opened.
            passing: what the text goes through before it is read.
        """
        self._place, self._again, self._form, self._refuse_change = (
            place,
            again,
            form,
            refuse_change,
        )
        self._text, self._passing = text, passing
        self.torn = False
        self._ended = 0  # lines that ended in the blocks so far
        self._line, self._offset = 1, 0
        self._ragged = _Ragged(place)
        self._headers: HeaderWatch | None = None
        self._suspect, self._suspect_before = True, True
        self._careful = True  # whether a row is to be looked at by itself
        self._utf8 = Utf8Watch(form.encoding)

    def header(self) -> tuple[str, ...]:
        """The column names; to be asked for first, and once.

        Raises:
            SourceError: the table can't be read, is empty, or has blank or repeated names.
        """
        with self._explaining():
            self._begin()
            names = self._form.header or self._named()
        self._headers = HeaderWatch(names)
        return names

    def _begin(self) -> None:
        """Goes to where the table begins, and learns its delimiter there if it says one."""
        texts = iter(self._passing(self._blocks()))
        first = self._after_skipped(texts)
        delimiter = self._form.delimiter
        if said := _SEPARATOR.match(first):
            first, delimiter = first[said.end() :], said[1]
            self._offset += 1
        self._form = self._form._replace(delimiter=delimiter)
        self._line = 1 + self._offset
        self._reader: Reader = csv.reader(
            chain.from_iterable(
                StringIO(text, newline="") for text in self._escaped(chain([first], texts))
            ),
            delimiter=delimiter,
            quotechar=self._form.quotechar,
            escapechar=self._form.escape or None,
            strict=True,
        )

    def _after_skipped(self, texts: Iterator[str]) -> str:
        """The first piece of text from where the table begins on; never blank unless nothing follows."""
        text = ""
        for piece in texts:
            text += piece
            while self._offset < self._form.skip and (end := _line_end(text)):
                text = text[end:]
                self._offset += 1
            if text and self._offset == self._form.skip:
                return text
        return "" if self._offset < self._form.skip else text

    def _escaped(self, texts: Iterable[str]) -> Iterable[str]:
        """The same text; where a backslash escapes, a cell that is `\\N` stays it, and is not the letter N."""
        if self._form.escape != "\\":
            return texts
        delimiter = re.escape(self._form.delimiter)
        alone = re.compile(rf"(?:(?<=^)|(?<={delimiter})|(?<=[\r\n]))\\N(?={delimiter}|[\r\n]|$)")
        return (alone.sub(r"\\\\N", text) for text in texts)

    def _named(self) -> tuple[str, ...]:
        cells = self._first()
        if cells is None:
            remedy = "export it again; a header line is the least"
            raise self._error(None, "is empty: it has not even a header", remedy)
        names = column_names(cells)
        while len(names) > 1 and not names[-1]:  # the line ends with a delimiter
            names = names[:-1]
        self._check(names)
        self._line = self._reader.line_num + self._offset + 1
        return names

    def rows(self, header: tuple[str, ...]) -> Iterator[Row]:
        """Every row below the header, with the physical line on which it starts (a quoted cell may span lines).

        Raises:
            SourceError: the table is not sound to its very end, holds a second one, or was changed while it was read.
        """
        with self._explaining():
            reader, offset, width = self._reader, self._offset + 1, len(header)
            after = _AfterGap(self._error)
            for cells in reader:
                # The short way, for nearly every row; whatever is unusual goes the careful way.
                if not self._careful and len(cells) == width and cells[0].strip():
                    # The width was just compared: a strict zip would do it again, a million times.
                    yield Row(self._line, dict(zip(header, cells)))  # noqa: B905 - see above
                    after.previous = cells
                elif sound := self._carefully(cells, width, after):
                    yield Row(self._line, dict(zip(header, sound, strict=True)))
                self._line = reader.line_num + offset
            self._refuse_change()
            self._refuse_ragged()

    def _carefully(self, cells: list[str], width: int, after: "_AfterGap") -> list[str]:
        """Return the row as it is meant; nothing of one that says nothing, or of any once a row does not fit."""
        if len(cells) != width:
            cells = self._fitted(cells, width)
        if not any(map(str.strip, cells)) or (self._suspect and is_rule(cells)):
            self._careful = True
            after.watching = after.watching or not self._ragged.count
            return []
        if self._suspect:
            self._refuse_header(cells, first=not after.previous)
        if after.watching:
            after.look(self._line, cells)
        after.previous = cells
        self._careful = self._suspect or after.watching or bool(self._ragged.count)
        return [] if self._ragged.count else cells

    def _fitted(self, cells: list[str], width: int) -> list[str]:
        """Return the row without blank cells behind the last column; nothing of one that is blank or does not fit."""
        if not any(map(str.strip, cells)):
            return []
        if len(cells) > width and not any(map(str.strip, cells[width:])):
            return cells[:width]
        self._ragged.add(self._line, len(cells), width)
        return []

    def _refuse_header(self, cells: list[str], *, first: bool) -> None:
        if self._headers is None:
            return
        again = self._headers.is_header(cells)
        if not again and not is_made_of_words(cells):
            return
        if first and self._form.header:
            raise self._error(self._line, *UNASKED_HEADER)
        raise self._error(
            self._line,
            "is the header again" if again else "reads like a second header",
            TWO_EXPORTS,
        )

    def _refuse_ragged(self) -> None:
        if self._ragged.count:
            raise self._ragged.error(configured=bool(self._form.header))

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        """Turns what goes wrong inside into a `SourceError` at its line."""
        try:
            yield
        except (SourceError, csv.Error, UnicodeError, OSError) as error:
            # A file that is being written is torn in any way; that it is being written is then what helps.
            self._refuse_change()
            if isinstance(error, csv.Error):
                self._refuse_ragged()
            raise error if isinstance(error, SourceError) else self._explained(error) from None

    def _first(self) -> list[str] | None:
        for cells in self._reader:
            if any(map(str.strip, cells)) or len(cells) == 1:
                return cells
            self._line = self._reader.line_num + self._offset + 1
        return None

    def _check(self, names: tuple[str, ...]) -> None:
        if "" in names:
            reason = f"the header has no name for column {names.index('') + 1} of {len(names)}"
            raise self._error(self._line, reason, "name it, or take the column out")
        if repeated := repeated_name(names):
            # The name is not repeated here: in a file without a header it is somebody's.
            first = names.index(repeated)
            reason = f"the header gives columns {first + 1} and {names.index(repeated, first + 1) + 1} the same name"
            raise self._error(
                self._line, reason, "give each column its own name, or name them by 'columns'"
            )

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
                raise self._error(
                    self._ended + 1, reason, "check that this is the CSV file that is meant"
                )
            yield self._seen(text[:end])
        self.torn = rest != "" and not rest.endswith("\r")
        yield self._seen(rest)
        if self._utf8.is_utf8:
            reason = f"is UTF-8 and not {self._form.encoding}: all its bytes beyond ASCII are sound UTF-8"
            raise self._error(None, reason, "set its 'encoding' to utf-8-sig")

    def _seen(self, text: str) -> str:
        """The same text, looked at as a whole, which costs a fraction of a look at each row."""
        self._utf8.look(text)
        suspect = self._headers is None or self._headers.may_be_in(text)
        # a row may begin in the block before, or be held back there
        self._suspect, self._suspect_before = suspect or self._suspect_before, suspect
        self._careful = self._careful or self._suspect
        return text

    def _refuse_marks(self, text: str) -> None:
        """Raises at what no table holds: a NUL, or (in the first block) a byte order mark."""
        if (at := text.find("\0")) >= 0:
            reason = "holds a NUL character: the file is damaged, or not in this encoding"
            remedy = f"export it again as {self._form.encoding}, or set its 'encoding'"
            raise self._error(self._ended + 1 + line_breaks(text[:at]), reason, remedy)
        if not self._ended and text.startswith("\ufeff"):
            remedy = "set 'encoding' to one that takes it, such as utf-8-sig or utf-16"
            raise self._error(1, "starts with a byte order mark", remedy)
        if "\ufeff" in text and (found := _MARK_INSIDE.search(text)):
            line = self._ended + 1 + line_breaks(text[: found.end()])
            raise self._error(
                line, "starts with a byte order mark, in the middle of the file", TWO_EXPORTS
            )

    def _error(self, line: int | None, reason: str, remedy: str) -> SourceError:
        return SourceError(
            self._place if line is None else f"{self._place} line {line}", reason, remedy
        )

    def _explained(self, error: Exception) -> SourceError:
        """What stopped the reading, as an error at its line. Looks into the file again to find that line."""
        try:
            if isinstance(error, UnicodeError):
                return self._undecodable()
            if isinstance(error, csv.Error):
                return self._malformed(error)
        except OSError as again:
            error = again
        reason = (
            error.strerror
            if isinstance(error, OSError) and error.strerror
            else type(error).__name__
        )
        return self._error(
            self._line,
            f"can't be read any further ({reason})",
            "see to the disk or the share it is on",
        )

    def _undecodable(self) -> SourceError:
        encoding = self._form.encoding
        remedy = f"export the file as {encoding}, or set the 'encoding' it is in, such as cp1252"
        with self._again() as file:
            found = find_bad_byte(file, encoding)
        if found is None:
            return self._error(None, f"is not in {encoding}", remedy)
        return self._error(
            found.line, f"byte 0x{found.byte:02X} can't be read as {encoding}", remedy
        )

    def _malformed(self, error: csv.Error) -> SourceError:
        quote, last = self._form.quotechar, self._reader.line_num + self._offset
        # Bad bytes may follow that the first reading did not come to; here they are beside the point.
        with self._again() as file, self._form.text(file, "replace") as text:
            form, lines = self._form, islice(text, self._line - 1, last)
            found = find_open_quote(lines, self._line, form.delimiter, quote, form.escape)
        too_long = str(error).startswith("field larger")
        most = f"{csv.field_size_limit():,} characters"
        if found is None:
            reason = f"a cell has more than {most}" if too_long else f"is not CSV ({error})"
            return self._error(last, reason, "correct it in the source")
        if found.open:
            within = (
                f" within {most}" if too_long else ": the file is cut off, or a quote is missing"
            )
            reason = f"the quote ({quote}) that opens a cell here is not closed{within}"
            return self._error(
                found.line, reason, "export the file again, or close the quote in the source"
            )
        opened = "" if found.line == last else f", which opens on line {found.line}"
        reason = f"a lone quote ({quote}) stands inside a quoted cell{opened}"
        return self._error(last, reason, f"double it in the source ({quote}{quote})")


def _line_end(text: str) -> int:
    """Where the first line of the text ends; 0 when it does not."""
    found = re.search(r"\r\n|\r|\n", text)
    return found.end() if found else 0


class _Ragged:
    """The rows that have not as many cells as the header, and how many there are (`count`)."""

    def __init__(self, place: str) -> None:
        self._place, self._width = place, 0
        self.count = 0
        self._named: list[tuple[int, int]] = []

    def add(self, line: int, cells: int, width: int) -> None:
        """Note one."""
        self.count, self._width = self.count + 1, width
        if len(self._named) < MOST_NAMED:
            self._named.append((line, cells))

    def error(self, *, configured: bool) -> SourceError:
        """Name all of them at once."""
        header = f"'columns' names {self._width}" if configured else f"the header has {self._width}"
        remedy = "correct them in the source; a cell that holds the delimiter needs quotes"
        widths = {cells for _, cells in self._named}
        if self.count > 2 and len(widths) == 1:
            remedy += f"; {TWO_EXPORTS}"
        if self.count == 1:
            (line, cells), remedy = self._named[0], remedy.replace("them", "the row")
            return SourceError(
                f"{self._place} line {line}", f"has {_cells(cells)} where {header}", remedy
            )
        told = ", ".join(f"{line} ({_cells(cells)})" for line, cells in self._named)
        more = (
            f" and {self.count - len(self._named):,} more" if self.count > len(self._named) else ""
        )
        return SourceError(
            f"{self._place} lines {told}{more}",
            f"have another number of cells where {header}",
            remedy,
        )


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"


class _AfterGap:
    """Looks at the first row after blank lines, where a second table may begin with a header of its own."""

    def __init__(self, error: Callable[[int, str, str], SourceError]) -> None:
        self._error = error
        self.watching = False
        self.previous: list[str] = []
        self._first: tuple[int, list[str], list[str]] | None = None

    def look(self, line: int, cells: list[str]) -> None:
        """Take the first row after the gap, then the one after it.

        Raises:
            SourceError: the first reads like a header of the others.
        """
        if self._first is None:
            if self.previous:
                self._first = line, cells, self.previous
            else:
                self.watching = False
            return
        at, first, before = self._first
        self.watching, self._first = False, None
        if reads_like_header(first, [before, cells]):
            raise self._error(at, "reads like a second header, after blank lines", TWO_EXPORTS)
