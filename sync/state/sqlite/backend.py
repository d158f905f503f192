"""A state in a SQLite file. Its locks, its pause and its digest key are files next to it."""

import errno
import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from sync.errors import Locked, StateError, StateUnreachable
from sync.planning.decided import DecidedChange
from sync.records.base import utc_text
from sync.state.audit.notes import Note
from sync.state.backend import OpenState, Pause, Replacement, Wait
from sync.state.high_water import HighWaterMark, MarkReader, read_file, write_file
from sync.state.notified import Notified
from sync.state.secret_digest import load_digest_key
from sync.state.sqlite import errors, queued_decisions, requested_runs
from sync.state.sqlite.open import lock_file, open_copy, open_to_read, open_to_write, version_of
from sync.state.sqlite.private_files import write_private
from sync.state.sqlite.replace import replace

NOBODY_KNOWS = "1970-01-01T00:00:00Z"
"""The start of a pause whose file can't be read: a time that can't be true."""

_OWNER = "let this user write there, or run it as the service's user"

_SAYS_NOTHING = frozenset({errno.EMFILE, errno.ENFILE, errno.EIO, errno.ESTALE, errno.ENOMEM})
"""Troubles of the machine, which do not mean a pause: its file may not even exist."""

MOST_BYTES = 200
"""The bytes that are read of a lock file with the holder's name."""


