"""The values that everything else speaks of: rows, faults and records. No behaviour beyond naming themselves.

A record's *key* is the source's stable identifier and is never sent. In every record `None` means "unmapped or blank:
leave Inspera's value alone" and `""` means "clear it" (only where a feed says `blank: clear`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

Key = tuple[str, ...]
"""`(key,)` for a learner or a test, `(test, learner)` for a candidate."""

MAX_CANDIDATES = 1500
"""Candidates that one test can hold (vendor contract, Test API: candidates)."""

MAX_TITLE = 500
"""Characters in a test's title, which may not hold `[` or `]` (vendor contract, Test API: create)."""


class Kind(StrEnum):
    """The kinds of record that feeds make, in the order in which they must exist in Inspera."""

    LEARNER = "learner"
    TEST = "test"
    CANDIDATE = "candidate"


class Row(NamedTuple):
    """One row as its source gives it: values by column name, untouched, with the line (or row number) it came from.

    A named tuple, because it is made for every row: a frozen dataclass takes three times as long.
    """

    line: int
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fault:
    """A row (or a record) that can't be used: where, which field, why, and what to do.

    `key` is the record's key as far as it could be read: whole, so that the record keeps what is known; for a
    candidate perhaps `(test, "")`; `None` when not even that, which withholds all removals of the kind.
    """

    where: str
    field: str
    reason: str
    remedy: str
    kind: Kind
    key: Key | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.field}: {self.reason}; {self.remedy}"


class Learner(NamedTuple):
    """A person who sits exams (vendor contract, Users API).

    Records are named tuples, not dataclasses, because one is made for every row. Their fields come in the order of
    `KEY_FIELDS`, `COMPARED` and `SENT_ONCE`.
    """

    key: str
    username: str | None = None
    external_id: str | None = None
    auth_system: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"Learner({self.key!r})"  # neither the password nor the person's name

    @property
    def kind(self) -> Kind:
        """Of the record."""
        return Kind.LEARNER


class Test(NamedTuple):
    """An exam event (vendor contract, Test API). Times are aware and in UTC; `duration` is in whole minutes."""

    key: str
    external_test_id: str | None = None
    title: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    duration: int | None = None
    template: str | None = None

    @property
    def kind(self) -> Kind:
        """Of the record."""
        return Kind.TEST


Test.__test__ = False  # type: ignore[attr-defined]  # not a test case, whatever pytest thinks of its name


class Candidate(NamedTuple):
    """A learner's seat on a test; `test` and `learner` are keys. `extra_time` is in whole minutes.

    `extra_percent` is extra time as a share of the test's duration, before it is turned into minutes.
    """

    test: str
    learner: str
    candidate_id: str | None = None
    extra_time: int | None = None
    room: str | None = None
    building: str | None = None
    extra_percent: int | None = None

    @property
    def kind(self) -> Kind:
        """Of the record."""
        return Kind.CANDIDATE


Record = Learner | Test | Candidate

RECORD_TYPES: Mapping[Kind, type[Learner] | type[Test] | type[Candidate]] = {
    Kind.LEARNER: Learner,
    Kind.TEST: Test,
    Kind.CANDIDATE: Candidate,
}

KEY_FIELDS: Mapping[Kind, tuple[str, ...]] = {
    Kind.LEARNER: ("key",),
    Kind.TEST: ("key",),
    Kind.CANDIDATE: ("test", "learner"),
}

SENT_ONCE: Mapping[Kind, tuple[str, ...]] = {
    Kind.LEARNER: ("password",),
    Kind.TEST: ("template",),
    Kind.CANDIDATE: ("extra_percent",),
}
"""Fields that are never compared: they matter when the record is made, or are turned into another field."""

IDENTITY: Mapping[Kind, tuple[str, ...]] = {
    Kind.LEARNER: ("username", "external_id", "auth_system"),
    Kind.TEST: ("external_test_id",),
    Kind.CANDIDATE: (),
}
"""Fields by which Inspera knows a record: when one changes on a known key, that is a rekey."""

COMPARED: Mapping[Kind, tuple[str, ...]] = {
    kind: tuple(name for name in record._fields if name not in KEY_FIELDS[kind] and name not in SENT_ONCE[kind])
    for kind, record in RECORD_TYPES.items()
}
"""Fields that are fingerprinted, remembered and compared, in the order in which they are shown."""


def key_of(record: Record) -> Key:
    """The record's key as several columns, never a joined string."""
    return (record.test, record.learner) if isinstance(record, Candidate) else (record.key,)


def utc_text(time: datetime) -> str:
    """An aware time as it is stored, compared and sent: UTC, whole seconds, such as `2024-10-18T07:00:00Z`."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_time(text: str) -> datetime:
    """The inverse of `utc_text`."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
