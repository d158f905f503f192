"""A state in a PostgreSQL database: locked through the server, written under a run's epoch."""

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial

import psycopg
from psycopg import IsolationLevel
from sqlalchemy import Connection, Engine, ExceptionContext, StaticPool, create_engine, event

from sync.errors import Deposed, Locked, StateError
from sync.planning.decided import DecidedChange
from sync.records.base import utc_text
from sync.state import decisions
from sync.state.audit import notes
from sync.state.audit.notes import Note
from sync.state.backend import OpenState, Pause, Replacement, Wait
from sync.state.high_water import HighWaterMark, MarkReader, read_table, write_table
from sync.state.migrations import head, migrate
from sync.state.notified import Notified
from sync.state.postgres.connection import (
    ConnectionQuestions,
    Raw,
    StateServer,
    process_name,
    read_number,
    refuse_pooler,
)
from sync.state.postgres.copy import copy_into_temporary, read_version, refuse_writing
from sync.state.postgres.errors import make_error, translate_errors
from sync.state.postgres.lock import RUN, LeadingService, Lock
from sync.state.postgres.replace import replace_tables
from sync.state.secret_digest import KEY_BYTES, new_key
from sync.state.sqlite.open import refuse_newer

_RAISE_EPOCH = (
    "INSERT INTO leader AS l (id, epoch, holder, since) VALUES (1, 1, %s,"
    """ to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))"""
    " ON CONFLICT (id) DO UPDATE SET epoch = l.epoch + 1, holder = excluded.holder, since = "
    "excluded.since RETURNING epoch"
)
_EPOCH = "SELECT epoch FROM leader WHERE id = 1 FOR SHARE"
"""It locks the row, so that nobody can raise the epoch between this query and the commit."""

_PAUSE = (
    "INSERT INTO pause (id, since, reason) VALUES (1, %s, %s)"
    " ON CONFLICT (id) DO UPDATE SET since = excluded.since, reason = excluded.reason"
)
_NOTIFIED = (
    "INSERT INTO notified (target, at, concerns) VALUES (%s, %s, %s)"
    " ON CONFLICT (target) DO UPDATE SET at = excluded.at, concerns = excluded.concerns"
)
_DECIDE = decisions.store_sql("%({})s")
_UNTRIED = (
    "SELECT 1 FROM decision WHERE verdict = 'approved' AND run_id IS NULL AND expires > %s LIMIT 1"
)
_REQUEST = b"INSERT INTO requested_run (job, at) VALUES (%s, %s) ON CONFLICT (job) DO NOTHING"
_TAKE_REQUESTED = b"DELETE FROM requested_run RETURNING job, at"
_KEEP_KEY = b"INSERT INTO digest_key (id, key) VALUES (1, %s) ON CONFLICT (id) DO NOTHING"

_REPLACE_KEY = (
    "INSERT INTO digest_key (id, key) VALUES (1, %s) ON CONFLICT (id) DO UPDATE SET key ="
    " excluded.key"
)


