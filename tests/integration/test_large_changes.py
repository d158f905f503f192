"""Large changes with one cause, at once or a little every night (rules 15)."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from sync.records.base import Kind

from ..support.university import OTHER, TEST, University, names, numbers

FACULTY = [f"JUR{number}-H26" for number in numbers(100, 11)]
TERM_OVER, LATER = "2027-01-10T08:00", "INF2000-V27"
JURISTS, LECTURERS = numbers(5001, 4), numbers(601, 11)


def held(university: University) -> dict[str, dict[str, Any]]:
    """The scopes that the plan holds, by name."""
    return {one["scope"]: one for one in university.plan_json()["summary"]["held_scopes"]}


def leave(university: University, test: str, learners: list[str]) -> None:
    """These learners' registrations for a test vanish."""
    university.registrations.drop(*(f"{test} {learner}" for learner in learners))


@pytest.fixture
def lost_faculty(university: University) -> University:
    """A faculty's eleven tests, with all who are on them, are gone from every file."""
    university.add_feeds("staff", "contributor")
    university.allow_shrinkage()
    university.register(TEST, *numbers(1001, 5))
    university.assign_staff(TEST, "501")
    for test, lecturer in zip(FACULTY, LECTURERS, strict=True):
        university.register(test, *JURISTS)
        university.assign_staff(test, lecturer)
    university.apply_once()
    university.exams.drop(*FACULTY)
    university.students.drop(*JURISTS)
    university.employees.drop(*LECTURERS)
    for test, lecturer in zip(FACULTY, LECTURERS, strict=True):
        leave(university, test, JURISTS)
        university.graders.drop(f"{test} {lecturer}")
    return university


def test_a_lost_faculty_is_held_and_one_word_lets_it_go(lost_faculty: University) -> None:
    ran = lost_faculty.apply()
    assert ran.status == 3
    assert lost_faculty.writes() == []
    parts = "77 (11 of staff, 11 of test, 11 of contributor, 44 of candidate)"
    assert f"all held removals: {parts}, over 15 limits; if all 77 held" in ran.out
    words = set(re.findall(r"if all 77 held removals are right: apply (.*)", ran.out))
    assert lost_faculty.apply(*words.pop().split()).status == 0
    assert words == set()
    assert not any(lost_faculty.candidates(test) for test in FACULTY)
    assert len(lost_faculty.candidates(TEST)) == 5
    assert lost_faculty.apply().status == 0
    assert lost_faculty.writes() == []


def test_a_lost_faculty_is_one_hold_that_one_approval_carries_out(
    lost_faculty: University,
) -> None:
    lost_faculty.apply()
    (hold,) = json.loads(lost_faculty.run("held", "--json").out)["holds"]
    assert len(hold["changes"]) == 77
    ran = lost_faculty.run("approve", hold["id"], "--why", "the faculty has closed", "--by", "ann")
    assert ran.status == 1, ran.output
    assert "11 of these changes make no call and wait for a whole run" in ran.out  # of 11 tests
    assert not any(lost_faculty.candidates(test) for test in FACULTY)
    assert lost_faculty.apply().status == 0
    assert lost_faculty.run("held").status == 0


def test_each_part_of_a_lost_faculty_can_be_allowed_alone(lost_faculty: University) -> None:
    scopes = held(lost_faculty)
    assert lost_faculty.apply("--allow", scopes["removals of contributor"]["hash"]).status == 3
    assert [call.split("/")[-1] for call in lost_faculty.writes()] == ["contributors"] * 11
    assert all(lost_faculty.candidates(test) for test in FACULTY)


@pytest.fixture
def forty(university: University) -> University:
    """40 learners on one test, eight days ago. Removals are limited for the kind alone."""
    university.allow_shrinkage()
    university.config["limits"] = {"test": {"at_least": 40}}
    university.register(TEST, *numbers(1001, 40))
    university.apply_once()
    university.time += timedelta(days=8)
    return university


def test_twenty_six_of_twenty_seven_are_held(forty: University) -> None:
    leave(forty, TEST, numbers(1028, 13))
    forty.apply("--allow", held(forty)["removals of candidate"]["hash"])
    forty.config["limits"] = {"kind": {"at_least": 40}}
    leave(forty, TEST, numbers(1001, 26))
    why = "26 of 27 known is more than max(3, 25% up to 100) = 6.75"
    assert held(forty)[f"removals on test {TEST}"]["why"] == why
    assert forty.apply().status == 3
    assert len(forty.candidates(TEST)) == 27


def test_a_slow_leak_below_the_limit_each_night_is_held_within_a_week(forty: University) -> None:
    for night in range(6):
        leave(forty, TEST, numbers(1001 + 3 * night, 3))
        forty.apply_cleanly()
        forty.time += timedelta(days=1)
    leave(forty, TEST, numbers(1019, 3))
    ran = forty.apply()
    assert ran.status == 3
    why = (
        "removals of candidate: 3 in this run and 18 in the last 7 days of 40 known is more than "
        "2 × max(10, 10% up to 500) = 20"
    )
    assert why in ran.out
    assert len(forty.candidates(TEST)) == 22
    # What a person allows does not count the next night, and the first night is a week ago.
    assert forty.apply("--allow", ran.allow_hash).status == 0
    forty.time += timedelta(days=1)
    leave(forty, TEST, numbers(1022, 3))
    forty.apply_cleanly()


