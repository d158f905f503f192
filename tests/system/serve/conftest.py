"""Universities with a service."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from .served_university import ServedUniversity


@pytest.fixture(scope="session")
def today() -> date:
    """The day of these tests; asked once, so that all of them mean the same one."""
    return datetime.now(UTC).date()


@pytest.fixture
def university(tmp_path: Path, today: date) -> Iterator[ServedUniversity]:
    """A university of which Inspera knows nothing yet."""
    university = ServedUniversity(tmp_path, today)
    yield university
    university.close()
