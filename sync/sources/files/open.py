"""Files as sources: how they are named to people, opened once, and watched for changes while they are read."""

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
    """A plain file that is open for reading, and what it was like when it was opened.

    Attributes:
        path: where it is.
        place: how it is named to people.
        file: its bytes as they are stored.
    """

    def __init__(self, path: Path, place: str, file: BufferedReader) -> None:
        self.path, self.place, self.file = path, place, file
        self._status = os.fstat(file.fileno())

    @property
    def written_ns(self) -> int:
        """When it was last written, in nanoseconds since the epoch."""
        return self._status.st_mtime_ns

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return self._status.st_size

    def refuse_change(self) -> None:
        """Makes sure that the file is still the one that was opened, as it was then.

        Raises:
            SourceError: it was written to, replaced or removed.
        """
        opened = _identity(self._status)
        try:
            same = opened == _identity(os.fstat(self.file.fileno())) == _identity(self.path.stat())
        except OSError:
            same = False
        if not same:
            remedy = "wait until it is written, or write it under another name and rename it when it is whole"
            raise SourceError(self.place, "was changed or replaced while it was read", remedy)


def place_in(folder: Path, path: Path) -> str:
    """How a file is named to people: from `folder` on when it is in there, otherwise by its whole path."""
    whole = folder / path
    return str(whole.relative_to(folder) if whole.is_relative_to(folder) else whole)


@contextmanager
def open_file(path: Path, place: str) -> Iterator[OpenFile]:
    """The plain file at `path`, for one reading.

    Raises:
        SourceError: it is not there, is no plain file, or may not be read.
    """
    with _opened(path, place) as file:
        yield OpenFile(path, place, file)


def age_doubt(written_ns: int, most: timedelta | None, now: float) -> str:
    """What is to be said about a file that is older than `most`; empty when it isn't, or may have any age.

    Args:
        written_ns: when it was last written, in nanoseconds since the epoch.
        most: how old it may be.
        now: the time in seconds since the epoch.
    """
    age = timedelta(seconds=now - written_ns / 1e9)
    if most is None or age <= most:
        return ""
    return (
        f"was written {rounded_duration(age)} ago, {rounded_duration(age - most)} more than max_age ({rounded_duration(most)}); "
        "see whether its export still runs, or raise max_age"
    )


@contextmanager
def reading(place: str) -> Iterator[None]:
    """Turns a disk that fails inside into a `SourceError`."""
    try:
        yield
    except OSError as error:
        raise SourceError(
            place, f"can't be read ({error.strerror})", "see to the disk or the share it is on"
        ) from None


def open_failure(place: str, error: OSError) -> SourceError:
    """What to say and to do about a file or folder that can't be opened."""
    if isinstance(error, FileNotFoundError):
        return SourceError(place, "is not there", "check 'path', and that the export has run")
    denied = isinstance(error, PermissionError)
    remedy = "give the account that runs this the right to read it" if denied else "check 'path'"
    return SourceError(place, f"can't be opened ({error.strerror})", remedy)


def _opened(path: Path, place: str) -> BufferedReader:
    try:
        # Looked at before opening: opening a named pipe would wait for its writer.
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            return path.open("rb")
    except OSError as error:
        raise open_failure(place, error) from None
    reason = "is a folder, not a file" if stat.S_ISDIR(mode) else "is not a plain file"
    raise SourceError(place, reason, "set 'path' to a plain file")


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
