"""CSV files: read by header name, strictly, to the very end, or not at all."""

import codecs
import csv
import os
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TextIO

from pydantic import AfterValidator, Field

from sync.errors import SourceError
from sync.model import Row
from sync.sources.base import SourceSettings

SAVE_AGAIN = "save the file again in that encoding, or name its own with 'encoding'"
READ_AGAIN = "it is read again in the next run; write it under another name and rename it when it is complete"


def _text_encoding(name: str) -> str:
    try:
        "".encode(name)
        known = codecs.lookup(name)
    except (LookupError, ValueError):
        raise ValueError(f"{name!r} is not the name of a text encoding, such as utf-8-sig or cp1252") from None
    return known.name


def _one_sign(text: str) -> str:
    if text in "\r\n" or not text.isascii():
        raise ValueError("must be one character, and no line break")
    return text


Sign = Annotated[str, Field(min_length=1, max_length=1), AfterValidator(_one_sign)]


class CsvSettings(SourceSettings):
    """A CSV file with a header row."""

    type: Literal["csv"] = "csv"
    """`csv`."""
    path: Annotated[Path, Field()]
    """The file; a relative path starts at the configuration file's folder."""
    delimiter: Sign = ","
    """What stands between two cells."""
    encoding: Annotated[str, AfterValidator(_text_encoding)] = "utf-8-sig"
    """The file's encoding. It is never guessed: bytes that do not fit make the file unreadable."""
    quotechar: Sign = '"'
    """What stands around a cell that holds the delimiter, a line break or this character itself (then doubled)."""

    def place(self, folder: Path) -> str:  # noqa: ARG002 - other sources need it
        """The file's name."""
        return self.path.name

    def columns(self, folder: Path) -> tuple[str, ...]:
        """The header's names, stripped and in NFC."""
        reading = _Reading(self, folder)
        with reading.open() as file:
            return reading.header(reading.reader(file))

    def rows(self, folder: Path) -> Iterator[Row]:
        """Every row, with the line on which it starts."""
        reading = _Reading(self, folder)
        with reading.open() as file:
            before = os.fstat(file.fileno())
            yield from reading.rows(reading.reader(file))
            reading.refuse_change(before)


@dataclass(slots=True)
class _Reading:
    """One pass over one file; `line` is where the current record starts."""

    settings: CsvSettings
    folder: Path
    line: int = 1

    @property
    def path(self) -> Path:
        return self.folder / self.settings.path

    def fault(self, reason: str, remedy: str, line: int | None = None) -> SourceError:
        return SourceError(f"{self.settings.path.name} line {line or self.line}", reason, remedy)

    @contextmanager
    def open(self) -> Iterator[TextIO]:
        """The file as text; whatever goes wrong while it is open becomes a `SourceError` with its line."""
        try:
            with self.path.open(encoding=self.settings.encoding, newline="") as file:
                yield file
        except UnicodeError as error:
            raise self._bad_bytes(error) from None
        except csv.Error as error:
            raise self._not_csv(str(error)) from None
        except OSError as error:
            reason = f"can't be read ({error.strerror or type(error).__name__})"
            raise SourceError(str(self.path), reason, "correct 'path', or let this user read the file") from None

    def reader(self, file: TextIO) -> Any:
        """A strict CSV reader."""
        settings = self.settings
        return csv.reader(file, delimiter=settings.delimiter, quotechar=settings.quotechar, strict=True)

    def header(self, reader: Any) -> tuple[str, ...]:
        """The column names."""
        cells = next((cells for cells in reader if cells), None)
        if cells is None:
            raise self.fault("the file is empty: it has no header", "was the export cut short? write it again")
        names = tuple(unicodedata.normalize("NFC", cell.strip()) for cell in cells)
        self.line = reader.line_num
        if "" in names:
            number = names.index("") + 1
            raise self.fault(f"column {number} of the header has no name", "name every column, or take it out")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise self.fault(f"the header names {', '.join(map(repr, twice))} more than once", "name each column once")
        self.line += 1
        return names

    def rows(self, reader: Any) -> Iterator[Row]:
        """Every record after the header."""
        header = self.header(reader)
        width = len(header)
        for cells in reader:
            if len(cells) != width:
                if not cells:
                    self.line = reader.line_num + 1
                    continue
                raise self._ragged(cells, header)
            yield Row(self.line, dict(zip(header, cells, strict=True)))
            self.line = reader.line_num + 1

    def _ragged(self, cells: Sequence[str], header: Sequence[str]) -> SourceError:
        reason = f"the row has {len(cells)} cells where the header has {len(header)}"
        return self.fault(reason, f"is the delimiter {self.settings.delimiter!r}? a cell that holds it needs quotes")

    def refuse_change(self, before: os.stat_result) -> None:
        """The file must be the one that was opened, and as it was then."""
        after = self.path.stat()
        if (before.st_ino, before.st_size, before.st_mtime_ns) != (after.st_ino, after.st_size, after.st_mtime_ns):
            raise self.fault("the file was changed while it was read", READ_AGAIN)

    def _not_csv(self, message: str) -> SourceError:
        quote = self.settings.quotechar
        if "unexpected end of data" in message:
            remedy = "was the file cut short? write it again, or close the quote"
            return self.fault(f"a quote ({quote}) that opens in the row here is never closed", remedy)
        if "field larger than" in message:
            return self.fault(f"a cell never ends: is a quote ({quote}) not closed?", "close it, or write the file again")
        if "expected after" in message:
            remedy = f"double a quote that is part of a cell ({quote}{quote}), or name another 'quotechar'"
            return self.fault(f"a quote ({quote}) stands inside a cell", remedy)
        return self.fault(f"is not CSV ({message})", "write the file again")

    def _bad_bytes(self, error: UnicodeError) -> SourceError:
        """Looks for the line by itself: the text layer reads ahead, so the reader's own count is too low."""
        encoding = self.settings.encoding
        decoder = codecs.getincrementaldecoder(encoding)()
        with self.path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                try:
                    decoder.decode(raw)
                except UnicodeDecodeError as bad:
                    value = bad.object[bad.start]
                    return self.fault(f"byte 0x{value:02x} is not {encoding}", SAVE_AGAIN, number)
                except UnicodeError:
                    break
        return self.fault(f"the file is not {encoding} ({type(error).__name__})", SAVE_AGAIN)
