"""The contract of all sources. The test module of each source subclasses `SourceContract`."""

import os
import tracemalloc
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from pydantic import ValidationError
from sync.config_base.descriptions import description
from sync.errors import SourceError
from sync.sources import SOURCES
from sync.sources.base import SourceSettings

COLUMNS = ("student_no", "given", "family")
PEOPLE = (
    ("500001", "Åse", "Eksempel"),
    ("500002", "Chloé", "Example, the second"),
    ("500003", " Bjørn ", ""),
)
LARGE = 30_000
MEMORY = 4_000_000
"""Bytes that reading a large source may hold at any time, whatever its length."""


def open_files() -> int:
    return len(os.listdir("/dev/fd"))  # noqa: PTH208 - Path.iterdir would not count its own descriptor alike


class SourceContract(ABC):
    """The tests; pytest collects the subclasses, which implement the abstract methods."""

    @abstractmethod
    def make(
        self, folder: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]
    ) -> SourceSettings:
        """Create a source with these rows; a path is relative to `folder`."""

    @abstractmethod
    def absent(self) -> SourceSettings:
        """Return a source that is not there."""

    @abstractmethod
    def damage_end(self, folder: Path) -> None:
        """Make only the end of the source unreadable."""

    @abstractmethod
    def disturb(self, folder: Path) -> None:
        """Change the source so that a read that has begun can't be trusted."""

    def make_large(self, folder: Path, count: int = LARGE) -> SourceSettings:
        return self.make(folder, COLUMNS, ((str(n), f"Given{n}", "Exämple") for n in range(count)))

    def test_it_is_in_the_registry_under_its_type(self) -> None:
        source = self.absent()
        assert SOURCES[source.model_dump()["type"]] is type(source)

    def test_an_unknown_setting_is_refused(self) -> None:
        values = self.absent().model_dump() | {"pth": "x"}
        with pytest.raises(ValidationError, match="pth"):
            type(self.absent()).model_validate(values)

    def test_its_columns_are_read_without_its_rows(self, tmp_path: Path) -> None:
        source = self.make_large(tmp_path, 20_000)
        self.damage_end(tmp_path)
        assert source.column_names(tmp_path) == COLUMNS

    def test_every_row_comes_in_order_with_untouched_values(self, tmp_path: Path) -> None:
        source = self.make(tmp_path, COLUMNS, PEOPLE)
        rows = list(source.rows(tmp_path))
        assert [tuple(row.values[name] for name in COLUMNS) for row in rows] == list(PEOPLE)
        assert [row.line for row in rows] == sorted({row.line for row in rows})

    def test_every_setting_says_what_it_is_for(self) -> None:
        model = type(self.absent())
        assert [name for name in model.model_fields if not description(model, name)] == []

    def test_two_readers_do_not_disturb_each_other(self, tmp_path: Path) -> None:
        source = self.make(tmp_path, COLUMNS, PEOPLE)
        pairs = list(zip(source.rows(tmp_path), source.rows(tmp_path), strict=True))
        assert len(pairs) == len(PEOPLE)
        assert all(one == other for one, other in pairs)

    def test_a_source_without_rows_still_has_columns(self, tmp_path: Path) -> None:
        source = self.make(tmp_path, COLUMNS, [])
        assert source.column_names(tmp_path) == COLUMNS
        assert list(source.rows(tmp_path)) == []

    def test_it_can_be_read_again(self, tmp_path: Path) -> None:
        source = self.make(tmp_path, COLUMNS, PEOPLE)
        assert list(source.rows(tmp_path)) == list(source.rows(tmp_path))

    def test_the_first_rows_come_before_the_end_is_looked_at(self, tmp_path: Path) -> None:
        source = self.make_large(tmp_path, 20_000)
        self.damage_end(tmp_path)
        rows = source.rows(tmp_path)
        assert next(rows).values["student_no"] == "0"
        with pytest.raises(SourceError):
            list(rows)

    def test_a_reading_that_was_interrupted_is_a_source_error(self, tmp_path: Path) -> None:
        source = self.make_large(tmp_path, 20_000)
        rows = source.rows(tmp_path)
        next(rows)
        self.disturb(tmp_path)
        with pytest.raises(SourceError):
            list(rows)

    def test_a_reading_that_nobody_disturbs_ends_well(self, tmp_path: Path) -> None:
        source = self.make_large(tmp_path, 20_000)
        assert sum(1 for _ in source.rows(tmp_path)) == 20_000

    def test_a_source_that_is_not_there_is_a_source_error_that_says_where_and_what_to_do(
        self, tmp_path: Path
    ) -> None:
        source = self.absent()
        for read in (source.column_names, lambda folder: list(source.rows(folder))):
            with pytest.raises(SourceError) as caught:
                read(tmp_path)
            assert caught.value.where.startswith(source.place(tmp_path))
            assert caught.value.remedy
            assert "\n" not in str(caught.value)

    def test_its_place_names_no_line(self, tmp_path: Path) -> None:
        place = self.make(tmp_path, COLUMNS, PEOPLE).place(tmp_path)
        assert place
        assert "line" not in place

    def test_relative_paths_start_at_the_folder_that_is_given(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder, elsewhere = tmp_path / "configuration", tmp_path / "elsewhere"
        folder.mkdir()
        elsewhere.mkdir()
        source = self.make(folder, COLUMNS, PEOPLE)
        monkeypatch.chdir(elsewhere)
        assert len(list(source.rows(folder))) == len(PEOPLE)
        assert str(tmp_path) not in source.place(folder)

    def test_nothing_stays_open_when_the_rows_are_dropped_midway(self, tmp_path: Path) -> None:
        source = self.make_large(tmp_path, 20_000)
        before = open_files()
        rows = source.rows(tmp_path)
        assert open_files() == before
        next(rows)
        assert open_files() > before
        del rows
        assert open_files() == before

    def test_nothing_stays_open_after_an_error(self, tmp_path: Path) -> None:
        source = self.make_large(tmp_path, 20_000)
        self.damage_end(tmp_path)
        before = open_files()
        with pytest.raises(SourceError) as caught:
            list(source.rows(tmp_path))
        assert caught.value.where.startswith(source.place(tmp_path))
        assert caught.value.remedy
        assert open_files() == before

    def test_its_memory_does_not_grow_with_its_length(self, tmp_path: Path) -> None:
        source = self.make_large(tmp_path)
        tracemalloc.start()
        try:
            count = sum(1 for _ in source.rows(tmp_path))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert count == LARGE
        assert peak < MEMORY
