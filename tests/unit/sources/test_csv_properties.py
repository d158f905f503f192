"""Any CSV file is read exactly as it was written, or refused with a message."""

import csv
import gzip
import re
from io import StringIO
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sync.errors import SourceError
from sync.sources.csv.header import reads_like_header
from sync.sources.csv.source import CsvSettings

from .conftest import NAME, csv_text, written, zipped

CELL = st.text(
    st.one_of(
        st.sampled_from("å,;\"'\r\n \t"), st.characters(codec="utf-8", exclude_characters="\0")
    ),
    max_size=8,
)
TABLE = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), max_size=8)
)
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@SHARED
@given(
    table=TABLE,
    delimiter=st.sampled_from(",;\t|å"),
    quotechar=st.sampled_from("\"'"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_what_was_written_is_what_is_read(
    tmp_path: Path, table: list[list[str]], delimiter: str, quotechar: str, end: str
) -> None:
    header = [f"column{n}" for n in range(len(table[0]) if table else 1)]
    text = StringIO(newline="")
    writer = csv.writer(
        text, delimiter=delimiter, quotechar=quotechar, lineterminator=end, quoting=csv.QUOTE_ALL
    )
    starts = []
    for row in [header, *table]:
        starts.append(len(StringIO(text.getvalue(), newline="").readlines()) + 1)
        writer.writerow(row)
    written(tmp_path, text.getvalue())
    rows = list(
        CsvSettings(path=Path(NAME), delimiter=delimiter, quotechar=quotechar).rows(tmp_path)
    )
    kept = [
        (row, start) for row, start in zip(table, starts[1:], strict=True) if not _is_blank(row)
    ]
    assert [(list(row.values.values()), row.line) for row in rows] == kept


def _is_blank(row: list[str]) -> bool:
    """Rows of blank cells are skipped as blank lines are."""
    return not any(map(str.strip, row))


def write_packed(folder: Path, name: str, text: str) -> CsvSettings:
    data = text.encode()
    packed = {"gz": gzip.compress, "zip": lambda content: zipped({"inner.csv": content})}.get(
        name, bytes
    )(data)
    (folder / f"table.{name}").write_bytes(packed)
    return CsvSettings(path=Path(f"table.{name}"))


@SHARED
@given(table=TABLE, end=st.sampled_from(["\n", "\r\n", "\r"]))
def test_copies_of_a_table_in_other_forms_hold_the_same_rows(
    tmp_path: Path, table: list[list[str]], end: str
) -> None:
    header = [f"column{n}" for n in range(len(table[0]) if table else 1)]
    form = {"lineterminator": end, "quoting": csv.QUOTE_ALL}
    text = csv_text(header, table, **form)
    plain = list(write_packed(tmp_path, "csv", text).rows(tmp_path))
    assert [list(row.values.values()) for row in plain] == [
        row for row in table if not _is_blank(row)
    ]
    for name in ("gz", "zip"):
        assert list(write_packed(tmp_path, name, text).rows(tmp_path)) == plain
    write_packed(tmp_path, "tsv", csv_text(header, table, delimiter="\t", **form))
    tabs = CsvSettings.model_validate({"path": "table.tsv", "delimiter": "tab"})
    assert list(tabs.rows(tmp_path)) == plain
    kept = [row for row in table if not _is_blank(row)]
    assume(
        not kept or not reads_like_header(kept[0], kept[1:])
    )  # the first row of a file without a header is judged
    write_packed(tmp_path, "bare", text.removeprefix(csv_text(header, [], **form)))
    bare = CsvSettings.model_validate({"path": "table.bare", "columns": header}).rows(tmp_path)
    assert [(row.line + 1, row.values) for row in bare] == [(row.line, row.values) for row in plain]


def refused_or_read(folder: Path, encoding: str) -> bool:
    source = CsvSettings(path=Path(NAME), encoding=encoding)
    try:
        width = len(source.column_names(folder))
        return all(len(row.values) == width for row in source.rows(folder))
    except SourceError as error:
        place = error.where.removeprefix(NAME)
        return bool(
            re.fullmatch(r"( line \d+| lines \d+ .*)?", place)
            and error.reason
            and error.remedy
            and len(str(error).splitlines()) == 1
        )


@SHARED
@given(
    content=st.binary(max_size=60),
    encoding=st.sampled_from(["utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-7"]),
)
def test_any_bytes_are_read_or_refused_in_one_line_with_a_remedy(
    tmp_path: Path, content: bytes, encoding: str
) -> None:
    written(tmp_path, content)
    assert refused_or_read(tmp_path, encoding)


@SHARED
@given(content=st.text(st.sampled_from('ab,"\r\n\0\ufeff å'), max_size=40))
def test_any_text_is_read_or_refused_in_one_line_with_a_remedy(
    tmp_path: Path, content: str
) -> None:
    written(tmp_path, content)
    assert refused_or_read(tmp_path, "utf-8-sig")
