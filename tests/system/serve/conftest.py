"""Universities with a service."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from .site import Served


@pytest.fixture(scope="session")
def today() -> date:
    """The day of these tests; asked once, so that all of them mean the same one."""
    return datetime.now(UTC).date()


@pytest.fixture
def site(tmp_path: Path, today: date) -> Iterator[Served]:
    """A university of which Inspera knows nothing yet."""
    site = Served(tmp_path, today)
    yield site
    site.close()
