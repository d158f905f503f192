import csv
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from sync.errors import SourceError
from sync.records.base import Row
from sync.sources.csv.source import CsvSettings

NAME = "students.csv"

Read = Callable[..., list[Row]]
Refusal = Callable[..., SourceError]


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[str]], **form: Any) -> str:
    """Return a table as CSV text; `form` are options of `csv.writer`."""
    text = StringIO(newline="")
    writer = csv.writer(text, **form)
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def zipped(members: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip archive of these files."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def opened(source: CsvSettings, folder: Path) -> tuple[list[Row], list[str], str]:
    """Return all rows of a source, its doubts at the end, and its place."""
    with source.open(folder) as extract:
        rows = list(extract.rows)
        return rows, extract.doubts, extract.place


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / NAME
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read a CSV file with this content: `read(content, **settings)`."""

    def rows(content: str | bytes, **settings: object) -> list[Row]:
        written(tmp_path, content)
        return list(CsvSettings.model_validate({"path": NAME, **settings}).rows(tmp_path))

    return rows


@pytest.fixture
def refusal(read: Read) -> Refusal:
    """Return the error, in one line, for a CSV file with this content."""

    def error(content: str | bytes, **settings: object) -> SourceError:
        with pytest.raises(SourceError) as caught:
            read(content, **settings)
        assert len(str(caught.value).splitlines()) == 1
        assert caught.value.remedy
        return caught.value

    return error
