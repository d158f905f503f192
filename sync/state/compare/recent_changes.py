"""The changes of the last 24 hours and 7 days, which count towards a run's limits (rules 15).

Without them, a loss that stays below the limit night after night would never be noticed.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from sync.planning.limits import ChangeType, Recent
from sync.records.base import Kind, utc_text
from sync.records.kinds import KEY_FIELDS, PEOPLE
from sync.state.compare.recent_removals import KEPT
from sync.state.sqlite.open import count

DAY, WEEK = timedelta(hours=24), KEPT
"""The windows in which changes are added up."""

IN_DRAFT = {
    ChangeType.REMOVALS: "d.action IN ('remove', 'disable', 'delete', 'withdraw')",
    # Only what differs: what is sent again after a lost answer changes nothing.
    ChangeType.UPDATES: "d.action = 'update' AND d.changed <> '[]'",
    ChangeType.CREATES: "d.action = 'create'",
}
"""By what they are, the conditions on drafted changes `d`."""

_INTENT = {ChangeType.UPDATES: "update", ChangeType.CREATES: "create"}
_IN_INTENT = (
    "i.kind = :kind AND i.action = :action AND i.at > :week AND NOT i.approved"
    " AND (i.outcome IS NULL OR i.outcome IN ('done', 'found', 'settled'))"
)


def count_recent(connection: Connection, kind: Kind, type_: ChangeType, now: datetime) -> Recent:
    """Count the records that recent runs changed without an approval, and this run does not.

    What was taken back since does not count: a removed record that is known again, a created one
    that is not. Nor do removals and updates on tests that have ended.
    """
    query = f"SELECT {_COUNTS} FROM ({_changes(kind, type_)}) AS c"
    row = connection.execute(text(query), _values(kind, type_, now)).one()
    return Recent(int(row.day), row.week)


def count_recent_on_tests(
    connection: Connection, kind: Kind, type_: ChangeType, now: datetime
) -> Mapping[str, Recent]:
    """Count the same on each test on which this run has such changes."""
    on_tests = (
        "i.k1 IN (SELECT d.k1 FROM draft d WHERE d.kind = :kind AND d.verdict = 'pass'"
        f" AND {IN_DRAFT[type_]})"
    )
    query = f"SELECT c.k1 AS test, {_COUNTS} FROM ({_changes(kind, type_, on_tests)}) AS c"
    found = connection.execute(text(f"{query} GROUP BY c.k1"), _values(kind, type_, now))
    return {row.test: Recent(int(row.day), row.week) for row in found}


def count_at_most(connection: Connection, kind: Kind, type_: ChangeType, now: datetime) -> int:
    """Return quickly a number that the recent creates or updates of a kind do not exceed.

    The exact number takes as long as a first load had records, for a week after it.
    """
    query = f"SELECT count(*) FROM intent i WHERE {_IN_INTENT}"
    values = _values(kind, type_, now)
    del values["day"]
    return count(connection, query, **values)


_COUNTS = "coalesce(sum(c.today), 0) AS day, count(*) AS week"


def _changes(kind: Kind, type_: ChangeType, more: str = "1 = 1") -> str:
    """Return the SQL for the recently changed records, each once, with whether it was today."""
    return (
        "SELECT i.k1, i.k2, max(CASE WHEN i.at > :day THEN 1 ELSE 0 END) AS today"
        f" FROM {_condition(kind, type_)} AND {more} GROUP BY i.k1, i.k2"
    )


def _values(kind: Kind, type_: ChangeType, now: datetime) -> dict[str, str]:
    values = {
        "kind": kind.value,
        "day": utc_text(now - DAY),
        "week": utc_text(now - WEEK),
    }
    return values if type_ is ChangeType.REMOVALS else {**values, "action": _INTENT[type_]}


def _condition(kind: Kind, type_: ChangeType) -> str:
    """Return the table and the conditions of the recent changes `i`."""
    same = " AND ".join(
        f"k.{name} = i.{of}" for name, of in zip(KEY_FIELDS[kind], ("k1", "k2"), strict=False)
    )
    known = f"EXISTS (SELECT 1 FROM known_{kind} k WHERE {same}"
    drafted = (
        "NOT EXISTS (SELECT 1 FROM draft d WHERE d.kind = :kind AND d.k1 = i.k1 AND d.k2 = i.k2"
        f" AND d.verdict = 'pass' AND {IN_DRAFT[type_]})"
    )
    ended = "EXISTS (SELECT 1 FROM test_window w WHERE w.test = i.k1 AND w.ended = 1)"
    going_on = "" if kind in PEOPLE else f" AND NOT {ended}"
    if type_ is ChangeType.REMOVALS:
        removed = "removal i WHERE i.kind = :kind AND i.at > :week AND NOT i.approved"
        return f"{removed} AND NOT {known} AND k.lifecycle = 'active'){going_on}"
    if type_ is ChangeType.UPDATES:
        updated = f"intent i WHERE {_IN_INTENT} AND i.fields <> i.before"
        return f"{updated} AND {known} AND k.lifecycle = 'active') AND {drafted}{going_on}"
    # Also on tests that have ended since, because the creates of a year are what they are held
    # against.
    return f"intent i WHERE {_IN_INTENT} AND {known}) AND {drafted}"
