"""CSV files: the contract of all sources, what is read and how, and files that can't be opened."""

import csv
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import ValidationError
from sync.errors import SourceError
from sync.records.base import Row
from sync.sources.base import SourceSettings
from sync.sources.csv.source import CsvSettings

from .contract import SourceContract

HEADER = "no,given,family\n"


class TestCsvKeepsTheContract(SourceContract):
    def make(
        self, folder: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]
    ) -> SourceSettings:
        with (folder / "students.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(rows)
        return CsvSettings(path=Path("students.csv"))

    def absent(self) -> SourceSettings:
        return CsvSettings(path=Path("nowhere.csv"))

    def damage_end(self, folder: Path) -> None:
        with (folder / "students.csv").open("a", encoding="utf-8") as file:
            file.write('1,"cut')

    def disturb(self, folder: Path) -> None:
        with (folder / "students.csv").open("a", encoding="utf-8") as file:
            file.write("1,2,3\n")


def write(folder: Path, content: str | bytes, **settings: str) -> CsvSettings:
    data = content if isinstance(content, bytes) else content.encode()
    (folder / "students.csv").write_bytes(data)
    return CsvSettings.model_validate({"path": "students.csv"} | settings)


def read(folder: Path, content: str | bytes, **settings: str) -> list[Row]:
    return list(write(folder, content, **settings).rows(folder))


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^gone\.csv: is not there; check 'path'"):
        CsvSettings(path=Path("gone.csv")).column_names(tmp_path)


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "students").mkdir()
    with pytest.raises(SourceError, match="is a folder, not a file"):
        list(CsvSettings(path=Path("students")).rows(tmp_path))


def test_a_named_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(SourceError, match="is not a plain file"):
        list(CsvSettings(path=Path("pipe.csv")).rows(tmp_path))


