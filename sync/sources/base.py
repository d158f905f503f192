"""The interface of all sources: strict settings that can be opened and then streamed row by row.

A source that can't be read to its very end raises `SourceError`, and none of its rows are used. A
source that was read to its end but may be incomplete reports a doubt: its rows are used, and the
absence of a record proves nothing (rules 5).
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, ClassVar, Protocol

from pydantic import BeforeValidator

from sync.config_base.base import Strict, empty_is_default
from sync.records.base import Row
from sync.records.extract import Extract, Since
from sync.sources.completeness import Completeness


class Watcher(Protocol):
    """Notices that a source has something new."""

    def is_new(self) -> bool:
        """Tell whether a complete delivery is there that was not there at the last question.

        At the first question everything is new. It returns within seconds.

        Raises:
            SourceError: the source can't be asked now; ask again later.
        """

    def close(self) -> None:
        """Release what it holds."""


class SourceSettings(Strict):
    """Settings of one source, as they are in the YAML under `sources:`."""

    unit: ClassVar[str] = "line"
    """What rows are counted in, for people: `students.csv line 7`."""
    departures: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """The columns and values by which a row of this source marks its record as departed."""
    supports_changes: ClassVar[bool] = False
    """Whether the source can return only what changed since a mark."""
    may_be_delta: ClassVar[bool] = False
    """Whether a delivery may, by its nature, contain only what changed."""

    completeness: Annotated[Completeness, BeforeValidator(empty_is_default)] = Completeness()
    """What must hold before the absence of a record in this source means anything."""

    @abstractmethod
    def place(self, folder: Path) -> str:
        """Return the name of this source for people before it is opened, such as `students.csv`."""

    @abstractmethod
    def open(self, folder: Path) -> AbstractContextManager[Extract]:
        """Open the source for one read, and close it at the end.

        Relative paths start at `folder`.

        Raises:
            SourceError: the source can't be opened, or its columns can't be read.
        """

    def open_since(self, folder: Path, since: Since) -> AbstractContextManager[Extract]:
        """Open the source for a read of what changed since a mark; only if `supports_changes`.

        Without a mark, read everything, and provide the mark for the next read.

        Raises:
            SourceError: as for `open`, or the mark can't be used any more.
        """
        raise NotImplementedError(f"{type(self).__name__} can't read changes since {since.mark}")

    def selection_text(self, folder: Path) -> str:  # noqa: ARG002 - other sources read a file for it
        """Return what the source is asked for, as a text.

        If this text changes, changes must not be applied to what was read before it changed.

        Raises:
            SourceError: a part of it can't be read.
        """
        return self.model_dump_json(
            exclude={
                "completeness",
                "timeout",
                "connect_timeout",
                "overlap",
                "moved_into_place",
                "listen",
            }
        )

    def watcher(self, folder: Path) -> Watcher | None:  # noqa: ARG002 - most sources have none
        """Return what notices a new delivery; None if this source can't tell when it is complete.

        Relative paths start at `folder`.
        """
        return None

    def column_names(self, folder: Path) -> tuple[str, ...]:
        """Return the column names without reading any row.

        Raises:
            SourceError: the source can't be opened.
        """
        with self.open(folder) as extract:
            return extract.columns

    def rows(self, folder: Path) -> Iterator[Row]:
        """Yield every row. The source is open from the first row until the last, or until dropped.

        Raises:
            SourceError: the source can't be read to its very end; no row of it must be used.
        """
        with self.open(folder) as extract:
            yield from extract.rows
