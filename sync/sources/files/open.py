"""Plain files as sources: opened once, and watched for changes during the read."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import BufferedReader
from pathlib import Path

from sync.config_base.durations import rounded_duration
from sync.errors import SourceError


class OpenFile:
    """A plain file that is open for reading, with its status at the time it was opened.

    Attributes:
        path: where it is.
        place: its name for people.
        file: its bytes as they are stored.
    """

    def __init__(self, path: Path, place: str, file: BufferedReader) -> None:
        self.path, self.place, self.file = path, place, file
        self._status = os.fstat(file.fileno())

    @property
    def written_ns(self) -> int:
        """Return when it was last written, in nanoseconds since the epoch."""
        return self._status.st_mtime_ns

    @property
    def size(self) -> int:
        """Return its length in bytes."""
        return self._status.st_size

    def require_unchanged(self) -> None:
        """Make sure that the file is still the one that was opened, and unchanged.

        Raises:
            SourceError: it was written to, replaced or removed.
        """
        opened = _identity(self._status)
        try:
            same = opened == _identity(os.fstat(self.file.fileno())) == _identity(self.path.stat())
        except OSError:
            same = False
        if not same:
            raise SourceError(
                self.place,
                "was changed or replaced while it was read",
                "wait until its export is done, or have the export write it under another name"
                " and rename it when it is complete",
            )


def place_in(folder: Path, path: Path) -> str:
    """Return a file's name for people: relative to `folder` if it is in there, else whole."""
    whole = folder / path
    return str(whole.relative_to(folder) if whole.is_relative_to(folder) else whole)


@contextmanager
def open_file(path: Path, place: str) -> Iterator[OpenFile]:
    """Open the plain file at `path` for one read.

    Raises:
        SourceError: it does not exist, is not a plain file, or may not be read.
    """
    try:
        # Look before opening: opening a named pipe would wait for its writer.
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            reason = "is a folder, not a file" if stat.S_ISDIR(mode) else "is not a plain file"
            raise SourceError(place, reason, "set 'path' to a plain file")
        file = path.open("rb")
    except OSError as error:
        raise open_error(place, error) from None
    with file:
        yield OpenFile(path, place, file)


def age_doubt(written_ns: int, max_age: timedelta | None, now: float) -> str | None:
    """Return the doubt about a file that is older than `max_age`; otherwise None.

    Args:
        written_ns: when it was last written, in nanoseconds since the epoch.
        max_age: how old it may be; None for any age.
        now: the time in seconds since the epoch.
    """
    age = timedelta(seconds=now - written_ns / 1e9)
    if max_age is None or age <= max_age:
        return None
    return (
        f"was written {rounded_duration(age)} ago, {rounded_duration(age - max_age)} more than"
        f" max_age ({rounded_duration(max_age)});"
        " check that its export still runs, or raise max_age"
    )


@contextmanager
def disk_errors(place: str) -> Iterator[None]:
    """Turn an error of the disk inside into a `SourceError`."""
    try:
        yield
    except OSError as error:
        raise SourceError(
            place, f"can't be read ({error.strerror})", "check the disk or the share it is on"
        ) from None


def open_error(place: str, error: OSError) -> SourceError:
    """Return the error for a file or folder that can't be opened."""
    if isinstance(error, FileNotFoundError):
        return SourceError(place, "is not there", "check 'path', and that the export has run")
    denied = isinstance(error, PermissionError)
    remedy = (
        "give the account that runs inspera-sync the right to read it" if denied else "check 'path'"
    )
    return SourceError(place, f"can't be opened ({error.strerror})", remedy)


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
