"""The closed plan, narrowed to what was asked for and what that needs."""

from sqlalchemy import Connection, text

from sync.planning.selection import Chosen
from sync.records.base import Kind
from sync.records.changes import ADDITIONS, Action, PlannedChange, Verdict
from sync.records.kinds import ON_A_TEST, PERSON_OF
from sync.state.compare.plan_reader import find_line, read_plan
from sync.state.dialect import insert
from sync.state.sqlite.open import count
from sync.state.staging.scratch import chunks


def narrow(connection: Connection, chosen: Chosen) -> int:
    """Take out of the plan what was not asked for. Return how many changes would have passed.

    What a chosen addition needs stays: the creates of its test and of its person.
    """
    kept = (
        [(seq,) for line in chunk if chosen(line) for seq in _with_needs(connection, line)]
        for chunk in chunks(read_plan(connection))
    )
    for rows in kept:
        insert(connection, "asked", ("seq",), rows)
    unasked = "seq NOT IN (SELECT seq FROM asked)"
    left = count(connection, f"SELECT count(*) FROM plan WHERE verdict = 'pass' AND {unasked}")
    connection.execute(text(f"DELETE FROM plan WHERE {unasked}"))
    connection.commit()
    return left


def _with_needs(connection: Connection, line: PlannedChange) -> list[int]:
    """Return the numbers of a line and of the creates without which it can't be sent."""
    found, change = [line.seq], line.change
    if change.kind not in ON_A_TEST or change.action not in ADDITIONS:
        return found
    needed = [(Kind.TEST, change.key[0])]
    if change.kind in PERSON_OF:
        needed.append((PERSON_OF[change.kind], change.key[1]))
    for kind, key in needed:
        other = find_line(connection, kind, (key,))
        if other and other.verdict is Verdict.PASS and other.change.action is Action.CREATE:
            found.append(other.seq)
    return found