class PostgresDatabase:
    """A PostgreSQL database with one state (see `Backend`)."""

    def __init__(self, url: str, password: Callable[[], str]) -> None:
        self._server = StateServer(url, password)
        self._place = self._server.place
        self._questions = ConnectionQuestions(self._server)
        weakref.finalize(self, self._questions.close)

    def __str__(self) -> str:
        return self._place

    @contextmanager
    def open_to_write(self, command: str, wait: Wait | None = None) -> Iterator[OpenState]:
        """Open the state, locked for this run (see `Backend`).

        The lock ends with the process or with its connection. What the connection commits is
        committed under this run's epoch, or not at all (rules 25).
        """
        with (
            translate_errors(self._place),
            self._locked(command, wait) as (lock, locking),
            self._server.connected(command) as raw,
        ):
            refuse_pooler(locking, raw, self._place)
            with _engine(raw, self._place) as engine, engine.connect() as connection:
                self._migrate(connection)
                epoch = read_number(locking, _RAISE_EPOCH, process_name(command))
                fence = _Fence(self._place, lock, epoch)
                event.listen(engine, "commit", fence.check)
                lost = partial(self._is_lost, epoch, lock.pid())
                yield OpenState(connection, lambda: fence.confirm(connection), lost)

    @contextmanager
    def replace(self, command: str, stamp: str) -> Iterator[Replacement]:
        """Open an empty state that replaces this one (see `Backend`), in one transaction."""
        with (
            translate_errors(self._place),
            self._locked(command, None) as (lock, locking),
            self._server.connected(command) as raw,
        ):
            refuse_pooler(locking, raw, self._place)
            with _engine(raw, self._place) as engine, engine.connect() as connection:
                there = read_version(connection, self._place) is not None
                aside = f"replaced_{stamp}" if there else None
                replace_tables(connection, aside)
                epoch = read_number(raw, _RAISE_EPOCH, process_name(command))
                yield Replacement(connection, aside and f"schema {aside} of {self}")
                _Fence(self._place, lock, epoch).confirm(connection)
                connection.commit()

    @contextmanager
    def open_to_read(self) -> Iterator[Connection]:
        """Open the state as it is at one moment (see `Backend`).

        The role needs no more than to read it and to create temporary tables (rules 26).
        """
        with self._opened_to_read() as connection:
            version = read_version(connection, self._place)
            refuse_newer(self, version)
            if version == head():
                refuse_writing(connection.engine, self._place)
            else:
                copy_into_temporary(connection, version)
            yield connection

    @contextmanager
    def open_copy(self) -> Iterator[Connection]:
        """Open a private copy of the state (see `Backend`), in temporary tables."""
        with self._opened_to_read() as connection:
            version = read_version(connection, self._place)
            refuse_newer(self, version)
            copy_into_temporary(connection, version)
            connection.commit()
            yield connection

    def version(self) -> str | None:
        """Return the version of its schema (see `Backend`)."""
        with self._opened_to_read() as connection:
            return read_version(connection, self._place)

    def holder(self) -> str:
        """Return the name of the run that holds the state (see `Backend`)."""
        with self._questions.asked() as connection:
            return Lock(connection, RUN).holder()

    def check_usable(self) -> None:
        """Do nothing: a service queries the server each time that it checks whether it leads."""

    def load_digest_key(self, *, write: bool) -> bytes:
        """Return the key of the secret digests (see `Backend`), from a table of the state."""
        key = self._read_key(new_key() if write else None)
        if len(key) != KEY_BYTES:
            remedy = (
                "put back a copy of the table 'digest_key', or empty it: then each pin and "
                "quit code is sent once more"
            )
            raise StateError(
                f"{self._place}: it holds no key of the secret digests, which has {KEY_BYTES} "
                f"bytes; {remedy}"
            )
        return key

    def store_digest_key(self, connection: Connection, key: bytes) -> None:
        """Store the key of the secret digests (see `Backend`) in its table; the caller commits."""
        connection.exec_driver_sql(_REPLACE_KEY, (key,))

    def _read_key(self, fresh: bytes | None) -> bytes:
        with self._questions.asked() as connection:
            if fresh is not None:
                connection.execute(_KEEP_KEY, [fresh])
            try:
                found = connection.execute(b"SELECT key FROM digest_key WHERE id = 1").fetchone()
            except psycopg.errors.UndefinedTable:
                found = None
        return bytes(found[0]) if found and isinstance(found[0], bytes) else new_key()

    def mark_reader(self) -> MarkReader:
        """Return the function that reads the high-water mark from its table (see `Backend`)."""
        return read_table

    def write_mark(self, connection: Connection, mark: HighWaterMark) -> None:
        """Store the newest run in a table of its own (see `Backend`)."""
        write_table(connection, mark)
        connection.commit()

    def leave_note(self, note: Note) -> None:
        """Leave a line for the audit log in its table (see `Backend`)."""
        with self._questions.asked() as connection:
            connection.execute(notes.LEAVE.encode(), notes.to_row(note))

    def take_notes(self, connection: Connection) -> None:
        """Append the lines of their table (see `Backend`)."""
        notes.take_rows(connection)

    def pause(self, reason: str, now: datetime) -> None:
        """Stop all sending (see `Backend`) by a row."""
        with self._questions.asked() as connection:
            try:
                connection.execute(_PAUSE.encode(), [utc_text(now), reason])
            except psycopg.errors.UndefinedTable:
                with self.open_to_write("pause"):  # This creates the tables.
                    connection.execute(_PAUSE.encode(), [utc_text(now), reason])

    def resume(self) -> bool:
        """Allow sending again (see `Backend`)."""
        with self._questions.asked() as connection:
            try:
                return connection.execute(b"DELETE FROM pause").rowcount > 0
            except psycopg.errors.UndefinedTable:
                return False

    def paused(self) -> Pause | None:
        """Return since when and why all sending is stopped (see `Backend`)."""
        with self._questions.asked() as connection:
            try:
                found = connection.execute(b"SELECT since, reason FROM pause").fetchone()
            except psycopg.errors.UndefinedTable:
                return None
        return Pause(str(found[0]), str(found[1])) if found else None

    def notified(self) -> Mapping[str, Notified]:
        """Return what each target was notified of, from its table (see `Backend`)."""
        with self._questions.asked() as connection:
            try:
                rows = connection.execute(b"SELECT target, at, concerns FROM notified").fetchall()
            except psycopg.errors.UndefinedTable:
                return {}
        return {str(row[0]): Notified.from_json(str(row[1]), str(row[2])) for row in rows}

    def keep_notified(self, target: str, notified: Notified) -> None:
        """Store what a target was notified of (see `Backend`)."""
        with self._questions.asked() as connection:
            values = [target, notified.at, notified.to_json()]
            connection.execute(_NOTIFIED.encode(), values)

    def queue(self, decided: Sequence[DecidedChange]) -> None:
        """Store decisions in their table (see `Backend`): another connection holds the lock."""
        left = [notes.to_row(note) for note in notes.notes_of(decided)]
        with (
            self._questions.asked() as connection,
            connection.transaction(),
            connection.cursor() as cursor,
        ):
            cursor.executemany(_DECIDE.encode(), [decisions.to_row(one) for one in decided])
            cursor.executemany(notes.LEAVE.encode(), left)

    def queued(self) -> list[DecidedChange]:
        """Return nothing: all decisions are in their table (see `Backend`)."""
        return []

    def take_queued(self, connection: Connection) -> None:
        """Do nothing: all decisions are in their table (see `Backend`)."""

    def request_run(self, job: str, now: datetime) -> None:
        """Store it in its table (see `Backend`): another connection holds the lock."""
        with self._questions.asked() as connection:
            try:
                connection.execute(_REQUEST, [job, utc_text(now)])
            except psycopg.errors.UndefinedTable:
                with self.open_to_write("run-now"):  # This creates the tables.
                    connection.execute(_REQUEST, [job, utc_text(now)])

    def take_requested(self) -> list[str]:
        """Return the jobs in the table, and delete them (see `Backend`)."""
        with self._questions.asked() as connection:
            try:
                found = connection.execute(_TAKE_REQUESTED).fetchall()
            except psycopg.errors.UndefinedTable:
                return []
        return [str(job) for job, _ in sorted(found, key=lambda one: str(one[1]))]

    def approvals_wait(self, now: datetime) -> bool:
        """Tell whether there are approvals with which no run has begun (see `Backend`)."""
        with self._questions.asked() as connection:
            try:
                found = connection.execute(_UNTRIED.encode(), [utc_text(now)]).fetchone()
            except psycopg.errors.UndefinedTable:
                return False
        return found is not None

    @contextmanager
    def service(self) -> Iterator[LeadingService]:
        """Register a service on this state (see `Backend`). Any number may stand by."""
        service = LeadingService(self._server)
        try:
            yield service
        finally:
            service.close()

    @contextmanager
    def _locked(self, command: str, wait: Wait | None) -> Iterator[tuple[Lock, Raw]]:
        with self._server.connected(command) as connection:
            lock = Lock(connection, RUN)
            while not lock.take():
                holder = lock.holder() or "another process"
                if wait is None or not wait(holder):
                    raise Locked(
                        f"{self}: the state is in use by {holder}; wait until it is done, or use "
                        "--wait"
                    )
            try:
                yield lock, connection
            finally:
                lock.release()

    def _is_lost(self, epoch: int, pid: int) -> bool:
        """Return whether a run may no longer write, by its epoch and its lock's server process."""
        with self._questions.asked() as connection:
            held = read_number(connection, "SELECT epoch FROM leader WHERE id = 1") == epoch
            return not (held and Lock(connection, RUN).is_held_by(pid))

    @contextmanager
    def _opened_to_read(self) -> Iterator[Connection]:
        with translate_errors(self._place), self._server.connected("read") as raw:
            raw.isolation_level = IsolationLevel.REPEATABLE_READ
            with _engine(raw, self._place) as engine, engine.connect() as connection:
                yield connection

    def _migrate(self, connection: Connection) -> None:
        version = read_version(connection, self._place)
        refuse_newer(self, version)
        if version != head():
            migrate(connection)
        connection.commit()


