"""The closed plan, narrowed to what was asked for and what that needs."""

from collections.abc import Iterator

from sqlalchemy import Connection, text

from sync.planning.candidate_numbers import still_held
from sync.planning.guard import NEEDED_ACTIONS
from sync.planning.limits import HeldScope
from sync.planning.selection import Chosen, Selection
from sync.records.base import Kind
from sync.records.changes import ADDITIONS, CALLING, Cause
from sync.records.kinds import COMPARED, ON_A_TEST, PERSON_OF
from sync.state.compare import activation
from sync.state.compare.plan_reader import SENDABLE, read_plan
from sync.state.dialect import analyse, create_index, insert, list_sql, stream
from sync.state.sqlite.open import count
from sync.state.staging.scratch import chunks, key_from, read_pages


def narrow(connection: Connection, chosen: Chosen, selection: Selection | None) -> int:
    """Take out of the plan what was not asked for. Return how many changes would have passed.

    What a chosen change needs stays: the tests, people and committees of additions, and what must
    leave before a person or a committee can. Row errors stay when they may be of the selection;
    without one, none do.
    """
    create_index(connection, "ix_plan_record", "plan (kind, k1, k2)")
    create_index(connection, "ix_asked", "asked (seq)")
    for chunk in chunks(_chosen_lines(connection, chosen, selection)):
        insert(connection, "asked", ("seq",), chunk)
    analyse(connection, "asked")
    for needs in (*_REMOVAL_NEEDS, *_COMMITTEE_NEEDS, *_NEEDS):  # what leaves may need a committee
        connection.execute(text(f"INSERT INTO asked {needs} AND n.seq NOT IN {_ASKED}"))
    _defer_numbers(connection)
    _drop_row_errors(connection, selection)
    # Changes that make no call rest on a whole plan.
    others = f"(seq NOT IN {_ASKED} OR (verdict = 'pass' AND action NOT IN ({list_sql(CALLING)})))"
    left = count(connection, f"SELECT count(*) FROM plan WHERE {SENDABLE} AND {others}")
    connection.execute(text(f"DELETE FROM plan WHERE {others}"))
    activation.defer_left_out(connection)
    connection.commit()
    return left


def _chosen_lines(
    connection: Connection, chosen: Chosen, selection: Selection | None
) -> Iterator[tuple[int]]:
    """Yield the numbers of the chosen lines; for a selection only by their keys, which is faster."""
    if selection is None:
        yield from ((line.seq,) for line in read_plan(connection) if chosen(line))
        return
    query = "SELECT seq, kind, k1, k2 FROM plan WHERE seq > :last ORDER BY seq LIMIT 5000"
    for row in read_pages(connection, query):
        kind = Kind(row.kind)
        if selection.covers(kind, key_from(kind, row.k1, row.k2)):
            yield (row.seq,)


def concerns(connection: Connection, held: HeldScope) -> bool:
    """Tell whether a scope holds or allows a line that is left in the plan."""
    query = "SELECT 1 FROM plan p JOIN scope_line s ON s.draft = p.draft WHERE s.digest = :digest LIMIT 1"
    return connection.execute(text(query), {"digest": held.digest}).first() is not None


_ASKED = "(SELECT seq FROM asked)"
_OF = "SELECT DISTINCT n.seq FROM plan m JOIN asked a ON a.seq = m.seq"
_ADDED = f"m.action IN ({list_sql(ADDITIONS)})"
_NEEDED = f"n.action IN ({list_sql(NEEDED_ACTIONS)})"

_NEEDS = (
    f"{_OF} JOIN plan n ON n.kind = 'test' AND n.k1 = m.k1"
    f" WHERE m.kind IN ({list_sql(ON_A_TEST)}) AND {_ADDED} AND {_NEEDED}",
    *(
        f"{_OF} JOIN plan n ON n.kind = '{person}' AND n.k1 = m.k2"
        f" WHERE m.kind = '{kind}' AND {_ADDED} AND {_NEEDED}"
        for kind, person in PERSON_OF.items()
    ),
)
"""The lines of the tests and people that asked additions need."""


def _named_in(table: str, kind: Kind, of: str) -> str:
    """Return the join with a member's row in a table, if it names the committee `of`."""
    part = PERSON_OF[kind]
    committees = "('\n' || t.committees || '\n')"
    # `replace` finds a whole name among the names, one a line; LIKE would take its wildcards.
    return (
        f"JOIN {table}_{kind} t ON t.test = {{member}}.k1 AND t.{part} = {{member}}.k2"
        f" AND replace({committees}, '\n' || {of} || '\n', '') <> {committees}"
    )


