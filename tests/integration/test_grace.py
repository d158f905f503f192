"""The grace before a removal: a record that is absent only now and then causes no call (rules 5)."""

import re

import pytest

from ..support.university import TEST, University, names, numbers

FIRST, LATER, NEXT_DAY = "2026-09-01T08:00", "2026-09-01T08:30", "2026-09-02T08:00"
SEAT = f"{TEST} 1002"


@pytest.fixture
def graced(seated: University) -> University:
    """Three learners on one test, and the grace of the defaults."""
    del seated.config["grace"]
    return seated


def absent_now(university: University, at: str) -> list[str]:
    """Apply at this time without a registration; return who is still on the test."""
    university.at(at)
    if any(row["student_no"] == "1002" for row in university.registrations.rows):
        university.registrations.drop(SEAT)
    university.apply_cleanly()
    return sorted(university.candidates())


def test_the_first_reading_without_a_candidate_removes_nobody(graced: University) -> None:
    assert "s1002" in absent_now(graced, FIRST)
    plan = graced.plan()
    assert plan.status == 0
    assert "remove candidate INF1000-H26 / 1002: absent since 2026-09-01 10:00" in plan.out
    assert "; goes with the first reading after 2026-09-01 11:00" in plan.out


def test_a_candidate_goes_with_the_second_reading_when_enough_time_has_passed(
    graced: University,
) -> None:
    assert "s1002" in absent_now(graced, FIRST)
    assert "s1002" in absent_now(graced, LATER)
    assert "s1002" not in absent_now(graced, "2026-09-01T09:00")


def test_a_person_back_within_the_grace_causes_no_call_and_counts_anew(graced: University) -> None:
    absent_now(graced, FIRST)
    graced.registrations.add(SEAT)
    graced.apply_cleanly()
    assert graced.writes() == []
    assert "s1002" in absent_now(graced, NEXT_DAY)
    assert graced.writes() == []


def test_a_feed_that_flaps_every_night_causes_no_call(graced: University) -> None:
    for night in range(2, 8):
        if night % 2:
            graced.registrations.add(SEAT)
            graced.at(f"2026-09-0{night}T02:00")
            graced.apply_cleanly()
        else:
            absent_now(graced, f"2026-09-0{night}T02:00")
        assert graced.writes() == []
    assert set(graced.candidates()) == names(["1001", "1002", "1003"])


def test_a_plan_counts_nothing(graced: University) -> None:
    graced.registrations.drop(SEAT)
    for _ in range(3):
        assert "absent in 1 of 2 readings" in graced.plan().out
    assert "s1002" in absent_now(graced, NEXT_DAY)


def test_a_reading_of_an_unhealthy_source_does_not_count(graced: University) -> None:
    graced.registrations.raw = b""
    graced.at(FIRST)
    assert graced.apply().status == 4
    graced.registrations.raw = None
    assert "s1002" in absent_now(graced, NEXT_DAY)


def test_a_row_that_says_so_needs_no_grace(graced: University) -> None:
    graced.feed("candidate")["departure"] = {"number": "gone"}
    graced.registrations.set(SEAT, number="gone")
    graced.apply_cleanly()
    assert "s1002" not in graced.candidates()


def test_a_person_can_allow_a_removal_within_the_grace(graced: University) -> None:
    graced.registrations.drop(SEAT, f"{TEST} 1003")
    plan = graced.plan()
    assert "remove 2 candidates: absent in 1 of 2 readings" in plan.out
    graced.apply("--allow", plan.allow_hash)
    assert set(graced.candidates()) == {"s1001"}


def test_what_is_allowed_within_the_grace_is_still_counted_by_the_limits(
    graced: University,
) -> None:
    graced.allow_shrinkage()
    graced.register(TEST, *numbers(1004, 17))
    graced.apply_cleanly()
    graced.registrations.drop(*(f"{TEST} {number}" for number in numbers(1004, 15)))
    (digest,) = set(re.findall(r"now: apply --allow (\w+)", graced.plan().out))
    ran = graced.apply("--allow", digest)
    assert ran.status == 3
    assert len(graced.candidates()) == 20
    assert "15 of 20 known is more than max(10, 10% up to 500) = 10" in ran.out
    both = {*re.findall(r"--allow (\w+)", ran.out), digest}
    assert graced.apply(*(word for one in both for word in ("--allow", one))).status == 0
    assert len(graced.candidates()) == 5


def test_staff_stay_for_a_week_and_their_roles_do_not(university: University) -> None:
    del university.config["grace"]
    university.add_feeds("staff", "contributor")
    university.keep_feeds("test", "staff", "contributor")
    university.assign_staff(TEST, "2001", "2002", "2003")
    university.allow_shrinkage()
    university.apply_once()
    university.employees.drop("2003")
    university.graders.drop(f"{TEST} 2003")
    university.apply_cleanly()
    university.at(NEXT_DAY)
    university.apply_cleanly()
    assert len(university.contributors()) == 2
    assert "disable staff 2003" not in university.planned("pass")
    university.at("2026-09-08T08:00")
    assert "disable staff 2003" in university.planned("pass")
