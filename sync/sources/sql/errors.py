"""The errors of databases, sorted by what to do about them, without logins and personal data.

The message of a driver is repeated only where it can't contain a row: on connecting, and for the
statement.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import Enum

from sync.config_base.durations import rounded_duration
from sync.errors import SourceError

MAX_MESSAGE = 300
"""How many characters of a driver's message are repeated."""


class DatabaseTrouble(Enum):
    """What can go wrong: the reason, the remedy, and whether the driver's message may be added."""

    REACH = (
        "can't be reached",
        "check host, port and options in 'url', and that the database is up",
        True,
    )
    LOGIN = (
        "refuses the login",
        "check 'user' and 'password', and that this user may log in from here",
        False,
    )
    MISSING = ("has no such database", "check the database's name in 'url'", True)
    STATEMENT = ("can't run the query", "correct the query", True)
    DENIED = (
        "does not give this user the right to read what the query needs",
        "ask the database's administrators for the right to read it",
        True,
    )
    WRITES = (
        "refuses the query, because it would write",
        "use a SELECT: inspera-sync never changes the database",
        True,
    )
    TIMEOUT = (
        "took longer than timeout ({timeout})",
        "make the query faster, or raise 'timeout'",
        False,
    )
    LOST = (
        "the connection was lost before the last row",
        "run it again, and check the database's own log",
        False,
    )
    BUSY = ("is too busy, or locked", "run it again later", True)
    CORRUPT = (
        "can't be opened, or is damaged",
        "check 'url', the file's rights, and the file",
        True,
    )
    DATA = (
        "failed on a row of the query",
        "run the query by hand, and correct it or the data",
        False,
    )
    OTHER = (
        "failed during the read",
        "run the query by hand, and check the database's own log",
        False,
    )


_STATES: Mapping[str, DatabaseTrouble] = {
    "08": DatabaseTrouble.LOST,
    "22": DatabaseTrouble.DATA,
    "25006": DatabaseTrouble.WRITES,
    "25P03": DatabaseTrouble.LOST,
    "28": DatabaseTrouble.LOGIN,
    "3D": DatabaseTrouble.MISSING,
    "40": DatabaseTrouble.BUSY,
    "42": DatabaseTrouble.STATEMENT,
    "42501": DatabaseTrouble.DENIED,
    "53": DatabaseTrouble.BUSY,
    "55": DatabaseTrouble.BUSY,
    "57": DatabaseTrouble.LOST,
    "57014": DatabaseTrouble.TIMEOUT,
}
"""SQL states of PostgreSQL, and classes of them."""

_NUMBERS: Mapping[DatabaseTrouble, frozenset[int]] = {
    DatabaseTrouble.REACH: frozenset({2002, 2003, 2005, 20002, 20009}),
    DatabaseTrouble.LOGIN: frozenset({1045, 1698, 18452, 18456}),
    DatabaseTrouble.MISSING: frozenset({1049, 4060}),
    DatabaseTrouble.STATEMENT: frozenset(
        {102, 156, 207, 208, 1033, 1052, 1054, 1060, 1064, 1146, 1305, 3952}
    ),
    DatabaseTrouble.DENIED: frozenset({229, 230, 1044, 1142, 1143, 1370}),
    DatabaseTrouble.WRITES: frozenset({1290, 1792}),
    DatabaseTrouble.TIMEOUT: frozenset({1969, 3024, 20003}),
    DatabaseTrouble.LOST: frozenset({1053, 1317, 1927, 2006, 2013, 20006, 20017, 20047}),
    DatabaseTrouble.BUSY: frozenset({1040, 1203, 1205, 1213, 1222}),
}
"""Error numbers of MySQL, MariaDB and SQL Server; they have none with two meanings."""

_ORACLE: Mapping[str, DatabaseTrouble] = {
    "ORA-009": DatabaseTrouble.STATEMENT,
    "ORA-01017": DatabaseTrouble.LOGIN,
    "ORA-01031": DatabaseTrouble.DENIED,
    "ORA-01456": DatabaseTrouble.WRITES,
    "ORA-01555": DatabaseTrouble.BUSY,
    "ORA-03": DatabaseTrouble.LOST,
    "ORA-12": DatabaseTrouble.REACH,
    "ORA-28": DatabaseTrouble.LOGIN,
    "DPY-1001": DatabaseTrouble.LOST,
    "DPY-4011": DatabaseTrouble.LOST,
    "DPY-4024": DatabaseTrouble.TIMEOUT,
    "DPY-6": DatabaseTrouble.REACH,
}
"""Error codes of Oracle and of its driver."""

