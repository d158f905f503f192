"""What a source gives when it is opened: its columns and rows, and what is to be thought of them.

Values only.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import NamedTuple

from sync.records.base import Row

_NEAR = 0.75
"""How alike two names of columns are that may be the same: a person's name is not that like a
column's."""


class Since(NamedTuple):
    """What a reading of changes starts from.

    The column that says when a row last changed, and the last mark.

    `mark` is empty for a reading of everything whose mark is wanted, to start from the next time.
    """

    column: str
    mark: str = ""


def lacking(missing: Collection[str], columns: Collection[str], setting: str) -> tuple[str, str]:
    """Return what to say of a source that lacks columns, and what to do.

    `setting` is what names them.

    The names of the columns that it has are not repeated, except one that is nearly the missing
    one: in a file without a header a person's values are there.
    """
    names = ", ".join(repr(name) for name in missing)
    count = "it has 1 column" if len(columns) == 1 else f"it has {len(columns)} columns"
    folded = {name.lower(): name for name in columns}
    near = [
        folded[found]
        for name in missing
        for found in get_close_matches(name.lower(), folded, n=1, cutoff=_NEAR)
    ]
    meant = f"did you mean {', '.join(map(repr, near))}? Otherwise " if near else ""
    return f"column {names} is missing ({count})", f"{meant}correct the source or {setting}"


def _no_mark() -> str:
    return ""


@dataclass(slots=True)
class Extract:
    """A source that is open.

    Attributes:
        place: what was opened, as people know it, such as `students.csv`; a row adds its number.
        columns: the names of the columns, stripped and in NFC.
        rows: every row, streamed in the source's own order. Raises `SourceError` when it can't be
            read to its end.
        partial: why this is, by its nature, not all that the source has, such as `a delta`; empty
            when it is all.
        doubts: what speaks against its being all there is, such as a trailer that counts other
            rows. Complete once the rows have ended; each says what, and what to do.
        torn: whether its last row ended without a line end, so that it may be cut off; asked for
            once the rows have ended. None where that is unknown.
        mark: from which mark the next reading of changes starts; asked for once the rows have
            ended. Empty when it has no mark.
    """

    place: str
    columns: tuple[str, ...]
    rows: Iterator[Row]
    partial: str = ""
    doubts: list[str] = field(default_factory=list)
    torn: Callable[[], bool] | None = None
    mark: Callable[[], str] = _no_mark
