"""The values that everything else speaks of: rows, row errors and records. No behaviour beyond naming themselves.

A record's *key* is the source's stable identifier and is never sent. In every record `None` means "unmapped or blank:
leave Inspera's value alone" and `""` means "clear it" (only where a feed says `blank: clear`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

Key = tuple[str, ...]
"""`(key,)` for a person or a test; for what is on a test `(test, …)`: its learner, staff, committee or option."""

MAX_CANDIDATES = 1500
"""Candidates that one test can hold (vendor contract, Test API: candidates)."""

SHARES = 300_000
"""The whole, of which extra time is a share: thousandths of a percent, and of a minute an hour, are exact in it."""

MAX_TITLE = 500
"""Characters in a test's title, which may not hold `[` or `]` (vendor contract, Test API: create)."""


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
    """One row as its source gives it: values by column name, untouched, with the line (or row number) it came from.

    A named tuple, because it is made for every row: a frozen dataclass takes three times as long.
    """

    line: int
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RowError:
    """A row (or a record) that can't be used: where, which field, why, and what to do.

    `key` is the record's key as far as it could be read: whole, so that the record keeps what is known; for what is
    on a test perhaps `(test, "")`, or `("", person)`; `None` when not even that, which defers all removals of the
    kind. Row errors of one `cause` are said in one line; an empty one stands for itself. With
    `left_out` the record is made all the same, without this field.
    """

    where: str
    field: str
    reason: str
    remedy: str
    kind: Kind
    key: Key | None = None
    cause: str = ""
    left_out: bool = False

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


class Staff(NamedTuple):
    """A person who makes, runs or grades exams: an administrative user (vendor contract, Users API; inferred).

    `status` is `active` or `disabled`; `accesses` and `organisations` are lists (see `joined`).
    """

    key: str
    username: str | None = None
    external_id: str | None = None
    auth_system: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    status: str | None = None
    accesses: str | None = None
    organisations: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"Staff({self.key!r})"  # neither the password nor the person's name

    @property
    def kind(self) -> Kind:
        """Of the record."""
        return Kind.STAFF


class Option(NamedTuple):
    """One setting of a test, such as the lock-down browser (vendor contract, Test API: settings).

    `value` is text, `true` or `false` for a switch. A pin or a quit code is in `secret` instead; the state keeps a
    digest of it in the place of the value.
    """

    test: str
    option: str
    value: str | None = None
    secret: str | None = None

    def __repr__(self) -> str:
        return f"Option({self.test!r}, {self.option!r})"

    @property
    def kind(self) -> Kind:
        """Of the record."""
        return Kind.OPTION


class Committee(NamedTuple):
    """A committee of a test (vendor contract, Test API: committees). `type` is `GRADING` or `REASSESSMENT`."""

    test: str
    committee: str
    type: str | None = None

    @property
    def kind(self) -> Kind:
        """Of the record."""
        return Kind.COMMITTEE


class Contributor(NamedTuple):
    """A member of staff on a test; `test` and `staff` are keys, `roles` and `committees` lists (see `joined`).

    `notify` asks Inspera to tell the person, once, when they are put on the test.
    """

    test: str
    staff: str
    roles: str | None = None
    committees: str | None = None
    room: str | None = None
    building: str | None = None
    notify: int | None = None

    @property
    def kind(self) -> Kind:
        """Of the record."""
        return Kind.CONTRIBUTOR


class Candidate(NamedTuple):
    """A learner's seat on a test; `test` and `learner` are keys. `extra_time` is in whole minutes.

    `committees` is a list (see `joined`). `extra_share` is extra time as a share of the test's duration, in `SHARES`,
    before it is turned into minutes.
    """

    test: str
    learner: str
    candidate_id: str | None = None
    extra_time: int | None = None
    room: str | None = None
    building: str | None = None
    committees: str | None = None
    extra_share: int | None = None

    @property
    def kind(self) -> Kind:
        """Of the record."""
        return Kind.CANDIDATE


UNNUMBERED = ("row", "entry")
"""What rows are counted in where they have no lasting number: those of a database and of a directory."""

_UNNUMBERED = tuple(f" {unit}" for unit in UNNUMBERED)


def row_place(place: str, line: int, key: Key | None = None) -> str:
    """Return how a row is named to people; `place` ends with what its rows are counted in, such as `students.csv line`.

    A row of a database or a directory has another number in each reading, so its record's key names it where it can.
    """
    if key and key[0] and place.endswith(_UNNUMBERED):
        return f"{place.rpartition(' ')[0]} key {' / '.join(part for part in key if part)}"
    return f"{place} {line}"


Record = Learner | Staff | Test | Option | Committee | Contributor | Candidate

RECORD_TYPES: Mapping[Kind, type[Record]] = {
    Kind.LEARNER: Learner,
    Kind.STAFF: Staff,
    Kind.TEST: Test,
    Kind.OPTION: Option,
    Kind.COMMITTEE: Committee,
    Kind.CONTRIBUTOR: Contributor,
    Kind.CANDIDATE: Candidate,
}

