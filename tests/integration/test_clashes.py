"""Clashes are named and hold nothing: learners on two tests at once, full rooms, tests without people."""

from typing import Any

import pytest

from ..support.university import DAY_AFTER, DURING, OTHER, TEST, University, names

AFTERNOON = {"start": "01.12.2026 12:00", "end": "01.12.2026 16:00"}
"""Times that overlap with those of `TEST` from 12:00 to 13:00 in Oslo."""
WEEK_BEFORE = "2026-11-26T08:00"


def clashes(university: University) -> list[Any]:
    """Return the type, the test, the other and the number of each clash of the plan."""
    found = university.plan_json()["clashes"]
    return [(one["type"], one["test"], one["other"], one["count"]) for one in found]


@pytest.fixture
def both(university: University) -> University:
    """Three learners on a test, of whom two are also on one that overlaps with it."""
    university.register(TEST, "1001", "1002", "1003")
    university.exams.add(OTHER, **AFTERNOON)
    university.register(OTHER, "1001", "1002", "1004")
    return university


def test_learners_on_two_tests_at_once_are_named_and_sent_all_the_same(both: University) -> None:
    ran = both.apply_cleanly()
    line = f"overlap test {TEST}: 2 learners are also on test {OTHER}, at once from "
    assert f"{line}2026-12-01 12:00 Europe/Oslo (11:00Z) to 2026-12-01 13:00" in ran.out
    assert "; 1001, 1002" in ran.out
    assert set(both.candidates(OTHER)) == names(["1001", "1002", "1004"])
    (found,) = (one for one in both.status()["runs"][0]["findings"] if one["type"] == "clash")
    assert (found["kind"], found["key"]) == ("test", [TEST])
    assert f"2 learners are also on test {OTHER}" in both.run("status").out
    (clash,) = both.plan_json()["clashes"]
    assert clash["learners"] == ["1001", "1002"]
    assert f"Look at: {line}" in both.run("report").out


def test_tests_one_after_the_other_do_not_clash_and_neither_do_those_that_have_ended(
    both: University,
) -> None:
    both.exams.set(OTHER, start="01.12.2026 13:00", end="01.12.2026 17:00")
    both.apply_cleanly()
    assert clashes(both) == []
    both.exams.set(OTHER, **AFTERNOON)
    assert clashes(both) == [("overlap", TEST, OTHER, 2)]
    both.at(DAY_AFTER)
    assert clashes(both) == []


def test_who_stays_although_no_source_names_them_clashes_too(both: University) -> None:
    both.apply_cleanly()
    both.at(DURING)
    both.allow_shrinkage()
    both.registrations.drop(f"{TEST} 1001", f"{OTHER} 1002")
    assert clashes(both) == [("overlap", TEST, OTHER, 2)]
    both.registrations.rows.clear()
    assert clashes(both) == [("overlap", TEST, OTHER, 2)]


def test_who_leaves_in_this_run_does_not_clash(both: University) -> None:
    both.apply_cleanly()
    both.registrations.drop(f"{TEST} 1001")
    assert clashes(both) == [("overlap", TEST, OTHER, 1)]


@pytest.mark.parametrize(("places", "expected"), [(4, []), (3, [("room", OTHER, "A", 4)])])
def test_a_room_with_too_few_places_is_named_at_the_start_of_the_test_that_fills_it(
    both: University, places: int, expected: list[Any]
) -> None:
    both.feed("candidate")["map"]["room"] = "room"
    both.config["rooms"] = {"A": places}
    both.registrations.drop(f"{OTHER} 1001", f"{OTHER} 1002")
    both.register(OTHER, "1005")
    for test, *learners in ((TEST, "1001", "1002"), (OTHER, "1004", "1005")):
        for learner in learners:
            both.registrations.set(f"{test} {learner}", room="A")
    assert clashes(both) == expected
    both.apply_cleanly()
    for row in both.registrations.rows:
        row["room"] = ""  # a blank keeps the room
    assert clashes(both) == expected
    if expected:
        assert f"room test {OTHER}: room A has 3 places, and 4 candidates from" in both.plan().out
        both.exams.set(OTHER, start="01.12.2026 13:00", end="01.12.2026 17:00")
        assert clashes(both) == []


