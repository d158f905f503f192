"""The drafted changes that only the new configuration makes, found by digests of exact changes."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping

from sqlalchemy import Connection, text

from sync.planning.configuration import COUNTED
from sync.planning.freeze import digest_of
from sync.records.base import Kind
from sync.records.changes import ALLOWED, Action, Cause, Change
from sync.records.kinds import ON_A_TEST, PERSON_OF
from sync.state.compare.limit_scopes import count_known
from sync.state.compare.plan_reader import to_change
from sync.state.dialect import analyse, create_index, insert, list_sql
from sync.state.staging.scratch import chunks, read_pages

FIRST = 3
"""How many examples are read of each kind and action."""

_ACTIONS = list_sql(COUNTED)
_LEFT_ALONE = (Cause.SOURCE, Cause.PILOT, Cause.PROTECTED, Cause.REJECTED)
_NEVER = list_sql(_LEFT_ALONE)
_CHANGE = "d.kind, d.k1, d.k2, d.action, d.changed, d.before, d.after, d.place"
_OWN = "d.id IN (SELECT id FROM by_configuration)"


def stage_earlier(connection: Connection, changes: Iterable[Change]) -> None:
    """Store the digests of the changes that the earlier configuration would make."""
    for chunk in chunks(changes):
        insert(connection, "earlier_change", ("digest",), [(digest_of(one),) for one in chunk])


def find_own(connection: Connection) -> dict[tuple[Kind, Action], int]:
    """Mark the drafted changes that go ahead and that the earlier plan does not contain. Count them.

    What a person has allowed by its own hash is not among them.
    """
    # Also what only goes ahead later: by then this configuration is the earlier one.
    query = (
        f"SELECT d.id, {_CHANGE} FROM draft d WHERE d.verdict <> 'held' AND d.cause NOT IN ({_NEVER})"
        f" AND d.scope <> '{ALLOWED}' AND d.action IN ({_ACTIONS})"
        " AND d.id > :last ORDER BY d.id LIMIT 5000"
    )
    for chunk in chunks(read_pages(connection, query)):
        rows = [(row.id, row.kind, digest_of(to_change(row))) for row in chunk]
        insert(connection, "by_configuration", ("id", "kind", "digest"), rows)
    create_index(connection, "ix_earlier_change", "earlier_change (digest)")
    create_index(connection, "ix_by_configuration", "by_configuration (id)")
    analyse(connection, "earlier_change", "by_configuration")
    connection.execute(
        text("DELETE FROM by_configuration WHERE digest IN (SELECT digest FROM earlier_change)")
    )
    counted = text(
        "SELECT d.kind, d.action, count(*) FROM by_configuration c JOIN draft d ON d.id = c.id"
        " GROUP BY 1, 2"
    )
    found = {(Kind(k), Action(a)): n for k, a, n in connection.execute(counted)}
    order = list(Kind), list(Action)
    return dict(
        sorted(
            found.items(), key=lambda one: (order[0].index(one[0][0]), order[1].index(one[0][1]))
        )
    )


def known_of(connection: Connection, kinds: Iterable[Kind]) -> dict[Kind, int]:
    """Return how many records of these kinds are known, on tests that have not ended."""
    return {kind: count_known(connection, kind) for kind in kinds}


def examples_of(
    connection: Connection, counts: Mapping[tuple[Kind, Action], int]
) -> dict[tuple[Kind, Action], list[Change]]:
    """Return the first of the marked changes by kind and action."""
    query = text(
        f"SELECT {_CHANGE} FROM draft d WHERE {_OWN} AND d.kind = :kind AND d.action = :action"
        f" ORDER BY d.id LIMIT {FIRST}"
    )
    return {
        (kind, action): [
            to_change(row)
            for row in connection.execute(query, {"kind": kind.value, "action": action.value})
        ]
        for kind, action in counts
    }


def exempt(connection: Connection, kinds: Collection[Kind]) -> None:
    """Unmark the changes of these kinds, which go on whatever becomes of the others."""
    for kind in kinds:
        query = text("DELETE FROM by_configuration WHERE kind = :kind")
        connection.execute(query, {"kind": kind.value})


def digest_own(connection: Connection) -> str:
    """Return one hash of exactly the marked changes, whatever order they are read in."""
    query = "SELECT id, digest FROM by_configuration WHERE id > :last ORDER BY id LIMIT 5000"
    # Each is hashed again: sums of digests alone could be made to agree.
    total = sum(map(_spread, _digests(connection, query)))
    return hashlib.blake2b(f"configuration\x1f{total:x}".encode(), digest_size=6).hexdigest()


def _digests(connection: Connection, query: str) -> Iterator[str]:
    return (row.digest for row in read_pages(connection, query))


def _spread(digest: str) -> int:
    return int.from_bytes(hashlib.blake2b(digest.encode(), digest_size=16).digest())


def store_lines(connection: Connection, digest: str) -> None:
    """Store which lines of the draft the hash of the marked changes stands for."""
    query = (
        "INSERT INTO scope_line (digest, draft, outermost)"
        " SELECT :digest, id, 1 FROM by_configuration"
    )
    connection.execute(text(query), {"digest": digest})


def allow_own(connection: Connection) -> None:
    """Let the marked changes pass the limits and the grace: a person has allowed them together."""
    going = f"(d.verdict = 'pass' OR d.cause = '{Cause.GRACE}')"
    connection.execute(
        text(
            "UPDATE draft AS d SET verdict = 'pass', cause = '', reason = '', scope = :scope"
            f" WHERE {_OWN} AND {going}"
        ),
        {"scope": ALLOWED},
    )


def hold_own(connection: Connection, scope: str, reason: str) -> None:
    """Hold the marked changes as one scope, and let wait what needs a record that is held."""
    connection.execute(
        text(
            f"UPDATE draft AS d SET verdict = 'held', cause = '{Cause.CONFIGURATION}',"
            f" reason = :reason, scope = :scope WHERE {_OWN}"
        ),
        {"reason": reason, "scope": scope},
    )
    for kind in ON_A_TEST:
        for needed, key in (Kind.TEST, "d.k1"), (PERSON_OF.get(kind), "d.k2"):
            if needed:
                _let_wait(connection, kind, needed, key)


def _let_wait(connection: Connection, kind: Kind, needed: Kind, key: str) -> None:
    held = (
        f"SELECT 1 FROM draft n WHERE n.kind = '{needed}' AND n.k1 = {key} AND n.k2 = ''"
        " AND n.action = 'create' AND n.verdict = 'held'"
    )
    connection.execute(
        text(
            f"UPDATE draft AS d SET verdict = 'waiting', cause = '{Cause.NEEDS}',"
            f" reason = 'waits for {needed} ' || {key} || ' (held)'"
            f" WHERE d.kind = '{kind}' AND d.verdict = 'pass' AND d.action = 'create'"
            f" AND EXISTS ({held})"
        )
    )
