"""What decides which of two runs goes first, and what a run adds only because others need it."""

from collections.abc import Collection

from sqlalchemy import Connection, text

from sync.records.base import Kind
from sync.records.changes import ADDITIONS, Action, Result
from sync.records.kinds import KEY_FIELDS, PEOPLE

_NEEDED = (Action.CREATE, Action.RESTORE, Action.ENABLE, Action.IDENTITY_CHANGE)
"""What is done, or held, for a record that others need. It is never changed otherwise, nor removed."""
_SETTLED_FIRST = (Result.HELD, Result.DEFERRED, Result.WAITING)
"""How a change ends that was to be sent, and then could not be as it is."""


def _listed(words: Collection[str]) -> str:
    return ", ".join(f"'{word}'" for word in sorted(words))


def keep_needed(connection: Connection, kind: Kind, by: Collection[Kind]) -> None:
    """Leaves in the draft of this kind only what wanted records of the kinds in `by` need to be in Inspera."""
    column = "test" if kind not in PEOPLE else None
    needed = " OR ".join(
        f"EXISTS (SELECT 1 FROM wanted_{other} w WHERE w.{column or KEY_FIELDS[other][1]} = d.k1)"
        for other in by
    )
    keep = f" AND NOT (d.action IN ({_listed(_NEEDED)}) AND ({needed}))" if needed else ""
    connection.execute(
        text(f"DELETE FROM draft AS d WHERE d.kind = :kind{keep}"), {"kind": kind.value}
    )


def soonest(connection: Connection, after: int = 0, command: str = "") -> str:
    """When the soonest test begins to which the plan adds something after that line of it: UTC text, empty for none.

    What the last run by that command planned to add as well, and then did not as somebody has to settle it first, is
    left out: else one such seat would let each run of a job go before all others.
    """
    people = ", ".join(f"'{kind}'" for kind in PEOPLE)
    query = (
        "SELECT min(w.start) FROM plan p JOIN test_window w ON w.test = p.k1"
        f" WHERE p.verdict = 'pass' AND p.seq > :after AND p.action IN ({_listed(ADDITIONS)})"
        f" AND p.kind NOT IN ({people}) AND w.ended = 0 AND w.start <> ''"
        " AND NOT EXISTS (SELECT 1 FROM finding f WHERE f.run_id ="
        " (SELECT max(id) FROM run WHERE command = :command AND ended IS NOT NULL)"
        f" AND f.kind = p.kind AND f.k1 = p.k1 AND f.k2 = p.k2 AND f.type IN ({_listed(_SETTLED_FIRST)}))"
    )
    return str(connection.execute(text(query), {"after": after, "command": command}).scalar() or "")
