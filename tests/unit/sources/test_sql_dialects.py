"""Statements and errors of databases without a server in these tests: Oracle and SQL Server."""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import oracle
from sync.errors import SourceError
from sync.records.extract import Since
from sync.sources.sql.dialects import call_timeout, connect_options, dialect_spec, isolation
from sync.sources.sql.errors import failure
from sync.sources.sql.query import prepare_query
from sync.sources.sql.source import SqlSettings

QUARTER = timedelta(minutes=15)
MOMENT = datetime(2026, 11, 24, 9, 0, 0, 5, tzinfo=UTC)


class FakeError(Exception):
    """Errors as these drivers raise them."""


class FakeCursor:
    """Knows a few questions about the server, and otherwise answers with one row."""

    rowcount = -1

    def __init__(self, sent: list[str], answers: Mapping[str, tuple[Any, ...]]) -> None:
        self.sent, self.answers = sent, answers
        self.description: list[tuple[Any, ...]] | None = None
        self.rows: list[tuple[Any, ...]] = []

    def execute(self, statement: str, parameters: Any = ()) -> None:
        self.sent.append(statement % parameters if parameters else statement)
        asks = statement.strip().lower().startswith("select")
        known = (row for start, row in self.answers.items() if statement.strip().startswith(start))
        row = next(known, ("something",) if asks else None)
        self.rows = [row] if row is not None else []
        self.description = (
            [(f"c{n}", None, None, None, None, None, None) for n in range(len(row))]
            if row
            else None
        )

    def fetchone(self) -> tuple[Any, ...] | None:
        return self.rows.pop(0) if self.rows else None

    def fetchmany(self, size: int) -> list[tuple[Any, ...]]:
        taken, self.rows = self.rows[:size], self.rows[size:]
        return taken

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.fetchmany(len(self.rows))

    def close(self) -> None:
        self.rows = []


class FakeConnection:
    def __init__(self, sent: list[str], answers: Mapping[str, tuple[Any, ...]]) -> None:
        self.sent, self.answers = sent, answers

    def cursor(self) -> FakeCursor:
        return FakeCursor(self.sent, self.answers)

    def autocommit(self, status: bool) -> None:
        assert not status

    def commit(self) -> None:
        self.sent.append("COMMIT")

    def rollback(self) -> None:
        self.sent.append("ROLLBACK")

    def close(self) -> None:
        self.sent.append("CLOSE")


class FakeSqlServer(ModuleType):
    """What `pymssql` would be, with a SQL Server behind it that allows snapshots or doesn't."""

    __version__ = "2.3.0"
    paramstyle = "pyformat"
    Error = DatabaseError = OperationalError = InterfaceError = ProgrammingError = DataError = (
        IntegrityError
    ) = FakeError
    InternalError = NotSupportedError = FakeError

    def __init__(self, snapshot: int, read_committed_snapshot: int) -> None:
        super().__init__("pymssql")
        self.sent: list[str] = []
        self.told: dict[str, Any] = {}
        self.answers: dict[str, tuple[Any, ...]] = {
            "select @@version": ("Microsoft SQL Server 2022 - 16.0.1000.6",),
            "SELECT CASE transaction_isolation_level": ("READ COMMITTED",),
            "SELECT snapshot_isolation_state": (snapshot, read_committed_snapshot),
            "SELECT GETDATE()": (datetime(2026, 11, 24, 9, 0, 0),),  # noqa: DTZ001 - a local time, as the server has it
            "SELECT no": ("4711", datetime(2026, 11, 24, 8, 59)),  # noqa: DTZ001
            "SELECT * FROM (": ("4711", datetime(2026, 11, 24, 8, 59)),  # noqa: DTZ001
        }

    def connect(self, **told: Any) -> FakeConnection:
        self.told = told
        return FakeConnection(self.sent, self.answers)


def sql_server(
    monkeypatch: pytest.MonkeyPatch, snapshot: int, read_committed_snapshot: int
) -> FakeSqlServer:
    server = FakeSqlServer(snapshot, read_committed_snapshot)
    monkeypatch.setitem(sys.modules, "pymssql", server)
    return server


def settings(query: str, tmp_path: Path) -> SqlSettings:
    (tmp_path / "password").write_text("geheim")
    login = {"user": "reader", "password": "${file:password}"}
    return SqlSettings.model_validate({"url": "mssql://db.example.edu/sis", "query": query} | login)


@pytest.mark.parametrize(
    ("allowed", "level", "doubts"), [((1, 0), True, 0), ((0, 1), False, 0), ((0, 0), False, 1)]
)
def test_sql_server_is_read_as_of_one_moment_or_doubted(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    allowed: tuple[int, int],
    level: bool,
    doubts: int,
) -> None:
    server = sql_server(monkeypatch, *allowed)
    with settings("SELECT no, changed FROM people", tmp_path).open(tmp_path) as extract:
        rows = [dict(row.values) for row in extract.rows]
        assert len(extract.doubts) == doubts
    assert rows == [{"c0": "4711", "c1": "2026-11-24T08:59:00"}]
    assert ("SET TRANSACTION ISOLATION LEVEL SNAPSHOT" in server.sent) is level
    assert server.told["timeout"] == 900
    assert server.told["login_timeout"] == 10
    assert server.sent[-1] == "CLOSE"


def test_sql_server_is_asked_for_changes_in_its_own_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server = sql_server(monkeypatch, 1, 0)
    with settings("SELECT no, changed AS c1 FROM people", tmp_path).open_since(
        tmp_path, Since("c1", "7")
    ) as extract:
        assert extract.columns == ("c0", "c1")
    assert (
        "SELECT * FROM (SELECT no, changed AS c1 FROM people) q WHERE q.[c1] >= 7 OR q.[c1] IS NULL"
        in server.sent
    )


