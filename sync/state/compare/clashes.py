"""Clashes in SQL: learners on two tests at once, full rooms, tests without candidates or graders.

They are of what is wanted, and of what is known and stays. Only tests that have not ended count.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime

from sqlalchemy import Connection, text

from sync.planning.clashes import Clash, ClashType
from sync.records.base import Kind, utc_text
from sync.state.compare.context import SECOND_WAVE
from sync.state.dialect import analyse, create_index, insert

GRADER = "evaluate"
"""The role of contributors who grade (vendor contract, Test API: contributors)."""


def fill_clashes(
    connection: Connection, now: datetime, kinds: Collection[Kind], rooms: Mapping[str, int]
) -> None:
    """Find the clashes, once everything but the order of the plan is decided.

    Args:
        connection: state and workspace.
        now: aware.
        kinds: the kinds that have a feed in this run. Of others nothing is missed.
        rooms: the places of each room, by its name or by `building/room`.
    """
    _fill_times(connection)
    if Kind.CANDIDATE in kinds:
        _fill_staying(connection, Kind.CANDIDATE, "learner")
        _find_overlaps(connection)
        if rooms:
            _find_full_rooms(connection, rooms)
        _find_without(connection, now, Kind.CANDIDATE, ClashType.NO_CANDIDATES)
    if Kind.CONTRIBUTOR in kinds:
        _fill_staying(connection, Kind.CONTRIBUTOR, "staff")
        _find_without(connection, now, Kind.CONTRIBUTOR, ClashType.NO_GRADER)


def _fill_times(connection: Connection) -> None:
    """Store the times of the tests that have not ended and are in a source or in Inspera."""
    connection.execute(
        text(
            "INSERT INTO test_time SELECT tw.test, coalesce(w.start, k.start),"
            ' coalesce(w."end", k."end") FROM test_window tw'
            " LEFT JOIN wanted_test w ON w.key = tw.test"
            " LEFT JOIN known_test k ON k.key = tw.test"
            " WHERE tw.ended = 0 AND coalesce(w.start, k.start) IS NOT NULL"
            ' AND coalesce(w."end", k."end") IS NOT NULL'
            " AND (w.key IS NOT NULL OR k.lifecycle = 'active')"
        )
    )
    analyse(connection, "test_time")


def _fill_staying(connection: Connection, kind: Kind, part: str) -> None:
    """Store what no feed names and stays on its test all the same."""
    room, building, roles = (
        ("k.room", "k.building", "NULL") if kind is Kind.CANDIDATE else ("NULL", "NULL", "k.roles")
    )
    connection.execute(
        text(
            f"INSERT INTO staying_{kind} SELECT k.test, k.{part}, {room}, {building}, {roles}"
            f" FROM missing m JOIN known_{kind} k ON k.test = m.k1 AND k.{part} = m.k2"
            f" WHERE m.kind = '{kind}' AND k.lifecycle = 'active' AND NOT EXISTS (SELECT 1"
            f" FROM draft d WHERE d.kind = '{kind}' AND d.k1 = m.k1 AND d.k2 = m.k2"
            " AND d.action IN ('remove', 'retire') AND d.verdict = 'pass')"
        )
    )
    create_index(connection, f"ix_staying_{kind}", f"staying_{kind} ({part}, test)")
    create_index(connection, f"ix_staying_{kind}_test", f"staying_{kind} (test)")
    analyse(connection, f"staying_{kind}")


def _find_overlaps(connection: Connection) -> None:
    """Find the learners who are on two tests at once.

    For each place of a learner, their others are looked up in an index. To begin with the pairs of
    tests that overlap would be slower: in an exam period most tests of a day overlap.
    """
    pairs = [("wanted_candidate", "wanted_candidate")]
    if connection.execute(text("SELECT 1 FROM staying_candidate LIMIT 1")).first():
        pairs += [
            ("staying_candidate", "wanted_candidate"),
            ("staying_candidate", "staying_candidate"),
        ]
    for one, other in pairs:
        each_once = "b.test > a.test" if one == other else "b.test <> a.test"
        connection.execute(
            text(
                "INSERT INTO overlap SELECT CASE WHEN a.test < b.test THEN a.test ELSE b.test END,"
                " CASE WHEN a.test < b.test THEN b.test ELSE a.test END, a.learner"
                # SQLite keeps the order of a cross join: by tests, then by the index of learners.
                f" FROM test_time x CROSS JOIN {one} a CROSS JOIN {other} b CROSS JOIN test_time y"
                f" WHERE a.test = x.test AND b.learner = a.learner AND {each_once}"
                " AND y.test = b.test AND x.start < y.ends AND y.start < x.ends"
            )
        )
    create_index(connection, "ix_overlap", "overlap (test, other, learner)")
    analyse(connection, "overlap")
    connection.execute(
        text(
            "INSERT INTO test_clash (type, test, other, number, start, ends)"
            f" SELECT '{ClashType.OVERLAP}', o.test, o.other, o.number,"
            " CASE WHEN x.start > y.start THEN x.start ELSE y.start END,"
            " CASE WHEN x.ends < y.ends THEN x.ends ELSE y.ends END"
            " FROM (SELECT test, other, count(DISTINCT learner) AS number FROM overlap"
            " GROUP BY test, other) o"
            " JOIN test_time x ON x.test = o.test JOIN test_time y ON y.test = o.other"
            " ORDER BY 5, 2, 3"
        )
    )


_ROOM = """
INSERT INTO room_use SELECT coalesce(b.name, r.name), s.test, count(*) FROM (
    SELECT w.test, coalesce(w.room, k.room) AS room, coalesce(w.building, k.building) AS building
    FROM wanted_candidate w LEFT JOIN known_candidate k
        ON w.room IS NULL AND k.test = w.test AND k.learner = w.learner
    UNION ALL SELECT test, room, building FROM staying_candidate) s
