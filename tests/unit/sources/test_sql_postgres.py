"""PostgreSQL as a source: what ends a read, that it can't write, times, changes, and logins."""

import logging
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sync.errors import SourceError
from sync.records.base import Row
from sync.records.extract import Since
from sync.sources.sql import watchdog
from sync.sources.sql.source import SqlSettings

from ...support.servers.needed import free_port
from ...support.servers.postgres import Postgres, postgres

pytestmark = pytest.mark.server

PASSWORD = "Sesam-Åpne-Deg/1"
WIDE = (
    "SELECT n::text AS student_no, repeat('x', 400) AS given FROM generate_series(1, 100000) AS n"
)
"""Some 40 MB: more than fits between server and client."""


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as one:
        one.execute("ALTER SYSTEM SET timezone = 'Europe/Oslo'", "SELECT pg_reload_conf()")
        one.create_database("sis", icu="nb-NO")
        one.execute(
            "CREATE TABLE people (student_no text, changed timestamptz, local timestamp, "
            "day date, version bigint)",
            "CREATE FUNCTION note() RETURNS text LANGUAGE sql AS 'INSERT INTO people "
            "VALUES (''x'') RETURNING ''x'''",
            database="sis",
        )
        one.create_user("reader", PASSWORD)
        yield one


@pytest.fixture
def people(server: Postgres) -> None:
    """Three people who changed yesterday, four minutes ago and just now; and one without a time."""
    when = "now() - interval '1 day'", "now() - interval '4 minutes'", "now()"
    rows = [
        f"INSERT INTO people SELECT '{n}', t, t, t::date, {n * 10} FROM (SELECT {one}) AS q(t)"
        for n, one in enumerate(when)
    ]
    server.execute(
        "TRUNCATE people", *rows, "INSERT INTO people VALUES ('unknown')", database="sis"
    )


def source(server: Postgres, query: str, **others: object) -> SqlSettings:
    usual = {"url": server.url("sis"), "user": "postgres", "query": query}
    return SqlSettings.model_validate(usual | others)


def read(server: Postgres, query: str, **others: object) -> list[Row]:
    return list(source(server, query, **others).rows(Path()))


def refusal(server: Postgres, query: str = "SELECT 1 AS one", **others: object) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read(server, query, **others)
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.remedy
    return caught.value


def changes(
    server: Postgres, column: str, mark: str, query: str = "SELECT * FROM people"
) -> tuple[list[str], str]:
    with source(server, query).open_since(Path(), Since(column, mark)) as extract:
        read = sorted(row.values["student_no"] for row in extract.rows)
        return read, extract.mark()


def test_a_server_that_dies_midway_gives_no_short_list() -> None:
    with postgres() as server:
        server.create_database("sis")
        rows = source(server, WIDE).rows(Path())
        first = next(rows)
        server.kill()
        with pytest.raises(
            SourceError, match=r"row \d+ or later: the connection was lost before the last row"
        ):
            list(rows)
        assert first.line == 1