def test_a_common_table_has_to_take_the_mark_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sql_server(monkeypatch, 1, 0)
    source = settings("WITH a AS (SELECT 1 AS no) SELECT no FROM a", tmp_path)
    with (
        pytest.raises(SourceError, match=r"begins with WITH; put :since into the query"),
        source.open_since(tmp_path, Since("no", "7")),
    ):
        pass


def test_oracle_is_asked_within_a_transaction_that_reads() -> None:
    spec = dialect_spec("oracle")
    assert spec.statements(QUARTER) == ["SET TRANSACTION READ ONLY"]
    assert spec.clock == "SELECT SYSDATE FROM DUAL"
    assert connect_options("oracledb", QUARTER) == {"tcp_connect_timeout": 10.0, "expire_time": 1}
    assert call_timeout("oracledb", QUARTER) == 900_000


def test_oracle_is_asked_for_changes_in_its_own_words() -> None:
    dialect = oracle.dialect()  # type: ignore[no-untyped-call]
    column = dialect.identifier_preparer.quote_identifier("CHANGED")
    made = prepare_query("SELECT no, changed FROM people;", "oracle").only_changed(
        column, dialect_spec("oracle").changed
    )
    assert str(text(made.text).compile(dialect=dialect)) == (
        'SELECT * FROM (SELECT no, changed FROM people) q WHERE q."CHANGED" >= :since OR q."CHANGED" IS NULL'
    )


@pytest.mark.parametrize(
    ("dialect", "statements"),
    [
        (
            "postgresql",
            ["SET LOCAL statement_timeout = 900000", "SET LOCAL cursor_tuple_fraction = 1"],
        ),
        ("mssql", []),
        ("firebird", []),
    ],
)
def test_a_timeout_is_set_where_there_is_one(dialect: str, statements: Sequence[str]) -> None:
    assert dialect_spec(dialect).statements(QUARTER) == statements


def test_mysql_and_mariadb_have_a_timeout_of_their_own_each() -> None:
    mysql, mariadb = (
        dialect_spec("mysql").statements(QUARTER),
        dialect_spec("mysql", is_mariadb=True).statements(QUARTER),
    )
    assert mysql[0] == "SET SESSION max_execution_time = 900000"
    assert mariadb[0] == "SET SESSION max_statement_time = 900"
    assert mysql[1:] == mariadb[1:]
    assert mysql[-1].endswith("READ ONLY")


def test_a_timeout_beyond_what_a_database_can_hold_is_the_longest_it_can() -> None:
    assert (
        dialect_spec("postgresql").statements(timedelta(days=365))[0]
        == "SET LOCAL statement_timeout = 2147483647"
    )


@pytest.mark.parametrize(
    ("dialect", "value"),
    [
        ("postgresql", MOMENT),
        ("mysql", MOMENT.replace(tzinfo=None)),
        ("oracle", MOMENT.replace(tzinfo=None)),
        ("sqlite", "2026-11-24 09:00:00"),
    ],
)
def test_a_moment_is_given_as_the_database_compares_it(dialect: str, value: object) -> None:
    assert dialect_spec(dialect).convert(MOMENT) == value


def test_a_snapshot_needs_to_be_allowed() -> None:
    assert isolation(1, read_committed_snapshot=False) == ("SNAPSHOT", None)
    assert isolation(0, read_committed_snapshot=True) == (None, None)
    assert "READ_COMMITTED_SNAPSHOT" in str(isolation(0, read_committed_snapshot=False)[1])


def said(*arguments: object, connecting: bool = False) -> str:
    error = failure(FakeError(*arguments), "x", QUARTER, secret="geheim", connecting=connecting)
    assert "geheim" not in str(error)
    assert "\n" not in str(error)
    return error.reason


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (
            ("ORA-00942: table or view does not exist\nHelp: ...",),
            "can't run the query (ORA-00942: table or view",
        ),
        (("ORA-01017: invalid username/password",), "refuses the login (ORA-01017)"),
        (("DPY-4024: call timeout of 900000 ms exceeded",), "took longer than timeout (15m)"),
        (
            ("DPY-4011: the database or network closed the connection",),
            "the connection was lost before the last row",
        ),
        (
            ("DPY-6005: cannot connect to database (geheim)",),
            "can't be reached (DPY-6005: cannot connect to database (****)",
        ),
        (
            ("ORA-01722: unable to convert string value 'Åse' to a number",),
            "failed during the read (ORA-01722)",
        ),
        (
            ((18456, b"Login failed for user 'reader'.DB-Lib error message 20018"),),
            "refuses the login (18456)",
        ),
        (
            (208, b"Invalid object name 'people'.DB-Lib error"),
            "can't run the query (Invalid object name 'people'",
        ),
        ((20003, b"Adaptive Server connection timed out"), "took longer than timeout (15m)"),
        (
            (20047, b"DBPROCESS is dead or not enabled"),
            "the connection was lost before the last row (20047)",
        ),
        (
            (245, b"Conversion failed when converting the varchar value 'Ase'"),
            "failed during the read (245)",
        ),
        (("no words that anybody knows: Åse",), "failed during the read"),
        ((), "failed during the read"),
    ],
)
def test_errors_are_reported_by_what_to_do_and_show_no_row(
    arguments: tuple[object, ...], reason: str
) -> None:
    told = said(*arguments)
    assert told.startswith(reason)
    assert "Åse" not in told
    assert "Ase" not in told


def test_whatever_goes_wrong_before_there_is_a_connection_is_about_reaching_it() -> None:
    assert (
        said("connection timeout expired", connecting=True)
        == "can't be reached (connection timeout expired)"
    )
