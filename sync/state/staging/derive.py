"""Wanted values that no single row contains: joined roles, committees by name, minutes."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, bindparam, text

from sync.records.base import Kind, RowError, joined, listed, row_place
from sync.records.candidate import SHARES
from sync.records.kinds import COMPARED, KEY_FIELDS, PEOPLE, SENT_ONCE
from sync.records.rule_numbers import SafetyRule
from sync.state.compare.context import HELD
from sync.state.staging.scratch import add_row_errors, chunks, drop_invalid

Refingerprint = Callable[[Kind, Mapping[str, object]], bytes]
"""A function that returns the fingerprint of a kind's record with these fields."""


def keep_usernames(connection: Connection, refingerprint: Refingerprint) -> None:
    """Put Inspera's username in the place of the source's, for people who were matched by email."""
    for kind in PEOPLE:
        names = (*KEY_FIELDS[kind], *COMPARED[kind])
        query = (
            f"SELECT w.rowid, a.username AS kept, {', '.join('w.' + name for name in names)}"
            f" FROM wanted_{kind} w"
            f" JOIN alias a ON a.kind = '{kind}' AND a.key = w.key AND a.wanted = w.username"
        )
        for row in connection.execute(text(query)).mappings().fetchall():
            fields = {**{name: row[name] for name in names}, "username": row["kept"]}
            statement = f"UPDATE wanted_{kind} SET username = :username, fingerprint = :fingerprint"
            values = {
                "username": row["kept"],
                "fingerprint": refingerprint(kind, fields),
                "rowid": row["rowid"],
            }
            connection.execute(text(f"{statement} WHERE rowid = :rowid"), values)


def fold_roles(connection: Connection, refingerprint: Refingerprint) -> None:
    """Make one contributor of several rows that differ only in roles and committees.

    Rows that differ in more are left as they are: they contradict each other.
    """
    names = (
        *KEY_FIELDS[Kind.CONTRIBUTOR],
        *COMPARED[Kind.CONTRIBUTOR],
        *SENT_ONCE[Kind.CONTRIBUTOR],
    )
    query = (
        f"SELECT rowid, {', '.join(names)} FROM wanted_contributor"
        " WHERE (test, staff) IN (SELECT test, staff"
        " FROM wanted_contributor GROUP BY test, staff HAVING count(*) > 1"
        " AND count(DISTINCT coalesce(room, '\x1f') || '\x1e' || coalesce(building, '\x1f')) = 1)"
        " ORDER BY test, staff, rowid"
    )
    rows = connection.execute(text(query)).mappings().fetchall()
    for _, group in groupby(rows, key=lambda row: (row["test"], row["staff"])):
        _fold_group(connection, list(group), refingerprint)


def _fold_group(
    connection: Connection, rows: Sequence[Mapping[Any, Any]], refingerprint: Refingerprint
) -> None:
    first, *others = rows
    fields = {str(name): value for name, value in first.items() if name != "rowid"}
    for name in ("roles", "committees"):
        if any(row[name] is not None for row in rows):
            fields[name] = joined(item for row in rows for item in listed(row[name]))
    fields["notify"] = max((row["notify"] or 0 for row in rows), default=0) or None
    fingerprint = refingerprint(Kind.CONTRIBUTOR, fields)
    connection.execute(
        text(
            "UPDATE wanted_contributor SET roles = :roles, committees = :committees, notify = "
            ":notify, fingerprint = :fingerprint WHERE rowid = :rowid"
        ),
        {**fields, "fingerprint": fingerprint, "rowid": first["rowid"]},
    )
    connection.execute(
        text("DELETE FROM wanted_contributor WHERE rowid = :rowid"),
        [{"rowid": row["rowid"]} for row in others],
    )


def derive_committees(connection: Connection, refingerprint: Refingerprint) -> bool:
    """Want each committee that a contributor or a candidate names and no feed does.

    Its place is the first row that names it. A person with a blank committee stays in theirs, so
    that is wanted too. Return whether there was one.
    """
    derived = False
    for kind in (Kind.CONTRIBUTOR, Kind.CANDIDATE):
        for query in _committee_queries(kind):
            named = connection.execute(text(query)).fetchall()
            for chunk in chunks(named):
                derived = _want_committees(connection, chunk, refingerprint) or derived
    return derived


