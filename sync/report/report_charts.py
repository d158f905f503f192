"""The pictures of a report: changes by kind, and by the day of their tests, as places of bars.

Places along the line of reading are in percent, so that a picture fits every screen.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil

from sync.report.report_model import DayTally, Tally
from sync.report.report_words import SERIES

MOST_DAYS = 60
"""Days in the picture; later ones are in the table below it."""

HEIGHT = 150
"""The height of the highest day."""

_LABELS = 6
_LEAST = 0.4
_BAR = 0.72


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a picture: its outcome, number and place (x and width in percent)."""

    outcome: str
    count: int
    x: float
    width: float
    y: float = 0
    height: float = 0


@dataclass(frozen=True, slots=True)
class KindBars:
    """The bars of a kind, one after the other, with their numbers."""

    kind: str
    counts: Mapping[str, int]
    bars: Sequence[Bar]

    @property
    def total(self) -> int:
        """Return how many changes the kind has."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class DayBars:
    """The bars of a day, one on the other; `label` is empty if it does not fit."""

    day: date
    counts: Mapping[str, int]
    bars: Sequence[Bar]
    middle: float
    label: str

    @property
    def total(self) -> int:
        """Return how many changes the day has."""
        return sum(self.counts.values())


def kind_bars(tallies: Iterable[Tally]) -> list[KindBars]:
    """Return the picture of the changes by kind; the longest fills its line."""
    counts: dict[str, Counter[str]] = {}
    for tally in tallies:
        counts.setdefault(tally.kind, Counter())[tally.outcome] += tally.count
    most = max((sum(of.values()) for of in counts.values()), default=0)
    return [KindBars(kind, of, _along(of, most)) for kind, of in counts.items()]


def _along(counts: Mapping[str, int], most: int) -> list[Bar]:
    bars, x = [], 0.0
    for outcome in SERIES:
        if number := counts.get(outcome, 0):
            width = min(100 - x, max(_LEAST, 100 * number / most))
            bars.append(Bar(outcome, number, round(x, 3), round(width, 3)))
            x += width
    return bars


def day_bars(days: Sequence[DayTally]) -> list[DayBars]:
    """Return the picture of the changes by the day of their tests; the busiest fills the height."""
    shown = days[:MOST_DAYS]
    most = max((sum(day.counts.values()) for day in shown), default=0)
    step = 100 / max(len(shown), 7)  # a single day is not as wide as the page
    every = ceil(len(shown) / _LABELS)
    return [
        _day(day, number * step, step, most, labelled=number % every == 0)
        for number, day in enumerate(shown)
    ]


def _day(tally: DayTally, x: float, step: float, most: int, *, labelled: bool) -> DayBars:
    bars, y = [], float(HEIGHT)
    for outcome in SERIES:
        if number := tally.counts.get(outcome, 0):
            height = max(1.0, HEIGHT * number / most)
            y -= height
            left, width = x + step * (1 - _BAR) / 2, step * _BAR
            bars.append(
                Bar(outcome, number, *(round(n, 3) for n in (left, width, max(y, 0.0), height)))
            )
    day = date.fromisoformat(tally.day)
    label = f"{day.day} {day:%b}" if labelled else ""
    return DayBars(day, tally.counts, bars, round(x + step / 2, 3), label)
