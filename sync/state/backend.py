"""Where a state lies, and what can be done with it as a whole: opened, paused, held by one service."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from sync.state.high_water import HighWaterMark, MarkReader

Wait = Callable[[str], bool]
"""How to wait for somebody else's lock: is told who holds it, waits a moment, and says whether to try again."""


@dataclass(frozen=True, slots=True)
class Pause:
    """All sending is stopped `since` then (UTC text), for a reason that a person gave, or none."""

    since: str
    reason: str = ""


def _keep_nothing() -> None:
    """Keep nothing: the state is opened for another purpose than a run."""


@dataclass(frozen=True, slots=True)
class OpenState:
    """A state that may be written.

    Attributes:
        connection: to it, for the thread that opened it.
        confirm: raises `Deposed` when it may not be written any more; for that thread as well.
        lost: whether that is so, for any other thread; raises `StateError` when it can't be told.
        keep_mark: keeps the newest run apart from the state, when the state holds it durably.
    """

    connection: Connection
    confirm: Callable[[], None]
    lost: Callable[[], bool]
    keep_mark: Callable[[], None] = _keep_nothing


class ServiceLock(Protocol):
    """A long-running service's hold on a state. Where several may stand by, one of them leads."""

    def try_lead(self) -> bool:
        """Leads, or takes the lead if nobody else has it. Gives whether this service leads now.

        Raises:
            StateError: the state cannot be asked; `StateUnreachable` when that may pass.
        """

    def leads(self) -> bool:
        """Whether this service still leads. It never takes the lead, and never raises."""

    def leader(self) -> str:
        """Who leads just now, as people name it; empty for nobody, or when it can't be told."""


class Backend(Protocol):
    """A state. `str()` names it to people, without a password."""

    def open_to_write(
        self, command: str, wait: Wait | None = None
    ) -> AbstractContextManager[OpenState]:
        """The state, locked for this run and migrated to this version.

        Raises:
            Locked: somebody else holds it, and `wait` was not given or gave up.
            StateUnreachable: it cannot be written just now; `StateBusy` when another program holds it.
            StateError: it cannot be written, or a newer version wrote it.
        """

    def open_to_read(self) -> AbstractContextManager[Connection]:
        """The state as it is, without changing anything of it. A missing one is empty, an older one is migrated apart.

        Raises:
            StateError: it cannot be read, or a newer version wrote it.
        """

    def open_copy(self) -> AbstractContextManager[Connection]:
        """A private copy of the state that may be written: to show what would become of it.

        Raises:
            StateError: it cannot be read, or a newer version wrote it.
        """

    def version(self) -> str | None:
        """The version of its schema; None when there is no state yet.

        Raises:
            StateError: it cannot be read.
        """

    def holder(self) -> str:
        """Who holds it for a run just now, as people name it; empty for nobody.

        Raises:
            StateError: that cannot be told.
        """

    def look(self) -> None:
        """Make sure, without opening the state, that it can be used just now.

        Raises:
            StateUnreachable: it can't.
        """

    def load_digest_key(self, *, write: bool) -> bytes:
        """The key of the secret digests that belongs to this state; without `write` nothing is changed where there is none.

        Raises:
            StateError: it cannot be read or made.
        """

    def mark_reader(self) -> MarkReader:
        """Return what gives the mark of the newest run, kept apart from the state. A file is read at once.

        Raises:
            StateError: it cannot be read.
        """

    def write_mark(self, connection: Connection, mark: HighWaterMark) -> None:
        """Keep the newest run apart from the state, once what `connection` has written is durable.

        Raises:
            StateError: it cannot be noted.
        """

    def pause(self, reason: str, now: datetime) -> None:
        """Stops all sending, until `resume`. Works at once, also while a run holds the state.

        Raises:
            StateError: it cannot be noted.
        """

    def resume(self) -> bool:
        """Allows sending again. Gives whether it was paused.

        Raises:
            StateError: it cannot be noted.
        """

    def paused(self) -> Pause | None:
        """Whether all sending is stopped.

        Raises:
            StateError: that cannot be told.
        """

    def service(self) -> AbstractContextManager[ServiceLock]:
        """Registers one long-running service, as long as it is open. Leading is another step, `try_lead`.

        Raises:
            Locked: the state takes one service only, and another one runs.
        """
