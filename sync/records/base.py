"""The values that everything else speaks of: rows, row errors and records.

No behaviour beyond naming themselves.

A record's *key* is the source's stable identifier and is never sent. In every record `None` means
"unmapped or blank: leave Inspera's value alone" and `""` means "clear it" (only where a feed says
`blank: clear`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

Key = tuple[str, ...]
"""`(key,)` for a person or a test; for what is on a test `(test, …)`: its learner, staff, committee
or option."""


class Kind(StrEnum):
    """The kinds of record that feeds make, in the order in which they must exist in Inspera."""

    LEARNER = "learner"
    STAFF = "staff"
    TEST = "test"
    OPTION = "option"
    COMMITTEE = "committee"
    CONTRIBUTOR = "contributor"
    CANDIDATE = "candidate"


class Row(NamedTuple):
    """One row as its source gives it.

    Values by column name, untouched, with the line (or row number) it came from.

    A named tuple, because it is made for every row: a frozen dataclass takes three times as long.
    """

    line: int
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RowError:
    """A row (or a record) that can't be used: where, which field, why, and what to do.

    `key` is the record's key as far as it could be read: whole, so that the record keeps what is
    known; for what is on a test perhaps `(test, "")`, or `("", person)`; `None` when not even that,
    which defers all removals of the kind. Row errors of one `cause` are said in one line; an empty
    one stands for itself. With `left_out` the record is made all the same, without this field.
    `rule` is the number of the safety rule behind it.
    """

    where: str
    field: str
    reason: str
    remedy: str
    kind: Kind
    key: Key | None = None
    cause: str = ""
    left_out: bool = False
    rule: int = 6

    def __str__(self) -> str:
        return f"{self.where}: {self.field}: {self.reason}; {self.remedy}"


UNNUMBERED = ("row", "entry")
"""What rows are counted in where they have no lasting number: those of a database and of a
directory."""

_UNNUMBERED = tuple(f" {unit}" for unit in UNNUMBERED)


def row_place(place: str, line: int, key: Key | None = None) -> str:
    """Return how a row is named to people.

    `place` ends with what its rows are counted in, such as `students.csv line`.

    A row of a database or a directory has another number in each reading, so its record's key names
    it where it can.
    """
    if key and key[0] and place.endswith(_UNNUMBERED):
        return f"{place.rpartition(' ')[0]} key {' / '.join(part for part in key if part)}"
    return f"{place} {line}"


DIGEST_PREFIX = "digest "
"""How what stands for a secret in the state begins."""

_BETWEEN = "\n"


def joined(items: Iterable[str]) -> str:
    """Several values as one text, sorted and each once, so that their order makes no difference.

    Without any, the text is empty.

    No value can hold the line break that stands between them.
    """
    return _BETWEEN.join(sorted(set(items)))


def listed(text: object) -> tuple[str, ...]:
    """Return the inverse of `joined`; nothing gives no values."""
    return tuple(str(text).split(_BETWEEN)) if text else ()


def utc_text(time: datetime) -> str:
    """Return an aware time as it is stored, compared and sent.

    UTC, whole seconds, such as `2024-10-18T07:00:00Z`.
    """
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_time(text: str) -> datetime:
    """Return the inverse of `utc_text`."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def by_cause(row_errors: Iterable[RowError]) -> Iterator[tuple[RowError, int]]:
    """Yield the first row error of each cause, with how many more the cause has.

    Each row error without a cause comes by itself.
    """
    for cause, group in groupby(
        row_errors, key=lambda row_error: (row_error.kind, row_error.field, row_error.cause)
    ):
        if cause[-1]:
            first = next(group)
            yield first, sum(1 for _ in group)
        else:
            yield from ((row_error, 0) for row_error in group)
