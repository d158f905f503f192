"""Wanted records that share an identity: row errors of all of them (rules 31)."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, text

from sync.records.base import Kind, RowError
from sync.records.rule_numbers import SafetyRule
from sync.state.dialect import analyse, casefold_sql, create_index, create_table_as, insert
from sync.state.staging.identities import (
    IDENTITIES,
    ONE_OF_BOTH,
    Bearer,
    Clashes,
    Identity,
    compared_sql,
    drop_records,
)
from sync.state.staging.scratch import add_row_errors, chunks
from sync.state.staging.taken_identities import gather_newcomers, judge_newcomers

MOST_NAMED = 3
"""The most places of other rows in one message; it counts the rest."""


def find_shared(connection: Connection, places: Sequence[str]) -> None:
    """Turn wanted records that share an identity into errors, and store all that this concerns.

    Call it once contradicting rows are removed from what is wanted. `places` name the feeds'
    sources by the feed's number.
    """
    clashes = Clashes()
    for identity in IDENTITIES:
        for group in _read_groups(connection, identity, places):
            _judge_group(identity, group, clashes)
    newcomers = gather_newcomers(connection)
    drop_records(connection, clashes, sorted(clashes.within))
    if newcomers:
        judge_newcomers(connection, places, clashes)
    _store_concerned(connection, clashes)


def _store_concerned(connection: Connection, clashes: Clashes) -> None:
    """Store all records that this concerns, and the errors of those that stay wanted.

    No row error removes these any more.
    """
    held = clashes.held
    add_row_errors(connection, clashes.row_errors(sorted(held)))
    rows = [
        (kind.value, key, reason, int((kind, key) in clashes.errors), int((kind, key) in held))
        for (kind, key), reason in clashes.concerned.items()
    ]
    for chunk in chunks(rows):
        insert(connection, "clash", ("kind", "k1", "reason", "error", "held"), chunk)
    create_index(connection, "ix_clash", "clash (kind, k1)")
    create_index(connection, "ix_reused", "reused (kind, new_key)")
    analyse(connection, "clash", "reused")


def _bearers_sql(connection: Connection, identity: Identity, *, named: bool = False) -> str:
    """Return the SQL for all wanted records with what they are compared by; `named` adds names."""
    about = (
        ", '{kind}' AS kind, w.key AS key, w.feed AS feed, w.line AS line, {value} AS value"
        if named
        else ""
    )
    aliased = (
        identity.field == "username"
        and connection.execute(text("SELECT 1 FROM alias LIMIT 1")).first()
    )
    found = []
    for kind in identity.kinds:
        scope, same, there = compared_sql(connection, identity, kind)
        columns = about.format(kind=kind, value=f"w.{identity.field}")
        found.append(
            f"SELECT {scope} AS scope, {same} AS same{columns} FROM wanted_{kind} w WHERE {there}"
        )
        if aliased:  # The source's own username counts too, where Inspera's has replaced it.
            word, columns = (
                casefold_sql(connection, "a.wanted"),
                about.format(kind=kind, value="a.wanted"),
            )
            found.append(
                f"SELECT {scope} AS scope, {word} AS same{columns} FROM wanted_{kind} w"
                f" JOIN alias a ON a.kind = '{kind}' AND a.key = w.key AND a.username = w.username"
                f" WHERE {there} AND {word} <> {same}"
            )
    return " UNION ALL ".join(found)


def _read_groups(
    connection: Connection, identity: Identity, places: Sequence[str]
) -> Iterator[list[Bearer]]:
    """Yield the bearers of each identity that more than one record bears."""
    shared = f"shared_{identity.field}"
    every = _bearers_sql(connection, identity)
    several = f"SELECT scope, same FROM ({every}) AS borne GROUP BY scope, same HAVING count(*) > 1"
    create_table_as(connection, shared, several)
    if not connection.execute(text(f"SELECT 1 FROM {shared} LIMIT 1")).first():
        return  # As on most days.
    create_index(connection, f"ix_{shared}", f"{shared} (same)")
    query = (
        "SELECT b.scope, b.same, b.kind, b.key, b.feed, b.line, b.value, s.k1 AS before"
        f" FROM ({_bearers_sql(connection, identity, named=True)}) AS b"
        f" JOIN {shared} g ON g.same = b.same AND g.scope = b.scope"
        " LEFT JOIN stale s ON s.kind = b.kind AND s.k1 = b.key"
        " ORDER BY b.scope, b.same, b.feed, b.line, b.kind"
    )
    rows = connection.execute(text(query)).fetchall()
    for _, members in groupby(rows, key=lambda row: (row.scope, row.same)):
        yield _of_now([_to_bearer(row, places) for row in members])


def _to_bearer(row: Any, places: Sequence[str]) -> Bearer:
    return Bearer(
        Kind(row.kind), row.key, f"{places[row.feed]} {row.line}", row.value, row.before is not None
    )


def _of_now(bearers: list[Bearer]) -> list[Bearer]:
    """Leave out records that only an earlier reading names, where one of now has the identity.

    That is perhaps the same record under a new key.
    """
    now = [one for one in bearers if not one.before]
    return now or bearers


def _judge_group(identity: Identity, group: Sequence[Bearer], clashes: Clashes) -> None:
    for kind in identity.kinds:
        own = [one for one in group if one.kind is kind]
        others = [one for one in group if one.kind is not kind]
        for one in own:
            if len(own) > 1:
                clashes.add(one.record, _clash_within(identity, one, own), across=False)
            if others:
                clashes.add(one.record, _clash_across(identity, one, others), across=True)


def _clash_within(identity: Identity, one: Bearer, bearers: Sequence[Bearer]) -> RowError:
    others = [other for other in bearers if other is not one]
    case = (
        ""
        if all(other.value == one.value for other in others)
        else " except for upper and lower case"
    )
    reason = (
        f"{_names_of(others)} {'has' if len(others) == 1 else 'have'} the same "
        f"{identity.label}{case}"
    )
    remedy = (
        f"give each {one.kind} {identity.article} of their own, or leave out the row that is "
        "not right"
    )
    return RowError(
        one.place,
        identity.field,
        reason,
        remedy,
        one.kind,
        (one.key,),
        rule=SafetyRule.SHARED_IDENTIFIERS,
    )


def _clash_across(identity: Identity, one: Bearer, others: Sequence[Bearer]) -> RowError:
    verb, kind = ("has" if len(others) == 1 else "have"), others[0].kind
    reason = (
        f"{_names_of(others)} ({kind}) {verb} the same {identity.label}, and one account in "
        "Inspera can't be both"
    )
    return RowError(
        one.place,
        identity.field,
        reason,
        ONE_OF_BOTH,
        one.kind,
        (one.key,),
        rule=SafetyRule.SHARED_IDENTIFIERS,
    )


def _names_of(others: Sequence[Bearer]) -> str:
    names = [other.place for other in others[:MOST_NAMED]]
    more = len(others) - len(names)
    return " and ".join((*names, *([f"{more:,} more"] if more > 0 else ())))
