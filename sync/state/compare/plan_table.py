"""The plan as a table: drafted by change, held by scope, put in order once, read in pages."""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, text

from sync.planning.decide import DraftedChange
from sync.planning.limits import HeldScope, Limit, Limits, Scope
from sync.records.base import Key, Kind
from sync.records.changes import ALLOWED, SOON, Action, Cause, Change, PlannedChange, Verdict
from sync.records.kinds import PEOPLE
from sync.state.compare.recent_removals import count_recent
from sync.state.dialect import analyse, create_index, insert
from sync.state.sqlite.open import count
from sync.state.staging.scratch import chunks, from_json, key_columns, key_from, read_pages, to_json

_COUNTED = "d.verdict = 'pass' AND d.action IN ('remove', 'disable', 'delete', 'withdraw')"
_COLUMNS = (
    "kind, k1, k2, action, verdict, cause, reason, place, changed, before, after, secret, "
    "fingerprint, scope"
)


def write_draft(connection: Connection, drafted: Iterable[DraftedChange]) -> int:
    """Write changes with their rulings into the draft. Return how many."""
    columns = _COLUMNS.split(", ")
    return sum(
        insert(connection, "draft", columns, [_draft_row(item) for item in chunk])
        for chunk in chunks(drafted)
    )


def _draft_row(item: DraftedChange) -> tuple[object, ...]:
    change = item.change
    return (
        change.kind.value,
        *key_columns(change.key),
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


def hold_scopes(
    connection: Connection, limits: Limits, allowed: Collection[str], now: datetime
) -> list[HeldScope]:
    """Count what would pass, and hold each scope over its limit that no digest allows (rules 15).

    All scopes are counted before any is held, so that holding one never hides another. Removals of
    the 24 hours before `now` count too. What passes because it was allowed keeps the name of its
    scope, which marks it as approved. Changes that the times of tests hold are allowed together by
    a hash of their own, before that.
    """
    by_times = list(_time_scopes(connection, allowed))
    over = []
    for scope, condition, values in _scopes(connection, limits, now):
        excess = scope.excess()
        if excess:
            digest = _digest(connection, scope.name, condition, values)
            over.append((HeldScope(scope, excess, digest, digest in allowed), condition, values))
    names = [held.scope.name for held, _, _ in over]
    # Those not allowed first: a change in two scopes needs both allowed.
    over.sort(key=lambda one: one[0].allowed)
    for held, condition, values in over:
        connection.execute(
            text(f"UPDATE draft AS d SET scope = :scope WHERE {condition} AND d.scope = ''"),
            {**values, "scope": held.scope.name},
        )
    for held in (held for held, _, _ in over if not held.allowed):
        reason = f"limit: {held.excess}; if it is right, apply --allow {held.digest}"
        connection.execute(
            text(
                "UPDATE draft SET verdict = 'held', cause = 'limit', reason = :reason"
                " WHERE scope = :scope"
            ),
            {"reason": reason, "scope": held.scope.name},
        )
    return [
        *by_times,
        *sorted((held for held, _, _ in over), key=lambda held: names.index(held.scope.name)),
    ]


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
            by_times=True,
        )
        if digest in allowed:
            passing = (
                "UPDATE draft AS d SET verdict = 'pass', cause = '', reason = '', scope = "
                ":scope WHERE "
            )
            connection.execute(text(passing + condition), {**values, "scope": ALLOWED})


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
            )
            yield scope, removals, values
        updates = (
            "d.kind = :kind AND d.verdict = 'pass' AND d.action = 'update' AND d.changed <> '[]'"
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
            scope = Scope(name, removed, known, limit, recent=before, renumbered=renumbered)
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
    total = 0
    for row in read_pages(connection, query, **values):
        line = "\x1f".join(str(value) for value in row[1:])
        total += int.from_bytes(hashlib.blake2b(line.encode(), digest_size=16).digest())
    return hashlib.blake2b(f"{name}\x1f{total:x}".encode(), digest_size=6).hexdigest()


SILENT = 99
"""The layer of changes that make no call."""

_ADDED = {
    Kind.LEARNER: 1,
    Kind.STAFF: 1,
    Kind.TEST: 2,
    Kind.OPTION: 3,
    Kind.COMMITTEE: 4,
    Kind.CONTRIBUTOR: 5,
    Kind.CANDIDATE: 7,
}
"""The layer of each kind's additions: what others need comes first. Removals come after all of
them, in reverse."""

_FIRST_OUT = 6
"""The layer of removals that free a candidate number for somebody else: right before the
candidates' additions."""

_LAST = max(_ADDED.values()) + 1


def _layer_sql() -> str:
    added = " ".join(f"WHEN '{kind}' THEN {layer}" for kind, layer in _ADDED.items())
    removed = " ".join(f"WHEN '{kind}' THEN {2 * _LAST - layer}" for kind, layer in _ADDED.items())
    return (
        f"CASE WHEN d.id IN (SELECT id FROM first_out) THEN {_FIRST_OUT}"
        f" WHEN d.action IN ('create', 'update', 'enable') THEN CASE d.kind {added} END"
        f" WHEN d.action IN ('remove', 'disable', 'delete') THEN CASE d.kind {removed} END"
        f" ELSE {SILENT} END"
    )


_SOONEST = (
    "(SELECT min(w.wave) FROM wanted_{on} c JOIN test_window w ON w.test = c.test"
    " WHERE c.{person} = d.k1)"
)
_WAVE = f"""coalesce(CASE d.kind
    WHEN 'learner' THEN {_SOONEST.format(on="candidate", person="learner")}
    WHEN 'staff' THEN {_SOONEST.format(on="contributor", person="staff")}
    ELSE (SELECT w.wave FROM test_window w WHERE w.test = d.k1) END, '9999')"""


def write_plan(connection: Connection) -> None:
    """Write the draft into the plan in the order of sending (rules 19).

    First comes what soon tests need, in layers; then the rest, soonest test first.
    """
    start = (
        "(SELECT w.start FROM test_window w WHERE w.test = d.k1"
        " AND d.kind NOT IN ('learner', 'staff'))"
    )
    connection.exec_driver_sql(
        f"INSERT INTO plan (wave, layer, {_COLUMNS})"
        f" SELECT {_WAVE} AS wave, {_layer_sql()} AS layer, {_COLUMNS}"
        f" FROM draft d ORDER BY 1, 2, coalesce({start}, ''), d.k1, d.id"
    )
    create_index(connection, "ix_plan", "plan (verdict, layer)")
    analyse(connection, "plan")


def read_plan(connection: Connection, verdict: Verdict | None = None) -> Iterator[PlannedChange]:
    """Yield the plan in its order; with `verdict`, only lines with that verdict."""
    query = (
        f"SELECT seq, wave, layer, {_COLUMNS} FROM plan WHERE seq > :last"
        f"{' AND verdict = :verdict' if verdict else ''} ORDER BY seq LIMIT 2000"
    )
    for row in read_pages(connection, query, **({"verdict": verdict.value} if verdict else {})):
        yield _to_planned_change(row)


@dataclass(frozen=True, slots=True)
class ScopeGroup:
    """The lines of a verdict that share a reason: `lines` are the first of `total`.

    `alike` means that all have one action and one kind.
    """

    reason: str
    total: int
    lines: Sequence[PlannedChange]
    alike: bool = True


MOST_OF_ALL = 1_000
"""The most lines in one group, even when all are asked for: memory does not grow with a plan."""


_NOUN = "(CASE kind WHEN 'candidate' THEN 'learner' WHEN 'contributor' THEN 'staff' ELSE kind END)"
_OWN = "(CASE WHEN kind IN ('candidate', 'contributor') THEN k2 ELSE k1 END)"
_GENERAL = (
    f"replace(replace(reason, {_NOUN} || ' ' || {_OWN} || ' ', {_NOUN} || ' … '),"
    f" {_NOUN} || ' ' || {_OWN} || '`', {_NOUN} || ' …`')"
)
"""A reason without the record's own person or test: 262 candidates who wait for their learner have
one cause and not 262."""


def read_groups(connection: Connection, verdict: Verdict, most: int | None) -> Iterator[ScopeGroup]:
    """Yield what does not go ahead, grouped by reason, in the order of each first line.

    With `most`, a group has at most so many lines, and reasons are general. Without it, a long
    group comes in several parts.
    """
    shared = "reason" if most is None else _GENERAL
    by_reason, what = "OVER (PARTITION BY shared)", "action || kind"
    numbered = (
        f"SELECT *, min(seq) {by_reason} AS first, count(*) {by_reason} AS total,"
        f" min({what}) {by_reason} = max({what}) {by_reason} AS alike,"
        " row_number() OVER (PARTITION BY shared ORDER BY seq) AS nth"
        f" FROM (SELECT *, {shared} AS shared FROM plan WHERE verdict = :verdict) AS stopped"
    )
    limited = "" if most is None else f" WHERE nth <= {most:d}"
    query = text(
        f"SELECT seq, wave, layer, {_COLUMNS}, shared, first, total, alike,"
        f" (nth - 1) / {MOST_OF_ALL} AS part"
        f" FROM ({numbered}) AS numbered{limited} ORDER BY first, seq"
    ).execution_options(yield_per=500)
    rows = connection.execute(query, {"verdict": verdict.value})
    for (_first, _part), found in groupby(rows, key=lambda row: (row.first, row.part)):
        of_group = list(found)
        lines, total = [_to_planned_change(row) for row in of_group], of_group[0].total
        reason = lines[0].reason if total == 1 else of_group[0].shared
        count = total if most is not None else len(lines)
        yield ScopeGroup(reason, count, lines, bool(of_group[0].alike))


def sample_creates(connection: Connection, kind: Kind, most: int) -> list[PlannedChange]:
    """Return up to `most` creates of a kind that pass, spread evenly over the plan."""
    passing = "FROM plan WHERE kind = :kind AND action = 'create' AND verdict = 'pass'"
    every = max(1, count(connection, f"SELECT count(*) {passing}", kind=kind) // most)
    numbered = f"SELECT *, row_number() OVER (ORDER BY seq) AS number {passing}"
    query = text(
        f"SELECT seq, wave, layer, {_COLUMNS} FROM ({numbered}) AS numbered"
        " WHERE number % :every = 0 ORDER BY seq LIMIT :most"
    )
    return [
        _to_planned_change(row)
        for row in connection.execute(query, {"kind": kind, "every": every, "most": most})
    ]


def find_line(connection: Connection, kind: Kind, key: Key) -> PlannedChange | None:
    """Return the line of one record, or None when the plan has none."""
    k1, k2 = key_columns(key)
    query = text(
        f"SELECT seq, wave, layer, {_COLUMNS} FROM plan WHERE kind = :kind AND k1 = :k1"
        " AND k2 = :k2"
    )
    row = connection.execute(query, {"kind": kind, "k1": k1, "k2": k2}).first()
    return _to_planned_change(row) if row else None


def _to_planned_change(row: Any) -> PlannedChange:
    kind = Kind(row.kind)
    change = Change(
        Action(row.action),
        kind,
        key_from(kind, row.k1, row.k2),
        from_json(row.before),
        from_json(row.after),
        tuple(json.loads(row.changed)),
        row.place,
        row.reason,
    )
    return PlannedChange(
        row.seq,
        change,
        Verdict(row.verdict),
        row.reason,
        row.scope,
        row.wave,
        row.layer,
        row.fingerprint,
        row.secret,
    )


def count_lines(connection: Connection) -> dict[tuple[Kind, Action, Verdict], int]:
    """Count the lines of the plan by kind, action and verdict."""
    query = "SELECT kind, action, verdict, count(*) FROM plan GROUP BY 1, 2, 3"
    return {(Kind(k), Action(a), Verdict(v)): n for k, a, v, n in connection.execute(text(query))}


def count_waiting(connection: Connection) -> tuple[int, int]:
    """Return how many lines wait, and how many of them for a test within 7 days or under way."""
    waits = "SELECT count(*) FROM plan WHERE verdict = 'waiting'"
    return count(connection, waits), count(connection, f"{waits} AND wave LIKE '{SOON}%'")


def count_deferred_creates(connection: Connection) -> int:
    """Count the new records that are deferred."""
    return count(
        connection, "SELECT count(*) FROM plan WHERE verdict = 'deferred' AND action = 'create'"
    )


def count_causes(connection: Connection) -> dict[tuple[Verdict, Cause], int]:
    """Count the lines that do not go ahead, by verdict and cause."""
    query = "SELECT verdict, cause, count(*) FROM plan WHERE verdict <> 'pass' GROUP BY 1, 2"
    return {(Verdict(v), Cause(c)): n for v, c, n in connection.execute(text(query))}
