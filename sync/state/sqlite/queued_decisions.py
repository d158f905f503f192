"""Decisions of people, and audit notes, in private files next to a state in a file.

The next holder of the lock takes them over.

A run that holds the state would keep a person waiting for hours. A file can be written at once.
"""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from sqlalchemy import Connection

from sync.planning.decided import DecidedChange
from sync.records.base import Kind
from sync.state import decisions
from sync.state.audit import notes
from sync.state.audit.notes import Note, new_order, notes_of
from sync.state.sqlite.private_files import write_private
from sync.state.staging.scratch import key_from


def write(path: Path, decided: Sequence[DecidedChange]) -> None:
    """Write decisions into a file of their own.

    Raises:
        OSError: it can't be written.
    """
    rows = [decisions.to_row(one) for one in decided]
    _write(path, "decided", decided[0].at, rows)


def write_note(path: Path, note: Note) -> None:
    """Write a note for the audit log into a file of its own.

    Raises:
        OSError: it can't be written.
    """
    _write(path, "noted", note.at, asdict(note))


def _write(path: Path, what: str, at: str, content: object) -> None:
    # Named so that files sort in the order in which they were written.
    file = path.with_name(f"{path.name}.{what}-{at.replace(':', '')}-{new_order()}")
    owner = path.parent.stat()
    # Given with sudo: the service must be able to read it, and to delete it.
    by_root = os.geteuid() == 0 and owner.st_uid != 0
    text = json.dumps(content, ensure_ascii=False)
    write_private(file, text.encode(), owner if by_root else None)


def files(path: Path) -> list[Path]:
    """Return the files with decisions, in their order."""
    return _files(path, "decided")


def _files(path: Path, what: str) -> list[Path]:
    found = path.parent.glob(f"{path.name}.{what}-*")
    return sorted(file for file in found if file.suffix != ".new")


def read(found: Sequence[Path]) -> list[DecidedChange]:
    """Return the decisions in these files. One that nobody could have written so has none.

    Raises:
        OSError: a file can't be read.
    """
    read: list[DecidedChange] = []
    for file in found:
        try:
            read += [_decided(row) for row in json.loads(file.read_text("utf-8"))]
        except FileNotFoundError:
            continue  # A run has taken it over since.
        except (ValueError, KeyError, TypeError):
            continue
    return read


def _decided(row: dict[str, str]) -> DecidedChange:
    kind = Kind(row["kind"])
    return DecidedChange(
        row["digest"],
        kind,
        key_from(kind, row["k1"], row["k2"]),
        row["verdict"],
        row["person"],
        row["why"],
        row["at"],
        row["expires"],
    )


def take(path: Path, connection: Connection) -> None:
    """Move the decisions of all files into the state, each with its line of the audit log.

    Raises:
        OSError: a file can't be read or deleted.
    """

    def store(file: Path) -> list[Note]:
        decided = read([file])
        decisions.store(connection, decided)
        return notes_of(decided)

    _take(connection, files(path), store)


def take_notes(path: Path, connection: Connection) -> None:
    """Append the notes of all files to the audit log.

    Raises:
        OSError: a file can't be read or deleted.
    """
    _take(connection, _files(path, "noted"), _read_note)


def _read_note(file: Path) -> list[Note]:
    try:
        return [Note.of(json.loads(file.read_text("utf-8")))]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return []  # not written by this program


def _take(
    connection: Connection, found: Sequence[Path], store: Callable[[Path], list[Note]]
) -> None:
    if not found:
        return
    for file in found:
        # A kill before its file is deleted must not give a second line.
        if notes.take_name(connection, file.name):
            notes.append(connection, store(file))
    connection.commit()
    for file in found:
        file.unlink(missing_ok=True)
        notes.drop_name(connection, file.name)
    connection.commit()
