"""Locks on the state that end with their connection: one for a run, one for the leader."""

from threading import Lock as Mutex

import psycopg

from sync.errors import StateError
from sync.state.postgres.connection import PROGRAM, Raw, StateServer, lives, read_number, read_text
from sync.state.postgres.errors import translate_errors

_SPACE = 0x1A5E_5713
"""The first half of our advisory lock keys: any number that no other program uses there."""

RUN, SERVICE = 1, 2
"""The second half: the thing that is locked."""

_THIS = (
    "locktype = 'advisory' AND classid = %s::int AND objid = %s::int AND objsubid = 2 AND granted"
)


class Lock:
    """One of the locks, on a connection of its own."""

    def __init__(self, connection: Raw, what: int) -> None:
        self._connection = connection
        self._key = (_SPACE, what)

    def take(self) -> bool:
        """Take it if it is free. Return whether it is held here now."""
        return (
            read_number(
                self._connection, "SELECT pg_try_advisory_lock(%s::int, %s::int)::int", *self._key
            )
            == 1
        )

    def held(self) -> bool:
        """Tell whether it is held here: false as well once the connection is cut."""
        try:
            return self.is_held_by(self.pid())
        except psycopg.Error:
            return False

    def pid(self) -> int:
        """Return the server process of this connection. Behind a pool it may have changed."""
        return read_number(self._connection, "SELECT pg_catalog.pg_backend_pid()")

    def is_held_by(self, pid: int) -> bool:
        """Tell whether this process of the server holds it."""
        query = f"SELECT count(*) FROM pg_catalog.pg_locks WHERE pid = %s AND {_THIS}"
        return read_number(self._connection, query, pid, *self._key) > 0

    def holder(self) -> str:
        """Return the name of the connection in this database that holds it; empty for none."""
        query = (
            "SELECT coalesce(nullif(a.application_name, ''), 'a connection without a name')"
            " FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)"
            f" WHERE a.datname = current_database() AND l.database = a.datid AND {_THIS}"
        )
        return read_text(self._connection, query, *self._key).removeprefix(f"{PROGRAM} ")

    def release(self) -> None:
        """Release it at once; the end of the connection would do so a moment later."""
        try:
            self._connection.execute(b"SELECT pg_advisory_unlock_all()")
        except psycopg.Error:
            return  # The lock ended with its connection.


class LeadingService:
    """A service that leads, or stands by until the one that leads is gone (see `ServiceLock`)."""

    def __init__(self, server: StateServer) -> None:
        self._server = server
        self._connection: Raw | None = None
        self._mutex = Mutex()

    def try_lead(self) -> bool:
        """Take the lead if nobody has it (see `ServiceLock`)."""
        with self._mutex, translate_errors(self._server.place):
            if self._connection is not None and self._lock(self._connection).held():
                return True
            if self._connection is None or not lives(self._connection):
                self._close()
                self._connection = self._server.connect("serve")
            return self._lock(self._connection).take()

    def leads(self) -> bool:
        """Tell whether it still leads (see `ServiceLock`)."""
        with self._mutex:
            return self._connection is not None and self._lock(self._connection).held()

    def leader(self) -> str:
        """Return who leads just now (see `ServiceLock`)."""
        try:
            with self._mutex, translate_errors(self._server.place):
                return self._lock(self._connection).holder() if self._connection is not None else ""
        except StateError:
            return ""

    def close(self) -> None:
        """Give up the lead, and close the connection."""
        with self._mutex:
            self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._lock(self._connection).release()
            self._connection.close()
            self._connection = None

    @staticmethod
    def _lock(connection: Raw) -> Lock:
        return Lock(connection, SERVICE)
