"""The changes that are counted as one by a limit, with what is known and was changed recently."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, text

from sync.planning.limits import ChangeType, Limit, Limits, Recent, Scope
from sync.records.base import Kind, utc_text
from sync.records.changes import ALLOWED
from sync.records.kinds import PEOPLE
from sync.state.compare.recent_changes import (
    IN_DRAFT,
    WEEK,
    count_at_most,
    count_recent,
    count_recent_on_tests,
)
from sync.state.sqlite.open import count

COUNTED = f"d.kind = :kind AND d.verdict = 'pass' AND d.scope <> '{ALLOWED}'"
"""The condition on drafted changes that are counted: a person has not allowed just these."""

ON_TESTS = (Kind.CANDIDATE, Kind.CONTRIBUTOR, Kind.COMMITTEE)
"""The kinds that have a limit on each test."""

_YEAR = timedelta(days=366)
"""For how long what has ended counts for creates: when a term begins, all of the last has ended."""


class CountedScope(NamedTuple):
    """A scope with the condition on the drafted changes `d` that are in it."""

    scope: Scope
    condition: str
    values: Mapping[str, str]


def read_scopes(connection: Connection, limits: Limits, now: datetime) -> Iterator[CountedScope]:
    """Yield every scope of the draft that could exceed its limit: first of kinds, then of tests."""
    kinds = _count_kinds(connection)
    for kind in Kind:
        for type_ in ChangeType:
            if number := kinds.get((kind, type_)):
                yield from _of_kind(connection, limits, now, kind, type_, number)
    for kind in ON_TESTS:
        for type_ in ChangeType:
            limit = limits.on_test(type_)
            if limit and (kind, type_) in kinds:
                yield from _of_tests(connection, limits, limit, now, kind, type_)


def _count_kinds(connection: Connection) -> dict[tuple[Kind, ChangeType], int]:
    """Count what is drafted of each kind, in one pass."""
    sums = ", ".join(f"sum(CASE WHEN {one} THEN 1 ELSE 0 END)" for one in IN_DRAFT.values())
    query = (
        f"SELECT d.kind, {sums} FROM draft d WHERE d.verdict = 'pass' AND d.scope <> '{ALLOWED}'"
        " GROUP BY d.kind"
    )
    return {
        (Kind(kind), type_): int(number)
        for kind, *numbers in connection.execute(text(query)).fetchall()
        for type_, number in zip(IN_DRAFT, numbers, strict=True)
        if number
    }


def _of_kind(
    connection: Connection,
    limits: Limits,
    now: datetime,
    kind: Kind,
    type_: ChangeType,
    number: int,
) -> Iterator[CountedScope]:
    limit, removals = limits.of_kind(type_), type_ is ChangeType.REMOVALS
    if not (removals or _may_exceed(connection, limit, now, kind, type_, number)):
        return
    known = _count_known(connection, kind, type_, now)
    if removals:
        known -= sum(_count_allowed(connection, kind).values())
    scope = Scope(
        f"{type_} of {kind}",
        number,
        known,
        limit,
        type_,
        count_recent(connection, kind, type_, now),
        limits.per_week,
        sum(_count_renumbered(connection).values()) if removals and kind is Kind.CANDIDATE else 0,
        kind,
    )
    condition = f"{COUNTED} AND {IN_DRAFT[type_]}"
    yield CountedScope(scope, condition, {"kind": kind.value})


def _may_exceed(
    connection: Connection,
    limit: Limit,
    now: datetime,
    kind: Kind,
    type_: ChangeType,
    number: int,
) -> bool:
    """Tell quickly whether updates or creates can be more than their limit."""
    recent = count_at_most(connection, kind, type_, now)
    if number + recent <= limit.at_least:
        return False
    known = _count_known(connection, kind, type_, now)
    # The limit is at its smallest if all that may have been changed recently was.
    if number + recent <= limit.of(max(0, known - recent)):
        return False
    if type_ is ChangeType.UPDATES or known > recent:
        return True
    older = f"SELECT count(*) FROM known_{kind} WHERE updated <= :week"
    return count(connection, older, week=utc_text(now - WEEK)) > 0  # otherwise a first load


def _of_tests(
    connection: Connection,
    limits: Limits,
    limit: Limit,
    now: datetime,
    kind: Kind,
    type_: ChangeType,
) -> Iterator[CountedScope]:
    # Each is counted for all tests at once: a lost faculty has hundreds of them.
    counted = f"{COUNTED} AND {IN_DRAFT[type_]}"
    query = f"SELECT d.k1, count(*) FROM draft d WHERE {counted} GROUP BY d.k1 ORDER BY d.k1"
    numbers = connection.execute(text(query), {"kind": kind.value}).fetchall()
    known = _count_known_on_tests(connection, kind, counted)
    recent = count_recent_on_tests(connection, kind, type_, now)
    removals = type_ is ChangeType.REMOVALS
    allowed = _count_allowed(connection, kind) if removals else {}
    renumbered = _count_renumbered(connection) if removals and kind is Kind.CANDIDATE else {}
    of_kind = "" if kind is Kind.CANDIDATE else f" of {kind}"
    for test, number in numbers:
        scope = Scope(
            f"{type_}{of_kind} on test {test}",
            number,
            known.get(test, 0) - allowed.get(test, 0),
            limit,
            type_,
            recent.get(test, Recent()),
            limits.per_week,
            renumbered.get(test, 0),
            kind,
            test,
        )
        yield CountedScope(scope, f"{counted} AND d.k1 = :test", {"kind": kind.value, "test": test})


def _count_known(connection: Connection, kind: Kind, type_: ChangeType, now: datetime) -> int:
    """Return the number of known records of which a limit is a share; for creates of the last year."""
    if type_ is ChangeType.CREATES:
        query = f"SELECT count(*) FROM known_{kind} WHERE lifecycle = 'active' OR updated > :year"
        return count(connection, query, year=utc_text(now - _YEAR))
    return count_known(connection, kind)


def count_known(connection: Connection, kind: Kind) -> int:
    """Return the number of known records of a kind on tests that have not ended."""
    if kind in PEOPLE:
        return count(connection, f"SELECT count(*) FROM known_{kind} WHERE lifecycle = 'active'")
    test = "k.key" if kind is Kind.TEST else "k.test"
    return count(
        connection,
        f"SELECT count(*) FROM known_{kind} k LEFT JOIN test_window w ON w.test = {test}"
        " WHERE k.lifecycle = 'active' AND coalesce(w.ended, 0) = 0",
    )


def _count_known_on_tests(connection: Connection, kind: Kind, counted: str) -> dict[str, int]:
    """Return how many are known on each test that the counted changes are on."""
    query = (
        f"SELECT k.test, count(*) FROM known_{kind} k WHERE k.lifecycle = 'active'"
        f" AND k.test IN (SELECT d.k1 FROM draft d WHERE {counted}) GROUP BY k.test"
    )
    return _by_test(connection, query, kind)


def _count_allowed(connection: Connection, kind: Kind) -> dict[str, int]:
    """Return by their first key how many removals a person has allowed: they do not remain."""
    query = (
        f"SELECT d.k1, count(*) FROM draft d WHERE d.kind = :kind AND d.scope = '{ALLOWED}'"
        f" AND d.verdict = 'pass' AND {IN_DRAFT[ChangeType.REMOVALS]} GROUP BY d.k1"
    )
    return _by_test(connection, query, kind)


def _count_renumbered(connection: Connection) -> dict[str, int]:
    """Return on each test how many candidates stay and get another candidate number."""
    query = (
        "SELECT d.k1, count(*) FROM draft d JOIN known_candidate k ON k.test = d.k1"
        " AND k.learner = d.k2 WHERE d.kind = :kind AND d.action = 'update'"
        " AND k.candidate_id <> '' AND d.changed LIKE '%\"candidate_id\"%' GROUP BY d.k1"
    )
    return _by_test(connection, query, Kind.CANDIDATE)


def _by_test(connection: Connection, query: str, kind: Kind) -> dict[str, int]:
    found = connection.execute(text(query), {"kind": kind.value})
    return {row[0]: row[1] for row in found}
