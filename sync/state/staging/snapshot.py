"""What feeds said last, where they are also read for changes only: those changes are laid over it.

A snapshot belongs to a feed with its rules. It is stored together with the mark up to which it holds, and only by what
also promotes: a plan reads it and writes nothing. Secrets are never in it.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, text

from sync.records.base import Kind, RowError, utc_text
from sync.records.kinds import COMPARED, KEY_FIELDS, SECRETS, SENT_ONCE
from sync.state.dialect import analyse, create_index, insert, streamed
from sync.state.staging.derive import Refingerprint
from sync.state.staging.scratch import (
    add_row_errors,
    chunks,
    columns_of,
    depart,
    key_from,
    paged,
    paged_by_key,
)

WANTED, SEVERAL, DEPARTED, ROW_ERROR = "wanted", "several", "departed", "row_error"
"""`several` is wanted by several rows, so that one of them alone can't say that it departs."""

Entry = tuple[str, str, str, str]
"""The two columns of a key, the standing, and the content."""


def mark_of(connection: Connection, feed: str) -> str:
    """From where this feed is to be read for changes; empty when it was never read whole with these rules."""
    return str(
        connection.execute(
            text("SELECT mark FROM mark WHERE feed = :feed"), {"feed": feed}
        ).scalar()
        or ""
    )


def is_kept(connection: Connection, feed: str) -> bool:
    """Return whether the feed was ever read whole with these rules."""
    return (
        connection.execute(text("SELECT 1 FROM mark WHERE feed = :feed"), {"feed": feed}).first()
        is not None
    )


def cover(
    connection: Connection,
    number: int,
    kind: Kind,
    feed: str,
    mark: str,
    *,
    source: str,
    whole: bool,
) -> None:
    """Notes what was just staged of a feed for its snapshot. Unless it was read whole, call `lay_over` afterwards."""
    connection.execute(
        text(
            "INSERT INTO covered (feed, source, kind, mark, whole) VALUES (:feed, :source, :kind, :mark, :whole)"
        ),
        {"feed": feed, "source": source, "kind": kind, "mark": mark, "whole": int(whole)},
    )
    for chunk in chunks(_staged(connection, number, kind)):
        insert(connection, "fresh", ("k1", "k2", "standing", "content"), list(chunk), feed=feed)


def _staged(connection: Connection, number: int, kind: Kind) -> Iterator[Entry]:
    names = _names(kind)
    for row in streamed(connection, f"SELECT * FROM wanted_{kind} WHERE feed = :feed", feed=number):
        content = {name: value for name in names if (value := row._mapping[name]) is not None}
        yield *_columns(kind, row._mapping), WANTED, _json(content)
    for k1, k2, line in streamed(
        connection, "SELECT k1, k2, line FROM departed WHERE feed = :feed", feed=number
    ):
        yield k1, k2, DEPARTED, _json({"line": line})
    query = (
        "SELECT id, k1, k2, place, field, reason, remedy FROM row_error WHERE id > :last AND feed = :feed"
        " ORDER BY id LIMIT 2000"
    )
    for _, k1, k2, place, *words in paged(connection, query, feed=number):
        # a row of which nobody knows the record stands for itself
        yield (
            k1 or "",
            k2 if k1 else place,
            ROW_ERROR,
            _json({"keyless": not k1, "row_errors": [[place, *words]]}),
        )


def _names(kind: Kind) -> tuple[str, ...]:
    once = tuple(name for name in SENT_ONCE[kind] if name != SECRETS.get(kind))
    return (*COMPARED[kind], *once, *(f"origin_{name}" for name in KEY_FIELDS[kind]), "line")


def _columns(kind: Kind, row: Mapping[Any, Any]) -> tuple[str, str]:
    return columns_of([row[name] for name in KEY_FIELDS[kind]])


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


_OLD = """SELECT s.k1, s.k2, s.standing, s.content FROM snapshot s WHERE s.feed = :feed
AND NOT EXISTS (SELECT 1 FROM fresh f WHERE f.feed = s.feed AND f.k1 = s.k1 AND f.k2 = s.k2)"""

_LEFT = """INSERT INTO fresh (feed, k1, k2, standing, content)
SELECT DISTINCT :feed, u.k1, u.k2, 'left', '{{}}' FROM unselected u WHERE u.feed = :number
AND NOT EXISTS (SELECT 1 FROM known_{kind} k WHERE {matched})
AND NOT EXISTS (SELECT 1 FROM fresh f WHERE f.feed = :feed AND f.k1 = u.k1 AND f.k2 = u.k2)"""
"""What is not selected any more and was never sent is not wanted any more. What is known waits for a full reading."""


