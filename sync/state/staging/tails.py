"""The end of each delivery: its last records, and whether its text ended in a line end.

A file that is cut off lacks its last records. So the last records of each delivery are stored,
and reported when the next delivery has none of them.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, text

from sync.records.base import Kind
from sync.records.kinds import KEY_FIELDS, ON_A_TEST, PEOPLE

MOST = 1_000
"""The number of records that are stored of each delivery's end."""


def count_lost(
    connection: Connection, kind: Kind, source: str, least: int, *, tests_whole: bool
) -> int:
    """Count the last records of the last delivery if all are missing now; 0 below `least`.

    A record is missing when no row names it, not even an invalid, departing or unselected one. Left
    out are records that may be gone, or would not be removed: unmanaged, ended or released ones,
    and those of a test that has left its own source. `tests_whole` says that the tests were read
    whole.
    """
    over = f"({_OVER[kind]} OR {_WITHDRAWN})" if kind in ON_A_TEST and tests_whole else _OVER[kind]
    query = text(
        f"SELECT {_NAMED.format(matched=_matched_sql(kind), kind=kind)} AS named, {over} AS over"
        f" FROM source_tail t WHERE t.source = :source AND t.kind = '{kind}'"
        " ORDER BY t.line DESC, t.k1, t.k2"
    )
    missing = 0
    for row in connection.execute(query, {"source": source}):
        if row.named:
            break
        missing += not row.over
    return missing if missing >= least else 0


_NAMED = (
    "(EXISTS (SELECT 1 FROM wanted_{kind} w WHERE {matched})"
    " OR EXISTS (SELECT 1 FROM row_error f WHERE f.kind = t.kind AND f.k1 = t.k1"
    " AND f.k2 IN (t.k2, ''))"
    " OR EXISTS (SELECT 1 FROM departed d WHERE d.kind = t.kind AND d.k1 = t.k1 AND d.k2 = t.k2)"
    " OR EXISTS (SELECT 1 FROM unselected u WHERE u.kind = t.kind AND u.k1 = t.k1 AND u.k2 = t.k2))"
)
_ENDED = "EXISTS (SELECT 1 FROM test_window tw WHERE tw.test = t.k1 AND tw.ended = 1)"
_WITHDRAWN = (
    "NOT (EXISTS (SELECT 1 FROM wanted_test w WHERE w.key = t.k1)"
    " OR EXISTS (SELECT 1 FROM row_error f WHERE f.kind = 'test' AND f.k1 = t.k1))"
)


def _matched_sql(kind: Kind, table: str = "w") -> str:
    return " AND ".join(
        f"{table}.{name} = t.{of}" for name, of in zip(KEY_FIELDS[kind], ("k1", "k2"), strict=False)
    )


def _over_sql(kind: Kind) -> str:
    # A learner is released, managed or not.
    managed = "" if kind is Kind.LEARNER else " AND k.managed"
    kept = (
        f"EXISTS (SELECT 1 FROM known_{kind} k WHERE {_matched_sql(kind, 'k')}"
        f" AND k.lifecycle = 'active'{managed})"
    )
    return f"NOT {kept}" if kind in PEOPLE else f"(NOT {kept} OR {_ENDED})"


_OVER = {kind: _over_sql(kind) for kind in Kind}


def store_tail(connection: Connection, kind: Kind, source: str, feeds: Sequence[int]) -> None:
    """Store the last records of the source in its feeds of this kind, by their numbers."""
    values: dict[str, object] = {"source": source, "kind": kind.value}
    connection.execute(
        text("DELETE FROM source_tail WHERE source = :source AND kind = :kind"), values
    )
    keys = KEY_FIELDS[kind]
    k2 = f"w.{keys[1]}" if kind in ON_A_TEST else "''"
    numbers = ", ".join(str(int(number)) for number in feeds)
    connection.execute(
        text(
            "INSERT INTO source_tail (source, kind, k1, k2, line)"
            f" SELECT :source, :kind, w.{keys[0]}, {k2}, max(w.line) FROM wanted_{kind} w"
            f" WHERE w.feed IN ({numbers}) GROUP BY 3, 4 ORDER BY 5 DESC LIMIT {MOST}"
        ),
        values,
    )
    connection.commit()


def forget_other_sources(connection: Connection, sources: Collection[str]) -> None:
    """Delete the tails of sources that are not configured any more."""
    for table in ("source_tail", "source_ending"):
        for name in [
            row[0]
            for row in connection.execute(text(f"SELECT DISTINCT source FROM {table}")).fetchall()
        ]:
            if name not in sources:
                connection.execute(
                    text(f"DELETE FROM {table} WHERE source = :source"), {"source": name}
                )
    connection.commit()


def ended_in_line_end(connection: Connection, source: str) -> bool:
    """Tell whether the source's last delivery ended in a line end; true for a first one."""
    query = text("SELECT whole FROM source_ending WHERE source = :source")
    return bool(connection.execute(query, {"source": source}).scalar())


def store_ending(connection: Connection, source: str, *, whole: bool) -> None:
    """Store whether the source's delivery ended in a line end."""
    connection.execute(text("DELETE FROM source_ending WHERE source = :source"), {"source": source})
    values = {"source": source, "whole": whole}
    connection.execute(
        text("INSERT INTO source_ending (source, whole) VALUES (:source, :whole)"), values
    )
    connection.commit()


def drop_line(connection: Connection, kind: Kind, feed: int, line: int) -> None:
    """Remove one row of a feed from what is wanted and from what departs."""
    for table in (f"wanted_{kind}", "departed"):
        connection.execute(
            text(f"DELETE FROM {table} WHERE feed = :feed AND line = :line"),
            {"feed": feed, "line": line},
        )
