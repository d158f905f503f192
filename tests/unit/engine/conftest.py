"""An empty state for each test of the engine."""

from collections.abc import Iterator

import pytest

from .state_with_journal import StateWithJournal, opened


@pytest.fixture
def book() -> Iterator[StateWithJournal]:
    """A state in memory with its journal."""
    with opened() as book:
        yield book
