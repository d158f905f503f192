"""What decides which of two runs goes first, and what a run adds only because others need it."""

from collections.abc import Collection

from sqlalchemy import Connection, text

from sync.model import KEY_FIELDS, PEOPLE, Kind
from sync.plan import ADDITIONS, Action

_NEEDED = (Action.CREATE, Action.RESTORE, Action.ENABLE, Action.REKEY)
"""What is done, or held, for a record that others need. It is never changed otherwise, nor removed."""


def _listed(actions: Collection[Action]) -> str:
    return ", ".join(f"'{action}'" for action in sorted(actions))


def keep_needed(connection: Connection, kind: Kind, by: Collection[Kind]) -> None:
    """Leaves in the draft of this kind only what wanted records of the kinds in `by` need to be in Inspera."""
    column = "test" if kind not in PEOPLE else None
    needed = " OR ".join(
        f"EXISTS (SELECT 1 FROM wanted_{other} w WHERE w.{column or KEY_FIELDS[other][1]} = d.k1)" for other in by
    )
    keep = f" AND NOT (d.action IN ({_listed(_NEEDED)}) AND ({needed}))" if needed else ""
    connection.execute(text(f"DELETE FROM draft AS d WHERE d.kind = :kind{keep}"), {"kind": kind.value})


def soonest(connection: Connection, after: int = 0) -> str:
    """When the soonest test begins to which the plan adds something after that line of it: UTC text, empty for none."""
    people = ", ".join(f"'{kind}'" for kind in PEOPLE)
    query = (
        "SELECT min(w.start) FROM plan p JOIN test_window w ON w.test = p.k1"
        f" WHERE p.verdict = 'pass' AND p.seq > :after AND p.action IN ({_listed(ADDITIONS)})"
        f" AND p.kind NOT IN ({people}) AND w.ended = 0 AND w.start <> ''"
    )
    return str(connection.execute(text(query), {"after": after}).scalar() or "")
