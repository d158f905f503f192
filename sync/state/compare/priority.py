"""What decides which of two runs goes first, and what a run adds only because others need it."""

from collections.abc import Collection

from sqlalchemy import Connection, text

from sync.planning.guard import NEEDED_ACTIONS
from sync.records.base import Kind
from sync.records.changes import ADDITIONS, Result
from sync.records.kinds import KEY_FIELDS, PEOPLE
from sync.state.dialect import list_sql

_SETTLED_FIRST = (Result.HELD, Result.DEFERRED, Result.WAITING)
"""The result of a change that was to be sent, and could not be."""


def keep_needed(connection: Connection, kind: Kind, by: Collection[Kind]) -> None:
    """Remove from the draft of this kind all that no wanted record of the kinds in `by` needs."""
    column = "test" if kind not in PEOPLE else None
    needed = " OR ".join(
        f"EXISTS (SELECT 1 FROM wanted_{other} w WHERE w.{column or KEY_FIELDS[other][1]} = d.k1)"
        for other in by
    )
    keep = f" AND NOT (d.action IN ({list_sql(NEEDED_ACTIONS)}) AND ({needed}))" if needed else ""
    connection.execute(
        text(f"DELETE FROM draft AS d WHERE d.kind = :kind{keep}"), {"kind": kind.value}
    )


def find_soonest_start(connection: Connection, after: int = 0, command: str = "") -> str:
    """Return the start (UTC text) of the soonest test to which the plan adds something; else empty.

    Only lines after `after` count. What the last run by that command also planned to add, and did
    not because a person must settle it first, is left out. Otherwise one such candidate would let
    each run of a job go before all others.
    """
    people = list_sql(PEOPLE)
    query = (
        "SELECT min(w.start) FROM plan p JOIN test_window w ON w.test = p.k1"
        f" WHERE p.verdict = 'pass' AND p.seq > :after AND p.action IN ({list_sql(ADDITIONS)})"
        f" AND p.kind NOT IN ({people}) AND w.ended = 0 AND w.start <> ''"
        " AND NOT EXISTS (SELECT 1 FROM finding f WHERE f.run_id ="
        " (SELECT max(id) FROM run WHERE command = :command AND ended IS NOT NULL)"
        " AND f.kind = p.kind AND f.k1 = p.k1 AND f.k2 = p.k2"
        f" AND f.type IN ({list_sql(_SETTLED_FIRST)}))"
    )
    return str(connection.execute(text(query), {"after": after, "command": command}).scalar() or "")
