"""Opening the state: a SQLite file for its owner alone, with a private scratch attached to it.

`apply` and `adopt` open it for writing: locked, migrated, in WAL mode. `plan`, `check` and
`status` read: a missing state is an empty one, an older one is migrated in a copy, and nothing
on disk is changed (rules 26).
"""

import errno
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, NullPool, create_engine, event, text

from sync.errors import Locked, StateError
from sync.state.migrations import create, head, known_versions, migrate
from sync.state.sqlite import errors

SCRATCH_CACHE_KIB = 24_000
"""Memory that the scratch may take before it spills to its (already deleted) file."""

PATIENCE = 30.0
"""Seconds for which a run waits for another program that holds the file."""

FIRST_PATIENCE = 10.0
"""The same before a run begins, when it can give up without harm."""

ANOTHER_PROGRAM = "another program"
"""The holder's name where it is not inspera-sync, which writes its own name."""

_REMEDY = "let this user write there, or change the setting 'state'"


@contextmanager
def open_to_write(
    path: Path, command: str, wait: Callable[[str], bool] | None = None
) -> Iterator[Connection]:
    """Open the state, locked for this process, migrated, created with mode 0600 if it is missing.

    `wait` gets the name of the holder, and returns whether to try again.

    Raises:
        Locked: another process holds it.
        StateBusy: a program other than inspera-sync holds it.
        StateUnreachable: it cannot be written now.
        StateError: it cannot be written, or a newer version wrote it.
    """
    with locked(path, command, wait), errors.translate_errors(path):
        if not _is_there(path):
            with on_disk(path):
                path.touch(0o600)
        with on_disk(path):
            path.chmod(0o600)
        raw = sqlite3.connect(
            path, timeout=FIRST_PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            _claim_file(raw, wait)
        except BaseException:
            raw.close()
            raise
        yield from connect(raw, path)


@contextmanager
def open_to_read(path: Path) -> Iterator[Connection]:
    """Open the state as it is, and change no byte of it on disk.

    Raises:
        StateError: it cannot be read, or a newer version wrote it.
        Locked: it was at rest, and another process wrote it meanwhile.
    """
    with errors.translate_errors(path), _watch_at_rest(path) as at_rest:
        yield from connect(_open_read_only(path, at_rest=at_rest), path, writable=False)


@contextmanager
def open_copy(path: Path) -> Iterator[Connection]:
    """Open a private copy of the state, which may be written, to show what a run would do.

    Raises:
        StateError: it cannot be read, or a newer version wrote it.
    """
    with errors.translate_errors(path), closing(sqlite3.connect("", isolation_level=None)) as copy:
        if _is_there(path):
            with _watch_at_rest(path) as at_rest:
                original = _open_read_only(path, at_rest=at_rest)
                original.backup(copy)
                original.close()
        yield from connect(copy, path, writable=False)


def version_of(path: Path) -> str | None:
    """Return the version of the schema of the state in this file; None when it does not exist yet.

    Raises:
        StateError: it cannot be read.
        Locked: it was at rest, and another process wrote it meanwhile.
    """
    with errors.translate_errors(path):
        if not _is_there(path):
            return None
        with (
            _watch_at_rest(path) as at_rest,
            closing(_open_original(path, at_rest=at_rest)) as original,
        ):
            return _read_version(original)


def _is_there(path: Path) -> bool:
    with on_disk(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        return path.exists()


def refuse_newer(place: object, version: str | None) -> None:
    """Refuse a state whose schema this version does not know.

    Raises:
        StateError: a newer version wrote it.
    """
    if version is not None and version not in known_versions():
        raise StateError(
            f"{place}: this state was written by a newer version of inspera-sync (schema "
            f"{version}, this one knows "
            f"{head()}); install that version again, or put back a copy of the state from before"
        )


def _claim_file(raw: sqlite3.Connection, wait: Callable[[str], bool] | None) -> None:
    """Make sure that the file can be written before a run reads its sources.

    Another program that holds it is waited for.
    """
    while True:
        try:
            raw.execute("BEGIN IMMEDIATE")
            break
        except sqlite3.OperationalError as error:
            if not errors.is_held(error) or wait is None or not wait(ANOTHER_PROGRAM):
                raise
    raw.execute("ROLLBACK")
    raw.execute(f"PRAGMA busy_timeout={PATIENCE * 1000:.0f}")


@contextmanager
def on_disk(path: Path) -> Iterator[None]:
    """Turn an error of the operating system on the state's file into a `StateError`."""
    try:
        yield
    except OSError as error:
        raise errors.make_os_error(path, error, _REMEDY) from None


def connect(raw: sqlite3.Connection, path: Path, *, writable: bool = True) -> Iterator[Connection]:
    """Yield SQLAlchemy's connection over this one, migrated if it may be written."""
    with closing(raw):
        version = _read_version(raw)
        refuse_newer(path, version)
        _NEXT_CONNECTION.set(raw)
        with _engine(writable=writable).connect() as connection:
            connection.info[_PATH] = path
            if version is None:
                create(connection)
            elif version != head():
                migrate(connection)
            connection.commit()
            yield connection


@contextmanager
def _watch_at_rest(path: Path) -> Iterator[bool]:
    """Yield whether the state is at rest, so that its file can be read without SQLite's locks.

    To lock, SQLite makes files next to a state in WAL mode, even for a reader, and cannot read at
    all where it may not make them.
    """
    before = _identity_at_rest(path)
    if before is None:
        yield False
        return
    try:
        yield True
    except Exception:
        _refuse_change(path, before)
        raise
    _refuse_change(path, before)


def _identity_at_rest(path: Path) -> tuple[int, int, int] | None:
    with on_disk(path):
        if not path.exists() or path.with_name(path.name + "-wal").exists():
            return None
    return _identity(path)


def _identity(path: Path) -> tuple[int, int, int]:
    with on_disk(path):
        status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _refuse_change(path: Path, before: tuple[int, int, int]) -> None:
    if _identity(path) != before:
        raise Locked(
            f"{path}: the state was written while it was read, so this output may be "
            "wrong; run it again"
        )


def _open_read_only(path: Path, *, at_rest: bool) -> sqlite3.Connection:
    """Return the state opened to read, or a private copy when it is missing or older."""
    if not _is_there(path):
        return sqlite3.connect("", isolation_level=None)
    original = _open_original(path, at_rest=at_rest)
    try:
        if _read_version(original) == head():
            return original
        copy = sqlite3.connect("", isolation_level=None)
        original.backup(copy)
    except BaseException:
        original.close()
        raise
    original.close()
    return copy


def _open_original(path: Path, *, at_rest: bool) -> sqlite3.Connection:
    how = "immutable=1" if at_rest else "mode=ro"
    return sqlite3.connect(
        f"{path.resolve().as_uri()}?{how}", uri=True, timeout=PATIENCE, isolation_level=None
    )


def _read_version(connection: sqlite3.Connection) -> str | None:
    if not connection.execute(
        "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
    ).fetchone():
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


_NEXT_CONNECTION: ContextVar[sqlite3.Connection] = ContextVar("raw")
"""The connection that is opened next in this thread."""

_PATH = "path of the state"
"""The name under which a connection knows its file."""


@cache
def _engine(*, writable: bool) -> Engine:
    """Return one engine for all states: it caches compiled statements.

    To compile them takes longer than to run them.
    """
    engine = create_engine(
        "sqlite://", creator=_NEXT_CONNECTION.get, poolclass=NullPool, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def _prepare(dbapi: sqlite3.Connection, _record: object) -> None:
        if writable:
            dbapi.execute("PRAGMA journal_mode=WAL")
            # The journal must survive a power cut (rules 24).
            dbapi.execute("PRAGMA synchronous=FULL")
        dbapi.execute("ATTACH DATABASE '' AS scratch")
        for pragma in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{SCRATCH_CACHE_KIB}"):
            dbapi.execute(f"PRAGMA scratch.{pragma}")
        for name, arguments, function in _FUNCTIONS:
            dbapi.create_function(name, arguments, function, deterministic=True)

    @event.listens_for(engine, "handle_error")
    def _say(context: ExceptionContext) -> None:
        # Here, and not where the state was opened: a run reports errors itself, and a full disk is
        # still full at this moment.
        path = context.connection.info.get(_PATH) if context.connection is not None else None
        if path is not None and isinstance(context.original_exception, sqlite3.Error):
            raise errors.make_error(path, context.original_exception)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writable else "BEGIN")

    return engine


def _lower(value: object) -> str | None:
    """Return the text in lower case: SQLite's own function knows ASCII only."""
    return None if value is None else str(value).lower()


def _casefold(value: object) -> str | None:
    return None if value is None else str(value).casefold()


def _strpos(value: str | None, part: str | None) -> int | None:
    return None if value is None or part is None else value.find(part) + 1


def _greatest(one: Any, other: Any) -> Any:
    return max((value for value in (one, other) if value is not None), default=None)


_FUNCTIONS: tuple[tuple[str, int, Callable[..., Any]], ...] = (
    ("lower", 1, _lower),
    ("casefold", 1, _casefold),
    ("strpos", 2, _strpos),
    ("greatest", 2, _greatest),
)
"""Functions for statements that also run on PostgreSQL, by their names there.

An exception is `casefold`, which only its newest versions have: see `dialect.casefold_sql`.
"""


@contextmanager
def locked(path: Path, command: str, wait: Callable[[str], bool] | None = None) -> Iterator[None]:
    """Hold the run's lock, which ends with the process.

    `wait` gets the name of the holder, and returns whether to try again.
    """
    beside = path.with_name(path.name + ".lock")
    while True:
        with lock_file(beside, command) as holder:
            if not holder:
                yield
                return
        if wait is None or not wait(holder):
            raise Locked(
                f"{path}: the state is in use by {holder}; wait until it is done, or use --wait"
            )


@contextmanager
def lock_file(beside: Path, command: str) -> Iterator[str]:
    """Lock a file and write the command into it. Yield the holder if that is another process.

    Raises:
        StateUnreachable: the file cannot be written just now.
        StateError: the file cannot be written.
    """
    with on_disk(beside):
        beside.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(beside, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        with on_disk(beside):
            taken = _try_lock(handle)
        if not taken:
            holder = os.read(handle, 200).decode(errors="replace").strip() or "another process"
        else:
            holder = ""
            # On a full disk the lock holds all the same, without a name in it.
            with suppress(OSError):
                os.ftruncate(handle, 0)
                os.pwrite(handle, f"pid {os.getpid()} ({command})\n".encode(), 0)
        yield holder
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    """Try to take the lock; return whether it is held here now.

    A process that only asks for the holder has it for a moment, and is waited for.
    """
    for pause in (0.01, 0.02, 0.04, 0.08, 0.0):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(pause)
        else:
            return True
    return False


def count(connection: Connection, query: str, **values: object) -> int:
    """Return the single number of a query."""
    return int(connection.execute(text(query), values).scalar_one() or 0)
