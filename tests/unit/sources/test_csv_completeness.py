"""What a CSV file can prove of itself, its age and its trailer; and files without a header."""

import gzip
import os
import re
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sync.errors import SourceError
from sync.sources.csv.source import CsvSettings

from .conftest import NAME, Read, Refusal, opened, written

HEADER = "number,given\n"
TRAILER = {"trailer": r"EOF;(?P<rows>.*)"}
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def doubts(folder: Path, content: str | bytes, name: str = NAME, **whole: str) -> list[str]:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return opened(CsvSettings.model_validate({"path": name, "completeness": whole}), folder)[1]


def numbers(folder: Path, content: str, **more: object) -> list[tuple[int, str]]:
    written(folder, content)
    rows = opened(CsvSettings.model_validate({"path": NAME, **more}), folder)[0]
    return [(row.line, row.values["number"]) for row in rows]


@pytest.mark.parametrize(
    ("hours", "most", "told"),
    [
        (30.0, "26h", "was written 30h ago, 4h more than max_age (26h)"),
        (26.5, "26h", "was written 26h ago, 30m more than max_age (26h)"),
        (240.0, "7d", "was written 10d ago, 3d more than max_age (7d)"),
        (25.0, "26h", ""),
        (0.0, "1m", ""),
        (-5.0, "1m", ""),
    ],
)
def test_a_file_that_is_too_old_is_read_and_doubted(
    tmp_path: Path, hours: float, most: str, told: str
) -> None:
    path = written(tmp_path, HEADER + "1,Åse\n")
    at = time.time() - hours * 3600 - (1 if told else 0)
    os.utime(path, (at, at))
    rows, found, _ = opened(
        CsvSettings.model_validate({"path": NAME, "completeness": {"max_age": most}}), tmp_path
    )
    assert len(rows) == 1
    assert found == (
        [f"{told}; check that its export still runs, or raise max_age"] if told else []
    )


def test_the_age_of_a_packed_file_is_that_of_the_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(HEADER.encode(), mtime=0))
    source = CsvSettings.model_validate({"path": "a.gz", "completeness": {"max_age": "1h"}})
    assert opened(source, tmp_path)[1] == []
    os.utime(path, (0, 0))
    assert len(opened(source, tmp_path)[1]) == 1


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n\r\n"])
def test_a_trailer_that_counts_the_rows_is_no_row_and_raises_no_doubt(
    tmp_path: Path, end: str
) -> None:
    content = HEADER + '1,"Åse\nBerg"\n\n2,Ola\nEOF;2' + end
    assert doubts(tmp_path, content, **TRAILER) == []
    assert numbers(tmp_path, content, completeness=TRAILER) == [(2, "1"), (5, "2")]


@pytest.mark.parametrize(
    ("count", "told"),
    [
        ("1200", "1,200 rows, but 2 were read"),
        ("1", "1 row, but 2 were read"),
        ("0", "0 rows, but 2 were read"),
    ],
)
def test_a_trailer_that_counts_other_rows_is_doubted_with_both_counts(
    tmp_path: Path, count: str, told: str
) -> None:
    found = doubts(tmp_path, HEADER + f"1,Åse\n2,Ola\nEOF;{count}\n", **TRAILER)
    assert [text.split(";")[0] for text in found] == [f"its last line counts {told}"]
    assert "export it again" in found[0]


def test_one_row_is_said_as_one(tmp_path: Path) -> None:
    assert (
        "counts 2 rows, but 1 was read" in doubts(tmp_path, HEADER + "1,Åse\nEOF;2\n", **TRAILER)[0]
    )


@pytest.mark.parametrize("count", ["002", " 2 "])
def test_a_count_may_be_padded(tmp_path: Path, count: str) -> None:
    assert doubts(tmp_path, HEADER + f"1,Åse\n2,Ola\nEOF;{count}", **TRAILER) == []


@pytest.mark.parametrize("count", ["", "two", "-2", "2.0", "9" * 5_000])
def test_a_count_that_is_no_number_is_doubted(tmp_path: Path, count: str) -> None:
    assert (
        "has no number of rows"
        in doubts(tmp_path, HEADER + f"1,Åse\n2,Ola\nEOF;{count}\n", **TRAILER)[0]
    )


def test_a_group_that_took_no_part_counts_nothing(tmp_path: Path) -> None:
    assert (
        "has no number of rows"
        in doubts(tmp_path, HEADER + "EOF\n", trailer=r"EOF(;(?P<rows>\d+))?")[0]
    )


@pytest.mark.parametrize(
    "content", [HEADER + "1,Åse\n", HEADER, HEADER + "1,Åse\n\n\n", HEADER.rstrip()]
)
def test_a_file_without_its_trailer_may_be_cut_off_and_its_last_line_is_a_row(
    tmp_path: Path, content: str
) -> None:
    assert doubts(tmp_path, content, **TRAILER) == [
        "its last line does not match 'trailer', so it may be cut off; export it again, or "
        "correct 'trailer'"
    ]
    assert len(numbers(tmp_path, content, completeness=TRAILER)) == content.count("Åse")


def test_blanks_around_the_last_line_make_no_difference(tmp_path: Path) -> None:
    for last in ("EOF;1 ", "\tEOF;1"):
        assert numbers(tmp_path, HEADER + "1,Åse\n" + last, completeness=TRAILER) == [(2, "1")]


def test_the_whole_last_line_has_to_match(refusal: Refusal) -> None:
    for last in ("EOF;2;", "EOF;", "E OF;2"):
        error = refusal(HEADER + "1,Åse\n" + last, completeness={"trailer": r"EOF;(?P<rows>\d+)"})
        assert error.where == f"{NAME} line 3"
        assert error.reason == "has 1 cell where the header has 2"


def test_a_trailer_before_the_last_line_is_an_ordinary_row(
    tmp_path: Path, refusal: Refusal
) -> None:
    assert refusal(HEADER + "EOF;0\n1,Åse\nEOF;1\n", completeness=TRAILER).where == f"{NAME} line 2"
    even = {"trailer": r"EOF,(?P<rows>\d+)"}
    assert numbers(tmp_path, HEADER + "EOF,0\n1,Åse\nEOF,2\n", completeness=even) == [
        (2, "EOF"),
        (3, "1"),
    ]


def test_without_the_setting_a_trailer_is_a_ragged_row(refusal: Refusal) -> None:
    assert refusal(HEADER + "1,Åse\nEOF;1\n").where == f"{NAME} line 3"


def test_a_trailer_does_not_hide_that_a_quote_is_open(refusal: Refusal) -> None:
    error = refusal(HEADER + '1,"Åse\n2,Ola\nEOF;2\n', completeness=TRAILER)
    assert error.where == f"{NAME} line 2"
    assert "is not closed" in error.reason


def test_a_file_of_only_a_trailer_has_no_header(refusal: Refusal) -> None:
    assert "has no header" in refusal("EOF;0\n", completeness=TRAILER).reason


@pytest.mark.parametrize("rows", [10, 5_461, 30_000])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_trailer_is_found_at_the_end_of_a_long_file(tmp_path: Path, rows: int, end: str) -> None:
    lines = ["number,given", *(f"{n},Åse" for n in range(rows)), f"EOF;{rows}"]
    content = end.join(lines) + end
    assert numbers(tmp_path, content, completeness=TRAILER) == [
        (n + 2, str(n)) for n in range(rows)
    ]
    assert doubts(tmp_path, content, **TRAILER) == []


@pytest.mark.parametrize("bad", ["\0", "x,y\n", '"a"b,c\n'])
@pytest.mark.parametrize("rows", [5, 20_000])
def test_a_trailer_moves_no_error_to_another_line(refusal: Refusal, bad: str, rows: int) -> None:
    content = HEADER + "1,Åse\n" * rows + f"{bad}1,2,3\nEOF;9\n"
    # without a trailer, its line is a ragged one as well
    first = [
        re.findall(r"\d+", where)[0]
        for where in (refusal(content, completeness=TRAILER).where, refusal(content).where)
    ]
    assert first[0] == first[1]


