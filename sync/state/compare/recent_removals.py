"""Records and the time of their removal, which counts towards the limits of later runs (rules 15).

Intents do not suffice for this: a test is withdrawn without a call.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from sync.records.base import Key, Kind, utc_text
from sync.state.staging.scratch import key_columns

KEPT = timedelta(days=7)
"""How long removals are kept: as long as they count towards the limits of later runs."""


def note(connection: Connection, kind: Kind, key: Key, at: datetime, *, approved: bool) -> None:
    """Store that a record was removed; `approved` if a person had allowed it (`apply --allow`)."""
    k1, k2 = key_columns(key)
    connection.execute(
        text(
            "INSERT INTO removal (kind, k1, k2, at, approved)"
            " VALUES (:kind, :k1, :k2, :at, :approved)"
        ),
        {"kind": kind, "k1": k1, "k2": k2, "at": utc_text(at), "approved": approved},
    )


def note_settled(connection: Connection, intent: int, at: datetime) -> None:
    """Store that a removal of an earlier run is now known to be done."""
    connection.execute(
        text(
            "INSERT INTO removal (kind, k1, k2, at, approved)"
            " SELECT kind, k1, k2, :at, approved FROM intent WHERE id = :id"
        ),
        {"id": intent, "at": utc_text(at)},
    )


def note_withdrawn(connection: Connection, at: datetime) -> None:
    """Store the tests that this run withdraws, which needs no call."""
    connection.execute(
        text(
            "INSERT INTO removal (kind, k1, k2, at, approved)"
            " SELECT d.kind, d.k1, d.k2, :at, d.scope <> ''"
            " FROM draft d WHERE d.action = 'withdraw' AND d.verdict = 'pass'"
        ),
        {"at": utc_text(at)},
    )


def forget_old(connection: Connection, now: datetime) -> None:
    """Delete the removals of long ago."""
    connection.execute(
        text("DELETE FROM removal WHERE at < :before"), {"before": utc_text(now - KEPT)}
    )
