"""Files that were packed with gzip or zip, unpacked piece by piece while they are read, and checked to their end."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import PurePath
from typing import TYPE_CHECKING, BinaryIO, Literal, cast

from sync.errors import SourceError
from sync.sources.files.open import reading

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Packing = Literal["auto", "none", "gzip", "zip"]
SUFFIXES: dict[str, Packing] = {".gz": "gzip", ".zip": "zip"}
"""By what a file's name ends when it is packed."""

_BUFFER = 1 << 16
_DAMAGED = (
    EOFError,
    gzip.BadGzipFile,
    zipfile.BadZipFile,
    zlib.error,
    RuntimeError,
    ValueError,
)
"""What the standard library raises at damaged archives: the last two at versions and at names that can't be."""


def packing_of(path: PurePath, packing: Packing) -> Packing:
    """How the file is packed: as the settings say, or by the end of its name."""
    return SUFFIXES.get(path.suffix.lower(), "none") if packing == "auto" else packing


@contextmanager
def unpacked(
    file: BinaryIO, place: str, packing: Packing, member: str | None = None
) -> Iterator[BinaryIO]:
    """What is in the file, as a stream. However much it unpacks to, only a little of it is held at a time.

    Args:
        file: the file as it is stored, at its start.
        place: how it is named to people.
        packing: how it is packed; not `auto`.
        member: which file of a zip archive, by its name or a pattern; without it, its only one.

    Raises:
        SourceError: the archive can't be read, or not at the member that is meant. Of the stream: the archive is cut
            off or damaged. The checksum is held against what was unpacked at the stream's end.
    """
    if packing == "gzip":
        with gzip.GzipFile(fileobj=_not_empty(file, place)) as packed:
            yield _stream(packed.readinto, place, packing)
    elif packing == "zip":
        with _archive(file, place) as archive, _member(archive, place, member) as packed:
            yield _stream(packed.readinto, place, packing)
    else:
        yield file


class _Unpacked(io.RawIOBase):
    """Reads on, and tells damage of the archive as an error of the source."""

    def __init__(
        self, read: "Callable[[WriteableBuffer], int]", place: str, packing: Packing
    ) -> None:
        super().__init__()
        self._read, self._place, self._packing = read, place, packing

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        try:
            return self._read(buffer)
        except _DAMAGED as error:
            raise _damaged(self._place, self._packing, error) from None


def _stream(read: "Callable[[WriteableBuffer], int]", place: str, packing: Packing) -> BinaryIO:
    return io.BufferedReader(_Unpacked(read, place, packing), _BUFFER)


def _damaged(place: str, packing: Packing, error: Exception) -> SourceError:
    cut = "is cut off" if isinstance(error, EOFError) else "is damaged, or none"
    reason = f"can't be unpacked: the {packing} file {cut}"
    return SourceError(
        place, reason, "deliver it again, in binary mode; or set 'compression' to what it is"
    )


def _not_empty(file: BinaryIO, place: str) -> BinaryIO:
    """The standard library takes an empty file for one that holds nothing; but whatever is packed has a length."""
    with reading(place):
        if not file.read(1):
            raise _damaged(place, "gzip", EOFError())
        file.seek(0)
    return file


@contextmanager
def _opening(place: str) -> Iterator[None]:
    try:
        yield
    except (*_DAMAGED, OSError) as error:  # at places in it that can't be, the system says no
        raise _damaged(place, "zip", error) from None


def _archive(file: BinaryIO, place: str) -> zipfile.ZipFile:
    with _opening(place):
        return zipfile.ZipFile(file)


def _member(archive: zipfile.ZipFile, place: str, wanted: str | None) -> zipfile.ZipExtFile:
    info = _chosen(archive, place, wanted)
    if info.flag_bits & 0x1:
        raise SourceError(place, "is encrypted with a password", "deliver it without one")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # Others are unpacked by the standard library without a bound to what they may grow to in memory.
        raise SourceError(
            place,
            "is packed by a method that is not read here",
            "pack it by the usual one, 'deflate'",
        )
    with _opening(place):
        return cast("zipfile.ZipExtFile", archive.open(info))


def _chosen(archive: zipfile.ZipFile, place: str, wanted: str | None) -> zipfile.ZipInfo:
    found = [
        info
        for info in archive.infolist()
        if not info.is_dir() and _is_named(info.filename, wanted)
    ]
    if len(found) == 1:
        return found[0]
    holds = f"holds {len(found)} files" if found else "holds no file"
    named = "" if wanted is None else f" named '{wanted}'"
    raise SourceError(
        place, f"{holds}{named}, and has to hold one", "name the one that is meant by 'member'"
    )


def _is_named(name: str, wanted: str | None) -> bool:
    return wanted is None or fnmatchcase(name, wanted) or fnmatchcase(PurePath(name).name, wanted)
