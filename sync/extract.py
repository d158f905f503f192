"""What a source gives when it is opened: its columns and rows, and what is to be thought of them. Values only."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from sync.model import Row


class Since(NamedTuple):
    """What a reading of changes starts from: the column that says when a row last changed, and the last mark.

    `mark` is empty for a reading of everything whose mark is wanted, to start from the next time.
    """

    column: str
    mark: str = ""


def _no_mark() -> str:
    return ""


@dataclass(slots=True)
class Extract:
    """A source that is open.

    Attributes:
        place: what was opened, as people know it, such as `students.csv`; a row adds its number.
        columns: the names of the columns, stripped and in NFC.
        rows: every row, streamed in the source's own order. Raises `SourceError` when it can't be read to its end.
        partial: why this is, by its nature, not all that the source has, such as `a delta`; empty when it is all.
        doubts: what speaks against its being all there is, such as a trailer that counts other rows. Complete once the
            rows have ended; each says what, and what to do.
        torn: whether its last row ended without a line end, so that it may be cut off; asked for once the rows have
            ended. None where that can't be told.
        mark: from which mark the next reading of changes starts; asked for once the rows have ended. Empty when there
            is none.
    """

    place: str
    columns: tuple[str, ...]
    rows: Iterator[Row]
    partial: str = ""
    doubts: list[str] = field(default_factory=list)
    torn: Callable[[], bool] | None = None
    mark: Callable[[], str] = _no_mark
