"""What only shows once all rows are staged: rows that contradict each other. Each is a fault that names both places.

The records concerned leave what is wanted; their faults carry their keys, so what is known about them stays.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, text

from sync.model import COMPARED, KEY_FIELDS, SENT_ONCE, Fault, Kind
from sync.state.scratch import add_faults

Places = Sequence[str]
"""How the feeds' sources are named to people, by the feed's number."""


def find_conflicts(connection: Connection, places: Places) -> None:
    """Turns contradicting rows into faults, and folds identical ones into one."""
    for kind in Kind:
        _drop_faulted(connection, kind)  # a sound row beside a bad one for the same record does not outvote it
        _other_case(connection, kind, places)
        _ambiguous_combinations(connection, kind, places)
        _twice(connection, kind, places)
    _misspelt_case(connection, places)
    _own_case_of_faults(connection)
    _shared_numbers(connection, places)


def _where(places: Places, feed: int, line: int) -> str:
    return f"{places[feed]} line {line}"


def _drop_faulted(connection: Connection, kind: Kind) -> None:
    if not connection.execute(text("SELECT 1 FROM fault WHERE kind = :kind LIMIT 1"), {"kind": kind}).first():
        return
    keys = KEY_FIELDS[kind]
    k2 = keys[1] if len(keys) > 1 else "''"
    connection.execute(
        text(
            f"DELETE FROM wanted_{kind} WHERE EXISTS (SELECT 1 FROM fault f WHERE f.kind = :kind"
            f" AND f.k1 = wanted_{kind}.{keys[0]} AND f.k2 = {'wanted_' + kind + '.' if len(keys) > 1 else ''}{k2})"
        ),
        {"kind": kind},
    )


def _against_first(
    connection: Connection, kind: Kind, places: Places, rows: Iterator[Any], field: str, reason: str, remedy: str
) -> None:
    """Faults for groups of rows `(group, feed, line, k1[, k2])`: the first names the second, the others the first."""
    found: list[Fault] = []
    for _, group in groupby(rows, key=lambda row: row[0]):
        members = list(group)
        for i, (_, feed, line, *key) in enumerate(members):
            _, other_feed, other_line, *_ = members[1 if i == 0 else 0]
            other = _where(places, other_feed, other_line)
            said = reason.format(other=other)
            found.append(Fault(_where(places, feed, line), field, said, remedy, kind, tuple(key)))
    if found:
        add_faults(connection, found)
        _drop_faulted(connection, kind)


def _rows(connection: Connection, query: str, **values: object) -> Iterator[Any]:
    return iter(connection.execute(text(query), values).fetchall())


def _other_case(connection: Connection, kind: Kind, places: Places) -> None:
    if kind is Kind.CANDIDATE:
        return  # their keys are those of learners and tests: see _misspelt_case
    rows = _rows(
        connection,
        f"SELECT lower(key) AS folded, feed, line, key FROM wanted_{kind} WHERE lower(key) IN ("
        f"SELECT lower(key) FROM wanted_{kind} GROUP BY lower(key) HAVING count(DISTINCT key) > 1) ORDER BY 1, 2, 3",
    )
    reason = "this key differs only in upper and lower case from that of {other}"
    _against_first(
        connection, kind, places, rows, "key", reason, "write both the same way, or give each a key of its own"
    )


def _ambiguous_combinations(connection: Connection, kind: Kind, places: Places) -> None:
    """Keys that two combinations of source values make, also where a candidate names a learner or test so."""
    for part in KEY_FIELDS[kind]:
        origins = f"SELECT {part} AS key, origin_{part} AS origin FROM wanted_{kind} WHERE origin_{part} IS NOT NULL"
        if kind is Kind.CANDIDATE:
            origins += f" UNION SELECT key, origin_key FROM wanted_{part} WHERE origin_key IS NOT NULL"
        keys = ", ".join(KEY_FIELDS[kind])
        rows = _rows(
            connection,
            f"SELECT {part} AS grouped, origin_{part} AS origin, feed, line, {keys} FROM wanted_{kind}"
            f" WHERE {part} IN (SELECT key FROM ({origins}) GROUP BY key HAVING count(DISTINCT origin) > 1)"
            " ORDER BY 1, 3, 4",
        )
        found: list[Fault] = []
        for _, group in groupby(rows, key=lambda row: row[0]):
            found.extend(_ambiguous(kind, part, list(group), places))
        if found:
            add_faults(connection, found)
            _drop_faulted(connection, kind)


def _ambiguous(kind: Kind, part: str, rows: Sequence[Any], places: Places) -> Iterator[Fault]:
    """A fault for each row, naming the first row whose values are others; that may be the learner's or test's own."""
    own = f"the {part}'s own row"
    first = rows[0]
    second = next((row for row in rows if row.origin != first.origin), None)
    for row in rows:
        other = first if row.origin != first.origin else second
        place = _where(places, other.feed, other.line) if other is not None else own
        reason = f"different values make the same key here and in {place}"
        remedy = "put another character between the columns of the template"
        yield Fault(_where(places, row.feed, row.line), part, reason, remedy, kind, tuple(row[4:]))


def _twice(connection: Connection, kind: Kind, places: Places) -> None:
    keys = ", ".join(KEY_FIELDS[kind])
    repeated = f"SELECT {keys} FROM wanted_{kind} GROUP BY {keys} HAVING count(*) > 1"
    if not connection.execute(text(f"{repeated} LIMIT 1")).first():
        return
    compared = (*COMPARED[kind], *SENT_ONCE[kind], *(f"origin_{name}" for name in KEY_FIELDS[kind]))
    # NULL and a value are different here, which count(DISTINCT) alone does not see
    differ = " OR ".join(f"count(DISTINCT {c}) > 1 OR (count({c}) > 0 AND count({c}) < count(*))" for c in compared)
    rows = _rows(
        connection,
        f"SELECT {' || char(31) || '.join(KEY_FIELDS[kind])} AS grouped, feed, line, {keys} FROM wanted_{kind}"
        f" WHERE ({keys}) IN ({repeated} AND ({differ})) ORDER BY 1, 2, 3",
    )
    reason = "{other} has the same key and says otherwise"
    _against_first(connection, kind, places, rows, "key", reason, "keep the row that is right")
    connection.execute(
        text(f"DELETE FROM wanted_{kind} WHERE rowid NOT IN (SELECT min(rowid) FROM wanted_{kind} GROUP BY {keys})")
    )


def _misspelt_case(connection: Connection, places: Places) -> None:
    """A candidate row that writes its learner or test in another case than the record's own key.

    Its fault carries the key as the record writes it, so that the seat which it means is not taken for absent.
    """
    for part, kind in (("test", Kind.TEST), ("learner", Kind.LEARNER)):
        unknown = (
            f"SELECT named.{part} FROM (SELECT DISTINCT {part} FROM wanted_candidate) named"
            f" WHERE NOT EXISTS (SELECT 1 FROM wanted_{kind} w WHERE w.key = named.{part})"
            f" AND NOT EXISTS (SELECT 1 FROM known_{kind} k WHERE k.key = named.{part})"
        )
        if not connection.execute(text(f"{unknown} LIMIT 1")).first():
            continue  # nearly always: spares folding the case of every key there is
        there = f"SELECT key FROM wanted_{kind} UNION SELECT key FROM known_{kind}"
        meant = {
            row[0]: row[1]
            for row in _rows(
                connection,
                f"SELECT named.{part}, other.key FROM (SELECT {part}, lower({part}) AS folded FROM ({unknown})) named"
                f" JOIN (SELECT key, lower(key) AS folded FROM ({there})) other ON other.folded = named.folded",
            )
        }
        found: list[Fault] = []
        for misspelt, right in meant.items():
            query = f"SELECT feed, line, test, learner FROM wanted_candidate WHERE {part} = :value ORDER BY 1, 2"
            for feed, line, test, learner in _rows(connection, query, value=misspelt):
                key = (right, learner) if part == "test" else (test, right)
                reason = f"the {part} is written {misspelt!r} here and {right!r} in its own row"
                fault = Fault(_where(places, feed, line), part, reason, "write both the same way", Kind.CANDIDATE, key)
                found.append(fault)
            connection.execute(text(f"DELETE FROM wanted_candidate WHERE {part} = :value"), {"value": misspelt})
        if found:
            add_faults(connection, found)
            _drop_faulted(connection, Kind.CANDIDATE)


def _own_case_of_faults(connection: Connection) -> None:
    """Lets faults of candidates name learners and tests in the case of what is known, whatever else was misspelt.

    Otherwise a row with two mistakes would leave the seat that it means without a row, and so absent.
    """
    for column, kind in (("k1", Kind.TEST), ("k2", Kind.LEARNER)):
        strange = (
            f"SELECT DISTINCT f.{column} AS written FROM fault f WHERE f.kind = 'candidate' AND f.{column} <> ''"
            f" AND NOT EXISTS (SELECT 1 FROM known_{kind} k WHERE k.key = f.{column})"
        )
        if not connection.execute(text(f"{strange} LIMIT 1")).first():
            continue
        meant = f"meant_{kind}"
        connection.exec_driver_sql(
            f"CREATE TABLE scratch.{meant} AS SELECT s.written, min(k.key) AS own FROM ({strange}) s"
            f" JOIN (SELECT key, lower(key) AS folded FROM known_{kind}) k ON k.folded = lower(s.written)"
            " GROUP BY s.written"
        )
        connection.exec_driver_sql(f"CREATE INDEX scratch.ix_{meant} ON {meant} (written)")
        connection.exec_driver_sql(
            f"UPDATE fault SET {column} = (SELECT own FROM {meant} WHERE written = {column})"
            f" WHERE kind = 'candidate' AND {column} IN (SELECT written FROM {meant})"
        )


def _shared_numbers(connection: Connection, places: Places) -> None:
    rows = _rows(
        connection,
        "SELECT test || char(31) || candidate_id AS grouped, feed, line, test, learner FROM wanted_candidate"
        " WHERE (test, candidate_id) IN (SELECT test, candidate_id FROM wanted_candidate"
        " WHERE candidate_id <> '' GROUP BY test, candidate_id HAVING count(*) > 1) ORDER BY 1, 2, 3",
    )
    reason = "{other} gives another learner the same candidate number on this test"
    _against_first(
        connection, Kind.CANDIDATE, places, rows, "candidate_id", reason, "give each learner a number of their own"
    )


def settle_percentages(connection: Connection, places: Places, refingerprint: Any) -> None:
    """Turns extra time given as a share of the test's duration into whole minutes, rounded up.

    `refingerprint(fields)` gives the fingerprint of a candidate's fields once the minutes are known.
    """
    names = ("test", "learner", *COMPARED[Kind.CANDIDATE])
    query = (
        f"SELECT w.rowid, w.feed, w.line, w.extra_percent, coalesce(t.duration, k.duration),"
        f" {', '.join('w.' + name for name in names)} FROM wanted_candidate w"
        " LEFT JOIN wanted_test t ON t.key = w.test LEFT JOIN known_test k ON k.key = w.test"
        " WHERE w.extra_percent IS NOT NULL AND w.rowid > :last ORDER BY w.rowid LIMIT 5000"
    )
    last = 0
    while page := connection.execute(text(query), {"last": last}).fetchall():
        last = page[-1][0]
        settled: list[dict[str, object]] = []
        found: list[Fault] = []
        for rowid, feed, line, percent, duration, *values in page:
            fields = dict(zip(names, values, strict=True))
            if duration is None:
                if _test_is_there(connection, fields["test"]):
                    found.append(_no_duration(_where(places, feed, line), (fields["test"], fields["learner"])))
                continue  # the candidate waits for its test, which nobody has yet
            minutes = -(-percent * duration // 100)
            fingerprint = refingerprint({**fields, "extra_time": minutes})
            settled.append({"id": rowid, "minutes": minutes, "fingerprint": fingerprint})
        if settled:
            statement = (
                "UPDATE wanted_candidate SET extra_time = :minutes, fingerprint = :fingerprint WHERE rowid = :id"
            )
            connection.execute(text(statement), settled)
        add_faults(connection, found)
    _drop_faulted(connection, Kind.CANDIDATE)


def _test_is_there(connection: Connection, test: str) -> bool:
    query = "SELECT 1 FROM wanted_test WHERE key = :key UNION SELECT 1 FROM known_test WHERE key = :key"
    return connection.execute(text(query), {"key": test}).first() is not None


def _no_duration(where: str, key: tuple[str, ...]) -> Fault:
    reason = "a share of the test's duration, but the duration is not known"
    return Fault(where, "extra_time", reason, "give the minutes, or the test a duration", Kind.CANDIDATE, key)