def _committee_queries(kind: Kind) -> Iterator[str]:
    """Yield the queries for committees that rows name, then for those that blank rows keep."""
    part = KEY_FIELDS[kind][1]
    yield (
        f"SELECT test, committees, feed, min(line) AS line FROM wanted_{kind}"
        " WHERE committees <> '' GROUP BY test, committees, feed ORDER BY feed, line"
    )
    yield (
        "SELECT c.test AS test, c.committee AS committees, w.feed AS feed, min(w.line) AS line"
        " FROM known_committee c"
        f" JOIN known_{kind} k ON k.test = c.test AND k.lifecycle = 'active'"
        " AND replace('\n' || k.committees || '\n', '\n' || c.committee || '\n', '') <> '\n' || "
        "k.committees || '\n'"
        f" JOIN wanted_{kind} w ON w.test = k.test AND w.{part} = k.{part} AND w.committees IS NULL"
        " WHERE c.lifecycle = 'active' GROUP BY 1, 2, 3 ORDER BY 3, 4"
    )


def _want_committees(
    connection: Connection, rows: Iterable[Any], refingerprint: Refingerprint
) -> bool:
    named = (
        "SELECT test, committee FROM wanted_committee UNION SELECT k1, k2 FROM row_error"
        " WHERE kind = 'committee'"
    )
    there = {(test, name) for test, name in connection.execute(text(named))}
    new: dict[tuple[str, str], dict[str, object]] = {}
    for row in rows:
        for name in listed(row.committees):
            key = (str(row.test), name)
            if key not in there and key not in new:
                fields = {"test": row.test, "committee": name}
                fingerprint = refingerprint(Kind.COMMITTEE, fields)
                new[key] = {
                    **fields,
                    "fingerprint": fingerprint,
                    "feed": row.feed,
                    "line": row.line,
                }
    if new:
        _insert_committees(connection, list(new.values()))
    return bool(new)


