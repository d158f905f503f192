"""What a report reads of a plan: its lines by cause and kind, and the days of its tests."""

from collections.abc import Iterator

from sqlalchemy import Connection, text

from sync.records.base import Kind
from sync.records.changes import Action, Cause, PlannedChange, Verdict
from sync.records.kinds import ON_A_TEST
from sync.state.compare.plan_reader import general_sql, to_planned_change
from sync.state.compare.plan_table import PLAN_COLUMNS
from sync.state.dialect import list_sql, stream

_LINE = f"seq, wave, layer, {PLAN_COLUMNS}"
_WITH_TESTS = list_sql((Kind.TEST, *ON_A_TEST))


def read_stopped(
    connection: Connection, verdict: Verdict, cause: Cause
) -> Iterator[tuple[str, PlannedChange]]:
    """Yield the lines that do not go ahead for a cause, each with the reason that it shares.

    Lines that share a reason are neighbours.
    """
    query = (
        f"SELECT {_LINE}, {general_sql()} AS shared FROM plan"
        " WHERE verdict = :verdict AND cause = :cause ORDER BY shared, seq"
    )
    for row in stream(connection, query, verdict=verdict.value, cause=cause.value):
        yield row.shared, to_planned_change(row)


def read_passing(connection: Connection, kind: Kind) -> Iterator[PlannedChange]:
    """Yield the lines of a kind that go ahead, in their order."""
    query = f"SELECT {_LINE} FROM plan WHERE verdict = 'pass' AND kind = :kind ORDER BY seq"
    for row in stream(connection, query, kind=kind.value):
        yield to_planned_change(row)


def count_by_start(connection: Connection) -> Iterator[tuple[str, Action, Verdict, int]]:
    """Yield how many lines concern tests with one start, by action and verdict."""
    query = (
        "SELECT w.start, p.action, p.verdict, count(*) FROM plan p JOIN test_window w"
        f" ON w.test = p.k1 WHERE p.kind IN ({_WITH_TESTS}) AND w.start <> ''"
        " GROUP BY 1, 2, 3 ORDER BY 1"
    )
    for start, action, verdict, number in connection.execute(text(query)):
        yield str(start), Action(action), Verdict(verdict), int(number)
