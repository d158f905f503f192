"""The limits in SQL: what is counted as one, and held where it is too much (rules 15)."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, text

from sync.planning.limits import HeldScope, Limit, Limits, Scope
from sync.planning.zeros import SPREADSHEET, lost_zeros
from sync.records.base import Kind
from sync.records.changes import ALLOWED, Action, Cause, Change
from sync.records.kinds import PEOPLE
from sync.state.compare.recent_removals import count_recent
from sync.state.sqlite.open import count
from sync.state.staging.scratch import from_json, read_pages

_REMOVES = "d.action IN ('remove', 'disable', 'delete', 'withdraw')"
_COUNTED = f"d.verdict = 'pass' AND {_REMOVES}"


def hold_scopes(
    connection: Connection,
    limits: Limits,
    allowed: Collection[str],
    now: datetime,
    accepted: Sequence[str] = (),
) -> list[HeldScope]:
    """Count what would pass, and hold each scope over its limit that no digest allows (rules 15).

    All scopes are counted before any is held, so that holding one never hides another. Removals of
    the 24 hours before `now` count too. What passes because it was allowed keeps the name of its
    scope, which marks it as approved. Changes that the times of tests or lost zeros hold are
    allowed together by a hash of their own, before that. `accepted` are the sources that a person
    has accepted for this run: without them its removals are held for another reason.
    """
    together = [
        *_time_scopes(connection, allowed),
        *_zero_scopes(connection, allowed),
        *_grace_scopes(connection, allowed),
    ]
    over = []
    for scope, condition, values in _scopes(connection, limits, now):
        excess = scope.excess()
        if excess:
            digest = _digest(connection, scope.name, condition, values)
            held = HeldScope(scope, excess, digest, digest in allowed)
            if scope.removals:
                held = replace(held, accepted=tuple(accepted))
            over.append((held, condition, values))
    names = [held.scope.name for held, _, _ in over]
    # Those not allowed first: a change in two scopes needs both allowed.
    over.sort(key=lambda one: one[0].allowed)
    for held, condition, values in over:
        connection.execute(
            text(f"UPDATE draft AS d SET scope = :scope WHERE {condition} AND d.scope = ''"),
            {**values, "scope": held.scope.name},
        )
    combined = _combined(connection, [held for held, _, _ in over], allowed)
    scopes = [_with_remedy(held, combined, over) for held, _, _ in over]
    for held in (held for held in scopes if not held.allowed):
        whole = combined.get(held.scope.kind) if held.scope.removals else None
        reason = f"limit: {held.excess}; {(whole or held).remedy}"
        connection.execute(
            text(
                "UPDATE draft SET verdict = 'held', cause = 'limit', reason = :reason"
                " WHERE scope = :scope"
            ),
            {"reason": reason, "scope": held.scope.name},
        )
    return [
        *together,
        *combined.values(),
        *sorted(scopes, key=lambda held: names.index(held.scope.name)),
    ]


_Over = tuple[HeldScope, str, dict[str, str]]


def _combined(
    connection: Connection, over: Sequence[HeldScope], allowed: Collection[str]
) -> dict[Kind | None, HeldScope]:
    """Return for each kind with several held scopes of removals one hash for all of them.

    A feed that has lost half its rows exceeds the limit of its kind and of each test, and a change
    in two scopes needs both allowed: nobody types a hash for each test. Needs the draft marked with
    its scopes. The hash stands for exactly the changes that are held by now, allowed or not.
    """
    found: dict[Kind | None, HeldScope] = {}
    over = [held for held in over if held.scope.removals]
    removals = [held.scope for held in over]
    for kind in Kind:
        number = sum(scope.kind is kind for scope in removals)
        if number < 2:
            continue
        name, values = f"all held removals of {kind}", {"kind": kind.value}
        changes = count(connection, f"SELECT count(*) FROM draft d WHERE {_IN_SCOPES}", **values)
        digest = _digest(connection, name, _IN_SCOPES, values)
        scope = Scope(name, changes, changes, Limit(0, 0), kind=kind)
        why = f"{changes:,}, over {number:,} limits"
        found[kind] = HeldScope(scope, why, digest, digest in allowed, accepted=over[0].accepted)
    return found


_IN_SCOPES = f"d.kind = :kind AND {_REMOVES} AND d.scope NOT IN ('', '{ALLOWED}')"


def _with_remedy(
    held: HeldScope, combined: Mapping[Kind | None, HeldScope], over: Sequence[_Over]
) -> HeldScope:
    """Return a scope with what its own hash needs besides: a change in two scopes needs both."""
    whole = combined.get(held.scope.kind) if held.scope.removals else None
    if whole is None:
        return held
    of_kind = next(
        (one for one, _, _ in over if one.scope.kind is held.scope.kind and not one.scope.test),
        None,
    )
    needs = (of_kind.digest,) if of_kind and held.scope.test else ()
    return replace(
        held, allowed=held.allowed or whole.allowed, needs=needs, partial=of_kind is held
    )


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
        yield HeldScope(
            Scope(name, number, number, Limit(0, 0), removals=False),
            f"{number:,} wait because of when their tests are",
            digest,
            digest in allowed,
            Cause.TIMES,
        )
        if digest in allowed:
            _let_pass(connection, condition, values)


def _let_pass(connection: Connection, condition: str, values: dict[str, str]) -> None:
    passing = "UPDATE draft AS d SET verdict = 'pass', cause = '', reason = '', scope = :scope"
    connection.execute(text(f"{passing} WHERE {condition}"), {**values, "scope": ALLOWED})


_ZEROS = f"d.kind = :kind AND d.cause = '{Cause.ZEROS}' AND d.verdict = 'held'"


def _zero_scopes(connection: Connection, allowed: Collection[str]) -> Iterator[HeldScope]:
    """Yield the updates of a kind that only take leading zeros; one hash allows all of them.

    A whole column loses them at once, so they have one reason, with the first as an example.
    """
    for kind in Kind:
        values = {"kind": kind.value}
        number = count(connection, f"SELECT count(*) FROM draft d WHERE {_ZEROS}", **values)
        if number < 2:
            continue  # Its own hash allows it.
        name = f"lost leading zeros of {kind}"
        digest = _digest(connection, name, _ZEROS, values)
        why = f"{number:,} such as {_first_zeros(connection, kind)}; {SPREADSHEET}"
        scope = Scope(name, number, number, Limit(0, 0), removals=False)
        yield HeldScope(scope, why, digest, digest in allowed, Cause.ZEROS)
        if digest in allowed:
            _let_pass(connection, _ZEROS, values)
            continue
        reason = f"{why}; if it is right, apply --allow {digest}"
        connection.execute(
            text(f"UPDATE draft AS d SET reason = :reason WHERE {_ZEROS}"),
            {**values, "reason": reason},
        )


def _first_zeros(connection: Connection, kind: Kind) -> str:
    query = f"SELECT d.changed, d.before, d.after FROM draft d WHERE {_ZEROS} ORDER BY d.id LIMIT 1"
    row = connection.execute(text(query), {"kind": kind.value}).one()
    before, after = from_json(row.before), from_json(row.after)
    change = Change(Action.UPDATE, kind, ("",), before, after, tuple(json.loads(row.changed)))
    return lost_zeros(change)


_GRACE = f"d.kind = :kind AND d.cause = '{Cause.GRACE}' AND d.verdict = 'deferred'"


def _grace_scopes(connection: Connection, allowed: Collection[str]) -> Iterator[HeldScope]:
    """Yield the removals of a kind that are absent too shortly; one hash allows all of them.

    They share a reason, so that many of them are one line of the plan.
    """
    for kind in Kind:
        values = {"kind": kind.value}
        number = count(connection, f"SELECT count(*) FROM draft d WHERE {_GRACE}", **values)
        if not number:
            continue
        name = f"removals of {kind} within the grace"
        digest = _digest(connection, name, _GRACE, values)
        scope = Scope(name, number, number, Limit(0, 0), removals=False, kind=kind)
        yield HeldScope(
            scope, "absent, but not for long enough", digest, digest in allowed, Cause.GRACE
        )
        if digest in allowed:
            _let_pass(connection, _GRACE, values)
            continue
        what = "it" if number == 1 else f"these {number:,}"
        way_out = f"; to remove {what} now: apply --allow {digest}"
        connection.execute(
            text(f"UPDATE draft AS d SET reason = d.reason || :way_out WHERE {_GRACE}"),
            {**values, "way_out": way_out},
        )


def _scopes(
    connection: Connection, limits: Limits, now: datetime
) -> Iterator[tuple[Scope, str, dict[str, str]]]:
    for kind in Kind:
        values = {"kind": kind.value}
        removals = f"d.kind = :kind AND {_COUNTED}"
        if removed := count(connection, f"SELECT count(*) FROM draft d WHERE {removals}", **values):
            renumbered = count(connection, _RENUMBERED) if kind is Kind.CANDIDATE else 0
            known, before = _count_known(connection, kind), count_recent(connection, kind, now)
            scope = Scope(
                f"removals of {kind}",
                removed,
                known,
                limits.kind,
                recent=before,
                renumbered=renumbered,
                kind=kind,
            )
            yield scope, removals, values
        # What a person has allowed by its own hash needs no second one.
        updates = (
            "d.kind = :kind AND d.verdict = 'pass' AND d.action = 'update' AND d.changed <> '[]'"
            f" AND d.scope <> '{ALLOWED}'"
        )
        if updated := count(connection, f"SELECT count(*) FROM draft d WHERE {updates}", **values):
            scope = Scope(
                f"updates of {kind}",
                updated,
                _count_known(connection, kind),
                limits.updates,
                removals=False,
            )
            yield scope, updates, values
    yield from _test_scopes(connection, limits.test, now)


def _test_scopes(
    connection: Connection, limit: Limit, now: datetime
) -> Iterator[tuple[Scope, str, dict[str, str]]]:
    for kind in (Kind.CANDIDATE, Kind.CONTRIBUTOR, Kind.COMMITTEE):
        condition = f"d.kind = '{kind}' AND d.k1 = :test AND {_COUNTED}"
        query = (
            f"SELECT d.k1, count(*) FROM draft d WHERE d.kind = '{kind}' AND {_COUNTED}"
            " GROUP BY d.k1 ORDER BY d.k1"
        )
        for test, removed in connection.execute(text(query)).fetchall():
            held = f"SELECT count(*) FROM known_{kind} WHERE test = :test AND lifecycle = 'active'"
            of_kind = "" if kind is Kind.CANDIDATE else f" of {kind}"
            name = f"removals{of_kind} on test {test}"
            changed = f"{_RENUMBERED} AND d.k1 = :test"
            renumbered = count(connection, changed, test=test) if kind is Kind.CANDIDATE else 0
            known, before = (
                count(connection, held, test=test),
                count_recent(connection, kind, now, test),
            )
            scope = Scope(
                name,
                removed,
                known,
                limit,
                recent=before,
                renumbered=renumbered,
                kind=kind,
                test=test,
            )
            yield scope, condition, {"test": test}


_RENUMBERED = (
    "SELECT count(*) FROM draft d JOIN known_candidate k ON k.test = d.k1 AND k.learner = d.k2"
    " WHERE d.kind = 'candidate' AND d.action = 'update' AND k.candidate_id <> ''"
    " AND d.changed LIKE '%\"candidate_id\"%'"
)
"""The number of candidates who stay on their tests and get another candidate number."""


def _count_known(connection: Connection, kind: Kind) -> int:
    """Return the number of known records of a kind on tests that have not ended.

    Limits are shares of this number.
    """
    if kind in PEOPLE:
        return count(connection, f"SELECT count(*) FROM known_{kind} WHERE lifecycle = 'active'")
    test = "k.key" if kind is Kind.TEST else "k.test"
    return count(
        connection,
        f"SELECT count(*) FROM known_{kind} k LEFT JOIN test_window w ON w.test = {test}"
        " WHERE k.lifecycle = 'active' AND coalesce(w.ended, 0) = 0",
    )


def _digest(connection: Connection, name: str, condition: str, values: dict[str, str]) -> str:
    """Return a hash of exactly this scope's changes, whatever order they are read in."""
    query = (
        f"SELECT d.id, d.kind, d.k1, d.k2, d.action, d.changed, d.before, d.after FROM draft d"
        f" WHERE {condition} AND d.id > :last ORDER BY d.id LIMIT 5000"
    )
    # A sum, since the order of the rows differs from run to run and from database to database.
    total = 0
    for row in read_pages(connection, query, **values):
        line = "\x1f".join(str(value) for value in row[1:])
        total += int.from_bytes(hashlib.blake2b(line.encode(), digest_size=16).digest())
    return hashlib.blake2b(f"{name}\x1f{total:x}".encode(), digest_size=6).hexdigest()
