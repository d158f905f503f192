"""The settings of SQL sources, and how a query is opened.

Any database of SQLAlchemy can be used.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, model_validator

from sync.config_base.base import ColumnName, InvalidSetting, validation_errors
from sync.config_base.durations import PositiveDuration
from sync.config_base.secrets import BrokenReference, SecretRef
from sync.errors import SourceError, Unusable
from sync.records.extract import Extract, Since, lacking
from sync.sources.base import SourceSettings, Watcher
from sync.sources.files.open import place_in
from sync.sources.sql.changes import MarkTracker, database_time, parse_mark, time_of_next_mark
from sync.sources.sql.connection import OpenDatabase, SqlAccess, open_database
from sync.sources.sql.dialects import EPOCH, SQLITE, BindValue
from sync.sources.sql.query import CHANGED_SINCE, Statement, prepare_query
from sync.sources.sql.reader import run_query
from sync.sources.sql.url import check_url, parse_url


class SqlSettings(SourceSettings):
    """One query to a SQL database.

    Its rows are streamed, and nothing in the database is changed.
    """

    unit: ClassVar[str] = "row"
    supports_changes: ClassVar[bool] = True

    type: Literal["sql"] = "sql"
    """The kind of source."""
    url: Annotated[str, AfterValidator(check_url)]
    """The URL of the database, such as `postgresql://db.example.edu/sis`, without a password.

    It begins with `postgresql`, `mysql`, `mariadb`, `oracle`, `mssql` or `sqlite`, and may name a
    driver, such as `mssql+pyodbc`.
    """
    user: ColumnName | None = None
    """The user. Give this user the right to read what the query needs, and no other right."""
    password: SecretRef | None = None
    """The user's password: a secret."""
    query: str | None = None
    """The query: one `SELECT` or `WITH`. Each column needs its own name.

    It may contain the parameters `:since` and `:now`.
    """
    query_file: Path | None = None
    """A file with the query, in UTF-8, instead of `query`.

    A relative path starts at the folder of the configuration file.
    """
    listen: ColumnName | None = None
    """A channel of PostgreSQL that a trigger there notifies (`NOTIFY sis_changed`) after a change,
    for jobs that `watch` this source."""
    timeout: PositiveDuration = timedelta(minutes=15)
    """How long the database may take to answer, such as `15m`; then the read is stopped."""
    overlap: PositiveDuration = timedelta(minutes=5)
    """How far before the last read a read of changes begins, such as `5m`.

    This finds rows that were written, but not yet committed, at the time of the last read.
    """

    @model_validator(mode="after")
    def _one_query(self) -> "SqlSettings":
        if (self.query is None) == (self.query_file is None):
            raise ValueError("needs either 'query' or 'query_file'")
        try:
            prepare_query("SELECT" if self.query is None else self.query, parse_url(self.url).kind)
        except Unusable as unfit:
            raise validation_errors([InvalidSetting("query", unfit.reason, unfit.remedy)]) from None
        return self

    @model_validator(mode="after")
    def _can_listen(self) -> "SqlSettings":
        if self.listen is not None and parse_url(self.url).kind != "postgresql":
            raise validation_errors(
                [InvalidSetting("listen", "is only for PostgreSQL", "remove it")]
            )
        return self

    @model_validator(mode="after")
    def _one_login(self) -> "SqlSettings":
        address = parse_url(self.url)
        if self.user is not None and address.user:
            raise ValueError("has a user both in 'url' and in 'user': keep one")
        if address.is_file and (self.user is not None or self.password is not None):
            raise ValueError("'user' and 'password' are not for a SQLite file: take them out")
        return self

    def place(self, folder: Path) -> str:  # noqa: ARG002 - a database is named the same from everywhere
        """Return the URL without user and options."""
        return parse_url(self.url).place

    def selection_text(self, folder: Path) -> str:
        """Return what the database is asked for, including the text of the query's file.

        Raises:
            SourceError: the query's file can't be read.
        """
        return super().selection_text(folder) + (self._from_file(folder) if self.query_file else "")

    @contextmanager
    def open(self, folder: Path) -> Iterator[Extract]:
        """Open the query for one read, within a transaction that can't write. Rows count from 1.

        `:since` is before all changes. `:now` is this machine's time in UTC, or the local time of a
        database whose times are local.

        Raises:
            SourceError: the database can't be reached or refuses the login, the query can't be
                used, or a column has no name of its own. Of its rows: not all could be read, or a
                value can't be converted to text.
        """
        with self._opened(folder, self._statement(folder), EPOCH, None) as extract:
            yield extract

    @contextmanager
    def open_since(self, folder: Path, since: Since) -> Iterator[Extract]:
        """Open the query for the rows that changed since the mark, by the database's own clock.

        A query without `:since` is limited to rows whose column is not before the mark, or is NULL.
        The next mark is the database's time before the read, less `overlap`; for a column of
        numbers it is the highest number.

        Raises:
            SourceError: as for `open`, or the mark or the column can't be used.
        """
        query, bound = self._statement(folder), parse_mark(since.mark, self.place(folder))
        with self._opened(folder, query, bound, since) as extract:
            yield extract

    @contextmanager
    def _opened(
        self, folder: Path, query: Statement, bound: BindValue, since: Since | None
    ) -> Iterator[Extract]:
        access = self._access(folder)
        place = access.place
        with open_database(access) as database:
            values = {"since": bound, "now": _now(query, database, access)}
            # Before the read, so that changes during it are part of the next one.
            before = time_of_next_mark(database, access, self.overlap) if since else EPOCH
            if since and since.mark and "since" not in query.binds:
                query = _only_changed(query, since, bound, database, access)
            with run_query(database, access, query, values) as result:
                columns, doubts = result.columns, result.doubts
                if since is None:
                    yield Extract(place, columns, result.rows(), doubts=doubts)
                    return
                if since.column not in columns:
                    raise SourceError(place, *lacking([since.column], columns, "'updated_column'"))
                index = columns.index(since.column)
                texts = database.dialect is SQLITE
                tracker = MarkTracker(since.column, place, index, since.mark, before, texts)
                rows = result.rows(tracker.see)
                yield Extract(place, columns, rows, doubts=doubts, mark=tracker.mark)

    def watcher(self, folder: Path) -> Watcher | None:
        """Return what notices a notification; None without `listen`."""
        if self.listen is None:
            return None
        from sync.sources.sql.listen import ChannelWatch

        return ChannelWatch(lambda: self._access(folder), self.listen)

    def _access(self, folder: Path) -> SqlAccess:
        try:
            password = self.password.reveal(folder) if self.password is not None else ""
        except BrokenReference as broken:
            raise SourceError(
                self.place(folder), f"its password {broken.reason}", broken.remedy
            ) from None
        return SqlAccess(self.url, self.user or "", password, folder, self.timeout)

    def _statement(self, folder: Path) -> Statement:
        sql = self.query if self.query is not None else self._from_file(folder)
        try:
            return prepare_query(sql, parse_url(self.url).kind)
        except Unusable as unfit:
            what = "query" if self.query_file is None else place_in(folder, self.query_file)
            raise SourceError(self.place(folder), f"{what} {unfit.reason}", unfit.remedy) from None

    def _from_file(self, folder: Path) -> str:
        path = folder / (self.query_file or "")
        try:
            return path.read_text(encoding="utf-8-sig")
        except OSError as error:
            reason, remedy = f"can't be read ({error.strerror})", "check 'query_file'"
        except ValueError:
            reason, remedy = "is not UTF-8 text", "save it as UTF-8"
        raise SourceError(self.place(folder), f"{place_in(folder, path)} {reason}", remedy)


def _only_changed(
    query: Statement, since: Since, bound: BindValue, database: OpenDatabase, access: SqlAccess
) -> Statement:
    """Return the query for only those rows that changed since the mark."""
    dialect = database.connection.dialect
    if dialect.name == "mssql" and query.begins_with:
        remedy = "put :since into the query, such as WHERE changed >= :since"
        raise SourceError(
            access.place,
            "SQL Server can't filter the changes of a query that begins with WITH",
            remedy,
        )
    column = dialect.identifier_preparer.quote_identifier(since.column)
    # A column of numbers needs no conversion, which the condition for times may contain.
    condition = CHANGED_SINCE if isinstance(bound, int) else database.dialect.changed
    return query.only_changed(column, condition)


def _now(query: Statement, database: OpenDatabase, access: SqlAccess) -> datetime:
    """Return this machine's time, or the database's own if its columns have local times."""
    dialect = database.dialect
    local = "now" in query.binds and not dialect.aware and dialect is not SQLITE
    return database_time(database, access) if local else datetime.now(UTC)
