"""The model of a report on a plan, a run or what is held; text, JSON and HTML show the same.

Sections, groups and items are read while they are written, so memory does not grow with them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sync.records.base import Key, Kind
from sync.records.changes import Value

SCHEMA = 1
"""The version of the JSON; raised when a member changes its meaning or goes."""

DOCUMENT = "inspera-sync report"
"""The mark by which a file is known as a report."""


class Subject(StrEnum):
    """What a report is about."""

    PLAN = "plan"
    RUN = "run"
    HELD = "held"


class SectionName(StrEnum):
    """The sections of a report, in their order."""

    HELD = "held"
    ERRORS = "errors"
    WAITING = "waiting"
    DEFERRED = "deferred"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True)
class NamedTest:
    """A test as people know it; times are in UTC as the state stores them."""

    key: str
    title: str | None = None
    start: str | None = None
    end: str | None = None


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field with its old and its new value; of a secret neither is shown."""

    name: str
    before: Value
    after: Value
    secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One change, row error or finding.

    Attributes:
        action: what the change does; None for a row error or a finding.
        result: its verdict in a plan, its result in a run.
        key: the key of its record; None where it could not be read.
        person: the name of the person that it is about.
        test: the test that it is about or on.
        fields: what differs, or what a new record contains.
        place: the row that asks for it.
        reason: why it does not go ahead, in the words of the plan or of Inspera.
        remedy: what to do about it.
        digest: the hash of exactly this change, where a person may allow it by that.
        note: what a person has decided about it, or why it is made.
    """

    kind: Kind
    key: Key | None
    result: str
    action: str | None = None
    person: str | None = None
    test: NamedTest | None = None
    fields: Sequence[FieldChange] = ()
    place: str = ""
    reason: str = ""
    remedy: str = ""
    digest: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Items with one cause.

    Attributes:
        cause: the cause in one word, or the kind of changes that go ahead.
        title: the cause as a short heading.
        explanation: the cause in plain words, and what clears it.
        rule: the number of the safety rule behind it.
        notes: what is said of all items at once, such as the arithmetic of a limit.
    """

    cause: str
    title: str
    total: int
    items: Iterable[Item]
    explanation: str = ""
    rule: int | None = None
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The part of a report with one outcome."""

    name: SectionName
    title: str
    about: str
    total: int
    groups: Iterable[Group]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many changes of a kind have an outcome: an action that goes ahead, or why not."""

    kind: Kind
    outcome: str
    count: int


@dataclass(frozen=True, slots=True)
class DayTally:
    """How many changes concern the tests of a day, by their outcome."""

    day: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """The run that a report is about; times are in UTC."""

    id: int
    command: str
    started: str
    ended: str | None
    status: str
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole report.

    Attributes:
        statement: in a sentence what this report is, and whether anything was sent.
        made_at: when it was made, or planned.
        zone: the name of the zone of local times; None shows UTC alone.
        exit_status: what the plan or the run ends with; None for what is held.
        meaning: the exit status in words.
        notices: what must be known before the report is read.
        totals: how many items each section has, in their order.
    """

    subject: Subject
    title: str
    statement: str
    tenant: str
    made_at: datetime
    zone: str | None
    exit_status: int | None
    meaning: str
    run: RunFacts | None
    notices: Sequence[str]
    totals: Mapping[SectionName, int]
    tallies: Sequence[Tally]
    days: Sequence[DayTally]
    sections: Iterable[Section]
    pseudonymised: bool = False