@SHARED
@given(
    table=st.lists(st.sampled_from(["1,a", '2,"b\nc"', "", "EOF,7", '3,"EOF,1"']), max_size=12),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    blank=st.integers(0, 3),
)
def test_with_a_right_trailer_the_rows_are_those_of_the_file_without_it(
    tmp_path: Path, table: list[str], end: str, blank: int
) -> None:
    content = end.join(["number,given", *table, ""])
    plain = numbers(tmp_path, content)
    whole = {"trailer": r"EOF,(?P<rows>\d+)"}
    with_it = content + f"EOF,{len(plain)}" + end * blank
    assert numbers(tmp_path, with_it, completeness=whole) == plain
    assert doubts(tmp_path, with_it, **whole) == []


def test_blank_lines_without_end_after_the_trailer_are_read_in_bounded_time_and_doubted(
    tmp_path: Path,
) -> None:
    content = "number\n1\n" + "EOF;1\n" + "\n" * 5_000_000
    assert "does not match 'trailer'" in doubts(tmp_path, content, **TRAILER)[0]


def test_doubts_add_up(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER)
    os.utime(path, (0, 0))
    whole = {"max_age": "1h", **TRAILER}
    assert (
        len(opened(CsvSettings.model_validate({"path": NAME, "completeness": whole}), tmp_path)[1])
        == 2
    )


NAMES = ["number", "given"]


def test_a_file_without_a_header_is_read_by_the_names_that_are_set(tmp_path: Path) -> None:
    assert numbers(tmp_path, "1,Åse\n\n2,Ola\n", columns=NAMES) == [(1, "1"), (3, "2")]
    assert CsvSettings.model_validate({"path": NAME, "columns": NAMES}).column_names(tmp_path) == (
        "number",
        "given",
    )


def test_a_file_without_a_header_and_rows_is_read_as_none(tmp_path: Path) -> None:
    assert numbers(tmp_path, "", columns=NAMES) == []


def test_a_row_that_has_not_as_many_cells_as_there_are_names_is_reported(refusal: Refusal) -> None:
    error = refusal("1,Åse\n2,Ola,x\n", columns=NAMES)
    assert error.where == f"{NAME} line 2"
    assert error.reason == "has 3 cells where 'columns' names 2"


@pytest.mark.parametrize("first", ["number,given", ' number ,"given"', "\nnumber,given"])
def test_a_file_that_has_a_header_after_all_is_not_read_by_other_names(
    refusal: Refusal, first: str
) -> None:
    error = refusal(f"{first}\n1,Åse\n", columns=NAMES)
    assert error.reason == "is a header, but 'columns' is for a file without one"
    assert error.where == f"{NAME} line {1 + first.count(chr(10))}"


def test_a_byte_order_mark_is_no_part_of_the_first_cell(tmp_path: Path, refusal: Refusal) -> None:
    assert numbers(tmp_path, "\ufeff1,Åse\n", columns=NAMES) == [(1, "1")]
    assert (
        refusal("\ufeff1,Åse\n", columns=NAMES, encoding="utf-8").reason
        == "starts with a byte order mark"
    )


def test_a_file_without_a_header_can_have_a_trailer(tmp_path: Path) -> None:
    assert numbers(tmp_path, "1,Åse\nEOF;1\n", columns=NAMES, completeness=TRAILER) == [(1, "1")]


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ([], "is empty"),
        (["a", " "], "is empty"),
        (["a", "b", " a "], "has 'a' more than once"),
        (["\u00e5r", "a\u030ar"], "more than once"),
    ],
)
def test_names_of_columns_are_checked_like_a_header(names: list[str], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        CsvSettings.model_validate({"path": NAME, "columns": names})


@pytest.mark.parametrize("tab", ["tab", "\t", r"\t"])
def test_a_tab_can_be_written_as_a_word(read: Read, tab: str) -> None:
    assert read('number\tgiven\n"1\t2"\tÅse, or not\n', delimiter=tab)[0].values == {
        "number": "1\t2",
        "given": "Åse, or not",
    }


def test_a_failing_source_has_no_rows_to_doubt(tmp_path: Path) -> None:
    written(tmp_path, HEADER + '1,"cut\n')
    source = CsvSettings.model_validate({"path": NAME, "completeness": TRAILER})
    with source.open(tmp_path) as extract, pytest.raises(SourceError):
        list(extract.rows)
