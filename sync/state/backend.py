"""A place where a state is stored, and what can be done with it as a whole."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from sync.planning.decided import DecidedChange
from sync.state.audit.notes import Note
from sync.state.high_water import HighWaterMark, MarkReader
from sync.state.notified import Notified

Wait = Callable[[str], bool]
"""A function that waits for a lock, given its holder, and returns whether to try again."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A stop of all sending `since` a time (UTC text), with a person's reason, if any."""

    since: str
    reason: str = ""


def _do_nothing() -> None:
    """Keep nothing: the state is opened for another purpose than a run."""


@dataclass(frozen=True, slots=True)
class OpenState:
    """A state that may be written.

    Attributes:
        connection: to it, for the thread that opened it.
        confirm: raises `Deposed` when it may not be written any more; for that thread as well.
        lost: returns whether that is so, in any other thread; raises `StateError` when it cannot.
        keep_mark: stores the newest run apart from the state, when the state holds it durably.
    """

    connection: Connection
    confirm: Callable[[], None]
    lost: Callable[[], bool]
    keep_mark: Callable[[], None] = _do_nothing


@dataclass(frozen=True, slots=True)
class Replacement:
    """An empty state that takes the place of the present one.

    Attributes:
        connection: to it. Nobody commits through it: leaving `Backend.replace` does.
        aside: where the present state will be; None when there is none.
    """

    connection: Connection
    aside: str | None


class ServiceLock(Protocol):
    """The lock of a long-running service on a state. Where several stand by, one of them leads."""

    def try_lead(self) -> bool:
        """Take the lead if no other service has it. Return whether this service leads now.

        Raises:
            StateError: the state cannot be queried; `StateUnreachable` when that may pass.
        """

    def leads(self) -> bool:
        """Return whether this service still leads. This never takes the lead and never raises."""

    def leader(self) -> str:
        """Return the name of the service that leads now; empty for none, or when unknown."""


class Backend(Protocol):
    """A database that holds a state. `str()` names it without a password."""

    def open_to_write(
        self, command: str, wait: Wait | None = None
    ) -> AbstractContextManager[OpenState]:
        """Open the state, locked for this run and migrated to this version.

        Raises:
            Locked: somebody else holds it, and `wait` was not given or gave up.
            StateUnreachable: it cannot be written just now; `StateBusy` when another program holds
                it.
            StateError: it cannot be written, or a newer version wrote it.
        """

    def replace(self, command: str, stamp: str) -> AbstractContextManager[Replacement]:
        """Open an empty state that replaces this one when it is left without an exception.

        This one is then moved aside, under a name with `stamp`, and is not looked into: it may be
        damaged, or of any version. Whenever the process is killed, either is there, never a part.
        What belongs to the place stays: the pause, the newest run, the key of the digests.

        Raises:
            Locked: somebody holds the state.
            StateBusy: another program holds it.
            StateError: it cannot be written.
        """

    def open_to_read(self) -> AbstractContextManager[Connection]:
        """Open the state as it is, and change nothing in it.

        A missing state is read as an empty one. An older one is migrated in a copy.

        Raises:
            StateError: it cannot be read, or a newer version wrote it.
        """

    def open_copy(self) -> AbstractContextManager[Connection]:
        """Open a private copy of the state, which may be written, to show what a run would do.

        Raises:
            StateError: it cannot be read, or a newer version wrote it.
        """

    def version(self) -> str | None:
        """Return the version of its schema, or None when the state does not exist yet.

        Raises:
            StateError: it cannot be read.
        """

    def holder(self) -> str:
        """Return the name of the run that holds the state now; empty when none does.

        Raises:
            StateError: the state cannot be queried.
        """

    def check_usable(self) -> None:
        """Make sure, without opening the state, that it can be used now.

        Raises:
            StateUnreachable: it can't.
        """

    def load_digest_key(self, *, write: bool) -> bytes:
        """Return the key of this state's secret digests.

        Without `write` nothing is changed: a missing key is replaced by a temporary one.

        Raises:
            StateError: it cannot be read or made.
        """

    def store_digest_key(self, connection: Connection, key: bytes) -> None:
        """Store the key of the secret digests for a state that is being written.

        Raises:
            StateError: it cannot be stored.
        """

    def mark_reader(self) -> MarkReader:
        """Return a function that reads the high-water mark of an opened state.

        Of a file the mark is read at once: a run that begins later must not count.

        Raises:
            StateError: it cannot be read.
        """

    def write_mark(self, connection: Connection, mark: HighWaterMark) -> None:
        """Store the newest run apart from the state, once what `connection` has written is durable.

        Raises:
            StateError: it cannot be noted.
        """

    def leave_note(self, note: Note) -> None:
        """Leave a line for the audit log at once, also while a run holds the state.

        Raises:
            StateError: it cannot be stored.
        """

    def take_notes(self, connection: Connection) -> None:
        """Append the lines that were left to the audit log, and commit them.

        Raises:
            StateError: they cannot be moved.
        """

    def pause(self, reason: str, now: datetime) -> None:
        """Stop all sending until `resume`. This works at once, also while a run holds the state.

        Raises:
            StateError: it cannot be noted.
        """

    def resume(self) -> bool:
        """Allow sending again. Return whether it was paused.

        Raises:
            StateError: it cannot be noted.
        """

    def paused(self) -> Pause | None:
        """Return since when and why all sending is stopped; None when it is not.

        Raises:
            StateError: the state cannot be queried.
        """

    def notified(self) -> Mapping[str, Notified]:
        """Return what each target was last notified of, by its name.

        Raises:
            StateError: the state cannot be queried.
        """

    def keep_notified(self, target: str, notified: Notified) -> None:
        """Store what a target was notified of, at once, also while a run holds the state.

        Raises:
            StateError: it cannot be stored.
        """

    def queue(self, decided: Sequence[DecidedChange]) -> None:
        """Store decisions of a person at once, also while a run holds the state.

        The next run takes them over.

        Raises:
            StateError: they cannot be stored.
        """

    def queued(self) -> list[DecidedChange]:
        """Return the decisions that are not in the tables of the state yet.

        Raises:
            StateError: they cannot be read.
        """

    def take_queued(self, connection: Connection) -> None:
        """Move these decisions into the tables, and commit them.

        Raises:
            StateError: they cannot be moved.
        """

    def request_run(self, job: str, now: datetime) -> None:
        """Store that a person wants a job to run now, also while a run holds the state.

        Raises:
            StateError: it cannot be stored.
        """

    def take_requested(self) -> list[str]:
        """Return the jobs that people want to run now, the oldest first, and forget them.

        Raises:
            StateError: it cannot be asked.
        """

    def approvals_wait(self, now: datetime) -> bool:
        """Tell whether a person has decided something with which no run has begun yet.

        Raises:
            StateError: the state cannot be queried.
        """

    def service(self) -> AbstractContextManager[ServiceLock]:
        """Register one long-running service, as long as it is open. `try_lead` makes it the leader.

        Raises:
            Locked: the state takes one service only, and another one runs.
        """
