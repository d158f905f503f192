"""The scopes that are held as one, with their changes and hashes, in SQL (rules 15)."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, text

from sync.planning.limits import ChangeGroup, ChangeType, HeldScope, Limits, Scope
from sync.planning.remedies import PARENT, allow
from sync.planning.zeros import SPREADSHEET, lost_zeros
from sync.records.base import Kind
from sync.records.changes import ALLOWED, REMOVALS, Action, Cause, Change
from sync.records.kinds import ON_A_TEST, PERSON_OF
from sync.state.compare.limit_scopes import CountedScope, read_scopes
from sync.state.compare.recent_changes import IN_DRAFT
from sync.state.dialect import analyse, create_index, list_sql
from sync.state.sqlite.open import count
from sync.state.staging.scratch import from_json, read_pages


def hold_scopes(
    connection: Connection,
    limits: Limits,
    allowed: Collection[str],
    now: datetime,
    accepted: Sequence[str] = (),
) -> list[HeldScope]:
    """Count what would pass, and hold each scope over its limit that no digest allows (rules 15).

    All scopes are counted before any is held, so that holding one never hides another. What recent
    runs changed counts too. What passes because it was allowed keeps the name of its scope, which
    marks it as approved. Changes that the times of tests or lost zeros hold are allowed together by
    a hash of their own, before that. `accepted` are the sources that a person has accepted for this
    run: without them its removals are held for another reason.

    The lines of each scope are in the table `scope_line`.
    """
    held = _hold_scopes(connection, limits, allowed, now, accepted)
    connection.execute(
        text("UPDATE draft SET scope = :allowed WHERE verdict = 'pass' AND scope = :counted"),
        {"allowed": ALLOWED, "counted": _COUNTED},
    )
    return held


_COUNTED = "allowed within the limits"
"""The scope, while limits are counted, of a removal that a hash of its group allows.

