"""Rows that contradict each other, found once all are staged: row errors that name both places.

The records concerned are removed from what is wanted. Their row errors carry their keys, so
what is known about them stays.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, text

from sync.records.base import Key, Kind, RowError, row_place
from sync.records.kinds import COMPARED, KEY_FIELDS, ON_A_TEST, PERSON_OF, SENT_ONCE
from sync.records.rule_numbers import SafetyRule, rule_of_field
from sync.state.dialect import create_index, create_table_as, lower_sql
from sync.state.staging.derive import Refingerprint, derive_committees, fold_roles
from sync.state.staging.references import (
    ReferencePart,
    note_astray_row_errors,
    note_unknown,
    parts_of,
    refuse_unresolved,
)
from sync.state.staging.scratch import add_row_errors, drop_invalid

Places = Sequence[str]
"""The names of the feeds' sources, by the feed's number."""

_BETWEEN = " || '\x1f' || "
"""SQL that joins columns to one text by a character that none of them contains."""


def find_conflicts(
    connection: Connection,
    places: Places,
    refingerprint: Refingerprint,
    unsure: Collection[Kind] = (),
) -> None:
    """Turn contradicting and unresolved rows into row errors, and fold identical rows into one.

    Of `unsure` kinds not all records may have been read, so rows that name an unknown one wait.
    Several rows of one contributor that differ only in roles and committees become one contributor
    with all of them. Committees that only contributors and candidates name are wanted like those of
    a feed.
    """
    kinds = [kind for kind in Kind if _has_rows(connection, f"SELECT 1 FROM wanted_{kind}")]
    for kind in kinds:
        # A valid row does not outvote an invalid one for the same record.
        drop_invalid(connection, kind)
        # First: of two rows that name nobody, that is the error, and not that they differ.
        if kind in ON_A_TEST:
            _find_unresolved(connection, kind, places, unsure)
        _find_other_case(connection, kind, places)
        _find_ambiguous_keys(connection, kind, places)
        if kind is Kind.CONTRIBUTOR:
            fold_roles(connection, refingerprint)
        _fold_duplicates(connection, kind, places)
    _correct_case_of_row_errors(connection)
    note_astray_row_errors(connection)
    _find_shared_numbers(connection, places)
    if derive_committees(connection, refingerprint):
        _find_other_case(connection, Kind.COMMITTEE, places)


def _has_rows(connection: Connection, query: str) -> bool:
    """Tell whether a query has a row.

    For what is rarely there, this first look costs half of the full query.
    """
    return connection.execute(text(f"{query} LIMIT 1")).first() is not None


def _place_of(places: Places, feed: int, line: int, key: Key | None = None) -> str:
    return row_place(places[feed], line, key)


def _contradictions(
    connection: Connection,
    kind: Kind,
    places: Places,
    rows: Iterator[Any],
    field: str,
    message: tuple[str, str],
    differing: Mapping[str, str] | None = None,
) -> None:
    """Yield row errors for groups of rows `(group, feed, line, k1[, k2])`.

    The first row names the second, all others name the first. `differing` names the fields in which
    the rows of a group differ; groups that differ in the same fields have one cause.
    `message` is the reason and the remedy.
    """
    reason, remedy = message
    found: list[RowError] = []
    for name, group in groupby(rows, key=lambda row: row[0]):
        members, fields = list(group), (differing or {}).get(name, "")
        for i, (_, feed, line, *key) in enumerate(members):
            _, other_feed, other_line, *other_key = members[1 if i == 0 else 0]
            # Two rows with one key differ by their numbers.
            other = _place_of(
                places, other_feed, other_line, None if other_key == key else tuple(other_key)
            )
            words = reason.format(other=other, key=" / ".join(key), fields=fields)
            found.append(
                RowError(
                    _place_of(places, feed, line, tuple(key)),
                    field,
                    words,
                    remedy,
                    kind,
                    tuple(key),
                    fields and f"the same key and another {fields}",
                    rule=SafetyRule.AMBIGUOUS_KEYS if field == "key" else rule_of_field(field),
                )
            )
    if found:
        add_row_errors(connection, found)
        drop_invalid(connection, kind)


def _read_rows(connection: Connection, query: str, **values: object) -> Iterator[Any]:
    return iter(connection.execute(text(query), values).fetchall())


def _find_other_case(connection: Connection, kind: Kind, places: Places) -> None:
    if kind in ON_A_TEST and kind is not Kind.COMMITTEE:
        # Keys on tests belong to other kinds (see `_find_misspelt_case`) or are the vendor's words.
        return
    keys = KEY_FIELDS[kind]
    own, same = keys[-1], _BETWEEN.join((*keys[:-1], lower_sql(connection, keys[-1])))
    several = f"SELECT {same} FROM wanted_{kind} GROUP BY {same} HAVING count(DISTINCT {own}) > 1"
    if not _has_rows(connection, several):
        return
    rows = _read_rows(
        connection,
        f"SELECT {same} AS folded, feed, line, {', '.join(keys)} FROM wanted_{kind}"
        f" WHERE {same} IN ({several}) ORDER BY 1, 2, 3",
    )
    reason = "this key differs only in upper and lower case from that of {other}"
    _contradictions(
        connection,
        kind,
        places,
        rows,
        "key",
        (reason, "write both the same way, or give each a key of its own"),
    )


def _find_ambiguous_keys(connection: Connection, kind: Kind, places: Places) -> None:
    """Yield row errors for keys that two combinations of source values make (rules 3).

    A candidate that names a learner or a test counts too.
    """
    for part in KEY_FIELDS[kind]:
        origins = (
            f"SELECT {part} AS key, origin_{part} AS origin FROM wanted_{kind}"
            f" WHERE origin_{part} IS NOT NULL"
        )
        if part in ("test", PERSON_OF.get(kind)):
            origins += (
                f" UNION SELECT key, origin_key FROM wanted_{part} WHERE origin_key IS NOT NULL"
            )
        several = (
            f"SELECT key FROM ({origins}) AS made GROUP BY key HAVING count(DISTINCT origin) > 1"
        )
        if not _has_rows(connection, several):
            continue
        keys = ", ".join(KEY_FIELDS[kind])
        rows = _read_rows(
            connection,
            f"SELECT {part} AS grouped, origin_{part} AS origin, feed, line, {keys}"
            f" FROM wanted_{kind} WHERE {part} IN ({several}) ORDER BY 1, 3, 4",
        )
        found: list[RowError] = []
        for _, group in groupby(rows, key=lambda row: row[0]):
            found.extend(_ambiguous_errors(kind, part, list(group), places))
        if found:
            add_row_errors(connection, found)
            drop_invalid(connection, kind)


def _ambiguous_errors(
    kind: Kind, part: str, rows: Sequence[Any], places: Places
) -> Iterator[RowError]:
    """Yield a row error for each row, naming the first row with other values.

    That may be the learner's or the test's own row.
    """
    own = f"the {part}'s own row"
    first = rows[0]
    second = next((row for row in rows if row.origin != first.origin), None)
    for row in rows:
        other = first if row.origin != first.origin else second
        place = _place_of(places, other.feed, other.line) if other is not None else own
        reason = f"different values make the same key here and in {place}"
        remedy = "put another character between the columns of the template"
        key = tuple(row[4:])
        yield RowError(
            _place_of(places, row.feed, row.line, key),
            part,
            reason,
            remedy,
            kind,
            key,
            rule=SafetyRule.AMBIGUOUS_KEYS,
        )


def _fold_duplicates(connection: Connection, kind: Kind, places: Places) -> None:
    keys = ", ".join(KEY_FIELDS[kind])
    repeated = f"SELECT {keys} FROM wanted_{kind} GROUP BY {keys} HAVING count(*) > 1"
    if not _has_rows(connection, repeated):
        return
    compared = (*COMPARED[kind], *SENT_ONCE[kind], *(f"origin_{name}" for name in KEY_FIELDS[kind]))
    # NULL and a value differ here, which count(DISTINCT) alone does not see.
    tests = {
        c: f'(count(DISTINCT "{c}") > 1 OR (count("{c}") > 0 AND count("{c}") < count(*)))'
        for c in compared
    }
    differ, label = " OR ".join(tests.values()), _BETWEEN.join(KEY_FIELDS[kind])
    found = _read_rows(
        connection,
        f"SELECT {label}, {', '.join(tests.values())} FROM wanted_{kind} GROUP BY {keys}"
        f" HAVING count(*) > 1 AND ({differ})",
    )
    differing = {
        name: " and ".join(
            c.removeprefix("origin_") for c, differs in zip(tests, flags, strict=True) if differs
        )
        for name, *flags in found
    }
    rows = _read_rows(
        connection,
        f"SELECT {label} AS grouped, feed, line, {keys}"
        f" FROM wanted_{kind} WHERE ({keys}) IN ({repeated} AND ({differ})) ORDER BY 1, 2, 3",
    )
    reason = "{other} has the same key {key} and another {fields}"
    remedy = "keep the row that is right"
    _contradictions(connection, kind, places, rows, "key", (reason, remedy), differing)
    connection.execute(
        text(
            f"DELETE FROM wanted_{kind} AS w WHERE EXISTS (SELECT 1 FROM wanted_{kind} e"
            " WHERE e.rowid < w.rowid"
            f" AND {' AND '.join(f'e.{name} = w.{name}' for name in KEY_FIELDS[kind])})"
        )
    )


def _find_unresolved(
    connection: Connection, kind: Kind, places: Places, unsure: Collection[Kind]
) -> None:
    """Find rows that name a test or a person that is neither wanted nor known.

    Call it after the other kinds are checked.
    """
    noted = [part for part in parts_of(kind) if note_unknown(connection, part)]
    for part in noted:
        _find_misspelt_case(connection, part, places)
    refuse_unresolved(connection, noted, places, unsure)


def _find_misspelt_case(connection: Connection, part: ReferencePart, places: Places) -> None:
    """Find rows that write their learner, staff or test in another case than the record's own key.

    Their row errors carry the key as the record writes it, so that the member is not absent.
    """
    kind, name = part.kind, part.name
    there = f"SELECT key FROM wanted_{part.named} UNION SELECT key FROM known_{part.named}"
    rows = _read_rows(
        connection,
        f"SELECT named.value, other.key FROM (SELECT value, {lower_sql(connection, 'value')} AS "
        "folded FROM unknown WHERE kind = :kind AND part = :part) named"
        f" JOIN (SELECT key, {lower_sql(connection, 'key')} AS folded"
        f" FROM ({there}) AS there) other ON other.folded = named.folded",
        **part.values,
    )
    found: list[RowError] = []
    for misspelt, right in {row[0]: row[1] for row in rows}.items():
        columns = ", ".join(KEY_FIELDS[kind])
        query = (
            f"SELECT feed, line, {columns} FROM wanted_{kind} WHERE {name} = :value ORDER BY 1, 2"
        )
        for feed, line, test, second in _read_rows(connection, query, value=misspelt):
            key = (right, second) if name == "test" else (test, right)
            reason = f"the {name} is written {misspelt!r} here and {right!r} in its own row"
            place = _place_of(places, feed, line, (test, second))
            found.append(
                RowError(
                    place,
                    name,
                    reason,
                    "write both the same way",
                    kind,
                    key,
                    f"case of {name}",
                    rule=SafetyRule.AMBIGUOUS_KEYS,
                )
            )
        connection.execute(
            text(f"DELETE FROM wanted_{kind} WHERE {name} = :value"), {"value": misspelt}
        )
    if found:
        add_row_errors(connection, found)
        drop_invalid(connection, kind)


def _correct_case_of_row_errors(connection: Connection) -> None:
    """Give row errors on tests the keys of people and tests in the case of what is known.

    Otherwise a row with two mistakes would leave its member without a row, and so absent.
    """
    for of in ON_A_TEST:
        for column, part in zip(("k1", "k2"), parts_of(of), strict=False):
            _correct_case(connection, of, column, part.named)
        drop_invalid(connection, of)


def _correct_case(connection: Connection, of: Kind, column: str, kind: Kind) -> None:
    strange = (
        f"SELECT DISTINCT f.{column} AS written FROM row_error f WHERE f.kind = '{of}'"
        f" AND f.{column} <> ''"
        f" AND NOT EXISTS (SELECT 1 FROM known_{kind} k WHERE k.key = f.{column})"
    )
    if not _has_rows(connection, strange):
        return
    meant = f"meant_{of}_{kind}"
    create_table_as(
        connection,
        meant,
        f"SELECT s.written, min(k.key) AS own FROM ({strange}) s"
        f" JOIN (SELECT key, {lower_sql(connection, 'key')} AS folded FROM known_{kind}) k"
        f" ON k.folded = {lower_sql(connection, 's.written')} GROUP BY s.written",
    )
    create_index(connection, f"ix_{meant}", f"{meant} (written)")
    connection.exec_driver_sql(
        f"UPDATE row_error SET {column} = (SELECT own FROM {meant} WHERE written = {column})"
        f" WHERE kind = '{of}' AND {column} IN (SELECT written FROM {meant})"
    )


def _find_shared_numbers(connection: Connection, places: Places) -> None:
    # Counted test by test, in the order of the index: one sort of all numbers takes twice as long.
    repeated = (
        "SELECT test FROM wanted_candidate WHERE candidate_id <> ''"
        " GROUP BY test HAVING count(*) > count(DISTINCT candidate_id)"
    )
    if not _has_rows(connection, repeated):
        return
    several = (
        f"SELECT test, candidate_id FROM wanted_candidate WHERE test IN ({repeated})"
        " AND candidate_id <> '' GROUP BY test, candidate_id HAVING count(*) > 1"
    )
    rows = _read_rows(
        connection,
        f"SELECT test{_BETWEEN}candidate_id AS grouped, feed, line, test, learner"
        f" FROM wanted_candidate WHERE (test, candidate_id) IN ({several}) ORDER BY 1, 2, 3",
    )
    reason = "{other} gives another learner the same candidate number on this test"
    _contradictions(
        connection,
        Kind.CANDIDATE,
        places,
        rows,
        "candidate_id",
        (reason, "give each learner a number of their own"),
    )
