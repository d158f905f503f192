"""The finished plan, read in pages, in groups, line by line and as figures."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, text

from sync.planning.reasons import OWN_ENDS
from sync.records.base import Key, Kind
from sync.records.changes import (
    CALLING,
    SOON,
    UNWRITABLE,
    Action,
    Cause,
    Change,
    PlannedChange,
    Verdict,
)
from sync.records.kinds import PERSON_OF
from sync.state.compare.plan_table import PLAN_COLUMNS
from sync.state.dialect import list_sql
from sync.state.sqlite.open import count
from sync.state.staging.scratch import from_json, key_columns, key_from, read_pages


def read_plan(
    connection: Connection, verdict: Verdict | None = None, without: Collection[Cause] = ()
) -> Iterator[PlannedChange]:
    """Yield the plan in its order; with `verdict`, only lines with that verdict.

    Lines with a cause in `without` are left out.
    """
    conditions = ["seq > :last"]
    if verdict:
        conditions.append("verdict = :verdict")
    if without:
        conditions.append(f"cause NOT IN ({', '.join(map(repr, map(str, without)))})")
    query = (
        f"SELECT seq, wave, layer, {PLAN_COLUMNS} FROM plan WHERE {' AND '.join(conditions)}"
        " ORDER BY seq LIMIT 2000"
    )
    for row in read_pages(connection, query, **({"verdict": verdict.value} if verdict else {})):
        yield to_planned_change(row)


SENDABLE = f"verdict = 'pass' AND action IN ({list_sql(CALLING)})"
"""The condition for lines of the plan that need a call and go ahead."""


@dataclass(frozen=True, slots=True)
class PlanStep:
    """Lines of the plan for one worker: one person, one test, or one layer of what is on a test.

    `key` is the key of the person or test, `action` that of the first line. The lines are among
    those from `first` to `last`.
    """

    kind: Kind
    key: str
    action: Action
    first: int
    last: int


def read_steps(connection: Connection) -> Iterator[PlanStep]:
    """Yield what is to be sent, in order; the steps of a test are neighbours."""
    query = (
        f"SELECT seq, kind, k1, layer, action FROM plan WHERE seq > :last AND {SENDABLE}"
        " ORDER BY seq LIMIT 2000"
    )
    rows = read_pages(connection, query)
    for (kind, key, _layer), found in groupby(rows, key=lambda row: (row.kind, row.k1, row.layer)):
        lines = list(found)
        yield PlanStep(Kind(kind), key, Action(lines[0].action), lines[0].seq, lines[-1].seq)


def read_step(connection: Connection, step: PlanStep) -> list[PlannedChange]:
    """Return the lines of a step, in order."""
    query = text(
        f"SELECT seq, wave, layer, {PLAN_COLUMNS} FROM plan"
        f" WHERE seq BETWEEN :first AND :last AND {SENDABLE} ORDER BY seq"
    )
    rows = connection.execute(query, {"first": step.first, "last": step.last})
    return [to_planned_change(row) for row in rows]


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


_PERSONS = " ".join(f"WHEN '{kind}' THEN '{person}'" for kind, person in PERSON_OF.items())
_NOUN = f"(CASE kind {_PERSONS} ELSE kind END)"
_OWN = f"(CASE WHEN kind IN ({', '.join(map(repr, map(str, PERSON_OF)))}) THEN k2 ELSE k1 END)"


def general_sql() -> str:
    """Return the SQL for `general_reason`.

    The database groups, because 262 candidates who wait for their learner have one cause and not
    262, and memory must not grow with them.
    """
    reason = "reason"
    for end in OWN_ENDS:
        own, any_ = f"{_NOUN} || ' ' || {_OWN} || '{end}'", f"{_NOUN} || ' …{end}'"
        reason = f"replace({reason}, {own}, {any_})"
    return reason


def read_groups(
    connection: Connection,
    verdict: Verdict,
    most: int | None,
    causes: Collection[Cause] = frozenset(Cause),
) -> Iterator[ScopeGroup]:
    """Yield what does not go ahead for `causes`, by reason, in the order of each first line.

    With `most`, a group has at most so many lines, and reasons are general. Without it, a long
    group comes in several parts.
    """
    shared = "reason" if most is None else general_sql()
    of = list_sql(causes)
    by_reason, what = "OVER (PARTITION BY shared)", "action || kind"
    numbered = (
        f"SELECT *, min(seq) {by_reason} AS first, count(*) {by_reason} AS total,"
        f" min({what}) {by_reason} = max({what}) {by_reason} AS alike,"
        " row_number() OVER (PARTITION BY shared ORDER BY seq) AS nth"
        f" FROM (SELECT *, {shared} AS shared FROM plan WHERE verdict = :verdict"
        f" AND cause IN ({of})) AS stopped"
    )
    limited = "" if most is None else f" WHERE nth <= {most:d}"
    query = text(
        f"SELECT seq, wave, layer, {PLAN_COLUMNS}, shared, first, total, alike,"
        f" (nth - 1) / {MOST_OF_ALL} AS part"
        f" FROM ({numbered}) AS numbered{limited} ORDER BY first, seq"
    ).execution_options(yield_per=500)
    rows = connection.execute(query, {"verdict": verdict.value})
    for (_first, _part), found in groupby(rows, key=lambda row: (row.first, row.part)):
        of_group = list(found)
        lines, total = [to_planned_change(row) for row in of_group], of_group[0].total
        reason = lines[0].reason if total == 1 else of_group[0].shared
        count = total if most is not None else len(lines)
        yield ScopeGroup(reason, count, lines, bool(of_group[0].alike))


def sample_creates(connection: Connection, kind: Kind, most: int) -> list[PlannedChange]:
    """Return up to `most` creates of a kind that pass, spread evenly over the plan."""
    passing = "FROM plan WHERE kind = :kind AND action = 'create' AND verdict = 'pass'"
    every = max(1, count(connection, f"SELECT count(*) {passing}", kind=kind) // most)
    numbered = f"SELECT *, row_number() OVER (ORDER BY seq) AS number {passing}"
    query = text(
        f"SELECT seq, wave, layer, {PLAN_COLUMNS} FROM ({numbered}) AS numbered"
        " WHERE number % :every = 0 ORDER BY seq LIMIT :most"
    )
    return [
        to_planned_change(row)
        for row in connection.execute(query, {"kind": kind, "every": every, "most": most})
    ]


def find_line(connection: Connection, kind: Kind, key: Key) -> PlannedChange | None:
    """Return the line of one record, or None when the plan has none."""
    k1, k2 = key_columns(key)
    query = text(
        f"SELECT seq, wave, layer, {PLAN_COLUMNS} FROM plan WHERE kind = :kind AND k1 = :k1"
        " AND k2 = :k2"
    )
    row = connection.execute(query, {"kind": kind, "k1": k1, "k2": k2}).first()
    return to_planned_change(row) if row else None


def is_drafted(connection: Connection, kind: Kind, key: Key) -> bool:
    """Tell whether the draft, from which nothing is taken out, has a line of this record."""
    k1, k2 = key_columns(key)
    query = text("SELECT 1 FROM draft WHERE kind = :kind AND k1 = :k1 AND k2 = :k2")
    return connection.execute(query, {"kind": kind, "k1": k1, "k2": k2}).first() is not None


def to_change(row: Any, reason: str = "") -> Change:
    """Return a row of the draft or the plan as its change."""
    kind = Kind(row.kind)
    return Change(
        Action(row.action),
        kind,
        key_from(kind, row.k1, row.k2),
        from_json(row.before),
        from_json(row.after),
        tuple(json.loads(row.changed)),
        row.place,
        reason,
    )


def to_planned_change(row: Any) -> PlannedChange:
    """Return a row of the plan as its line."""
    return PlannedChange(
        row.seq,
        to_change(row, row.reason),
        Verdict(row.verdict),
        row.reason,
        row.scope,
        row.wave,
        row.layer,
        row.fingerprint,
        row.secret,
        Cause(row.cause),
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
    """Count the new records that are deferred, but neither ended nor outside the pilot group.

    Updates and activations of archived tests, and activations of parents, count as well, since a
    person has to fix that (rules 22).

    On a test that has ended they are left out, as a test is that ended before it was ever sent
    (rules 16 and 35): otherwise no later run would end with 0.
    """
    query = (
        "SELECT count(*) FROM plan WHERE verdict = 'deferred' AND (action = 'create'"
        f" OR (action IN ('update', '{Action.ACTIVATE}') AND cause IN ({list_sql(UNWRITABLE)})))"
        f" AND cause NOT IN ('{Cause.ENDED}', '{Cause.CLOSED}', '{Cause.PILOT}')"
    )
    return count(connection, query)


def count_causes(connection: Connection) -> dict[tuple[Verdict, Cause], int]:
    """Count the lines that do not go ahead, by verdict and cause."""
    query = "SELECT verdict, cause, count(*) FROM plan WHERE verdict <> 'pass' GROUP BY 1, 2"
    return {(Verdict(v), Cause(c)): n for v, c, n in connection.execute(text(query))}
