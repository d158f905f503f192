"""Errors of a state in a file: what each is called, what to do, and whether it may pass.

Locked, full, read-only, unreadable: a person or another program may end each of these at any
moment, so it passes. A damaged file, or one that never was a state, does not.
"""

import errno
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from sync.errors import StateError, StateUnreachable
from sync.state.trouble import Trouble

SCARCE = 64 * 1024
"""Free bytes below which a disk is full: SQLite grows its files by up to 32 KiB at a time."""


def _passing(reason: str, remedy: str, *, held: bool = False) -> Trouble:
    return Trouble(f"can't be used just now: {reason}", remedy, held=held)


class SqliteTrouble(Enum):
    """The troubles of a file that may pass."""

    _value_: Trouble

    HELD = _passing(
        "another program holds it",
        "let that program finish, or end it: `fuser {}` shows which one it is",
        held=True,
    )
    FULL = _passing("the disk is full", "free some space on the disk of {}")
    QUOTA = _passing(
        "the disk quota of this user is used up",
        "free some space, or have the quota raised, on the disk of {}",
    )
    FILES_FULL = _passing(
        "the disk has no room for another file", "delete files that nobody needs on the disk of {}"
    )
    READ_ONLY = _passing(
        "its file system is read-only", "make the file system of {} writable again"
    )
    UNREADABLE = _passing(
        "it may not be read by this user",
        "give the user who runs this the right to read and write {}",
    )
    UNOPENED = _passing(
        "it can't be opened",
        "give the user who runs this the right to read and write {} and its folder",
    )
    UNWRITABLE = _passing(
        "it may not be written by this user",
        "give the user who runs this the right to read and write {}",
    )
    DISK = _passing(
        "the disk reports an error", "look into the machine's log, and at the disk of {}"
    )
    STALE = _passing(
        "its network file system does not answer",
        "mount the file system of {} again; keep it on a local disk",
    )
    OPEN_FILES = _passing(
        "too many files are open",
        "raise the limit of open files (`ulimit -n`, or LimitNOFILE= of the unit)",
    )
    MEMORY = _passing(
        "memory ran out",
        "give the process more memory (MemoryMax= of the unit), or end other programs",
    )
    MOVED = _passing(
        "the file was moved or replaced while it was in use",
        "put {} back, or start the service again",
    )


_BY_ERRNO: Mapping[int, SqliteTrouble] = {
    errno.ENOSPC: SqliteTrouble.FULL,
    errno.EDQUOT: SqliteTrouble.QUOTA,
    errno.EROFS: SqliteTrouble.READ_ONLY,
    errno.EACCES: SqliteTrouble.UNREADABLE,
    errno.EPERM: SqliteTrouble.UNREADABLE,
    errno.EIO: SqliteTrouble.DISK,
    errno.ENXIO: SqliteTrouble.DISK,
    errno.ENODEV: SqliteTrouble.DISK,
    errno.ESTALE: SqliteTrouble.STALE,
    errno.ETIMEDOUT: SqliteTrouble.STALE,
    errno.ENOTCONN: SqliteTrouble.STALE,
    errno.EHOSTDOWN: SqliteTrouble.STALE,
    errno.ENOLCK: SqliteTrouble.STALE,
    errno.EMFILE: SqliteTrouble.OPEN_FILES,
    errno.ENFILE: SqliteTrouble.OPEN_FILES,
    errno.ENOMEM: SqliteTrouble.MEMORY,
    errno.EBUSY: SqliteTrouble.HELD,
}

_BY_CODE: Mapping[int, SqliteTrouble] = {
    sqlite3.SQLITE_BUSY: SqliteTrouble.HELD,
    sqlite3.SQLITE_LOCKED: SqliteTrouble.HELD,
    sqlite3.SQLITE_PROTOCOL: SqliteTrouble.HELD,
    sqlite3.SQLITE_FULL: SqliteTrouble.FULL,
    sqlite3.SQLITE_IOERR: SqliteTrouble.DISK,
    sqlite3.SQLITE_NOMEM: SqliteTrouble.MEMORY,
    sqlite3.SQLITE_READONLY: SqliteTrouble.UNWRITABLE,
    sqlite3.SQLITE_PERM: SqliteTrouble.UNREADABLE,
    sqlite3.SQLITE_CANTOPEN: SqliteTrouble.UNOPENED,
}
"""By SQLite's primary codes, where nothing more exact can be found out."""

_VAGUE = frozenset(
    {
        SqliteTrouble.FULL,
        SqliteTrouble.DISK,
        SqliteTrouble.UNWRITABLE,
        SqliteTrouble.UNREADABLE,
        SqliteTrouble.UNOPENED,
    }
)
"""Troubles that SQLite names roughly: a look at the file and its disk says more."""


