"""A plan as text: what would be done, what waits, is deferred or held and why, and row errors."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Protocol
from zoneinfo import ZoneInfo

from sync.planning.limits import HeldScope
from sync.records.base import Kind, RowError
from sync.records.changes import Action, Cause, PlannedChange, Verdict
from sync.report.local_time import with_local_times
from sync.report.verdict import verdict_text
from sync.report.wording import (
    cause_of,
    change_text,
    first_keys_text,
    plural,
    row_error_text,
)
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
_NOTHING = "Nothing to do: as far as this state knows, Inspera matches the sources."
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


def plan_text(
    passing: Iterable[PlannedChange],
    groups: Mapping[Verdict, Iterable[ReasonGroup]],
    most: int | None = MOST,
    heading: str = "Would do",
    total: int | None = None,
    *,
    sound: bool = True,
    zone: ZoneInfo | None = None,
) -> Iterator[str]:
    """Yield the plan's lines by verdict; one line a reason, or with no `most` each change.

    Args:
        passing: what the guard allows, under `heading`: "Would do" means that nothing is done.
        groups: what does not go ahead, by verdict and by reason.
        most: how many lines of a list are printed; None prints each change of each group.
        heading: the heading of what passes.
        total: how many pass; with it, the lines that are cut off are not even read.
        sound: whether all that is wanted could be used, so that no change means that Inspera has
            it.
        zone: the zone of the tests, for times; None shows UTC alone.
    """
    sections = [(heading, capped((f"  {change_text(line)}" for line in passing), most, total))]
    sections += [(_HEADINGS[verdict], _groups_text(of, most)) for verdict, of in groups.items()]
    empty = True
    for title, lines in sections:
        for number, text in enumerate(lines):
            if number == 0:
                yield from ("", f"{title}:")
            yield with_local_times(text, zone)
            empty = False
    if empty:
        yield _NOTHING if sound else _NOTHING_SENT


def _groups_text(groups: Iterable[ReasonGroup], most: int | None) -> Iterator[str]:
    for number, group in enumerate(groups):
        if most is not None and number >= most:
            yield "  … and more (--all shows them)"
            return
        if group.total == 1:
            yield f"  {change_text(group.lines[0])}{masked(f': {group.reason}')}"
            continue
        change = group.lines[0].change
        what = plural(group.total, "change")
        if group.alike:
            what = f"{change.action} {plural(group.total, change.kind)}"
        text = f"  {what}: {group.reason}"
        if most is None:
            yield masked(text)
            yield from (f"    {change_text(line)}" for line in group.lines)
        else:
            changes = [line.change for line in group.lines]
            keys = [
                each.key if group.alike else (f"{each.kind} {each.key[0]}", *each.key[1:])
                for each in changes
            ]
            yield f"{masked(text)}; {first_keys_text(keys, group.total)}"


def capped(
    lines: Iterable[str], most: int | None, total: int | None = None, indent: str = "  "
) -> Iterator[str]:
    """Yield at most `most` lines, then how many more there were, counted or from `total`."""
    rest = iter(lines)
    yield from islice(rest, most)
    if most is None:
        return
    more = sum(1 for _ in rest) if total is None else max(0, total - most)
    if more:
        yield f"{indent}… and {more:,} more (--all shows them)"


def row_errors_text(row_errors: Iterable[RowError], most: int | None = MOST) -> Iterator[str]:
    """Yield the row errors under a heading: each of them with `most` None, else a line a cause."""
    lines = map(row_error_text, row_errors) if most is None else _causes_text(row_errors, most)
    for number, text in enumerate(lines):
        if number == 0:
            yield from ("", "Row errors (their records stay as they are):")
        yield f"  {text}"


def _causes_text(row_errors: Iterable[RowError], most: int) -> Iterator[str]:
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
    yield from (row_error_text(first, more[cause]) for cause, first in firsts.items())
    if others:
        yield f"… and {others:,} more (--all shows them)"


_SCOPE_HEADINGS = {
    Cause.ZEROS: "Leading zeros are lost:",
    Cause.LIMIT: "Over a limit:",
    Cause.TIMES: "Held together by the times of tests:",
}


def scopes_text(scopes: Sequence[HeldScope]) -> Iterator[str]:
    """Yield the scopes that are held as one, by cause, each with why and a remedy."""
    for cause, heading in _SCOPE_HEADINGS.items():
        found = [held for held in scopes if held.cause is cause]
        if found:
            yield from ("", heading)
        for held in found:
            end = "allowed for this run" if held.allowed else held.remedy
            yield f"  {held.scope.name}: {held.excess}; {end}"


def waiting_text(waiting: int, soon: int) -> Iterator[str]:
    """Yield a warning if changes wait."""
    if not waiting:
        return
    verb = "waits" if waiting == 1 else "wait"
    what = f"{plural(waiting, 'change')} {verb} for something that is not in Inspera"
    due = f", {soon:,} of them for tests that start within 7 days" if soon else ""
    yield f"Warning: {what}{due}; settle what each waits for (`plan --all` names it)."


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
) -> str:
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
    figures = "; ".join(parts)
    if status is None:
        return f"Summary: {figures}."
    return verdict_text("Summary", figures, status)