KEY_FIELDS: Mapping[Kind, tuple[str, ...]] = {
    Kind.LEARNER: ("key",),
    Kind.STAFF: ("key",),
    Kind.TEST: ("key",),
    Kind.OPTION: ("test", "option"),
    Kind.COMMITTEE: ("test", "committee"),
    Kind.CONTRIBUTOR: ("test", "staff"),
    Kind.CANDIDATE: ("test", "learner"),
}

PEOPLE = (Kind.LEARNER, Kind.STAFF)
"""Kinds that are people: known to Inspera by username and external id."""

ON_A_TEST = (Kind.OPTION, Kind.COMMITTEE, Kind.CONTRIBUTOR, Kind.CANDIDATE)
"""Kinds that belong to a test, whose key is the first part of theirs."""

PERSON_OF: Mapping[Kind, Kind] = {Kind.CONTRIBUTOR: Kind.STAFF, Kind.CANDIDATE: Kind.LEARNER}
"""Whose key is the second part of the key of a contributor or a candidate."""

NEEDS: Mapping[Kind, tuple[Kind, ...]] = {
    Kind.LEARNER: (),
    Kind.STAFF: (),
    Kind.TEST: (),
    Kind.OPTION: (Kind.TEST,),
    Kind.COMMITTEE: (Kind.TEST,),
    Kind.CONTRIBUTOR: (Kind.STAFF, Kind.TEST, Kind.COMMITTEE),
    Kind.CANDIDATE: (Kind.LEARNER, Kind.TEST, Kind.COMMITTEE),
}
"""What must be in Inspera before a record of a kind can be."""

LISTS = frozenset({"roles", "committees", "accesses", "organisations"})
"""Fields that hold several values in one text (see `joined`)."""

SENT_ONCE: Mapping[Kind, tuple[str, ...]] = {
    Kind.LEARNER: ("password",),
    Kind.STAFF: ("password",),
    Kind.TEST: ("template",),
    Kind.OPTION: ("secret",),
    Kind.COMMITTEE: (),
    Kind.CONTRIBUTOR: ("notify",),
    Kind.CANDIDATE: ("extra_share",),
}
"""Fields that are never compared: they matter when the record is made or sent, or are turned into another field."""

SECRETS: Mapping[Kind, str] = {
    Kind.LEARNER: "password",
    Kind.STAFF: "password",
    Kind.OPTION: "secret",
}
"""The field of a kind that is never stored in the state, logged or shown."""

DIGEST_PREFIX = "digest "
"""How what stands for a secret in the state begins."""

IDENTITY: Mapping[Kind, tuple[str, ...]] = {
    Kind.LEARNER: ("username", "external_id", "auth_system"),
    Kind.STAFF: ("username", "external_id", "auth_system"),
    Kind.TEST: ("external_test_id",),
    Kind.OPTION: (),
    Kind.COMMITTEE: ("type",),
    Kind.CONTRIBUTOR: (),
    Kind.CANDIDATE: (),
}
"""Fields by which Inspera knows a record, or that it can't change: when one changes on a known key, it is a identity change."""

COMPARED: Mapping[Kind, tuple[str, ...]] = {
    kind: tuple(
        name
        for name in record._fields
        if name not in KEY_FIELDS[kind] and name not in SENT_ONCE[kind]
    )
    for kind, record in RECORD_TYPES.items()
}
"""Fields that are fingerprinted, remembered and compared, in the order in which they are shown."""

_BETWEEN = "\n"


def joined(items: Iterable[str]) -> str:
    """Several values as one text, sorted and each once, so that their order is no difference; none is `""`.

    No value can hold the line break that stands between them.
    """
    return _BETWEEN.join(sorted(set(items)))


def listed(text: object) -> tuple[str, ...]:
    """The inverse of `joined`; nothing gives no values."""
    return tuple(str(text).split(_BETWEEN)) if text else ()


def key_of(record: Record) -> Key:
    """The record's key as several columns, never a joined string."""
    parts: tuple[str, ...] = record[: len(KEY_FIELDS[record.kind])]  # type: ignore[assignment]  # its first fields
    return parts


def utc_text(time: datetime) -> str:
    """An aware time as it is stored, compared and sent: UTC, whole seconds, such as `2024-10-18T07:00:00Z`."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_time(text: str) -> datetime:
    """The inverse of `utc_text`."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def by_cause(row_errors: Iterable[RowError]) -> Iterator[tuple[RowError, int]]:
    """Yield the first row error of each cause with how many more it has; row errors without a cause each by itself."""
    for cause, group in groupby(
        row_errors, key=lambda row_error: (row_error.kind, row_error.field, row_error.cause)
    ):
        if cause[-1]:
            first = next(group)
            yield first, sum(1 for _ in group)
        else:
            yield from ((row_error, 0) for row_error in group)
