"""CSV files, by header name and strictly: a file that is not sound to its very end is not used at all."""

import codecs
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, TextIO

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from sync.config_base.base import InvalidSetting, Named, empty_is_default, filled, told, told_one
from sync.errors import SourceError
from sync.records.base import Row
from sync.records.extract import Extract
from sync.sources.base import SourceSettings
from sync.sources.completeness import TableCompleteness
from sync.sources.csv.encoding import refuse_other_encoding
from sync.sources.csv.header import reads_like_header
from sync.sources.csv.reader import UNASKED_HEADER, CsvForm, CsvTable, repeated_name
from sync.sources.csv.trailer import Trailer
from sync.sources.files.archive import Packing, packing_of, unpacked
from sync.sources.files.delivery import Beside, Delivery, FilePath, NewestBy
from sync.sources.files.open import OpenFile, age_doubt, open_file, place_in, reading


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


def _tab(value: Any) -> Any:
    return "\t" if value in ("tab", r"\t") else value


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if repeated := repeated_name(names):
        raise told_one(f"has '{repeated}' more than once", "give each column its own name")
    return names


_COMPARED = 20
"""With how many rows the first one is compared, to tell whether it is one of them."""

_Character = Annotated[str, Field(min_length=1, max_length=1), AfterValidator(_usable_character)]
_Delimiter = Annotated[
    _Character,
    BeforeValidator(_tab),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "minLength": 1, "maxLength": 1}, {"enum": ["tab", r"\t"]}]}
    ),
]