_SAME = "SELECT 1 FROM snapshot s WHERE s.feed = :feed AND s.standing = 'several' AND s.k1 = {of}.k1 AND s.k2 = {of}.k2"
_ONE_OF_SEVERAL = (
    f"DELETE FROM departed WHERE feed = :number AND EXISTS ({_SAME.format(of='departed')})",
    "DELETE FROM fresh WHERE feed = :feed AND standing IN ('departed', 'left')"
    f" AND EXISTS ({_SAME.format(of='fresh')})",
    "UPDATE fresh SET standing = 'several' WHERE feed = :feed AND standing = 'wanted'"
    f" AND EXISTS ({_SAME.format(of='fresh')})",
)
"""Of a record that several rows want, one row that changed can't say that it departs: that waits for a full reading."""


def lay_over(
    connection: Connection, number: int, kind: Kind, feed: str, refingerprint: Refingerprint
) -> int:
    """Stages what the snapshot has and the changes don't name. Returns how many records that makes wanted."""
    create_index(connection, "ix_fresh", "fresh (feed, k1, k2)")
    analyse(connection, "fresh", "unselected")
    matched = " AND ".join(
        f"k.{name} = u.{of}" for name, of in zip(KEY_FIELDS[kind], ("k1", "k2"), strict=False)
    )
    connection.execute(
        text(_LEFT.format(kind=kind, matched=matched)), {"feed": feed, "number": number}
    )
    for statement in _ONE_OF_SEVERAL:
        connection.execute(text(statement), {"feed": feed, "number": number})
    wanted = 0
    for entries in chunks(paged_by_key(connection, _OLD, ("s.k1", "s.k2"), 2000, feed=feed)):
        kept = [
            (k1, k2, json.loads(content))
            for k1, k2, standing, content in entries
            if standing in (WANTED, SEVERAL)
        ]
        wanted += _stage_old(connection, number, kind, kept, refingerprint)
        gone = [
            (k1, k2, json.loads(content))
            for k1, k2, standing, content in entries
            if standing == DEPARTED
        ]
        depart(
            connection,
            kind,
            number,
            ((key_from(kind, k1, k2), content["line"]) for k1, k2, content in gone),
        )
        row_errors = [
            (k1, k2, json.loads(content))
            for k1, k2, standing, content in entries
            if standing == ROW_ERROR
        ]
        add_row_errors(
            connection,
            (one for row_error in row_errors for one in _row_errors(kind, *row_error)),
            number,
        )
    return wanted


def _stage_old(
    connection: Connection,
    number: int,
    kind: Kind,
    entries: Iterable[tuple[str, str, dict[str, Any]]],
    refingerprint: Refingerprint,
) -> int:
    names = (*KEY_FIELDS[kind], *_names(kind), "fingerprint")
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


def _row_errors(kind: Kind, k1: str, k2: str, content: Mapping[str, Any]) -> Iterator[RowError]:
    key = None if content["keyless"] else key_from(kind, k1, k2)
    for place, field, reason, remedy in content["row_errors"]:
        yield RowError(place, field, reason, remedy, kind, key)


_PERSON = (
    "o.username = w.username",
    "o.external_id = w.external_id AND o.auth_system = w.auth_system",
    "o.email = w.email AND o.first_name = w.first_name AND o.last_name = w.last_name",
)
_LOOKS = {
    Kind.LEARNER: _PERSON,
    Kind.STAFF: _PERSON,
    Kind.TEST: (
        "o.external_test_id = w.external_test_id",
        "o.title = w.title AND o.start = w.start",
    ),
}


def drop_superseded(connection: Connection) -> None:
    """Takes out what was only read before, was never sent, and looks like a row of now: its key was corrected since.

    Otherwise the old row would make a second account beside the corrected one. A full reading tells.
    """
    for kind, looks in _LOOKS.items():
        if not connection.execute(
            text("SELECT 1 FROM stale WHERE kind = :kind LIMIT 1"), {"kind": kind}
        ).first():
            continue
        others = (
            f"(SELECT key, {', '.join(_looked_at(kind))} FROM {table})" for table in _beside(kind)
        )
        same = " OR ".join(
            f"EXISTS (SELECT 1 FROM {other} o WHERE o.key <> w.key AND {look})"
            for other in others
            for look in looks
        )
        connection.execute(
            text(
                f"DELETE FROM wanted_{kind} WHERE rowid IN (SELECT w.rowid FROM wanted_{kind} w JOIN stale s"
                f" ON s.kind = '{kind}' AND s.k1 = w.key WHERE NOT EXISTS (SELECT 1 FROM known_{kind} k"
                f" WHERE k.key = w.key) AND ({same}))"
            )
        )


def _looked_at(kind: Kind) -> tuple[str, ...]:
    if kind is Kind.TEST:
        return ("external_test_id", "title", "start")
    return ("username", "external_id", "auth_system", "email", "first_name", "last_name")


