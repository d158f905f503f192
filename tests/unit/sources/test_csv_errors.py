"""A CSV file that is not sound to its very end: which line, what is wrong, and what to do."""

import sys
from pathlib import Path

import pytest
from sync.errors import SourceError
from sync.sources.csv.source import CsvSettings

from .conftest import Refusal, written

HEADER = "number,given,note\n"
GOOD = "1,Åse,x\n"


@pytest.mark.parametrize("content", ["", "\n\n", "\r\n", "\ufeff"])
def test_a_file_without_even_a_header_is_empty(refusal: Refusal, content: str) -> None:
    assert str(refusal(content)) == (
        "students.csv: is empty and has no header; export it again; "
        "without rows it still needs a header line"
    )


@pytest.mark.parametrize(("header", "column"), [("number,,note", 2), ('" ",given,note', 1)])
def test_a_column_without_a_name_is_reported_by_its_number(
    refusal: Refusal, header: str, column: int
) -> None:
    error = refusal(f"\n{header}\n{GOOD}")
    assert error.where == "students.csv line 2"
    assert error.reason == f"the header has no name for column {column} of 3"


@pytest.mark.parametrize(
    ("header", "same"),
    [
        ("note,given,note", "1 and 3"),
        ("note, note ,given", "1 and 2"),
        ("\u00e5r,a\u030ar,note", "1 and 2"),
    ],
)
def test_two_columns_with_one_name_are_refused_without_repeating_it(
    refusal: Refusal, header: str, same: str
) -> None:
    error = refusal(f"{header}\n{GOOD}")
    assert error.where == "students.csv line 1"
    assert error.reason == f"the header gives columns {same} the same name"
    assert error.remedy == "give each column its own name, or name them by 'columns'"


def test_a_byte_order_mark_that_the_encoding_does_not_take_is_reported(refusal: Refusal) -> None:
    error = refusal("\ufeff" + HEADER + GOOD, encoding="utf-8")
    assert error.where == "students.csv line 1"
    assert error.reason == "starts with a byte order mark"
    assert "utf-8-sig" in error.remedy


@pytest.mark.parametrize(
    ("row", "found"),
    [("1,Åse", "2 cells"), ("1,Åse,x,y", "4 cells"), ("1", "1 cell"), (",Åse,,x", "4 cells")],
)
def test_a_row_with_too_few_or_too_many_cells_is_reported_with_both_numbers(
    refusal: Refusal, row: str, found: str
) -> None:
    error = refusal(HEADER + '1,Åse,"a\nb"\n\n' + row + "\n" + GOOD)
    assert error.where == "students.csv line 5"
    assert error.reason == f"has {found} where the header has 3"
    assert "needs quotes" in error.remedy


def test_no_row_error_says_what_a_row_holds(refusal: Refusal) -> None:
    person = "999,Åse Plainly-Madeup,ase@example.edu"
    for content in (
        f"{person},x\n",
        f'{person[:-4]}"\n9,"{person}',
        f'"{person}"x,y,z\n',
        f"{person}\0\n",
    ):
        told = str(refusal(HEADER + content)).lower()
        assert "madeup" not in told
        assert "example.edu" not in told


