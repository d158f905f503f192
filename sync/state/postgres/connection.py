"""Connections to the PostgreSQL that holds the state, and what each of them is set to."""

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import RLock
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from sync.errors import StateError, StateUnreachable, UsageError
from sync.state.postgres.errors import translate_errors

Raw = psycopg.Connection[tuple[object, ...]]

PROGRAM = "inspera-sync"
MOST_NAME = 63
"""Bytes that PostgreSQL keeps of the name that a connection gives itself."""

_CLIENT: Mapping[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""Seconds, a number, and milliseconds: a lost server is noticed in about ten seconds. Options in
the
URL take precedence.
"""

_SESSION = {
    # The server notices in about ten seconds that this machine is gone, and frees its locks.
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10000",
    # What is committed survives a power cut: calls rely on it (rules 24).
    "synchronous_commit": "on",
    # A run may wait long for Inspera, but not for a lock.
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
    "statement_timeout": "0",
    "lock_timeout": "30s",
    # Memory for the scratch.
    "temp_buffers": "64MB",
    "work_mem": "64MB",
    "timezone": "UTC",
}
_SET = (
    "SELECT set_config(given.name, given.value, false)"
    " FROM unnest(%s::text[], %s::text[]) AS given(name, value)"
    " JOIN pg_catalog.pg_settings known ON lower(known.name) = given.name"
)
"""It sets only the options that this version of the server knows."""


@dataclass(frozen=True, slots=True)
class StateServer:
    """The address of a state, and how to log in. `password` is called for each connection."""

    url: str
    password: Callable[[], str] = field(repr=False)

    @property
    def place(self) -> str:
        """Return how people name it: without user and options."""
        parts = urlsplit(self.url)
        return f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @contextmanager
    def connected(self, purpose: str) -> Iterator[Raw]:
        """Open a connection in autocommit mode; its name tells administrators what it is for.

        Raises:
            StateUnreachable: the server is missing or full, or the password can't be read.
            StateError: it refuses the login, or a proxy does not keep what belongs to a connection.
        """
        connection = self.connect(purpose)
        try:
            yield connection
        finally:
            connection.close()

    def connect(self, purpose: str) -> Raw:
        """Open such a connection, which the caller closes."""
        connection = self._connect(purpose)
        try:
            with translate_errors(self.place):
                if _pid(connection) != connection.info.backend_pid:  # A proxy is between the two.
                    with self._connect(purpose) as other:
                        refuse_pooler(connection, other, self.place)
                connection.execute(_SET, [list(_SESSION), list(_SESSION.values())])
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect(self, purpose: str) -> Raw:
        try:
            password = self.password()
        # It was there when the configuration was read, and may be rewritten at this moment.
        except UsageError as error:
            raise StateUnreachable(str(error)) from None
        with translate_errors(self.place, password):
            given = conninfo_to_dict(self.url)
            options: dict[str, Any] = {
                name: value for name, value in _CLIENT.items() if name not in given
            }
            options |= {"application_name": process_name(purpose), "client_encoding": "UTF8"}
            return psycopg.connect(self.url, autocommit=True, password=password or None, **options)


class ConnectionQuestions:
    """A shared connection for short queries from any thread, made anew once it is cut."""

    def __init__(self, server: StateServer) -> None:
        self._server = server
        self._connection: Raw | None = None
        self._mutex = RLock()

    @contextmanager
    def asked(self) -> Iterator[Raw]:
        """Lend the connection to this thread alone.

        Raises:
            StateError: as in `StateServer.connected`, or the query can't be answered.
        """
        with self._mutex, translate_errors(self._server.place):
            if self._connection is None or not lives(self._connection):
                self.close()
                self._connection = self._server.connect("look")
            yield self._connection

    def close(self) -> None:
        """Close the connection, if there is one."""
        with self._mutex:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def lives(connection: Raw) -> bool:
    """Tell whether the server still answers on this connection."""
    try:
        connection.execute(b"SELECT 1")
    except psycopg.Error:
        return False
    return True


def process_name(purpose: str) -> str:
    """Return how this process is named on the server, such as `inspera-sync apply pid 12 on host`."""
    name = f"{PROGRAM} {purpose} pid {os.getpid()} on {socket.gethostname()}"
    return name.encode("ascii", "replace")[:MOST_NAME].decode()


def refuse_pooler(one: Raw, other: Raw, place: str) -> None:
    """Make sure that each connection has a server process of its own, for locks and the scratch.

    Raises:
        StateError: two connections share one, or one changes it between transactions.
    """
    mine = _pid(one)
    with other.transaction():
        shared = _pid(other) == mine
        if shared or _pid(one) != mine:
            raise StateError(
                f"{place}: a pooler in transaction mode stands before the state (PgBouncer or the "
                "like), which does not"
                " keep locks and temporary tables; name the server itself in 'state', or a pool "
                "with pool_mode=session"
            )


def _pid(connection: Raw) -> int:
    return int(read_number(connection, "SELECT pg_catalog.pg_backend_pid()"))


def read_number(connection: Raw, query: str, *values: object) -> int:
    """Return the single number of a query; 0 for no row."""
    found = connection.execute(query.encode(), values).fetchone()
    return int(str(found[0] or 0)) if found else 0


def read_text(connection: Raw, query: str, *values: object) -> str:
    """Return the single text of a query; empty for no row."""
    found = connection.execute(query.encode(), values).fetchone()
    return str(found[0] or "") if found else ""
