"""Files packed with gzip or zip: unpacked in pieces during the read, and verified to their end."""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from fnmatch import fnmatchcase
from pathlib import PurePath
from typing import TYPE_CHECKING, BinaryIO, Literal, cast

from sync.errors import SourceError
from sync.sources.files.open import disk_errors

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Packing = Literal["auto", "none", "gzip", "zip"]
SUFFIXES: dict[str, Packing] = {".gz": "gzip", ".zip": "zip"}
"""The packing by the end of a file's name."""

_BUFFER = 1 << 16
_DAMAGED = (
    EOFError,
    gzip.BadGzipFile,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    RuntimeError,
    ValueError,
)
"""The errors of the standard library at damaged archives.

The last two come from versions, names and numbers in an archive that are impossible.
"""

_DELIVER_AGAIN = "deliver it again, in binary mode; or correct 'compression'"


def packing_of(path: PurePath, packing: Packing) -> Packing:
    """Return how the file is packed: by the settings, or by the end of its name."""
    return SUFFIXES.get(path.suffix.lower(), "none") if packing == "auto" else packing


@contextmanager
def open_unpacked(
    file: BinaryIO, place: str, packing: Packing, member: str | None = None
) -> Iterator[BinaryIO]:
    """Open the content of a file as a stream. Only a little of it is in memory at a time.

    Args:
        file: the file as it is stored, at its start.
        place: its name for people.
        packing: how it is packed; not `auto`.
        member: which file of a zip archive, by its name or a pattern; None for its only one.

    Raises:
        SourceError: the archive or its member can't be read. Of the stream: the archive is cut off
            or damaged. The checksum is verified at the end of the stream.
    """
    if packing == "gzip":
        with disk_errors(place):
            # The standard library accepts an empty file, but a gzip file has at least a header.
            if not file.read(1):
                raise _damaged(place, "gzip", _DELIVER_AGAIN, EOFError())
            file.seek(0)
        with gzip.GzipFile(fileobj=file) as packed:
            yield io.BufferedReader(_Unpacked(packed, place, packing, _DELIVER_AGAIN), _BUFFER)
    elif packing == "zip":
        with closing(ZipArchive(file, place, _DELIVER_AGAIN)) as archive:
            name = _choose_member(archive.names, place, member)
            with archive.open(name, place) as stream:
                yield stream
    else:
        yield file


class ZipArchive:
    """The files of a zip archive.

    Attributes:
        names: the paths of all files in it.
    """

    def __init__(self, file: BinaryIO, place: str, remedy: str) -> None:
        """Read the list of files.

        Args:
            file: the archive, at its start.
            place: its name for people.
            remedy: what to do about a damaged archive.

        Raises:
            SourceError: the archive is damaged, or is not a zip archive.
        """
        self._remedy = remedy
        try:
            self._archive = zipfile.ZipFile(file)
        except (*_DAMAGED, OSError) as error:  # OSError: an offset that is impossible
            raise _damaged(place, "zip", remedy, error) from None
        self.names = [info.filename for info in self._archive.infolist() if not info.is_dir()]

    def open(self, name: str, place: str) -> BinaryIO:
        """Open one of the files as a stream; `place` is its name for people.

        Raises:
            SourceError: it can't be unpacked. Of the stream: the archive is cut off or damaged.
        """
        info = self._archive.getinfo(name)
        if info.flag_bits & 0x1:
            raise SourceError(place, "is encrypted with a password", "deliver it without one")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # The standard library unpacks other methods without any limit on their memory.
            raise SourceError(
                place,
                "is packed by a method that is not supported",
                "pack it by the usual method, 'deflate'",
            )
        try:
            member = cast("zipfile.ZipExtFile", self._archive.open(info))
        except (*_DAMAGED, OSError) as error:
            raise _damaged(place, "zip", self._remedy, error) from None
        return io.BufferedReader(_Unpacked(member, place, "zip", self._remedy), _BUFFER)

    def close(self) -> None:
        """Close the archive, but not its file."""
        self._archive.close()


class _Unpacked(io.RawIOBase):
    """A stream that reports damage of the archive as a `SourceError`."""

    def __init__(
        self, packed: gzip.GzipFile | zipfile.ZipExtFile, place: str, packing: Packing, remedy: str
    ) -> None:
        super().__init__()
        self._packed, self._place, self._packing, self._remedy = packed, place, packing, remedy

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        try:
            return self._packed.readinto(buffer)
        except _DAMAGED as error:
            raise _damaged(self._place, self._packing, self._remedy, error) from None

    def close(self) -> None:
        self._packed.close()
        super().close()


def _damaged(place: str, packing: Packing, remedy: str, error: Exception) -> SourceError:
    what = "is cut off" if isinstance(error, EOFError) else f"is damaged, or is not {packing}"
    return SourceError(place, f"can't be unpacked: the {packing} file {what}", remedy)


def _choose_member(names: Sequence[str], place: str, wanted: str | None) -> str:
    found = [
        name
        for name in names
        if wanted is None or fnmatchcase(name, wanted) or fnmatchcase(PurePath(name).name, wanted)
    ]
    if len(found) == 1:
        return found[0]
    count = f"{len(found)} files" if found else "no file"
    named = "" if wanted is None else f" named '{wanted}'"
    raise SourceError(
        place, f"contains {count}{named}, instead of one", "set 'member' to the name of one file"
    )
