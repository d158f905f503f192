"""A university for each test, with an Inspera of its own and a clock that stands still."""

import pytest

from ..support.fixtures import seated, university
from ..support.university import DURING, OTHER, TEST, University, numbers

__all__ = ["seated", "university"]


@pytest.fixture
def running(university: University) -> University:
    """Three learners on a test that is under way."""
    university.register(TEST, "1001", "1002", "1003")
    university.feed("candidate")["map"]["room"] = "room"
    university.registrations.set(f"{TEST} 1001", number="101", extra="30", room="A")
    university.apply_once()
    university.at(DURING)
    return university


@pytest.fixture
def two(university: University) -> University:
    """Six learners who sit two tests, the second a month after the first."""
    university.register(TEST, *numbers(1001, 6))
    university.exams.add(OTHER, start="04.01.2027 09:00", end="04.01.2027 13:00")
    university.register(OTHER, *numbers(1001, 6))
    university.apply_once()
    return university


@pytest.fixture
def used(university: University) -> University:
    """Five learners on one test, all in Inspera, and three more to come."""
    university.register(TEST, *numbers(1001, 5))
    university.apply_once()
    university.register(TEST, *numbers(1006, 3))
    university.config["inspera"]["workers"] = 1
    return university
