"""SQL sources and the contract: SQLite, PostgreSQL (with Norwegian sorting) and MariaDB."""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from sync.sources.base import SourceSettings
from sync.sources.sql.source import SqlSettings

from ...support.servers.mariadb import MariaDb, mariadb
from ...support.servers.needed import free_port
from ...support.servers.postgres import Postgres, postgres
from .contract import COLUMNS, LARGE, SourceContract

DATABASE = "contract"


@pytest.fixture(scope="module")
def postgres_server() -> Iterator[Postgres]:
    with postgres() as server:
        server.create_database(DATABASE, icu="nb-NO")
        yield server


@pytest.fixture(scope="module")
def mariadb_server() -> Iterator[MariaDb]:
    with mariadb() as server:
        server.create_database(DATABASE)
        yield server


def query(broken: str, table: str = "people") -> str:
    """Return the query of the table; a row that is marked as broken fails in this expression.

    Sorted, a table is read to its end before the first row comes.
    """
    return f"SELECT student_no, given, CASE WHEN broken = 1 THEN {broken} ELSE family END AS family FROM {table}"


def table_of(folder: Path) -> str:
    """Return a name for each test's folder."""
    return "".join(one if one.isalnum() else "_" for one in f"{folder.parent.name}_{folder.name}")[
        -60:
    ]


class TestSqliteKeepsTheContract(SourceContract):
    def make(
        self, folder: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]
    ) -> SourceSettings:
        assert tuple(columns) == COLUMNS
        with closing(sqlite3.connect(folder / "sis.db")) as database:
            database.execute(
                "CREATE TABLE people (n INTEGER PRIMARY KEY, student_no, given, family, broken)"
            )
            database.executemany(
                "INSERT INTO people (student_no, given, family) VALUES (?, ?, ?)", rows
            )
            database.commit()
        return SqlSettings(url="sqlite:///sis.db", query=query("abs(-9223372036854775808)"))

    def absent(self) -> SourceSettings:
        return SqlSettings(url="sqlite:///nowhere.db", query="SELECT 1 AS one")

    def damage_end(self, folder: Path) -> None:
        with closing(sqlite3.connect(folder / "sis.db")) as database:
            database.execute("INSERT INTO people (broken) VALUES (1)")
            database.commit()

    def disturb(self, folder: Path) -> None:
        """Write a copy over the file, as a nightly job would."""
        path = folder / "sis.db"
        written = path.stat().st_mtime_ns
        path.write_bytes(path.read_bytes())
        os.utime(path, ns=(written + 1, written + 1))


@pytest.mark.server
class TestPostgresKeepsTheContract(SourceContract):
    server: Postgres

    @pytest.fixture(autouse=True)
    def _served(self, postgres_server: Postgres) -> None:
        self.server = postgres_server

    def make(
        self, folder: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]
    ) -> SourceSettings:
        assert tuple(columns) == COLUMNS
        table = table_of(folder)
        kinds = "n serial PRIMARY KEY, student_no text, given text, family text, broken int"
        self.server.execute(f"CREATE TABLE {table} ({kinds})", database=DATABASE)
        self.server.copy(f"{table} (student_no, given, family)", rows, DATABASE)
        url = self.server.url(DATABASE)
        return SqlSettings(url=url, user="postgres", query=query("(1 / (broken - 1))::text", table))

    def absent(self) -> SourceSettings:
        return SqlSettings(
            url=f"postgresql://127.0.0.1:{free_port()}/sis", user="reader", query="SELECT 1 AS one"
        )

    def damage_end(self, folder: Path) -> None:
        self.server.execute(
            f"INSERT INTO {table_of(folder)} (broken) VALUES (1)", database=DATABASE
        )

    def disturb(self, folder: Path) -> None:  # noqa: ARG002
        self.server.terminate_all(DATABASE)


@pytest.mark.server
class TestMariaDbKeepsTheContract(SourceContract):
    server: MariaDb

    @pytest.fixture(autouse=True)
    def _served(self, mariadb_server: MariaDb) -> None:
        self.server = mariadb_server

    def make(
        self, folder: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]
    ) -> SourceSettings:
        assert tuple(columns) == COLUMNS
        table = table_of(folder)
        kinds = (
            "n int AUTO_INCREMENT PRIMARY KEY, student_no text, given text, family text, broken int"
        )
        self.server.execute(f"CREATE TABLE {table} ({kinds})", database=DATABASE)
        self.server.insert(f"{table} (student_no, given, family)", rows, DATABASE)
        several = "(SELECT 1 UNION SELECT 2)"  # where one value is wanted
        return SqlSettings(url=self.server.url(DATABASE), user="root", query=query(several, table))

    def make_large(self, folder: Path, count: int = LARGE) -> SourceSettings:
        """Make wide rows, so that not all have arrived before the server is disturbed."""
        given = "Given" * (100 if count < LARGE else 1)
        return self.make(
            folder, COLUMNS, ((str(n), f"{given}{n}", "Exämple") for n in range(count))
        )

    def absent(self) -> SourceSettings:
        return SqlSettings(
            url=f"mariadb://127.0.0.1:{free_port()}/sis", user="reader", query="SELECT 1 AS one"
        )

    def damage_end(self, folder: Path) -> None:
        self.server.execute(
            f"INSERT INTO {table_of(folder)} (broken) VALUES (1)", database=DATABASE
        )

    def disturb(self, folder: Path) -> None:  # noqa: ARG002
        self.server.terminate_all(DATABASE)
