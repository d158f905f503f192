"""The connection to a database for one read, within a transaction that can't write."""

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

from sync.errors import SourceError, install_remedy
from sync.sources.sql.dialects import (
    CONNECT_SECONDS,
    DialectSpec,
    call_timeout,
    connect_options,
    dialect_spec,
    isolation,
)
from sync.sources.sql.errors import failure
from sync.sources.sql.url import EXTRAS, DatabaseUrl, parse_url, with_driver
from sync.sources.sql.watchdog import Watchdog, watched

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_STEPS = 100_000
"""Steps of SQLite's virtual machine between two checks of the timeout: some milliseconds."""


@dataclass(frozen=True, slots=True)
class SqlAccess:
    """How to log in to a database.

    Attributes:
        url: the URL of the configuration, without a password.
        user: the user, if the URL does not contain it.
        password: in the clear; no repr shows it.
        folder: where the relative path of a file starts.
        timeout: how long a statement may take.
    """

    url: str
    user: str
    password: str = field(repr=False)
    folder: Path
    timeout: timedelta

    @property
    def address(self) -> DatabaseUrl:
        """Return the parts of the URL."""
        return parse_url(self.url)

    @property
    def place(self) -> str:
        """Return the database's name for people."""
        return self.address.place

    @property
    def file(self) -> Path:
        """Return the file of a SQLite database."""
        return self.folder / self.address.database

    def failure(
        self, error: Exception, where: str = "", *, connecting: bool = False
    ) -> SourceError:
        """Return the error for an exception of SQLAlchemy or of a driver."""
        return failure(
            error, where or self.place, self.timeout, secret=self.password, connecting=connecting
        )


def _no_doubt() -> str | None:
    return None


@dataclass(slots=True)
class OpenDatabase:
    """A connection within a transaction that reads.

    Attributes:
        dialect: how this kind of database is queried.
        doubt: why its rows may be incomplete; None if they are complete.
        check_end: to be called after the last row: it returns why the rows may be incomplete, and
            raises `SourceError` if they can't be used.
        watchdog: ends the wait for a server that has stopped answering.
    """

    connection: "Connection"
    dialect: DialectSpec
    doubt: str | None = None
    check_end: Callable[[], str | None] = _no_doubt
    watchdog: Watchdog = field(default_factory=lambda: Watchdog(0))


@contextmanager
def open_database(access: SqlAccess) -> Iterator[OpenDatabase]:
    """Connect to a database, with a timeout, and read-only if the database supports it.

    Raises:
        SourceError: the driver is not installed, or the database can't be reached or refuses the
            login.
    """
    engine = _create_engine(access)
    try:
        with _connect(engine, access) as connection:
            database = _begin(connection, access)
            with watched(
                connection.connection.dbapi_connection, access.timeout.total_seconds()
            ) as database.watchdog:
                yield database
    finally:
        engine.dispose()


@contextmanager
def _connect(engine: "Engine", access: SqlAccess) -> Iterator["Connection"]:
    from sqlalchemy.exc import SQLAlchemyError

    try:
        connection = engine.connect()
    except (SQLAlchemyError, OSError, ValueError, TypeError) as error:
        # TypeError: the driver does not know an option in the URL.
        raise access.failure(error, connecting=True) from None
    try:
        yield connection
    finally:
        # Dropped without a rollback: unread rows may still be arriving, and nothing was written.
        connection.invalidate()
        connection.close()


def _begin(connection: "Connection", access: SqlAccess) -> OpenDatabase:
    """Begin the transaction of the read."""
    from sqlalchemy.exc import SQLAlchemyError

    is_mariadb = getattr(connection.dialect, "is_mariadb", False)
    dialect = dialect_spec(connection.dialect.name, is_mariadb=is_mariadb)
    options, doubt = dict(dialect.options), None
    try:
        if dialect.snapshots:
            allowed = connection.exec_driver_sql(dialect.snapshots).first()
            connection.rollback()
            level, doubt = isolation(*(allowed or (0, False)))
            options |= {"isolation_level": level} if level else {}
        connection = connection.execution_options(**options)
        for sql in dialect.statements(access.timeout):
            connection.exec_driver_sql(sql)
        check_end = _change_check(connection, access) if access.address.is_file else _no_doubt
    except SQLAlchemyError as error:
        raise access.failure(error) from None
    return OpenDatabase(connection, dialect, doubt, check_end)


