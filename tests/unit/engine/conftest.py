"""An empty state for each test of the engine."""

from collections.abc import Iterator

import pytest

from .tenant import Book, opened


@pytest.fixture
def book() -> Iterator[Book]:
    """A state in memory with its journal."""
    with opened() as book:
        yield book
