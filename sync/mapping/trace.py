"""The way of one row through its feed, step by step, for people who ask why. Values only.

The steps are made by the functions that map rows, so that they cannot say anything else.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from sync.mapping.values import BadValueError, CarefulTexts, Texts
from sync.records.fields import FieldValue


class Step(NamedTuple):
    """A step on a value's way, such as `lookup`, and the value after it."""

    what: str
    value: FieldValue


Steps = Callable[[Texts], Iterator[Step]]
"""A function that yields the steps of a field; it raises `BadValueError` where its reader does."""


class FieldTrace(NamedTuple):
    """The way of one field.

    Attributes:
        field: the name of the field in the record.
        cells: the columns that were read, each with its raw value.
        steps: what was done, in order; the last value is that of the record.
        error: why the field cannot be used; empty if it can.
    """

    field: str
    cells: Mapping[str, str]
    steps: Sequence[Step]
    error: str = ""


class ConditionTrace(NamedTuple):
    """A condition of the feed: its setting (`where`, `where_not`, `departure`) and its result."""

    setting: str
    column: str
    cell: str
    met: bool


class RowTrace(NamedTuple):
    """The way of a row: the conditions of its feed, and the fields that it maps."""

    conditions: Sequence[ConditionTrace]
    fields: Sequence[FieldTrace]

    @property
    def selected(self) -> bool:
        """Tell whether `where` and `where_not` select the row."""
        return all(one.met for one in self.conditions if one.setting != "departure")


def trace_field(
    name: str, steps: Steps, columns: Sequence[str], values: Mapping[str, str]
) -> FieldTrace:
    """Return the way of one field of a row with these values."""
    texts, done, error = _NotedTexts(columns, values), list[Step](), ""
    try:
        done.extend(steps(texts))
    except BadValueError as wrong:
        error = f"{wrong.reason}; {wrong.remedy}"
    return FieldTrace(name, texts.read, done, error)


class _NotedTexts:
    """A row's cleaned values; it notes which columns were read, and their raw values."""

    def __init__(self, columns: Sequence[str], values: Mapping[str, str]) -> None:
        self._columns, self._values = columns, values
        self._careful = CarefulTexts(columns, values)
        self.read: dict[str, str] = {}

    def __getitem__(self, index: int) -> str:
        column = self._columns[index]
        self.read[column] = self._values.get(column, "")
        return self._careful[index]


def no_steps(_texts: Texts) -> Iterator[Step]:
    """Yield nothing: the field is not mapped, or worked out from others."""
    yield from ()
