"""What the state contains that somebody must know about: what the service shows as metrics."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from sync.records.base import Kind
from sync.records.changes import Cause
from sync.state import exam_figures, holds
from sync.state.source_readings import SourceReading

SOON = timedelta(hours=24)
"""How soon a test starts that must be complete by now."""


@dataclass(frozen=True, slots=True)
class ServiceFigures:
    """The figures of one moment. They do not depend on which job ran, or whether any could.

    Attributes:
        held: how many changes wait for a person, by cause.
        exams: how many tests start within `SOON`, or are under way.
        incomplete: how many of these lack something that the sources have for them.
        sources: the newest reading of each source and kind.
    """

    held: Mapping[Cause, int] = field(default_factory=dict)
    exams: int = 0
    incomplete: int = 0
    sources: Sequence[SourceReading] = ()


def read_figures(connection: Connection, now: datetime) -> ServiceFigures:
    """Return the figures of now."""
    held: Counter[Cause] = Counter()
    for hold in holds.read_holds(connection):
        held[hold.cause] += sum(hold.sizes.values())
    exams, _ = exam_figures.read(connection, now, now + SOON)
    incomplete = sum(1 for one in exams if one.missing or not (one.in_inspera and one.counted))
    return ServiceFigures(held, len(exams), incomplete, _read_sources(connection))


def _read_sources(connection: Connection) -> list[SourceReading]:
    query = text(
        "SELECT s.source, s.kind, s.rows, s.partial, s.trouble, s.run_id, s.at"
        " FROM source_reading s JOIN (SELECT source, kind, max(run_id) AS run_id"
        " FROM source_reading GROUP BY 1, 2) newest ON newest.source = s.source"
        " AND newest.kind = s.kind AND newest.run_id = s.run_id ORDER BY 1, 2"
    )
    return [
        SourceReading(r.source, Kind(r.kind), r.rows, bool(r.partial), r.trouble, r.run_id, r.at)
        for r in connection.execute(query)
    ]
