"""What is held for a person to decide, grouped by its cause, in `hold` and `held_change`.

A hold has one hash for all its changes, and each change has one of its own.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection, text

from sync.planning.diff import remembered
from sync.planning.freeze import digest_of
from sync.planning.limits import HeldScope, Scope
from sync.planning.reasons import general_reason
from sync.records.base import Kind, utc_text
from sync.records.changes import Action, Cause, Change, Fields, PlannedChange
from sync.state.compare.plan_reader import to_change
from sync.state.dialect import list_sql, stream
from sync.state.staging.scratch import (
    chunks,
    key_columns,
    read_pages,
    to_json,
)

_REMEDY = re.compile(r"; [^;]*: apply(?: --[a-z-]+ \S+)+$")
"""The command at the end of a reason of the guard; a hold has commands of its own."""

_MOST_PARTS = 3
"""Limits of which a hold shows the arithmetic."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Changes that are held for one cause. Times are text in UTC.

    Attributes:
        id: the hash that stands for all of them.
        run_id: the newest run that held them.
        since: when this hash was first held.
        cause: the cause.
        name: of the scope that is held as one; empty for changes that share a reason.
        reason: why they are held, with the arithmetic.
        sending: whether they were found while sending, when Inspera was read.
        test: the soonest test concerned, if any.
        start: when it starts.
        sizes: how many changes there are of each action and kind.
    """

    id: str
    run_id: int
    since: str
    cause: Cause
    name: str
    reason: str
    sending: bool = False
    test: str | None = None
    start: str | None = None
    sizes: Mapping[tuple[Action, Kind], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HeldChange:
    """A change of a hold, with its own hash and reason."""

    digest: str
    change: Change
    reason: str


def keep_planned(
    connection: Connection,
    run_id: int,
    now: datetime,
    kinds: Collection[Kind],
    scopes: Sequence[HeldScope],
) -> None:
    """Store what the draft holds, instead of what plans before held of these kinds.

    The draft, unlike the plan, is complete also when the run sends only a part.
    """
    query = (
        "SELECT d.id, d.kind, d.k1, d.k2, d.action, d.cause, d.reason, d.place, d.changed,"
        " d.before, d.after, s.digest FROM draft d"
        " LEFT JOIN scope_line s ON s.draft = d.id AND s.outermost = 1"
        " WHERE d.verdict = 'held' AND d.id > :last ORDER BY d.id LIMIT 2000"
    )
    by_digest = {
        held.digest: replace(held, excess=_reason_of(held, scopes))
        for held in scopes
        if not held.allowed
    }
    lines = (
        (to_change(row, row.reason), row.cause, by_digest.get(row.digest))
        for row in read_pages(connection, query)
    )
    groups = _insert(connection, lines)
    of = list_sql(kinds)
    _delete(connection, f"kind IN ({of}) AND hold IN (SELECT id FROM hold WHERE NOT sending)")
    _finish(connection, groups, run_id, now, sending=False)


def note_while_sending(
    connection: Connection, line: PlannedChange, cause: Cause, reason: str
) -> None:
    """Note in the scratch that a change was held when Inspera was read."""
    connection.execute(
        text("INSERT INTO held_sending (seq, cause, reason) VALUES (:seq, :cause, :reason)"),
        {"seq": line.seq, "cause": cause, "reason": reason},
    )


def keep_while_sending(
    connection: Connection, run_id: int, now: datetime, kinds: Collection[Kind], *, whole: bool
) -> None:
    """Store what was held while sending, instead of what earlier runs held so.

    A run that sent only a part, or was stopped, replaces only what its plan contains.
    """
    query = (
        "SELECT p.seq, p.kind, p.k1, p.k2, p.action, h.cause, h.reason, p.place, p.changed,"
        " p.before, p.after FROM held_sending h JOIN plan p ON p.seq = h.seq"
        " WHERE p.seq > :last ORDER BY p.seq LIMIT 2000"
    )
    lines = ((to_change(row, row.reason), row.cause, None) for row in read_pages(connection, query))
    groups = _insert(connection, lines)
    of = list_sql(kinds)
    planned = (
        "EXISTS (SELECT 1 FROM plan p WHERE p.kind = held_change.kind AND p.k1 = held_change.k1"
        " AND p.k2 = held_change.k2)"
    )
    which = f"kind IN ({of})" if whole else planned
    _delete(connection, f"{which} AND hold IN (SELECT id FROM hold WHERE sending)")
    _finish(connection, groups, run_id, now, sending=True)


@dataclass(slots=True)
class _Group:
    """A hold that is being written: its provisional id, and a sum of its changes' hashes."""

    cause: Cause
    name: str
    reason: str
    id: str | None
    total: int = 0
    number: int = 0
    last: str = ""

    def add(self, digest: str) -> None:
        """Add a change. A sum, since the order of the changes differs from run to run."""
        self.total += int(digest, 16)
        self.number += 1
        self.last = digest

    @property
    def digest(self) -> str:
        """Return the hash of the hold: of its scope, of its only change, or of all of them."""
        if self.id or self.number == 1:
            return self.id or self.last
        content = f"{self.cause}\x1f{self.number}\x1f{self.total:x}"
        return hashlib.blake2b(content.encode(), digest_size=6).hexdigest()


