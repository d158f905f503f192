"""The clashes of a plan as text and for programs."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from zoneinfo import ZoneInfo

from sync.planning.clashes import OF_ONE_TEST, Clash, ClashType, missing
from sync.report.lines import Cell, Line, TableColumn, TableRow, Tone, muted, section
from sync.report.local_time import with_local_times
from sync.report.wording import FIRST_KEYS, key_cells, plural
from sync.text.masking import masked

TITLE = "Look at (sent all the same)"

ReadClashes = Callable[[ClashType, int | None], Iterable[Clash]]
"""A function that returns the first clashes of a type; None for all of them."""


def clashes_text(
    counts: Mapping[ClashType, int],
    read: ReadClashes,
    most: int | None,
    zone: ZoneInfo | None = None,
) -> Iterator[Line]:
    """Yield the clashes by type, at most `most` lines of each; with None all of them.

    `zone` is that of the tests, for times; None shows UTC alone.
    """
    for line in section(TITLE, _rows(counts, read, most)):
        yield line.rewritten(lambda text: with_local_times(text, zone))


def _rows(counts: Mapping[ClashType, int], read: ReadClashes, most: int | None) -> Iterator[Line]:
    for type_, total in counts.items():
        if type_ in OF_ONE_TEST and most is not None and total > 1:
            yield _group_row(type_, list(read(type_, FIRST_KEYS)), total)
            continue
        for clash in read(type_, most):
            yield _row(clash, with_all=most is None)
        if most is not None and total > most:
            yield muted(f"  … and {total - most:,} more of {type_} (--all shows them)")


def _row(clash: Clash, *, with_all: bool) -> TableRow:
    cells = [
        Cell(clash.type, TableColumn.LABEL),
        Cell("test", TableColumn.KIND, " "),
        Cell(clash.test, TableColumn.KEY, " "),
        Cell(clash.reason, TableColumn.TEXT, ": "),
    ]
    if with_all:
        learners = ", ".join(clash.learners)
        cells.append(Cell(learners, TableColumn.KEY, "; "))
    else:
        cells += key_cells([(learner,) for learner in clash.learners], clash.count)
    return TableRow(cells if clash.learners else cells[:4], Tone.UPDATE).rewritten(masked)


def _group_row(type_: ClashType, first: list[Clash], total: int) -> TableRow:
    cells = [
        Cell(type_, TableColumn.LABEL),
        Cell(plural(total, "test"), TableColumn.KIND, ": "),
        Cell(f"start within 7 days, and no {missing(type_)} is on them", TableColumn.TEXT, " "),
        *key_cells([(clash.test,) for clash in first], total),
    ]
    return TableRow(cells, Tone.UPDATE).rewritten(masked)


def clash_json(clash: Clash) -> dict[str, object]:
    """Return a clash for programs."""
    return {
        "type": clash.type,
        "test": clash.test,
        "other": clash.other,
        "count": clash.count,
        "places": clash.places,
        "start": clash.start,
        "end": clash.ends,
        "learners": list(clash.learners),
        "reason": clash.reason,
    }
