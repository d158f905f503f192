"""The check that a source is complete: it counts while rows are read, and names what fails."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from sync.engine.protocols import CompletenessRules
from sync.planning.remedies import accept_shrink
from sync.records.base import Row
from sync.text.masking import quoted_value

MOST_GROUPS = 10_000
"""Values that a column of groups can have; a column with more holds no groups."""

MOST_NAMED = 5

KEPT = "nothing that rests on it is removed"


@dataclass(slots=True)
class CompletenessCheck:
    """The counts of one source while it is read.

    Attributes:
        last: its last row, once all were read.
        torn: whether that ended without a line end; None when that is unknown.
    """

    proof: CompletenessRules
    rows: int = 0
    groups: set[str] = field(default_factory=set)
    last: Row | None = None
    torn: bool | None = None
    _missing: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._missing = {column: set(values) for column, values in self.proof.canary.items()}

    @property
    def columns(self) -> frozenset[str]:
        """Return the columns that the rules name."""
        return frozenset(self._missing) | ({self.proof.group} if self.proof.group else frozenset())

    def watched(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows as they come, and check each of them."""
        row = None
        if not self.columns:
            for row in rows:
                self.rows += 1
                yield row
            self.last = row
            return
        group = self.proof.group
        for row in rows:
            self.rows += 1
            for column, missing in self._missing.items():
                if missing:
                    missing.discard(row.values[column].strip())
            if group and len(self.groups) <= MOST_GROUPS and (value := row.values[group].strip()):
                self.groups.add(value)
            yield row
        self.last = row

    def failures(self, groups_before: Callable[[], frozenset[str]]) -> Iterator[str]:
        """Yield what shows that the source is incomplete, once all rows were read."""
        least = self.proof.minimum_rows
        if self.rows < least:
            yield f"has {self.rows:,} rows, fewer than minimum_rows ({least:,})"
        for column, missing in self._missing.items():
            if missing:
                yield (
                    f"lacks {_named(missing)} in column '{column}', which the canary says must "
                    "be there"
                )
        if self.proof.group:
            yield from self._lost_groups(groups_before())

    def _lost_groups(self, before: frozenset[str]) -> Iterator[str]:
        column = self.proof.group
        if len(self.groups) > MOST_GROUPS:
            yield (
                f"has more than {MOST_GROUPS:,} values in column '{column}', so it is not "
                "a column of groups"
            )
            return
        lost = before.difference(self.groups)
        if lost:
            yield (
                f"has no row any more with {_named(lost)} in column '{column}', of "
                f"{len(before):,} such groups before"
            )


TORN = (
    "its last line has no line end, and that of the delivery before had one: it may be cut off,"
    " so its last row is not used"
)


def torn(ended_whole: bool, accepted: bool, source: str) -> str:
    """Return why a source without a final line end is doubted; empty when that is usual there."""
    if accepted or not ended_whole:
        return ""
    return f"{TORN}; if it is right so, run {accept_shrink(source)}"


def cut_off(missing: int, kinds: str) -> str:
    """Return why a source that lacks its last records is doubted; empty when it lacks none."""
    if not missing:
        return ""
    return f"the last {missing:,} {kinds} of the delivery before are all missing: it may be cut off"


def _named(values: Iterable[str]) -> str:
    shown = sorted(values)
    more = f" and {len(shown) - MOST_NAMED:,} more" if len(shown) > MOST_NAMED else ""
    return ", ".join(quoted_value(value, code=True) for value in shown[:MOST_NAMED]) + more


def shrunk(lost: int, named: int, shrink: tuple[int, float], kinds: str) -> str:
    """Return how a source has shrunk; empty when it has not, or within its limit.

    `lost` of the `named` known records are not named any more.
    """
    allowed = _allowed(named, shrink)
    if lost <= allowed:
        return ""
    return (
        f"no longer names {lost:,} of the {named:,} known {kinds} that it named, "
        f"more than max({shrink[0]:,}, {shrink[1]:g}%) = {allowed:,}"
    )


def shorter(lost: int, before: int, shrink: tuple[int, float]) -> str:
    """Return how a joined source has shrunk: it names no records, so its rows are counted."""
    allowed = _allowed(before, shrink)
    if lost <= allowed:
        return ""
    return (
        f"has {lost:,} rows fewer than the {before:,} when it was last whole, "
        f"more than max({shrink[0]:,}, {shrink[1]:g}%) = {allowed:,}"
    )


def _allowed(of: int, shrink: tuple[int, float]) -> int:
    at_least, percent = shrink
    return max(at_least, int(of * percent / 100))
