"""Universities to be interrupted: a new one, and one whose first day is already in Inspera."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sync.cli import run

from ...support.process_university import ProcessUniversity


@pytest.fixture(scope="session")
def today() -> date:
    """The day of these tests; asked once, so that all of them mean the same one."""
    return datetime.now(UTC).date()


@pytest.fixture(scope="session")
def first_day(tmp_path_factory: pytest.TempPathFactory, today: date) -> Path:
    """A folder in which everything of the first day has been applied."""
    folder = tmp_path_factory.mktemp("first-day") / "site"
    folder.mkdir()
    university = ProcessUniversity(folder, today)
    try:
        university.apply()
        assert university.contents() == university.rows.expected()
    finally:
        university.close()
    return folder


@pytest.fixture
def new(tmp_path: Path, today: date) -> Iterator[ProcessUniversity]:
    """A university of which Inspera knows nothing yet."""
    university = ProcessUniversity(tmp_path, today)
    yield university
    university.close()


@pytest.fixture
def settled(tmp_path: Path, first_day: Path, today: date) -> Iterator[ProcessUniversity]:
    """A university whose first day has been applied."""
    folder = tmp_path / "site"
    shutil.copytree(first_day, folder)
    with closing(sqlite3.connect(folder / "state.db")) as state, state:
        state.execute("DELETE FROM tenant")  # the copy has a sandbox of its own, at another address
    university = ProcessUniversity(folder, today)
    yield university
    university.close()


@pytest.fixture
def nothing_left(capsys: pytest.CaptureFixture[str]) -> Callable[[ProcessUniversity], bool]:
    """Tells whether a plan on the files as they are finds nothing to do."""

    def plan(university: ProcessUniversity) -> bool:
        status = run(["-c", str(university.configuration()), "plan", "--exit-code"])
        capsys.readouterr()
        return status == 0

    return plan
