from collections.abc import Callable
from pathlib import Path

import pytest
from sync.errors import SourceError
from sync.model import Row
from sync.sources.csv_file import CsvSettings

NAME = "students.csv"

Read = Callable[..., list[Row]]
Refusal = Callable[..., SourceError]


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / NAME
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads a CSV file of this content: `read(content, **settings)`."""

    def rows(content: str | bytes, **settings: str) -> list[Row]:
        written(tmp_path, content)
        return list(CsvSettings.model_validate({"path": NAME, **settings}).rows(tmp_path))

    return rows


@pytest.fixture
def refusal(read: Read) -> Refusal:
    """Why a CSV file of this content can't be read: `refusal(content, **settings)`. Fit to be shown, in one line."""

    def error(content: str | bytes, **settings: str) -> SourceError:
        with pytest.raises(SourceError) as caught:
            read(content, **settings)
        assert len(str(caught.value).splitlines()) == 1
        assert caught.value.remedy
        return caught.value

    return error
