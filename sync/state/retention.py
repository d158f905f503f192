"""What is deleted from the state once it is older than the configuration keeps it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from sync.records.base import utc_text
from sync.state.dialect import is_postgres

AT_ONCE = 2_000
"""The rows of one step, each of which is committed alone."""

MOST = 50_000
"""The most rows of a table that one run deletes: the end of a run must not take long."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long each is kept; None for ever."""

    runs: timedelta | None = None
    journal: timedelta | None = None
    findings: timedelta | None = None
    departed: timedelta | None = None


_RUN = "SELECT id FROM run WHERE ended IS NOT NULL AND started < :before"
_NEWEST = "(SELECT max(id) FROM {})"

_FINDINGS = (
    "finding",
    "id",
    f"run_id IN ({_RUN}) AND run_id <> {_NEWEST.format('run')}",
)
# The newest is kept, as its number is where the next ones begin.
_JOURNAL = (
    "intent",
    "id",
    f"outcome IS NOT NULL AND at < :before AND id <> {_NEWEST.format('intent')}",
)
# Not while anything refers to them.
_RUNS = (
    "run",
    "id",
    f"id IN ({_RUN}) AND id <> {_NEWEST.format('run')}"
    " AND NOT EXISTS (SELECT 1 FROM intent i WHERE i.run_id = run.id)"
    " AND NOT EXISTS (SELECT 1 FROM finding f WHERE f.run_id = run.id)"
    " AND NOT EXISTS (SELECT 1 FROM undone u WHERE u.run_id = run.id OR u.undo_run = run.id)",
)
_OLD = "lifecycle = '{}' AND updated < :before"
_DEPARTED = (
    ("known_candidate", "(test, learner)", _OLD.format("retired")),
    ("known_contributor", "(test, staff)", _OLD.format("retired")),
    (
        "known_learner",
        "key",
        _OLD.format("released")
        + " AND NOT EXISTS (SELECT 1 FROM known_candidate c WHERE c.learner = known_learner.key)",
    ),
    (
        "known_staff",
        "key",
        _OLD.format("disabled")
        + " AND NOT EXISTS (SELECT 1 FROM known_contributor c WHERE c.staff = known_staff.key)",
    ),
)

_ALIASES = (
    "alias",
    "(kind, key)",
    ":before <> '' AND key NOT IN (SELECT key FROM known_learner UNION SELECT key FROM known_staff)",
)


def prune(connection: Connection, rules: Retention, now: datetime) -> dict[str, int]:
    """Delete what is older than it is kept, in steps that are committed. Return rows by table."""
    if not is_postgres(connection):
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA secure_delete = ON")
    deleted: dict[str, int] = {}
    for table, key, where, age in _steps(rules):
        number = _delete(connection, table, key, where, utc_text(now - age))
        if number:
            deleted[table] = number
    return deleted


def _steps(rules: Retention) -> Iterator[tuple[str, str, str, timedelta]]:
    """Yield what is deleted, in an order in which nothing refers to what is gone."""
    if rules.findings is not None:
        yield (*_FINDINGS, rules.findings)
    if rules.journal is not None:
        yield (*_JOURNAL, rules.journal)
    if rules.departed is not None:
        for one in _DEPARTED:
            yield (*one, rules.departed)
        yield (*_ALIASES, rules.departed)
    if rules.runs is not None:
        yield (*_RUNS, rules.runs)


def _delete(connection: Connection, table: str, key: str, where: str, before: str) -> int:
    columns = key.strip("()")
    statement = text(
        f"DELETE FROM {table} WHERE {key} IN"
        f" (SELECT {columns} FROM {table} WHERE {where} LIMIT {AT_ONCE})"
    )
    total = 0
    while total < MOST:
        number = connection.execute(statement, {"before": before}).rowcount
        connection.commit()
        total += number
        if number < AT_ONCE:
            break
    return total
