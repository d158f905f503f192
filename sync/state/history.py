"""What earlier runs left: for `status`, and for settling what a run held."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from sync.exit_codes import Exit
from sync.records.base import Key, Kind, utc_text, utc_time
from sync.state.journal import TO_SEND
from sync.state.staging.scratch import key_from


@dataclass(frozen=True, slots=True)
class PastRun:
    """One run in the journal. Times are text in UTC; `ended` is empty for one that was killed.

    `reason` is what stopped it, or why its exit status is what it is, one reason a line. It is
    empty when all went well.
    """

    id: int
    command: str
    started: str
    ended: str | None
    status: str
    exit_status: int | None
    counts: Mapping[str, int]
    reason: str = ""

    @property
    def applies(self) -> bool:
        """Tell whether it was an `apply`, by hand or as a job. Other runs only read or adopt."""
        return self.command == "apply" or self.command.startswith("job ")

    @property
    def wrong(self) -> int:
        """Return how much of it went wrong; what is held is not part of it."""
        return sum(n for name, n in self.counts.items() if name.endswith(_WRONG))


_WRONG = ("refused", "unknown", "not sent", "not as sent", "row error")
"""How the names of figures end that count what went wrong."""


@dataclass(frozen=True, slots=True)
class PastFinding:
    """A row error or unfinished change of a run that a person may want to look at."""

    type: str
    kind: Kind
    key: Key | None
    place: str
    text: str
    rule: int | None = None


_RUNS = "SELECT id, command, started, ended, status, exit_status, counts, reason FROM run"


def read_last_runs(connection: Connection, most: int) -> list[PastRun]:
    """Return the newest runs, newest first."""
    return read_runs(connection, read_run_ids(connection, most))


def read_run_ids(connection: Connection, most: int) -> list[int]:
    """Return the numbers of the newest runs, newest first."""
    query = text("SELECT id FROM run ORDER BY id DESC LIMIT :most")
    return list(connection.execute(query, {"most": most}).scalars())


def read_run_page(connection: Connection, most: int, before: int | None) -> list[PastRun]:
    """Return the newest runs, newest first; with `before`, those with smaller numbers."""
    query = text("SELECT id FROM run WHERE id < :before ORDER BY id DESC LIMIT :most")
    limit = 2**62 if before is None else before
    found = connection.execute(query, {"before": limit, "most": most}).scalars()
    return read_runs(connection, list(found))


def read_run(connection: Connection, run_id: int) -> PastRun | None:
    """Return a run; None when it is not there."""
    return next(iter(read_runs(connection, [run_id])), None)


def read_last_ended(connection: Connection, commands: Collection[str]) -> list[PastRun]:
    """Return the newest run that ended, and the newest one of each of these commands."""
    return _read_newest(connection, commands, "WHERE ended IS NOT NULL")


def read_without_end(connection: Connection, commands: Collection[str]) -> list[PastRun]:
    """Return those of the newest run, and of the newest ones of these commands, that have no end."""
    return [run for run in _read_newest(connection, commands, "") if run.ended is None]


def _read_newest(connection: Connection, commands: Collection[str], where: str) -> list[PastRun]:
    query = f"SELECT max(id), command FROM run {where} GROUP BY command ORDER BY 1 DESC"
    newest = [(int(id_), str(command)) for id_, command in connection.execute(text(query))]
    chosen = {
        id_ for number, (id_, command) in enumerate(newest) if number == 0 or command in commands
    }
    return read_runs(connection, chosen)


def read_runs(connection: Connection, ids: Collection[int]) -> list[PastRun]:
    """Return these runs, newest first."""
    chosen = ", ".join(str(id_) for id_ in ids) or "NULL"
    rows = connection.execute(text(f"{_RUNS} WHERE id IN ({chosen}) ORDER BY id DESC")).fetchall()
    return [
        PastRun(
            r.id,
            r.command,
            r.started,
            r.ended,
            r.status,
            r.exit_status,
            json.loads(r.counts),
            r.reason,
        )
        for r in rows
    ]


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run without an end has come: `done` changes of `total`, which is 0 before it sends."""

    phase: str
    done: int = 0
    total: int = 0


