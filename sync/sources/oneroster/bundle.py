"""A OneRoster bundle: a folder or a zip archive of CSV files, whose files stay open for one reading."""

import io
import struct
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

from sync.errors import SourceError
from sync.records.base import Row
from sync.records.extract import lacking
from sync.sources.csv.encoding import refuse_other_encoding
from sync.sources.csv.reader import CsvForm, CsvTable
from sync.sources.files.open import OpenFile, open_failure, open_file, reading

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MANIFEST = "manifest.csv"

_FORM = CsvForm()
_BUFFER = 1 << 16
_AGAIN = "have the bundle exported and delivered again, whole"
_DAMAGED = (
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    RuntimeError,
    ValueError,
    OSError,
)
"""What the standard library raises at damaged archives. `ValueError` comes of numbers in them that can't be."""

Check = Callable[[OpenFile], None]
"""Raises a `SourceError` at a file that is not complete or not what was sent."""


class Table(NamedTuple):
    """One file of a bundle that is open. Its rows can be read once."""

    name: str
    place: str
    columns: tuple[str, ...]
    rows: Iterator[Row]

    def require(self, *columns: str) -> None:
        """Makes sure that it has these columns.

        Raises:
            SourceError: one is missing.
        """
        for column in columns:
            if column not in self.columns:
                reason, _ = lacking([column], self.columns, "")
                raise SourceError(
                    self.place, reason, "have it exported with all columns of OneRoster"
                )


class Bundle(ABC):
    """The files of one delivery.

    Attributes:
        place: how the bundle is named to people.
        opened: the plain files that were opened for it, each with its name in the bundle; empty for an archive.
    """

    def __init__(self, place: str, stack: ExitStack) -> None:
        """What it opens is closed with `stack`."""
        self.place, self._stack = place, stack
        self.opened: list[tuple[str, OpenFile]] = []

    def table(self, name: str) -> Table:
        """Opens one of its files and reads the header.

        Raises:
            SourceError: it can't be opened, or has no sound header.
        """
        place = f"{self.place}/{name}"
        file = self._open(name)
        with reading(place):
            refuse_other_encoding(place, file, _FORM.encoding)
        text = self._stack.enter_context(_FORM.text(file))
        table = CsvTable(place, text, lambda: self._again(name), refuse_change=self.refuse_change)
        columns = table.header()
        return Table(name, place, columns, table.rows(columns))

    def refuse_change(self) -> None:
        """Makes sure that everything that was opened is still as it was then.

        Raises:
            SourceError: something was written to, replaced or removed.
        """
        for _, opened in self.opened:
            opened.refuse_change()

    @abstractmethod
    def holds(self, name: str) -> bool:
        """Whether it has a file of this name."""

    @abstractmethod
    def _open(self, name: str) -> BinaryIO:
        """Opens a file of it, until the end."""

    @contextmanager
    def _again(self, name: str) -> Iterator[BinaryIO]:
        """Opens a file of it once more, for a moment."""
        with self._open(name) as file:
            yield file


class Folder(Bundle):
    """A folder that holds the files themselves."""

    def __init__(self, path: Path, place: str, stack: ExitStack, check: Check) -> None:
        """`check` is for each of its files."""
        super().__init__(place, stack)
        self._path, self._check = path, check

    def holds(self, name: str) -> bool:
        """Whether it has a file of this name."""
        path = self._path / name
        try:
            return path.is_file()
        except OSError as error:
            raise open_failure(f"{self.place}/{name}", error) from None

    def _open(self, name: str) -> BinaryIO:
        opened = self._stack.enter_context(open_file(self._path / name, f"{self.place}/{name}"))
        self.opened.append((name, opened))
        self._check(opened)
        return opened.file

    @contextmanager
    def _again(self, name: str) -> Iterator[BinaryIO]:
        with (self._path / name).open("rb") as file:
            yield file


class Archive(Bundle):
    """A zip archive with the files at its top, or in the one folder that has the manifest."""

    def __init__(self, opened: OpenFile, stack: ExitStack) -> None:
        """Reads the archive's list of files.

        Raises:
            SourceError: it is no sound archive, or has several manifests.
        """
        super().__init__(opened.place, stack)
        self.opened.append(("", opened))
        try:
            self._archive = stack.enter_context(zipfile.ZipFile(opened.file))
        except _DAMAGED:
            opened.refuse_change()  # one that is being written is damaged in any way
            raise self._damaged(self.place) from None
        self._files = self._at_the_top(
            [info for info in self._archive.infolist() if not info.is_dir()]
        )

    def holds(self, name: str) -> bool:
        """Whether it has a file of this name."""
        return name in self._files

    def _at_the_top(self, every: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
        """The files that lie beside the manifest, by their names."""
        paths = [(PurePosixPath(info.filename), info) for info in every]
        tops = [path.parent for path, _ in paths if path.name == MANIFEST and len(path.parts) <= 2]
        if len(tops) > 1:
            raise SourceError(
                self.place,
                f"holds {len(tops)} files named {MANIFEST}",
                "deliver one bundle at a time",
            )
        beside = [(path.name, info) for path, info in paths if tops and path.parent == tops[0]]
        files = dict(beside)
        if len(files) < len(beside):
            name = next(name for name, info in beside if files[name] is not info)
            raise SourceError(f"{self.place}/{name}", "is in the archive more than once", _AGAIN)
        return files

    def _open(self, name: str) -> BinaryIO:
        info, place = self._files[name], f"{self.place}/{name}"
        if info.flag_bits & 0x1:
            raise SourceError(place, "is encrypted with a password", "deliver it without one")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # Others are unpacked by the standard library without a bound to what they may grow to in memory.
            raise SourceError(
                place,
                "is packed by a method that is not read here",
                "pack it by the usual one, 'deflate'",
            )
        try:
            member = cast("zipfile.ZipExtFile", self._archive.open(info))
        except _DAMAGED:
            self.refuse_change()
            raise self._damaged(place) from None
        return io.BufferedReader(_Member(member, self._damaged(place)), _BUFFER)

    def _damaged(self, place: str) -> SourceError:
        return SourceError(
            place, "can't be unpacked: the zip archive is cut off, is damaged, or is none", _AGAIN
        )


class _Member(io.RawIOBase):
    """Reads a file of an archive, and tells damage as an error of the source."""

    def __init__(self, member: zipfile.ZipExtFile, damaged: SourceError) -> None:
        super().__init__()
        self._member, self._error = member, damaged

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        try:
            return self._member.readinto(buffer)
        except _DAMAGED:
            raise self._error from None

    def close(self) -> None:
        self._member.close()
        super().close()
