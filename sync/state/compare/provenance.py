"""Which source names what is known, and so whether one of them has suddenly become shorter.

A known record counts for the source that last named it, or, where that was never noted, for every
source of its kind. What has ended, is retired or released doesn't count: it may leave its source at
any time.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, text

from sync.records.base import Kind
from sync.records.kinds import KEY_FIELDS, NAMED_BY, ON_A_TEST
from sync.state.dialect import insert
from sync.state.sqlite.open import count

COUNTED = (Kind.LEARNER, Kind.STAFF, Kind.TEST, Kind.CONTRIBUTOR, Kind.CANDIDATE)
"""The kinds of which a missing record can mean a removal, by its source alone."""


def count_shrinkage(
    connection: Connection, kind: Kind, source: str, sources: Sequence[str]
) -> tuple[int, int]:
    """Return how many known records of a kind the source dropped, and how many it named in all.

    `sources` are all that the kind has. Records of sources that are not configured any more count
    for each of these.
    """
    if kind not in COUNTED:
        return 0, 0
    gone, columns = ("missing", ("k1", "k2")) if kind in ON_A_TEST else ("vanished", ("key",))
    same = " AND ".join(
        f"g.{one} = k.{name}" for one, name in zip(columns, KEY_FIELDS[kind], strict=True)
    )
    departed = " AND ".join(
        f"d.{one} = k.{name}" for one, name in zip(("k1", "k2"), KEY_FIELDS[kind], strict=False)
    )
    meant = f" AND NOT {_may_be_meant_sql(kind)}" if kind in ON_A_TEST else ""
    named, names = named_elsewhere_sql(sources)
    named = f"(k.source = :source OR k.source IS NULL OR {named})"
    values = {"source": source, **names}
    lost = count(
        connection,
        f"SELECT count(*) FROM {gone} g JOIN known_{kind} k ON {same} {_LIVE[kind]}"
        f" AND g.kind = '{kind}' AND {named}"
        f" AND NOT EXISTS (SELECT 1 FROM departed d WHERE d.kind = '{kind}' AND {departed}){meant}",
        **values,
    )
    if not lost:
        return 0, 0
    return lost, count(
        connection, f"SELECT count(*) FROM known_{kind} k {_LIVE[kind]} AND {named}", **values
    )


def _may_be_meant_sql(kind: Kind) -> str:
    """Return the SQL for whether an unresolved row may mean a known record.

    Such a record is not lost.
    """
    part = KEY_FIELDS[kind][1]
    return (
        f"(EXISTS (SELECT 1 FROM astray a WHERE a.kind = '{kind}' AND a.k1 = k.test AND a.k2 = '')"
        f" OR EXISTS (SELECT 1 FROM astray a WHERE a.kind = '{kind}' AND a.k1 = ''"
        f" AND a.k2 IN ('', k.{part})))"
    )


def named_elsewhere_sql(sources: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Return the SQL for "named by another source than these", and its values."""
    names = {f"source_{number}": name for number, name in enumerate(sources)}
    others = ", ".join(f":{name}" for name in names) or "''"
    return f"(k.source <> '' AND k.source NOT IN ({others}))", names


_PEOPLE = "WHERE k.lifecycle = 'active'"
_TEST = (
    "LEFT JOIN test_window tw ON tw.test = k.{} WHERE k.lifecycle = 'active'"
    " AND coalesce(tw.ended, 0) = 0"
)
_LIVE = {
    Kind.LEARNER: _PEOPLE,
    Kind.STAFF: _PEOPLE,
    Kind.TEST: _TEST.format("key"),
    Kind.CONTRIBUTOR: _TEST.format("test"),
    Kind.CANDIDATE: _TEST.format("test"),
}