_WITH_COMMITTEES = tuple(kind for kind in PERSON_OF if "committees" in COMPARED[kind])
_COMMITTEE_NEEDS = tuple(
    f"{_OF} JOIN plan n ON n.kind = 'committee' AND n.k1 = m.k1"
    f" {_named_in('wanted', kind, 'n.k2').format(member='m')}"
    f" WHERE m.kind = '{kind}' AND {_ADDED} AND {_NEEDED}"
    for kind in _WITH_COMMITTEES
)
"""The lines of the committees that asked members are in."""

_REMOVAL_NEEDS = (
    f"{_OF} JOIN plan n ON n.kind = 'contributor' AND n.k2 = m.k1"
    " WHERE m.kind = 'staff' AND m.action IN ('disable', 'delete') AND n.action = 'remove'",
    *(
        f"{_OF} JOIN plan n ON n.kind = '{kind}' AND n.k1 = m.k1"
        f" {_named_in('known', kind, 'm.k2').format(member='n')}"
        " WHERE m.kind = 'committee' AND m.action = 'remove' AND n.action IN ('update', 'remove')"
        for kind in _WITH_COMMITTEES
    ),
)
"""The lines of what must leave first: roles before their person, members before their committee."""

_BLOCKED = f"""
    WITH RECURSIVE sent(id) AS (
        SELECT d.id FROM draft d
        JOIN plan p ON p.kind = 'candidate' AND p.k1 = d.k1 AND p.k2 = d.k2
        WHERE d.kind = 'candidate' AND p.verdict = 'pass' AND p.seq IN {_ASKED}
    ), blocked(id) AS (
        SELECT c.taker FROM contested c WHERE c.holder_id NOT IN (SELECT id FROM sent)
        UNION SELECT c.taker FROM contested c JOIN blocked b ON c.moves = b.id
    )
    SELECT p.seq, min(c.number) AS number, min(c.holder) AS holder,
           min(CASE WHEN c.holder_id IN (SELECT id FROM sent) THEN 1 ELSE 0 END) AS asked
    FROM blocked b JOIN contested c ON c.taker = b.id JOIN draft d ON d.id = b.id
    JOIN plan p ON p.kind = 'candidate' AND p.k1 = d.k1 AND p.k2 = d.k2
    WHERE p.verdict = 'pass' AND p.seq IN {_ASKED} GROUP BY p.seq
"""
"""The asked changes whose candidate number only a change frees that was not asked for, if at all.

Numbers may move along a chain, so the query is recursive.
"""


def _defer_numbers(connection: Connection) -> None:
    """Defer what takes a number that stays another candidate's without the other changes."""
    rows = [
        {"seq": row.seq, "reason": still_held(row.number, row.holder, _WHY[bool(row.asked)])}
        for row in connection.execute(text(_BLOCKED)).fetchall()
    ]
    update = f"UPDATE plan SET verdict = 'deferred', cause = '{Cause.NUMBER}', reason = :reason"
    if rows:
        connection.execute(text(f"{update} WHERE seq = :seq"), rows)


_WHY = {
    False: "their own change was not asked for",
    True: "their own new number is not free either",
}


def _drop_row_errors(connection: Connection, selection: Selection | None) -> None:
    """Keep the row errors of what may have been asked for, and of what an asked change waits for."""
    if selection:
        for chunk in chunks(_asked_errors(connection, selection)):
            insert(connection, "asked_error", ("id",), chunk)
        people = ", ".join(f"'{kind}{person}'" for kind, person in PERSON_OF.items())
        awaited = (
            "SELECT f.id FROM row_error f JOIN plan p ON p.verdict = 'waiting'"
            " AND (f.kind = 'test' AND p.k1 = f.k1"
            f" OR p.k2 = f.k1 AND p.kind || f.kind IN ({people}))"
        )
        connection.execute(text(f"INSERT INTO asked_error {awaited} WHERE p.seq IN {_ASKED}"))
    connection.execute(text("DELETE FROM row_error WHERE id NOT IN (SELECT id FROM asked_error)"))


def _asked_errors(connection: Connection, selection: Selection) -> Iterator[tuple[int]]:
    for row in stream(connection, "SELECT id, kind, k1, k2 FROM row_error"):
        # A blank key is that of a field that was left out: its record is valid.
        if row.k1 != "" and selection.may_cover(Kind(row.kind), row.k1 or None, row.k2 or None):
            yield (row.id,)
