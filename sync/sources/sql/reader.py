"""The rows of a query, streamed as text, to the very last or not at all."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from sync.errors import SourceError, Unusable
from sync.records.base import Row
from sync.sources.sql.connection import OpenDatabase, SqlAccess
from sync.sources.sql.dialects import BindValue
from sync.sources.sql.query import Statement
from sync.sources.sql.values import as_texts, column_names

if TYPE_CHECKING:
    from sqlalchemy import CursorResult

FETCH_SIZE = 5000
"""Rows that are fetched over the network at a time."""

_CHUNK = 500
"""Rows that are converted at a time: few enough to stay in the processor's cache."""

SeeRows = Callable[[Sequence[Sequence[Any]]], None]
"""Is called with some rows at a time, as the driver returns them."""


@dataclass(slots=True)
class QueryResult:
    """The result of a query, while its connection is open.

    Attributes:
        columns: the names, stripped and in NFC.
        complete: whether its last row was read.
        doubts: why it may be incomplete.
    """

    result: "CursorResult[Any]"
    columns: tuple[str, ...]
    database: OpenDatabase
    access: SqlAccess
    complete: bool = False
    doubts: list[str] = field(default_factory=list)

    def rows(self, see: SeeRows | None = None) -> Iterator[Row]:
        """Yield the rows, numbered from 1.

        Raises:
            SourceError: the database, the connection or the driver failed before the last row, or
                a value can't be converted to text.
        """
        source, names, number = iter(self.result), self.columns, 0
        while chunk := self._fetch(source, number):
            if see is not None:
                see(chunk)
            for values in zip(*self._texts(chunk, number), strict=True):
                number += 1
                yield Row(number, dict(zip(names, values, strict=True)))
        if doubt := self.database.check_end():
            self.doubts.append(doubt)
        self.complete = True

    def _fetch(self, source: Iterator[Any], number: int) -> list[Any]:
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with self.database.watchdog.limit():
                return list(islice(source, _CHUNK))
        except (SQLAlchemyError, OSError, ValueError, AttributeError) as error:
            # AttributeError: pymysql raises it when its connection is closed during the fetch.
            raise self.access.failure(
                error, f"{self.access.place} row {number + 1} or later"
            ) from None

    def _texts(self, chunk: Sequence[Sequence[Any]], number: int) -> list[Any]:
        columns = list(zip(*chunk, strict=True))
        try:
            return [as_texts(values) for values in columns]
        except Unusable:
            raise self._unreadable(chunk, number) from None

    def _unreadable(self, chunk: Sequence[Sequence[Any]], number: int) -> SourceError:
        """Return the error for the first value that can't be converted to text."""
        for at, row in enumerate(chunk, number + 1):
            for name, value in zip(self.columns, row, strict=True):
                try:
                    as_texts([value])
                except Unusable as unreadable:
                    return SourceError(
                        f"{self.access.place} row {at}",
                        f"column '{name}' {unreadable.reason}",
                        unreadable.remedy,
                    )
        raise AssertionError("every value can be converted")


@contextmanager
def run_query(
    database: OpenDatabase, access: SqlAccess, statement: Statement, values: Mapping[str, BindValue]
) -> Iterator[QueryResult]:
    """Run a query. Afterwards the connection can't be used any more.

    Raises:
        SourceError: the database refuses the query, or a column has no name of its own.
    """
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    bound = {name: database.dialect.convert(values[name]) for name in statement.binds}
    try:
        result = database.connection.execute(
            text(statement.text),
            bound,
            execution_options={"stream_results": True, "yield_per": FETCH_SIZE},
        )
    except (SQLAlchemyError, OSError, ValueError) as error:
        raise access.failure(error) from None
    doubts = [database.doubt] if database.doubt else []
    rows = QueryResult(result, (), database, access, doubts=doubts)
    try:
        rows.columns = _columns(result, access)
        yield rows
    finally:
        _close(result, complete=rows.complete)


def _columns(result: "CursorResult[Any]", access: SqlAccess) -> tuple[str, ...]:
    described = result.cursor.description if result.cursor is not None else None
    try:
        # The cursor's names: SQLAlchemy would change those of Oracle to lower case.
        return column_names(column[0] for column in described or ())
    except Unusable as unreadable:
        raise SourceError(access.place, unreadable.reason, unreadable.remedy) from None


def _close(result: "CursorResult[Any]", *, complete: bool) -> None:
    """Close the cursor without reading the remaining rows."""
    unread = getattr(result.cursor, "_result", None)
    if not complete and unread is not None and hasattr(unread, "unbuffered_active"):
        unread.unbuffered_active = False  # otherwise pymysql would read them all first
    result.close()
