"""What has to hold before a source's word is taken for what it does not name: the proofs that it is whole."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from sync.config_base.base import Named, Strict, Values, empty_is_default, filled, told_one
from sync.config_base.durations import Duration, between

Wait = Annotated[Duration, between(timedelta(seconds=1), timedelta(days=1))]
"""How long a source may take over something."""


def span_text(span: timedelta) -> str:
    """A length of time as it would be written in the configuration, in whole hours or days where it is long."""
    seconds = int(span.total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size and (seconds % size == 0 or seconds >= 2 * size):
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


class Shrink(Strict):
    """How many known records a source may stop to name at once: `max(at_least, percent of those it named)`."""

    at_least: Annotated[int, Field(ge=0, le=10_000_000)] = 10
    """This many always may."""
    percent: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 10
    """This share of what it named may, in per cent."""


class Completeness(Strict):
    """Proofs that a source is whole. One that fails makes it unhealthy: nothing is removed on its word.

    What it says is used all the same: people and tests are created and updated.
    """

    shrink: Annotated[Shrink, BeforeValidator(empty_is_default)] = Shrink()
    """How many of the known records that it named it may stop to name at once."""
    minimum_rows: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    """It has at least so many rows, before any `where`."""
    canary: Annotated[dict[Named, Values], AfterValidator(filled)] | None = None
    """Values that must be there, by their column: such as the number of somebody made up for this."""
    group: Named | None = None
    """A column, such as the faculty: none of its values that was there in the last whole reading may be gone."""


class FileCompleteness(Completeness):
    """Proofs that a file is whole. One that fails makes it unhealthy: nothing is removed on its word."""

    max_age: Annotated[Duration, between(timedelta(seconds=1), timedelta(days=3660))] | None = None
    """The file was written within this time, such as `26h`."""


def _counts(pattern: str) -> str:
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        raise told_one(
            "is no regular expression", "correct it, or put it in single quotes"
        ) from None
    if "rows" not in compiled.groupindex:
        raise told_one("has no group named 'rows'", r"name the count, as in 'EOF;(?P<rows>\d+)'")
    return pattern


class TableCompleteness(FileCompleteness):
    """Proofs that a file of rows is whole. One that fails makes it unhealthy: nothing is removed on its word."""

    trailer: Annotated[str, AfterValidator(_counts)] | None = None
    """A regular expression for the file's last line, with the count of the rows before it in a group named `rows`."""
    tail: Annotated[int, Field(ge=0, le=1000)] = 3
    """From so many records on that stood last in the delivery before and are all missing, the file counts as cut off.
    0 for never."""