class CsvSettings(SourceSettings):
    """A CSV file whose first line names the columns. Blank lines, and rows of blank cells, are skipped; any other
    irregularity is an error."""

    type: Literal["csv"] = "csv"
    """The kind of source."""
    path: FilePath
    """The file. A relative path starts at the folder of the configuration file. Its last part may be a pattern, such as
    `drop/students-*.csv`: then the newest complete file counts."""
    select_by: NewestBy = "time"
    """What makes a file the newest of those that match: the `time` when it was written, or its `name`."""
    done_marker: Beside | None = None
    """The name of the marker that is written once the file is complete, such as `{file}.done`, `{stem}.ok` or `READY`.
    A file without it, or with one that is older than the file, is not used."""
    sha256: Beside | None = None
    """The name of the file with the checksum, as `sha256sum` writes it, such as `{file}.sha256`."""
    compression: Packing = "auto"
    """How the file is packed: `gzip`, `zip` or `none`. With `auto` by the end of its name, `.gz` or `.zip`."""
    member: Named | None = None
    """Which file of a zip archive, by its name or a pattern. Without it, the archive has to hold just one."""
    delimiter: _Delimiter = ","
    """The character between cells, such as `;`, or the word `tab`."""
    encoding: Annotated[str, AfterValidator(_text_encoding)] = "utf-8-sig"
    """How the file's text is encoded. The default is UTF-8, with or without a byte order mark. It is never guessed."""
    quotechar: _Character = '"'
    """The character around cells that hold a delimiter, a line break or, doubled, this character itself."""
    escape: _Character | None = None
    """The character that makes the next one plain, such as a backslash, in files that escape quotes so."""
    skip_lines: Annotated[int, Field(ge=0, le=1000)] = 0
    """How many lines stand before the table, such as a title."""
    header_line: Annotated[int, Field(ge=1, le=1001)] | None = None
    """The line that names the columns, counted from 1: another way to say skip_lines."""
    columns: (
        Annotated[tuple[Named, ...], AfterValidator(filled), AfterValidator(_distinct)] | None
    ) = None
    """The names of the columns in their order, for a file without a header: its first line is a row then."""
    completeness: Annotated[TableCompleteness, BeforeValidator(empty_is_default)] = (
        TableCompleteness()
    )
    """What has to hold before this source's word is taken for what it does not name."""

    @model_validator(mode="after")
    def _told_apart(self) -> "CsvSettings":
        if self.delimiter == self.quotechar:
            raise ValueError("'delimiter' and 'quotechar' are the same character")
        return self

    @model_validator(mode="after")
    def _escaped_by_itself(self) -> "CsvSettings":
        if self.escape is not None and self.escape in (self.delimiter, self.quotechar):
            raise told(
                [
                    InvalidSetting(
                        "escape",
                        "is the delimiter or the quotechar",
                        "give a character of its own, such as \\",
                    )
                ]
            )
        return self

    @model_validator(mode="after")
    def _begins_once(self) -> "CsvSettings":
        if self.header_line is not None and (self.skip_lines or self.columns is not None):
            reason = (
                "is given beside 'columns'"
                if self.columns is not None
                else "says the same as 'skip_lines'"
            )
            raise told(
                [
                    InvalidSetting(
                        "header_line", reason, "keep one of them; without a header, use skip_lines"
                    )
                ]
            )
        return self

    @model_validator(mode="after")
    def _member_of_a_zip(self) -> "CsvSettings":
        if self.member is not None and packing_of(self.path, self.compression) != "zip":
            raise told(
                [
                    InvalidSetting(
                        "member",
                        "is only for zip archives",
                        "set 'compression' to zip, or take it out",
                    )
                ]
            )
        return self

    def place(self, folder: Path) -> str:
        """How the file (or the pattern) is named to people: from `folder` on when it is in there, otherwise whole."""
        return place_in(folder, self.path)

    @contextmanager
    def open(self, folder: Path) -> Iterator[Extract]:
        """The file, for one reading; a row has the physical line of the text (once unpacked) on which it starts.

        Raises:
            SourceError: the file can't be read, is not complete, is empty, is in another encoding, or its header has
                blank or repeated names.
                Of its rows: it is not sound to its very end, or was changed while it was read.
        """
        drop = Delivery(self.select_by, self.done_marker, self.sha256)
        path = drop.chosen(folder / self.path, self.place(folder))
        with open_file(path, place_in(folder, path)) as opened:
            drop.require_proofs(opened)
            with self._unpacked(opened.file, opened) as file:
                with reading(opened.place):
                    refuse_other_encoding(opened.place, file, self.encoding)
                with self._form.text(file) as text:
                    yield self._extract(text, self._form, opened)

    @property
    def _form(self) -> CsvForm:
        skip = self.skip_lines if self.header_line is None else self.header_line - 1
        return CsvForm(
            self.delimiter,
            self.quotechar,
            self.encoding,
            self.columns or (),
            skip,
            self.escape or "",
        )

    def _unpacked(self, file: BinaryIO, opened: OpenFile) -> AbstractContextManager[BinaryIO]:
        return unpacked(file, opened.place, packing_of(opened.path, self.compression), self.member)

    def _extract(self, text: TextIO, form: CsvForm, opened: OpenFile) -> Extract:
        @contextmanager
        def again() -> Iterator[BinaryIO]:
            with opened.path.open("rb") as file, self._unpacked(file, opened) as inner:
                yield inner

        doubt = age_doubt(opened.written_ns, self.completeness.max_age, time.time())
        doubts = [doubt] if doubt else []
        trailer = (
            Trailer(self.completeness.trailer, doubts)
            if self.completeness.trailer is not None
            else None
        )
        passing = trailer.taken_off if trailer else iter
        table = CsvTable(opened.place, text, again, form, opened.refuse_change, passing)
        columns = table.header()
        rows = table.rows(columns)
        if self.columns is not None:
            rows = _without_header_line(rows, opened.place)
        counted = trailer.counted(rows) if trailer else rows
        return Extract(
            opened.place,
            columns,
            counted,
            doubts=doubts,
            torn=lambda: table.torn and not (trailer and trailer.found),
        )


def _without_header_line(rows: Iterator[Row], place: str) -> Iterator[Row]:
    """The same rows, of which the first must not read like a header: then the file has one after all."""
    first = list(islice(rows, _COMPARED))
    cells = [list(row.values.values()) for row in first]
    if cells and reads_like_header(cells[0], cells[1:]):
        raise SourceError(f"{place} line {first[0].line}", *UNASKED_HEADER)
    yield from first
    yield from rows
