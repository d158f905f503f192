"""Proofs of completeness: without them, the absence of a record in a source means nothing."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from sync.config_base.base import (
    ColumnName,
    Strict,
    Values,
    empty_is_default,
    require_entries,
    validation_error,
)
from sync.config_base.durations import PositiveDuration


class Shrink(Strict):
    """How many known records a source may stop naming at once.

    The limit is `max(at_least, percent of the records it named)`.
    """

    at_least: Annotated[int, Field(ge=0, le=10_000_000)] = 10
    """This many may always disappear."""
    percent: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 10
    """This share of the records it named may disappear, in per cent."""


class Completeness(Strict):
    """Proofs that a source is complete. If one fails, the source is unhealthy and removes nothing.

    Its rows are used all the same: people and tests are created and updated.
    """

    shrink: Annotated[Shrink, BeforeValidator(empty_is_default)] = Shrink()
    """How many of the known records that it named it may stop naming at once."""
    minimum_rows: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    """The source has at least this many rows, counted before any `where`."""
    canary: Annotated[dict[ColumnName, Values], AfterValidator(require_entries)] | None = None
    """Values that must be present, by column: such as the number of a person invented for this."""
    group: ColumnName | None = None
    """A column, such as the faculty: each of its values in the last complete read still occurs."""

    @property
    def watched_tail(self) -> int:
        """Return how many last records may not all be missing; 0 for a source without an order."""
        return 0


class FileCompleteness(Completeness):
    """Proofs that a file is complete. If one fails, the source is unhealthy and removes nothing."""

    max_age: PositiveDuration | None = None
    """The file was written within this time, such as `26h`."""


def _counts(pattern: str) -> str:
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        raise validation_error(
            "is not a regular expression", "correct it, or put it in single quotes"
        ) from None
    if "rows" not in compiled.groupindex:
        raise validation_error(
            "has no group named 'rows'", r"name the count, as in 'EOF;(?P<rows>\d+)'"
        )
    return pattern


class TableCompleteness(FileCompleteness):
    """Proofs that a file of rows is complete.

    If one fails, the source is unhealthy and removes nothing.
    """

    trailer: Annotated[str, AfterValidator(_counts)] | None = None
    """A regular expression for the file's last line.

    Its group `rows` is the number of rows before that line.
    """
    tail: Annotated[int, Field(ge=0, le=1000)] = 3
    """The file counts as cut off if this many records at the end of the last one are all missing.

    0 turns this check off.
    """

    @property
    def watched_tail(self) -> int:
        """Return how many last records may not all be missing; 0 when the check is off."""
        return self.tail