def record_sources(
    connection: Connection,
    feeds: Sequence[tuple[Kind, str]],
    proven: Collection[tuple[Kind, str]],
    accepted: Collection[str] = (),
) -> None:
    """Store, for all that is known, which source names it now.

    `feeds` are the kinds and sources of feeds by number. Records that a proven source (of a kind)
    no longer names are stored without a source: its baseline is what it contains now. When the
    source is one of the `accepted`, records of sources that are not configured any more lose
    theirs too.
    """
    connection.exec_driver_sql("DELETE FROM feed_source")
    if feeds:
        insert(
            connection,
            "feed_source",
            ("feed", "source"),
            [(n, source) for n, (_, source) in enumerate(feeds)],
        )
    for kind in (*COUNTED, Kind.COMMITTEE):
        _record_naming_sources(connection, kind)
        named_by = NAMED_BY.get(kind, (kind,))
        of_kind = sorted({source for of, source in feeds if of in named_by})
        sound = [source for source in of_kind if (kind, source) in proven]
        for source in sound:
            _clear_source(connection, kind, "k.source = :source", {"source": source})
        # A record whose source was never stored counts for all sources of its kind.
        if of_kind and of_kind == sound:
            _clear_source(connection, kind, "k.source IS NULL", {})
        if set(sound).intersection(accepted):
            _clear_source(connection, kind, *named_elsewhere_sql(of_kind))
    connection.commit()


def _record_naming_sources(connection: Connection, kind: Kind) -> None:
    matched = " AND ".join(f"w.{name} = k.{name}" for name in KEY_FIELDS[kind])
    named = (
        f"SELECT s.source FROM wanted_{kind} w JOIN feed_source s ON s.feed = w.feed"
        f" WHERE {matched}"
    )
    # Only rows whose source changes are written: most runs change few.
    connection.execute(
        text(
            f"UPDATE known_{kind} AS k SET source = ({named} LIMIT 1)"
            f" WHERE EXISTS ({named} AND s.source <> coalesce(k.source, ''))"
        )
    )


def _clear_source(
    connection: Connection, kind: Kind, whose: str, values: Mapping[str, str]
) -> None:
    gone, columns = ("missing", "k1, k2") if kind in ON_A_TEST else ("vanished", "key")
    unread = (
        "EXISTS (SELECT 1 FROM row_error f WHERE f.kind = :kind AND f.k1 = k.test AND f.k2 = '')"
    )
    proven = f" AND NOT {unread} AND NOT {_may_be_meant_sql(kind)}" if kind in ON_A_TEST else ""
    connection.execute(
        text(
            f"UPDATE known_{kind} AS k SET source = '' WHERE {whose}{proven}"
            f" AND ({', '.join(KEY_FIELDS[kind])}) IN"
            f" (SELECT {columns} FROM {gone} WHERE kind = :kind)"
        ),
        {"kind": kind, **values},
    )


def read_groups(connection: Connection, source: str) -> frozenset[str]:
    """Return the groups that the source had when it was last complete."""
    rows = connection.execute(
        text("SELECT value FROM source_group WHERE source = :source"), {"source": source}
    )
    return frozenset(row[0] for row in rows)


def store_groups(connection: Connection, source: str, groups: Collection[str]) -> None:
    """Store these groups as those that the source has."""
    connection.execute(text("DELETE FROM source_group WHERE source = :source"), {"source": source})
    if groups:
        connection.execute(
            text("INSERT INTO source_group (source, value) VALUES (:source, :value)"),
            [{"source": source, "value": value} for value in sorted(groups)],
        )
    connection.commit()


def read_row_count(connection: Connection, source: str, sources: Collection[str]) -> int:
    """Return the rows of a joined source when it was last complete; 0 when never stored."""
    sizes = {
        name: int(rows)
        for name, rows in connection.execute(text("SELECT source, rows FROM source_size"))
    }
    former = [rows for name, rows in sizes.items() if name not in sources]
    return sizes.get(source, max(former, default=0))


def store_row_counts(
    connection: Connection, rows: Mapping[str, int], sources: Collection[str]
) -> None:
    """Store the numbers of rows of joined sources, and forget sources that are gone."""
    for name in [
        row[0] for row in connection.execute(text("SELECT source FROM source_size")).fetchall()
    ]:
        if name in rows or (rows and name not in sources):
            connection.execute(
                text("DELETE FROM source_size WHERE source = :source"), {"source": name}
            )
    for name, number in rows.items():
        values = {"source": name, "rows": number}
        connection.execute(
            text("INSERT INTO source_size (source, rows) VALUES (:source, :rows)"), values
        )
    connection.commit()
