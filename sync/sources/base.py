"""What every source is: a strict settings object that can be opened and streamed, row by row.

A new source is one file in this folder, one line in the registry and one subclass of the contract suite in
`tests/sources/`. A source checks its own wholeness: when it cannot be read to its very end, it raises `SourceError`
and nothing of it is used.
"""

from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from sync.model import Row


class SourceSettings(BaseModel):
    """Settings of one source, as they stand in the YAML under `sources:`."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    @abstractmethod
    def place(self, folder: Path) -> str:
        """How rows of this source are named to people, such as `students.csv`; a row adds its line."""

    @abstractmethod
    def columns(self, folder: Path) -> tuple[str, ...]:
        """The column names, read from the source without reading its rows.

        Raises:
            SourceError: the source cannot be opened, or is empty.
        """

    @abstractmethod
    def rows(self, folder: Path) -> Iterator[Row]:
        """Every row, streamed in the source's own order. Relative paths are taken from `folder`.

        Raises:
            SourceError: it cannot be read to its very end; whatever was yielded before must not be used.
        """
