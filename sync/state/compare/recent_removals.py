"""Records and the time of their removal: the last 24 hours count towards a run's limits (rules 15).

Without it, a loss that stays below the limit night after night would never be noticed.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from sync.records.base import Key, Kind, utc_text
from sync.records.kinds import KEY_FIELDS
from sync.state.sqlite.open import count
from sync.state.staging.scratch import key_columns

WINDOW = timedelta(hours=24)
"""How long a removal counts towards the limits of later runs."""

_KEPT = timedelta(days=7)
"""How long removals are kept, so that a person can look at them."""


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
        text("DELETE FROM removal WHERE at < :before"), {"before": utc_text(now - _KEPT)}
    )


def count_recent(connection: Connection, kind: Kind, now: datetime, test: str | None = None) -> int:
    """Count the records of a kind that the last 24 hours removed without an approval.

    With `test`, only on that test. What has come back since does not count.
    """
    back = " AND ".join(
        f"k.{name} = r.{of}" for name, of in zip(KEY_FIELDS[kind], ("k1", "k2"), strict=False)
    )
    # DISTINCT: one who was removed, came back and was removed again is one loss.
    query = (
        "SELECT count(*) FROM (SELECT DISTINCT r.k1, r.k2 FROM removal r"
        " WHERE r.at > :since AND r.kind = :kind AND NOT r.approved"
        f"{'' if test is None else ' AND r.k1 = :test'}"
        f" AND NOT EXISTS (SELECT 1 FROM known_{kind} k WHERE {back}"
        " AND k.lifecycle = 'active')) AS gone"
    )
    values = {"since": utc_text(now - WINDOW), "kind": kind.value} | (
        {} if test is None else {"test": test}
    )
    return count(connection, query, **values)
