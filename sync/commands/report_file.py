"""The file of a report: complete or not there, for its owner alone, never over another file."""

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from sync.errors import UsageError
from sync.report.report_model import DOCUMENT

_BEGINNING = 200
"""Bytes within which a report says that it is one."""


def check_replaceable(path: Path, *, force: bool) -> None:
    """Make sure that a report may be written there.

    Raises:
        UsageError: its folder is missing, or another file is there.
    """
    if not path.parent.is_dir():
        raise UsageError(f"{path}: its folder does not exist; create it or name another file")
    if not path.exists():
        return
    if not path.is_file():
        raise UsageError(f"{path}: is not a file; name another one")
    if force:
        return
    try:
        with path.open("rb") as file:
            beginning = file.read(_BEGINNING)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; name another file") from None
    if beginning and DOCUMENT.encode() not in beginning:
        raise UsageError(
            f"{path}: exists and is not a report; name another file, or give --force to replace it"
        )


def write_file(path: Path, pieces: Iterable[str]) -> None:
    """Write a report with mode 0600; a file with that name is replaced once all is written.

    Raises:
        UsageError: it can't be written.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; free space or name another file") from None
    finally:
        with suppress(OSError):
            beside.unlink()