def _create_engine(access: SqlAccess) -> "Engine":
    from sqlalchemy import NullPool, create_engine
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    address = access.address
    url = make_url("sqlite://" if address.is_file else with_driver(access.url))
    url = url.set(username=access.user or None) if access.user else url
    url = url.set(password=access.password) if access.password else url
    options: dict[str, Any] = {
        **dialect_spec(address.kind).engine,
        "hide_parameters": True,
        "poolclass": NullPool,
    }
    if address.is_file:
        options["creator"] = _sqlite_opener(access)
    else:
        defaults = connect_options(address.driver, access.timeout)
        options["connect_args"] = {
            name: value for name, value in defaults.items() if name not in url.query
        }
        if access.password and address.driver == "pymysql":
            options["connect_args"]["password"] = (
                access.password.encode()
            )  # pymysql would encode a text as Latin-1
    try:
        engine = create_engine(url, **options)
    except (NoSuchModuleError, ImportError) as error:
        raise _no_driver(address, unknown=isinstance(error, NoSuchModuleError)) from None
    except (ArgumentError, ValueError, TypeError) as error:
        raise access.failure(error, connecting=True) from None
    _limit_calls(engine, call_timeout(address.driver, access.timeout))
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
        reason = f"needs the driver {address.driver}, which is not installed"
        return SourceError(address.place, reason, install_remedy(extra))
    name = f"{address.kind}+{address.driver}" if address.driver else address.kind
    what = "an unknown kind of database" if unknown else "a driver that is not installed"
    remedy = (
        "use postgresql, mysql, mariadb, oracle, mssql or sqlite,"
        " or install the SQLAlchemy dialect and driver for it"
    )
    return SourceError(address.place, f"'{name}' names {what}", remedy)


def _sqlite_opener(access: SqlAccess) -> Callable[[], sqlite3.Connection]:
    """Return a function that opens the file read-only.

    By default SQLite would create a missing one.
    """
    try:
        mode = access.file.stat().st_mode
    except OSError as error:
        reason = (
            "is not there"
            if isinstance(error, FileNotFoundError)
            else f"can't be opened ({error.strerror})"
        )
        raise SourceError(
            access.place, reason, "check the path in 'url', and the rights on it"
        ) from None
    if not stat.S_ISREG(mode):
        raise SourceError(
            access.place, "is not a plain file", "set 'url' to the file of a SQLite database"
        )

    def connect() -> sqlite3.Connection:
        name = f"file:{quote(str(access.file.absolute()))}?mode=ro"
        connection = sqlite3.connect(
            name, uri=True, timeout=CONNECT_SECONDS, check_same_thread=False
        )
        ends = time.monotonic() + access.timeout.total_seconds()
        connection.set_progress_handler(lambda: time.monotonic() > ends, _STEPS)
        return connection

    return connect


def _change_check(connection: "Connection", access: SqlAccess) -> Callable[[], str | None]:
    """Return a check that the file was not overwritten during the read.

    SQLite's own writers wait for the reader; in WAL mode they don't wait, and don't touch what it
    reads. But of a copy written over the file, half would be read. In WAL mode such a copy can't be
    told from a write of SQLite.
    """
    wal = connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    before = _identity(access.file)
    remedy = "copy it under another name and rename it when it is complete"

    def check_end() -> str | None:
        changed = _identity(access.file) != before
        if changed and not wal:
            raise SourceError(access.place, "was changed or replaced while it was read", remedy)
        return f"was written while it was read; {remedy}" if changed else None

    return check_end


def _identity(path: Path) -> tuple[int, ...]:
    try:
        info = path.stat()
    except OSError:
        return ()
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns
