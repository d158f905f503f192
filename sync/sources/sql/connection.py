"""Connecting to a database, for one reading that can't write. What was opened is closed at the end."""

import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sync.errors import SourceError
from sync.sources.sql.dialects import (
    CONNECT_SECONDS,
    DialectSpec,
    call_timeout,
    connect_options,
    isolation,
    manner,
)
from sync.sources.sql.errors import failure
from sync.sources.sql.url import EXTRAS, DatabaseUrl, address_of, with_driver
from sync.sources.sql.watchdog import Watchdog, watched

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_LOOK_EVERY = 100_000
"""Steps of SQLite's machine between two looks at the clock: some milliseconds."""


@dataclass(frozen=True, slots=True)
class DatabaseAccess:
    """A database, and what is needed to be let in.

    Attributes:
        url: as the configuration gives it, without a password.
        user: who logs in, if that does not stand in the URL.
        password: in the clear; it is in no repr.
        folder: from where the path of a file is taken.
        timeout: how long a statement may take.
    """

    url: str
    user: str
    password: str = field(repr=False)
    folder: Path
    timeout: timedelta

    @property
    def address(self) -> DatabaseUrl:
        """The URL taken apart."""
        return address_of(self.url)

    @property
    def place(self) -> str:
        """How people name it."""
        return self.address.place

    @property
    def file(self) -> Path:
        """The file of a SQLite database."""
        return self.folder / self.address.database

    def failure(
        self, error: Exception, where: str = "", *, connecting: bool = False
    ) -> SourceError:
        """What to say about an error of SQLAlchemy's or of a driver's."""
        return failure(
            error, where or self.place, self.timeout, secret=self.password, connecting=connecting
        )


def _no_proof() -> str:
    return ""


@dataclass(slots=True)
class OpenDatabase:
    """A connection within a transaction that reads.

    Attributes:
        doubt: why what it gives may not be all; empty when nothing speaks against it.
        prove: what is to be called after the last row: it tells why the rows may not be all, and raises `SourceError`
            when they are not to be trusted.
        watchdog: what ends a wait for a server that says nothing any more.
    """

    connection: "Connection"
    manner: DialectSpec
    doubt: str = ""
    prove: Callable[[], str] = _no_proof
    watchdog: Watchdog = field(default_factory=lambda: Watchdog(0))


@contextmanager
def opened(door: DatabaseAccess) -> Iterator[OpenDatabase]:
    """A connection, limited by the timeout and kept from writing wherever the database knows that.

    Raises:
        SourceError: there is no driver, no database, no connection, or no way in.
    """
    engine = _engine(door)
    try:
        with _connected(engine, door) as connection:
            begun = _begun(connection, door)
            with watched(
                connection.connection.dbapi_connection, door.timeout.total_seconds()
            ) as begun.watchdog:
                yield begun
    finally:
        engine.dispose()


@contextmanager
def _connected(engine: "Engine", door: DatabaseAccess) -> Iterator["Connection"]:
    from sqlalchemy.exc import SQLAlchemyError

    try:
        connection = engine.connect()
    except (SQLAlchemyError, OSError, ValueError, TypeError) as error:
        # TypeError: an option in the URL that the driver does not know.
        raise door.failure(error, connecting=True) from None
    try:
        yield connection
    finally:
        # Dropped, not tidied up: what was begun on it has no effect, and rows that nobody wants may still be coming.
        connection.invalidate()
        connection.close()


def _begun(connection: "Connection", door: DatabaseAccess) -> OpenDatabase:
    """The same within its transaction."""
    from sqlalchemy.exc import SQLAlchemyError

    dialect = connection.dialect
    how = manner(dialect.name, is_mariadb=getattr(dialect, "is_mariadb", False))
    options, doubt = dict(how.options), ""
    try:
        if how.snapshots:
            allowed = connection.exec_driver_sql(how.snapshots).first()
            connection.rollback()
            level, doubt = isolation(*(allowed or (0, False)))
            options |= {"isolation_level": level} if level else {}
        connection = connection.execution_options(**options)
        for one in how.statements(door.timeout):
            connection.exec_driver_sql(one)
        prove = _unchanged(connection, door) if door.address.is_file else _no_proof
    except SQLAlchemyError as error:
        raise door.failure(error) from None
    return OpenDatabase(connection, how, doubt, prove)


def _engine(door: DatabaseAccess) -> "Engine":
    from sqlalchemy import NullPool, create_engine
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    address = door.address
    url = make_url("sqlite://" if address.is_file else with_driver(door.url))
    url = url.set(username=door.user or None) if door.user else url
    url = url.set(password=door.password) if door.password else url
    options: dict[str, Any] = {
        **manner(address.kind).engine,
        "hide_parameters": True,
        "poolclass": NullPool,
    }
    if address.is_file:
        options["creator"] = _sqlite(door)
    else:
        told = connect_options(address.driver, door.timeout)
        options["connect_args"] = {
            name: value for name, value in told.items() if name not in url.query
        }
        if door.password and address.driver == "pymysql":
            options["connect_args"]["password"] = (
                door.password.encode()
            )  # it would take Latin-1 for a text
    try:
        engine = create_engine(url, **options)
    except (NoSuchModuleError, ImportError) as error:
        raise _no_driver(address, unknown=isinstance(error, NoSuchModuleError)) from None
    except (ArgumentError, ValueError, TypeError) as error:
        raise door.failure(error, connecting=True) from None
    _limit_calls(engine, call_timeout(address.driver, door.timeout))
    return engine


def _limit_calls(engine: "Engine", milliseconds: int) -> None:
    from sqlalchemy import event

    def limit(connection: Any, _record: object) -> None:
        connection.call_timeout = milliseconds

    if milliseconds:
        event.listen(engine, "connect", limit)


def _no_driver(address: DatabaseUrl, *, unknown: bool) -> SourceError:
    extra = EXTRAS.get(address.driver)
    if extra:
        remedy = f"install it with pip install 'inspera-sync[{extra}]'"
        return SourceError(
            address.place, f"needs the driver {address.driver}, which is not installed", remedy
        )
    name = f"{address.kind}+{address.driver}" if address.driver else address.kind
    what = (
        "a kind of database that is not known here" if unknown else "a driver that is not installed"
    )
    remedy = "write postgresql, mysql, mariadb, oracle, mssql or sqlite, or install what SQLAlchemy needs for it"
    return SourceError(address.place, f"'{name}' names {what}", remedy)


def _sqlite(door: DatabaseAccess) -> Callable[[], sqlite3.Connection]:
    """What opens the file, read-only: SQLite would make one that is missing."""
    try:
        mode = door.file.stat().st_mode
    except OSError as error:
        reason = (
            "is not there"
            if isinstance(error, FileNotFoundError)
            else f"can't be opened ({error.strerror})"
        )
        raise SourceError(
            door.place, reason, "check the path in 'url', and the rights on it"
        ) from None
    if not stat.S_ISREG(mode):
        raise SourceError(
            door.place, "is not a plain file", "set 'url' to the file of a SQLite database"
        )

    def connect() -> sqlite3.Connection:
        name = f"file:{quote(str(door.file.absolute()))}?mode=ro"
        connection = sqlite3.connect(
            name, uri=True, timeout=CONNECT_SECONDS, check_same_thread=False
        )
        ends = time.monotonic() + door.timeout.total_seconds()
        connection.set_progress_handler(lambda: time.monotonic() > ends, _LOOK_EVERY)
        return connection

    return connect


def _unchanged(connection: "Connection", door: DatabaseAccess) -> Callable[[], str]:
    """What makes sure that the file was not written over while it was read.

    SQLite's own writers wait for the reader, except in WAL mode, where they don't touch what it reads. But a copy
    written over the file would be read half and half; in WAL mode it looks as if SQLite had written.
    """
    lively = connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    before, remedy = (
        _identity(door.file),
        "copy it under another name and rename it when it is whole",
    )

    def prove() -> str:
        changed = _identity(door.file) != before
        if changed and not lively:
            raise SourceError(door.place, "was changed or replaced while it was read", remedy)
        return f"was written while it was read; {remedy}" if changed else ""

    return prove


def _identity(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
