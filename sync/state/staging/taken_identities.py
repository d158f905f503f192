"""New records whose identity a known record has (rules 31)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

from sync.planning.remedies import adopt
from sync.records.base import Kind, RowError
from sync.records.rule_numbers import SafetyRule
from sync.state.dialect import casefold_sql, create_index, create_table_as
from sync.state.staging.identities import (
    IDENTITIES,
    ONE_OF_BOTH,
    Clashes,
    Identity,
    Record,
    compared_sql,
    drop_records,
)

_FORGET_REMEDY = (
    "give each a login of their own, or take that account away in Inspera, and then run {}, "
    "which forgets it here"
)


def gather_newcomers(connection: Connection) -> bool:
    """Store wanted records with an unknown identity. Return whether known ones may have it."""
    if not any(
        connection.execute(text(f"SELECT 1 FROM known_{kind} LIMIT 1")).first() for kind in _KINDS
    ):
        return False  # A first load: all are new.
    if not any(_has_newcomers(connection, kind) for kind in _KINDS):
        return False  # This avoids a query for each identity.
    every = []
    for identity in IDENTITIES:
        for kind in identity.kinds:
            scope, same, there = compared_sql(connection, identity, kind)
            every.append(
                f"SELECT '{identity.field}' AS field, '{kind}' AS kind, w.key AS key, {scope} AS "
                f"scope, {same} AS same,"
                " w.feed AS feed, w.line AS line, CASE WHEN k.key IS NULL THEN 1"
                " ELSE 0 END AS unknown"
                f" FROM wanted_{kind} w LEFT JOIN known_{kind} k ON k.key = w.key"
                f" WHERE {there} AND (k.key IS NULL OR k.{identity.field} IS NULL)"
            )
    create_table_as(connection, "newcomer", " UNION ALL ".join(every))
    create_index(connection, "ix_newcomer", "newcomer (same, field)")
    return connection.execute(text("SELECT 1 FROM newcomer LIMIT 1")).first() is not None


def _has_newcomers(connection: Connection, kind: Kind) -> bool:
    blank = " OR ".join(
        f"k.{identity.field} IS NULL" for identity in IDENTITIES if kind in identity.kinds
    )
    query = (
        f"SELECT 1 FROM wanted_{kind} w LEFT JOIN known_{kind} k ON k.key = w.key"
        f" WHERE k.key IS NULL OR {blank} LIMIT 1"
    )
    return connection.execute(text(query)).first() is not None


_KINDS = sorted({kind for identity in IDENTITIES for kind in identity.kinds})


def judge_newcomers(connection: Connection, places: Sequence[str], clashes: Clashes) -> None:
    """Hold newcomers that have the identity of a known record of any kind and source."""
    every = " UNION ALL ".join(
        _holders_sql(connection, identity, kind)
        for identity in IDENTITIES
        for kind in identity.kinds
    )
    create_table_as(connection, "taken", every)
    identity_change = (
        "kind = other_kind AND unknown = 1 AND gone = 1"
        " AND EXISTS (SELECT 1 FROM wanted_{0} w WHERE w.key = taken.key)"
    )
    rest = []
    for kind in _KINDS:
        again = f"FROM taken WHERE kind = '{kind}' AND {identity_change.format(kind)}"
        connection.exec_driver_sql(f"INSERT INTO reused SELECT DISTINCT kind, key, other {again}")
        rest.append(
            f"SELECT * FROM taken WHERE kind = '{kind}' AND NOT ({identity_change.format(kind)})"
        )
    rows = connection.execute(
        text(f"{' UNION ALL '.join(rest)} ORDER BY feed, line, other_kind, other")
    ).fetchall()
    dropped: set[Record] = set()
    for row in rows:
        record = (Kind(row.kind), str(row.key))
        clashes.concern(
            (Kind(row.other_kind), str(row.other)),
            f"{places[row.feed]} {row.line} has its {row.field}",
        )
        if record in clashes.within and record not in dropped:
            continue  # It is not wanted any more.
        clashes.add(record, _taken_errors(row, places), across=row.kind != row.other_kind)
        if row.kind == row.other_kind:
            dropped.add(record)
    drop_records(connection, clashes, sorted(dropped))


def _holders_sql(connection: Connection, identity: Identity, kind: Kind) -> str:
    """Return the SQL for newcomers and the known records of a kind that have their identity.

    `gone`: no row is its. `let_go`: it was released or disabled as its source had dropped it.
    """
    same, scope = casefold_sql(connection, f"k.{identity.field}"), identity.scope.format("k")
    # The known ones first: their table is longer, and each is looked up among the newcomers.
    # SQLite keeps the order of a CROSS JOIN, where it would reorder an INNER JOIN.
    return (
        f"SELECT n.field, n.kind, n.key, n.feed, n.line, n.unknown, '{kind}' AS other_kind, k.key "
        "AS other, o.feed AS other_feed, o.line AS other_line, f.place AS invalid,"
        " CASE WHEN f.place IS NULL AND (o.key IS NULL OR s.k1 IS NOT NULL) THEN 1"
        " ELSE 0 END AS gone,"
        " CASE WHEN k.lifecycle IN ('released', 'disabled') THEN 1 ELSE 0 END AS let_go"
        f" FROM known_{kind} k CROSS JOIN newcomer n"
        f" LEFT JOIN wanted_{kind} o ON o.key = k.key LEFT JOIN stale s ON s.kind = '{kind}'"
        " AND s.k1 = k.key"
        f" LEFT JOIN (SELECT k1, min(place) AS place FROM row_error WHERE kind = '{kind}'"
        " GROUP BY k1) f ON f.k1 = k.key"
        f" WHERE n.field = '{identity.field}' AND n.same = {same} AND n.scope = {scope}"
        f" AND NOT (n.kind = '{kind}' AND n.key = k.key)"
    )


def _taken_errors(row: Any, places: Sequence[str]) -> RowError:
    kind, label = Kind(row.kind), _LABELS[row.field]
    place = row.invalid or (
        f"{places[row.other_feed]} {row.other_line}" if row.other_feed is not None else ""
    )
    whose = f"{row.other_kind} {row.other}{f' ({place})' if place else ''}"
    if row.kind != row.other_kind:
        reason = f"{whose} has this {label} in Inspera, and one account there can't be both"
        forget = adopt(Kind(row.other_kind), (str(row.other),), "--as-new")
        remedy = _FORGET_REMEDY.format(forget) if row.gone and row.let_go else ONE_OF_BOTH
    else:
        reason = f"{whose} has this {label} in Inspera"
        remedy = (
            f"correct the row that is not right; if that {kind} has another {label} now, "
            f"run {adopt(Kind(row.other_kind), (str(row.other),))} first"
        )
    return RowError(
        f"{places[row.feed]} {row.line}",
        row.field,
        reason,
        remedy,
        kind,
        (row.key,),
        rule=SafetyRule.SHARED_IDENTIFIERS,
    )


_LABELS = {identity.field: identity.label for identity in IDENTITIES}
