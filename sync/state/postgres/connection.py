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
"""Seconds, a number, and milliseconds: a server that has gone is noticed in about ten seconds. The URL goes first."""

_SESSION = {
    # the server notices in about ten seconds that this machine has gone, and lets its locks go
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10000",
    # what is committed survives a power cut: calls are made on the strength of it
    "synchronous_commit": "on",
    # a run may wait long for Inspera, but not for somebody's lock
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
    "statement_timeout": "0",
    "lock_timeout": "30s",
    # room for the scratch
    "temp_buffers": "64MB",
    "work_mem": "64MB",
    "timezone": "UTC",
}
_SET = (
    "SELECT set_config(given.name, given.value, false) FROM unnest(%s::text[], %s::text[]) AS given(name, value)"
    " JOIN pg_catalog.pg_settings known ON lower(known.name) = given.name"
)
"""Sets those that this version of the server knows."""


@dataclass(frozen=True, slots=True)
class StateServer:
    """Where the state is, and what is needed to be let in. `password` is called for each connection."""

    url: str
    password: Callable[[], str] = field(repr=False)

    @property
    def place(self) -> str:
        """How people name it: without user and options."""
        parts = urlsplit(self.url)
        return f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @contextmanager
    def connected(self, purpose: str) -> Iterator[Raw]:
        """A connection, each statement a transaction of its own, which says what it is for to who looks at the server.

        Raises:
            StateUnreachable: there is no server, or it has no room just now, or the password can't be read.
            StateError: it does not let us in, or something in between does not keep what belongs to a connection.
        """
        connection = self.connect(purpose)
        try:
            yield connection
        finally:
            connection.close()

    def connect(self, purpose: str) -> Raw:
        """The same, to be closed by the caller."""
        connection = self._connect(purpose)
        try:
            with translate_errors(self.place):
                if _pid(connection) != connection.info.backend_pid:  # something stands in between
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
        except (
            UsageError
        ) as error:  # it was there when the configuration was read, and may just be written anew
            raise StateUnreachable(str(error)) from None
        with translate_errors(self.place, password):
            given = conninfo_to_dict(self.url)
            ours: dict[str, Any] = {
                name: value for name, value in _CLIENT.items() if name not in given
            }
            ours |= {"application_name": process_name(purpose), "client_encoding": "UTF8"}
            return psycopg.connect(self.url, autocommit=True, password=password or None, **ours)


class ConnectionQuestions:
    """A connection for short questions, from whichever thread: made for the first one, and again once it is cut."""

    def __init__(self, server: StateServer) -> None:
        self._server = server
        self._connection: Raw | None = None
        self._mutex = RLock()

    @contextmanager
    def asked(self) -> Iterator[Raw]:
        """The connection, for this thread alone.

        Raises:
            StateError: as `Server.connected` has it, or what is asked can't be answered.
        """
        with self._mutex, translate_errors(self._server.place):
            if self._connection is None or not lives(self._connection):
                self.close()
                self._connection = self._server.connect("look")
            yield self._connection

    def close(self) -> None:
        """Ends the connection, if there is one."""
        with self._mutex:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def lives(connection: Raw) -> bool:
    """Whether the server still answers on this connection."""
    try:
        connection.execute(b"SELECT 1")
    except psycopg.Error:
        return False
    return True


def process_name(purpose: str) -> str:
    """How this process is named on the server, such as `inspera-sync apply pid 12 on host`."""
    name = f"{PROGRAM} {purpose} pid {os.getpid()} on {socket.gethostname()}"
    return name.encode("ascii", "replace")[:MOST_NAME].decode()


def refuse_pooler(one: Raw, other: Raw, place: str) -> None:
    """Makes sure that each connection keeps a server process to itself: locks and the scratch live there.

    Raises:
        StateError: two share one, or one changes it from transaction to transaction.
    """
    mine = _pid(one)
    with other.transaction():
        shared = _pid(other) == mine
        if shared or _pid(one) != mine:
            raise StateError(
                f"{place}: a pooler in transaction mode stands before the state (PgBouncer or the like), which does not"
                " keep locks and temporary tables; name the server itself in 'state', or a pool with pool_mode=session"
            )


def _pid(connection: Raw) -> int:
    return int(read_number(connection, "SELECT pg_catalog.pg_backend_pid()"))


def read_number(connection: Raw, query: str, *values: object) -> int:
    """The single number that `query` gives; 0 for none."""
    found = connection.execute(query.encode(), values).fetchone()
    return int(str(found[0] or 0)) if found else 0


def read_text(connection: Raw, query: str, *values: object) -> str:
    """The single text that `query` gives; empty for none."""
    found = connection.execute(query.encode(), values).fetchone()
    return str(found[0] or "") if found else ""