_WORDS: Mapping[str, DatabaseTrouble] = {
    "password authentication failed|no password supplied|no pg_hba.conf entry|login failed"
    "|role .* (does not exist|is not permitted)": DatabaseTrouble.LOGIN,
    'database "[^"]*" does not exist': DatabaseTrouble.MISSING,
    "no such (table|column|function)|syntax error|incomplete input"
    "|ambiguous column": DatabaseTrouble.STATEMENT,
    "readonly database": DatabaseTrouble.WRITES,
    "^interrupted$": DatabaseTrouble.TIMEOUT,
    "database is locked|too many (clients|connections)|starting up"
    "|shutting down": DatabaseTrouble.BUSY,
    "not a database|malformed|disk i/o error|unable to open database": DatabaseTrouble.CORRUPT,
    "lost connection|server closed|connection (was|is|has been) (closed|lost|killed)"
    "|broken pipe|reset by peer|gone away|terminating connection": DatabaseTrouble.LOST,
}
_ORACLE_CODE = re.compile(r"\b(?:ORA|DPY)-[0-9]{4,5}")


def failure(
    error: Exception, where: str, timeout: timedelta, *, secret: str = "", connecting: bool = False
) -> SourceError:
    """Return the error for an exception of SQLAlchemy or of a driver.

    Args:
        error: what was raised.
        where: the database's place, perhaps with a row.
        timeout: the limit of the query.
        secret: the password, which is masked in the driver's message.
        connecting: whether the error occurred before there was a connection.
    """
    cause = getattr(error, "orig", None) or error
    code, message = _code(cause), _first_line(cause)
    trouble = _trouble(cause, code, message)
    if connecting and trouble in (
        DatabaseTrouble.LOST,
        DatabaseTrouble.TIMEOUT,
        DatabaseTrouble.DATA,
        DatabaseTrouble.OTHER,
    ):
        trouble = DatabaseTrouble.REACH
    reason, remedy, repeat = trouble.value
    detail = (message.replace(secret, "****") if secret else message) if repeat else code
    text = reason.format(timeout=rounded_duration(timeout))
    return SourceError(
        where,
        f"{text} ({detail})" if detail and trouble is not DatabaseTrouble.TIMEOUT else text,
        remedy,
    )


def _trouble(cause: BaseException, code: str, message: str) -> DatabaseTrouble:
    if isinstance(next(iter(_arguments(cause)), None), int):
        result = next(
            (trouble for trouble, numbers in _NUMBERS.items() if int(code) in numbers), None
        )
    else:
        result = _longest_prefix(code, _STATES if code == _state(cause) else _ORACLE)
    result = result or next(
        (trouble for regex, trouble in _WORDS.items() if re.search(regex, message, re.IGNORECASE)),
        None,
    )
    if result is None:
        result = (
            DatabaseTrouble.DATA
            if isinstance(cause, ValueError) or type(cause).__name__ == "DataError"
            else DatabaseTrouble.OTHER
        )
    return result


def _longest_prefix(code: str, table: Mapping[str, DatabaseTrouble]) -> DatabaseTrouble | None:
    return next((table[code[:end]] for end in range(len(code), 1, -1) if code[:end] in table), None)


def _state(cause: BaseException) -> str:
    return str(getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None) or "")


def _arguments(cause: BaseException) -> tuple[object, ...]:
    first = cause.args[0] if cause.args else ""
    return (
        first if isinstance(first, tuple) and first else cause.args
    )  # pymssql sometimes nests them


def _code(cause: BaseException) -> str:
    first = next(iter(_arguments(cause)), "")
    oracle = _ORACLE_CODE.search(str(first))
    return str(first) if isinstance(first, int) else _state(cause) or (oracle[0] if oracle else "")


def _first_line(cause: BaseException) -> str:
    arguments = _arguments(cause)
    message = (
        arguments[1]
        if len(arguments) > 1 and isinstance(arguments[0], int)
        else next(iter(arguments), "")
    )
    text = message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)
    line = next(iter(text.strip().splitlines()), "").strip()
    return "".join(char if char.isprintable() else " " for char in line)[:MAX_MESSAGE]