def test_a_backend_that_is_ended_midway_gives_no_short_list(
    server: Postgres, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = source(server, WIDE).rows(Path())
    next(rows)
    server.terminate_all("sis")
    with pytest.raises(SourceError, match="the connection was lost before the last row"):
        list(rows)
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []
    assert capfd.readouterr() == ("", "")


def test_a_query_that_takes_too_long_is_given_up(server: Postgres) -> None:
    begun = time.monotonic()
    error = refusal(server, "SELECT pg_sleep(60)::text AS slept", timeout="1s")
    assert time.monotonic() - begun < 30
    assert str(error) == (
        f"{server.url('sis')}: took longer than timeout (1s); make the query faster, or "
        f"raise 'timeout'"
    )


def test_a_function_that_writes_is_refused_by_the_database(server: Postgres) -> None:
    before = server.execute("SELECT count(*) FROM people", database="sis")
    assert "refuses the query, because it would write" in str(
        refusal(server, "SELECT note() AS noted")
    )
    assert server.execute("SELECT count(*) FROM people", database="sis") == before


def test_what_is_committed_during_a_reading_is_not_in_it(server: Postgres, people: None) -> None:
    # Each function sees what is committed when it begins, unless all see the same moment.
    counting = (
        "CREATE OR REPLACE FUNCTION counted() RETURNS bigint LANGUAGE sql VOLATILE"
        " AS 'SELECT count(*) FROM people'"
    )
    server.execute(counting, database="sis")
    rows = source(server, "SELECT counted() AS n FROM generate_series(1, 12000)").rows(Path())
    first = next(rows)
    server.execute("INSERT INTO people VALUES ('later')", database="sis")
    assert {row.values["n"] for row in rows} == {first.values["n"]} == {"4"}


def test_types_become_text(server: Postgres) -> None:
    query = """SELECT NULL AS nothing, true AS yes, 12.50::numeric AS exact, 1e20::numeric AS large,
        0.1::float8 AS near,
        '2026-11-24 09:00+01'::timestamptz AS moment, '2026-11-24 09:00'::timestamp AS local, '2026-11-24'::date AS day,
        '09:00'::time AS clock, interval '90 minutes' AS span, 'Åse'::bytea AS bytes,
        '00000000-0000-0000-0000-000000000007'::uuid AS id, ' Ø '::text AS text"""
    assert dict(read(server, query)[0].values) == {
        "nothing": "",
        "yes": "true",
        "exact": "12.50",
        "large": "100000000000000000000",
        "near": "0.1",
        "moment": "2026-11-24T09:00:00+01:00",
        "local": "2026-11-24T09:00:00",
        "day": "2026-11-24",
        "clock": "09:00:00",
        "span": "01:30",
        "bytes": "Åse",
        "id": "00000000-0000-0000-0000-000000000007",
        "text": " Ø ",
    }


def test_a_value_that_is_no_text_is_named_by_row_and_column(server: Postgres) -> None:
    query = "SELECT n, CASE WHEN n = 1234 THEN ARRAY['Åse'] END AS roles FROM generate_series(1, 2000) AS n"
    error = refusal(server, query)
    assert error.where == f"{server.url('sis')} row 1234"
    assert error.reason == "column 'roles' contains a value of type list"
    assert "Åse" not in repr(error)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT 'Åse Eksempel'::int AS n", r"failed on a row of the query \(22P02\)"),
        (
            "SELECT (s || '')::int AS n FROM (VALUES ('1'), ('Åse')) q(s)",
            r"failed on a row .* \(22P02\)",
        ),
        (
            "SELECT 1 / (n - 1) AS n FROM generate_series(1, 2) n",
            r"failed on a row of the query \(22012\)",
        ),
        ("SELECT 'infinity'::timestamptz AS t", "failed on a row of the query"),
        ("SELECT * FROM nowhere", r"can't run the query \(relation \"nowhere\" does not exist\)"),
        (
            "SELECT nothing FROM people",
            r"can't run the query \(column \"nothing\" does not exist\)",
        ),
        ("SELECT 1 + 1", "column 1 of the query has no name"),
        ("SELECT 1 AS n, 2 AS n", "the query has two columns named 'n'"),
    ],
)
def test_a_query_that_fails_says_why_without_anybodys_data(
    server: Postgres, query: str, reason: str
) -> None:
    error = refusal(server, query)
    assert error.where.startswith(server.url("sis"))
    assert re.search(reason, error.reason)
    assert "Åse" not in repr(error)


def test_a_user_without_the_right_is_reported_so(server: Postgres, tmp_path: Path) -> None:
    error = refusal(server, "SELECT pg_read_file('PG_VERSION') AS version", **login(tmp_path))
    assert "does not give this user the right to read what the query needs" in str(error)


def login(folder: Path, password: str = PASSWORD) -> dict[str, str]:
    (folder / "password").write_text(password)
    return {"user": "reader", "password": f"${{file:{folder / 'password'}}}"}


def test_the_password_is_read_when_it_is_used(server: Postgres, tmp_path: Path) -> None:
    reader = source(server, "SELECT current_user::text AS me", **login(tmp_path, "old"))
    with pytest.raises(SourceError, match="refuses the login"):
        list(reader.rows(tmp_path))
    (tmp_path / "password").write_text(PASSWORD)
    assert [row.values["me"] for row in reader.rows(tmp_path)] == ["reader"]


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        ({}, "refuses the login"),
        ({"url": "postgresql://nowhere.invalid/sis"}, "can't be reached"),
        ({"url": "postgresql://127.0.0.1:{port}/sis"}, "can't be reached"),
        ({"url": "{url}?colour=blue"}, "can't be reached"),
        ({"url": "{url}?sslmode=require"}, "can't be reached"),
    ],
)
def test_no_error_shows_the_password(
    server: Postgres, tmp_path: Path, others: dict[str, str], reason: str
) -> None:
    wrong = f"{PASSWORD}-wrong"
    filled = {
        name: value.format(port=free_port(), url=server.url("sis"))
        for name, value in others.items()
    }
    settings = source(server, "SELECT 1 AS one", **login(tmp_path, wrong), **filled)
    with pytest.raises(SourceError) as caught:
        list(settings.rows(tmp_path))
    assert reason in str(caught.value)
    assert caught.value.where == settings.place(tmp_path)
    seen: BaseException | None = caught.value
    while seen is not None:
        assert PASSWORD not in f"{seen} {seen!r}"
        seen = seen.__cause__ or seen.__context__
    assert PASSWORD not in repr(settings)


