"""A plan as text: what would be done, what waits, what is withheld or held and why, and the faults."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from sync.guard import HeldScope
from sync.masking import masked
from sync.model import Fault, Kind
from sync.plan import Action, Planned, Verdict
from sync.report.wording import change_text, fault_text, plural

MOST = 50
"""Lines of one list that are printed unless all are asked for."""

CHECKED_AT_APPLY = (
    "Checked at apply, when Inspera can be read: seats and extra time given by hand, times changed by hand, tests that "
    "are there already, a lost state."
)
_HEADINGS = {
    Verdict.WAITING: "Waiting for something else first",
    Verdict.WITHHELD: "Withheld (clears by itself)",
    Verdict.HELD: "Held for a person to decide",
}
_NOTHING = "Nothing to do: Inspera is as the sources say, as far as this state knows."


def plan_text(
    planned: Mapping[Verdict, Iterable[Planned]],
    most: int | None = MOST,
    passing: str = "Would do",
    totals: Mapping[Verdict, int] | None = None,
) -> Iterator[str]:
    """The plan's lines by verdict, each list cut to `most` (None: all) with a count of the rest.

    `passing` heads what the guard lets pass: "Would do" says that nothing is done. With `totals`, the lines of each
    verdict, what is cut off is not even read.
    """
    empty = True
    for verdict, lines in planned.items():
        total = (totals or {}).get(verdict)
        for number, text in enumerate(capped(_section(verdict, lines), most, total)):
            if number == 0:
                yield from ("", f"{_HEADINGS.get(verdict, passing)}:")
            yield text
            empty = False
    if empty:
        yield _NOTHING


def _section(verdict: Verdict, lines: Iterable[Planned]) -> Iterator[str]:
    for line in lines:
        reason = "" if verdict is Verdict.PASS else f": {line.reason}"
        yield f"  {change_text(line)}{masked(reason)}"


def capped(lines: Iterable[str], most: int | None, total: int | None = None) -> Iterator[str]:
    """At most `most` lines, then how many more there were; they are counted unless `total` tells."""
    rest = iter(lines)
    yield from islice(rest, most)
    if most is None:
        return
    more = sum(1 for _ in rest) if total is None else max(0, total - most)
    if more:
        yield f"  … and {more:,} more (--all shows them)"


def faults_text(faults: Iterable[Fault], most: int | None = MOST) -> Iterator[str]:
    """All faults, under a heading; nothing when there are none."""
    for number, text in enumerate(capped((f"  {fault_text(fault)}" for fault in faults), most)):
        if number == 0:
            yield from ("", "Faults (their records stay as they are):")
        yield text


def scopes_text(scopes: Sequence[HeldScope]) -> Iterator[str]:
    """The scopes that are over their limits, with the arithmetic and the way out."""
    if scopes:
        yield from ("", "Over a limit:")
    for held in scopes:
        end = "allowed for this run" if held.allowed else f"if it is right: apply --allow {held.digest}"
        yield f"  {held.scope.name}: {held.excess}; {end}"


def summary_text(tally: Mapping[tuple[Kind, Action, Verdict], int], faults: int, ignored: int) -> str:
    """One line that counts everything."""
    verdicts: Counter[Verdict] = Counter()
    passing: Counter[tuple[Action, Kind]] = Counter()
    for (kind, action, verdict), number in tally.items():
        verdicts[verdict] += number
        if verdict is Verdict.PASS:
            passing[action, kind] += number
    parts = [f"{action} {plural(number, kind.value)}" for (action, kind), number in sorted(passing.items())]
    parts = [", ".join(parts) or "no change"]
    parts += [f"{verdicts[v]:,} {v}" for v in (Verdict.WAITING, Verdict.WITHHELD, Verdict.HELD) if verdicts[v]]
    parts.append(plural(faults, "fault"))
    if ignored:
        parts.append(f"{plural(ignored, 'registration')} of retired tests ignored")
    return "Summary: " + "; ".join(parts) + "."
