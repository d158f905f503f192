"""The settings of CSV files, and how such a file is opened.

Columns go by header name. A file that is not valid to its very end is not used at all.
"""

import codecs
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, TextIO

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from sync.config_base.base import (
    ColumnName,
    InvalidSetting,
    empty_is_default,
    require_entries,
    validation_error,
    validation_errors,
)
from sync.errors import SourceError
from sync.records.base import Row
from sync.records.extract import Extract
from sync.sources.base import SourceSettings
from sync.sources.completeness import TableCompleteness
from sync.sources.csv.encoding import require_encoding
from sync.sources.csv.errors import UNEXPECTED_HEADER
from sync.sources.csv.format import CsvFormat, repeated_name
from sync.sources.csv.header import reads_like_header
from sync.sources.csv.reader import CsvTable
from sync.sources.csv.trailer import Trailer
from sync.sources.files.archive import Packing, open_unpacked, packing_of
from sync.sources.files.delivery import CompanionName, Delivery, FilePath, SelectBy
from sync.sources.files.open import OpenFile, age_doubt, disk_errors, open_file, place_in
from sync.sources.files.watch import DeliveryWatch


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
        raise validation_error(f"has '{repeated}' more than once", "give each column its own name")
    return names


_COMPARED = 20
"""How many rows are compared with the first one, to tell whether that one is a header."""

_Character = Annotated[str, Field(min_length=1, max_length=1), AfterValidator(_usable_character)]
_Delimiter = Annotated[
    _Character,
    BeforeValidator(_tab),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "minLength": 1, "maxLength": 1}, {"enum": ["tab", r"\t"]}]}
    ),
]


