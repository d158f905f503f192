"""Charts as places of bars, which need no script."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sync.state.history import PastRun
from sync.state.source_readings import SourceReading

HEIGHT = 90
"""The height of the highest bar."""

_WIDTH = 0.8
_FEWEST = 10
_DONE = " done"


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its place and width in percent, its height, its tone, and what it says."""

    x: float
    width: float
    height: float
    tone: str
    text: str


def run_bars(runs: Sequence[PastRun]) -> list[Bar]:
    """Return a bar for each run, the oldest first: how much it did, and whether all went well."""
    figures = []
    for run in reversed(runs):
        done = sum(n for name, n in run.counts.items() if name.endswith(_DONE))
        wrong = run.wrong
        tone = (
            "bad" if wrong or run.exit_status in (4, 5) else "held" if run.exit_status else "good"
        )
        text = f"run {run.id}, {run.started}: {done:,} done, {wrong:,} in error"
        figures.append((done, tone, text))
    return _bars(figures)


def reading_bars(readings: Iterable[SourceReading]) -> list[Bar]:
    """Return a bar for each reading of one source and kind, the oldest first."""
    return _bars(
        (
            one.rows,
            "bad" if one.trouble else "partial" if one.partial else "good",
            f"run {one.run_id}, {one.at}: {one.rows:,} rows{': ' if one.trouble else ''}{one.trouble}",
        )
        for one in readings
    )


def _bars(figures: Iterable[tuple[int, str, str]]) -> list[Bar]:
    all_ = list(figures)
    step = 100 / max(len(all_), _FEWEST)
    most = max((number for number, _, _ in all_), default=0) or 1
    return [
        Bar(
            round(place * step + step * (1 - _WIDTH) / 2, 3),
            round(step * _WIDTH, 3),
            round(max(2.0, HEIGHT * number / most), 1),
            tone,
            text,
        )
        for place, (number, tone, text) in enumerate(all_)
    ]
