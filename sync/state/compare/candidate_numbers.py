"""Candidate numbers on a test, and the changes that wait until a number is free (rules 36).

The vendor's contract does not say that Inspera refuses a number that is used twice on one test,
so this tool must avoid it.
"""

from collections.abc import Collection, Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, bindparam, text

from sync.planning.candidate_numbers import NOBODY_REMOVES, UNMANAGED, Holder, still_held
from sync.records.changes import Cause
from sync.state.dialect import analyse, create_index, insert, stream
from sync.state.sqlite.open import count
from sync.state.staging.scratch import chunks, from_json

_FILL_TAKING = """
    INSERT INTO taking (id, test, learner, number)
    SELECT d.id, d.k1, d.k2, w.candidate_id FROM draft d
    JOIN wanted_candidate w ON w.test = d.k1 AND w.learner = d.k2
    LEFT JOIN known_candidate k ON k.test = d.k1 AND k.learner = d.k2
    WHERE d.kind = 'candidate' AND d.verdict = 'pass' AND d.action IN ('create', 'update')
      AND w.candidate_id <> '' AND coalesce(k.candidate_id, '') <> w.candidate_id
"""
_CONTESTED = """
    SELECT t.id AS taker, t.number, k.learner AS holder, d.id AS holder_id, d.action,
           d.verdict, d.reason, g.id AS moves
    FROM (SELECT DISTINCT test FROM taking) s
    JOIN known_candidate k ON k.test = s.test
    JOIN taking t ON t.test = k.test AND t.number = k.candidate_id AND t.learner <> k.learner
    LEFT JOIN draft d ON d.kind = 'candidate' AND d.k1 = k.test AND d.k2 = k.learner
    LEFT JOIN taking g ON g.id = d.id
"""
"""The holders of the numbers that are to be taken; a number may move on (`moves`)."""

_FREED = "(action = 'remove' AND verdict = 'pass')"
_STUCK = f"""
    WITH RECURSIVE stuck(id) AS (
        SELECT taker FROM contested WHERE moves IS NULL AND NOT coalesce({_FREED}, 0 = 1)
        UNION
        SELECT c.taker FROM contested c JOIN stuck s ON c.moves = s.id
    )
    SELECT id FROM stuck
"""
"""A change is stuck when its number is not freed, or only by a change that is stuck itself: numbers
may move along a chain, so the query is recursive."""


def defer_numbers(connection: Connection) -> None:
    """Defer each change that takes a number of a candidate who stays.

    Changes that free a number go first. This needs the whole draft of candidates with the limits
    applied: a removal that is held frees nothing.
    """
    if not _has_numbers(connection):
        return  # As on a first load: nobody has a number yet.
    connection.execute(text(_FILL_TAKING))
    if not count(connection, "SELECT count(*) FROM taking"):
        return  # As on most days.
    create_index(connection, "ix_taking", "taking (test, number)")
    create_index(connection, "ix_taking_id", "taking (id)")
    analyse(connection, "taking")
    connection.execute(text(f"INSERT INTO contested {_CONTESTED}"))
    for chunk in chunks(_read_unsettled(connection)):
        insert(connection, "contested", _OPEN_COLUMNS, chunk)
    if not count(connection, "SELECT count(*) FROM contested"):
        return
    connection.execute(text(f"INSERT INTO stuck {_STUCK}"))
    create_index(connection, "ix_stuck", "stuck (id)")
    create_index(connection, "ix_contested", "contested (taker)")
    analyse(connection, "contested", "stuck")
    _defer_stuck(connection)
    connection.execute(
        text(
            f"INSERT INTO first_out SELECT DISTINCT holder_id FROM contested WHERE {_FREED}"
            " AND taker NOT IN (SELECT id FROM stuck)"
        )
    )


def _has_numbers(connection: Connection) -> bool:
    known = "SELECT 1 FROM known_candidate WHERE candidate_id <> ''"
    tried = "SELECT 1 FROM open_record WHERE kind = 'candidate'"
    return connection.execute(text(f"{known} UNION ALL {tried} LIMIT 1")).first() is not None


_OPEN_COLUMNS = ("taker", "number", "holder", "reason")
_UNSETTLED = "what became of an earlier call for this candidate is not known yet"