class CsvSettings(SourceSettings):
    """A CSV file whose first line names the columns.

    Blank lines and rows of blank cells are skipped; any other irregularity is an error.
    """

    type: Literal["csv"] = "csv"
    """The kind of source."""
    path: FilePath
    """The file. A relative path starts at the folder of the configuration file.

    Its last part may be a pattern, such as `drop/students-*.csv`: then the newest complete file is
    read.
    """
    select_by: SelectBy = "time"
    """How the newest of several files is selected: by the `time` of writing, or by `name`."""
    done_marker: CompanionName | None = None
    """The name of the marker that the export writes last: `{file}.done`, `{stem}.ok` or `READY`.

    A file without its marker, or with a marker that is older than the file, is not used.
    """
    sha256: CompanionName | None = None
    """The name of the file with the checksum by `sha256sum`, such as `{file}.sha256`."""
    moved_into_place: bool = False
    """Whether each delivery is written elsewhere and then moved here as a whole, as by `mv`.

    A job can `watch` a source only with this, with `done_marker` or with `sha256`: otherwise nobody
    can tell when a delivery is complete.
    """
    compression: Packing = "auto"
    """How the file is packed: `gzip`, `zip` or `none`.

    `auto` decides by its name: `.gz` or `.zip`.
    """
    member: ColumnName | None = None
    """Which file of a zip archive, by its name or a pattern.

    Default: the only one in the archive.
    """
    delimiter: _Delimiter = ","
    """The character between cells, such as `;`, or the word `tab`."""
    encoding: Annotated[str, AfterValidator(_text_encoding)] = "utf-8-sig"
    """The encoding of the text.

    Default: UTF-8, with or without a byte order mark. It is never guessed.
    """
    quotechar: _Character = '"'
    """The character around cells that contain a delimiter, a line break or, doubled, itself."""
    escape: _Character | None = None
    """The character that makes the next one plain, such as a backslash, in files that use one."""
    skip_lines: Annotated[int, Field(ge=0, le=1000)] = 0
    """How many lines come before the table, such as a title."""
    header_line: Annotated[int, Field(ge=1, le=1001)] | None = None
    """The line that names the columns, counted from 1: another way to set `skip_lines`."""
    columns: (
        Annotated[
            tuple[ColumnName, ...], AfterValidator(require_entries), AfterValidator(_distinct)
        ]
        | None
    ) = None
    """The names of the columns in order, for a file without a header: its first line is a row."""
    completeness: Annotated[TableCompleteness, BeforeValidator(empty_is_default)] = (
        TableCompleteness()
    )
    """What must hold before the absence of a record in this source means anything."""

    @model_validator(mode="after")
    def _fits_together(self) -> "CsvSettings":
        if self.delimiter == self.quotechar:
            raise ValueError("'delimiter' and 'quotechar' are the same character")
        if self.escape is not None and self.escape in (self.delimiter, self.quotechar):
            raise _invalid(
                "escape", "is the delimiter or the quotechar", "set another character, such as \\"
            )
        if self.header_line is not None and (self.skip_lines or self.columns is not None):
            reason = (
                "is set together with 'columns'"
                if self.columns is not None
                else "means the same as 'skip_lines'"
            )
            remedy = "keep one of them; without a header, use skip_lines"
            raise _invalid("header_line", reason, remedy)
        if self.member is not None and packing_of(self.path, self.compression) != "zip":
            remedy = "set 'compression' to zip, or remove 'member'"
            raise _invalid("member", "is only for zip archives", remedy)
        return self

    def watcher(self, folder: Path) -> DeliveryWatch | None:
        """Return what notices a new complete delivery; None if nothing tells when it is complete."""
        if not (self.moved_into_place or self.done_marker or self.sha256):
            return None
        delivery = Delivery(self.select_by, self.done_marker, self.sha256)
        return DeliveryWatch(folder / self.path, delivery, self.place(folder))

    def place(self, folder: Path) -> str:
        """Return the path of the file (or the pattern) for people."""
        return place_in(folder, self.path)

    @contextmanager
    def open(self, folder: Path) -> Iterator[Extract]:
        """Open the file for one read. A row has the line on which it starts, in the unpacked text.

        Raises:
            SourceError: the file can't be read, is not complete, is empty, is in another encoding,
                or has blank or repeated column names. Of its rows: it is not valid to its very
                end, or was changed while it was read.
        """
        delivery = Delivery(self.select_by, self.done_marker, self.sha256)
        path = delivery.choose(folder / self.path, self.place(folder))
        with open_file(path, place_in(folder, path)) as opened:
            delivery.require_proofs(opened)
            with self._unpacked(opened.file, opened) as file:
                with disk_errors(opened.place):
                    require_encoding(opened.place, file, self.encoding)
                form = self._form()
                with form.open_text(file) as text:
                    yield self._extract(text, form, opened)

    def _form(self) -> CsvFormat:
        return CsvFormat(
            self.delimiter,
            self.quotechar,
            self.encoding,
            self.columns or (),
            self.skip_lines if self.header_line is None else self.header_line - 1,
            self.escape,
        )

    def _unpacked(self, file: BinaryIO, opened: OpenFile) -> AbstractContextManager[BinaryIO]:
        packing = packing_of(opened.path, self.compression)
        return open_unpacked(file, opened.place, packing, self.member)

    def _extract(self, text: TextIO, form: CsvFormat, opened: OpenFile) -> Extract:
        @contextmanager
        def reopen() -> Iterator[BinaryIO]:
            with opened.path.open("rb") as file, self._unpacked(file, opened) as inner:
                yield inner

        doubt = age_doubt(opened.written_ns, self.completeness.max_age, time.time())
        doubts = [doubt] if doubt else []
        pattern = self.completeness.trailer
        trailer = Trailer(pattern, doubts) if pattern is not None else None
        table = CsvTable(
            opened.place,
            text,
            reopen,
            form,
            opened.require_unchanged,
            trailer.remove_from if trailer else iter,
        )
        columns = table.header()
        rows = table.rows(columns)
        if self.columns is not None:
            rows = _refuse_header_row(rows, opened.place)
        return Extract(
            opened.place,
            columns,
            trailer.count(rows) if trailer else rows,
            doubts=doubts,
            torn=lambda: table.torn and not (trailer and trailer.found),
        )


def _invalid(setting: str, reason: str, remedy: str) -> Exception:
    return validation_errors([InvalidSetting(setting, reason, remedy)])


def _refuse_header_row(rows: Iterator[Row], place: str) -> Iterator[Row]:
    """Yield the same rows, unless the first reads like a header."""
    first = list(islice(rows, _COMPARED))
    cells = [list(row.values.values()) for row in first]
    if cells and reads_like_header(cells[0], cells[1:]):
        raise SourceError(f"{place} line {first[0].line}", *UNEXPECTED_HEADER)
    yield from first
    yield from rows
