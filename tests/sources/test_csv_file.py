"""CSV files: the contract of all sources, then every way in which a file can be unsound."""

import csv
import io
import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sync.errors import SourceError
from sync.model import Row
from sync.sources.base import SourceSettings
from sync.sources.csv_file import MAX_LINE, CsvSettings

from .contract import SourceContract

HEADER = "no,given,family\n"


class TestCsvKeepsTheContract(SourceContract):
    def make(self, folder: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> SourceSettings:
        with (folder / "students.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(rows)
        return CsvSettings(path=Path("students.csv"))

    def absent(self) -> SourceSettings:
        return CsvSettings(path=Path("nowhere.csv"))

    def damage_end(self, folder: Path, source: SourceSettings) -> None:
        with (folder / "students.csv").open("a", encoding="utf-8") as file:
            file.write('1,"cut')

    def disturb(self, folder: Path, source: SourceSettings) -> None:
        with (folder / "students.csv").open("a", encoding="utf-8") as file:
            file.write("1,2,3\n")


def write(folder: Path, content: str | bytes, **settings: str) -> CsvSettings:
    data = content if isinstance(content, bytes) else content.encode()
    (folder / "students.csv").write_bytes(data)
    return CsvSettings.model_validate({"path": "students.csv"} | settings)


def read(folder: Path, content: str | bytes, **settings: str) -> list[Row]:
    return list(write(folder, content, **settings).rows(folder))


def fault(folder: Path, content: str | bytes, **settings: str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read(folder, content, **settings)
    assert caught.value.remedy
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^gone\.csv: is not there; check 'path'"):
        CsvSettings(path=Path("gone.csv")).columns(tmp_path)


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "students").mkdir()
    with pytest.raises(SourceError, match="is a folder, not a file"):
        list(CsvSettings(path=Path("students")).rows(tmp_path))


def test_a_named_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(SourceError, match="is not a plain file"):
        list(CsvSettings(path=Path("pipe.csv")).rows(tmp_path))


def test_a_file_in_a_folder_that_is_a_file_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    with pytest.raises(SourceError, match=r"can't be opened \(Not a directory\)"):
        list(CsvSettings(path=Path("a/b.csv")).rows(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_says_who_needs_which_right(tmp_path: Path) -> None:
    source = write(tmp_path, HEADER)
    (tmp_path / "students.csv").chmod(stat.S_IWUSR)
    with pytest.raises(SourceError, match=r"can't be opened \(Permission denied\); give the account"):
        list(source.rows(tmp_path))


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff", "\r\n"])
def test_a_file_without_a_header_is_empty(tmp_path: Path, content: str) -> None:
    found = fault(tmp_path, content)
    assert found.where == "students.csv"
    assert found.reason.startswith("is empty")


def test_a_column_without_a_name_is_counted_out(tmp_path: Path) -> None:
    found = fault(tmp_path, "no, ,family\n1,2,3\n")
    assert (found.where, found.reason) == ("students.csv line 1", "the header has no name for column 2 of 3")


@pytest.mark.parametrize("header", ["no,given,no\n", "no,given, no \n", "\u00e5,x,a\u030a\n"])
def test_a_repeated_column_is_named_even_when_it_only_looks_the_same(tmp_path: Path, header: str) -> None:
    found = fault(tmp_path, "\n" + header)
    assert found.where == "students.csv line 2"
    assert "more than once" in found.reason


def test_column_names_are_stripped_and_composed(tmp_path: Path) -> None:
    assert write(tmp_path, " no ,a\u030arskull\n").columns(tmp_path) == ("no", "\u00e5rskull")


def test_a_short_and_a_long_row_say_how_many_cells_they_have(tmp_path: Path) -> None:
    short = fault(tmp_path, HEADER + "1,Åse,Berg\n2,Bjørn\n")
    assert (short.where, short.reason) == ("students.csv line 3", "has 2 cells where the header has 3")
    long = fault(tmp_path, HEADER + "1,Åse,Berg,x\n")
    assert (long.where, long.reason) == ("students.csv line 2", "has 4 cells where the header has 3")
    lone = fault(tmp_path, HEADER + "1\n")
    assert lone.reason == "has 1 cell where the header has 3"


def test_a_ragged_row_is_named_by_the_line_on_which_it_starts(tmp_path: Path) -> None:
    found = fault(tmp_path, HEADER + '1,"two\nlines",x\n\n2,"three\n\nlines"\n')
    assert found.where == "students.csv line 5"


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


@pytest.mark.parametrize("before", [0, 3, 20_000])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_bad_byte_is_named_with_its_line(tmp_path: Path, before: int, ending: str) -> None:
    good = ("no,given" + ending + f"1,Åse{ending}" * before).encode()
    found = fault(tmp_path, good + b"2,Bj\xf8rn" + ending.encode() + b"3,x" + ending.encode())
    assert found.where == f"students.csv line {before + 2}"
    assert found.reason == "byte 0xF8 can't be read as utf-8-sig"
    assert "'encoding'" in found.remedy


def test_a_character_cut_off_at_the_very_end_is_a_bad_byte_of_the_last_line(tmp_path: Path) -> None:
    found = fault(tmp_path, (HEADER + "1,a,Å").encode()[:-1])
    assert (found.where, found.reason) == ("students.csv line 2", "byte 0xC3 can't be read as utf-8-sig")


def test_a_bad_byte_is_found_in_an_encoding_of_two_byte_units(tmp_path: Path) -> None:
    data = ("no,given\n" + "1,Åse\n" * 9_000).encode("utf-16") + b"\x00\xdc" + "\n".encode("utf-16-le")
    found = fault(tmp_path, data, encoding="utf-16")
    assert found.where == "students.csv line 9002"
    assert "can't be read as utf-16" in found.reason


def test_utf_16_without_its_mark_is_refused(tmp_path: Path) -> None:
    found = fault(tmp_path, HEADER.encode("utf-16-le"), encoding="utf-16")
    assert "utf-16" in found.reason


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "iso-8859-1", "utf-16", "utf-16-le"])
def test_a_file_is_read_in_the_encoding_that_is_named(tmp_path: Path, encoding: str) -> None:
    rows = read(tmp_path, (HEADER + "1,Åse,Bjørnø\n").encode(encoding), encoding=encoding)
    assert rows[0].values["family"] == "Bjørnø"


def test_the_default_encoding_takes_a_byte_order_mark_and_does_without(tmp_path: Path) -> None:
    for mark in ("", "\ufeff"):
        assert write(tmp_path, mark + '"no",given\n').columns(tmp_path) == ("no", "given")


def test_a_byte_order_mark_that_the_encoding_leaves_in_is_not_taken_for_a_name(tmp_path: Path) -> None:
    found = fault(tmp_path, "\ufeff" + HEADER, encoding="utf-8")
    assert found.reason == "starts with a byte order mark"
    assert "utf-8-sig" in found.remedy


@pytest.mark.parametrize("before", [0, 20_000])
def test_a_nul_is_named_with_its_line(tmp_path: Path, before: int) -> None:
    found = fault(tmp_path, HEADER + "1,Åse,Berg\n" * before + '2,"x\ny\0",z\n')
    assert found.where == f"students.csv line {before + 3}"
    assert "NUL" in found.reason


def test_an_unterminated_quote_is_named_by_the_line_on_which_it_opened(tmp_path: Path) -> None:
    found = fault(tmp_path, HEADER + '1,"two\nlines","opened ""here""\nand on\n2,a,b\n')
    assert found.where == "students.csv line 3"
    assert 'the quote (") that opens a cell here is not closed' in found.reason


def test_a_file_cut_in_a_quoted_cell_is_refused_although_its_rows_were_good(tmp_path: Path) -> None:
    source = write(tmp_path, HEADER + '1,a,b\n2,"c","d')
    rows = source.rows(tmp_path)
    assert next(rows).values["no"] == "1"
    with pytest.raises(SourceError, match=r"^students\.csv line 3: .* is not closed"):
        next(rows)


def test_a_quote_that_swallows_a_large_file_is_found_without_reading_it_all(tmp_path: Path) -> None:
    found = fault(tmp_path, HEADER + '1,a,b\n2,"c,d\n' + "3,e,f\n" * 60_000)
    assert found.where == "students.csv line 3"
    assert "is not closed" in found.reason


def test_a_missing_closing_quote_before_other_quotes_names_both_lines(tmp_path: Path) -> None:
    found = fault(tmp_path, HEADER + '1,"a,b\n2,"c",d\n')
    assert found.where == "students.csv line 3"
    assert found.reason == 'a lone quote (") stands inside a quoted cell, which opens on line 2'


def test_a_lone_quote_in_a_quoted_cell_is_refused(tmp_path: Path) -> None:
    found = fault(tmp_path, HEADER + '1,"a"b",c\n')
    assert (found.where, found.reason) == ("students.csv line 2", 'a lone quote (") stands inside a quoted cell')
    assert 'double it in the source ("")' in found.remedy


def test_another_quote_character_is_named_as_it_is(tmp_path: Path) -> None:
    found = fault(tmp_path, "no;given\n1;'a'b'\n", delimiter=";", quotechar="'")
    assert "a lone quote (') stands" in found.reason


def test_a_cell_beyond_the_readers_limit_is_not_csv(tmp_path: Path) -> None:
    found = fault(tmp_path, HEADER + "1,a," + "x" * 140_000 + "\n")
    assert found.where == "students.csv line 2"
    assert found.reason == "a cell has more than 131,072 characters"


def test_a_file_without_line_breaks_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    found = fault(tmp_path, HEADER + "x" * (MAX_LINE + 100_000))
    assert found.where == "students.csv line 2"
    assert "characters in one line" in found.reason


@pytest.mark.parametrize("what", ["grown", "shrunk", "touched", "replaced", "removed"])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, what: str) -> None:
    source, path = write(tmp_path, HEADER + "1,a,b\n2,c,d\n"), tmp_path / "students.csv"
    rows = source.rows(tmp_path)
    next(rows)
    if what == "grown":
        path.write_text(path.read_text() + "3,e,f\n")
    elif what == "shrunk":
        os.truncate(path, 5)
    elif what == "touched":
        os.utime(path, ns=(1, 1))
    elif what == "replaced":
        (tmp_path / "new.csv").write_bytes(path.read_bytes())
        (tmp_path / "new.csv").replace(path)
    else:
        path.unlink()
    with pytest.raises(SourceError, match=r"^students\.csv: was changed or replaced while it was read; wait"):
        list(rows)


def test_a_torn_row_in_a_file_that_is_being_written_is_told_as_being_written(tmp_path: Path) -> None:
    source, path = write(tmp_path, HEADER + "1,a,b\n2,c"), tmp_path / "students.csv"
    rows = source.rows(tmp_path)
    next(rows)
    path.write_text(HEADER + "1,a,b\n2,c,d\n")
    with pytest.raises(SourceError, match="was changed"):
        next(rows)


def test_a_disk_that_fails_midway_is_a_source_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write(tmp_path, HEADER + "1,a,b\n")

    class FailingDisk(io.TextIOWrapper):
        def read(self, size: int | None = -1, /) -> str:
            raise OSError(5, "Input/output error")

    def opened(path: Path, encoding: str, newline: str) -> io.TextIOWrapper:
        return FailingDisk(io.BufferedReader(io.FileIO(str(path))), encoding=encoding, newline=newline)

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(SourceError, match=r"^students\.csv line 1: can't be read any further \(Input/output error\)"):
        list(source.rows(tmp_path))


def test_the_place_of_a_file_inside_the_folder_is_relative_to_it_and_otherwise_whole(tmp_path: Path) -> None:
    assert CsvSettings(path=tmp_path / "in" / "a.csv").place(tmp_path) == "in/a.csv"
    assert CsvSettings(path=Path("/srv/exports/a.csv")).place(tmp_path) == "/srv/exports/a.csv"


@pytest.mark.parametrize("encoding", ["utf-99", "rot13", "base64", "undefined", "", "a\0b"])
def test_an_encoding_that_is_no_text_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(ValidationError, match="is not a known text encoding"):
        CsvSettings.model_validate({"path": "a.csv", "encoding": encoding})


@pytest.mark.parametrize("setting", ["delimiter", "quotechar"])
@pytest.mark.parametrize("value", ["", ";;", "\n", "\r", "\0"])
def test_delimiter_and_quotechar_are_one_character_each(setting: str, value: str) -> None:
    with pytest.raises(ValidationError, match="one character"):
        CsvSettings.model_validate({"path": "a.csv", setting: value})


def test_delimiter_and_quotechar_differ() -> None:
    with pytest.raises(ValidationError, match="same character"):
        CsvSettings.model_validate({"path": "a.csv", "delimiter": "'", "quotechar": "'"})


@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8", exclude_characters="\0")), st.text("a\"',;\r\n ")), max_size=9))
def test_whatever_a_csv_writer_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    with (folder / "students.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(["a", "b"])
        writer.writerows(cells)
    rows = CsvSettings(path=Path("students.csv")).rows(folder)
    assert [(row.values["a"], row.values["b"]) for row in rows] == cells


@given(st.binary(max_size=300))
def test_any_bytes_at_all_are_rows_or_a_source_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("csv")
    (folder / "students.csv").write_bytes(data)
    source = CsvSettings(path=Path("students.csv"))
    try:
        rows = list(source.rows(folder))
    except SourceError as error:
        assert error.where.startswith("students.csv")
    else:
        assert all(set(row.values) == set(source.columns(folder)) for row in rows)
