"""The newest run of a state, kept apart from it: by this a copy from before that run is noticed.

The mark is written after the run is durable and before anything is sent, and once more when the run
has ended. So what is sent after a copy was made is always newer than that copy, except what the
very run sent that was under way while the copy was made and was then killed.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import Connection, text

from sync.errors import StateError
from sync.state.dialect import is_postgres
from sync.state.sqlite.errors import find_trouble
from sync.state.sqlite.private_files import write_private

EMPTY = "it is empty"
"""The beginning of the reason when the state is empty, so lost."""


@dataclass(frozen=True, slots=True)
class HighWaterMark:
    """A state's newest run: its number, when it began (UTC text), and whether it has ended.

    `moved` says that the mark itself was restored from a dump, together with the state.
    """

    run: int
    started: str
    ended: bool
    moved: bool = False


MarkReader = Callable[[Connection], HighWaterMark | None]
"""A function that returns the mark of an opened state, or None."""


def read_newest_run(connection: Connection) -> HighWaterMark | None:
    """Return the newest run that the state itself contains; None when it has none."""
    query = text("SELECT id, started, ended FROM run ORDER BY id DESC LIMIT 1")
    row = connection.execute(query).first()
    return (
        None if row is None else HighWaterMark(int(row.id), str(row.started), row.ended is not None)
    )


def find_doubt(connection: Connection, mark: HighWaterMark | None, *, marked: bool) -> str:
    """Return why this state may be an older copy; empty when it is the newest.

    Args:
        connection: the opened state.
        mark: the high-water mark, which is stored apart from the state.
        marked: whether an earlier run has stored a mark, as all do that also store the tenant.
    """
    newest = read_newest_run(connection)
    if mark is None:
        return _UNMARKED if marked and newest else ""
    if mark.moved:
        return _RESTORED
    if newest is None:
        return f"{EMPTY}, but run {mark.run} of {mark.started} was made with it here"
    row = connection.execute(
        text("SELECT started, ended FROM run WHERE id = :run"), {"run": mark.run}
    ).first()
    if row is None or str(row.started) != mark.started:
        return (
            f"its newest run is {newest.run} of {newest.started}, but run {mark.run} of "
            f"{mark.started} was made here"
        )
    if mark.ended and row.ended is None:
        return f"it does not know the end of run {mark.run} of {mark.started}, which was made here"
    return ""


_UNMARKED = (
    "the record of its newest run, which is kept apart from it, is missing: it was copied "
    "here, or put back"
)
_RESTORED = "its tables were restored from a dump, which may be from before the newest run"


def number_after(connection: Connection, mark: HighWaterMark | None) -> None:
    """Give later runs numbers after the mark's; the caller commits.

    So every older copy is behind them. An empty run replaces those that are missing here.
    """
    newest = read_newest_run(connection)
    if mark is None or (newest is not None and newest.run > mark.run):
        return
    connection.execute(
        text(
            "INSERT INTO run (id, command, started, ended, status, exit_status, counts, reason)"
            " VALUES (:id, 'older copy noticed', :at, :at, 'done', 0, '{}', '')"
        ),
        {"id": mark.run + 1, "at": mark.started},
    )
    if is_postgres(connection):
        connection.execute(
            text("SELECT setval(pg_get_serial_sequence('run', 'id'), :run)"), {"run": mark.run + 1}
        )


def read_file(path: Path) -> HighWaterMark | None:
    """Return the mark in this file; None when it is missing or cannot be understood.

    Raises:
        StateUnreachable: it cannot be read just now.
        StateError: it cannot be read.
    """
    try:
        stored = json.loads(path.read_text("utf-8"))
        return HighWaterMark(int(stored["run"]), str(stored["started"]), bool(stored["ended"]))
    except FileNotFoundError:
        return None
    except OSError as error:
        if trouble := find_trouble(error):
            raise trouble.value.error(path) from None
        remedy = "let the user who runs inspera-sync read and write it"
        raise StateError(
            f"{path}: the newest run cannot be read ({error.strerror}); {remedy}"
        ) from None
    except (ValueError, KeyError, TypeError):
        return None


def write_file(path: Path, mark: HighWaterMark) -> None:
    """Write the mark into this file, whole or not at all, and durably.

    Raises:
        StateUnreachable: it cannot be written just now.
        StateError: it cannot be written.
    """
    stored = asdict(mark)
    del stored["moved"]
    try:
        write_private(path, json.dumps(stored).encode())
    except OSError as error:
        if trouble := find_trouble(error):
            raise trouble.value.error(path) from None
        remedy = "let the user who runs inspera-sync write there, or make room"
        raise StateError(
            f"{path}: the newest run cannot be noted ({error.strerror}); {remedy}"
        ) from None


def read_table(connection: Connection) -> HighWaterMark | None:
    """Return the mark in the table of a state on PostgreSQL."""
    query = (
        "SELECT run, started, ended, made_as <> tableoid::bigint AS moved FROM high_water"
        " WHERE id = 1"
    )
    row = connection.execute(text(query)).first()
    return (
        None
        if row is None
        else HighWaterMark(int(row.run), str(row.started), bool(row.ended), bool(row.moved))
    )


def write_table(connection: Connection, mark: HighWaterMark) -> None:
    """Write the mark into the table; the caller commits."""
    connection.execute(
        text(
            "INSERT INTO high_water (id, run, started, ended, made_as)"
            " VALUES (1, :run, :started, :ended, 'high_water'::regclass::oid::bigint)"
            " ON CONFLICT (id) DO UPDATE SET run = excluded.run, started = excluded.started, ended "
            "= excluded.ended, made_as = excluded.made_as"
        ),
        {"run": mark.run, "started": mark.started, "ended": mark.ended},
    )
