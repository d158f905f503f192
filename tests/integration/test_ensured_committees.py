"""A default committee for tests that have none, as a test without a committee cannot be graded."""

import pytest
from sync.records.base import Kind

from ..support.university import BEFORE, OTHER, TEST, University


@pytest.fixture
def ungraded(university: University) -> University:
    """Two tests, of which one has a grader in a committee."""
    university.add_feeds("staff", "contributor")
    university.register(TEST, "1001")
    university.register(OTHER, "1001")
    university.assign_staff(TEST, "501")
    university.graders.set(f"{TEST} 501", committees="Komité 1")
    university.config["committees"] = {"ensure": "A"}
    return university


def test_a_test_without_any_committee_gets_one_as_a_change_like_any_other(
    ungraded: University,
) -> None:
    assert f"create committee {OTHER}/A" in ungraded.planned("pass")
    assert f"create committee {TEST}/A" not in ungraded.planned()
    assert "the test has no committee, and so could not be graded" in ungraded.plan().out
    ungraded.apply_once()
    assert (ungraded.committees(TEST), ungraded.committees(OTHER)) == (
        {"Komité 1": "GRADING"},
        {"A": "GRADING"},
    )
    assert ungraded.planned() == []


def test_it_stays_when_a_feed_names_committees_later(ungraded: University) -> None:
    ungraded.config["on_absence"] = {"committee": "remove"}
    ungraded.apply_once()
    ungraded.assign_staff(OTHER, "501")
    ungraded.graders.set(f"{OTHER} 501", committees="Komité 2")
    ungraded.apply_cleanly()
    assert set(ungraded.committees(OTHER)) == {"A", "Komité 2"}
    assert ungraded.planned() == []


def test_a_found_test_that_has_a_committee_gets_none(ungraded: University) -> None:
    feeds = ungraded.config["feeds"]
    ungraded.keep_feeds("learner", "test")
    ungraded.config["committees"] = {}
    ungraded.apply_once()
    ungraded.sandbox.edit(committee={"test": OTHER, "name": "Sensur", "type": "GRADING"})
    ungraded.config |= {"feeds": feeds, "committees": {"ensure": "A"}}
    ran = ungraded.apply_cleanly()
    assert "Inspera has a committee of this test already (Sensur): none is created" in ran.out
    assert set(ungraded.committees(OTHER)) == {"Sensur"}
    assert ungraded.planned() == []


def test_a_feed_of_tests_has_its_own_name_or_none(ungraded: University) -> None:
    ungraded.feed("test")["committees"] = {"ensure": "Kommisjon"}
    assert f"create committee {OTHER}/Kommisjon" in ungraded.planned()
    ungraded.feed("test")["committees"] = {}
    assert not any("create committee " + OTHER in one for one in ungraded.planned())


def test_no_committee_is_ensured_while_a_feed_may_still_name_one(ungraded: University) -> None:
    ungraded.graders.raw = b""
    assert ungraded.apply().status == 4
    assert ungraded.committees(OTHER) == {}
    ungraded.graders.raw = None
    ungraded.graders.add(f"{OTHER} 501", duties="lurking")
    assert ungraded.apply().status == 1
    assert ungraded.committees(OTHER) == {}


def test_a_test_that_is_under_way_gets_one_and_one_that_ended_long_ago_does_not(
    ungraded: University,
) -> None:
    ungraded.config["committees"] = {}
    ungraded.apply_once()
    ungraded.config["committees"] = {"ensure": "A"}
    ungraded.at("2026-12-01T09:30")
    assert ungraded.planned("pass") == [f"create committee {OTHER}/A"]
    ungraded.at("2027-02-01T09:30")
    assert f"create committee {OTHER}/A" not in ungraded.planned()
    ungraded.at(BEFORE)


def test_a_job_that_does_not_read_all_who_name_committees_ensures_none(
    ungraded: University,
) -> None:
    ungraded.run_job("tests", Kind.TEST)
    assert ungraded.committees(OTHER) == {}
    ungraded.keep_feeds("learner", "test", "candidate")
    ungraded.run_job("tests", Kind.TEST)
    assert ungraded.committees(OTHER) == {"A": "GRADING"}


def test_a_name_that_is_too_long_is_a_configuration_error(ungraded: University) -> None:
    ungraded.config["committees"] = {"ensure": "A" * 51}
    ran = ungraded.run("check")
    assert ran.status == 2
    assert "committees.ensure: is too long; use no more characters than 50" in ran.err


def test_check_warns_where_no_job_reads_all_who_name_committees(ungraded: University) -> None:
    ungraded.config["jobs"] = {"tests": {"kinds": ["test"], "every": "1h"}}
    ran = ungraded.run("check")
    assert "committees.ensure: has no effect in jobs: none of them reads all feeds" in ran.err
    assert "add a job that reads contributor, test" in ran.err
    ungraded.config["jobs"]["all"] = {"every": "24h"}
    assert "has no effect in jobs" not in ungraded.run("check").err


def test_no_job_of_some_kinds_removes_an_ensured_committee(ungraded: University) -> None:
    ungraded.config["on_absence"] = {"committee": "remove"}
    ungraded.add_feeds("committee")
    ungraded.panels.add(f"{TEST} B")
    ungraded.apply_once()
    for day, kinds in enumerate(([Kind.COMMITTEE], [Kind.COMMITTEE, Kind.TEST]), 2):
        ungraded.at(f"2026-09-0{day}T08:00")
        ungraded.run_job("part", *kinds)
        assert ungraded.writes() == []
    assert set(ungraded.committees(OTHER)) == {"A"}


def test_row_errors_of_kinds_that_name_no_committee_keep_none_away(ungraded: University) -> None:
    ungraded.registrations.add(f"{OTHER} 9999")
    assert ungraded.apply().status == 1
    assert set(ungraded.committees(OTHER)) == {"A"}


def test_from_the_freeze_on_a_row_in_error_keeps_no_committee_away(ungraded: University) -> None:
    ungraded.graders.add(f"{OTHER} 501", duties="lurking")
    assert ungraded.apply().status == 1
    assert ungraded.committees(OTHER) == {}
    ungraded.at("2026-12-01T08:30")
    ungraded.apply()
    assert set(ungraded.committees(OTHER)) == {"A"}


def test_a_test_keeps_its_committee_when_the_configuration_ensures_another_or_none(
    ungraded: University,
) -> None:
    ungraded.config["on_absence"] = {"committee": "remove"}
    ungraded.apply_once()
    for day, settings in enumerate(({"ensure": "Z"}, {}), 2):
        ungraded.at(f"2026-09-0{day}T08:00")
        ungraded.config["committees"] = settings
        ran = ungraded.apply_cleanly()
        assert "it stays until the test has another grading committee in Inspera" in ran.out
        assert set(ungraded.committees(OTHER)) == {"A"}
    # One of a feed takes its place: it is there before the other one goes.
    ungraded.assign_staff(OTHER, "501")
    ungraded.graders.set(f"{OTHER} 501", committees="K")
    ungraded.apply_cleanly()
    assert set(ungraded.committees(OTHER)) == {"A", "K"}
    ungraded.apply_cleanly()
    assert set(ungraded.committees(OTHER)) == {"K"}