@contextmanager
def translate_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite and SQLAlchemy raise within into a `StateError`."""
    try:
        yield
    except (sqlite3.Error, DBAPIError) as error:
        raise make_error(path, error) from None


def make_error(path: Path, error: BaseException) -> StateError:
    """Return the error in words.

    Call it where the error is raised: what fills a disk may be gone a moment later.
    """
    cause = getattr(error, "orig", None) if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", None)
    trouble = _trouble_of_code(code)
    if trouble in _VAGUE:
        if seen := _look_at_file(path):
            return seen.value.error(path)
        if in_temporary := _look_at_temporary_files():
            return in_temporary
    # With rights and disk in order, the file itself or this program is wrong.
    if trouble is None or trouble is SqliteTrouble.UNWRITABLE:
        remedy = (
            "check that the file is an inspera-sync state and that this user may use it and "
            "its folder"
        )
        return StateError(
            f"{path}: the state cannot be used ({type(cause).__name__}: {cause}); {remedy}"
        )
    name = getattr(cause, "sqlite_errorname", "")
    found: Trouble = trouble.value
    return found.error(path, "" if found.held else name)


def is_held(error: sqlite3.Error) -> bool:
    """Tell whether the error means that another program holds the file."""
    return _trouble_of_code(getattr(error, "sqlite_errorcode", None)) is SqliteTrouble.HELD


def find_trouble(error: OSError) -> SqliteTrouble | None:
    """Return the trouble that the operating system names; None when it does not pass by itself."""
    return _BY_ERRNO.get(error.errno or 0)


def make_os_error(path: Path, error: OSError, remedy: str) -> StateError:
    """Return the error for a file of the state, or next to it.

    `remedy` is for an error that does not pass by itself.
    """
    trouble = find_trouble(error)
    if trouble is None:
        return StateError(f"{path}: cannot be written ({error.strerror}); {remedy}")
    return trouble.value.error(path)


def check_usable(path: Path) -> None:
    """Make sure that the file, its disk and that of temporary files can be used.

    It opens nothing: see `_look_at_file`.

    Raises:
        StateUnreachable: not just now.
    """
    if trouble := _look_at_file(path):
        raise trouble.value.error(path)
    if in_temporary := _look_at_temporary_files():
        raise in_temporary


def temporary_folder() -> Path:
    """Return where SQLite puts the temporary files of a run, by SQLite's own order."""
    named = (
        os.environ.get("SQLITE_TMPDIR"),
        os.environ.get("TMPDIR"),
        "/var/tmp",  # noqa: S108 - where SQLite looks
        "/usr/tmp",
        "/tmp",  # noqa: S108 - where SQLite looks
    )
    usable = (
        Path(one)
        for one in named
        if one and Path(one).is_dir() and os.access(one, os.W_OK | os.X_OK)
    )
    return next(usable, Path())


def _trouble_of_code(code: int | None) -> SqliteTrouble | None:
    if code == sqlite3.SQLITE_READONLY_DBMOVED:
        return SqliteTrouble.MOVED
    # The other bytes name the place in SQLite.
    return None if code is None else _BY_CODE.get(code & 0xFF)


def _look_at_file(path: Path) -> SqliteTrouble | None:
    """Return the trouble that is visible without opening the file."""
    try:
        return _check_rights(path) or _check_room(path.parent) or _check_open_files()
    except OSError as error:
        return find_trouble(error)


def _check_rights(path: Path) -> SqliteTrouble | None:
    folder = path.parent
    if not folder.is_dir():
        return None
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        return SqliteTrouble.READ_ONLY
    if not os.access(folder, os.R_OK | os.X_OK, effective_ids=True):
        return SqliteTrouble.UNREADABLE
    for each in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        if each.exists() and not os.access(each, os.R_OK, effective_ids=True):
            return SqliteTrouble.UNREADABLE
        if each.exists() and not os.access(each, os.W_OK, effective_ids=True):
            return SqliteTrouble.UNWRITABLE
    return None if os.access(folder, os.W_OK, effective_ids=True) else SqliteTrouble.UNWRITABLE


def _check_room(folder: Path) -> SqliteTrouble | None:
    if not folder.is_dir():
        return None
    disk = os.statvfs(folder)
    blocks, files = (
        (disk.f_bfree, disk.f_ffree) if os.geteuid() == 0 else (disk.f_bavail, disk.f_favail)
    )
    if disk.f_blocks and blocks * disk.f_frsize < SCARCE:
        return SqliteTrouble.FULL
    return SqliteTrouble.FILES_FULL if disk.f_files and not files else None


def _check_open_files() -> SqliteTrouble | None:
    os.close(os.open(os.devnull, os.O_RDONLY))  # Raises when no more files may be open.
    return None


def _look_at_temporary_files() -> StateUnreachable | None:
    """Return the error when the run's temporary files found no room, and not the state."""
    folder = temporary_folder()
    try:
        found = _check_room(folder)
    except OSError as error:
        found = find_trouble(error)
    if found is None:
        return None
    remedy = f"free some space on the disk of {folder}, or name a folder with more room in TMPDIR"
    return StateUnreachable(f"{folder}: the run's temporary files {found.value.reason}; {remedy}")
