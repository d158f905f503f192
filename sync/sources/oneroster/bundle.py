"""A OneRoster bundle: a folder or a zip archive of CSV files, which stay open for one read."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

from sync.errors import SourceError
from sync.records.base import Row
from sync.records.extract import lacking
from sync.sources.csv.encoding import require_encoding
from sync.sources.csv.format import CsvFormat
from sync.sources.csv.reader import CsvTable
from sync.sources.files.archive import ZipArchive
from sync.sources.files.open import OpenFile, disk_errors, open_error, open_file

MANIFEST = "manifest.csv"

_FORM = CsvFormat()
_EXPORT_AGAIN = "have the bundle exported and delivered again, complete"

Check = Callable[[OpenFile], None]
"""Raises a `SourceError` for a file that is not complete or not intact."""


class Table(NamedTuple):
    """One open file of a bundle. Its rows can be read once."""

    name: str
    place: str
    columns: tuple[str, ...]
    rows: Iterator[Row]

    def require(self, *columns: str) -> None:
        """Make sure that the file has these columns.

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
        place: the bundle's name for people.
        opened: the plain files that are open, each with its name in the bundle; for an archive the
            archive itself, with an empty name.
    """

    def __init__(self, place: str, stack: ExitStack) -> None:
        """Take the stack that closes what is opened."""
        self.place, self._stack = place, stack
        self.opened: list[tuple[str, OpenFile]] = []

    def table(self, name: str) -> Table:
        """Open one of the files, and read its header.

        Raises:
            SourceError: the file can't be opened, or its header is not valid.
        """
        place = f"{self.place}/{name}"
        file = self._open(name)
        with disk_errors(place):
            require_encoding(place, file, _FORM.encoding)
        text = self._stack.enter_context(_FORM.open_text(file))
        table = CsvTable(
            place, text, lambda: self._reopen(name), require_unchanged=self.require_unchanged
        )
        columns = table.header()
        return Table(name, place, columns, table.rows(columns))

    def require_unchanged(self) -> None:
        """Make sure that every open file is unchanged.

        Raises:
            SourceError: a file was written to, replaced or removed.
        """
        for _, opened in self.opened:
            opened.require_unchanged()

    @abstractmethod
    def has_file(self, name: str) -> bool:
        """Tell whether the bundle has a file of this name."""

    @abstractmethod
    def _open(self, name: str) -> BinaryIO:
        """Open a file of the bundle until the end of the read."""

    @contextmanager
    def _reopen(self, name: str) -> Iterator[BinaryIO]:
        """Open a file of the bundle once more, for a moment."""
        with self._open(name) as file:
            yield file


class FolderBundle(Bundle):
    """A bundle as a folder of files."""

    def __init__(self, path: Path, place: str, stack: ExitStack, check: Check) -> None:
        """Take the check that each file must pass when it is opened."""
        super().__init__(place, stack)
        self._path, self._check = path, check

    def has_file(self, name: str) -> bool:
        """Tell whether the bundle has a file of this name."""
        path = self._path / name
        try:
            return path.is_file()
        except OSError as error:
            raise open_error(f"{self.place}/{name}", error) from None

    def _open(self, name: str) -> BinaryIO:
        opened = self._stack.enter_context(open_file(self._path / name, f"{self.place}/{name}"))
        self.opened.append((name, opened))
        self._check(opened)
        return opened.file

    @contextmanager
    def _reopen(self, name: str) -> Iterator[BinaryIO]:
        with (self._path / name).open("rb") as file:
            yield file


class ZipBundle(Bundle):
    """A bundle as a zip archive, with the files at its top or in the folder with the manifest."""

    def __init__(self, opened: OpenFile, stack: ExitStack) -> None:
        """Read the archive's list of files.

        Raises:
            SourceError: the archive is damaged, or has several manifests.
        """
        super().__init__(opened.place, stack)
        self.opened.append(("", opened))
        with self._explained_damage():
            archive = ZipArchive(opened.file, self.place, _EXPORT_AGAIN)
        self._archive = stack.enter_context(closing(archive))
        self._files = self._files_of_bundle()

    def has_file(self, name: str) -> bool:
        """Tell whether the bundle has a file of this name."""
        return name in self._files

    def _files_of_bundle(self) -> dict[str, str]:
        """Return the paths of the files in the folder of the manifest, by their names."""
        paths = [(PurePosixPath(path), path) for path in self._archive.names]
        tops = [path.parent for path, _ in paths if path.name == MANIFEST and len(path.parts) <= 2]
        if len(tops) > 1:
            raise SourceError(
                self.place,
                f"contains {len(tops)} files named {MANIFEST}",
                "deliver one bundle at a time",
            )
        files: dict[str, str] = {}
        for path, whole in paths:
            if not tops or path.parent != tops[0]:
                continue
            if path.name in files:
                place = f"{self.place}/{path.name}"
                raise SourceError(place, "is in the archive more than once", _EXPORT_AGAIN)
            files[path.name] = whole
        return files

    def _open(self, name: str) -> BinaryIO:
        with self._explained_damage():
            return self._archive.open(self._files[name], f"{self.place}/{name}")

    @contextmanager
    def _explained_damage(self) -> Iterator[None]:
        """Report that the archive is still being written, where that is why it looks damaged."""
        try:
            yield
        except SourceError:
            self.require_unchanged()
            raise
