"""The databases that can hold a state; see the fixture `database`."""

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection
from sync.state.postgres.backend import PostgresDatabase
from sync.state.schema import METADATA
from sync.state.sqlite.open import open_copy, open_to_write

from ...support.servers.postgres import SUPERUSER, Postgres


class Kept(Protocol):
    """A state that outlives the runs that open it."""

    def open(self) -> AbstractContextManager[Connection]:
        """Open the state for one run."""

    def crash(self) -> None:
        """Keep only what is on disk now for the next run: the one that has it open is killed."""


class Database(Protocol):
    """One of the databases."""

    def blank(self) -> AbstractContextManager[Connection]:
        """Open an empty state."""

    def kept(self, folder: Path) -> Kept:
        """Make an empty state, which may be stored in this folder."""


class Sqlite:
    """A state in a file, or in memory for one that need not last."""

    def blank(self) -> AbstractContextManager[Connection]:
        """Open an empty state in memory."""
        return open_copy(empty_file())

    def kept(self, folder: Path) -> Kept:
        """Make an empty state in a file."""
        return _File(folder)


class _File:
    def __init__(self, folder: Path) -> None:
        self._folder, self._number = folder, 0
        self._path = folder / "0" / "state.db"
        self._path.parent.mkdir()
        shutil.copy(empty_file(), self._path)

    def open(self) -> AbstractContextManager[Connection]:
        return open_to_write(self._path, "apply")

    def crash(self) -> None:
        self._number += 1
        left = self._folder / str(self._number)
        left.mkdir()
        for file in self._path.parent.glob("state.db*"):
            # The one is memory, the other dies with its process.
            if not file.name.endswith(("-shm", ".lock")):
                shutil.copy(file, left / file.name)
        self._path = left / "state.db"


@cache
def empty_file() -> Path:
    """Return a state's file with empty tables, made once: migrations take their time."""
    folder = tempfile.TemporaryDirectory(prefix="empty-state-")
    atexit.register(folder.cleanup)
    path = Path(folder.name) / "state.db"
    with open_to_write(path, "apply"):
        return path


_EMPTY = "; ".join(
    [
        *(
            f'DELETE FROM "{table.name}"'
            for table in reversed(METADATA.sorted_tables)
            if table.name != "leader"
        ),
        *(f"ALTER SEQUENCE {numbered}_id_seq RESTART" for numbered in ("run", "intent", "finding")),
    ]
)
"""Quicker than TRUNCATE where there is little."""


class Postgresql:
    """A state in a database that sorts as Norwegians do, which must not matter."""

    def __init__(self, server: Postgres, name: str = "state") -> None:
        self._server, self._name = server, name
        self._url = server.create_database(name, icu="nb-NO")
        self._database = self._by(SUPERUSER)
        self._held = ExitStack()
        self._blank: Connection | None = None

    def _by(self, user: str) -> PostgresDatabase:
        return PostgresDatabase(self._url.replace("://", f"://{user}@"), lambda: "")

    def for_reader(self) -> PostgresDatabase:
        """Return the same for a user who may only read its tables and make temporary ones."""
        self._server.execute(
            "DO $$ BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object"
            " THEN NULL; END $$",
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader",
            database=self._name,
        )
        return self._by("reader")

    @contextmanager
    def blank(self) -> Iterator[Connection]:
        """Empty the database. It stays open for the next test, as opening takes long."""
        if self._blank is None:
            self._blank = self._held.enter_context(self._open())
        _empty(self._blank)
        try:
            yield self._blank
        finally:
            self._blank.rollback()

    def kept(self, folder: Path) -> Kept:  # noqa: ARG002 - it needs none
        """Empty the database; what a killed run had not committed is gone with its connection."""
        with self.open() as connection:
            _empty(connection)
        return self

    @contextmanager
    def open(self) -> Iterator[Connection]:
        """Open the database as it is."""
        self.close()
        with self._open() as connection:
            yield connection

    def close(self) -> None:
        """Close the connection."""
        self._blank = None
        self._held.close()

    @contextmanager
    def _open(self) -> Iterator[Connection]:
        with self._database.open_to_write("a test") as opened:
            yield opened.connection

    def crash(self) -> None:
        """Do nothing: what had been committed is there."""


def _empty(connection: Connection) -> None:
    connection.exec_driver_sql(
        f"DISCARD TEMP; SET session_replication_role = replica; {_EMPTY};"
        " SET session_replication_role = origin"
    )
    connection.commit()


_used: list[Database] = [Sqlite()]


@contextmanager
def using(database: Database) -> Iterator[None]:
    """Make `blank` and `kept` use this database."""
    _used.append(database)
    try:
        yield
    finally:
        _used.pop()


def blank() -> AbstractContextManager[Connection]:
    """Open an empty state in the database that is being tested."""
    return _used[-1].blank()


def kept(folder: Path) -> Kept:
    """Make an empty state in the tested database, which runs open one after another."""
    return _used[-1].kept(folder)