def test_a_password_that_is_not_there_is_a_source_error(server: Postgres, tmp_path: Path) -> None:
    error = refusal(server, user="reader", password="${file:nowhere}")
    assert error.reason == "its password ${file:nowhere} names a file that does not exist"


def test_a_full_reading_gives_the_mark_for_the_next(server: Postgres, people: None) -> None:
    everybody, mark = changes(server, "changed", "")
    assert everybody == ["0", "1", "2", "unknown"]
    assert mark.endswith("+00:00")
    clock = server.execute(f"SELECT extract(epoch FROM now() - '{mark}'::timestamptz)::int")[0][0]
    assert isinstance(clock, int)
    assert 300 <= clock < 330  # the overlap of five minutes, and what the test took
    assert changes(server, "changed", mark)[0] == ["1", "2", "unknown"]


def test_a_column_of_local_times_is_compared_by_the_databases_zone(
    server: Postgres, people: None
) -> None:
    _, mark = changes(server, "local", "")
    assert changes(server, "local", mark)[0] == ["1", "2", "unknown"]


def test_a_column_of_days_takes_the_whole_day_again(server: Postgres, people: None) -> None:
    _, mark = changes(server, "day", "")
    assert len(mark) == len("2026-01-01")
    assert {"2", "unknown"} <= set(changes(server, "day", mark)[0])


def test_a_column_of_numbers_starts_at_the_highest_that_was_seen(
    server: Postgres, people: None
) -> None:
    everybody, mark = changes(server, "version", "")
    assert (len(everybody), mark) == (4, "20")
    server.execute("UPDATE people SET version = 21 WHERE student_no = '0'", database="sis")
    assert changes(server, "version", mark) == (["0", "2", "unknown"], "21")
    assert changes(server, "version", "99") == (["unknown"], "99")


def test_a_query_may_say_itself_where_the_mark_stands(server: Postgres, people: None) -> None:
    query = "SELECT student_no, changed FROM people WHERE changed >= :since AND changed <= :now::timestamptz"
    everybody, mark = changes(server, "changed", "", query)
    assert everybody == ["0", "1", "2"]
    assert changes(server, "changed", mark, query)[0] == ["1", "2"]
    assert len(read(server, query)) == 3


@pytest.mark.parametrize(
    ("column", "mark", "reason"),
    [
        (
            "nothing",
            "",
            r"column 'nothing' is missing \(it has 5 columns\); correct the source or "
            r"'updated_column'",
        ),
        (
            "student_no",
            "",
            "column 'student_no' contains a value that is neither a time nor a number",
        ),
        (
            "changed",
            "yesterday",
            "the mark of the last read can't be used; run once without --changed",
        ),
        ("version", "2026-01-01T00:00:00+00:00", "can't run the query"),
    ],
)
def test_a_mark_or_a_column_that_cant_be_used(
    server: Postgres, people: None, column: str, mark: str, reason: str
) -> None:
    with pytest.raises(SourceError, match=reason):
        changes(server, column, mark)


def test_signs_that_others_take_for_parameters_stay_as_they_are(server: Postgres) -> None:
    query = r"SELECT '100%' AS a, ':since' AS b, '12:30' AS c, '\:x' AS d, 5 % 3 AS e, '1'::text AS f -- :since; '"
    assert list(read(server, query)[0].values.values()) == [
        "100%",
        ":since",
        "12:30",
        r"\:x",
        "2",
        "1",
    ]


def test_a_server_that_freezes_midway_is_not_waited_for_for_ever(
    server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "GRACE", 1)
    rows = source(server, WIDE, timeout="1s").rows(Path())
    next(rows)
    ((pid,),) = server.execute(
        "SELECT pid FROM pg_stat_activity WHERE datname = 'sis' AND state IS NOT NULL"
    )
    os.kill(int(str(pid)), signal.SIGSTOP)
    try:
        with pytest.raises(SourceError, match="row"):
            list(rows)
    finally:
        os.kill(int(str(pid)), signal.SIGCONT)