def read_progress(connection: Connection, run: PastRun) -> RunProgress:
    """Return how far a run without an end is, or was when it was killed."""
    total = run.counts.get(TO_SEND, 0)
    if not total:
        return RunProgress("reading and planning")
    query = text("SELECT count(*) FROM intent WHERE run_id = :run AND outcome IS NOT NULL")
    done = int(connection.execute(query, {"run": run.id}).scalar_one())
    return RunProgress("sending" if done < total else "reading back", min(done, total), total)


def read_findings(connection: Connection, run_id: int, type_: str = "") -> Iterator[PastFinding]:
    """Yield the findings of one run in their order; with `type_`, only of that type."""
    query = "SELECT type, kind, k1, k2, place, text, rule FROM finding WHERE run_id = :run"
    query += " AND type = :type ORDER BY id" if type_ else " ORDER BY id"
    for row in connection.execute(text(query), {"run": run_id, "type": type_}):
        kind = Kind(row.kind)
        key = key_from(kind, row.k1, row.k2) if row.k1 else None
        yield PastFinding(row.type, kind, key, row.place, row.text, row.rule)


def count_known(connection: Connection) -> dict[tuple[str, str], int]:
    """Count the known records by kind and lifecycle."""
    counts = {}
    for kind in Kind:
        for lifecycle, number in connection.execute(
            text(f"SELECT lifecycle, count(*) FROM known_{kind} GROUP BY 1")
        ):
            counts[kind.value, str(lifecycle)] = int(number)
    return counts


_STAYS = {
    Kind.STAFF: "SELECT k.key, '' FROM known_staff k WHERE {unmanaged} ORDER BY 1",
    **{
        kind: f"SELECT k.test, k.{part} FROM known_{kind} k JOIN known_test t ON t.key = k.test"
        f" WHERE {{unmanaged}}"
        " AND t.lifecycle <> 'retired' AND coalesce(t.\"end\", :now) >= :now ORDER BY 1, 2"
        for kind, part in ((Kind.CONTRIBUTOR, "staff"), (Kind.CANDIDATE, "learner"))
    },
}
_UNMANAGED = "NOT k.managed AND k.lifecycle = 'active' AND k.source = ''"


def read_unnamed(connection: Connection, now: datetime) -> dict[Kind, list[Key]]:
    """Return the unmanaged active records that no source named any more, by kind."""
    found: dict[Kind, list[Key]] = {}
    for kind, query in _STAYS.items():
        for k1, k2 in connection.execute(
            text(query.format(unmanaged=_UNMANAGED)), {"now": utc_text(now)}
        ):
            found.setdefault(kind, []).append(key_from(kind, k1, k2))
    return found


@dataclass(frozen=True, slots=True)
class PastJob:
    """A job's history: its last run's begin, whether that was cut off, when one was done.

    `first` is when its first run began.
    """

    started: datetime
    cut_off: bool
    done: datetime | None
    first: datetime


_CUT_OFF = ("running", "interrupted", "yielded")
"""The statuses of a run that was killed, stopped by a signal, or yielded and never resumed."""


def read_past_jobs(connection: Connection) -> dict[str, PastJob]:
    """Return the jobs that have run, by name.

    A run that left row errors or held changes counts as done.
    """
    query = (
        "SELECT r.command, r.started, r.status, l.done, l.first FROM run r JOIN"
        " (SELECT max(id) AS id, min(started) AS first, max(CASE WHEN status = 'done'"
        f" AND exit_status IN ({Exit.OK:d}, {Exit.ERRORS:d}, {Exit.HELD:d}) THEN ended END) AS done"
        " FROM run WHERE command LIKE 'job %' GROUP BY command) l ON l.id = r.id"
    )
    return {
        str(command).removeprefix("job "): PastJob(
            utc_time(started),
            status in _CUT_OFF,
            None if done is None else utc_time(done),
            utc_time(first),
        )
        for command, started, status, done, first in connection.execute(text(query))
    }
