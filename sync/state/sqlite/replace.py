"""Replacing a state in a file: the new one is complete before it takes the name of the old one."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sync.state.backend import Replacement
from sync.state.sqlite import errors
from sync.state.sqlite.fresh import delete_state, fold_journal, open_fresh, sync_to_disk
from sync.state.sqlite.open import locked, on_disk


@contextmanager
def replace(path: Path, command: str, stamp: str) -> Iterator[Replacement]:
    """Open an empty state that replaces the one at `path` (see `Backend`)."""
    with locked(path, command), errors.translate_errors(path), on_disk(path):
        fresh = path.with_name(f"{path.name}.new")
        delete_state(fresh)
        _forget_unfinished(path)
        aside = path.with_name(f"{path.name}.replaced-{stamp}") if path.exists() else None
        with open_fresh(fresh) as connection:
            yield Replacement(connection, str(aside) if aside else None)
        try:
            if aside is not None:
                _set_aside(path, aside)
            fresh.replace(path)
        except BaseException:
            delete_state(fresh)
            raise
        sync_to_disk(path.parent)


def _set_aside(path: Path, aside: Path) -> None:
    """Give the state a second name, under which it stays when the first one is replaced.

    A state without its write-ahead log would miss changes, and a new state next to an old log
    would be destroyed by it. So the log is moved into the state first.
    """
    try:
        fold_journal(path)
    except sqlite3.DatabaseError as error:
        if errors.is_held(error):
            raise
    # A log that is left belongs to a damaged state, which is of use only together with it.
    for suffix in ("-wal", "-journal"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    os.link(path, aside)
    sync_to_disk(path.parent)


def _forget_unfinished(path: Path) -> None:
    """Delete the second name that a killed replacement left to the state that stayed."""
    for name in path.parent.glob(f"{path.name}.replaced-*"):
        if path.exists() and name.samefile(path):
            name.unlink()