class OnlyService:
    """A service on a state that takes no other: as long as it runs, it leads.

    `lock` is a file next to the state. If it can't be made now, `try_lead` tries again.
    """

    def __init__(self, path: Path, lock: Path) -> None:
        self._path = path
        self._lock = lock
        self._held = ExitStack()
        self._leads = False

    def try_lead(self) -> bool:
        """Lead, if no other service does (see `ServiceLock`).

        Raises:
            Locked: another service runs on this state.
            StateUnreachable: that can't be found out just now.
        """
        if not self._leads:
            with ExitStack() as held:
                if holder := held.enter_context(lock_file(self._lock, "serve")):
                    raise Locked(
                        f"{self._path}: another service runs on this state: {holder}; stop it first"
                    )
                self._held = held.pop_all()
            self._leads = True
        return True

    def leads(self) -> bool:
        """Return whether this service has the lock (see `ServiceLock`)."""
        return self._leads

    def leader(self) -> str:
        """Return this process (see `ServiceLock`)."""
        return f"pid {os.getpid()} (serve)" if self._leads else ""

    def close(self) -> None:
        """Let the lock go."""
        self._held.close()
        self._leads = False


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """The state in this file (see `Backend`)."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @contextmanager
    def open_to_write(self, command: str, wait: Wait | None = None) -> Iterator[OpenState]:
        """Open the state, locked for this run (see `Backend`). The lock ends with the process."""
        with open_to_write(self.path, command, wait) as connection:
            yield OpenState(connection, _always, lambda: False)

    def replace(self, command: str, stamp: str) -> AbstractContextManager[Replacement]:
        """Open an empty state that replaces this one (see `Backend`)."""
        return replace(self.path, command, stamp)

    def open_to_read(self) -> AbstractContextManager[Connection]:
        """Open the state as it is (see `Backend`)."""
        return open_to_read(self.path)

    def open_copy(self) -> AbstractContextManager[Connection]:
        """Open a private copy of the state (see `Backend`)."""
        return open_copy(self.path)

    def version(self) -> str | None:
        """Return the version of its schema (see `Backend`)."""
        return version_of(self.path)

    def holder(self) -> str:
        """Return the name of the run that holds the state (see `Backend`)."""
        try:
            with self._beside("lock").open(encoding="utf-8", errors="replace") as beside:
                try:
                    fcntl.flock(beside, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return beside.read(MOST_BYTES).strip() or "another process"
        except FileNotFoundError:  # No service has made it yet.
            return ""
        except OSError as error:
            raise errors.make_os_error(
                self._beside("lock"), error, "let this user read it"
            ) from None
        return ""

    def check_usable(self) -> None:
        """Make sure that the file and its disk can be used (see `Backend`)."""
        errors.check_usable(self.path)

    def load_digest_key(self, *, write: bool) -> bytes:
        """Return the key of the secret digests (see `Backend`)."""
        return load_digest_key(self.path, write=write)

    def store_digest_key(self, connection: Connection, key: bytes) -> None:  # noqa: ARG002
        """Store the key of the secret digests in a file next to the state (see `Backend`)."""
        try:
            write_private(self._beside("key"), key)
        except OSError as error:
            raise _unwritable_error(self._beside("key"), error) from None

    def mark_reader(self) -> MarkReader:
        """Return a function that returns the high-water mark from its file (see `Backend`)."""
        mark = read_file(self._beside("high-water"))
        return lambda _connection: mark

    def write_mark(self, connection: Connection, mark: HighWaterMark) -> None:
        """Store the newest run in a file next to the state (see `Backend`)."""
        # First the run, then its mark: a mark without its run would mean an older copy.
        connection.commit()
        write_file(self._beside("high-water"), mark)

    def leave_note(self, note: Note) -> None:
        """Leave a line for the audit log in a file next to the state (see `Backend`)."""
        with self._reporting("noted-*"):
            queued_decisions.write_note(self.path, note)

    def take_notes(self, connection: Connection) -> None:
        """Append the lines in files next to the state (see `Backend`)."""
        with self._reporting("noted-*"):
            queued_decisions.take_notes(self.path, connection)

    def pause(self, reason: str, now: datetime) -> None:
        """Stop all sending by a file next to the state, which is locked while a run sends."""
        content = json.dumps({"since": utc_text(now), "reason": reason}, ensure_ascii=False)
        file = self._beside("paused")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            owner = self.path.parent.stat()
            # Given with sudo: the service must be able to read it.
            by_root = os.geteuid() == 0 and owner.st_uid != 0
            write_private(file, content.encode(), owner if by_root else None)
        except OSError as error:
            raise _unwritable_error(file, error) from None

    def resume(self) -> bool:
        """Allow sending again (see `Backend`)."""
        try:
            self._beside("paused").unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _unwritable_error(self._beside("paused"), error) from None
        return True

    def paused(self) -> Pause | None:
        """Return whether all sending is stopped. A file that can't be understood stops it too."""
        file = self._beside("paused")
        try:
            content = json.loads(file.read_text("utf-8"))
            return Pause(str(content["since"]), str(content["reason"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            if isinstance(error, OSError) and error.errno in _SAYS_NOTHING:
                raise errors.make_os_error(file, error, _OWNER) from None
            return Pause(NOBODY_KNOWS, f"{file} can't be read")

    def notified(self) -> Mapping[str, Notified]:
        """Return what each target was notified of, from a file next to the state (see `Backend`)."""
        file = self._beside("notified")
        try:
            content = json.loads(file.read_text("utf-8"))
            return {
                str(target): Notified.from_json(str(one["at"]), json.dumps(one["concerns"]))
                for target, one in content.items()
            }
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise errors.make_os_error(file, error, _OWNER) from None
        except (ValueError, KeyError, TypeError, AttributeError):
            return {}  # to notify twice is better than never again

    def keep_notified(self, target: str, notified: Notified) -> None:
        """Store what a target was notified of in this file (see `Backend`)."""
        content = {**self.notified(), target: notified}
        rows = {
            name: {"at": one.at, "concerns": dict(one.concerns)} for name, one in content.items()
        }
        file = self._beside("notified")
        try:
            write_private(file, json.dumps(rows, ensure_ascii=False).encode())
        except OSError as error:
            raise _unwritable_error(file, error) from None

    def queue(self, decided: Sequence[DecidedChange]) -> None:
        """Store decisions in a file next to the state (see `Backend`)."""
        with self._reporting():
            queued_decisions.write(self.path, decided)

    def queued(self) -> list[DecidedChange]:
        """Return the decisions in files next to the state (see `Backend`)."""
        with self._reporting():
            return queued_decisions.read(queued_decisions.files(self.path))

    def take_queued(self, connection: Connection) -> None:
        """Move the decisions from their files into the state (see `Backend`)."""
        with self._reporting():
            queued_decisions.take(self.path, connection)

    def request_run(self, job: str, now: datetime) -> None:
        """Store it in a file next to the state (see `Backend`)."""
        with self._reporting("requested-*"):
            requested_runs.write(self.path, job, now)

    def take_requested(self) -> list[str]:
        """Return what the files next to the state name, and delete them (see `Backend`)."""
        with self._reporting("requested-*"):
            return requested_runs.take(self.path)

    def approvals_wait(self, now: datetime) -> bool:  # noqa: ARG002 - a run sees what has expired
        """Tell whether there are files with decisions (see `Backend`)."""
        with self._reporting():
            return bool(queued_decisions.files(self.path))

    @contextmanager
    def _reporting(self, files: str = "decided-*") -> Iterator[None]:
        """Report an error of the files of people next to the state."""
        try:
            yield
        except OSError as error:
            raise _unwritable_error(self._beside(files), error) from None

    @contextmanager
    def service(self) -> Iterator[OnlyService]:
        """Hold the state for one service (see `Backend`). The lock dies with the process."""
        service = OnlyService(self.path, self._beside("service.lock"))
        try:
            with suppress(StateUnreachable):
                # Another service is noticed at once; other troubles may pass.
                service.try_lead()
            yield service
        finally:
            service.close()

    def _beside(self, name: str) -> Path:
        return self.path.with_name(f"{self.path.name}.{name}")


def _always() -> None:
    """Do nothing: nobody else can have the lock of a file before this process ends."""


def _unwritable_error(path: Path, error: OSError) -> StateError:
    return errors.make_os_error(path, error, _OWNER)
