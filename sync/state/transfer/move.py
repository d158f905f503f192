"""Moving a state to another database, which goes on where the first one stopped."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from sync.errors import StateError, UsageError
from sync.records.base import utc_time
from sync.state import old_copy
from sync.state.backend import Backend
from sync.state.high_water import read_newest_run
from sync.state.tenant_state import TenantState
from sync.state.transfer.restore import without_service
from sync.state.transfer.rows import Contents, copy_rows, read_contents

_UNFINISHED = "its copy was not finished"


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied, by table."""

    contents: Contents

    @property
    def rows(self) -> int:
        """Return the number of all rows."""
        return sum(table.rows for table in self.contents.values())


def copy_state(state: TenantState, target: Backend, now: datetime) -> Copied:
    """Copy a state into another database that has none, with all that belongs to its place.

    Until the copy is complete it sends nothing, and afterwards the first state sends nothing: each
    would undo what the other one does. Whenever the process is killed, one of the two is stopped.

    Raises:
        UsageError: the other database has a state.
        Locked: a service or a run holds one of them.
        StateError: one of them can't be read or written, or the copy differs.
    """
    with without_service(state.place), state.open_to_write("state copy") as opened:
        source = opened.connection
        state.place.take_queued(source)
        state.place.take_notes(source)
        _refuse_present(target)
        with without_service(target):
            contents = _copy(state, source, target, now)
            old_copy.store(source, f"it was copied to {target}, which continues it")
            opened.confirm()
            source.commit()
            _finish(target)
        return Copied(contents)


def _refuse_present(target: Backend) -> None:
    if target.version() is not None:
        raise UsageError(
            f"{target}: there is a state already, which is not replaced; name an empty database or "
            "a new file"
        )


def _copy(state: TenantState, source: Connection, target: Backend, now: datetime) -> Contents:
    with target.replace("state copy", f"{now:%Y%m%dt%H%M%Sz}") as replacement:
        fresh = replacement.connection
        if replacement.aside is not None:
            raise UsageError(f"{target}: another program has just made a state there")
        copy_rows(source, fresh)
        contents = read_contents(fresh)
        if contents != read_contents(source):
            raise StateError(
                f"{target}: the copied rows are not those of {state}; see whether another program "
                "writes it, and run it again"
            )
        target.store_digest_key(fresh, state.load_digest_key(write=True))
        if old_copy.read_recovery_need(fresh) is None:
            old_copy.store(fresh, _UNFINISHED)
    if paused := state.paused():
        target.pause(paused.reason, utc_time(paused.since))
    return contents


def _finish(target: Backend) -> None:
    """Let the copy go on: it knows its newest run, and is not older than what was sent."""
    with target.open_to_write("state copy") as opened:
        connection = opened.connection
        need = old_copy.read_recovery_need(connection)
        if need is not None and need.reason == _UNFINISHED:
            old_copy.clear(connection)
            connection.commit()
        if newest := read_newest_run(connection):
            target.write_mark(connection, newest)