def _insert_committees(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    statement = "INSERT INTO wanted_committee (test, committee, fingerprint, feed, line)"
    connection.execute(
        text(f"{statement} VALUES (:test, :committee, :fingerprint, :feed, :line)"), rows
    )


_LACKING = """
SELECT w.key AS test, w.line AS line, tw.start AS start, tw.feed AS window_feed,
  tw.before AS before, tw.after AS after,
  EXISTS (SELECT 1 FROM known_committee k
      WHERE k.test = w.key AND k.committee = :name AND k.lifecycle = 'active') AS is_known,
  EXISTS (SELECT 1 FROM row_error e WHERE e.k1 = w.key AND e.kind IN :naming) AS in_doubt
FROM wanted_test w
LEFT JOIN test_window tw ON tw.test = w.key
WHERE w.feed = :feed AND coalesce(tw.closed, 0) = 0 AND coalesce(tw.unsent, 0) = 0
  AND NOT EXISTS (SELECT 1 FROM wanted_committee c
      WHERE c.test = w.key AND c.committee = :name)
  AND (EXISTS (SELECT 1 FROM known_committee k
          WHERE k.test = w.key AND k.committee = :name AND k.lifecycle = 'active')
      OR (:known_only = 0
          AND NOT EXISTS (SELECT 1 FROM wanted_committee c WHERE c.test = w.key)
          AND NOT EXISTS (SELECT 1 FROM known_committee k
              WHERE k.test = w.key AND k.lifecycle = 'active')))
"""
"""The tests of a feed that want the ensured committee: those without any, and those that have got
it before. A row in error may name another one (`in_doubt`)."""


def ensure_committee(
    connection: Connection,
    feed: int,
    name: str,
    naming: Collection[Kind],
    is_frozen: Callable[[Any], bool],
    refingerprint: Refingerprint,
    *,
    known_only: bool,
) -> None:
    """Want this committee for each test of the feed that has none; its place is the test's row.

    A row error of a kind whose feeds name committees (`naming`) keeps a new one back until the
    test is frozen: from then on, a test that cannot be graded is the greater harm.
    """
    values = {"feed": feed, "name": name, "known_only": int(known_only), "naming": sorted(naming)}
    lacking = text(_LACKING).bindparams(bindparam("naming", expanding=True))
    tests = [
        row
        for row in connection.execute(lacking, values)
        if row.is_known or not row.in_doubt or is_frozen(row)
    ]
    for chunk in chunks(tests):
        rows = [
            {
                "test": row.test,
                "committee": name,
                "fingerprint": refingerprint(Kind.COMMITTEE, {"test": row.test, "committee": name}),
                "feed": feed,
                "line": row.line,
            }
            for row in chunk
        ]
        _insert_committees(connection, rows)
        statement = "INSERT INTO ensured (test, committee) VALUES (:test, :committee)"
        connection.execute(text(statement), rows)
    if tests:  # what is known of them was missing until now
        absent = "DELETE FROM missing WHERE kind = 'committee' AND k2 = :name AND k1 IN"
        wanted = "(SELECT test FROM ensured WHERE committee = :name)"
        connection.execute(text(f"{absent} {wanted}"), {"name": name})


_SET_MINUTES = (
    "UPDATE wanted_candidate SET extra_time = :minutes, fingerprint = :fingerprint"
    " WHERE rowid = :id"
)


def settle_percentages(
    connection: Connection,
    places: Sequence[str],
    refingerprint: Refingerprint,
    *,
    held: bool = False,
) -> None:
    """Turn extra time given as a share of the test's duration into minutes, rounded up (rules 13).

    With `held`, only on tests whose new times are held, and of their known duration.
    """
    duration, which = "coalesce(t.duration, k.duration)", ""
    if held:
        duration = "coalesce(k.duration, t.duration)"
        which = f" AND w.test IN (SELECT test FROM test_window WHERE unsettled >= {HELD})"
    names = ("test", "learner", *COMPARED[Kind.CANDIDATE])
    query = (
        f"SELECT w.rowid, w.feed, w.line, w.extra_share, {duration},"
        f" {', '.join('w.' + name for name in names)} FROM wanted_candidate w"
        " LEFT JOIN wanted_test t ON t.key = w.test LEFT JOIN known_test k ON k.key = w.test"
        f" WHERE w.extra_share IS NOT NULL{which} AND w.rowid > :last ORDER BY w.rowid LIMIT 5000"
    )
    last = 0
    while page := connection.execute(text(query), {"last": last}).fetchall():
        last = page[-1][0]
        _settle_page(connection, page, names, places, refingerprint)
    add_row_errors(connection, _find_too_long(connection, places))
    drop_invalid(connection, Kind.CANDIDATE)


def _settle_page(
    connection: Connection,
    page: Sequence[Any],
    names: Sequence[str],
    places: Sequence[str],
    refingerprint: Refingerprint,
) -> None:
    settled: list[dict[str, object]] = []
    found: list[RowError] = []
    for rowid, feed, line, share, minutes_of_test, *values in page:
        fields = dict(zip(names, values, strict=True))
        key = (fields["test"], fields["learner"])
        if minutes_of_test is None:
            # Where the test does not exist either, the candidate waits for it (rules 9).
            if _has_test(connection, fields["test"]):
                found.append(_no_duration_error(row_place(places[feed], line, key), key))
            continue
        # Rounded up: half a minute is not taken away from anybody.
        minutes = -(-share * minutes_of_test // SHARES)
        fingerprint = refingerprint(Kind.CANDIDATE, {**fields, "extra_time": minutes})
        settled.append({"id": rowid, "minutes": minutes, "fingerprint": fingerprint})
    if settled:
        connection.execute(text(_SET_MINUTES), settled)
    add_row_errors(connection, found)


_MOST_UNKNOWN = 1440
"""The most minutes of extra time where the test's duration is unknown."""


def _find_too_long(connection: Connection, places: Sequence[str]) -> Iterator[RowError]:
    """Return row errors for extra time that is longer than the test: a typing error or unit."""
    query = (
        "SELECT w.feed, w.line, w.test, w.learner, w.extra_time, coalesce(t.duration, k.duration)"
        " FROM wanted_candidate w"
        " LEFT JOIN wanted_test t ON t.key = w.test LEFT JOIN known_test k ON k.key = w.test"
        " WHERE w.extra_time > 0 AND w.extra_time > coalesce(t.duration, k.duration, "
        f"{_MOST_UNKNOWN}) ORDER BY w.rowid"
    )
    for feed, line, test, learner, extra, duration in connection.execute(text(query)).fetchall():
        than = (
            f"the test's own duration ({duration})" if duration is not None else f"{_MOST_UNKNOWN}"
        )
        reason = f"{extra} minutes of extra time is more than {than}"
        key = (test, learner)
        where = row_place(places[feed], line, key)
        yield RowError(
            where,
            "extra_time",
            reason,
            "correct it in the source",
            Kind.CANDIDATE,
            key,
            rule=SafetyRule.EXTRA_TIME,
        )


def _has_test(connection: Connection, test: str) -> bool:
    query = (
        "SELECT 1 FROM wanted_test WHERE key = :key UNION SELECT 1 FROM known_test WHERE key = :key"
    )
    return connection.execute(text(query), {"key": test}).first() is not None


def _no_duration_error(where: str, key: tuple[str, ...]) -> RowError:
    reason = "a share of the test's duration, but the duration is not known"
    return RowError(
        where,
        "extra_time",
        reason,
        "give the minutes, or the test a duration",
        Kind.CANDIDATE,
        key,
        rule=SafetyRule.EXTRA_TIME,
    )
