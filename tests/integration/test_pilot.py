"""A pilot group is kept in step, and all others are left alone (rules 11)."""

import pytest

from ..support.university import OTHER, TEST, University, names


@pytest.fixture
def pilot(university: University) -> University:
    """Two tests with two candidates each, of which only one test is in the pilot group."""
    university.config["only"] = [{"test": TEST}]
    university.register(TEST, "1001", "1002")
    university.register(OTHER, "1003", "1004")
    return university


def test_only_the_pilot_and_what_it_needs_is_created(pilot: University) -> None:
    ran = pilot.apply()
    assert ran.status == 0, ran.output
    assert set(pilot.candidates()) == names(["1001", "1002"])
    assert set(pilot.learners()) == names(["1001", "1002"])
    assert set(pilot.tests()) == {TEST}


def test_what_is_left_alone_is_one_line(pilot: University) -> None:
    plan = pilot.run("plan").out
    assert "Left alone:\n  5 changes: outside the pilot group (`only`); first " in plan
    pilot.apply()
    assert "outside the pilot group" not in pilot.run("status").out


def test_nobody_outside_the_pilot_is_removed_or_counted_by_a_limit(pilot: University) -> None:
    del pilot.config["only"]
    pilot.apply_once()
    pilot.config["only"] = [{"test": OTHER}]
    pilot.registrations.drop(f"{TEST} 1001", f"{TEST} 1002")
    pilot.allow_shrinkage()
    ran = pilot.apply()
    assert ran.status == 0, ran.output
    assert pilot.writes() == []


def test_a_feed_can_have_a_pilot_of_its_own(pilot: University) -> None:
    del pilot.config["only"]
    pilot.feed("candidate")["only"] = [{"person": "100[13]"}]
    pilot.apply_cleanly()
    assert set(pilot.candidates()) == names(["1001"])
    assert set(pilot.candidates(OTHER)) == names(["1003"])
    assert len(pilot.learners()) == 4
