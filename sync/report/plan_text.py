"""A plan as text: what would be done, what waits, is deferred or held and why, and row errors."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol
from zoneinfo import ZoneInfo

from sync.planning.limits import HeldScope
from sync.records.base import Kind, RowError
from sync.records.changes import Action, Cause, PlannedChange, Verdict
from sync.report.lines import (
    Cell,
    Figures,
    Line,
    TableColumn,
    TableRow,
    Tone,
    capped,
    muted,
    section,
)
from sync.report.local_time import with_local_times
from sync.report.verdict import verdict_text
from sync.report.wording import cause_of, change_row, change_tone, key_cells, plural, row_error_row
from sync.text.masking import masked

MOST = 50
"""Lines of one list that are printed without `--all`."""

CHECKED_AT_APPLY = (
    "Checked at apply, when Inspera can be read: candidates and extra time given by hand, times "
    "changed by hand, tests that Inspera already has, a lost state."
)
_HEADINGS = {
    Verdict.WAITING: "Waiting for something else first",
    Verdict.DEFERRED: "Deferred (clears by itself)",
    Verdict.HELD: "Held for a person to decide",
}
_BLOCKED = "Not sent until the cause is fixed (it does not clear by itself)"
_LEFT_ALONE = "Left alone"
_ORDER = {kind: number for number, kind in enumerate(Kind)}
_COLUMNS: Mapping[str, Tone | None] = {
    **{action: change_tone(action, Verdict.PASS) for action in Action},
    Verdict.WAITING: None,
    Verdict.DEFERRED: None,
    Verdict.HELD: Tone.HELD,
}
NOTHING = "Nothing to do: as far as this state knows, Inspera matches the sources."
_NOTHING_ASKED = (
    "Nothing to do: as far as this state knows, Inspera matches the sources in what was asked for."
)
_NOTHING_SENT = "Nothing to do with the valid rows; the others are listed here."


class ReasonGroup(Protocol):
    """Lines of a plan with one reason: `lines` are the first of `total`."""

    @property
    def reason(self) -> str:
        """Return why they do not go ahead."""

    @property
    def total(self) -> int:
        """Return how many there are."""

    @property
    def lines(self) -> Sequence[PlannedChange]:
        """Return the first of them."""

    @property
    def alike(self) -> bool:
        """Tell whether all have one action and one kind."""


def plan_text(  # noqa: PLR0913 - each is a separate part
    passing: Iterable[PlannedChange],
    groups: Mapping[Verdict, Iterable[ReasonGroup]],
    most: int | None = MOST,
    title: str = "Would do",
    total: int | None = None,
    *,
    blocked: Iterable[ReasonGroup] = (),
    left_alone: Iterable[ReasonGroup] = (),
    sound: bool = True,
    narrowed: bool = False,
    zone: ZoneInfo | None = None,
    nothing: str = NOTHING,
) -> Iterator[Line]:
    """Yield the plan's lines by verdict; one line a reason, or with no `most` each change.

    Args:
        passing: what the guard allows, under `title`: "Would do" means that nothing is done.
        groups: what does not go ahead, by verdict and by reason.
        most: how many lines of a list are printed; None prints each change of each group.
        title: the heading of what passes.
        total: how many pass; with it, the lines that are cut off are not even read.
        blocked: what is deferred for a cause that somebody has to fix.
        left_alone: what is outside the pilot group.
        sound: whether all that is wanted could be used, so that no change means that Inspera has
            it.
        narrowed: whether only a part of the plan was asked for.
        zone: the zone of the tests, for times; None shows UTC alone.
        nothing: what is printed without any change, if `sound`; empty for no line at all.
    """
    sections = [(title, capped(map(change_row, passing), most, total))]
    sections += [(_BLOCKED, _group_rows(blocked, most))]
    sections += [(_HEADINGS[verdict], _group_rows(of, most)) for verdict, of in groups.items()]
    sections.append((_LEFT_ALONE, _group_rows(left_alone, most)))
    empty = True
    for name, lines in sections:
        for line in section(name, lines):
            yield line.rewritten(lambda text: with_local_times(text, zone))
            empty = False
    if empty and nothing:
        if narrowed and nothing == NOTHING:
            nothing = _NOTHING_ASKED
        yield Line(nothing if sound else _NOTHING_SENT, Tone.GOOD if sound else None)


def _group_rows(groups: Iterable[ReasonGroup], most: int | None) -> Iterator[Line]:
    for number, group in enumerate(groups):
        if most is not None and number >= most:
            yield muted("  … and more (--all shows them)")
            return
        if group.total == 1:
            yield change_row(group.lines[0], group.reason)
        else:
            yield _group_row(group, with_keys=most is not None)
            if most is None:
                yield from (change_row(line, indent=4) for line in group.lines)


def _group_row(group: ReasonGroup, *, with_keys: bool) -> TableRow:
    """Return the row of several changes with one reason."""
    first = group.lines[0]
    if group.alike:
        cells = [
            Cell(first.change.action, TableColumn.LABEL),
            Cell(plural(group.total, first.change.kind), TableColumn.KIND, " "),
        ]
        keys = [line.change.key for line in group.lines]
    else:
        cells = [Cell(plural(group.total, "change"), TableColumn.LABEL)]
        changes = (line.change for line in group.lines)
        keys = [(f"{change.kind} {change.key[0]}", *change.key[1:]) for change in changes]
    cells.append(Cell(group.reason, TableColumn.TEXT, ": "))
    cells += key_cells(keys, group.total) if with_keys else []
    return TableRow(cells, change_tone(first.change.action, first.verdict)).rewritten(masked)


def row_errors_text(row_errors: Iterable[RowError], most: int | None = MOST) -> Iterator[Line]:
    """Yield the row errors under a heading: each of them with `most` None, else a line a cause."""
    rows = map(row_error_row, row_errors) if most is None else _cause_rows(row_errors, most)
    yield from section("Row errors (their records stay as they are)", rows)


def _cause_rows(row_errors: Iterable[RowError], most: int) -> Iterator[Line]:
    """Yield the first row error of each cause with how many more it has.

    Row errors of one cause need not be neighbours, so all are read before the first line. Memory
    does not grow with their number: what comes after `most` causes is counted alone.
    """
    firsts: dict[tuple[str, str, str], RowError] = {}
    more = Counter[tuple[str, str, str]]()
    others = 0
    for row_error in row_errors:
        cause = cause_of(row_error)
        if cause in firsts:
            more[cause] += 1
        elif len(firsts) < most:
            firsts[cause] = row_error
        else:
            others += 1
    yield from (row_error_row(first, more[cause]) for cause, first in firsts.items())
    if others:
        yield muted(f"  … and {others:,} more (--all shows them)")


_SCOPE_HEADINGS = {
    Cause.CONFIGURATION: "Only the new configuration makes these changes",
    Cause.ZEROS: "Leading zeros are lost",
    Cause.LIMIT: "Over a limit",
    Cause.TIMES: "Held together by the times of tests",
    Cause.UNDONE: "Undone by a person",
    Cause.PARENT: "Candidates of tests that are parents of other tests",
}


def scopes_text(scopes: Sequence[HeldScope], most: int | None = None) -> Iterator[Line]:
    """Yield the scopes that are held as one, by cause, each with why and a remedy.

    A lost faculty has one for each of its tests, which come after those of kinds.
    """
    for cause, title in _SCOPE_HEADINGS.items():
        rows = (_scope_row(held) for held in scopes if held.cause is cause)
        yield from section(title, capped(rows, most))


def _scope_row(held: HeldScope) -> TableRow:
    remedy = "allowed for this run" if held.allowed else held.remedy
    cells = (
        Cell(held.scope.name, TableColumn.LABEL),
        Cell(f"{held.excess}; {remedy}", TableColumn.TEXT, ": "),
    )
    return TableRow(cells, None if held.allowed else Tone.HELD)


def waiting_text(waiting: int, soon: int) -> Iterator[Line]:
    """Yield a warning if changes wait."""
    if not waiting:
        return
    verb = "waits" if waiting == 1 else "wait"
    what = f"{plural(waiting, 'change')} {verb} for something that is not in Inspera"
    due = f", {soon:,} of them for tests that start within 7 days" if soon else ""
    text = f"Warning: {what}{due}; settle what each waits for (`plan --all` names it)."
    yield Line(text, Tone.HELD)


def left_out_text(left_out: Mapping[Kind, int]) -> str:
    """Return how many tests had ended before they were ever sent; empty for zero."""
    tests, registrations = left_out.get(Kind.TEST, 0), left_out.get(Kind.CANDIDATE, 0)
    if not tests:
        return ""
    left = f"{plural(tests, 'test')} that had ended before being sent left out"
    return f"{left}, with {plural(registrations, 'registration')}"


def summary_text(
    tally: Mapping[tuple[Kind, Action, Verdict], int],
    row_errors: int,
    ignored: int,
    status: int | None = None,
    *,
    left_out: Mapping[Kind, int] | None = None,
    unasked: int = 0,
) -> Figures:
    """Return the figures in one line; with `status` as the last line of a command."""
    verdicts: Counter[Verdict] = Counter()
    passing: Counter[tuple[Action, Kind]] = Counter()
    for (kind, action, verdict), number in tally.items():
        verdicts[verdict] += number
        if verdict is Verdict.PASS:
            passing[action, kind] += number
    parts = [
        f"{action} {plural(number, kind.value)}"
        for (action, kind), number in sorted(passing.items())
    ]
    parts = [", ".join(parts) or "no change"]
    parts += [
        f"{verdicts[v]:,} {v}"
        for v in (Verdict.WAITING, Verdict.DEFERRED, Verdict.HELD)
        if verdicts[v]
    ]
    parts.append(plural(row_errors, "row error"))
    if ignored:
        parts.append(f"{plural(ignored, 'registration')} of retired tests ignored")
    parts += filter(None, [left_out_text(left_out or {})])
    if unasked:
        verb = "was" if unasked == 1 else "were"
        parts.append(f"{plural(unasked, 'other change')} {verb} not asked for")
    figures = "; ".join(parts)
    found = {**{str(verdict): n for verdict, n in verdicts.items()}, "row error": row_errors}
    line = (
        Line(f"Summary: {figures}.")
        if status is None
        else verdict_text("Summary", figures, status, found)
    )
    return Figures(line, _counts(tally), _COLUMNS)


def _counts(tally: Mapping[tuple[Kind, Action, Verdict], int]) -> Mapping[tuple[str, str], int]:
    """Return how many changes each kind has: those that pass by action, the others by verdict."""
    counts = Counter[tuple[str, str]]()
    for (kind, action, verdict), number in sorted(
        tally.items(), key=lambda item: _ORDER[item[0][0]]
    ):
        counts[kind, action if verdict is Verdict.PASS else verdict] += number
    return counts
