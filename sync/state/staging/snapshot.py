"""Snapshots of feeds that are also read for changes only: the changes replace entries (rules 29).

A snapshot belongs to a feed with its rules. It is stored together with its watermark, and only by
commands that also store what is done: a plan reads it and writes nothing. It contains no secrets.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, text

from sync.records.base import Kind, RowError, utc_text
from sync.records.kinds import COMPARED, KEY_FIELDS, SECRETS, SENT_ONCE
from sync.state.dialect import analyse, create_index, insert, stream
from sync.state.staging.derive import Refingerprint
from sync.state.staging.scratch import (
    add_row_errors,
    chunks,
    key_columns,
    key_from,
    read_pages,
    read_pages_by_key,
    stage_departures,
)

WANTED, SEVERAL, DEPARTED, ROW_ERROR = "wanted", "several", "departed", "row_error"
"""A record is `several` if several rows want it: one of them alone cannot make it depart."""

Entry = tuple[str, str, str, str]
"""The two columns of a key, the status, and the content."""


def read_watermark(connection: Connection, feed: str) -> str:
    """Return the watermark of this feed; empty when it was never read whole with these rules."""
    return str(
        connection.execute(
            text("SELECT value FROM watermark WHERE feed = :feed"), {"feed": feed}
        ).scalar()
        or ""
    )


def has_snapshot(connection: Connection, feed: str) -> bool:
    """Tell whether the feed was ever read whole with these rules."""
    return (
        connection.execute(
            text("SELECT 1 FROM watermark WHERE feed = :feed"), {"feed": feed}
        ).first()
        is not None
    )


def begin_snapshot(
    connection: Connection,
    number: int,
    kind: Kind,
    feed: str,
    mark: str,
    *,
    source: str,
    whole: bool,
) -> None:
    """Store what was just staged of a feed as its new snapshot.

    Unless it was read whole, call `stage_unchanged` afterwards.
    """
    connection.execute(
        text(
            "INSERT INTO covered (feed, source, kind, mark, whole)"
            " VALUES (:feed, :source, :kind, :mark, :whole)"
        ),
        {"feed": feed, "source": source, "kind": kind, "mark": mark, "whole": int(whole)},
    )
    for chunk in chunks(_read_staged(connection, number, kind)):
        insert(connection, "fresh", ("k1", "k2", "status", "content"), list(chunk), feed=feed)


def _read_staged(connection: Connection, number: int, kind: Kind) -> Iterator[Entry]:
    names = _stored_names(kind)
    for row in stream(connection, f"SELECT * FROM wanted_{kind} WHERE feed = :feed", feed=number):
        content = {name: value for name in names if (value := row._mapping[name]) is not None}
        yield *_key_columns_of(kind, row._mapping), WANTED, _to_json(content)
    for k1, k2, line in stream(
        connection, "SELECT k1, k2, line FROM departed WHERE feed = :feed", feed=number
    ):
        yield k1, k2, DEPARTED, _to_json({"line": line})
    query = (
        "SELECT id, k1, k2, place, field, reason, remedy FROM row_error WHERE id > :last"
        " AND feed = :feed ORDER BY id LIMIT 2000"
    )
    for _, k1, k2, place, *words in read_pages(connection, query, feed=number):
        # A row without a readable key is an entry of its own.
        yield (
            k1 or "",
            k2 if k1 else place,
            ROW_ERROR,
            _to_json({"keyless": not k1, "row_errors": [[place, *words]]}),
        )


def _stored_names(kind: Kind) -> tuple[str, ...]:
    once = tuple(name for name in SENT_ONCE[kind] if name != SECRETS.get(kind))
    return (*COMPARED[kind], *once, *(f"origin_{name}" for name in KEY_FIELDS[kind]), "line")


def _key_columns_of(kind: Kind, row: Mapping[Any, Any]) -> tuple[str, str]:
    return key_columns([row[name] for name in KEY_FIELDS[kind]])


def _to_json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


_UNCHANGED = """SELECT s.k1, s.k2, s.status, s.content FROM snapshot s WHERE s.feed = :feed
AND NOT EXISTS (SELECT 1 FROM fresh f WHERE f.feed = s.feed AND f.k1 = s.k1 AND f.k2 = s.k2)"""

_STORE_UNSELECTED = """INSERT INTO fresh (feed, k1, k2, status, content)
SELECT DISTINCT :feed, u.k1, u.k2, 'left', '{{}}' FROM unselected u WHERE u.feed = :number
AND NOT EXISTS (SELECT 1 FROM known_{kind} k WHERE {matched})
AND NOT EXISTS (SELECT 1 FROM fresh f WHERE f.feed = :feed AND f.k1 = u.k1 AND f.k2 = u.k2)"""
"""A record that is not selected any more and was never sent is not wanted any more. A known one
waits for a full reading."""


_IS_SEVERAL = (
    "SELECT 1 FROM snapshot s WHERE s.feed = :feed AND s.status = 'several' AND s.k1 = {of}.k1"
    " AND s.k2 = {of}.k2"
)
_PROTECT_SEVERAL = (
    f"DELETE FROM departed WHERE feed = :number AND EXISTS ({_IS_SEVERAL.format(of='departed')})",
    "DELETE FROM fresh WHERE feed = :feed AND status IN ('departed', 'left')"
    f" AND EXISTS ({_IS_SEVERAL.format(of='fresh')})",
    "UPDATE fresh SET status = 'several' WHERE feed = :feed AND status = 'wanted'"
    f" AND EXISTS ({_IS_SEVERAL.format(of='fresh')})",
)
"""Where several rows want a record, one changed row cannot make it depart: that waits for a full
reading."""


def stage_unchanged(
    connection: Connection, number: int, kind: Kind, feed: str, refingerprint: Refingerprint
) -> int:
    """Stage what the snapshot has and the changes do not name. Return how many become wanted."""
    create_index(connection, "ix_fresh", "fresh (feed, k1, k2)")
    analyse(connection, "fresh", "unselected")
    matched = " AND ".join(
        f"k.{name} = u.{of}" for name, of in zip(KEY_FIELDS[kind], ("k1", "k2"), strict=False)
    )
    connection.execute(
        text(_STORE_UNSELECTED.format(kind=kind, matched=matched)), {"feed": feed, "number": number}
    )
    for statement in _PROTECT_SEVERAL:
        connection.execute(text(statement), {"feed": feed, "number": number})
    wanted = 0
    # In pages: the snapshot is as long as the feed, and rows are inserted meanwhile.
    for entries in chunks(
        read_pages_by_key(connection, _UNCHANGED, ("s.k1", "s.k2"), 2000, feed=feed)
    ):
        by_status: dict[str, list[tuple[str, str, Any]]] = {}
        for k1, k2, status, content in entries:
            by_status.setdefault(status, []).append((k1, k2, json.loads(content)))
        unchanged = (*by_status.get(WANTED, ()), *by_status.get(SEVERAL, ()))
        wanted += _stage_wanted(connection, number, kind, unchanged, refingerprint)
        departed = by_status.get(DEPARTED, ())
        stage_departures(
            connection,
            kind,
            number,
            ((key_from(kind, k1, k2), content["line"]) for k1, k2, content in departed),
        )
        row_errors = by_status.get(ROW_ERROR, ())
        add_row_errors(
            connection,
            (error for entry in row_errors for error in _to_row_errors(kind, *entry)),
            number,
        )
    return wanted


def _stage_wanted(
    connection: Connection,
    number: int,
    kind: Kind,
    entries: Iterable[tuple[str, str, dict[str, Any]]],
    refingerprint: Refingerprint,
) -> int:
    names = (*KEY_FIELDS[kind], *_stored_names(kind), "fingerprint")
    rows: list[tuple[object, ...]] = []
    keys: list[tuple[object, ...]] = []
    for k1, k2, content in entries:
        key = dict(zip(KEY_FIELDS[kind], key_from(kind, k1, k2), strict=True))
        fields = {**key, **{name: content.get(name) for name in COMPARED[kind]}}
        values = {
            **dict.fromkeys(names),
            **key,
            **content,
            "fingerprint": refingerprint(kind, fields),
        }
        rows.append(tuple(values[name] for name in names))
        keys.append((k1, k2))
    if rows:
        insert(connection, f"wanted_{kind}", names, rows, feed=number)
        insert(connection, "stale", ("k1", "k2"), keys, kind=kind.value)
    return len(rows)


def _to_row_errors(kind: Kind, k1: str, k2: str, content: Mapping[str, Any]) -> Iterator[RowError]:
    key = None if content["keyless"] else key_from(kind, k1, k2)
    for place, field, reason, remedy in content["row_errors"]:
        yield RowError(place, field, reason, remedy, kind, key)


_PERSON = (
    "o.username = w.username",
    "o.external_id = w.external_id AND o.auth_system = w.auth_system",
    "o.email = w.email AND o.first_name = w.first_name AND o.last_name = w.last_name",
)
_SIMILAR = {
    Kind.LEARNER: _PERSON,
    Kind.STAFF: _PERSON,
    Kind.TEST: (
        "o.external_test_id = w.external_test_id",
        "o.title = w.title AND o.start = w.start",
    ),
}


def drop_superseded(connection: Connection) -> None:
    """Remove what only an earlier reading named, was never sent, and looks like a row of now.

    Its key was corrected since. Otherwise the old row would make a second account next to the
    corrected one. A full reading settles it.
    """
    for kind, looks in _SIMILAR.items():
        if not connection.execute(
            text("SELECT 1 FROM stale WHERE kind = :kind LIMIT 1"), {"kind": kind}
        ).first():
            continue
        others = (
            f"(SELECT key, {', '.join(_compared_fields(kind))} FROM {table})"
            for table in _other_records(kind)
        )
        same = " OR ".join(
            f"EXISTS (SELECT 1 FROM {other} o WHERE o.key <> w.key AND {look})"
            for other in others
            for look in looks
        )
        connection.execute(
            text(
                f"DELETE FROM wanted_{kind} WHERE rowid IN (SELECT w.rowid FROM wanted_{kind} w"
                f" JOIN stale s ON s.kind = '{kind}' AND s.k1 = w.key WHERE NOT EXISTS (SELECT 1"
                f" FROM known_{kind} k WHERE k.key = w.key) AND ({same}))"
            )
        )


def _compared_fields(kind: Kind) -> tuple[str, ...]:
    if kind is Kind.TEST:
        return ("external_test_id", "title", "start")
    return ("username", "external_id", "auth_system", "email", "first_name", "last_name")


def _other_records(kind: Kind) -> tuple[str, str]:
    fresh = (
        f"wanted_{kind} f WHERE NOT EXISTS (SELECT 1 FROM stale t WHERE t.kind = '{kind}'"
        " AND t.k1 = f.key)"
    )
    return fresh, f"known_{kind}"


def store_snapshots(connection: Connection, now: datetime, ill: Collection[str]) -> None:
    """Store the snapshots of this run with their watermarks, all in one transaction (rules 29).

    Of an `ill` source, what was in the snapshot and is not named now stays in it.
    """
    _merge_entries(connection)
    covered = connection.execute(
        text("SELECT feed, source, kind, mark, whole FROM covered")
    ).fetchall()
    for feed, source, kind, mark, whole in covered:
        replaced = (
            ""
            if whole and source not in ill
            else (
                " AND EXISTS (SELECT 1 FROM fresh f WHERE f.feed = snapshot.feed"
                " AND f.k1 = snapshot.k1 AND f.k2 = snapshot.k2)"
            )
        )
        for statement in (
            f"DELETE FROM snapshot WHERE feed = :feed{replaced}",
            "INSERT INTO snapshot (feed, k1, k2, status, content)"
            " SELECT feed, k1, k2, status, content FROM fresh WHERE feed = :feed"
            " AND status <> 'left'",
        ):
            connection.execute(text(statement), {"feed": feed})
        if source in ill:
            continue  # what this reading did not contain may have changed since the watermark
        connection.execute(text("DELETE FROM watermark WHERE feed = :feed"), {"feed": feed})
        connection.execute(
            text(
                "INSERT INTO watermark (feed, source, kind, value, read)"
                " VALUES (:feed, :source, :kind, :mark, :read)"
            ),
            {"feed": feed, "source": source, "kind": kind, "mark": mark, "read": utc_text(now)},
        )
    connection.commit()


_SEVERAL = """SELECT rowid, feed, k1, k2, status, content FROM fresh WHERE (feed, k1, k2) IN
(SELECT feed, k1, k2 FROM fresh GROUP BY feed, k1, k2 HAVING count(*) > 1)
    ORDER BY feed, k1, k2, rowid"""


def _merge_entries(connection: Connection) -> None:
    """Make one entry of several rows of a record: a row error wins over all others.

    Otherwise the next reading of changes, which does not contain these rows, would take one of them
    as the record. Contradicting rows stay as one entry with all of them.
    """
    rows = connection.execute(text(_SEVERAL)).fetchall()
    for (feed, k1, k2), group in groupby(rows, key=lambda row: tuple(row[1:4])):
        members = [(row[4], row[5]) for row in group]
        status, content = _merge_contents(members)
        of_record = {"feed": feed, "k1": k1, "k2": k2}
        connection.execute(
            text("DELETE FROM fresh WHERE feed = :feed AND k1 = :k1 AND k2 = :k2"), of_record
        )
        connection.execute(
            text(
                "INSERT INTO fresh (feed, k1, k2, status, content)"
                " VALUES (:feed, :k1, :k2, :status, :content)"
            ),
            {**of_record, "status": status, "content": content},
        )


def _merge_contents(members: Sequence[tuple[str, str]]) -> tuple[str, str]:
    row_errors = [json.loads(content) for status, content in members if status == ROW_ERROR]
    if row_errors:
        every = [row_error for content in row_errors for row_error in content["row_errors"]]
        return ROW_ERROR, _to_json({"keyless": row_errors[0]["keyless"], "row_errors": every})
    wanted = [json.loads(content) for status, content in members if status in (WANTED, SEVERAL)]
    if not wanted:
        return members[0]
    if any({**one, "line": 0} != {**wanted[0], "line": 0} for one in wanted):
        place = f"rows {', '.join(str(one['line']) for one in wanted)}"
        reason, remedy = (
            "several rows of this record contradicted each other",
            "correct them, then read the source in full",
        )
        return ROW_ERROR, _to_json(
            {"keyless": False, "row_errors": [[place, "key", reason, remedy]]}
        )
    return SEVERAL, _to_json(wanted[0])


def forget_other_feeds(connection: Connection, feeds: Iterable[str]) -> None:
    """Delete the snapshots of feeds that the configuration no longer has as they were."""
    stored = {row[0] for row in connection.execute(text("SELECT feed FROM watermark"))}
    for feed in stored.difference(feeds):
        connection.execute(text("DELETE FROM snapshot WHERE feed = :feed"), {"feed": feed})
        connection.execute(text("DELETE FROM watermark WHERE feed = :feed"), {"feed": feed})
    connection.commit()


def forget(connection: Connection, kind: Kind, k1: str, k2: str) -> None:
    """Delete a record from all snapshots: it has another key now, or is not known any more."""
    connection.execute(
        text(
            "DELETE FROM snapshot WHERE k1 = :k1 AND k2 = :k2 AND feed IN (SELECT feed"
            " FROM watermark WHERE kind = :kind)"
        ),
        {"kind": kind, "k1": k1, "k2": k2},
    )