JOIN test_time t ON t.test = s.test
LEFT JOIN room_places b ON b.name = s.building || '/' || s.room
LEFT JOIN room_places r ON r.name = s.room
WHERE coalesce(b.name, r.name) IS NOT NULL
GROUP BY 1, 2
"""
_FULL = f"""
INSERT INTO test_clash (type, test, other, number, places, start)
SELECT '{ClashType.ROOM}', m.test, m.room, sum(u.number), r.places, m.start
FROM (SELECT u.room, t.start, min(u.test) AS test FROM room_use u
      JOIN test_time t ON t.test = u.test GROUP BY u.room, t.start) m
JOIN room_places r ON r.name = m.room
JOIN room_use u ON u.room = m.room
JOIN test_time t ON t.test = u.test AND t.start <= m.start AND t.ends > m.start
GROUP BY m.test, m.room, r.places, m.start HAVING sum(u.number) > r.places
ORDER BY m.start, m.room
"""
"""A room can only become too full when a test in it starts."""


def _find_full_rooms(connection: Connection, rooms: Mapping[str, int]) -> None:
    insert(connection, "room_places", ("name", "places"), list(rooms.items()))
    connection.execute(text(_ROOM))
    create_index(connection, "ix_room_use", "room_use (room)")
    analyse(connection, "room_places", "room_use")
    connection.execute(text(_FULL))


def _find_without(connection: Connection, now: datetime, kind: Kind, type_: ClashType) -> None:
    """Find the tests that start within 7 days and have nobody of this kind.

    A test of which a row is in error is left out: the row may name somebody.
    """
    on_it = ""
    if kind is Kind.CONTRIBUTOR and _any_grader(connection):
        on_it = f" AND c.roles LIKE '%{GRADER}%'"
    connection.execute(
        text(
            "INSERT INTO test_clash (type, test, number, start)"
            " SELECT :type, t.test, 0, t.start FROM test_time t"
            " WHERE t.start > :now AND t.start <= :soon"
            f" AND NOT EXISTS (SELECT 1 FROM wanted_{kind} c WHERE c.test = t.test{on_it})"
            f" AND NOT EXISTS (SELECT 1 FROM staying_{kind} c WHERE c.test = t.test{on_it})"
            " AND NOT EXISTS (SELECT 1 FROM row_error f WHERE f.kind = :kind AND f.k1 = t.test)"
            " ORDER BY t.start, t.test"
        ),
        {
            "type": type_.value,
            "kind": kind.value,
            "now": utc_text(now),
            "soon": utc_text(now + SECOND_WAVE),
        },
    )


def _any_grader(connection: Connection) -> bool:
    """Tell whether the sources name graders at all, and not only other contributors."""
    query = (
        f"SELECT 1 FROM wanted_contributor WHERE roles LIKE '%{GRADER}%' UNION ALL"
        f" SELECT 1 FROM staying_contributor WHERE roles LIKE '%{GRADER}%' LIMIT 1"
    )
    return connection.execute(text(query)).first() is not None


def keep_clashes(connection: Connection, covers: Callable[[str], bool]) -> None:
    """Delete the clashes of which no test is covered, by its key."""
    query = text("SELECT id, type, test, other FROM test_clash")
    for row in connection.execute(query).fetchall():
        both = row.type == ClashType.OVERLAP and covers(row.other)
        if not (both or covers(row.test)):
            connection.execute(text("DELETE FROM test_clash WHERE id = :id"), {"id": row.id})


def count_clashes(connection: Connection) -> dict[ClashType, int]:
    """Return how many clashes there are of each type."""
    rows = connection.execute(text("SELECT type, count(*) FROM test_clash GROUP BY type"))
    found = {str(type_): int(number) for type_, number in rows}
    return {type_: found[type_] for type_ in ClashType if type_ in found}


def read_clashes(
    connection: Connection, type_: ClashType, most: int | None = None
) -> Iterator[Clash]:
    """Yield the clashes of a type, the soonest first, at most `most`."""
    query = (
        "SELECT id, test, other, number, places, start, ends FROM test_clash"
        " WHERE type = :type AND id > :last ORDER BY id LIMIT :page"
    )
    last = 0
    while most is None or most > 0:
        page = 500 if most is None else min(500, most)
        values = {"type": type_.value, "last": last, "page": page}
        rows = connection.execute(text(query), values).fetchall()
        for row in rows:
            learners = _learners(connection, row.test, row.other) if row.ends else ()
            yield Clash(
                type=type_,
                test=row.test,
                other=row.other,
                count=row.number,
                places=row.places,
                start=row.start,
                ends=row.ends,
                learners=learners,
            )
        if len(rows) < page:
            return
        last, most = rows[-1].id, None if most is None else most - page


def _learners(connection: Connection, test: str, other: str) -> tuple[str, ...]:
    query = (
        "SELECT DISTINCT learner FROM overlap WHERE test = :test AND other = :other"
        " ORDER BY learner"
    )
    found = connection.execute(text(query), {"test": test, "other": other}).scalars()
    return tuple(map(str, found))
