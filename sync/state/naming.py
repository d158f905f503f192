"""Which source names what is known, and so whether one of them has suddenly become shorter.

A known record counts for the source that last named it, or, where that was never noted, for every source of its kind.
What has ended, is retired or released doesn't count: it may leave its source at any time.
"""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Connection, text

from sync.model import KEY_FIELDS, Kind
from sync.state.database import count

COUNTED = (Kind.LEARNER, Kind.STAFF, Kind.TEST, Kind.CONTRIBUTOR, Kind.CANDIDATE)
"""The kinds whose absence can mean a removal and rests on a source's word alone."""


def shrinkage(connection: Connection, kind: Kind, source: str) -> tuple[int, int]:
    """How many known records of a kind this source named that no feed names any more, and how many it named in all."""
    if kind not in COUNTED:
        return 0, 0
    named = f"FROM known_{kind} k {_LIVE[kind]} AND (k.source = :source OR k.source IS NULL)"
    missing = f"SELECT count(*) {named} AND NOT {_wanted(kind)} AND NOT {_faulted(kind)} AND NOT {_departed(kind)}"
    lost = count(connection, missing, source=source)
    return (lost, count(connection, f"SELECT count(*) {named}", source=source)) if lost else (0, 0)


def _matched(kind: Kind, columns: Iterable[str], of: str) -> str:
    keys = [f"k.{name}" for name in KEY_FIELDS[kind]]
    return " AND ".join(f"{of}.{column} = {key}" for column, key in zip(columns, keys, strict=False))


def _wanted(kind: Kind) -> str:
    return f"EXISTS (SELECT 1 FROM wanted_{kind} w WHERE {_matched(kind, KEY_FIELDS[kind], 'w')})"


def _faulted(kind: Kind) -> str:
    return f"EXISTS (SELECT 1 FROM fault f WHERE f.kind = '{kind}' AND {_matched(kind, ('k1', 'k2'), 'f')})"


def _departed(kind: Kind) -> str:
    return f"EXISTS (SELECT 1 FROM departed d WHERE d.kind = '{kind}' AND {_matched(kind, ('k1', 'k2'), 'd')})"


_ON_A_TEST = "LEFT JOIN test_window tw ON tw.test = k.test WHERE k.standing = 'active' AND coalesce(tw.ended, 0) = 0"
_LIVE = {
    Kind.LEARNER: "WHERE k.standing = 'active'",
    Kind.STAFF: "WHERE k.standing = 'active'",
    Kind.TEST: (
        "LEFT JOIN test_window tw ON tw.test = k.key WHERE k.standing = 'active' AND coalesce(tw.ended, 0) = 0"
    ),
    Kind.CONTRIBUTOR: _ON_A_TEST,
    Kind.CANDIDATE: _ON_A_TEST,
}


def note_sources(connection: Connection, sources: Sequence[str], proven: Collection[tuple[Kind, str]]) -> None:
    """Notes, for all that is known, which source names it now; `sources` are the feeds' by number.

    Of what a proven source (of a kind) no longer names, it is noted that it doesn't: its baseline is what it says now.
    """
    connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS scratch.feed_source (feed INTEGER PRIMARY KEY, source TEXT)")
    connection.exec_driver_sql("DELETE FROM scratch.feed_source")
    if sources:
        connection.exec_driver_sql("INSERT INTO feed_source VALUES (?, ?)", list(enumerate(sources)))
    for kind in COUNTED:
        matched = " AND ".join(f"w.{name} = known_{kind}.{name}" for name in KEY_FIELDS[kind])
        named = f"SELECT s.source FROM wanted_{kind} w JOIN feed_source s ON s.feed = w.feed WHERE {matched}"
        connection.execute(
            text(
                f"UPDATE known_{kind} SET source = ({named} LIMIT 1)"
                f" WHERE EXISTS ({named} AND s.source <> coalesce(known_{kind}.source, ''))"
            )
        )
        for of, source in proven:
            if of is kind:
                _let_go(connection, kind, source)
    connection.commit()


def _let_go(connection: Connection, kind: Kind, source: str) -> None:
    keys = ", ".join(KEY_FIELDS[kind])
    unnamed = f"SELECT {', '.join('k.' + name for name in KEY_FIELDS[kind])} FROM known_{kind} k"
    connection.execute(
        text(
            f"UPDATE known_{kind} SET source = '' WHERE source = :source AND ({keys}) IN ({unnamed}"
            f" WHERE k.source = :source AND NOT {_wanted(kind)} AND NOT {_faulted(kind)})"
        ),
        {"source": source},
    )


def groups_of(connection: Connection, source: str) -> frozenset[str]:
    """The groups that the source had when it was last whole."""
    rows = connection.execute(text("SELECT value FROM source_group WHERE source = :source"), {"source": source})
    return frozenset(row[0] for row in rows)


def keep_groups(connection: Connection, source: str, groups: Collection[str]) -> None:
    """Takes these groups as those that the source has."""
    connection.execute(text("DELETE FROM source_group WHERE source = :source"), {"source": source})
    if groups:
        connection.execute(
            text("INSERT INTO source_group (source, value) VALUES (:source, :value)"),
            [{"source": source, "value": value} for value in sorted(groups)],
        )
    connection.commit()
