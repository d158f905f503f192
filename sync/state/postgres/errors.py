"""Errors of the PostgreSQL server that holds the state, each with what to do about it.

The server's own words are repeated only where they can hold no row: about connecting, rights and
the like.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from sync.errors import StateError
from sync.state.trouble import Trouble

MOST_CHARACTERS = 300
"""The most characters of the server's words that are shown."""


class PostgresTrouble(Enum):
    """The errors of a PostgreSQL server, by what a person can do."""

    _value_: Trouble

    REACH = Trouble(
        "can't be reached", "check host, port and options in 'state', and that the server is up"
    )
    BUSY = Trouble("is too busy", "run it again later, and see who is connected")
    LOCKED = Trouble(
        "is locked: another program holds it",
        "see who is connected (pg_stat_activity), and end it",
        held=True,
    )
    CONNECTIONS = Trouble(
        "takes no more connections",
        "see who is connected (pg_stat_activity), or raise max_connections or the user's limit",
    )
    FULL = Trouble("has no room: the disk is full", "free some space on the server's disk")
    MEMORY = Trouble("has no memory left", "see the server's own log, and who is connected")
    DISK = Trouble("can't use its disk", "see the server's own log, and its disk", details=False)
    LOGIN = Trouble(
        "refuses the login",
        "check the user in 'state' and 'state_password', and that the server lets this user in "
        "from here",
        passes=False,
        details=False,
    )
    MISSING = Trouble(
        "has no such database", "have it made, or correct its name in 'state'", passes=False
    )
    TRUST = Trouble(
        "can't be trusted",
        "check sslmode and sslrootcert in 'state', and the server's certificate",
        passes=False,
    )
    OPTION = Trouble("can't be asked like this", "correct the options in 'state'", passes=False)
    DENIED = Trouble(
        "lets this user not do what is needed",
        "grant it: to write, its own schema; to read only,"
        " SELECT on the tables and TEMPORARY on the database",
        passes=False,
    )
    STANDBY = Trouble("only reads", "name the primary server in 'state'")
    SCHEMA = Trouble(
        "has other tables than are needed",
        "see whether somebody changed them, or put back a copy",
        passes=False,
    )
    OTHER = Trouble(
        "could not carry out a statement", "see the server's own log", passes=False, details=False
    )


_SQLSTATES: Mapping[str, PostgresTrouble] = {
    "08": PostgresTrouble.REACH,
    "25006": PostgresTrouble.STANDBY,
    "28": PostgresTrouble.LOGIN,
    "3D": PostgresTrouble.MISSING,
    "3F": PostgresTrouble.DENIED,
    "40": PostgresTrouble.BUSY,
    "42": PostgresTrouble.SCHEMA,
    "42501": PostgresTrouble.DENIED,
    "53": PostgresTrouble.BUSY,
    "53100": PostgresTrouble.FULL,
    "53200": PostgresTrouble.MEMORY,
    "53300": PostgresTrouble.CONNECTIONS,
    "55": PostgresTrouble.BUSY,
    "55P03": PostgresTrouble.LOCKED,
    "57": PostgresTrouble.REACH,
    "58": PostgresTrouble.DISK,
}
"""By SQLSTATE (five characters) or its class (two)."""

_TEXTS: Mapping[str, PostgresTrouble] = {
    "password authentication failed|no password supplied|no pg_hba.conf entry"
    "|role .* (does not exist|is not permitted)": PostgresTrouble.LOGIN,
    'database "[^"]*" does not exist': PostgresTrouble.MISSING,
    "permission denied for database": PostgresTrouble.DENIED,
    "certificate|does not support SSL|SSL error": PostgresTrouble.TRUST,
    "too many (clients|connections)|remaining connection slots": PostgresTrouble.CONNECTIONS,
}
"""Texts for errors before a connection exists, which have no SQLSTATE yet."""


@contextmanager
def translate_errors(place: str, secret: str = "") -> Iterator[None]:
    """Turn what psycopg and SQLAlchemy raise into a `StateError` without passwords and names.

    Raises:
        StateUnreachable: it may pass by itself.
        StateError: a person has to fix it.
    """
    try:
        yield
    except (psycopg.Error, SQLAlchemyError) as error:
        raise make_error(place, error, secret) from None


def make_error(place: str, error: BaseException, secret: str = "") -> StateError:
    """Return the error in words."""
    cause = getattr(error, "orig", None) or error
    state = getattr(cause, "sqlstate", None) or ""
    trouble = _trouble_of(cause, state).value
    words = _text_of(cause) if trouble.details else state
    return trouble.error(place, words.replace(secret, "****") if secret else words)


def _trouble_of(cause: BaseException, state: str) -> PostgresTrouble:
    for end in (5, 2):
        if state and state[:end] in _SQLSTATES:
            return _SQLSTATES[state[:end]]
    if state:
        return PostgresTrouble.OTHER
    if isinstance(cause, psycopg.OperationalError):
        words = _text_of(cause)
        return next(
            (one for regex, one in _TEXTS.items() if re.search(regex, words)), PostgresTrouble.REACH
        )
    return (
        PostgresTrouble.OPTION
        if isinstance(cause, psycopg.ProgrammingError)
        else PostgresTrouble.OTHER
    )


def _text_of(cause: BaseException) -> str:
    diagnosis = getattr(cause, "diag", None)
    message = (diagnosis and diagnosis.message_primary) or str(cause)
    return re.sub(r"\s+", " ", message).strip()[:MOST_CHARACTERS]