def _read_unsettled(connection: Connection) -> Iterator[tuple[object, ...]]:
    """Yield the changes whose number may belong to a call without a known outcome."""
    query = "SELECT k1, k2, fields FROM open_record WHERE kind = 'candidate'"
    takers = text(
        "SELECT id FROM taking WHERE test = :test AND number = :number AND learner <> :learner"
    )
    for row in connection.execute(text(query)).fetchall():
        number = from_json(row.fields).get("candidate_id")
        if number:
            values = {"test": row.k1, "number": number, "learner": row.k2}
            for (taker,) in connection.execute(takers, values).fetchall():
                yield (taker, number, row.k2, _UNSETTLED)


_STUCK_CHANGES = f"""
    SELECT c.taker, c.number, c.holder, c.verdict, c.reason, h.id AS waits, w.learner AS wanted,
           k.managed,
           EXISTS (SELECT 1 FROM row_error f
                   WHERE f.kind = 'candidate' AND f.k1 = t.test AND f.k2 = c.holder) AS invalid
    FROM contested c
    JOIN stuck s ON s.id = c.taker
    JOIN taking t ON t.id = c.taker
    LEFT JOIN stuck h ON h.id = c.moves
    LEFT JOIN wanted_candidate w ON w.test = t.test AND w.learner = c.holder
    LEFT JOIN known_candidate k ON k.test = t.test AND k.learner = c.holder
    WHERE (h.id IS NOT NULL OR (c.moves IS NULL AND NOT coalesce({_FREED}, 0 = 1)))
    ORDER BY c.taker, c.holder
"""


def _defer_stuck(connection: Connection) -> None:
    """Write the number that each stuck change waits for, and why that candidate keeps it."""
    statement = text(
        f"UPDATE draft SET verdict = 'deferred', cause = '{Cause.NUMBER}', reason = :reason"
        " WHERE id = :id"
    )
    first = (
        next(rows)
        for _, rows in groupby(stream(connection, _STUCK_CHANGES), key=lambda row: row.taker)
    )
    for chunk in chunks(first):
        rows = [
            {"id": row.taker, "reason": still_held(row.number, row.holder, _why_kept(row))}
            for row in chunk
        ]
        connection.execute(statement, rows)


def _why_kept(row: Any) -> str:
    """Return why a candidate keeps the number that somebody else should get."""
    if row.waits is not None:
        return "their own new number is not free either"
    if row.reason and row.verdict != "pass":
        return str(row.reason)
    if row.invalid:
        return "their row has an error"
    if row.wanted is not None:
        return "their row gives them no other number"
    return NOBODY_REMOVES if row.managed else UNMANAGED


_DEFERRED_BEFORE = """
    SELECT p.seq, w.candidate_id AS number, f.text FROM plan p
    JOIN wanted_candidate w ON w.test = p.k1 AND w.learner = p.k2
    JOIN finding f ON f.kind = p.kind AND f.k1 = p.k1 AND f.k2 = p.k2 AND f.type = 'deferred'
    WHERE p.kind = 'candidate' AND p.verdict = 'pass' AND w.candidate_id <> ''
      AND f.run_id IN (SELECT max(id) FROM run WHERE ended IS NOT NULL
                       AND (command = 'apply' OR command LIKE 'job %') GROUP BY command)
    ORDER BY f.run_id
"""
"""The newest finding of each change comes last."""


def defer_as_before(connection: Connection, reasons: Collection[str]) -> None:
    """Defer in the plan what the last run of a command deferred for its number and these reasons.

    A finding about another number than the one that is wanted now is of no use.
    """
    found = {
        row.seq: row.text
        for row in connection.execute(text(_DEFERRED_BEFORE)).fetchall()
        if row.text.startswith(still_held(row.number, "", "").split("'", 1)[0])
        and any(reason in row.text for reason in reasons)
    }
    statement = text(
        f"UPDATE plan SET verdict = 'deferred', cause = '{Cause.NUMBER}', reason = :reason"
        " WHERE seq = :seq"
    )
    if found:
        connection.execute(
            statement, [{"seq": seq, "reason": reason} for seq, reason in found.items()]
        )


def numbers_on(connection: Connection, test: str, numbers: Collection[str]) -> list[Holder]:
    """Return the candidates who are known to have one of these numbers on a test now."""
    query = text(
        "SELECT k.learner, l.auth_system, l.external_id, k.candidate_id FROM known_candidate k"
        " LEFT JOIN known_learner l ON l.key = k.learner WHERE k.test = :test"
        " AND k.candidate_id IN :numbers"
    ).bindparams(bindparam("numbers", expanding=True))
    rows = connection.execute(query, {"test": test, "numbers": list(numbers)})
    return [
        Holder(row.candidate_id, row.learner, (str(row.auth_system), str(row.external_id)))
        for row in rows
    ]
