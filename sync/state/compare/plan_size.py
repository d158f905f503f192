"""The finished plan in figures, by what is sent together: an estimate of its calls rests on them."""

from collections.abc import Collection, Iterator

from sqlalchemy import Connection, bindparam, text

from sync.planning.export_need import NewPeople
from sync.planning.plan_size import PlanPart, PlanSize
from sync.records.base import Kind
from sync.records.changes import REMOVALS, SOON, Action
from sync.records.kinds import ON_A_TEST
from sync.state.compare.plan_reader import SENDABLE
from sync.state.dialect import list_sql
from sync.state.sqlite.open import count

_PASSING = f"FROM plan WHERE {SENDABLE}"
_ON_TESTS = list_sql(ON_A_TEST)
_REMOVAL = f"CASE WHEN action IN ({list_sql(REMOVALS)}) THEN 1 ELSE 0 END"


def measure(
    connection: Connection, batch_size: int, security: Collection[str], *, blank: bool
) -> PlanSize:
    """Return the figures of what goes ahead."""
    first_passwords = (
        f"SELECT count(*) {_PASSING} AND kind = 'learner' AND action = 'create'"
        " AND secret IS NOT NULL"
    )
    return PlanSize(
        [*_count_alone(connection), *_count_on_tests(connection, batch_size)],
        count_new_people(connection),
        count(connection, first_passwords),
        _count_secured(connection, security),
        _count_shared(connection),
        blank,
    )


def count_new_people(connection: Connection) -> dict[Kind, NewPeople]:
    """Count the new people who go ahead: for tests of the next 7 days, and others."""
    query = (
        f"SELECT kind, sum(CASE WHEN wave LIKE '{SOON}%' THEN 1 ELSE 0 END), count(*) {_PASSING}"
        " AND kind IN ('learner', 'staff') AND action = 'create' GROUP BY 1"
    )
    rows = connection.execute(text(query))
    return {Kind(kind): NewPeople(int(near), total - int(near)) for kind, near, total in rows}


def _count_alone(connection: Connection) -> Iterator[PlanPart]:
    """Yield the changes that take a call each: those of people and tests."""
    query = f"SELECT kind, action, count(*) {_PASSING} AND kind NOT IN ({_ON_TESTS}) GROUP BY 1, 2"
    for kind, action, changes in connection.execute(text(query)):
        yield PlanPart(Kind(kind), Action(action), changes)


def _count_on_tests(connection: Connection, batch_size: int) -> Iterator[PlanPart]:
    """Yield the changes of one kind on tests: all of a layer on a test are sent together."""
    together = (
        f"SELECT kind, {_REMOVAL} AS removal, k1, layer, count(*) AS n {_PASSING}"
        f" AND kind IN ({_ON_TESTS}) GROUP BY 1, 2, 3, 4"
    )
    query = (
        f"SELECT kind, removal, sum(n), count(*), sum((n + {batch_size - 1:d}) / {batch_size:d})"
        f" FROM ({together}) AS together GROUP BY 1, 2"
    )
    for kind, removal, changes, groups, batches in connection.execute(text(query)):
        action = Action.REMOVE if removal else Action.CREATE
        yield PlanPart(Kind(kind), action, int(changes), groups, int(batches))


def _count_secured(connection: Connection, security: Collection[str]) -> int:
    """Count the tests on which a security option is set."""
    if not security:
        return 0  # an empty list has no type, and PostgreSQL takes it for numbers
    query = text(
        f"SELECT count(DISTINCT k1) {_PASSING} AND kind = 'option' AND k2 IN :names"
    ).bindparams(bindparam("names", expanding=True))
    return int(connection.execute(query, {"names": sorted(security)}).scalar() or 0)


def _count_shared(connection: Connection) -> int:
    """Count the tests that get both committees and contributors."""
    both = (
        f"SELECT k1 {_PASSING} AND kind IN ('committee', 'contributor') AND {_REMOVAL} = 0"
        " GROUP BY k1 HAVING count(DISTINCT kind) = 2"
    )
    return count(connection, f"SELECT count(*) FROM ({both}) AS both_kinds")
