"""A few rows of a source, as read and as mapped: values that may be shown.

What is a secret is not in them any more, and national identity numbers are masked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from sync.records.base import Kind, RowError

HIDDEN = "****"
"""What is shown instead of a secret."""


class SampleOutcome(StrEnum):
    """What became of a row in a feed."""

    RECORD = "record"
    ROW_ERRORS = "row_errors"
    SKIPPED = "not selected"
    DEPARTS = "departure"


class ShownTime(NamedTuple):
    """A time in UTC, and by the clock of the zone that the feed names; empty when it names none."""

    utc: str
    local: str = ""
    zone: str = ""


Shown = str | ShownTime | None
"""A field's value; None when it is left alone."""


@dataclass(frozen=True, slots=True)
class MappedRecord:
    """What one feed makes of a row.

    Attributes:
        feed: its number in the configuration, from 1 on.
        joined: the columns that it takes from other sources.
        fields: those that it maps, in the order of the configuration; none unless there is a
            record.
    """

    feed: int
    kind: Kind
    outcome: SampleOutcome
    joined: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Shown] = field(default_factory=dict)
    row_errors: Sequence[RowError] = ()


@dataclass(frozen=True, slots=True)
class SampledRow:
    """One row: where it is, its values by column, and what each feed makes of it."""

    place: str
    cells: Mapping[str, str]
    records: Sequence[MappedRecord]


@dataclass(frozen=True, slots=True)
class Sample:
    """The first rows of a source.

    Attributes:
        place: what was opened.
        problems: why a feed could not use the source at all, one text for each.
        notes: what else is to be known about these rows.
    """

    source: str
    place: str
    columns: Sequence[str]
    rows: Sequence[SampledRow]
    problems: Sequence[str] = ()
    notes: Sequence[str] = ()

    @property
    def row_errors(self) -> int:
        """Return how many row errors there are in these rows."""
        return sum(len(record.row_errors) for row in self.rows for record in row.records)
