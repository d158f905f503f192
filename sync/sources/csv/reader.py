"""One table of comma-separated values, read strictly from an open file to its very end."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import StringIO
from itertools import chain
from typing import TYPE_CHECKING, TextIO

from sync.errors import SourceError
from sync.records.base import Row
from sync.sources.csv.blocks import TextBlocks
from sync.sources.csv.errors import (
    TWO_EXPORTS,
    UNEXPECTED_HEADER,
    RaggedRows,
    Reopen,
    line_error,
    malformed,
    undecodable,
    unreadable,
)
from sync.sources.csv.format import CsvFormat, column_names, repeated_name
from sync.sources.csv.header import GapWatch, HeaderWatch, is_made_of_words, is_rule

if TYPE_CHECKING:
    from _csv import Reader

_SEPARATOR = re.compile(r'"?sep=([^"\w\s]|\t)"?[,;\t ]*(?:\r\n|\r|\n|$)', re.IGNORECASE)
"""The first line by which Excel learns the delimiter."""
_LINE_END = re.compile(r"\r\n|\r|\n")

TextFilter = Callable[[Iterable[str]], Iterable[str]]
"""Returns a table's text, or less of it; all pieces but the last end with a line break."""

_PLAIN = CsvFormat()


class CsvTable:
    """One pass over an open table: its columns, its rows, and the lines of its errors.

    Blank lines, rows of blank cells and rows of dashes are skipped; any other irregularity is an
    error. The caller closes the text.
    """

    def __init__(
        self,
        place: str,
        text: TextIO,
        reopen: Reopen,
        form: CsvFormat = _PLAIN,
        require_unchanged: Callable[[], None] = lambda: None,
        text_filter: TextFilter = iter,
    ) -> None:
        """Prepare to read; nothing is read yet.

        Args:
            place: the file, for people; errors add the line.
            text: the table's text, from its start, as `form.open_text` returns it.
            reopen: opens the same bytes once more, to find the line of an error.
            form: how the table is written.
            require_unchanged: raises a `SourceError` if the file has changed since it was opened.
            text_filter: what the text goes through before it is parsed.
        """
        self._place, self._reopen, self._form = place, reopen, form
        self._require_unchanged, self._text_filter = require_unchanged, text_filter
        self._blocks = TextBlocks(place, text, form.encoding)
        self._line, self._offset = 1, 0
        self._ragged = RaggedRows(place)
        self._headers: HeaderWatch | None = None
        # Whether a row of this block, or of the one before it, may be a header.
        self._suspect, self._suspect_before = True, True
        self._careful = True  # whether each row must be examined by itself

    @property
    def torn(self) -> bool:
        """Tell whether the text ended without a line break. Known after the last row."""
        return self._blocks.torn

    def header(self) -> tuple[str, ...]:
        """Return the column names; to be called first, and once.

        Raises:
            SourceError: the table can't be read, is empty, or has blank or repeated names.
        """
        with self._explained_errors():
            self._start_parser()
            names = self._form.columns or self._read_names()
        self._headers = HeaderWatch(names)
        return names

    def rows(self, header: tuple[str, ...]) -> Iterator[Row]:
        """Yield every row below the header, with the physical line on which it starts.

        Raises:
            SourceError: the table is not valid to its very end, contains a second table, or was
                changed while it was read.
        """
        with self._explained_errors():
            reader, offset, width = self._reader, self._offset + 1, len(header)
            gap = GapWatch(self._place)
            for cells in reader:
                # The fast path, for nearly every row; anything unusual takes the careful path.
                if not self._careful and len(cells) == width and cells[0].strip():
                    # The width was just compared: a strict zip would compare it again, which
                    # costs time in a table of a million rows.
                    yield Row(self._line, dict(zip(header, cells)))  # noqa: B905 - see above
                    gap.previous = cells
                elif examined := self._examine(cells, width, gap):
                    yield Row(self._line, dict(zip(header, examined, strict=True)))
                self._line = reader.line_num + offset
            self._require_unchanged()
            self._refuse_ragged()

    def _start_parser(self) -> None:
        """Skip the lines before the table, and take its delimiter from a `sep=` line if any."""
        texts = iter(self._text_filter(self._watched_blocks()))
        first = self._skip_lines(texts)
        if match := _SEPARATOR.match(first):
            first = first[match.end() :]
            self._form = self._form._replace(delimiter=match[1])
            self._offset += 1
        self._line = 1 + self._offset
        texts = self._keep_nulls(chain([first], texts))
        self._reader: Reader = csv.reader(
            chain.from_iterable(StringIO(text, newline="") for text in texts),
            delimiter=self._form.delimiter,
            quotechar=self._form.quotechar,
            escapechar=self._form.escape,
            strict=True,
        )

    def _watched_blocks(self) -> Iterator[str]:
        """Yield the text, and note for each block whether it may contain a header."""
        for block in self._blocks:
            suspect = self._headers is None or self._headers.may_be_in(block)
            # A row may have begun in the block before, or the text filter may still hold it back.
            self._suspect, self._suspect_before = suspect or self._suspect_before, suspect
            self._careful = self._careful or self._suspect
            yield block

    def _skip_lines(self, texts: Iterator[str]) -> str:
        """Return the first piece of text of the table itself; blank only if nothing follows."""
        text = ""
        for piece in texts:
            text += piece
            while self._offset < self._form.skip_lines and (end := _LINE_END.search(text)):
                text = text[end.end() :]
                self._offset += 1
            if text and self._offset == self._form.skip_lines:
                return text
        return "" if self._offset < self._form.skip_lines else text

    def _keep_nulls(self, texts: Iterator[str]) -> Iterator[str]:
        r"""Return the text; where a backslash escapes, a cell that is `\N` is not the letter N.

        Databases export a missing value so, and it must not be read as a value.
        """
        if self._form.escape != "\\":
            return texts
        delimiter = re.escape(self._form.delimiter)
        null = re.compile(rf"(?:(?<=^)|(?<={delimiter})|(?<=[\r\n]))\\N(?={delimiter}|[\r\n]|$)")
        return (null.sub(r"\\\\N", text) for text in texts)

    def _read_names(self) -> tuple[str, ...]:
        for cells in self._reader:
            if any(map(str.strip, cells)) or len(cells) == 1:
                break
            self._line = self._reader.line_num + self._offset + 1
        else:
            raise line_error(
                self._place,
                None,
                "is empty and has no header",
                "export it again; without rows it still needs a header line",
            )
        names = column_names(cells)
        while len(names) > 1 and not names[-1]:  # the line ends with a delimiter
            names = names[:-1]
        self._require_distinct(names)
        self._line = self._reader.line_num + self._offset + 1
        return names

    def _require_distinct(self, names: tuple[str, ...]) -> None:
        if "" in names:
            reason = f"the header has no name for column {names.index('') + 1} of {len(names)}"
            raise line_error(self._place, self._line, reason, "name it, or remove the column")
        if repeated := repeated_name(names):
            # Not repeated in the message: in a file without a header it is somebody's name.
            first = names.index(repeated) + 1
            second = names.index(repeated, first) + 1
            raise line_error(
                self._place,
                self._line,
                f"the header gives columns {first} and {second} the same name",
                "give each column its own name, or name them by 'columns'",
            )

    def _examine(self, cells: list[str], width: int, gap: GapWatch) -> list[str] | None:
        """Return the row's cells; None for a row to skip, and for all rows after a ragged one."""
        if len(cells) != width:
            cells = self._fit(cells, width)
        if not any(map(str.strip, cells)) or (self._suspect and is_rule(cells)):
            self._careful = True
            gap.watching = gap.watching or not self._ragged.count
            return None
        if self._suspect:
            self._refuse_header(cells, first=not gap.previous)
        if gap.watching:
            gap.look(self._line, cells)
        gap.previous = cells
        self._careful = self._suspect or gap.watching or bool(self._ragged.count)
        return None if self._ragged.count else cells

    def _fit(self, cells: list[str], width: int) -> list[str]:
        """Return the row without extra blank cells; nothing if it is blank or ragged."""
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
        if first and self._form.columns:
            raise line_error(self._place, self._line, *UNEXPECTED_HEADER)
        reason = "is the header again" if again else "reads like a second header"
        raise line_error(self._place, self._line, reason, TWO_EXPORTS)

    def _refuse_ragged(self) -> None:
        if self._ragged.count:
            raise self._ragged.error(has_header=not self._form.columns)

    @contextmanager
    def _explained_errors(self) -> Iterator[None]:
        """Turn any error inside into a `SourceError` at its line."""
        try:
            yield
        except (SourceError, csv.Error, UnicodeError, OSError) as error:
            # A file that is still being written can have any error. Report that it is being
            # written instead, because that is what the operator can act on.
            self._require_unchanged()
            if isinstance(error, csv.Error):
                self._refuse_ragged()
            raise error if isinstance(error, SourceError) else self._explain(error) from None

    def _explain(self, error: Exception) -> SourceError:
        """Return the error at its line. Read the file again to find that line."""
        try:
            if isinstance(error, UnicodeError):
                return undecodable(self._place, self._form.encoding, self._reopen)
            if isinstance(error, csv.Error):
                lines = self._line, self._reader.line_num + self._offset
                return malformed(error, self._place, lines, self._form, self._reopen)
        except OSError as again:
            error = again
        return unreadable(self._place, self._line, error)
