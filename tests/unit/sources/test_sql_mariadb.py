"""MariaDB as a source, with the driver of MySQL: what ends a read, and that it can't write."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sync.errors import SourceError
from sync.records.extract import Since
from sync.sources.sql.source import SqlSettings

from ...support.servers.mariadb import MariaDb, mariadb

pytestmark = pytest.mark.server

PASSWORD = "Sesam-Åpne-Deg/1"
WIDE = "SELECT seq AS student_no, REPEAT('x', 400) AS given FROM seq_1_to_100000"
"""Some 40 MB: more than fits between server and client."""


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDb]:
    with mariadb() as one:
        one.create_database("sis")
        one.execute(
            "CREATE TABLE people (student_no int PRIMARY KEY, changed datetime(6), stamp "
            "timestamp(6) NULL)",
            "CREATE FUNCTION note() RETURNS int BEGIN INSERT INTO people VALUES (99, NULL, "
            "NULL); RETURN 1; END",
            "INSERT INTO people SELECT 1, t, t FROM (SELECT NOW(6) - INTERVAL 1 DAY AS t) q",
            "INSERT INTO people SELECT 2, t, t FROM (SELECT NOW(6) AS t) q",
            database="sis",
        )
        one.create_user("reader", PASSWORD)
        yield one


def source(server: MariaDb, query: str, **others: object) -> SqlSettings:
    usual = {"url": server.url("sis"), "user": "root", "query": query}
    return SqlSettings.model_validate(usual | others)


def refusal(server: MariaDb, query: str = "SELECT 1 AS one", **others: object) -> SourceError:
    with pytest.raises(SourceError) as caught:
        list(source(server, query, **others).rows(Path()))
    assert len(str(caught.value).splitlines()) == 1
    return caught.value


def test_a_server_that_dies_midway_gives_no_short_list() -> None:
    with mariadb() as server:
        server.create_database("sis")
        rows = source(server, WIDE).rows(Path())
        next(rows)
        server.kill()
        with pytest.raises(
            SourceError, match=r"row \d+ or later: the connection was lost before the last row"
        ):
            list(rows)


def test_a_connection_that_is_ended_midway_gives_no_short_list(server: MariaDb) -> None:
    rows = source(server, WIDE).rows(Path())
    next(rows)
    server.terminate_all("sis")
    with pytest.raises(SourceError, match="the connection was lost before the last row"):
        list(rows)


def test_rows_that_are_dropped_midway_are_not_read_first(server: MariaDb) -> None:
    endless = "SELECT a.seq AS n FROM seq_1_to_1000000 a, seq_1_to_1000000 b"
    reader = source(server, endless)
    begun = time.monotonic()
    assert reader.column_names(Path()) == ("n",)
    rows = reader.rows(Path())
    assert next(rows).values == {"n": "1"}
    del rows
    assert time.monotonic() - begun < 30


def test_a_query_that_takes_too_long_is_given_up(server: MariaDb) -> None:
    error = refusal(
        server, "SELECT COUNT(*) AS n FROM seq_1_to_1000000 a, seq_1_to_1000000 b", timeout="1s"
    )
    assert error.reason == "took longer than timeout (1s)"


def test_a_function_that_writes_is_refused_by_the_database(server: MariaDb) -> None:
    assert "refuses the query, because it would write" in str(
        refusal(server, "SELECT note() AS noted")
    )
    assert server.execute("SELECT COUNT(*) FROM people WHERE student_no = 99", database="sis") == [
        (0,)
    ]


def test_a_url_for_mysql_will_do_as_well(server: MariaDb) -> None:
    reader = source(
        server,
        "SELECT '100%' AS share, 7 % 4 AS rest",
        url=server.url("sis").replace("mariadb", "mysql"),
    )
    assert [dict(row.values) for row in reader.rows(Path())] == [{"share": "100%", "rest": "3"}]
    assert reader.place(Path()).startswith("mysql://127.0.0.1:")


def test_types_become_text(server: MariaDb) -> None:
    query = """SELECT NULL AS nothing, 12.50 AS exact, TIMESTAMP '2026-11-24 09:00:00' AS local,
        DATE '2026-11-24' AS day, TIME '09:00:00' AS clock, TIME '-01:00:05.5' AS odd, CAST('Åse' AS BINARY) AS bytes"""
    assert dict(next(source(server, query).rows(Path())).values) == {
        "nothing": "",
        "exact": "12.50",
        "local": "2026-11-24T09:00:00",
        "day": "2026-11-24",
        "clock": "09:00",
        "odd": "-01:00:05.500000",
        "bytes": "Åse",
    }


def test_a_bit_is_no_text(server: MariaDb) -> None:
    assert (
        refusal(server, "SELECT b'1' AS active").reason
        == "column 'active' contains bytes that are not UTF-8 text"
    )


@pytest.mark.parametrize("column", ["changed", "stamp"])
def test_changes_are_dated_by_the_databases_own_clock(server: MariaDb, column: str) -> None:
    reader = source(server, "SELECT * FROM people")
    with reader.open_since(Path(), Since(column)) as extract:
        assert len(list(extract.rows)) == 2
        mark = extract.mark()
    with reader.open_since(Path(), Since(column, mark)) as extract:
        assert [row.values["student_no"] for row in extract.rows] == ["2"]
    age = server.execute(f"SELECT TIMESTAMPDIFF(SECOND, '{mark}', NOW(6))")[0][0]
    assert isinstance(age, int)
    # Five minutes of overlap, an hour because its local clock may go back, and what the test took.
    assert 3900 <= age < 3930


@pytest.mark.parametrize(
    ("user", "reason"), [("reader", "refuses the login"), ("root", "has no such database")]
)
def test_no_error_shows_the_password(
    server: MariaDb, tmp_path: Path, user: str, reason: str
) -> None:
    (tmp_path / "password").write_text(f"{PASSWORD}-wrong" if user == "reader" else PASSWORD)
    url = server.url("sis" if user == "reader" else "nowhere")
    secret = f"${{file:{tmp_path / 'password'}}}" if user == "reader" else None
    error = refusal(server, url=url, user=user, password=secret)
    assert reason in str(error)
    assert PASSWORD not in f"{error!r} {error.__context__!r}"


def test_the_right_password_lets_in(server: MariaDb, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(PASSWORD)
    reader = source(
        server, "SELECT CURRENT_USER() AS me", user="reader", password="${file:password}"
    )
    assert [row.values["me"] for row in reader.rows(tmp_path)] == ["reader@127.0.0.1"]


def test_now_is_reported_by_the_same_clock_as_the_columns(server: MariaDb) -> None:
    server.execute("SET GLOBAL time_zone = '+09:00'")
    try:
        query = "SELECT TIMESTAMPDIFF(MINUTE, :now, NOW()) AS minutes"
        assert [row.values["minutes"] for row in source(server, query).rows(Path())] == ["0"]
    finally:
        server.execute("SET GLOBAL time_zone = 'SYSTEM'")


def test_lists_that_a_query_puts_together_are_not_cut_off(server: MariaDb) -> None:
    query = "SELECT GROUP_CONCAT(seq) AS every FROM seq_1_to_5000"
    (row,) = source(server, query).rows(Path())
    assert row.values["every"].split(",")[-1] == "5000"
