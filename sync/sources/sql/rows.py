"""Asking a database its one query, and streaming the rows of the answer as text, to the very last or not at all."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from sync.errors import SourceError
from sync.records.base import Row
from sync.sources.sql.connection import DatabaseAccess, OpenDatabase
from sync.sources.sql.dialects import Bound
from sync.sources.sql.query import Statement
from sync.sources.sql.values import UnreadableValue, as_texts, column_names

if TYPE_CHECKING:
    from sqlalchemy import CursorResult

FETCHED = 5000
"""Rows that come over the network at a time."""

_TURNED = 500
"""Rows that are made text at a time: few enough to stay in the processor's cache."""

Watch = Callable[[Sequence[Sequence[Any]]], None]
"""Is shown some rows at a time, as the driver gives them."""


@dataclass(slots=True)
class QueryResult:
    """The answer to a query, while its connection is open.

    Attributes:
        columns: the names, stripped and in NFC.
        whole: whether its last row was read.
        doubts: what speaks against its being all there is.
    """

    result: "CursorResult[Any]"
    columns: tuple[str, ...]
    opened: OpenDatabase
    door: DatabaseAccess
    whole: bool = False
    doubts: list[str] = field(default_factory=list)

    def rows(self, watch: Watch | None = None) -> Iterator[Row]:
        """The rows, numbered from 1.

        Raises:
            SourceError: the database, the connection or the driver failed before the last row, or a value is no text.
        """
        source, names, number = iter(self.result), self.columns, 0
        while chunk := self._next(source, number):
            if watch is not None:
                watch(chunk)
            for values in zip(*self._texts(chunk, number), strict=True):
                number += 1
                yield Row(number, dict(zip(names, values, strict=True)))
        if doubt := self.opened.prove():
            self.doubts.append(doubt)
        self.whole = True

    def _next(self, source: Iterator[Any], number: int) -> list[Any]:
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with self.opened.watchdog.awake():
                return list(islice(source, _TURNED))
        except (SQLAlchemyError, OSError, ValueError, AttributeError) as error:
            # AttributeError: pymysql, on a connection that was closed under it.
            raise self.door.failure(error, f"{self.door.place} row {number + 1} or later") from None

    def _texts(self, chunk: Sequence[Sequence[Any]], number: int) -> list[Any]:
        columns = list(zip(*chunk, strict=True))
        try:
            return [as_texts(values) for values in columns]
        except UnreadableValue:
            raise self._untold(chunk, number) from None

    def _untold(self, chunk: Sequence[Sequence[Any]], number: int) -> SourceError:
        """Which value it is that has no text."""
        for at, row in enumerate(chunk, number + 1):
            for name, value in zip(self.columns, row, strict=True):
                try:
                    as_texts([value])
                except UnreadableValue as untold:
                    return SourceError(
                        f"{self.door.place} row {at}",
                        f"column '{name}' {untold.reason}",
                        untold.remedy,
                    )
        raise AssertionError("it has a text after all")


@contextmanager
def asked(
    opened: OpenDatabase, door: DatabaseAccess, statement: Statement, values: Mapping[str, Bound]
) -> Iterator[QueryResult]:
    """The answer to a query. At the end its connection is not to be used any more.

    Raises:
        SourceError: the database refuses the query, or its columns have no proper names.
    """
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    bound = {name: opened.manner.bound(values[name]) for name in statement.binds}
    try:
        result = opened.connection.execute(
            text(statement.text),
            bound,
            execution_options={"stream_results": True, "yield_per": FETCHED},
        )
    except (SQLAlchemyError, OSError, ValueError) as error:
        raise door.failure(error) from None
    answer = QueryResult(result, (), opened, door, doubts=[opened.doubt] if opened.doubt else [])
    try:
        answer.columns = _columns(result, door)
        yield answer
    finally:
        _end(result, whole=answer.whole)


def _columns(result: "CursorResult[Any]", door: DatabaseAccess) -> tuple[str, ...]:
    described = result.cursor.description if result.cursor is not None else None
    try:
        # As the cursor has them: SQLAlchemy would write Oracle's in small letters.
        return column_names(one[0] for one in described or ())
    except UnreadableValue as untold:
        raise SourceError(door.place, untold.reason, untold.remedy) from None


def _end(result: "CursorResult[Any]", *, whole: bool) -> None:
    """Closes the cursor, without reading what is left."""
    unread = getattr(result.cursor, "_result", None)
    if not whole and unread is not None and hasattr(unread, "unbuffered_active"):
        unread.unbuffered_active = False  # else pymysql would read all of it first
    result.close()
