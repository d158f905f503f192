"""How many rows each run read from each source, and what was wrong with it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from sync.records.base import Kind, utc_text


@dataclass(frozen=True, slots=True)
class SourceReading:
    """What a run read from a source for a kind. `at` is text in UTC; empty if not stored yet.

    Attributes:
        partial: whether only changes were read.
        trouble: why its absences proved nothing; empty when they did.
        run_id: the run; 0 if not stored yet.
    """

    source: str
    kind: Kind
    rows: int
    partial: bool = False
    trouble: str = ""
    run_id: int = 0
    at: str = ""


def keep(
    connection: Connection, run_id: int, now: datetime, readings: Iterable[SourceReading]
) -> None:
    """Store what a run has read. Several feeds of one source and kind count together."""
    summed: dict[tuple[str, Kind], SourceReading] = {}
    for one in readings:
        before = summed.get((one.source, one.kind))
        summed[one.source, one.kind] = SourceReading(
            one.source,
            one.kind,
            one.rows + (before.rows if before else 0),
            one.partial or bool(before and before.partial),
            "; ".join(filter(None, [before.trouble if before else "", one.trouble])),
        )
    rows = [
        {
            "run": run_id,
            "source": one.source,
            "kind": one.kind,
            "rows": one.rows,
            "partial": one.partial,
            "trouble": one.trouble,
            "at": utc_text(now),
        }
        for one in summed.values()
    ]
    if rows:
        statement = (
            "INSERT INTO source_reading (run_id, source, kind, rows, partial, trouble, at)"
            " VALUES (:run, :source, :kind, :rows, :partial, :trouble, :at)"
        )
        connection.execute(text(statement), rows)
        connection.commit()


def read(connection: Connection, most: int) -> Sequence[SourceReading]:
    """Return the readings of the newest `most` runs that read something, the newest first."""
    query = text(
        "SELECT run_id, source, kind, rows, partial, trouble, at FROM source_reading"
        " WHERE run_id IN (SELECT DISTINCT run_id FROM source_reading"
        " ORDER BY run_id DESC LIMIT :most) ORDER BY run_id DESC, source, kind"
    )
    return [
        SourceReading(
            row.source,
            Kind(row.kind),
            row.rows,
            bool(row.partial),
            row.trouble,
            row.run_id,
            row.at,
        )
        for row in connection.execute(query, {"most": most})
    ]


def read_troubled(connection: Connection) -> Sequence[str]:
    """Return the sources whose newest reading was in trouble, by name."""
    query = text(
        "SELECT DISTINCT r.source FROM source_reading r JOIN (SELECT source, kind,"
        " max(run_id) AS newest FROM source_reading GROUP BY source, kind) n"
        " ON n.source = r.source AND n.kind = r.kind AND n.newest = r.run_id"
        " WHERE r.trouble <> '' ORDER BY r.source"
    )
    return list(connection.execute(query).scalars())
