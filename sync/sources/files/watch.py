"""The watch on a folder: is a complete delivery there that was not there before?

The folder is looked at, and not subscribed to: that works on network shares as well, where the
system notifies nobody.
"""

import hashlib
from pathlib import Path

from sync.errors import SourceError
from sync.sources.files.delivery import Delivery, companion_of
from sync.sources.files.open import open_file

_State = tuple[object, ...]


class DeliveryWatch:
    """Notices the newest complete delivery of a path or a pattern (see `Watcher`)."""

    def __init__(self, path: Path, delivery: Delivery, place: str) -> None:
        self._path, self._delivery, self._place = path, delivery, place
        self._seen: _State | None = None
        self._refused: _State | None = None

    def is_new(self) -> bool:
        """Tell whether a complete delivery is there that was not there at the last question.

        Raises:
            SourceError: the folder can't be read.
        """
        state = self._state()
        if state is None or state in (self._seen, self._refused):
            return False
        if not self._is_complete():
            # Not read again before something changes: a large file takes a while to sum up.
            self._refused = state if state == self._state() else None
            return False
        if state != self._state():
            return False  # written while it was looked at
        self._seen = state
        return True

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _state(self) -> _State | None:
        """Return what tells one delivery from the next; None if none is there."""
        try:
            path = self._delivery.choose(self._path, self._place)
            proofs = [
                companion_of(path, name)
                for name in (self._delivery.done_marker, self._delivery.sha256)
                if name
            ]
            return tuple(map(_identity, (path, *proofs)))
        except (SourceError, FileNotFoundError):
            return None  # not there yet
        except OSError as error:
            reason = (error.strerror or "unknown reason").lower()
            raise SourceError(self._place, f"can't be watched ({reason})", "") from None

    def _is_complete(self) -> bool:
        try:
            path = self._delivery.choose(self._path, self._place)
            if path.is_dir():
                return self._folder_is_complete(path)
            with open_file(path, self._place) as opened:
                self._delivery.require_proofs(opened)
        except SourceError:
            return False
        return True

    def _folder_is_complete(self, folder: Path) -> bool:
        for file in sorted(folder.glob("*.csv")):
            with open_file(file, self._place) as opened:
                self._delivery.require_proofs(opened)
        return True


def _identity(path: Path) -> _State:
    status = path.stat()
    found: _State = (str(path), status.st_ino, status.st_size, status.st_mtime_ns)
    if not path.is_dir():
        return found
    names = sorted(path.iterdir())
    digest = hashlib.blake2b(digest_size=16)
    for one in names:
        status = one.stat()
        digest.update(
            f"{one.name}\0{status.st_ino}\0{status.st_size}\0{status.st_mtime_ns}\0".encode()
        )
    return (*found, digest.digest())
