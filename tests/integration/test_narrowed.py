"""`plan` and `apply` of a part: just this exam, now, with what it needs."""

import pytest

from ..support.university import OTHER, TEST, University, names


@pytest.fixture
def two_tests(university: University) -> University:
    """Two tests with two candidates each, of which nothing is in Inspera yet."""
    university.register(TEST, "1001", "1002")
    university.register(OTHER, "1003", "1004")
    return university


def test_one_exam_goes_now_with_its_people_and_nothing_else(two_tests: University) -> None:
    ran = two_tests.apply("--test", TEST)
    assert ran.status == 0, ran.output
    assert set(two_tests.candidates()) == set(two_tests.learners()) == names(["1001", "1002"])
    assert set(two_tests.tests()) == {TEST}
    assert "0 row errors; 5 other changes were not asked for" in ran.out
    two_tests.apply_cleanly()
    assert set(two_tests.candidates(OTHER)) == names(["1003", "1004"])


def test_a_plan_of_a_part_shows_the_same(two_tests: University) -> None:
    plan = two_tests.plan("--test", "INF*", "--kind", "candidate")
    assert OTHER not in plan.out
    assert "create 2 candidates, create 2 learners, create 1 test" in plan.out
    assert "5 other changes were not asked for" in plan.out


def test_a_person_goes_with_their_places(two_tests: University) -> None:
    two_tests.registrations.add(f"{TEST} 1003")
    two_tests.apply("--person", "1003")
    assert set(two_tests.learners()) == names(["1003"])
    assert set(two_tests.candidates()) == set(two_tests.candidates(OTHER)) == names(["1003"])


def test_row_errors_of_others_are_not_shown_and_do_not_count(two_tests: University) -> None:
    two_tests.registrations.set(f"{OTHER} 1003", extra="half an hour")
    assert two_tests.plan("--test", TEST).status == 0
    plan = two_tests.plan("--test", OTHER)
    assert plan.status == 1
    assert "half an hour" in plan.out


def test_what_an_asked_change_waits_for_is_shown(two_tests: University) -> None:
    two_tests.students.set("1001", feide="")
    plan = two_tests.plan("--test", TEST)
    assert plan.status in {1, 3}
    assert "waits for learner 1001" in plan.out
    assert "students.csv line" in plan.out


def test_a_name_that_matches_nothing_names_what_is_near(two_tests: University) -> None:
    ran = two_tests.apply("--test", TEST.replace("INF", "IMF"), "--person", "9*")
    assert ran.status == 2
    assert f"--test {TEST.replace('INF', 'IMF')}: no test has such a key; near it are" in ran.err
    assert TEST in ran.err
    assert "--person 9*: no learner or staff has such a key" in ran.err
    assert two_tests.writes() == []


def test_a_number_is_not_given_twice_when_only_its_new_owner_is_asked_for(
    two_tests: University,
) -> None:
    two_tests.registrations.set(f"{TEST} 1001", number="11")
    two_tests.registrations.set(f"{TEST} 1002", number="12")
    two_tests.apply_once()
    two_tests.registrations.set(f"{TEST} 1001", number="13")
    two_tests.registrations.set(f"{TEST} 1002", number="11")
    ran = two_tests.apply("--person", "1002")
    assert ran.status in {1, 3}
    assert "number 11 is still 1001's, who stays: their own change was not asked for" in ran.out
    assert two_tests.writes() == []
    two_tests.apply_cleanly()


def test_a_part_does_not_hide_from_the_whole_what_it_left_out(two_tests: University) -> None:
    two_tests.apply_once()
    two_tests.registrations.drop(f"{TEST} 1001")
    two_tests.registrations.drop(f"{OTHER} 1003")
    two_tests.allow_shrinkage()
    assert two_tests.apply("--test", TEST).status == 0
    assert two_tests.planned("pass") == [f"remove candidate {OTHER}/1003"]


def test_staff_are_disabled_after_their_roles_are_gone(university: University) -> None:
    university.add_feeds("staff", "contributor")
    university.keep_feeds("test", "staff", "contributor")
    university.assign_staff(TEST, "2001", "2002", "2003")
    university.allow_shrinkage()
    university.apply_once()
    university.employees.drop("2003")
    university.graders.drop(f"{TEST} 2003")
    ran = university.apply("--kind", "staff")
    assert ran.status == 0, ran.output
    assert len(university.contributors()) == 2


def test_a_limit_holds_a_part_as_it_holds_the_whole(university: University) -> None:
    university.register(TEST, *(str(number) for number in range(1001, 1021)))
    university.register(OTHER, "1001", "1002")
    university.apply_once()
    university.allow_shrinkage()
    university.registrations.drop(*(f"{TEST} {number}" for number in range(1001, 1013)))
    plan = university.plan("--person", "1001")
    assert plan.status == 3
    assert "Over a limit" in plan.out
    assert "Over a limit" not in university.plan("--test", OTHER).out


def test_a_reviewed_plan_of_a_part_is_carried_out_as_that_part(two_tests: University) -> None:
    file = str(two_tests.folder / "review.jsonl")
    two_tests.plan("--test", TEST, "--out", file)
    assert two_tests.run("apply", file).status == 0
    assert set(two_tests.tests()) == {TEST}
    assert set(two_tests.candidates()) == names(["1001", "1002"])
