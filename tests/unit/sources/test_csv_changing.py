"""A CSV file that is written, replaced or removed during the read is not used."""

import os
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest
from sync.errors import SourceError
from sync.records.base import Row
from sync.sources.csv.source import CsvSettings

from .conftest import NAME, written

MANY, FEW = 50_000, 3


def content(rows: int) -> str:
    return "number,given\n" + "1,Åse\n" * rows


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"2,Ola\n")


def truncate(path: Path) -> None:
    os.truncate(path, 15)


def truncate_mid_row(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 4)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def rewrite_in_place(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(13)
        file.write(b"9")
    os.utime(path, ns=(1, 1))  # whatever the clock's grain


def replace(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_text(path.read_text(encoding="utf-8").replace("1", "2"), encoding="utf-8")
    other.rename(path)


def replace_by_its_equal(path: Path) -> None:
    status = path.stat()
    other = path.with_suffix(".new")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.rename(path)


def remove(path: Path) -> None:
    path.unlink()


def tear(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b'3,"half a row')


def let_be(path: Path) -> None:
    path.read_bytes()


Doing = Callable[[Path], None]


def read_while(folder: Path, doing: Doing, rows_before: int) -> list[Row]:
    path = written(folder, content(rows_before))
    rows = CsvSettings(path=Path(NAME)).rows(folder)
    first = next(rows)
    doing(path)
    return list(chain([first], rows))


@pytest.mark.parametrize("rows_before", [FEW, MANY])
@pytest.mark.parametrize(
    "doing",
    [
        append,
        truncate,
        truncate_mid_row,
        empty,
        rewrite_in_place,
        replace,
        replace_by_its_equal,
        remove,
        tear,
    ],
)
def test_a_file_that_changes_while_it_is_read_is_not_used(
    tmp_path: Path, doing: Doing, rows_before: int
) -> None:
    with pytest.raises(SourceError) as caught:
        read_while(tmp_path, doing, rows_before)
    assert str(caught.value) == (
        "students.csv: was changed or replaced while it was read; "
        "wait until its export is done, or have the export write it under another name and "
        "rename it when it is complete"
    )


def test_a_file_that_is_only_looked_at_is_used(tmp_path: Path) -> None:
    assert len(read_while(tmp_path, let_be, MANY)) == MANY


def test_a_change_before_the_first_row_is_asked_for_is_no_change(tmp_path: Path) -> None:
    path = written(tmp_path, content(MANY))
    rows = CsvSettings(path=Path(NAME)).rows(tmp_path)
    append(path)
    assert len(list(rows)) == MANY + 1


def test_a_change_after_the_last_row_was_read_is_no_change(tmp_path: Path) -> None:
    path = written(tmp_path, content(MANY))
    rows = list(CsvSettings(path=Path(NAME)).rows(tmp_path))
    append(path)
    assert len(rows) == MANY
