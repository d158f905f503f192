"""A database as a source: one query that only reads, streamed row by row. Any that SQLAlchemy knows will do."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, model_validator

from sync.config_base.base import InvalidSetting, Named, told
from sync.config_base.secrets import BrokenReference, SecretRef
from sync.errors import SourceError
from sync.records.extract import Extract, Since, lacking
from sync.sources.base import SourceSettings
from sync.sources.completeness import Wait
from sync.sources.files.open import place_in
from sync.sources.sql.changes import Marker, clock, start, starting_point
from sync.sources.sql.connection import DatabaseAccess, OpenDatabase, opened
from sync.sources.sql.dialects import EPOCH, SQLITE, Bound
from sync.sources.sql.query import UNTIL_NOW, Statement, UnsuitableQuery, statement
from sync.sources.sql.rows import asked
from sync.sources.sql.url import address_of, checked_url


class SqlSettings(SourceSettings):
    """One query to a database. Its rows are streamed, and nothing in the database is changed."""

    unit: ClassVar[str] = "row"
    tells_changes: ClassVar[bool] = True

    type: Literal["sql"] = "sql"
    """The kind of source."""
    url: Annotated[str, AfterValidator(checked_url)]
    """Where the database is, such as `postgresql://db.example.edu/sis`, without a password. It begins with
    `postgresql`, `mysql`, `mariadb`, `oracle`, `mssql` or `sqlite`, or names a driver too, as `mssql+pyodbc` does."""
    user: Named | None = None
    """Who logs in. Let this user read what the query needs, and nothing else."""
    password: SecretRef | None = None
    """The user's password: a secret."""
    query: str | None = None
    """The query: one `SELECT`, or `WITH`. Each column needs a name of its own. `:since` and `:now` may stand in it."""
    query_file: Path | None = None
    """A file with the query, in UTF-8, instead of `query`. A relative path starts at the folder of the configuration
    file."""
    timeout: Wait = timedelta(minutes=15)
    """How long the database may take to answer, such as `15m`; then the reading is given up."""
    overlap: Wait = timedelta(minutes=5)
    """How far a reading of changes goes back before the last one, such as `5m`: for what was written but not yet
    committed then."""

    @model_validator(mode="after")
    def _one_query(self) -> "SqlSettings":
        if (self.query is None) == (self.query_file is None):
            raise ValueError("needs either 'query' or 'query_file'")
        try:
            statement("SELECT" if self.query is None else self.query, address_of(self.url).kind)
        except UnsuitableQuery as unfit:
            raise told([InvalidSetting("query", unfit.reason, unfit.remedy)]) from None
        return self

    @model_validator(mode="after")
    def _one_login(self) -> "SqlSettings":
        address = address_of(self.url)
        if self.user is not None and address.user:
            raise ValueError("has a user both in 'url' and in 'user': keep one")
        if address.is_file and (self.user is not None or self.password is not None):
            raise ValueError("'user' and 'password' are not for a SQLite file: take them out")
        return self

    def place(self, folder: Path) -> str:  # noqa: ARG002 - a database is named the same from everywhere
        """The URL without user and options."""
        return address_of(self.url).place

    def question(self, folder: Path) -> str:
        """What the database is asked: also another text in the query's file is another question.

        Raises:
            SourceError: the query's file can't be read.
        """
        return super().question(folder) + (self._from_file(folder) if self.query_file else "")

    @contextmanager
    def open(self, folder: Path) -> Iterator[Extract]:
        """The query's answer, for one reading, within a transaction that can't write; a row has its number, from 1.

        `:since` is long ago. `:now` is this machine's time, in UTC; of databases that tell local time, their own.

        Raises:
            SourceError: there is no driver, no connection, no way in; the query can't be used; its columns have no
                proper names. Of its rows: not all could be read, or a value is no text.
        """
        with self._opened(folder, self._statement(folder), EPOCH, None) as extract:
            yield extract

    @contextmanager
    def open_since(self, folder: Path, since: Since) -> Iterator[Extract]:
        """The same for the rows that changed since the mark, by the database's own clock.

        A query without `:since` is asked for the rows whose column is not before the mark, or has no value. The next
        mark is the database's time before the read, less `overlap`; or the highest number, for a column of numbers.

        Raises:
            SourceError: as above, or the mark or the column can't be used.
        """
        query, bound = self._statement(folder), start(since.mark, self.place(folder))
        with self._opened(folder, query, bound, since) as extract:
            yield extract

    @contextmanager
    def _opened(
        self, folder: Path, query: Statement, bound: Bound, since: Since | None
    ) -> Iterator[Extract]:
        door = self._door(folder)
        with opened(door) as inside:
            values = {"since": bound, "now": _now(query, inside, door)}
            before = starting_point(inside, door, self.overlap) if since else EPOCH
            if since and since.mark and "since" not in query.binds:
                query = _changed(query, since, bound, inside, door)
            with asked(inside, door, query, values) as answer:
                doubts = answer.doubts
                if since is None:
                    yield Extract(door.place, answer.columns, answer.rows(), doubts=doubts)
                    return
                index = _index(since.column, answer.columns, door.place)
                marker = Marker(
                    since.column, door.place, index, since.mark, before, inside.manner is SQLITE
                )
                yield Extract(
                    door.place,
                    answer.columns,
                    answer.rows(marker.watch),
                    doubts=doubts,
                    mark=marker.mark,
                )

    def _door(self, folder: Path) -> DatabaseAccess:
        try:
            password = self.password.reveal(folder) if self.password is not None else ""
        except BrokenReference as broken:
            raise SourceError(
                self.place(folder), f"its password {broken.reason}", broken.remedy
            ) from None
        return DatabaseAccess(self.url, self.user or "", password, folder, self.timeout)

    def _statement(self, folder: Path) -> Statement:
        sql = self.query if self.query is not None else self._from_file(folder)
        try:
            return statement(sql, address_of(self.url).kind)
        except UnsuitableQuery as unfit:
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


def _changed(
    query: Statement, since: Since, bound: Bound, inside: OpenDatabase, door: DatabaseAccess
) -> Statement:
    """The query for the rows only that changed since the mark."""
    dialect = inside.connection.dialect
    if dialect.name == "mssql" and query.begins_with:
        remedy = "put :since into the query, as in WHERE changed >= :since"
        raise SourceError(
            door.place,
            "SQL Server can't be asked what changed in a query that begins with WITH",
            remedy,
        )
    column = dialect.identifier_preparer.quote_identifier(since.column)
    return query.changed(column, UNTIL_NOW if isinstance(bound, int) else inside.manner.changed)


def _now(query: Statement, inside: OpenDatabase, door: DatabaseAccess) -> datetime:
    """This machine's time where the database takes one with its offset; else the database's own, as its columns are."""
    local = "now" in query.binds and not inside.manner.aware and inside.manner is not SQLITE
    return clock(inside, door) if local else datetime.now(UTC)


def _index(column: str, columns: tuple[str, ...], place: str) -> int:
    if column not in columns:
        raise SourceError(place, *lacking([column], columns, "'updated_column'"))
    return columns.index(column)
