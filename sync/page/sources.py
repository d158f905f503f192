"""The sources: how many rows each had over time, how old the newest reading is, and its trouble."""

from collections.abc import Sequence
from typing import NamedTuple

from starlette.requests import Request

from sync.page.charts import Bar, reading_bars
from sync.page.desk import Desk
from sync.page.rendering import View
from sync.state import source_readings
from sync.state.source_readings import SourceReading

READINGS = 60
"""The runs in the chart of a source."""


class _Source(NamedTuple):
    newest: SourceReading
    bars: Sequence[Bar]


def show(desk: Desk, _request: Request) -> View:
    """Show each source by kind."""
    with desk.open_to_read() as connection:
        readings = source_readings.read(connection, READINGS)
    by_source: dict[tuple[str, str], list[SourceReading]] = {}
    for one in readings:
        by_source.setdefault((one.source, one.kind), []).append(one)
    shown = [_Source(of[0], reading_bars(reversed(of))) for _, of in sorted(by_source.items())]
    return View("sources.html", "Sources", {"sources": shown})