def _reason_of(held: HeldScope, scopes: Iterable[HeldScope]) -> str:
    """Return why a scope is held; for several limits with the arithmetic of the first ones."""
    if not held.all_of:
        return held.excess
    parts = [
        f"{one.scope.name}: {one.excess}"
        for one in scopes
        if isinstance(one.scope, Scope) and f"all held {one.scope.type}" == held.scope.name
    ]
    more = f"; and {len(parts) - _MOST_PARTS:,} more" if len(parts) > _MOST_PARTS else ""
    return ". ".join([held.excess, *filter(None, ["; ".join(parts[:_MOST_PARTS]) + more])])


def _insert(
    connection: Connection, lines: Iterable[tuple[Change, str, HeldScope | None]]
) -> dict[str, _Group]:
    """Insert held changes under provisional ids of their holds, and return these holds.

    A change comes with the scope with which it is held as one, if any.
    """
    groups: dict[str, _Group] = {}
    for chunk in chunks(lines):
        rows = []
        for change, cause_text, held in chunk:
            cause = Cause(cause_text)
            reason = _REMEDY.sub("", change.reason)
            name = held.scope.name if held else ""
            shared = held.excess if held else general_reason(change.kind, change.key, reason)
            content = f"{cause}\x1f{name or shared}"
            provisional = f"~{hashlib.blake2b(content.encode(), digest_size=8).hexdigest()}"
            group = groups.setdefault(
                provisional, _Group(cause, name, shared, held.digest if held else None)
            )
            digest = digest_of(change)
            group.add(digest)
            rows.append(_to_row(provisional, digest, change, reason))
        connection.execute(
            text(
                "INSERT INTO held_change (hold, kind, k1, k2, digest, action, changed, before,"
                " after, place, reason) VALUES (:hold, :kind, :k1, :k2, :digest, :action,"
                " :changed, :before, :after, :place, :reason)"
            ),
            rows,
        )
    return groups


def _to_row(hold: str, digest: str, change: Change, reason: str) -> dict[str, str]:
    k1, k2 = key_columns(change.key)

    def differing(fields: Fields) -> str:
        kept = remembered(change.kind, fields)
        return to_json({name: kept.get(name) for name in change.changed if name in kept})

    return {
        "hold": hold,
        "kind": change.kind,
        "k1": k1,
        "k2": k2,
        "digest": digest,
        "action": change.action,
        "changed": json.dumps(change.changed),
        "before": differing(change.before),
        "after": differing(change.after),
        "place": change.where,
        "reason": reason,
    }


def _delete(connection: Connection, which: str) -> None:
    connection.execute(text(f"DELETE FROM held_change WHERE {which}"))


