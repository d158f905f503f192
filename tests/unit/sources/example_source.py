"""Rows from JSON lines: each line is a list of values, and the first line names the columns."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from sync.errors import SourceError
from sync.records.base import Row
from sync.records.extract import Extract
from sync.sources.base import SourceSettings
from sync.sources.csv.format import column_names, repeated_name
from sync.sources.files.open import OpenFile, disk_errors, open_file, place_in


class JsonLines(SourceSettings):
    """A file of JSON lines: each is a list of values, and the first one names the columns."""

    type: Literal["jsonl"] = "jsonl"
    """The kind of source."""
    path: Path
    """The file. A relative path starts at the folder of the configuration file."""

    def place(self, folder: Path) -> str:
        """Return the path of the file for people."""
        return place_in(folder, self.path)

    @contextmanager
    def open(self, folder: Path) -> Iterator[Extract]:
        """Open the file for one read."""
        with open_file(folder / self.path, self.place(folder)) as opened:
            lists = _read_lists(opened)
            columns = column_names(next(lists, (0, [""]))[1])
            if "" in columns or repeated_name(columns):
                raise SourceError(
                    opened.place,
                    "its first line does not name each column once",
                    "correct its export",
                )
            rows = (Row(line, dict(zip(columns, values, strict=True))) for line, values in lists)
            yield Extract(opened.place, columns, rows)


def _read_lists(opened: OpenFile) -> Iterator[tuple[int, list[str]]]:
    """Yield every line with its number. All must be lists of the same length."""
    width = 0
    with disk_errors(opened.place):
        for number, line in enumerate(opened.file, start=1):
            values = _values(line)
            if not values or len(values) != (width or len(values)):
                raise SourceError(
                    f"{opened.place} line {number}",
                    "is not a list like the first",
                    "correct its export",
                )
            width = len(values)
            yield number, values
    opened.require_unchanged()  # a file that is still being written may have ended early


def _values(line: bytes) -> list[str]:
    """Return the values of a line as text, with '' for a null; empty if it is not a list."""
    try:
        values = json.loads(line, parse_int=str, parse_float=str)
    except ValueError:
        return []
    listed = values if isinstance(values, list) else []
    return [
        "" if value is None else value if isinstance(value, str) else json.dumps(value)
        for value in listed
    ]
