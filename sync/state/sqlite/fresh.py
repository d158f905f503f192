"""A new file with an empty state, and what a file needs to be complete by itself."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection

from sync.state.sqlite import errors
from sync.state.sqlite.open import FIRST_PATIENCE, connect, on_disk


@contextmanager
def open_fresh(path: Path) -> Iterator[Connection]:
    """Make a new file, for its owner alone, with an empty state, and open it to be written.

    At the end it is committed, complete in one file, and on the disk. After an exception it is
    deleted.

    Raises:
        StateUnreachable: it cannot be written now.
        StateError: it cannot be written.
    """
    with errors.translate_errors(path):
        try:
            with on_disk(path):
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            raw = sqlite3.connect(path, isolation_level=None)
            with contextmanager(connect)(raw, path) as connection:
                yield connection
                connection.commit()
            fold_journal(path)
            with on_disk(path):
                sync_to_disk(path)
        except BaseException:
            delete_state(path)
            raise


def delete_state(path: Path) -> None:
    """Delete a state's file with its journals, if it is there."""
    for suffix in ("-shm", "-wal", "-journal", ""):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).unlink()


def fold_journal(path: Path) -> None:
    """Move what is in the write-ahead log into the file itself, so that the file is complete.

    Raises:
        sqlite3.Error: another connection uses it, or it is damaged.
    """
    with closing(sqlite3.connect(path, timeout=FIRST_PATIENCE, isolation_level=None)) as raw:
        raw.execute("PRAGMA journal_mode=DELETE").fetchall()


def sync_to_disk(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