def _beside(kind: Kind) -> tuple[str, str]:
    fresh = f"wanted_{kind} f WHERE NOT EXISTS (SELECT 1 FROM stale t WHERE t.kind = '{kind}' AND t.k1 = f.key)"
    return fresh, f"known_{kind}"


def keep(connection: Connection, now: datetime, ill: Collection[str]) -> None:
    """Stores the snapshots of this run with their marks, all in one transaction.

    Of an `ill` source, what was in the snapshot and is not named now stays in it.
    """
    _one_entry_each(connection)
    covered = connection.execute(
        text("SELECT feed, source, kind, mark, whole FROM covered")
    ).fetchall()
    for feed, source, kind, mark, whole in covered:
        replaced = (
            ""
            if whole and source not in ill
            else (
                " AND EXISTS (SELECT 1 FROM fresh f WHERE f.feed = snapshot.feed AND f.k1 = snapshot.k1"
                " AND f.k2 = snapshot.k2)"
            )
        )
        for statement in (
            f"DELETE FROM snapshot WHERE feed = :feed{replaced}",
            "INSERT INTO snapshot (feed, k1, k2, standing, content)"
            " SELECT feed, k1, k2, standing, content FROM fresh WHERE feed = :feed AND standing <> 'left'",
        ):
            connection.execute(text(statement), {"feed": feed})
        if source in ill:
            continue  # what this reading did not show may have changed since the last mark
        connection.execute(text("DELETE FROM mark WHERE feed = :feed"), {"feed": feed})
        connection.execute(
            text(
                "INSERT INTO mark (feed, source, kind, mark, read) VALUES (:feed, :source, :kind, :mark, :read)"
            ),
            {"feed": feed, "source": source, "kind": kind, "mark": mark, "read": utc_text(now)},
        )
    connection.commit()


_SEVERAL = """SELECT rowid, feed, k1, k2, standing, content FROM fresh WHERE (feed, k1, k2) IN
(SELECT feed, k1, k2 FROM fresh GROUP BY feed, k1, k2 HAVING count(*) > 1) ORDER BY feed, k1, k2, rowid"""


def _one_entry_each(connection: Connection) -> None:
    """Of several rows for one record: a row error stays a row error, rows that contradict each other are one.

    Otherwise the next reading of changes, which does not see these rows, would take one of them for the truth.
    """
    rows = connection.execute(text(_SEVERAL)).fetchall()
    for (feed, k1, k2), group in groupby(rows, key=lambda row: tuple(row[1:4])):
        members = [(row[4], row[5]) for row in group]
        standing, content = _settled(members)
        of_record = {"feed": feed, "k1": k1, "k2": k2}
        connection.execute(
            text("DELETE FROM fresh WHERE feed = :feed AND k1 = :k1 AND k2 = :k2"), of_record
        )
        connection.execute(
            text(
                "INSERT INTO fresh (feed, k1, k2, standing, content) VALUES (:feed, :k1, :k2, :standing, :content)"
            ),
            {**of_record, "standing": standing, "content": content},
        )


def _settled(members: Sequence[tuple[str, str]]) -> tuple[str, str]:
    row_errors = [json.loads(content) for standing, content in members if standing == ROW_ERROR]
    if row_errors:
        every = [row_error for content in row_errors for row_error in content["row_errors"]]
        return ROW_ERROR, _json({"keyless": row_errors[0]["keyless"], "row_errors": every})
    wanted = [json.loads(content) for standing, content in members if standing in (WANTED, SEVERAL)]
    if not wanted:
        return members[0]
    if any({**one, "line": 0} != {**wanted[0], "line": 0} for one in wanted):
        place = f"rows {', '.join(str(one['line']) for one in wanted)}"
        reason, remedy = (
            "several rows of this record contradicted each other",
            "correct them; then read all of it",
        )
        return ROW_ERROR, _json({"keyless": False, "row_errors": [[place, "key", reason, remedy]]})
    return SEVERAL, _json(wanted[0])


def forget_others(connection: Connection, feeds: Iterable[str]) -> None:
    """Drops the snapshots of feeds that the configuration no longer has as they were."""
    stored = {row[0] for row in connection.execute(text("SELECT feed FROM mark"))}
    for feed in stored.difference(feeds):
        connection.execute(text("DELETE FROM snapshot WHERE feed = :feed"), {"feed": feed})
        connection.execute(text("DELETE FROM mark WHERE feed = :feed"), {"feed": feed})
    connection.commit()


def forget(connection: Connection, kind: Kind, k1: str, k2: str) -> None:
    """Takes a record out of all snapshots: it is known under another key now, or not at all."""
    connection.execute(
        text(
            "DELETE FROM snapshot WHERE k1 = :k1 AND k2 = :k2 AND feed IN (SELECT feed FROM mark WHERE kind = :kind)"
        ),
        {"kind": kind, "k1": k1, "k2": k2},
    )
