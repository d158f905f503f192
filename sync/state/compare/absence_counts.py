"""The count of the healthy readings that do not contain a known record (rules 5)."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, text

from sync.records.base import Key, Kind, utc_text
from sync.records.changes import REMOVALS, Cause
from sync.records.kinds import PEOPLE
from sync.state.dialect import list_sql
from sync.state.staging.scratch import key_columns

_REMOVALS = list_sql(REMOVALS)
# Where a row of the record's own test is doubtful, its absence proves nothing either.
_ABSENT = (
    f"d.kind = :kind AND d.action IN ({_REMOVALS}) AND d.place = '' AND d.cause <> '{Cause.SOURCE}'"
)
_SAME = "d.kind = absence.kind AND d.k1 = absence.k1 AND d.k2 = absence.k2"


def count_absences(connection: Connection, now: datetime, healthy: Collection[Kind]) -> None:
    """Count this run's reading for what it does not contain; the caller commits.

    What is wanted again, or not known any more, begins anew the next time. This needs the draft.

    Args:
        connection: state and workspace.
        now: aware.
        healthy: the kinds about whose absence this run decides and whose feeds were all read whole.
    """
    for kind in Kind:
        named = "vanished v WHERE v.key = absence.k1" if kind in PEOPLE else _MISSING
        connection.execute(
            text(
                "DELETE FROM absence WHERE kind = :kind"
                f" AND NOT EXISTS (SELECT 1 FROM {named} AND v.kind = :kind)"
            ),
            {"kind": kind},
        )
        if kind in healthy:
            _count_kind(connection, kind, utc_text(now))


_MISSING = "missing v WHERE v.k1 = absence.k1 AND v.k2 = absence.k2"


def _count_kind(connection: Connection, kind: Kind, at: str) -> None:
    removal = f"SELECT 1 FROM draft d WHERE {_SAME} AND d.action IN ({_REMOVALS})"
    for statement in (
        f"DELETE FROM absence WHERE kind = :kind AND NOT EXISTS ({removal})",
        "UPDATE absence SET readings = readings + 1, last = :at WHERE kind = :kind"
        f" AND EXISTS (SELECT 1 FROM draft d WHERE {_SAME} AND {_ABSENT})",
        "INSERT INTO absence (kind, k1, k2, since, last, readings)"
        f" SELECT DISTINCT d.kind, d.k1, d.k2, :at, :at, 1 FROM draft d WHERE {_ABSENT}"
        f" AND NOT EXISTS (SELECT 1 FROM absence WHERE {_SAME})",
    ):
        values = {"kind": kind.value} | ({"at": at} if ":at" in statement else {})
        connection.execute(text(statement), values)


def forget(connection: Connection, kind: Kind, key: Key) -> None:
    """Delete the count of a record that is not in Inspera any more."""
    k1, k2 = key_columns(key)
    connection.execute(
        text("DELETE FROM absence WHERE kind = :kind AND k1 = :k1 AND k2 = :k2"),
        {"kind": kind, "k1": k1, "k2": k2},
    )