The person who gave the hash has seen why the group waits, and not what the limits say of it.
"""


def _hold_scopes(
    connection: Connection,
    limits: Limits,
    allowed: Collection[str],
    now: datetime,
    accepted: Sequence[str],
) -> list[HeldScope]:
    together = [
        *_time_scopes(connection, allowed),
        *_zero_scopes(connection, allowed),
        *_grace_scopes(connection, allowed),
        *_undone_scopes(connection, allowed),
        *_parent_scopes(connection, allowed),
    ]
    over = []
    for counted in read_scopes(connection, limits, now):
        if excess := counted.scope.excess():
            digest = _note_lines(connection, counted)
            over.append(
                (counted.scope, HeldScope(counted.scope, excess, digest, digest in allowed))
            )
    create_index(connection, "ix_scope_line", "scope_line (digest, draft)")
    create_index(connection, "ix_scope_line_draft", "scope_line (draft)")
    analyse(connection, "scope_line")
    if not over:
        return together
    groups = {
        type_: group
        for type_ in ChangeType
        if (group := _group(connection, type_, [scope for scope, _ in over], allowed, accepted))
    }
    scopes = list(_with_remedies(over, groups, accepted))
    _hold(connection, scopes, groups)
    _let_wait(connection)
    return [*together, *groups.values(), *(held for _, held in scopes)]


_Over = Sequence[tuple[Scope, HeldScope]]


def _note_lines(connection: Connection, counted: CountedScope) -> str:
    """Store which lines of the draft are in a scope, and return its hash."""
    scope, condition, values = counted
    digest = _digest(connection, scope.name, condition, values)
    _store_lines(connection, digest, condition, values)
    return digest


def _store_lines(
    connection: Connection, digest: str, condition: str, values: Mapping[str, str]
) -> None:
    insert = (
        "INSERT INTO scope_line (digest, draft, outermost) SELECT :digest, d.id, 1 FROM draft d"
    )
    connection.execute(text(f"{insert} WHERE {condition}"), {**values, "digest": digest})


def _group(
    connection: Connection,
    type_: ChangeType,
    over: Sequence[Scope],
    allowed: Collection[str],
    accepted: Sequence[str],
) -> HeldScope | None:
    """Return one hash for all held removals, updates or creates; None for a single scope.

    A lost faculty exceeds the limits of tests, of candidates and of contributors, and those of each
    test, and a change in two scopes needs both allowed: nobody types a hash for each. It stands for
    exactly the changes that are held by now, allowed or not.
    """
    number = sum(scope.type is type_ for scope in over)
    if number < 2:
        return None
    in_scopes = (
        f"d.verdict = 'pass' AND d.scope <> '{ALLOWED}' AND {IN_DRAFT[type_]}"
        " AND EXISTS (SELECT 1 FROM scope_line s WHERE s.draft = d.id)"
    )
    query = f"SELECT d.kind, count(*) FROM draft d WHERE {in_scopes} GROUP BY d.kind"
    kinds: dict[str, int] = {row[0]: row[1] for row in connection.execute(text(query))}
    total = sum(kinds.values())
    name = f"all held {type_}"
    digest = _digest(connection, name, in_scopes, {})
    inner = f"draft IN (SELECT d.id FROM draft d WHERE {in_scopes})"
    connection.execute(text(f"UPDATE scope_line SET outermost = 0 WHERE {inner}"))
    _store_lines(connection, digest, in_scopes, {})
    parts = ", ".join(f"{kinds[kind]:,} of {kind}" for kind in Kind if kind in kinds)
    why = f"{total:,}{f' ({parts})' if len(kinds) > 1 else ''}, over {number:,} limits"
    return HeldScope(
        ChangeGroup(name, total),
        why,
        digest,
        digest in allowed,
        accepted=tuple(accepted) if type_ is ChangeType.REMOVALS else (),
        all_of=f"all {total:,} held {type_}",
    )


def _with_remedies(
    over: _Over, groups: Mapping[ChangeType, HeldScope], accepted: Sequence[str]
) -> Iterator[tuple[Scope, HeldScope]]:
    """Yield the scopes with what the hash of each needs besides.

    What is held on a test and for its kind needs both hashes.
    """
    of_kinds = {(scope.kind, scope.type): held.digest for scope, held in over if not scope.test}
    on_tests = {(scope.kind, scope.type) for scope, _ in over if scope.test}
    for scope, held in over:
        alike = scope.kind, scope.type
        group = groups.get(scope.type)
        yield (
            scope,
            replace(
                held,
                allowed=held.allowed or bool(group and group.allowed),
                needs=(of_kinds[alike],) if scope.test and alike in of_kinds else (),
                partial=not scope.test and alike in on_tests,
                accepted=tuple(accepted) if scope.type is ChangeType.REMOVALS else (),
            ),
        )


def _hold(connection: Connection, scopes: _Over, groups: Mapping[ChangeType, HeldScope]) -> None:
    """Hold the lines of scopes that are not allowed, and mark the others as approved."""
    lines = "id IN (SELECT draft FROM scope_line WHERE digest = :digest)"
    # Those not allowed first: a change in two scopes needs both allowed.
    for scope, held in sorted(scopes, key=lambda one: one[1].allowed):
        values = {"scope": scope.name, "digest": held.digest}
        if held.allowed:
            approved = f"UPDATE draft SET scope = :scope WHERE scope = '' AND {lines}"
            connection.execute(text(approved), values)
            continue
        # With the hash of all, which also lets those pass that are in two scopes.
        reason = f"limit: {scope.name}: {held.excess}; {groups.get(scope.type, held).remedy}"
        connection.execute(
            text(
                "UPDATE draft SET verdict = 'held', cause = 'limit', reason = :reason,"
                f" scope = :scope WHERE scope IN ('', :counted) AND {lines}"
            ),
            {**values, "reason": reason, "counted": _COUNTED},
        )


def _let_wait(connection: Connection) -> None:
    """Let what is on tests wait for a test or person whose create is held by now (rules 9)."""
    held = "h.action = 'create' AND h.verdict = 'held' AND h.cause = 'limit'"
    for kind in ON_A_TEST:
        needed = [(Kind.TEST, "k1")] + ([(PERSON_OF[kind], "k2")] if kind in PERSON_OF else [])
        for other, key in needed:
            any_held = f"SELECT count(*) FROM draft h WHERE h.kind = :other AND {held}"
            if not count(connection, any_held, other=other.value):
                continue
            waits = (
                "UPDATE draft SET verdict = 'waiting', cause = 'needs', reason = 'waits for "
                f"{other} ' || {key} || ' (held)', scope = '' WHERE kind = :kind"
                " AND verdict = 'pass' AND action IN ('create', 'update', 'enable')"
                f" AND {key} IN (SELECT h.k1 FROM draft h WHERE h.kind = :other AND {held})"
            )
            connection.execute(text(waits), {"kind": kind.value, "other": other.value})


_TOGETHER = "d.cause IN ('freeze', 'times') AND d.verdict IN ('held', 'deferred')"


def _time_scopes(connection: Connection, allowed: Collection[str]) -> Iterator[HeldScope]:
    """Yield the groups of changes that the times of tests hold; one hash allows a whole group."""
    tests = f"d.kind = 'test' AND {_TOGETHER}"
    on_tests = (
        f"SELECT d.k1 FROM draft d WHERE d.kind <> 'test' AND {_TOGETHER} GROUP BY d.k1"
        " HAVING count(*) > 1"
    )
    scopes: list[tuple[str, str, dict[str, str]]] = [("times of tests", tests, {})]
    for test in connection.execute(text(f"{on_tests} ORDER BY d.k1")).scalars().all():
        scopes.append(
            (
                f"changes on test {test}",
                f"d.kind <> 'test' AND d.k1 = :test AND {_TOGETHER}",
                {"test": test},
            )
        )
    for name, condition, values in scopes:
        number = count(connection, f"SELECT count(*) FROM draft d WHERE {condition}", **values)
        if number < 2:
            continue  # The hash of the group allows it.
        digest = _digest(connection, name, condition, values)
        _store_lines(connection, digest, condition, values)
        yield HeldScope(
            ChangeGroup(name, number),
            f"{number:,} wait because of when their tests are",
            digest,
            digest in allowed,
            Cause.TIMES,
        )
        if digest in allowed:
            _let_pass(connection, condition, values)


def _let_pass(
    connection: Connection, condition: str, values: dict[str, str], scope: str = ALLOWED
) -> None:
    """Allow the changes of a group; its removals are counted by the limits all the same."""
    removals = list_sql(REMOVALS)
    counted = f"CASE WHEN action IN ({removals}) THEN :counted ELSE :scope END"
    passing = f"UPDATE draft AS d SET verdict = 'pass', cause = '', reason = '', scope = {counted}"
    connection.execute(
        text(f"{passing} WHERE {condition}"),
        {**values, "scope": scope, "counted": scope and _COUNTED},
    )


def _group_of_cause(
    connection: Connection,
    name: str,
    cause: Cause,
    condition: str,
    values: dict[str, str],
    allowed: Collection[str],
) -> HeldScope | None:
    """Return the held changes of one cause as a group, whose `excess` is their number.

    None for a single change, which its own hash allows.
    """
    number = count(connection, f"SELECT count(*) FROM draft d WHERE {condition}", **values)
    if number < 2:
        return None
    digest = _digest(connection, name, condition, values)
    return HeldScope(ChangeGroup(name, number), f"{number:,}", digest, digest in allowed, cause)


def _hold_as_one(
    connection: Connection, held: HeldScope, condition: str, values: dict[str, str], reason: str
) -> None:
    """Give the changes of a group one reason with its hash, or let them pass if it is allowed."""
    _store_lines(connection, held.digest, condition, values)
    if held.allowed:
        _let_pass(connection, condition, values)
        return
    connection.execute(
        text(f"UPDATE draft AS d SET reason = :text WHERE {condition}"),
        {**values, "text": f"{reason}; {held.remedy}"},
    )


_ZEROS = f"d.kind = :kind AND d.cause = '{Cause.ZEROS}' AND d.verdict = 'held'"


def _zero_scopes(connection: Connection, allowed: Collection[str]) -> Iterator[HeldScope]:
    """Yield the updates of a kind that only take leading zeros; one hash allows all of them.

    A whole column loses them at once, so they have one reason, with the first as an example.
    """
    for kind in Kind:
        values = {"kind": kind.value}
        name = f"lost leading zeros of {kind}"
        held = _group_of_cause(connection, name, Cause.ZEROS, _ZEROS, values, allowed)
        if held:
            example = f"such as {_first_zeros(connection, kind)}"
            held = replace(held, excess=f"{held.excess} {example}; {SPREADSHEET}")
            _hold_as_one(connection, held, _ZEROS, values, held.excess)
            yield held


_UNDONE = (
    f"d.cause = '{Cause.UNDONE}' AND d.verdict = 'held' AND EXISTS (SELECT 1 FROM taken_back t"
    " WHERE t.kind = d.kind AND t.k1 = d.k1 AND t.k2 = d.k2 AND t.reason = :reason)"
)


def _undone_scopes(connection: Connection, allowed: Collection[str]) -> Iterator[HeldScope]:
    """Yield the changes of each run that were undone; one hash sends all of a run again."""
    undone = (
        "SELECT t.run_id, t.reason FROM taken_back t JOIN draft d ON d.kind = t.kind"
        f" AND d.k1 = t.k1 AND d.k2 = t.k2 WHERE d.cause = '{Cause.UNDONE}'"
        " GROUP BY t.run_id, t.reason HAVING count(*) > 1 ORDER BY t.run_id, t.reason"
    )
    for row in connection.execute(text(undone)).fetchall():
        name, values = f"undone changes of run {row.run_id}", {"reason": str(row.reason)}
        held = _group_of_cause(connection, name, Cause.UNDONE, _UNDONE, values, allowed)
        if held:
            held = replace(held, excess=f"{held.excess} {row.reason}")
            _hold_as_one(connection, held, _UNDONE, values, str(row.reason))
            yield held


_PARENT = f"d.k1 = :test AND d.cause = '{Cause.PARENT}' AND d.verdict = 'held'"


def _parent_scopes(connection: Connection, allowed: Collection[str]) -> Iterator[HeldScope]:
    """Yield the changes of candidates on each parent of other tests; one hash allows all of them."""
    tests = f"SELECT d.k1 FROM draft d WHERE d.cause = '{Cause.PARENT}' GROUP BY d.k1"
    query = text(f"{tests} HAVING count(*) > 1 ORDER BY d.k1")
    for test in connection.execute(query).scalars().all():
        values = {"test": str(test)}
        name = f"candidates of the parent {test}"
        held = _group_of_cause(connection, name, Cause.PARENT, _PARENT, values, allowed)
        if held:
            held = replace(held, excess=f"{held.excess} changes; {PARENT}")
            _hold_as_one(connection, held, _PARENT, values, PARENT)
            yield held


def _first_zeros(connection: Connection, kind: Kind) -> str:
    query = f"SELECT d.changed, d.before, d.after FROM draft d WHERE {_ZEROS} ORDER BY d.id LIMIT 1"
    row = connection.execute(text(query), {"kind": kind.value}).one()
    before, after = from_json(row.before), from_json(row.after)
    change = Change(Action.UPDATE, kind, ("",), before, after, tuple(json.loads(row.changed)))
    return lost_zeros(change)


_GRACE = f"d.kind = :kind AND d.cause = '{Cause.GRACE}' AND d.verdict = 'deferred'"


def _grace_scopes(connection: Connection, allowed: Collection[str]) -> Iterator[HeldScope]:
    """Yield the removals of a kind that are absent too shortly; one hash allows all of them.

    They share a reason, so that many of them are one line of the plan. Those that are allowed are
    counted by the limits all the same: nobody has seen that arithmetic yet.
    """
    for kind in Kind:
        values = {"kind": kind.value}
        number = count(connection, f"SELECT count(*) FROM draft d WHERE {_GRACE}", **values)
        if not number:
            continue
        name = f"removals of {kind} within the grace"
        digest = _digest(connection, name, _GRACE, values)
        yield HeldScope(
            ChangeGroup(name, number),
            "absent, but not for long enough",
            digest,
            digest in allowed,
            Cause.GRACE,
        )
        if digest in allowed:
            _let_pass(connection, _GRACE, values, scope="")
            continue
        _store_lines(connection, digest, _GRACE, values)
        what = "it" if number == 1 else f"these {number:,}"
        way_out = f"; to remove {what} now: {allow(digest)}"
        connection.execute(
            text(f"UPDATE draft AS d SET reason = d.reason || :way_out WHERE {_GRACE}"),
            {**values, "way_out": way_out},
        )


def _digest(connection: Connection, name: str, condition: str, values: Mapping[str, str]) -> str:
    """Return a hash of exactly this scope's changes, whatever order they are read in."""
    query = (
        f"SELECT d.id, d.kind, d.k1, d.k2, d.action, d.changed, d.before, d.after FROM draft d"
        f" WHERE {condition} AND d.id > :last ORDER BY d.id LIMIT 5000"
    )
    # A sum, since the order of the rows differs from run to run and from database to database.
    total = 0
    for row in read_pages(connection, query, **values):
        line = "\x1f".join(row[1:])
        total += int.from_bytes(hashlib.blake2b(line.encode(), digest_size=16).digest())
    return hashlib.blake2b(f"{name}\x1f{total:x}".encode(), digest_size=6).hexdigest()
