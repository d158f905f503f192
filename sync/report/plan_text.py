"""A plan as text: what would be done, what waits, what is deferred or held and why, and the row errors."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Protocol

from sync.planning.guard import HeldScope
from sync.records.base import Kind, RowError, by_cause
from sync.records.changes import Action, PlannedChange, Verdict
from sync.report.verdict import verdict_text
from sync.report.wording import change_text, plural, row_error_text
from sync.text.masking import masked

MOST = 50
"""Lines of one list that are printed unless all are asked for."""

CHECKED_AT_APPLY = (
    "Checked at apply, when Inspera can be read: seats and extra time given by hand, times changed by hand, tests that "
    "are there already, a lost state."
)
_HEADINGS = {
    Verdict.WAITING: "Waiting for something else first",
    Verdict.DEFERRED: "Deferred (clears by itself)",
    Verdict.HELD: "Held for a person to decide",
}
_NOTHING = "Nothing to do: Inspera is as the sources say, as far as this state knows."
_NOTHING_SENT = "Nothing to do with what could be used; what could not is named here."


class ReasonGroup(Protocol):
    """The lines of a plan that do not go ahead for one and the same reason: `lines` are the first of `total`."""

    @property
    def reason(self) -> str:
        """Why they do not go ahead."""

    @property
    def total(self) -> int:
        """How many there are."""

    @property
    def lines(self) -> Sequence[PlannedChange]:
        """The first of them."""


def plan_text(
    passing: Iterable[PlannedChange],
    groups: Mapping[Verdict, Iterable[ReasonGroup]],
    most: int | None = MOST,
    heading: str = "Would do",
    total: int | None = None,
    *,
    sound: bool = True,
) -> Iterator[str]:
    """Return the plan's lines by verdict, each list cut to `most` (None: all) with a count of the rest.

    Args:
        passing: what the guard lets pass, under `heading`: "Would do" says that nothing is done.
        groups: what does not go ahead, by verdict and by reason, so that one reason is said once.
        most: how many lines of a list are printed, and how many of one reason.
        heading: what stands above what passes.
        total: how many pass; with it, the lines that are cut off are not even read.
        sound: whether all that is wanted could be used, so that no change means that Inspera has it.
    """
    sections = [(heading, capped((f"  {change_text(line)}" for line in passing), most, total))]
    sections += [(_HEADINGS[verdict], _by_reason(of, most)) for verdict, of in groups.items()]
    empty = True
    for title, lines in sections:
        for number, text in enumerate(lines):
            if number == 0:
                yield from ("", f"{title}:")
            yield text
            empty = False
    if empty:
        yield _NOTHING if sound else _NOTHING_SENT


def _by_reason(groups: Iterable[ReasonGroup], most: int | None) -> Iterator[str]:
    """Return one line for each change, under its reason where several changes share it."""
    for number, group in enumerate(groups):
        if most is not None and number >= most:
            yield "  … and more, for other reasons (--all shows them)"
            return
        if group.total == 1:
            yield f"  {change_text(group.lines[0])}{masked(f': {group.reason}')}"
            continue
        yield masked(f"  {group.total:,} changes: {group.reason}")
        yield from capped(
            (f"    {change_text(line)}" for line in group.lines), most, group.total, "    "
        )


def capped(
    lines: Iterable[str], most: int | None, total: int | None = None, indent: str = "  "
) -> Iterator[str]:
    """At most `most` lines, then how many more there were; they are counted unless `total` tells."""
    rest = iter(lines)
    yield from islice(rest, most)
    if most is None:
        return
    more = sum(1 for _ in rest) if total is None else max(0, total - most)
    if more:
        yield f"{indent}… and {more:,} more (--all shows them)"


def row_errors_text(row_errors: Iterable[RowError], most: int | None = MOST) -> Iterator[str]:
    """All row errors, under a heading, those of one cause in one line; nothing when there are none."""
    lines = (f"  {row_error_text(row_error, more)}" for row_error, more in by_cause(row_errors))
    for number, text in enumerate(capped(lines, most)):
        if number == 0:
            yield from ("", "Row errors (their records stay as they are):")
        yield text


def scopes_text(scopes: Sequence[HeldScope]) -> Iterator[str]:
    """Yield the scopes that are over their limits, or held by the times of tests, each with why and the way out."""
    for by_times, heading in (
        (False, "Over a limit:"),
        (True, "Held together by the times of tests:"),
    ):
        found = [held for held in scopes if held.by_times is by_times]
        if found:
            yield from ("", heading)
        for held in found:
            end = (
                "allowed for this run"
                if held.allowed
                else f"if it is right: apply --allow {held.digest}"
            )
            yield f"  {held.scope.name}: {held.excess}; {end}"


def waiting_text(waiting: int, soon: int) -> Iterator[str]:
    """Warn of changes that wait; nothing when there are none."""
    if not waiting:
        return
    what = f"{plural(waiting, 'change')} {'waits' if waiting == 1 else 'wait'} for something that is not in Inspera"
    due = f", {soon:,} of them for tests that start within 7 days" if soon else ""
    yield f"Warning: {what}{due}; settle what each waits for, see `status --all`."


def left_out_text(left_out: Mapping[Kind, int]) -> str:
    """Return how many tests had ended before they were ever sent, with their registrations; empty when none had."""
    tests, seats = left_out.get(Kind.TEST, 0), left_out.get(Kind.CANDIDATE, 0)
    if not tests:
        return ""
    return f"{plural(tests, 'test')} that had ended before being sent left out, with {plural(seats, 'registration')}"


def summary_text(
    tally: Mapping[tuple[Kind, Action, Verdict], int],
    row_errors: int,
    ignored: int,
    status: int | None = None,
    *,
    left_out: Mapping[Kind, int] | None = None,
) -> str:
    """Return one line that counts everything; with the exit status where it is the command's last line."""
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
    told = "; ".join(parts)
    return f"Summary: {told}." if status is None else verdict_text("Summary", told, status)
