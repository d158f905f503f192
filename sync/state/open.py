"""Which state a URL names."""

from collections.abc import Callable
from pathlib import Path

from sync.errors import UsageError
from sync.state.backend import Backend
from sync.state.sqlite.backend import SqliteFile

SQLITE = "sqlite:///"


def no_password() -> str:
    """Logs in without one, or with one that is not this program's to give."""
    return ""


def backend_for(url: str, password: Callable[[], str] = no_password) -> Backend:
    """The state that a checked URL names: `sqlite:///` and an absolute path, or `postgresql://` and a database.

    `password` is called for each connection, so that a new one is used once it is there.

    Raises:
        UsageError: what PostgreSQL needs is not installed.
    """
    if url.startswith(SQLITE):
        return SqliteFile(Path(url.removeprefix(SQLITE)))
    try:
        from sync.state.postgres.backend import PostgresDatabase
    except ImportError:
        remedy = "install it with pip install 'inspera-sync[postgres]'"
        raise UsageError(
            f"a state on PostgreSQL needs the driver psycopg, which is not installed; {remedy}"
        ) from None
    return PostgresDatabase(url, password)
