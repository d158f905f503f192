"""What went wrong with the PostgreSQL that holds the state, told by what to do about it.

The server's own words are repeated only where they can hold no row: about connecting, rights and
the like.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from sync.errors import StateBusy, StateError, StateUnreachable

MOST_CHARACTERS = 300
"""What is repeated at most of the server's words."""


class PostgresTrouble(Enum):
    """A kind of error: its text, what to do, whether it may pass, whether details may be shown."""

    REACH = (
        "can't be reached",
        "check host, port and options in 'state', and that the server is up",
        True,
        True,
    )
    BUSY = ("is too busy", "run it again later, and see who is connected", True, True)
    LOCKED = (
        "is locked: another program holds it",
        "see who is connected (pg_stat_activity), and end it",
        True,
        True,
    )
    CONNECTIONS = (
        "takes no more connections",
        "see who is connected (pg_stat_activity), or raise max_connections or the user's limit",
        True,
        True,
    )
    FULL = ("has no room: the disk is full", "free some space on the server's disk", True, True)
    MEMORY = ("has no memory left", "see the server's own log, and who is connected", True, True)
    DISK = ("can't use its disk", "see the server's own log, and its disk", True, False)
    LOGIN = (
        "refuses the login",
        "check the user in 'state' and 'state_password', and that the server lets this user in "
        "from here",
        False,
        False,
    )
    MISSING = ("has no such database", "have it made, or correct its name in 'state'", False, True)
    TRUST = (
        "can't be trusted",
        "check sslmode and sslrootcert in 'state', and the server's certificate",
        False,
        True,
    )
    OPTION = ("can't be asked like this", "correct the options in 'state'", False, True)
    DENIED = (
        "lets this user not do what is needed",
        "grant it: to write, its own schema; to read only,"
        " SELECT on the tables and TEMPORARY on the database",
        False,
        True,
    )
    STANDBY = ("only reads", "name the primary server in 'state'", True, True)
    SCHEMA = (
        "has other tables than are needed",
        "see whether somebody changed them, or put back a copy",
        False,
        True,
    )
    OTHER = ("could not carry out a statement", "see the server's own log", False, False)


_STATES: Mapping[str, PostgresTrouble] = {
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
"""PostgreSQL's states and classes of states."""

_WORDS: Mapping[str, PostgresTrouble] = {
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
    trouble = _trouble(cause, state)
    reason, remedy, passes, repeated = trouble.value
    words = _words(cause) if repeated else state
    words = words.replace(secret, "****") if secret else words
    kind = (
        StateBusy
        if trouble is PostgresTrouble.LOCKED
        else StateUnreachable
        if passes
        else StateError
    )
    return kind(f"{place}: the state {reason}{f' ({words})' if words else ''}; {remedy}")


def _trouble(cause: BaseException, state: str) -> PostgresTrouble:
    for end in (5, 2):
        if state and state[:end] in _STATES:
            return _STATES[state[:end]]
    if state:
        return PostgresTrouble.OTHER
    if isinstance(cause, psycopg.OperationalError):
        words = _words(cause)
        return next(
            (one for regex, one in _WORDS.items() if re.search(regex, words)), PostgresTrouble.REACH
        )
    return (
        PostgresTrouble.OPTION
        if isinstance(cause, psycopg.ProgrammingError)
        else PostgresTrouble.OTHER
    )


def _words(cause: BaseException) -> str:
    diagnosis = getattr(cause, "diag", None)
    said = (diagnosis and diagnosis.message_primary) or str(cause)
    return re.sub(r"\s+", " ", said).strip()[:MOST_CHARACTERS]
