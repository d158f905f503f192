"""The settings of SQL sources: URL, login and query, checked without a connection."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.dialects import mysql, sqlite
from sync import __version__
from sync.errors import SourceError
from sync.sources.sql.query import prepare_query
from sync.sources.sql.source import SqlSettings
from sync.sources.sql.url import with_driver

SECRET = "geheim"
URL = "postgresql://db.example.edu/sis"


def error(**settings: object) -> str:
    with pytest.raises(ValidationError) as caught:
        SqlSettings.model_validate({"url": URL, "query": "SELECT 1 AS one"} | settings)
    assert SECRET not in str(caught.value)
    return "; ".join(
        one["msg"] for one in caught.value.errors(include_input=False, include_url=False)
    )


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://reader:{SECRET}@db.example.edu/sis",
        f"postgresql://reader:{SECRET}/@db.example.edu/sis",
        f"postgresql://reader:{SECRET}@word@db.example.edu/sis",
        f"postgresql://db.example.edu/sis?password={SECRET}",
        f"postgresql://db.example.edu/sis?sslpassword={SECRET}",
        f"mssql+pyodbc:///?odbc_connect=UID%3Dreader%3BPWD%3D{SECRET}",
    ],
)
def test_a_password_in_the_url_is_a_error_that_says_where_it_belongs(url: str) -> None:
    assert "'password'" in error(url=url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("db.example.edu/sis", "is not the URL of a database"),
        ("postgresql:/db.example.edu", "is not the URL of a database"),
        ("postgresql://db.example.edu:port/sis", "is not the URL of a database"),
        ("sqlite://", "does not name a file"),
        ("sqlite:///:memory:", "does not name a file"),
        ("sqlite://sis.db", "has too few slashes"),
        ("sqlite:///sis.db?mode=rw", "has options"),
    ],
)
def test_a_url_that_cant_be_right(url: str, reason: str) -> None:
    assert reason in error(url=url)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://db.example.edu/sis", "postgresql://db.example.edu/sis"),
        (
            "postgresql+psycopg://reader@db.example.edu:5433/sis?sslmode=verify-full",
            "postgresql://db.example.edu:5433/sis",
        ),
        ("mysql://[2001:db8::7]:3306/sis?charset=utf8mb4", "mysql://[2001:db8::7]:3306/sis"),
        ("oracle://db.example.edu:1521/?service_name=sis", "oracle://db.example.edu:1521"),
        ("sqlite:///data/sis.db", "sqlite:///data/sis.db"),
        ("sqlite:////var/lib/sis.db", "sqlite:////var/lib/sis.db"),
        ("postgresql://db.example.edu/sis?passfile=/etc/pgpass", "postgresql://db.example.edu/sis"),
    ],
)
def test_a_place_is_the_url_without_driver_user_and_options(
    tmp_path: Path, url: str, place: str
) -> None:
    assert SqlSettings(url=url, query="SELECT 1 AS one").place(tmp_path) == place


@pytest.mark.parametrize(
    ("url", "full"),
    [
        ("postgresql://h/d", "postgresql+psycopg://h/d"),
        ("mysql://h/d", "mysql+pymysql://h/d"),
        ("mariadb://h/d", "mariadb+pymysql://h/d"),
        ("oracle://h/d?service_name=x", "oracle+oracledb://h/d?service_name=x"),
        ("mssql://h/d", "mssql+pymssql://h/d"),
        ("mssql+pyodbc://h/d?driver=x", "mssql+pyodbc://h/d?driver=x"),
        ("sqlite:///x.db", "sqlite:///x.db"),
    ],
)
def test_a_short_url_means_the_driver_that_the_extra_installs(url: str, full: str) -> None:
    assert with_driver(url) == full


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"query": None}, "needs either 'query' or 'query_file'"),
        ({"query_file": "people.sql"}, "needs either 'query' or 'query_file'"),
        (
            {"url": "postgresql://reader@h/sis", "user": "other"},
            "has a user both in 'url' and in 'user'",
        ),
        ({"url": "sqlite:///sis.db", "user": "reader"}, "are not for a SQLite file"),
        ({"url": "sqlite:///sis.db", "password": SECRET}, "are not for a SQLite file"),
        ({"timeout": "soon"}, "is not a valid duration"),
        ({"timeout": "0s"}, "is zero"),
    ],
)
def test_settings_that_cant_be_right_together(settings: dict[str, object], reason: str) -> None:
    assert reason in error(**settings)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("", "is empty"),
        ("-- nothing yet", "is empty"),
        ("DELETE FROM people", "does not begin with SELECT or WITH"),
        ("CALL everybody()", "does not begin with SELECT or WITH"),
        ("SELECT 1; SELECT 2", "contains more than one statement"),
        ("SELECT 1; DROP TABLE people", "contains more than one statement"),
        (
            "WITH gone AS (DELETE FROM people RETURNING *) SELECT * FROM gone",
            "contains the word DELETE",
        ),
        ("SELECT * INTO copy FROM people", "contains the word INTO"),
        ("SELECT * FROM people FOR UPDATE", "contains the word UPDATE"),
        ("SELECT 1 EXEC sp_who", "contains the word EXEC"),
        ("SELECT 'Ola", "a quote or a comment that is not closed"),
        ("SELECT 1 /* all", "a quote or a comment that is not closed"),
        (
            "SELECT * FROM people WHERE term = :term",
            "has the parameter ':term', which is not known",
        ),
        ("SELECT 1 /*! INTO OUTFILE '/tmp/x' */", "a comment that MySQL executes"),
    ],
)
def test_a_query_that_does_not_only_read_is_a_error(query: str, reason: str) -> None:
    assert reason in error(query=query)


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("select 1 as one;", "postgresql"),
        ("  (SELECT 1) UNION (SELECT 2)  ", "postgresql"),
        ("WITH a AS (SELECT 1) SELECT * FROM a", "postgresql"),
        ("SELECT 'it''s; DELETE FROM :x' AS a, \"update\" FROM t", "postgresql"),
        ("SELECT $$; drop $$, $x$ ' $x$, E'it\\'s :x' FROM t", "postgresql"),
        ("SELECT last_update, t.delete, created FROM t -- never DROP; it's :x", "postgresql"),
        ("SELECT 'it\\'s :x; ' FROM `delete` # DROP", "mysql"),
        ("SELECT 5--3 AS eight", "mysql"),
        ("SELECT q'[it's :x; drop]' FROM v$session, v$process", "oracle"),
        ("SELECT [update], '' FROM t", "mssql"),
    ],
)
def test_a_query_that_only_looks_dangerous_will_do(query: str, kind: str) -> None:
    assert prepare_query(query, kind).binds == frozenset()


def test_comments_go_hints_and_parameters_stay() -> None:
    sql = "/* Åse's */ SELECT /*+ FULL(t) */ a, b::date -- :since\nFROM t WHERE c >= :since::date AND d < :now ; -- end"
    made = prepare_query(sql, "postgresql")
    assert (
        made.text
        == r"SELECT /*+ FULL(t) */ a, b::date  " + "\nFROM t WHERE c >= :since ::date AND d < :now"
    )
    assert made.binds == {"since", "now"}


QUOTED = st.text(alphabet=r":\ax$% 1'", max_size=12).map(
    lambda inner: "'" + inner.replace("'", "''") + "'"
)


@given(QUOTED)
def test_what_is_quoted_reaches_the_database_as_it_is_written(quoted: str) -> None:
    made = text(prepare_query(f"SELECT {quoted} AS a", "sqlite").text).compile(
        dialect=sqlite.dialect()
    )
    assert str(made) == f"SELECT {quoted} AS a"


def test_percent_signs_are_doubled_only_for_drivers_that_halve_them() -> None:
    made = text(prepare_query("SELECT '100%' AS a", "mysql").text)
    assert str(made.compile(dialect=mysql.dialect())) == "SELECT '100%%' AS a"
    assert str(made.compile(dialect=sqlite.dialect())) == "SELECT '100%' AS a"


def test_the_password_is_in_no_repr() -> None:
    settings = SqlSettings.model_validate(
        {"url": URL, "query": "SELECT 1 AS one", "password": SECRET}
    )
    assert SECRET not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_the_defaults() -> None:
    settings = SqlSettings(url=URL, query="SELECT 1 AS one")
    assert (settings.timeout, settings.overlap) == (timedelta(minutes=15), timedelta(minutes=5))


@pytest.mark.process
def test_the_settings_are_light() -> None:
    heavy = ("sqlalchemy", "psycopg", "pymysql")
    code = f"import sync.sources.sql.source, sys; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def without_drivers(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if none were installed."""
    for name in ("psycopg", "pymysql", "oracledb", "pymssql", "pyodbc"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize(
    ("kind", "driver", "extra"),
    [
        ("postgresql", "psycopg", "postgres"),
        ("mysql", "pymysql", "mysql"),
        ("mariadb", "pymysql", "mysql"),
        ("oracle", "oracledb", "oracle"),
        ("mssql", "pymssql", "mssql"),
    ],
)
def test_a_driver_that_is_missing_is_named_with_what_to_install(
    tmp_path: Path, without_drivers: None, kind: str, driver: str, extra: str
) -> None:
    with pytest.raises(SourceError) as caught:
        SqlSettings(url=f"{kind}://db.example.edu/sis", query="SELECT 1 AS one").column_names(
            tmp_path
        )
    assert str(caught.value) == (
        f"{kind}://db.example.edu/sis: needs the driver {driver}, which is not installed; "
        f"install the wheel again with its extra: pip install"
        f" './inspera_sync-{__version__}-py3-none-any.whl[{extra}]'"
        " (see `inspera-sync help operating`)"
    )


@pytest.mark.parametrize(
    ("url", "name"), [("postgres://h/sis", "postgres"), ("mssql+pyodbc://h/sis", "mssql+pyodbc")]
)
def test_a_kind_that_nobody_knows_and_a_driver_of_ones_own(
    tmp_path: Path, without_drivers: None, url: str, name: str
) -> None:
    with pytest.raises(
        SourceError,
        match=rf"'{name.replace('+', '.')}' names (an unknown kind|a driver)".replace("+", r"\+"),
    ):
        SqlSettings(url=url, query="SELECT 1 AS one").column_names(tmp_path)
