"""What earlier runs sent, for reports."""

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, text

from sync.records.base import Kind
from sync.records.changes import Action, Change
from sync.state.history import PastRun, read_run_ids, read_runs
from sync.state.staging.scratch import from_json, key_from

_DONE = "run_id = :run AND outcome IN ('done', 'found')"


def find_run(connection: Connection, run_id: int | None) -> PastRun | None:
    """Return a run by its number, or the newest one; None if it does not exist."""
    ids = read_run_ids(connection, 1) if run_id is None else [run_id]
    return next(iter(read_runs(connection, ids)), None)


def count_done(connection: Connection, run_id: int) -> Mapping[tuple[Kind, Action], int]:
    """Count what a run has done, by kind and action."""
    query = f"SELECT kind, action, count(*) FROM intent WHERE {_DONE} GROUP BY 1, 2"
    rows = connection.execute(text(query), {"run": run_id})
    return {(Kind(kind), Action(action)): int(number) for kind, action, number in rows}


def count_done_by_start(connection: Connection, run_id: int) -> Iterator[tuple[str, Action, int]]:
    """Yield how many changes of a run concern known tests with one start, by action."""
    query = (
        "SELECT t.start, i.action, count(*) FROM intent i JOIN known_test t ON t.key = i.k1"
        f" WHERE i.kind NOT IN ('learner', 'staff') AND {_DONE} AND t.start <> '' GROUP BY 1, 2"
    )
    for start, action, number in connection.execute(text(query), {"run": run_id}):
        yield str(start), Action(action), int(number)


def read_done(connection: Connection, run_id: int, kind: Kind) -> Iterator[tuple[Change, str]]:
    """Yield what a run has done for a kind, each with the message that was kept."""
    last = 0
    query = text(
        "SELECT id, kind, k1, k2, action, fields, before, message FROM intent"
        f" WHERE {_DONE} AND kind = :kind AND id > :last ORDER BY id LIMIT 2000"
    )
    while rows := connection.execute(query, {"run": run_id, "kind": kind, "last": last}).fetchall():
        for row in rows:
            before, after = from_json(row.before), from_json(row.fields)
            changed = tuple(name for name in after if after[name] != before.get(name))
            key = key_from(kind, row.k1, row.k2)
            yield Change(Action(row.action), kind, key, before, after, changed), row.message
        last = int(rows[-1][0])


def read_unsure(connection: Connection, run_id: int | None) -> Iterator[Change]:
    """Yield what any run has sent in vain, and all of one run: values that may not be known."""
    last = 0
    query = text(
        "SELECT id, kind, k1, k2, action, fields, before FROM intent WHERE id > :last AND"
        " (coalesce(outcome, '') NOT IN ('done', 'found') OR run_id = :run)"
        " ORDER BY id LIMIT 2000"
    )
    while rows := connection.execute(query, {"run": run_id or 0, "last": last}).fetchall():
        for row in rows:
            kind = Kind(row.kind)
            before, after = from_json(row.before), from_json(row.fields)
            yield Change(Action(row.action), kind, key_from(kind, row.k1, row.k2), before, after)
        last = int(rows[-1][0])


def count_findings(connection: Connection, run_id: int) -> Mapping[tuple[str, Kind], int]:
    """Count the findings of a run by type and kind."""
    query = "SELECT type, kind, count(*) FROM finding WHERE run_id = :run GROUP BY 1, 2"
    rows = connection.execute(text(query), {"run": run_id})
    return {(str(type_), Kind(kind)): int(number) for type_, kind, number in rows}
