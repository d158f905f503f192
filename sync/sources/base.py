"""What every source is: a strict settings object that can be opened, and then streamed row by row.

A new source is one file in this folder, one line in the registry and one subclass of the contract suite in
`tests/sources/`. When a source can't be read to its very end it raises `SourceError`, and nothing of it is used. When
it was read to its end, but something speaks against its being all there is, it says so as a doubt: its rows are used,
and what it lacks proves nothing.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BeforeValidator

from sync.config_base.base import Strict, empty_is_default
from sync.records.base import Row
from sync.records.extract import Extract, Since
from sync.sources.completeness import Completeness


class SourceSettings(Strict):
    """Settings of one source, as they stand in the YAML under `sources:`."""

    unit: ClassVar[str] = "line"
    """What rows are counted in, for people: `students.csv line 7`."""
    departures: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """The columns, with their values, by which a row of such a source says that its record departs."""
    supports_changes: ClassVar[bool] = False
    """Whether it can be asked for what changed since a mark."""

    may_be_delta: ClassVar[bool] = False
    """Whether what it holds may be, by itself, only what changed."""

    completeness: Annotated[Completeness, BeforeValidator(empty_is_default)] = Completeness()
    """What has to hold before this source's word is taken for what it does not name."""

    @abstractmethod
    def place(self, folder: Path) -> str:
        """How this source is named to people before it is opened, such as `students.csv`."""

    @abstractmethod
    def open(self, folder: Path) -> AbstractContextManager[Extract]:
        """Opens it, for one reading. Relative paths are taken from `folder`. What was opened is closed at the end.

        Raises:
            SourceError: it can't be opened, or has not even columns.
        """

    def open_since(self, folder: Path, since: Since) -> AbstractContextManager[Extract]:
        """The same for what changed since a mark, or for everything with a mark; only if `supports_changes`.

        Raises:
            SourceError: as above, or the mark can't be used any more.
        """
        raise NotImplementedError(
            f"{type(self).__name__} can't tell what changed since {since.mark}"
        )

    def selection_text(self, folder: Path) -> str:  # noqa: ARG002 - other sources read a file for it
        """What it is asked, as a text. To another question, what was read before is no answer to lay changes over.

        Raises:
            SourceError: a part of it can't be read.
        """
        return self.model_dump_json(
            exclude={"completeness", "timeout", "connect_timeout", "overlap"}
        )

    def column_names(self, folder: Path) -> tuple[str, ...]:
        """The column names, read from the source without reading its rows.

        Raises:
            SourceError: the source can't be opened.
        """
        with self.open(folder) as extract:
            return extract.columns

    def rows(self, folder: Path) -> Iterator[Row]:
        """Every row, streamed; opened with the first and closed with the last, or when the rows are dropped.

        Raises:
            SourceError: it can't be read to its very end; whatever was yielded before must not be used.
        """
        with self.open(folder) as extract:
            yield from extract.rows
