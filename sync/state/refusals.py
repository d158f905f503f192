"""Changes that Inspera refused: tried again after growing pauses, or when their row changes."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from sync.records.base import Key, Kind, utc_text
from sync.records.changes import SOON, Action, Cause, PlannedChange
from sync.state import traits
from sync.state.staging.scratch import key_columns, key_from, line_key_from

PAUSES = tuple(timedelta(hours=hours) for hours in (0.25, 1, 4, 12, 24))
"""The pause after the first, second, … refusal of a change; the last one repeats.

For what a test of the next days needs, the pause is always the first.
"""

_NEVER = "9999-12-31T00:00:00Z"
"""When a candidate who has started is tried to be taken off again, unless their test changes."""


@dataclass(frozen=True, slots=True)
class RefusalStatus:
    """A refusal that has not passed yet. Times are text in UTC.

    `again` is empty when it is not tried again by itself.
    """

    kind: Kind
    key: Key
    times: int
    since: str
    again: str
    message: str


def listed(connection: Connection) -> Iterator[RefusalStatus]:
    """Yield every refusal that has not passed yet, the oldest first."""
    query = (
        "SELECT kind, k1, k2, times, since, again, message FROM refused"
        " ORDER BY since, kind, k1, k2"
    )
    for row in connection.execute(text(query)).fetchall():
        kind, again = Kind(row.kind), "" if row.again == _NEVER else row.again
        key = key_from(kind, row.k1, row.k2)
        yield RefusalStatus(kind, key, row.times, row.since, again, row.message)


def read_keys(connection: Connection) -> Iterator[tuple[Kind, Key]]:
    """Yield the kinds and the whole keys of the lines of all refusals that have not passed yet."""
    for row in connection.execute(text("SELECT kind, k1, k2 FROM refused")).fetchall():
        yield Kind(row.kind), line_key_from(Kind(row.kind), row.k1, row.k2)


def note(
    connection: Connection, line: PlannedChange, message: str, now: datetime, cause: Cause
) -> None:
    """Store a refusal. One with another fingerprint than before starts anew. `now` is aware.

    A candidate who has started is kept: with that `cause` no time makes it be tried again.
    """
    k1, k2 = key_columns(line.change.line_key)
    what = {"kind": line.change.kind, "k1": k1, "k2": k2, "fingerprint": line.fingerprint or b""}
    same = "kind = :kind AND k1 = :k1 AND k2 = :k2 AND fingerprint = :fingerprint"
    times = 1 + int(
        connection.execute(text(f"SELECT times FROM refused WHERE {same}"), what).scalar() or 0
    )
    pause = PAUSES[0] if line.wave.startswith(SOON) else PAUSES[min(times, len(PAUSES)) - 1]
    again = _NEVER if cause is Cause.STARTED else utc_text(now + pause)
    connection.execute(
        text(
            "INSERT INTO refused (kind, k1, k2, fingerprint, times, since, last, again, message,"
            " cause)"
            " VALUES (:kind, :k1, :k2, :fingerprint, :times, :now, :now, :again, :message, :cause)"
            " ON CONFLICT (kind, k1, k2)"
            " DO UPDATE SET fingerprint = excluded.fingerprint, times = excluded.times, last = "
            "excluded.last, again = excluded.again, message = excluded.message,"
            " cause = excluded.cause,"
            " since = CASE WHEN excluded.times > 1 THEN refused.since ELSE excluded.since END"
        ),
        {**what, "times": times, "now": utc_text(now), "again": again}
        | {"message": message, "cause": cause.value},
    )


def lift(connection: Connection, kind: Kind, key: Key) -> None:
    """Delete the refusal of the line with this key: the change has passed."""
    k1, k2 = key_columns(key)
    connection.execute(
        text("DELETE FROM refused WHERE kind = :kind AND k1 = :k1 AND k2 = :k2"),
        {"kind": kind, "k1": k1, "k2": k2},
    )


def wake(connection: Connection) -> None:
    """Let everything that was refused be tried again at once."""
    connection.execute(text("UPDATE refused SET again = since"))
    traits.wake(connection)


def unanswered_findings(connection: Connection, type_: str) -> Iterator[tuple[Kind, str, str]]:
    """Yield the newest finding of this type by kind, unless a later run's update was done.

    Each with the start of its run (UTC text) and its text.
    """
    rows = connection.execute(
        text(
            "SELECT f.kind, r.started, f.text FROM finding f JOIN run r ON r.id = f.run_id"
            " WHERE f.type = :type AND f.id = (SELECT max(n.id) FROM finding n"
            " WHERE n.type = :type AND n.kind = f.kind) AND NOT EXISTS (SELECT 1 FROM intent i"
            " WHERE i.kind = f.kind AND i.action IN ('update', 'enable', 'disable')"
            " AND i.outcome = 'done' AND i.run_id > f.run_id) ORDER BY f.kind"
        ),
        {"type": type_},
    )
    return ((Kind(kind), started, words) for kind, started, words in rows)


def lapse(
    connection: Connection, unsure: Collection[Kind] = (), *, activations: bool = True
) -> None:
    """Forget refusals of changes that the plan does not contain, except those of `unsure` kinds.

    Without `activations` the plan decides about no activation.
    """
    kept = "" if activations else f" AND k2 <> '{Action.ACTIVATE}'"
    for kind in (kind for kind in Kind if kind not in unsure):
        connection.execute(
            text(
                f"DELETE FROM refused WHERE kind = '{kind}' AND NOT EXISTS (SELECT 1 FROM draft d"
                f" WHERE d.kind = '{kind}' AND d.k1 = refused.k1 AND d.k2 = refused.k2)"
                f" AND NOT EXISTS (SELECT 1 FROM row_error f WHERE f.kind = '{kind}'"
                f" AND f.k1 = refused.k1 AND coalesce(f.k2, '') IN ('', refused.k2)){kept}"
            )
        )