def test_a_path_through_a_file_is_a_wrong_path(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    with pytest.raises(SourceError, match=r"can't be opened \(Not a directory\); check 'path'"):
        list(CsvSettings(path=Path("a/b.csv")).rows(tmp_path))


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read everything, nobody may not."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_an_unreadable_file_says_who_needs_which_right(tmp_path: Path) -> None:
    source = write(tmp_path, HEADER)
    (tmp_path / "students.csv").chmod(0)
    with as_nobody(), pytest.raises(SourceError) as caught:
        list(source.rows(tmp_path))
    assert str(caught.value) == (
        "students.csv: can't be opened (Permission denied); give the account that runs "
        "inspera-sync the right to read it"
    )


def values(folder: Path, content: str, **settings: str) -> list[list[str]]:
    return [list(row.values.values()) for row in read(folder, content, **settings)]


def test_the_last_line_needs_no_line_break_even_when_it_is_the_header(tmp_path: Path) -> None:
    assert read(tmp_path, HEADER.rstrip()) == []
    assert values(tmp_path, HEADER + "1,Åse,Berg") == [["1", "Åse", "Berg"]]


def test_rows_of_blank_cells_are_skipped_like_blank_lines_and_counted(tmp_path: Path) -> None:
    text = 'number,given\n\n,\n"", \n1,Åse\n,,,\n  \n\t,\u00a0\n2,\n'
    assert [row.line for row in read(tmp_path, text)] == [5, 9]


def test_quotes_hold_delimiters_and_doubled_quotes(tmp_path: Path) -> None:
    assert values(tmp_path, HEADER + '1,"Å, se","say ""hei"""\n') == [["1", "Å, se", 'say "hei"']]


def test_a_quote_inside_an_unquoted_cell_is_just_a_character(tmp_path: Path) -> None:
    assert values(tmp_path, HEADER + '1,5" x 3",y\n') == [["1", '5" x 3"', "y"]]


def test_delimiter_and_quote_character_are_as_the_settings_say(tmp_path: Path) -> None:
    assert values(tmp_path, "a;b\n'1;2';x,y\n", delimiter=";", quotechar="'") == [["1;2", "x,y"]]
    assert values(tmp_path, 'a\tb\n"1\t2"\tx\n', delimiter="\t") == [["1\t2", "x"]]


def test_line_breaks_may_fall_anywhere_in_a_long_file(tmp_path: Path) -> None:
    rows = [
        [str(n), "Å" * (n * 31 % 997), "one\r\ntwo" if n % 5 == 0 else "one"] for n in range(1_500)
    ]
    lines = [",".join(f'"{cell}"' for cell in row) for row in rows]
    for ending in ("\r\n", "\r", "\n"):
        found = read(tmp_path, ending.join([HEADER.rstrip(), *lines]) + ending)
        assert [list(row.values.values()) for row in found] == rows
        assert [row.line for row in found] == [2 + n + -(-n // 5) for n in range(1_500)]


def test_long_cells_are_read_whole(tmp_path: Path) -> None:
    long = "Æ" * 100_000
    assert values(tmp_path, f'a,b\n1,{long}\n2,"{long}"\n') == [["1", long], ["2", long]]


def test_column_names_are_stripped_and_composed(tmp_path: Path) -> None:
    assert write(tmp_path, " no ,a\u030arskull\n").column_names(tmp_path) == ("no", "\u00e5rskull")


def test_blank_lines_are_skipped_and_counted(tmp_path: Path) -> None:
    rows = read(tmp_path, "\n" + HEADER + "\r\n1,a,b\n\n\n2,c,d\n\n")
    assert [(row.line, row.values["no"]) for row in rows] == [(4, "1"), (7, "2")]


def test_a_row_has_the_line_on_which_it_starts_when_cells_span_lines(tmp_path: Path) -> None:
    rows = read(tmp_path, HEADER + '1,"a\nb","c\r\nd"\n2,e,f\n3,"g\n",h\n4,i,j\n')
    assert [row.line for row in rows] == [2, 5, 6, 8]
    assert rows[0].values["given"] == "a\nb"


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_line_ending_is_understood_across_blocks(tmp_path: Path, ending: str) -> None:
    lines = ["no,given"] + [f"{n},{'x' * (n % 50)}" for n in range(5_000)]
    rows = read(tmp_path, ending.join(lines))
    assert [(row.line, row.values["no"]) for row in rows] == [(n + 2, str(n)) for n in range(5_000)]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp1252", "iso-8859-1", "utf-16", "utf-16-le"]
)
def test_a_file_is_read_in_the_encoding_that_is_named(tmp_path: Path, encoding: str) -> None:
    rows = read(tmp_path, (HEADER + "1,Åse,Bjørnø\n").encode(encoding), encoding=encoding)
    assert rows[0].values["family"] == "Bjørnø"


def test_the_default_encoding_takes_a_byte_order_mark_and_does_without(tmp_path: Path) -> None:
    for mark in ("", "\ufeff"):
        assert write(tmp_path, mark + '"no",given\n').column_names(tmp_path) == ("no", "given")


def test_a_file_cut_in_a_quoted_cell_is_refused_although_its_rows_were_good(tmp_path: Path) -> None:
    source = write(tmp_path, HEADER + '1,a,b\n2,"c","d')
    rows = source.rows(tmp_path)
    assert next(rows).values["no"] == "1"
    with pytest.raises(SourceError, match=r"^students\.csv line 3: .* is not closed"):
        next(rows)


def test_a_disk_that_fails_midway_is_a_source_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write(tmp_path, HEADER + "1,a,b\n")

    class FailingDisk(io.FileIO):
        def readinto(self, _: object, /) -> int:
            raise OSError(5, "Input/output error")

    def opened(path: Path, _: str) -> io.BufferedReader:
        return io.BufferedReader(FailingDisk(str(path)))

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(SourceError, match=r"^students\.csv: can't be read \(Input/output error\)"):
        list(source.rows(tmp_path))


def test_the_place_of_a_file_inside_the_folder_is_relative_to_it_and_otherwise_whole(
    tmp_path: Path,
) -> None:
    assert CsvSettings(path=tmp_path / "in" / "a.csv").place(tmp_path) == "in/a.csv"
    assert CsvSettings(path=Path("/srv/exports/a.csv")).place(tmp_path) == "/srv/exports/a.csv"


@pytest.mark.parametrize("encoding", ["utf-99", "rot13", "base64", "undefined", "", "a\0b"])
def test_an_encoding_that_is_no_text_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(ValidationError, match="is not a known text encoding"):
        CsvSettings.model_validate({"path": "a.csv", "encoding": encoding})


@pytest.mark.parametrize("setting", ["delimiter", "quotechar"])
@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "at least 1"),
        (";;", "at most 1"),
        ("\n", "line break"),
        ("\r", "line break"),
        ("\0", "NUL"),
    ],
)
def test_delimiter_and_quotechar_are_one_character_each_and_not_a_line_break(
    setting: str, value: str, why: str
) -> None:
    with pytest.raises(ValidationError, match=why):
        CsvSettings.model_validate({"path": "a.csv", setting: value})


def test_delimiter_and_quotechar_differ() -> None:
    with pytest.raises(ValidationError, match="same character"):
        CsvSettings.model_validate({"path": "a.csv", "delimiter": "'", "quotechar": "'"})
