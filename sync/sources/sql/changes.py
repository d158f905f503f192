"""Readings of changes: the database's clock before the read, and from which mark the next one starts.

A mark is the text of a time (with an offset if the database's clock has one), of a day, or of a whole number. Which one
is seen from the values of the column that says when a row last changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sync.errors import SourceError
from sync.sources.sql.connection import DatabaseAccess, OpenDatabase
from sync.sources.sql.dialects import EPOCH, Bound

_ALL_ANEW = "run it once without --changed"
_HOUR = timedelta(hours=1)
_DAY = len("2026-01-01")


def start(mark: str, place: str) -> Bound:
    """The mark as a value to compare with; without one, long before everything.

    Raises:
        SourceError: it is no mark.
    """
    try:
        if mark.isdecimal():
            return int(mark)
        if len(mark) == _DAY:
            return date.fromisoformat(mark)
        return datetime.fromisoformat(mark) if mark else EPOCH
    except ValueError:
        raise SourceError(place, "the mark of the last reading can't be used", _ALL_ANEW) from None


def clock(opened: OpenDatabase, door: DatabaseAccess) -> datetime:
    """The database's own time: aware, or as its local time.

    Raises:
        SourceError: it doesn't tell.
    """
    from sqlalchemy.exc import SQLAlchemyError

    try:
        told = opened.connection.exec_driver_sql(opened.manner.clock).scalar()
        return told if isinstance(told, datetime) else datetime.fromisoformat(str(told))
    except SQLAlchemyError as error:
        raise door.failure(error) from None
    except ValueError:
        raise SourceError(
            door.place, "does not tell its time", "don't use 'updated_column' with it"
        ) from None


@dataclass(slots=True)
class Marker:
    """Watches the column that says when a row last changed, for the mark of the next reading.

    Attributes:
        column: its name.
        place: of the database, for people.
        index: which column it is.
        before: the mark that this reading started from; empty when it reads everything.
        next_from: the database's time before the read, less the overlap.
        texts: whether times are texts, as SQLite has them.
    """

    column: str
    place: str
    index: int
    before: str
    next_from: datetime
    texts: bool = False
    _kinds: set[str] = field(default_factory=set)
    _highest: int = 0

    def watch(self, rows: Sequence[Sequence[Any]]) -> None:
        """Looks at some rows.

        Raises:
            SourceError: the column holds something that can't say when.
        """
        values = [value for row in rows if (value := row[self.index]) is not None]
        kinds = {
            self._kind(value) for value in (values if self.texts else _one_of_each_type(values))
        }
        self._kinds |= kinds
        if "number" in self._kinds and len(self._kinds) > 1:
            raise self._useless("holds both numbers and times")
        if "number" in kinds:
            self._highest = max(self._highest, int(max(values)))

    def mark(self) -> str:
        """From where the next reading of changes starts; the same as before if nothing was read.

        Raises:
            SourceError: what was read can't be compared with the mark that it started from.
        """
        if not self._kinds:
            return self.before
        numbers = "number" in self._kinds
        if self.before and self.before.isdecimal() != numbers:
            raise SourceError(
                self.place, f"column '{self.column}' is of another type than before", _ALL_ANEW
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
        raise self._useless("does not say when a row changed")

    def _useless(self, reason: str) -> SourceError:
        remedy = (
            "'updated_column' needs times, days or whole numbers that grow: use CAST in the query"
        )
        return SourceError(self.place, f"column '{self.column}' {reason}", remedy)


def _one_of_each_type(values: Sequence[Any]) -> list[Any]:
    return list({type(value): value for value in values}.values())


def starting_point(opened: OpenDatabase, door: DatabaseAccess, overlap: timedelta) -> datetime:
    """The database's time now, less the overlap; and less an hour where its clock goes back when summer time ends.

    Raises:
        SourceError: it doesn't tell its time.
    """
    back = overlap + (_HOUR if opened.manner.clock_goes_back else timedelta())
    return clock(opened, door).replace(microsecond=0) - back
