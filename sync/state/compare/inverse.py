"""The changes of an earlier run, as the journal has them, and their inverses as what is wanted."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from sync.planning.undo import Inverse, RecordedChange, undo_command
from sync.records.base import Key, Kind
from sync.records.changes import Action, Result
from sync.records.kinds import COMPARED, KEY_FIELDS
from sync.state.dialect import create_index, insert
from sync.state.staging.scratch import chunks, from_json, key_columns, key_from, to_json

Fingerprint = Callable[[Kind, Mapping[str, object]], bytes]
"""A function that returns the fingerprint of a record with these fields."""

_CHANGED = f"('{Result.DONE}', '{Result.FOUND}', 'settled')"


@dataclass(frozen=True, slots=True)
class ChangingRun:
    """A run that has changed something in Inspera, with how many changes."""

    id: int
    command: str
    started: str
    changes: int


def read_changing_runs(connection: Connection, most: int) -> list[ChangingRun]:
    """Return the newest runs that have changed something, the newest first."""
    query = (
        "SELECT r.id, r.command, r.started, count(*) AS changes FROM run r JOIN intent i"
        f" ON i.run_id = r.id AND i.outcome IN {_CHANGED}"
        " GROUP BY r.id, r.command, r.started ORDER BY r.id DESC LIMIT :most"
    )
    rows = connection.execute(text(query), {"most": most}).fetchall()
    return [ChangingRun(row.id, row.command, row.started, int(row.changes)) for row in rows]


def read_command(connection: Connection, run_id: int) -> str | None:
    """Return the command of a run; None for a run that the state does not know."""
    query = text("SELECT command FROM run WHERE id = :run")
    command = connection.execute(query, {"run": run_id}).scalar()
    return None if command is None else str(command)


def read_recorded(
    connection: Connection, run_id: int, fingerprint: Fingerprint
) -> Iterator[RecordedChange]:
    """Yield the changes that a run was about to send, kind by kind, the newest first."""
    bounds = text("SELECT min(id) AS first, max(id) AS last FROM intent WHERE run_id = :run")
    # The intents of a run are neighbours, since one thread writes them: no need for an index.
    found = connection.execute(bounds, {"run": run_id}).one()
    for kind in Kind if found.first is not None else ():
        last = found.last + 1
        query = text(_recorded_sql(kind))
        values = {"run": run_id, "first": found.first}
        while page := connection.execute(query, {**values, "last": last}).fetchall():
            yield from (_recorded(kind, row, run_id, fingerprint) for row in page)
            last = page[-1].id


def _recorded_sql(kind: Kind) -> str:
    same = " AND ".join(
        f"k.{name} = i.{of}" for name, of in zip(KEY_FIELDS[kind], ("k1", "k2"), strict=False)
    )
    columns = ", ".join(f'k."{name}" AS k_{name}' for name in COMPARED[kind])
    later = (
        "SELECT max(l.run_id) FROM intent l WHERE l.kind = i.kind AND l.k1 = i.k1 AND l.k2 = i.k2"
        f" AND l.id > i.id AND (l.outcome IS NULL OR l.outcome IN {_CHANGED})"
    )
    return f"""
        SELECT i.id AS id, i.k1 AS k1, i.k2 AS k2, i.action AS action, i.outcome AS outcome,
               i.fields AS fields, i.before AS before, i.notified AS notified, ({later}) AS later,
               (SELECT r.command FROM run r WHERE r.id = ({later})) AS later_command,
               k.lifecycle AS lifecycle, k.managed AS managed, k.fingerprint AS fingerprint,
               u.fingerprint AS undone, {columns}
        FROM intent i LEFT JOIN known_{kind} k ON {same}
        LEFT JOIN undone u ON u.kind = i.kind AND u.k1 = i.k1 AND u.k2 = i.k2
            AND u.undo_run = i.run_id
        WHERE i.run_id = :run AND i.kind = '{kind}' AND i.id >= :first AND i.id < :last
        ORDER BY i.id DESC LIMIT 2000
    """


def _recorded(kind: Kind, row: Any, run_id: int, fingerprint: Fingerprint) -> RecordedChange:
    action, after = Action(row.action), from_json(row.fields)
    is_known = row.lifecycle is not None
    asked_by_absence = action is Action.REMOVE or (
        action is Action.DISABLE and row.fingerprint is None
    )
    key = key_from(kind, row.k1, row.k2)
    fields: dict[str, object] = dict(zip(KEY_FIELDS[kind], key, strict=True))
    return RecordedChange(
        row.id,
        kind,
        key,
        action,
        row.outcome,
        after,
        from_json(row.before),
        notified=bool(row.notified),
        later=row.later,
        done_already=row.later_command == undo_command(run_id),
        known={name: getattr(row, f"k_{name}") for name in COMPARED[kind]} if is_known else None,
        lifecycle=row.lifecycle or "",
        managed=bool(row.managed),
        fingerprint=b""
        if asked_by_absence
        # Not stored where the row had an error: then what was sent is what it is known by.
        else row.fingerprint or fingerprint(kind, {**fields, **_compared(kind, after)}),
        undone=row.undone,
    )


def _compared(kind: Kind, fields: Mapping[str, object]) -> dict[str, object]:
    return {name: fields.get(name) for name in COMPARED[kind]}


_INVERSE = ("kind", "k1", "k2", "fingerprint", "fields", "returns")


def stage_inverses(
    connection: Connection,
    inverses: Iterable[tuple[RecordedChange, Inverse]],
    fingerprint: Fingerprint,
) -> None:
    """Stage what is wanted instead of these changes, and what is to be removed.

    A record that an undo took back gets back the fingerprint of what the sources contained.
    """
    for chunk in chunks(inverses):
        rows = dict[Kind, list[tuple[object, ...]]]()
        removed, taken = list[tuple[object, ...]](), list[tuple[object, ...]]()
        for change, inverse in chunk:
            kind, (k1, k2) = change.kind, key_columns(change.key)
            returns = change.undone is not None
            fields = to_json(change.after) if change.fingerprint else "{}"
            taken.append((kind.value, k1, k2, change.fingerprint, fields, int(returns)))
            if inverse.wanted is None:
                removed.append((kind.value, k1, k2))
                continue
            values = _compared(kind, inverse.wanted)
            record = {**dict(zip(KEY_FIELDS[kind], change.key, strict=True)), **values}
            mark = change.undone or fingerprint(kind, record)
            rows.setdefault(kind, []).append((*record.values(), mark, 0, change.number))
        insert(connection, "inverse", _INVERSE, taken)
        if removed:
            insert(connection, "missing", ("kind", "k1", "k2"), removed)
        for kind, of_kind in rows.items():
            columns = (*KEY_FIELDS[kind], *COMPARED[kind], "fingerprint", "feed", "line")
            insert(connection, f"wanted_{kind}", columns, of_kind)
    create_index(connection, "ix_inverse", "inverse (kind, k1, k2)")
    create_index(connection, "ix_missing", "missing (kind, k1, k2)")


def find_undrafted(connection: Connection) -> Iterator[tuple[Kind, Key]]:
    """Yield the records of which a change was to be undone, and that have no line in the draft."""
    query = text(
        "SELECT r.kind, r.k1, r.k2 FROM inverse r WHERE NOT EXISTS (SELECT 1 FROM draft d"
        " WHERE d.kind = r.kind AND d.k1 = r.k1 AND d.k2 = r.k2) ORDER BY r.kind, r.k1, r.k2"
    )
    for row in connection.execute(query).fetchall():
        yield Kind(row.kind), key_from(Kind(row.kind), row.k1, row.k2)


def name_command(connection: Connection, command: str) -> None:
    """Name in the reasons of the draft the command that takes their hashes."""
    connection.execute(
        text("UPDATE draft SET reason = replace(reason, 'apply --allow', :command)"),
        {"command": f"{command} --allow"},
    )