@pytest.mark.parametrize(
    ("encoding", "bad", "byte"),
    [
        ("utf-8-sig", b"Bj\xf8rn", "F8"),
        ("utf-8", b"\xc3(", "C3"),
        ("cp1252", b"\x81", "81"),
        ("ascii", "Å".encode(), "C3"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("before", [1, 9_000])
def test_bytes_that_are_no_text_are_reported_with_line_byte_and_encoding(
    refusal: Refusal, encoding: str, bad: bytes, byte: str, end: str, before: int
) -> None:
    mark = b"\xef\xbb\xbf" if encoding == "utf-8-sig" else b""
    lines = ["number,given,note", *["1,Ase,x"] * before, "2,"]
    error = refusal(
        mark + end.join(lines).encode() + bad + f",x{end}3,Eva,y{end}".encode(), encoding=encoding
    )
    assert error.where == f"students.csv line {before + 2}"
    assert (
        error.reason == f"byte 0x{byte} can't be read as {encoding.replace('utf-8-sig', 'UTF-8')}"
    )
    assert encoding.replace("utf-8-sig", "UTF-8") in error.remedy


def test_bad_bytes_in_a_cell_over_several_lines_are_reported_by_the_line_they_are_on(
    refusal: Refusal,
) -> None:
    assert refusal(HEADER.encode() + b'1,"a\nb\n\xe5",x\n').where == "students.csv line 4"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_half_a_character_in_utf_16_is_reported_by_its_line(
    refusal: Refusal, encoding: str
) -> None:
    whole = (HEADER + GOOD + "2,").encode(encoding)
    lone = "\ud800".encode("utf-16-be" if encoding == "utf-16-be" else "utf-16-le", "surrogatepass")
    rest = ",x\n".encode("utf-16-be" if encoding == "utf-16-be" else "utf-16-le")
    assert refusal(whole + lone + rest, encoding=encoding).where == "students.csv line 3"


@pytest.mark.parametrize(
    ("encoding", "cut"), [("utf-8-sig", "2,Ola,Å".encode()[:-1]), ("utf-16-le", b"2")]
)
def test_a_file_that_ends_in_the_middle_of_a_character_is_reported_by_its_last_line(
    refusal: Refusal, encoding: str, cut: bytes
) -> None:
    error = refusal((HEADER + GOOD).encode(encoding) + cut, encoding=encoding)
    assert error.where == "students.csv line 3"
    assert encoding.replace("utf-8-sig", "UTF-8") in error.reason


def test_utf_16_without_its_mark_is_not_guessed(refusal: Refusal) -> None:
    error = refusal((HEADER + GOOD).encode("utf-16-be"), encoding="utf-16")
    # from 3.13 on Python names the byte at which a stream without a mark fails
    told = (
        "byte 0x00 can't be read as utf-16" if sys.version_info >= (3, 13) else "is not in utf-16"
    )
    assert error.reason == told


@pytest.mark.parametrize("before", [0, 3, 20_000])
def test_a_nul_is_reported_by_its_line(refusal: Refusal, before: int) -> None:
    error = refusal(HEADER + GOOD * before + '2,Ola,"a\nb\0"\n' + GOOD)
    assert error.where == f"students.csv line {before + 3}"
    assert "NUL" in error.reason
    assert "utf-8-sig" in error.remedy


def test_utf_16_read_as_something_else_is_reported_by_its_mark_or_its_zeros(
    refusal: Refusal,
) -> None:
    error = refusal((HEADER + GOOD).encode("utf-16"))
    assert error.reason == "is UTF-16, as its byte order mark shows, and not utf-8-sig"
    assert error.remedy == "set its 'encoding' to utf-16"
    assert "NUL" in refusal((HEADER + GOOD).encode("utf-16-le"), encoding="iso-8859-1").reason


def test_a_quote_that_is_never_closed_is_reported_by_the_line_where_it_opens(
    refusal: Refusal,
) -> None:
    error = refusal(HEADER + GOOD + '2,Ola,"cut off\n' + GOOD * 100)
    assert error.where == "students.csv line 3"
    assert "is not closed" in error.reason
    assert "cut off" in error.reason


def test_the_quote_that_is_open_is_reported_and_not_the_row_s_earlier_ones(
    refusal: Refusal,
) -> None:
    error = refusal(HEADER + '1,"a ""b""\nc","d\n' + GOOD)
    assert error.where == "students.csv line 3"


def test_an_open_quote_is_found_without_swallowing_a_long_file(refusal: Refusal) -> None:
    error = refusal(HEADER + GOOD + '2,Ola,"cut off\n' + GOOD * 200_000)
    assert error.where == "students.csv line 3"
    assert "is not closed" in error.reason


def test_a_file_cut_in_a_quoted_cell_is_refused_although_its_rows_were_good(tmp_path: Path) -> None:
    rows = CsvSettings(
        path=written(tmp_path, HEADER + GOOD + '2,"Ola","cut').relative_to(tmp_path)
    ).rows(tmp_path)
    assert next(rows).values["number"] == "1"
    with pytest.raises(SourceError, match=r"^students\.csv line 3: .* is not closed"):
        next(rows)


def test_an_open_quote_in_the_header_is_reported_too(refusal: Refusal) -> None:
    assert refusal('number,"given\n' + GOOD).where == "students.csv line 1"


def test_a_lone_quote_inside_a_quoted_cell_is_reported_by_its_line(refusal: Refusal) -> None:
    error = refusal(HEADER + GOOD + '2,Ola,"say "hei" now"\n')
    assert error.where == "students.csv line 3"
    assert error.reason == 'a quote (") inside a quoted cell is not doubled'
    assert error.remedy == 'double it in the source ("")'


def test_a_lone_quote_far_below_its_cell_s_start_names_both_lines(refusal: Refusal) -> None:
    error = refusal(HEADER + '1,Åse,"a\nb\nc "hei" d"\n')
    assert error.where == "students.csv line 4"
    assert error.reason.endswith("that opens on line 2 is not doubled")


@pytest.mark.parametrize("rows", range(3_560, 3_640, 10))
def test_a_lone_quote_is_reported_although_bytes_follow_that_are_no_text(
    refusal: Refusal, rows: int
) -> None:
    good = "number,note\n" + f"1,Å{'x' * 50}\n" * rows
    error = refusal((good + '2,"say "hei"\n' + "3,x\n" * 1_750).encode() + b"4,\xff\n")
    assert error.where == f"students.csv line {rows + 2}"
    assert error.reason.startswith("a quote (")


def test_quote_errors_speak_of_the_quote_character_that_is_set(refusal: Refusal) -> None:
    assert "(')" in refusal("a;b\n1;'x\n", delimiter=";", quotechar="'").reason


@pytest.mark.parametrize(
    "cell", ["x" * 140_000, '"' + "x" * 140_000 + '"', '"' + "x\n" * 70_000 + '"']
)
def test_a_cell_beyond_all_measure_is_reported_with_the_measure(
    refusal: Refusal, cell: str
) -> None:
    error = refusal(HEADER + GOOD + f"2,Ola,{cell}\n" + GOOD)
    assert error.where == "students.csv line 3"
    assert "131,072 characters" in error.reason


@pytest.mark.parametrize("before", ["", HEADER + GOOD])
def test_a_line_beyond_all_measure_is_reported_with_the_measure(
    refusal: Refusal, before: str
) -> None:
    error = refusal(before + "x," * 4_000_000)
    line = before.count("\n") + 1
    assert error.where == f"students.csv line {line}"
    assert "1,048,576 characters" in error.reason