class _Fence:
    """A check that stops a run from committing once another run has taken over."""

    def __init__(self, place: str, lock: Lock, epoch: int) -> None:
        self._place = place
        self._lock = lock
        self._epoch = epoch

    def check(self, connection: Connection) -> None:
        """Check the epoch within the transaction, before its commit.

        Raises:
            Deposed: another run has raised the epoch.
        """
        if connection.exec_driver_sql(_EPOCH).scalar() != self._epoch:
            raise Deposed(
                f"{self._place}: another process has taken over this state; this run stops"
            )

    def confirm(self, connection: Connection) -> None:
        """Check the epoch and the lock, before something is sent.

        Raises:
            Deposed: another run has raised the epoch, or the lock's connection is cut, so that
                another run may take over at any moment.
        """
        self.check(connection)
        if not self._lock.held():
            raise Deposed(
                f"{self._place}: the lock on this state is lost, as its connection was cut; this "
                "run stops"
            )


@contextmanager
def _engine(raw: Raw, place: str) -> Iterator[Engine]:
    """Make a SQLAlchemy engine over this one connection."""
    raw.autocommit = False
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: raw, poolclass=StaticPool, hide_parameters=True
    )

    @event.listens_for(engine, "handle_error")
    def _say(context: ExceptionContext) -> None:
        # Here too, and not only where the state was opened: a run reports errors itself.
        if isinstance(context.original_exception, psycopg.Error):
            raise make_error(place, context.original_exception)

    try:
        yield engine
    finally:
        engine.dispose()
