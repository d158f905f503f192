"""The changes that people have undone, which stay undone while the sources say the same."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, text

from sync.records.base import Kind, utc_text
from sync.records.changes import Result
from sync.records.kinds import KEY_FIELDS

_SENT = f"(i.outcome IS NULL OR i.outcome IN ('{Result.DONE}', '{Result.FOUND}'))"


def _same(table: str, kind: Kind, of: str = "undone") -> str:
    """Return the SQL for a record of this kind being the one of a row with `k1` and `k2`."""
    pairs = zip(KEY_FIELDS[kind], ("k1", "k2"), strict=False)
    return " AND ".join(f"{table}.{name} = {of}.{column}" for name, column in pairs)


def remember(
    connection: Connection, now: datetime, run_id: int, undo_run: int, person: str, why: str
) -> None:
    """Store what the plan takes back, before it is sent; the caller commits.

    A row matters only when the sources ask for the change again. So one whose change is not sent
    after all does no harm until `settle` deletes it, even if this process is killed.
    """
    values = {"run": run_id, "undo": undo_run, "person": person, "why": why, "at": utc_text(now)}
    connection.execute(
        text(
            "INSERT INTO undone (kind, k1, k2, fingerprint, run_id, undo_run, person, why, at)"
            " SELECT r.kind, r.k1, r.k2, r.fingerprint, :run, :undo, :person, :why, :at"
            " FROM inverse r JOIN plan p ON p.kind = r.kind AND p.k1 = r.k1 AND p.k2 = r.k2"
            " WHERE p.verdict = 'pass' AND r.returns = 0"
            " ON CONFLICT (kind, k1, k2) DO UPDATE SET fingerprint = excluded.fingerprint,"
            " run_id = excluded.run_id, undo_run = excluded.undo_run, person = excluded.person,"
            " why = excluded.why, at = excluded.at"
        ),
        values,
    )


def settle(connection: Connection, undo_run: int) -> None:
    """Delete what was not taken back after all, and what an undo of an undo has brought back.

    The caller commits.
    """
    sent = (
        "SELECT 1 FROM intent i WHERE i.run_id = :undo AND i.kind = undone.kind"
        f" AND i.k1 = undone.k1 AND i.k2 = undone.k2 AND {_SENT}"
    )
    # Without a call: a reading has shown that it was gone already.
    gone = " ".join(
        f"WHEN '{kind}' THEN NOT EXISTS (SELECT 1 FROM known_{kind} k WHERE {_same('k', kind)})"
        for kind in (Kind.COMMITTEE, Kind.CONTRIBUTOR, Kind.CANDIDATE)
    )
    connection.execute(
        text(
            f"DELETE FROM undone WHERE undo_run = :undo AND NOT EXISTS ({sent})"
            f" AND NOT CASE kind {gone} ELSE 1 = 0 END"
        ),
        {"undo": undo_run},
    )
    connection.execute(
        text(
            "DELETE FROM undone WHERE EXISTS (SELECT 1 FROM inverse r WHERE r.kind = undone.kind"
            f" AND r.k1 = undone.k1 AND r.k2 = undone.k2 AND r.returns = 1) AND EXISTS ({sent})"
        ),
        {"undo": undo_run},
    )


def forget(connection: Connection, unsure: Collection[Kind]) -> None:
    """Forget what was undone where it does not matter any more; the caller commits.

    The sources say something else by now, or a person has allowed that it was sent again. Needs
    everything wanted; of `unsure` kinds not everything was read.
    """
    if not connection.execute(text("SELECT 1 FROM undone LIMIT 1")).first():
        return  # as on most days
    for kind in Kind:
        wanted = f"SELECT 1 FROM wanted_{kind} w WHERE {_same('w', kind)}"
        known = f"SELECT 1 FROM known_{kind} k WHERE {_same('k', kind)}"
        again = f"{known} AND k.lifecycle <> 'disabled'"
        over = [
            f"EXISTS ({wanted} AND w.fingerprint <> undone.fingerprint)",
            f"(fingerprint <> :nothing AND EXISTS ({again} AND k.fingerprint = undone.fingerprint))",
            f"(fingerprint = :nothing AND NOT EXISTS ({again}))",
        ]
        if kind not in unsure:
            error = (
                "SELECT 1 FROM row_error f WHERE f.kind = undone.kind AND f.k1 = undone.k1"
                " AND coalesce(f.k2, '') IN ('', undone.k2)"
            )
            over.append(
                f"(fingerprint <> :nothing AND NOT EXISTS ({wanted}) AND NOT EXISTS ({error}))"
            )
        connection.execute(
            text(f"DELETE FROM undone WHERE kind = :kind AND ({' OR '.join(over)})"),
            {"kind": kind.value, "nothing": b""},
        )
