"""Reads of changes: the database's time before the read, and the mark of the next read.

A mark is the text of a time (with an offset if the database's clock has one), of a day, or of a
whole number. The values of `updated_column` decide which.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sync.errors import SourceError
from sync.sources.sql.connection import OpenDatabase, SqlAccess
from sync.sources.sql.dialects import EPOCH, BindValue

_READ_ALL = "run once without --changed"
_HOUR = timedelta(hours=1)
_DAY = len("2026-01-01")


def parse_mark(mark: str, place: str) -> BindValue:
    """Return the mark as a value to compare with; for an empty mark, a time before all changes.

    Raises:
        SourceError: the text is not a mark.
    """
    try:
        if mark.isdecimal():
            return int(mark)
        if len(mark) == _DAY:
            return date.fromisoformat(mark)
        return datetime.fromisoformat(mark) if mark else EPOCH
    except ValueError:
        raise SourceError(place, "the mark of the last read can't be used", _READ_ALL) from None


def database_time(database: OpenDatabase, access: SqlAccess) -> datetime:
    """Return the database's own time: aware, or naive as its local time.

    Raises:
        SourceError: the database does not return its time.
    """
    from sqlalchemy.exc import SQLAlchemyError

    try:
        time = database.connection.exec_driver_sql(database.dialect.clock).scalar()
        return time if isinstance(time, datetime) else datetime.fromisoformat(str(time))
    except SQLAlchemyError as error:
        raise access.failure(error) from None
    except ValueError:
        raise SourceError(
            access.place, "does not return its time", "remove 'updated_column'"
        ) from None


@dataclass(slots=True)
class MarkTracker:
    """The mark of the next read, from the column that contains when a row last changed.

    Attributes:
        column: its name.
        place: the database, for people.
        index: its position.
        before: the mark from which this read started; empty if it reads everything.
        next_from: the database's time before the read, less the overlap.
        texts: whether times are texts, as in SQLite.
    """

    column: str
    place: str
    index: int
    before: str
    next_from: datetime
    texts: bool = False
    _kinds: set[str] = field(default_factory=set)
    _highest: int = 0

    def see(self, rows: Sequence[Sequence[Any]]) -> None:
        """Note the values of some rows.

        Raises:
            SourceError: a value is neither a time nor a number.
        """
        values = [value for row in rows if (value := row[self.index]) is not None]
        kinds = {
            self._kind(value) for value in (values if self.texts else _one_of_each_type(values))
        }
        self._kinds |= kinds
        if "number" in self._kinds and len(self._kinds) > 1:
            raise self._unsuitable("contains both numbers and times")
        if "number" in kinds:
            self._highest = max(self._highest, int(max(values)))

    def mark(self) -> str:
        """Return the mark from which the next read starts; unchanged if nothing was read.

        Raises:
            SourceError: the values can't be compared with the mark of this read.
        """
        if not self._kinds:
            return self.before
        numbers = "number" in self._kinds
        if self.before and self.before.isdecimal() != numbers:
            raise SourceError(
                self.place, f"column '{self.column}' is of another type than before", _READ_ALL
            )
        if numbers:
            return str(max(self._highest, int(self.before or 0)))
        if "day" in self._kinds:
            return self.next_from.date().isoformat()
        return (
            self.next_from.astimezone(UTC) if self.next_from.tzinfo else self.next_from
        ).isoformat()

    def _kind(self, value: Any) -> str:
        if (
            isinstance(value, (int, Decimal))
            and not isinstance(value, bool)
            and value >= 0
            and value == int(value)
        ):
            return "number"
        if isinstance(value, datetime):
            return "moment"
        if isinstance(value, date):
            return "day"
        if isinstance(value, str) and self.texts:
            return "day" if len(value.strip()) <= _DAY else "moment"
        raise self._unsuitable("contains a value that is neither a time nor a number")

    def _unsuitable(self, reason: str) -> SourceError:
        remedy = (
            "'updated_column' needs times, days or increasing whole numbers: use CAST in the query"
        )
        return SourceError(self.place, f"column '{self.column}' {reason}", remedy)


def _one_of_each_type(values: Sequence[Any]) -> list[Any]:
    return list({type(value): value for value in values}.values())


def time_of_next_mark(database: OpenDatabase, access: SqlAccess, overlap: timedelta) -> datetime:
    """Return the database's time now, less the overlap.

    Raises:
        SourceError: the database does not return its time.
    """
    # Local time repeats an hour when summer time ends: changes in it must not be missed.
    back = overlap + (_HOUR if database.dialect.clock_goes_back else timedelta())
    return database_time(database, access).replace(microsecond=0) - back
