"""A state that is used for one tenant alone, and that notices when it is an older copy."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from sync.planning.decided import DecidedChange, DecidedChanges
from sync.state import decisions, high_water, old_copy
from sync.state.audit.notes import Note
from sync.state.backend import Backend, OpenState, Pause, ServiceLock, Wait
from sync.state.notified import Notified
from sync.state.tenant import TenantIdentity, read_tenant, refuse_another, store_tenant


class TenantState:
    """A state (see `Backend`) of this tenant. Opening it refuses a state of another tenant."""

    def __init__(self, place: Backend, tenant: TenantIdentity) -> None:
        self.place = place
        self._tenant = tenant

    def __str__(self) -> str:
        return str(self.place)

    @contextmanager
    def open_to_write(self, command: str, wait: Wait | None = None) -> Iterator[OpenState]:
        """Open it for one run (see `Backend`). The first time it becomes this tenant's.

        Raises:
            OtherTenant: it belongs to another one.
        """
        with self.place.open_to_write(command, wait) as opened:
            connection = opened.connection
            reason, mark = self._find_doubt(connection, self.place.mark_reader())
            if reason:
                old_copy.store(connection, reason)
                # Before this run gets its number: no number may name two runs.
                high_water.number_after(connection, mark)
                self._keep_mark(connection)
            if read_tenant(connection) is None:
                store_tenant(connection, self._tenant)
            connection.commit()
            self.place.take_notes(connection)
            yield replace(opened, keep_mark=partial(self._keep_mark, connection))

    @contextmanager
    def open_to_rebind(self) -> Iterator[Connection]:
        """Open it for writing whatever tenant it belongs to."""
        with self.place.open_to_write("state rebind") as opened:
            yield opened.connection

    @contextmanager
    def open_to_read(self) -> Iterator[Connection]:
        """Open it as it is (see `Backend`).

        Raises:
            OtherTenant: it belongs to another one.
        """
        with self._checked(self.place.open_to_read) as connection:
            yield connection

    @contextmanager
    def open_copy(self) -> Iterator[Connection]:
        """Open a private copy of it (see `Backend`).

        Raises:
            OtherTenant: it belongs to another one.
        """
        with self._checked(self.place.open_copy) as connection:
            yield connection

    @contextmanager
    def _checked(
        self, opening: Callable[[], AbstractContextManager[Connection]]
    ) -> Iterator[Connection]:
        """Open it for reading, and announce in this connection if it is an older copy."""
        # The mark is read first. In the other order a run that begins in between would leave a
        # mark newer than the state that was opened, which is what an older copy looks like.
        read_mark = self.place.mark_reader()
        with opening() as connection:
            reason, _ = self._find_doubt(connection, read_mark)
            if reason:
                old_copy.announce(connection, reason)
            yield connection

    def _find_doubt(
        self, connection: Connection, read_mark: high_water.MarkReader
    ) -> tuple[str, high_water.HighWaterMark | None]:
        """Return why this may be an older copy, with its mark; refuse another tenant's state."""
        refuse_another(connection, self._tenant, self)
        mark = read_mark(connection)
        marked = read_tenant(connection) is not None
        return high_water.find_doubt(connection, mark, marked=marked), mark

    def _keep_mark(self, connection: Connection) -> None:
        """Keep the newest run apart from the state, once the state holds it durably."""
        newest = high_water.read_newest_run(connection)
        if newest is not None:
            self.place.write_mark(connection, newest)

    def version(self) -> str | None:
        """Return the version of its schema (see `Backend`)."""
        return self.place.version()

    def holder(self) -> str:
        """Return who holds it for a run (see `Backend`)."""
        return self.place.holder()

    def check_usable(self) -> None:
        """Make sure, without opening it, that it can be used just now (see `Backend`)."""
        self.place.check_usable()

    def load_digest_key(self, *, write: bool) -> bytes:
        """Return the key of the secret digests (see `Backend`)."""
        return self.place.load_digest_key(write=write)

    def pause(self, reason: str, since: datetime, note: Note) -> None:
        """Stop all sending (see `Backend`), whatever tenant it belongs to: that harms nobody.

        `note` is its line of the audit log.
        """
        self.place.pause(reason, since)  # first, and whatever becomes of the line
        self.place.leave_note(note)

    def resume(self, note: Note) -> bool:
        """Allow sending again (see `Backend`), with `note` as its line of the audit log.

        Raises:
            OtherTenant: it belongs to another one.
        """
        with self.open_to_read():
            resumed = self.place.paused() is not None
            if resumed:  # The line first: what is sent next must not precede it.
                self.place.leave_note(note)
            return self.place.resume()

    def paused(self) -> Pause | None:
        """Return whether all sending is stopped (see `Backend`)."""
        return self.place.paused()

    def request_run(self, job: str, now: datetime) -> None:
        """Store that a person wants a job to run now (see `Backend`).

        Raises:
            OtherTenant: the state belongs to another one.
        """
        with self.open_to_read():
            self.place.request_run(job, now)

    def take_requested(self) -> list[str]:
        """Return the jobs that people want to run now, and forget them (see `Backend`)."""
        return self.place.take_requested()

    def notified(self) -> Mapping[str, Notified]:
        """Return what each target was last notified of (see `Backend`)."""
        return self.place.notified()

    def keep_notified(self, target: str, notified: Notified) -> None:
        """Store what a target was notified of (see `Backend`)."""
        self.place.keep_notified(target, notified)

    def queue(self, decided: Sequence[DecidedChange]) -> None:
        """Store decisions of a person at once (see `Backend`).

        Raises:
            OtherTenant: the state belongs to another one.
        """
        with self.open_to_read():
            self.place.queue(decided)

    def read_decided(self, connection: Connection, now: datetime) -> DecidedChanges:
        """Return the decisions that count now, also those that no run has taken over yet."""
        newest = {one.digest: one for one in (*decisions.read(connection), *self.place.queued())}
        return DecidedChanges(one for one in newest.values() if decisions.counts(one, now))

    def take_decided(self, connection: Connection, now: datetime) -> DecidedChanges:
        """Take over what is queued, and return the decisions that count in the run that begins."""
        self.place.take_queued(connection)
        return DecidedChanges(
            one for one in decisions.read(connection) if decisions.counts(one, now)
        )

    def approvals_wait(self, now: datetime) -> bool:
        """Tell whether there are decisions with which no run has begun (see `Backend`)."""
        return self.place.approvals_wait(now)

    def service(self) -> AbstractContextManager[ServiceLock]:
        """Register one long-running service (see `Backend`)."""
        return self.place.service()
