"""The plan as a table: changes are drafted in any order, and put in the order of sending once."""

import json
from collections.abc import Iterable

from sqlalchemy import Connection

from sync.planning.decide import DraftedChange
from sync.records.base import Kind
from sync.records.changes import ALLOWED, Action
from sync.state.dialect import analyse, create_index, insert
from sync.state.staging.scratch import chunks, key_columns, to_json

PLAN_COLUMNS = (
    "kind, k1, k2, action, verdict, cause, reason, place, changed, before, after, secret, "
    "fingerprint, scope"
)


def write_draft(connection: Connection, drafted: Iterable[DraftedChange]) -> int:
    """Write changes with their rulings into the draft. Return how many."""
    columns = PLAN_COLUMNS.split(", ")
    return sum(
        insert(connection, "draft", columns, [_draft_row(item) for item in chunk])
        for chunk in chunks(drafted)
    )


def _draft_row(item: DraftedChange) -> tuple[object, ...]:
    change = item.change
    return (
        change.kind.value,
        *key_columns(change.line_key),
        change.action.value,
        item.ruling.verdict.value,
        item.ruling.cause.value,
        item.ruling.reason or change.reason,
        change.where,
        json.dumps(change.changed),
        to_json(change.before),
        to_json(change.after),
        item.secret if change.action is Action.CREATE or change.kind is Kind.OPTION else None,
        item.fingerprint,
        ALLOWED if item.allowed else "",
    )


def index_draft(connection: Connection) -> None:
    """Index the draft by key. Call it once learners and tests are in it."""
    create_index(connection, "ix_draft", "draft (kind, k1, k2)")
    analyse(connection, "draft")


SILENT = 99
"""The layer of changes that make no call."""

_FIRST = 1
"""The layer of people: everything on a test may need them."""

_ADDED = {
    Kind.LEARNER: _FIRST,
    Kind.STAFF: _FIRST,
    Kind.TEST: 2,
    Kind.OPTION: 3,
    Kind.COMMITTEE: 4,
    Kind.CONTRIBUTOR: 5,
    Kind.CANDIDATE: 7,
}
"""The layer of each kind's additions: what others need comes first.

Removals come after all of them, in reverse; those of people after everything on tests.
"""

_FIRST_OUT = 6
"""The layer of removals that free a candidate number for somebody else (rules 36).

It is right before the candidates' additions: nobody may have a number that is still another's.
"""

_LAST = max(_ADDED.values()) + 1

_LEAVING = 2 * _LAST - _FIRST
"""The layer of people who leave, after everything on tests."""

_ACTIVATION = 2 * _LAST
"""The layer of activations: after all that is on the test, its removals included.

Once a test is activated, its security options can't change any more, and nobody who has started can
be taken off it (vendor contract, Test API).
"""


def _layer_sql() -> str:
    added = " ".join(f"WHEN '{kind}' THEN {layer}" for kind, layer in _ADDED.items())
    removed = " ".join(f"WHEN '{kind}' THEN {2 * _LAST - layer}" for kind, layer in _ADDED.items())
    return (
        f"CASE WHEN d.id IN (SELECT id FROM first_out) THEN {_FIRST_OUT}"
        f" WHEN d.action = '{Action.ACTIVATE}' THEN {_ACTIVATION}"
        f" WHEN d.action IN ('create', 'update', 'enable') THEN CASE d.kind {added} END"
        f" WHEN d.action IN ('remove', 'disable', 'delete') THEN CASE d.kind {removed} END"
        f" ELSE {SILENT} END"
    )


_SOONEST = (
    "(SELECT min(w.wave) FROM wanted_{on} c JOIN test_window w ON w.test = c.test"
    " WHERE c.{person} = d.k1)"
)
# A person is as urgent as the soonest test that they are on. Who leaves is not needed by any, and
# must be on none: they come last.
_WAVE = f"""coalesce(CASE WHEN d.kind = 'learner' THEN
    {_SOONEST.format(on="candidate", person="learner")}
    WHEN d.kind = 'staff' THEN CASE WHEN d.action NOT IN ('disable', 'delete') THEN
    {_SOONEST.format(on="contributor", person="staff")} END
    ELSE (SELECT w.wave FROM test_window w WHERE w.test = d.k1) END, '9999')"""
_START = """(SELECT w.start FROM test_window w WHERE w.test = d.k1
    AND d.kind NOT IN ('learner', 'staff'))"""
# People, then what is on tests, then people who leave, then what makes no call.
_PART = f"CASE layer WHEN {_FIRST} THEN 1 WHEN {_LEAVING} THEN 3 WHEN {SILENT} THEN 4 ELSE 2 END"


def write_plan(connection: Connection) -> None:
    """Write the draft into the plan in the order of sending (rules 19).

    First comes what soon tests need, then the rest by dates: first all people, then test by test,
    each in layers. All lines of a test are neighbours, except those that make no call.
    """
    # `seq` numbers the rows as they are inserted, so this one sort is the order of sending.
    connection.exec_driver_sql(
        f"INSERT INTO plan (wave, layer, {PLAN_COLUMNS}, draft)"
        f" SELECT wave, layer, {PLAN_COLUMNS}, id FROM (SELECT d.*, {_WAVE} AS wave,"
        f" {_layer_sql()} AS layer, coalesce({_START}, '') AS start FROM draft d) AS placed"
        f" ORDER BY wave, {_PART}, start, k1, layer, id"
    )
    create_index(connection, "ix_plan", "plan (verdict, layer)")
    analyse(connection, "plan")
