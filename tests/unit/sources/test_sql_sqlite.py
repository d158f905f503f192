"""SQLite files as sources: opened read-only, values of any type, and changes by texts."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sync.errors import SourceError
from sync.records.extract import Since
from sync.sources.sql.source import SqlSettings


def fill(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "sis.db")) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


def source(query: str, **others: object) -> SqlSettings:
    return SqlSettings.model_validate({"url": "sqlite:///sis.db", "query": query} | others)


def refusal(folder: Path, settings: SqlSettings) -> SourceError:
    with pytest.raises(SourceError) as caught:
        list(settings.rows(folder))
    assert len(str(caught.value).splitlines()) == 1
    return caught.value


def changes(
    folder: Path, mark: str = "", query: str = "SELECT * FROM people"
) -> tuple[list[str], str]:
    with source(query).open_since(folder, Since("changed", mark)) as extract:
        return [row.values["no"] for row in extract.rows], extract.mark()


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    error = refusal(tmp_path, source("SELECT 1 AS one"))
    assert (
        str(error)
        == "sqlite:///sis.db: is not there; check the path in 'url', and the rights on it"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_folder_and_a_file_of_another_kind_are_refused(tmp_path: Path) -> None:
    (tmp_path / "sis.db").mkdir()
    assert refusal(tmp_path, source("SELECT 1 AS one")).reason == "is not a plain file"
    (tmp_path / "text.db").write_text("no;given;family\n" * 100)
    assert "can't be opened, or is damaged" in str(
        refusal(tmp_path, source("SELECT 1 AS n", url="sqlite:///text.db"))
    )


def test_a_path_with_signs_of_urls_in_it_is_the_path(tmp_path: Path) -> None:
    fill(tmp_path, "CREATE TABLE t AS SELECT 'Åse' AS given")
    (tmp_path / "sis.db").rename(tmp_path / "a b%20#c@d.db")
    assert len(list(source("SELECT * FROM t", url="sqlite:///a b%20#c@d.db").rows(tmp_path))) == 1
    assert (
        len(
            list(
                source("SELECT * FROM t", url=f"sqlite:///{tmp_path}/a b%20#c@d.db").rows(Path("/"))
            )
        )
        == 1
    )


def test_values_of_several_types_in_one_column_become_text(tmp_path: Path) -> None:
    values = "(1), ('Åse'), (NULL), (2.5), (CAST('bytes' AS BLOB)), (9007199254740993), ('')"
    fill(tmp_path, "CREATE TABLE t (value)", f"INSERT INTO t VALUES {values}")
    texts = [row.values["value"] for row in source("SELECT value FROM t").rows(tmp_path)]
    assert texts == ["1", "Åse", "", "2.5", "bytes", "9007199254740993", ""]


def test_bytes_that_are_no_text_are_named_but_not_shown(tmp_path: Path) -> None:
    fill(tmp_path, "CREATE TABLE t (photo)", "INSERT INTO t VALUES (''), (x'C3')")
    error = refusal(tmp_path, source("SELECT photo FROM t"))
    assert error.where == "sqlite:///sis.db row 2"
    assert error.reason == "column 'photo' contains bytes that are not UTF-8 text"


def test_a_text_that_is_not_utf_8_does_not_show_up_in_the_error(tmp_path: Path) -> None:
    fill(tmp_path, "CREATE TABLE t (given)", "INSERT INTO t VALUES (CAST(x'4B6172E5' AS TEXT))")
    error = refusal(tmp_path, source("SELECT given FROM t"))
    assert "Kar" not in str(error)
    assert error.remedy


def test_names_of_columns_are_stripped_and_composed(tmp_path: Path) -> None:
    fill(tmp_path, "CREATE TABLE t AS SELECT 1 AS n")
    assert source('SELECT n AS " A\u030arsak " FROM t').column_names(tmp_path) == ("\u00c5rsak",)
    reason = refusal(tmp_path, source('SELECT n AS "\u00c5", n AS "A\u030a" FROM t')).reason
    assert reason == "the query has two columns named '\u00c5'"


def test_a_query_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    fill(tmp_path, "CREATE TABLE t AS SELECT 1 AS n")
    endless = (
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) AS n FROM c"
    )
    assert (
        refusal(tmp_path, source(endless, timeout="1s")).reason == "took longer than timeout (1s)"
    )


def test_a_file_in_wal_mode_may_be_written_while_it_is_read(tmp_path: Path) -> None:
    fill(
        tmp_path, "PRAGMA journal_mode = wal", "CREATE TABLE t (n)", "INSERT INTO t VALUES (1), (2)"
    )
    many = "WITH RECURSIVE c(m) AS (SELECT 1 UNION ALL SELECT m + 1 FROM c LIMIT 9000) SELECT n FROM t, c"
    rows = source(many).rows(tmp_path)
    next(rows)
    fill(tmp_path, "INSERT INTO t VALUES (3)")
    assert sum(1 for _ in rows) == 17_999


def test_a_query_from_a_file(tmp_path: Path) -> None:
    fill(tmp_path, "CREATE TABLE t AS SELECT 'Åse' AS given")
    (tmp_path / "sql").mkdir()
    path = tmp_path / "sql" / "people.sql"
    settings = SqlSettings(url="sqlite:///sis.db", query_file=Path("sql/people.sql"))
    assert (
        refusal(tmp_path, settings).reason
        == "sql/people.sql can't be read (No such file or directory)"
    )
    path.write_bytes("SELECT 'Å' AS given".encode("cp1252"))
    assert refusal(tmp_path, settings).reason == "sql/people.sql is not UTF-8 text"
    path.write_text("DELETE FROM t;")
    assert refusal(tmp_path, settings).reason == "sql/people.sql does not begin with SELECT or WITH"
    path.write_text(
        "\ufeff-- Everybody.\nSELECT given\nFROM t; -- as it stands\n", encoding="utf-8"
    )
    assert [row.values["given"] for row in settings.rows(tmp_path)] == ["Åse"]


def test_times_are_texts_and_compared_as_times(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    just, old = now.isoformat(), (now - timedelta(hours=1)).isoformat(" ", "seconds")
    fill(
        tmp_path,
        "CREATE TABLE people (no, changed)",
        f"INSERT INTO people VALUES ('just', '{just}'), ('old', '{old}'), ('now', "
        f"CURRENT_TIMESTAMP), ('never', NULL)",
    )
    everybody, mark = changes(tmp_path)
    assert everybody == ["just", "old", "now", "never"]
    assert timedelta(minutes=5) <= datetime.now(UTC).replace(tzinfo=None) - datetime.fromisoformat(
        mark
    )
    assert changes(tmp_path, mark)[0] == ["just", "now", "never"]
    own = "SELECT no, changed FROM people WHERE datetime(changed) >= :since"
    assert changes(tmp_path, mark, own)[0] == ["just", "now"]


def test_days_are_read_again_as_a_whole(tmp_path: Path) -> None:
    fill(
        tmp_path,
        "CREATE TABLE people (no, changed)",
        "INSERT INTO people VALUES ('today', date('now')), ('old', '2020-01-01')",
    )
    _, mark = changes(tmp_path)
    assert len(mark) == len("2020-01-01")
    assert changes(tmp_path, mark)[0] == ["today"]


def test_numbers_start_at_the_highest(tmp_path: Path) -> None:
    fill(
        tmp_path,
        "CREATE TABLE people (no, changed)",
        "INSERT INTO people VALUES ('a', 7), ('b', 12), ('c', 9)",
    )
    assert changes(tmp_path) == (["a", "b", "c"], "12")
    assert changes(tmp_path, "9") == (["b", "c"], "12")
    assert changes(tmp_path, "13") == ([], "13")


def test_no_row_gives_no_mark_so_that_the_next_reading_is_a_full_one_too(tmp_path: Path) -> None:
    fill(tmp_path, "CREATE TABLE people (no, changed)")
    assert changes(tmp_path) == ([], "")


@pytest.mark.parametrize(
    "values", ["('a', 7), ('b', '2026-01-01 00:00:00')", "('a', 1.5)", "('a', x'00')"]
)
def test_a_column_that_cant_say_when_is_refused(tmp_path: Path, values: str) -> None:
    fill(tmp_path, "CREATE TABLE people (no, changed)", f"INSERT INTO people VALUES {values}")
    with pytest.raises(
        SourceError,
        match=r"column 'changed' .*; 'updated_column' needs times, days or increasing whole numbers",
    ):
        changes(tmp_path)


def test_a_column_whose_type_has_changed_asks_for_a_full_reading(tmp_path: Path) -> None:
    fill(
        tmp_path,
        "CREATE TABLE people (no, changed)",
        "INSERT INTO people VALUES ('a', '2026-01-01 00:00:00')",
    )
    with pytest.raises(
        SourceError, match="is of another type than before; run once without --changed"
    ):
        changes(tmp_path, "7")
