"""The result of a run as text: the changes that were not carried out, then the figures."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Protocol
from zoneinfo import ZoneInfo

from sync.exit_codes import Exit
from sync.planning.reasons import general_reason
from sync.records.base import Key, Kind
from sync.records.changes import Action, Result
from sync.report.lines import Cell, Figures, Line, TableColumn, TableRow, Tone, muted, section
from sync.report.local_time import with_local_times
from sync.report.verdict import verdict_text
from sync.report.wording import key_cells, key_text, plural
from sync.text.masking import masked


class Finding(Protocol):
    """A row error, hold, failure or the like of a run, for a person to look at."""

    @property
    def type(self) -> str:
        """Return what it is: a row error, or a result."""

    @property
    def kind(self) -> Kind:
        """Return the record's kind."""

    @property
    def key(self) -> Key | None:
        """Return the record's key, where it could be read."""

    @property
    def place(self) -> str:
        """Return the row's place, where there is one."""

    @property
    def text(self) -> str:
        """Return why, and what to do."""


_COLUMNS: Mapping[str, Tone | None] = {
    **dict.fromkeys(Result),
    Result.DONE: Tone.GOOD,
    Result.REFUSED: Tone.ERROR,
    Result.UNKNOWN: Tone.ERROR,
    Result.HELD: Tone.HELD,
}
_TONES = {
    "row error": Tone.ERROR,
    Result.REFUSED: Tone.ERROR,
    Result.UNKNOWN: Tone.ERROR,
    Result.HELD: Tone.HELD,
}


def finding_row(finding: Finding) -> TableRow:
    """Return a finding in one line."""
    cells = [Cell(finding.type, TableColumn.LABEL), *_record_cells(finding, before=": ")]
    cells.append(Cell(finding.text, TableColumn.TEXT, ": "))
    return TableRow(cells, _TONES.get(finding.type)).rewritten(masked)


def findings_text(
    findings: Iterable[Finding], most: int | None, zone: ZoneInfo | None = None
) -> Iterator[Line]:
    """Yield the findings of one run, a line a cause, at most `most`; with None each of them.

    `zone` is that of the tests, for times; None shows UTC alone.
    """
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.type, finding.kind, _cause(finding, most)), []).append(finding)
    for number, group in enumerate(groups.values()):
        if most is not None and number >= most:
            rest = sum(len(others) for others in islice(groups.values(), number, None))
            yield muted(f"  … and {rest:,} more (--all shows them)")
            return
        for row in _group_rows(group, most):
            yield row.rewritten(lambda text: with_local_times(text, zone))


def _cause(finding: Finding, most: int | None) -> str:
    """Return what findings of one cause share; where each is listed, its own text."""
    if most is None or not finding.key:
        return finding.text
    return general_reason(finding.kind, finding.key, finding.text)


def _group_rows(group: Sequence[Finding], most: int | None) -> Iterator[TableRow]:
    first = group[0]
    if len(group) == 1:
        yield finding_row(first)
        return
    cells = [
        Cell(first.type, TableColumn.LABEL),
        Cell(plural(len(group), first.kind), TableColumn.KIND, ": "),
        Cell(_cause(first, most), TableColumn.TEXT, ": "),
    ]
    if most is not None:
        keys = [finding.key or (finding.place,) for finding in group]
        cells += key_cells(keys, len(group))
    yield TableRow(cells, _TONES.get(first.type)).rewritten(masked)
    if most is None:
        yield from (TableRow(_record_cells(each), indent=4).rewritten(masked) for each in group)


def _record_cells(finding: Finding, before: str = "") -> list[Cell]:
    return [
        Cell(finding.kind, TableColumn.KIND, before),
        Cell(key_text(finding.key) if finding.key else "", TableColumn.KEY, " "),
        Cell(finding.place, TableColumn.TEXT, " (", ")", muted=True),
    ]


def outcomes_text(
    findings: Iterable[Finding], most: int | None, zone: ZoneInfo | None = None
) -> Iterator[Line]:
    """Yield the changes that were to be sent and were not carried out."""
    rows = findings_text(findings, most, zone)
    yield from section("Not carried out, or not as planned", rows)


def figures_text(counts: Mapping[str, int], *, complete: bool) -> str:
    """Return the figures of a run; `complete` tells whether it did all that it should."""
    figures = ", ".join(f"{number:,} {name}" for name, number in sorted(counts.items()) if number)
    # A run that was stopped before it had a plan does not know what there is to do.
    return figures or ("nothing to do" if complete else "nothing was sent")


def run_text(
    counts: Mapping[str, int],
    status: int,
    results: Mapping[tuple[Kind, Action, Result], int],
    word: str = "done",
) -> Figures:
    """Return the figures of a run in one line, with how many changes of a kind ended how.

    `word` is how the run ended.
    """
    figures = figures_text(counts, complete=status == Exit.OK)
    by_kind = Counter[tuple[str, str]]()
    for (kind, _, result), number in results.items():
        by_kind[kind, result] += number
    return Figures(verdict_text("Run", figures, status, counts, word), by_kind, _COLUMNS)