def test_a_room_may_be_named_with_its_building(both: University) -> None:
    both.feed("candidate")["map"] |= {"room": "room", "building": "number"}
    del both.feed("candidate")["map"]["candidate_id"]
    both.config["rooms"] = {"Silurveien/1": 1, "1": 100}
    for learner in ("1001", "1002", "1003"):
        building = "Silurveien" if learner < "1003" else "Sentrum"
        both.registrations.set(f"{TEST} {learner}", room="1", number=building)
    assert ("room", TEST, "Silurveien/1", 2) in clashes(both)
    assert len([one for one in clashes(both) if one[0] == "room"]) == 1


@pytest.mark.parametrize("places", [-1, "many", True])
def test_places_that_are_no_number_are_an_error_of_the_configuration(
    university: University, places: Any
) -> None:
    university.config["rooms"] = {"A": places}
    ran = university.plan()
    assert ran.status == 2
    assert "rooms.A" in ran.output


def test_a_test_without_candidates_or_graders_is_named_a_week_before(
    university: University,
) -> None:
    university.add_feeds("staff", "contributor")
    university.register(TEST, "1001")
    university.assign_staff(TEST, "501")
    university.exams.add(OTHER, "PHI1000-H26")
    university.assign_staff("PHI1000-H26", "502", duties="review")
    university.apply_cleanly()
    assert clashes(university) == []  # three months before
    university.at(WEEK_BEFORE)
    assert clashes(university) == [
        ("no candidates", OTHER, None, 0),
        ("no candidates", "PHI1000-H26", None, 0),
        ("no grader", OTHER, None, 0),
        ("no grader", "PHI1000-H26", None, 0),
    ]
    ran = university.run("apply")
    assert ran.status == 0
    line = f"2 tests start within 7 days, and no grader is on them; {OTHER}, PHI1000-H26"
    assert f"no grader: {line}" in ran.out
    university.at(DURING)
    assert clashes(university) == []  # it is too late


def test_where_no_source_names_graders_any_contributor_will_do(university: University) -> None:
    university.add_feeds("staff", "contributor")
    university.register(TEST, "1001")
    university.assign_staff(TEST, "501", duties="plan")
    university.at(WEEK_BEFORE)
    assert clashes(university) == []


def test_nobody_is_missed_of_a_kind_without_a_feed_or_of_a_test_with_a_row_in_error(
    university: University,
) -> None:
    university.exams.add(TEST, OTHER)
    university.students.add("1001")
    university.registrations.add(f"{TEST} 1001", extra="half an hour")
    university.at(WEEK_BEFORE)
    assert clashes(university) == [("no candidates", OTHER, None, 0)]
    university.keep_feeds("learner", "test")
    assert clashes(university) == []


def test_a_plan_of_some_tests_names_the_clashes_of_these_tests(both: University) -> None:
    for test in (TEST, OTHER):
        assert "learners are also on test" in both.plan("--test", test).out
    both.exams.add("PHI1000-H26")
    assert "learners are also on test" not in both.plan("--test", "PHI1000-H26").out
    assert "learners are also on test" not in both.plan("--person", "1001").out


def test_many_clashes_are_capped_and_all_shows_each(university: University) -> None:
    tests = [f"EX{number}-H26" for number in range(12)]  # 66 pairs
    for test in tests:
        university.register(test, "1001", "1002", "1003", "1004")
    ran = university.run("plan")
    assert ran.out.count("overlap test") == 50
    assert "… and 16 more of overlap (--all shows them)" in ran.out
    assert ran.out.count("1001, 1002, 1003 (--all shows all)") == 50
    shown = university.plan().out
    assert shown.count("overlap test") == 66
    assert shown.count("1001, 1002, 1003, 1004") == 66
