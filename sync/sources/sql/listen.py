"""The watch on a PostgreSQL database: `NOTIFY` of the channel that a trigger or a job there uses."""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sync.errors import SourceError, install_remedy
from sync.sources.sql.connection import SqlAccess
from sync.sources.sql.dialects import CONNECT_SECONDS

if TYPE_CHECKING:
    import psycopg

_MOMENT = 0.05
"""The seconds to wait for a notification; with 0 the library does not look at all."""


class ChannelWatch:
    """Notices a `NOTIFY` (see `Watcher`). After each connection everything counts as new."""

    def __init__(self, access: Callable[[], SqlAccess], channel: str) -> None:
        self._log_in, self._channel = access, channel
        self._connection: psycopg.Connection | None = None

    def is_new(self) -> bool:
        """Tell whether somebody has notified the channel since the last question.

        Raises:
            SourceError: the database can't be reached.
        """
        access = self._log_in()  # with the password as it is now
        try:
            import psycopg
        except ImportError:
            raise SourceError(access.place, "needs psycopg", install_remedy("postgres")) from None
        try:
            if self._connection is None:
                # What was notified meanwhile is lost, so look once.
                self._connection = self._connect(access)
                return True
            return any(True for _ in self._connection.notifies(timeout=_MOMENT))
        except psycopg.Error as error:
            self.close()
            raise access.failure(error, connecting=True) from None

    def _connect(self, access: SqlAccess) -> "psycopg.Connection":
        import psycopg
        from psycopg import sql
        from sqlalchemy import make_url

        url = make_url(access.url)
        url = url.set(username=access.user or url.username, password=access.password or None)
        options: dict[str, Any] = url.translate_connect_args(username="user", database="dbname")
        options |= url.query
        options |= {"connect_timeout": CONNECT_SECONDS, "application_name": "inspera-sync"}
        connection = psycopg.connect(**options, autocommit=True)
        connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
        return connection

    def close(self) -> None:
        """Close the connection; it is opened again at the next question."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                connection.close()