_SOONEST = (
    "FROM held_change c JOIN test_window w ON w.test = c.k1 WHERE c.hold = :id"
    " AND c.kind NOT IN ('learner', 'staff') AND w.ended = 0 AND w.start <> ''"
    " ORDER BY w.start, w.test LIMIT 1"
)


def _finish(
    connection: Connection,
    groups: Mapping[str, _Group],
    run_id: int,
    now: datetime,
    *,
    sending: bool,
) -> None:
    """Give the changes the final ids of their holds; a hold that was there keeps its `since`."""
    for provisional, group in groups.items():
        id_ = group.digest
        # A job of some kinds may leave a change that another run held under the same hash.
        values = {"id": id_, "new": provisional}
        connection.execute(
            text(
                "DELETE FROM held_change WHERE hold = :id AND EXISTS (SELECT 1 FROM held_change n"
                " WHERE n.hold = :new AND n.kind = held_change.kind AND n.k1 = held_change.k1"
                " AND n.k2 = held_change.k2)"
            ),
            values,
        )
        connection.execute(text("UPDATE held_change SET hold = :id WHERE hold = :new"), values)
        soonest = connection.execute(text(f"SELECT w.test, w.start {_SOONEST}"), values).first()
        connection.execute(
            text(
                "INSERT INTO hold (id, run_id, since, cause, name, reason, sending, test, start)"
                " VALUES (:id, :run, :since, :cause, :name, :reason, :sending, :test, :start)"
                " ON CONFLICT (id) DO UPDATE SET run_id = excluded.run_id, cause = excluded.cause,"
                " name = excluded.name, reason = excluded.reason, sending = excluded.sending,"
                " test = excluded.test, start = excluded.start"
            ),
            {
                "id": id_,
                "run": run_id,
                "since": utc_text(now),
                "cause": group.cause,
                "name": group.name,
                "reason": group.reason,
                "sending": sending,
                "test": soonest[0] if soonest else None,
                "start": soonest[1] if soonest else None,
            },
        )
    connection.execute(text("DELETE FROM hold WHERE id NOT IN (SELECT hold FROM held_change)"))


_UNDECIDED = (
    "NOT EXISTS (SELECT 1 FROM decision d WHERE d.digest = c.digest AND d.verdict = 'rejected')"
)


def read_holds(connection: Connection) -> list[Hold]:
    """Return what is held, the soonest test first; without what a person has rejected since."""
    sizes: dict[str, dict[tuple[Action, Kind], int]] = {}
    query = (
        f"SELECT hold, action, kind, count(*) FROM held_change c WHERE {_UNDECIDED}"
        " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    for hold, action, kind, number in connection.execute(text(query)):
        sizes.setdefault(hold, {})[Action(action), Kind(kind)] = number
    rows = connection.execute(
        text(
            "SELECT id, run_id, since, cause, name, reason, sending, test, start FROM hold"
            " ORDER BY coalesce(start, '~'), since, id"
        )
    )
    return [
        Hold(
            row.id,
            row.run_id,
            row.since,
            Cause(row.cause),
            row.name,
            row.reason,
            bool(row.sending),
            row.test,
            row.start,
            sizes[row.id],
        )
        for row in rows
        if row.id in sizes
    ]


def read_changes(connection: Connection, hold: str) -> Iterator[HeldChange]:
    """Yield the changes of a hold in the order of their keys, with those that were rejected."""
    query = (
        "SELECT kind, k1, k2, digest, action, changed, before, after, place, reason"
        " FROM held_change WHERE hold = :hold ORDER BY kind, k1, k2"
    )
    for row in stream(connection, query, hold=hold):
        yield HeldChange(row.digest, to_change(row, row.reason), row.reason)


def find_hold_of(connection: Connection, digest: str) -> str | None:
    """Return the id of the hold that contains the change with this hash, if any."""
    query = text("SELECT hold FROM held_change WHERE digest = :digest ORDER BY hold LIMIT 1")
    found = connection.execute(query, {"digest": digest}).scalar()
    return str(found) if found else None
