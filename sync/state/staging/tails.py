"""The end of what a source delivered: which records stood last, and whether its text ended in a line end.

A file that is cut off lacks what stood last before. So the last records of each delivery are remembered, and when the
next one has none of them any more, that is said.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, text

from sync.records.base import Kind
from sync.records.kinds import KEY_FIELDS, ON_A_TEST, PEOPLE

MOST = 1_000
"""Records that are remembered of each delivery's end."""


def lost(connection: Connection, kind: Kind, source: str, least: int, *, tests_whole: bool) -> int:
    """Count the records that stood last in the source's last delivery and are all missing now; 0 if fewer than `least`.

    Missing is what no row names, not even one that can't be used, that departs or that is not selected. Passed over is
    what may be gone, or would not be taken away: what is not known as ours, has ended or was released, and what was on
    a test that has left its own source too; `tests_whole` says that the tests were read whole.
    """
    over = f"({_OVER[kind]} OR {_WITHDRAWN})" if kind in ON_A_TEST and tests_whole else _OVER[kind]
    query = text(
        f"SELECT {_NAMED.format(matched=_matched(kind), kind=kind)} AS named, {over} AS over"
        f" FROM source_tail t WHERE t.source = :source AND t.kind = '{kind}' ORDER BY t.line DESC, t.k1, t.k2"
    )
    missing = 0
    for row in connection.execute(query, {"source": source}):
        if row.named:
            break
        missing += not row.over
    return missing if missing >= least else 0


_NAMED = (
    "(EXISTS (SELECT 1 FROM wanted_{kind} w WHERE {matched})"
    " OR EXISTS (SELECT 1 FROM row_error f WHERE f.kind = t.kind AND f.k1 = t.k1 AND f.k2 IN (t.k2, ''))"
    " OR EXISTS (SELECT 1 FROM departed d WHERE d.kind = t.kind AND d.k1 = t.k1 AND d.k2 = t.k2)"
    " OR EXISTS (SELECT 1 FROM unselected u WHERE u.kind = t.kind AND u.k1 = t.k1 AND u.k2 = t.k2))"
)
_ENDED = "EXISTS (SELECT 1 FROM test_window tw WHERE tw.test = t.k1 AND tw.ended = 1)"
_WITHDRAWN = (
    "NOT (EXISTS (SELECT 1 FROM wanted_test w WHERE w.key = t.k1)"
    " OR EXISTS (SELECT 1 FROM row_error f WHERE f.kind = 'test' AND f.k1 = t.k1))"
)


def _matched(kind: Kind, table: str = "w") -> str:
    return " AND ".join(
        f"{table}.{name} = t.{of}" for name, of in zip(KEY_FIELDS[kind], ("k1", "k2"), strict=False)
    )


def _over(kind: Kind) -> str:
    ours = (
        "" if kind is Kind.LEARNER else " AND k.ours"
    )  # a learner is released, whoever made the account
    kept = f"EXISTS (SELECT 1 FROM known_{kind} k WHERE {_matched(kind, 'k')} AND k.standing = 'active'{ours})"
    return f"NOT {kept}" if kind in PEOPLE else f"(NOT {kept} OR {_ENDED})"


_OVER = {kind: _over(kind) for kind in Kind}


def keep(connection: Connection, kind: Kind, source: str, feeds: Sequence[int]) -> None:
    """Remember what stands last in the source now, in its feeds of this kind, by their numbers."""
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
            f" SELECT :source, :kind, w.{keys[0]}, {k2}, max(w.line) FROM wanted_{kind} w WHERE w.feed IN ({numbers})"
            f" GROUP BY 3, 4 ORDER BY 5 DESC LIMIT {MOST}"
        ),
        values,
    )
    connection.commit()


def forget_others(connection: Connection, sources: Collection[str]) -> None:
    """Forget the ends of sources that are no more."""
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


def ended_whole(connection: Connection, source: str) -> bool:
    """Tell whether the source's last delivery ended in a line end; a first one was never noted, and proves nothing."""
    query = text("SELECT whole FROM source_ending WHERE source = :source")
    return bool(connection.execute(query, {"source": source}).scalar())


def keep_ending(connection: Connection, source: str, *, whole: bool) -> None:
    """Remember whether the source's delivery ended in a line end."""
    connection.execute(text("DELETE FROM source_ending WHERE source = :source"), {"source": source})
    values = {"source": source, "whole": whole}
    connection.execute(
        text("INSERT INTO source_ending (source, whole) VALUES (:source, :whole)"), values
    )
    connection.commit()


def drop_line(connection: Connection, kind: Kind, feed: int, line: int) -> None:
    """Take what one row of a feed says out of what is wanted and of what departure."""
    for table in (f"wanted_{kind}", "departed"):
        connection.execute(
            text(f"DELETE FROM {table} WHERE feed = :feed AND line = :line"),
            {"feed": feed, "line": line},
        )
