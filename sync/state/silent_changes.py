"""Changes that make no call to Inspera: they only change what is known."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, text

from sync.records.base import Kind, utc_text
from sync.records.changes import Action
from sync.records.kinds import KEY_FIELDS, ON_A_TEST, PEOPLE
from sync.state.compare import recent_removals
from sync.state.dialect import analyse, create_index

_PASSING = "d.verdict = 'pass' AND d.k1 = known_{kind}.{key} AND d.kind = '{kind}'"
_SET_LIFECYCLE = (
    "UPDATE known_{kind} SET lifecycle = '{lifecycle}', updated = :at WHERE EXISTS (SELECT 1"
    " FROM draft d WHERE " + _PASSING
)
_RETIRE_WITH_TEST = (
    "UPDATE known_{kind} SET lifecycle = 'retired', updated = :at WHERE lifecycle = 'active'"
    " AND EXISTS (SELECT 1 FROM known_test t JOIN draft d ON d.kind = 'test' AND d.k1 = t.key"
    " AND d.action = 'retire' AND d.verdict = 'pass' WHERE t.key = known_{kind}.test)"
)
_SET_MEMBER_LIFECYCLE = (
    _SET_LIFECYCLE + " AND d.action = '{action}' AND d.k2 = known_{kind}.{part})"
)


def _member_statements(action: Action, lifecycle: str) -> Iterator[str]:
    for kind in ON_A_TEST:
        yield _SET_MEMBER_LIFECYCLE.format(
            kind=kind, key="test", part=KEY_FIELDS[kind][1], action=action, lifecycle=lifecycle
        )


_RESTORED = (
    *(
        (_SET_LIFECYCLE + " AND d.action = 'restore')").format(
            kind=k, key="key", lifecycle="active"
        )
        for k in (Kind.TEST, *PEOPLE)
    ),
    *_member_statements(Action.RESTORE, "active"),
)
_SILENT = (
    (_SET_LIFECYCLE + " AND d.action = 'withdraw')").format(
        kind="test", key="key", lifecycle="withdrawn"
    ),
    (_SET_LIFECYCLE + " AND d.action = 'retire')").format(
        kind="test", key="key", lifecycle="retired"
    ),
    *_RESTORED,
    *_member_statements(Action.RETIRE, "retired"),
    *(_RETIRE_WITH_TEST.format(kind=kind) for kind in ON_A_TEST),
    # Last, so that a learner whose last place has just gone is released in the same run.
    (_SET_LIFECYCLE + " AND d.action = 'release')").format(
        kind="learner", key="key", lifecycle="released"
    )
    + " AND NOT EXISTS (SELECT 1 FROM known_candidate c WHERE c.learner = known_learner.key"
    " AND c.lifecycle = 'active')",
)


def store(connection: Connection, now: datetime, *, leaving: bool) -> None:
    """Store the silent changes of the draft, and refreshed fingerprints; the caller commits.

    Without `leaving`, no record is released, withdrawn or retired.
    """
    create_index(connection, "ix_refresh", "refresh (kind, k1, k2)")
    analyse(connection, "refresh", "draft")
    if leaving:
        recent_removals.note_withdrawn(connection, now)
    for statement in _SILENT if leaving else _RESTORED:
        connection.execute(text(statement), {"at": utc_text(now)})
    for kind in Kind:
        keys = KEY_FIELDS[kind]
        same = f"r.kind = '{kind}' AND r.k1 = known_{kind}.{keys[0]}"
        if len(keys) > 1:
            same += f" AND r.k2 = known_{kind}.{keys[1]}"
        connection.execute(
            text(
                f"UPDATE known_{kind} SET fingerprint = (SELECT r.fingerprint FROM refresh r"
                f" WHERE {same}) WHERE EXISTS (SELECT 1 FROM refresh r WHERE {same})"
            )
        )
