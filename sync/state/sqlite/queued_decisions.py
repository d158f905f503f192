"""Decisions of people in private files next to a state in a file, until a run takes them over.

A run that holds the state would keep a person waiting for hours. A file can be written at once.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection

from sync.planning.decided import DecidedChange
from sync.records.base import Kind
from sync.state import decisions
from sync.state.sqlite.private_files import write_private
from sync.state.staging.scratch import key_from


def write(path: Path, decided: Sequence[DecidedChange]) -> None:
    """Write decisions into a file of their own.

    Raises:
        OSError: it can't be written.
    """
    content = json.dumps([decisions.to_row(one) for one in decided], ensure_ascii=False)
    # Named so that files sort in the order in which they were written.
    first = decided[0].at.replace(":", "")
    file = path.with_name(f"{path.name}.decided-{first}-{uuid4().hex[:8]}")
    owner = path.parent.stat()
    # Given with sudo: the service must be able to read it, and to delete it.
    by_root = os.geteuid() == 0 and owner.st_uid != 0
    write_private(file, content.encode(), owner if by_root else None)


def files(path: Path) -> list[Path]:
    """Return the files with decisions, in their order."""
    found = path.parent.glob(f"{path.name}.decided-*")
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
    """Move the decisions of all files into the state.

    Raises:
        OSError: a file can't be read or deleted.
    """
    found = files(path)
    if not found:
        return
    decisions.store(connection, read(found))
    # First the rows: a kill in between stores the same decisions twice, which changes nothing.
    connection.commit()
    for file in found:
        file.unlink(missing_ok=True)
