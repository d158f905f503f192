"""The changes that people have undone, which stay undone while the sources say the same."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from sync.records.base import Kind, utc_text
from sync.records.changes import Result
from sync.records.kinds import COMPARED, KEY_FIELDS
from sync.state.dialect import analyse, create_index, insert, stream
from sync.state.staging.scratch import chunks, from_json

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
            "INSERT INTO undone"
            " (kind, k1, k2, fingerprint, fields, run_id, undo_run, person, why, at)"
            " SELECT r.kind, r.k1, r.k2, r.fingerprint, r.fields, :run, :undo, :person, :why, :at"
            " FROM inverse r JOIN plan p ON p.kind = r.kind AND p.k1 = r.k1 AND p.k2 = r.k2"
            " WHERE p.verdict = 'pass' AND r.returns = 0"
            " ON CONFLICT (kind, k1, k2) DO UPDATE SET fingerprint = excluded.fingerprint,"
            " fields = excluded.fields,"
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
    everything wanted, and `fill_taken_back`; of `unsure` kinds not everything was read.
    """
    if not connection.execute(text("SELECT 1 FROM undone LIMIT 1")).first():
        return  # as on most days
    for kind in Kind:
        wanted = f"SELECT 1 FROM wanted_{kind} w WHERE {_same('w', kind)}"
        known = f"SELECT 1 FROM known_{kind} k WHERE {_same('k', kind)}"
        again = f"{known} AND k.lifecycle <> 'disabled'"
        # Of what the sources still say, with its fingerprint by the fields that are mapped now.
        same = (
            "SELECT t.fingerprint FROM taken_back t WHERE t.kind = undone.kind"
            " AND t.k1 = undone.k1 AND t.k2 = undone.k2"
        )
        over = [
            f"(EXISTS ({wanted}) AND (fingerprint = :nothing OR NOT EXISTS ({same})))",
            f"(fingerprint <> :nothing AND EXISTS ({again} AND k.fingerprint IN ({same})))",
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


_REASON = (
    "u.run_id, 'undone by ' || u.person || ' on ' || substr(u.at, 1, 10) || ' (run ' || u.run_id"
)
_REASON += " || '): ' || u.why AS reason"


def fill_taken_back(connection: Connection) -> None:
    """Store the undone changes that the sources still ask for, each with who, when and why.

    Each has the fingerprint that the wanted record has now. A feed that maps one more field gives
    another one to all records, and that must not release what was undone.
    """
    columns = ("kind", "k1", "k2", "fingerprint", "run_id", "reason")
    connection.execute(
        text(
            f"INSERT INTO taken_back SELECT u.kind, u.k1, u.k2, u.fingerprint, {_REASON}"
            " FROM undone u WHERE u.fingerprint = :nothing"
        ),
        {"nothing": b""},
    )
    for kind in Kind:
        for chunk in chunks(stream(connection, _still_wanted_sql(kind), nothing=b"")):
            rows = [
                (kind.value, row.k1, row.k2, row.now, row.run_id, row.reason)
                for row in chunk
                if row.now == row.fingerprint or _says_the_same(kind, row)
            ]
            insert(connection, "taken_back", columns, rows)
    create_index(connection, "ix_taken_back", "taken_back (kind, k1, k2)")
    analyse(connection, "taken_back")


def _still_wanted_sql(kind: Kind) -> str:
    wanted = ", ".join(f'w."{name}" AS w_{name}' for name in COMPARED[kind])
    return (
        f"SELECT u.k1, u.k2, u.fingerprint, u.fields, w.fingerprint AS now, {_REASON}, {wanted}"
        f" FROM undone u JOIN wanted_{kind} w ON {_same('w', kind, 'u')}"
        f" WHERE u.kind = '{kind}' AND u.fingerprint <> :nothing"
    )


def _says_the_same(kind: Kind, row: Any) -> bool:
    """Tell whether a wanted record has the values that were undone, as far as it has both."""
    fields = from_json(row.fields).items()
    undone = {name: value for name, value in fields if name in COMPARED[kind] and value is not None}
    wanted = {name: getattr(row, f"w_{name}") for name in undone}
    both = [name for name in undone if wanted[name] is not None]
    # A record without any value was created for its key alone.
    return bool(both or not undone) and all(undone[name] == wanted[name] for name in both)