def test_two_jobs_over_one_test_have_one_limit(forty: University) -> None:
    forty.config["limits"] = {"kind": {"at_least": 40}, "test": {"percent": 10}}
    leave(forty, TEST, numbers(1001, 3))
    forty.run_job("morning", Kind.CANDIDATE)
    forty.time += timedelta(hours=8)
    leave(forty, TEST, numbers(1004, 2))
    forty.run_job("evening", Kind.TEST, Kind.CANDIDATE)
    assert len(forty.candidates(TEST)) == 37
    why = "2 in this run and 3 in the last 24 h of 40 known is more than max(3, 10% up to 100) = 4"
    assert {name: one["why"] for name, one in held(forty).items()} == {
        f"removals on test {TEST}": why
    }


def test_removals_on_a_test_that_has_ended_since_do_not_count(forty: University) -> None:
    forty.at("2026-12-01T05:00")
    forty.register(OTHER, *numbers(1001, 6))
    forty.exams.set(OTHER, start="10.12.2026 09:00", end="10.12.2026 13:00")
    leave(forty, TEST, numbers(1001, 8))
    forty.apply_cleanly()
    forty.at("2026-12-02T04:00")
    leave(forty, OTHER, numbers(1001, 4))
    forty.apply_cleanly()
    assert len(forty.candidates(OTHER)) == 2


def rename(university: University, learners: list[str], family: str) -> None:
    """These learners get another family name."""
    for learner in learners:
        university.students.set(learner, family=family)


def test_updates_add_up_over_a_day_and_each_record_counts_once(forty: University) -> None:
    rename(forty, numbers(1001, 15), "Ås")
    forty.apply_cleanly()
    rename(forty, numbers(1001, 15), "Øy")
    forty.apply_cleanly()
    rename(forty, numbers(1001, 15), "Ås")
    rename(forty, numbers(1016, 6), "Ås")
    assert (
        held(forty)["updates of learner"]["why"] == "21 of 40 known is more than max(10, 50%) = 20"
    )
    rename(forty, numbers(1001, 15), "Øy")
    assert held(forty)["updates of learner"]["why"] == (
        "6 in this run and 15 in the last 24 h of 40 known is more than max(10, 50%) = 20"
    )
    forty.time += timedelta(days=2)
    forty.apply_cleanly()


def test_updates_and_creates_on_a_test_can_have_limits(forty: University) -> None:
    few = {"at_least": 2, "percent": 5}
    forty.config["limits"] |= {"updates_on_test": few, "creates_on_test": few}
    forty.register(OTHER, *numbers(1001, 9))
    forty.register(TEST, *numbers(2001, 3))
    for learner in numbers(1001, 3):
        forty.registrations.set(f"{TEST} {learner}", extra="15")
    why = "3 of 40 known is more than max(2, 5%) = 2"
    assert {name: one["why"] for name, one in held(forty).items()} == {
        f"updates on test {TEST}": why,
        f"creates on test {TEST}": why,
    }
    assert forty.apply().status == 3
    assert len(forty.candidates(OTHER)) == 9


@pytest.fixture
def doubled(forty: University) -> University:
    """A condition that selects too much: 41 new learners, each on the test."""
    forty.config["limits"]["creates"] = {"at_least": 5}
    forty.register(TEST, *numbers(2001, 41))
    return forty


def test_too_many_new_records_are_held_and_one_word_lets_them_go(doubled: University) -> None:
    why = "41 of 40 known is more than max(5, 100%) = 40"
    scopes = held(doubled)
    whole = scopes.pop("all held creates")
    assert whole["why"] == "82 (41 of learner, 41 of candidate), over 2 limits"
    assert {name: one["why"] for name, one in scopes.items()} == {
        "creates of learner": why,
        "creates of candidate": why,
    }
    assert doubled.apply().status == 3
    assert doubled.writes() == []
    assert doubled.apply("--allow", whole["hash"]).status == 0
    assert len(doubled.candidates(TEST)) == 81


def test_what_needs_a_held_create_waits_for_it(doubled: University) -> None:
    doubled.register(OTHER, *numbers(1001, 2))
    doubled.register(OTHER, *numbers(2001, 1))
    doubled.registrations.drop(*(f"{TEST} {learner}" for learner in numbers(2002, 40)))
    ran = doubled.plan()
    assert "waits for learner 2001 (held)" in ran.out
    assert doubled.apply().status == 3
    assert set(doubled.candidates(OTHER)) == names(numbers(1001, 2))


def test_a_first_load_has_no_limit_even_in_parts(university: University) -> None:
    university.config["limits"] = {"creates": {"at_least": 2, "percent": 10}}
    university.register(TEST, *numbers(1001, 5))
    university.apply_once()
    university.time += timedelta(days=3)
    university.register(TEST, *numbers(1006, 20))
    university.apply_cleanly()
    university.time += timedelta(days=8)
    university.register(TEST, *numbers(1026, 4))
    assert university.apply().status == 3
    assert len(university.candidates(TEST)) == 25


def test_a_new_term_is_compared_with_the_last_one(forty: University) -> None:
    forty.config["limits"]["creates"] = {"at_least": 5}
    forty.register(OTHER, *numbers(1001, 2))
    forty.exams.set(OTHER, start="01.02.2027 09:00", end="01.02.2027 13:00")
    forty.at(TERM_OVER)
    forty.apply_cleanly()
    forty.time += timedelta(days=8)
    forty.register(LATER, *numbers(1001, 40))
    forty.exams.set(LATER, start="01.06.2027 09:00", end="01.06.2027 13:00")
    forty.apply_cleanly()
    assert len(forty.candidates(LATER)) == 40
