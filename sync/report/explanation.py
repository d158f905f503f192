"""One record, explained: values that may be shown. Secrets are not in them any more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sync.mapping import RowTrace
from sync.records.base import Key, Kind, RowError
from sync.records.changes import Change, Verdict


@dataclass(frozen=True, slots=True)
class ExplainedRow:
    """A row that names the record, and what its feed makes of it.

    Attributes:
        feed: the number of the feed in the configuration, from 1 on.
        place: where the row is, such as `students.csv line 4`.
        cells: the columns that the feed reads, each with its raw value.
        joined: rows of other sources that are joined to it, by their place.
        outcome: what becomes of the row: a record, `not selected`, `departs` or row errors.
        numbered_place: its place by its number, even where rows have no lasting number.
        hidden: the fields whose values are secrets.
    """

    feed: int
    source: str
    place: str
    cells: Mapping[str, str]
    joined: Mapping[str, Mapping[str, str]]
    trace: RowTrace
    outcome: str
    numbered_place: str
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ExplainedChange:
    """The plan's line about the record: the change, its verdict, why, and the rule behind it."""

    change: Change
    verdict: Verdict
    reason: str
    rule: int | None


@dataclass(frozen=True, slots=True)
class ExplainedCall:
    """A past call: when, by which run, what, and the vendor's words."""

    at: str
    run: int
    command: str
    action: str
    outcome: str
    message: str
    approved: bool


@dataclass(frozen=True, slots=True)
class ExplainedRecord:
    """What this state knows of the record. Times are text in UTC.

    Attributes:
        origin: who put it into Inspera, when, and by which run, in words.
        named_by: the source that last named it, in words.
    """

    fields: Mapping[str, object]
    lifecycle: str
    managed: bool
    remote_id: str | None
    origin: str
    named_by: str
    updated: str


@dataclass(frozen=True, slots=True)
class PastRunFinding:
    """What the last run found about the record, with the number of the rule."""

    type: str
    text: str
    rule: int | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything about one record, in the order in which it is shown.

    Attributes:
        row_errors: those that concern the record.
        known: None when the state does not know the record.
        change: the plan's line; None when the plan has none, and then `nothing` says why.
        activation: the plan's line about the activation of a test; None without one.
        near: keys that are nearly this one, with where they are; only when the key is unknown.
        feeds_read: the feeds that were read for records of this kind.
        problems: what is wrong with the sources in this reading.
        asked_by: what asks for it if no row does: another kind's row, or an earlier reading.
    """

    kind: Kind
    key: Key
    rows: Sequence[ExplainedRow]
    row_errors: Sequence[RowError]
    known: ExplainedRecord | None
    change: ExplainedChange | None
    nothing: str
    nothing_rule: int | None
    activation: ExplainedChange | None = None
    findings: Sequence[PastRunFinding] = ()
    found_by: str = ""
    decisions: Sequence[tuple[str, str]] = ()
    calls: Sequence[ExplainedCall] = ()
    call_count: int = 0
    near: Sequence[str] = ()
    feeds_read: Sequence[str] = ()
    problems: Sequence[str] = ()
    asked_by: str = ""

    @property
    def is_unknown(self) -> bool:
        """Tell whether no row names the key and the state has nothing about it."""
        return not (self.rows or self.row_errors or self.known or self.change or self.call_count)
