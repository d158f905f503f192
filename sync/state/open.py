"""The backend that a URL names."""

from collections.abc import Callable
from pathlib import Path

from sync.errors import UsageError, install_remedy
from sync.state.backend import Backend
from sync.state.sqlite.backend import SqliteFile

SQLITE = "sqlite:///"


def no_password() -> str:
    """Return no password: the server asks for none, or libpq finds it elsewhere."""
    return ""


def backend_for(url: str, password: Callable[[], str] = no_password) -> Backend:
    """Return the backend for a checked URL.

    It is `sqlite:///` and an absolute path, or `postgresql://` and a database. `password` is called
    for each connection, so that a new password is used as soon as it is there.

    Raises:
        UsageError: what PostgreSQL needs is not installed.
    """
    if url.startswith(SQLITE):
        return SqliteFile(Path(url.removeprefix(SQLITE)))
    try:
        from sync.state.postgres.backend import PostgresDatabase
    except ImportError:
        reason = "a state on PostgreSQL needs the driver psycopg, which is not installed"
        raise UsageError(f"{reason}; {install_remedy('postgres')}") from None
    return PostgresDatabase(url, password)
