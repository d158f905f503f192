"""Universities to be interrupted: a new one, and one whose first day is already in Inspera."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sync.cli import run

from .site import Site


@pytest.fixture(scope="session")
def today() -> date:
    """The day of these tests; asked once, so that all of them mean the same one."""
    return datetime.now(UTC).date()


@pytest.fixture(scope="session")
def first_day(tmp_path_factory: pytest.TempPathFactory, today: date) -> Path:
    """A folder in which everything of the first day has been applied."""
    folder = tmp_path_factory.mktemp("first-day") / "site"
    folder.mkdir()
    site = Site(folder, today)
    try:
        site.apply()
        assert site.contents() == site.university.expected()
    finally:
        site.close()
    return folder


@pytest.fixture
def new(tmp_path: Path, today: date) -> Iterator[Site]:
    """A university of which Inspera knows nothing yet."""
    site = Site(tmp_path, today)
    yield site
    site.close()


@pytest.fixture
def settled(tmp_path: Path, first_day: Path, today: date) -> Iterator[Site]:
    """A university whose first day has been applied."""
    folder = tmp_path / "site"
    shutil.copytree(first_day, folder)
    with closing(sqlite3.connect(folder / "state.db")) as state, state:
        state.execute("DELETE FROM tenant")  # the copy has a sandbox of its own, at another address
    site = Site(folder, today)
    yield site
    site.close()


@pytest.fixture
def nothing_left(capsys: pytest.CaptureFixture[str]) -> Callable[[Site], bool]:
    """Tells whether a plan on the files as they are finds nothing to do."""

    def plan(site: Site) -> bool:
        status = run(["-c", str(site.configuration()), "plan", "--exit-code"])
        capsys.readouterr()
        return status == 0

    return plan
