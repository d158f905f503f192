"""What keeps staff in Inspera, whatever their source says; and what of them is secret."""

import sqlite3

import pytest

from ..support.university import TEST, University, numbers

SECRET = "foerste-passord-77"


def disabled(university: University) -> set[str]:
    """Who may not use Inspera any more."""
    return {username for username, one in university.staff().items() if one["status"] == "DISABLED"}


@pytest.fixture
def grading(university: University) -> University:
    """Four members of staff, of whom the first two work on a test."""
    university.add_feeds("staff", "contributor")
    university.register(TEST, "1001")
    university.employees.add(*numbers(7001, 4))
    university.assign_staff(TEST, "7001", "7002")
    university.apply_once()
    return university


def test_anyone_who_contributors_still_name_is_held_and_the_others_leave(
    grading: University,
) -> None:
    grading.employees.drop("7001", "7003")
    ran = grading.apply()
    assert ran.status == 3
    assert "disable staff 7001: 1 contributors still name this person" in ran.out
    assert disabled(grading) == {"t7003"}


def test_one_whose_last_place_on_a_test_goes_in_the_same_run_leaves_after_it(
    grading: University,
) -> None:
    grading.employees.drop("7001")
    grading.graders.drop(f"{TEST} 7001")
    grading.apply_cleanly()
    assert disabled(grading) == {"t7001"}
    assert set(grading.contributors()) == {"t7002"}
    assert [call["path"].rsplit("/", 1)[1] for call in grading.sent()] == ["contributors", "users"]


def test_one_whose_place_on_a_test_cannot_be_judged_stays(grading: University) -> None:
    grading.employees.drop("7003")
    grading.graders.raw = b""
    assert grading.apply().status == 4
    assert disabled(grading) == set()


def test_one_whose_contributor_row_is_a_row_error_is_held(grading: University) -> None:
    grading.graders.set(f"{TEST} 7001", duties="lurking")
    grading.employees.drop("7001")
    assert grading.apply().status == 3
    assert disabled(grading) == set()


def test_a_mass_departure_is_held_until_it_is_allowed(university: University) -> None:
    university.add_feeds("staff")
    university.keep_feeds("staff")
    university.allow_shrinkage()
    university.employees.add(*numbers(7001, 30))
    university.apply_once()
    university.employees.drop(*numbers(7001, 11))
    (scope,) = university.plan_json()["summary"]["held_scopes"]
    assert scope["scope"] == "removals of staff"
    assert scope["why"] == "11 of 30 known is more than max(10, 10% up to 500) = 10"
    assert university.apply().status == 3
    assert (university.writes(), disabled(university)) == ([], set())
    assert university.apply("--allow", scope["hash"]).status == 0
    assert len(disabled(university)) == 11


def test_rows_that_say_disabled_are_counted_by_the_limit_too(university: University) -> None:
    university.add_feeds("staff")
    university.keep_feeds("staff")
    university.feed("staff")["map"]["status"] = "status"
    university.employees.add(*numbers(7001, 30))
    university.apply_once()
    for number in numbers(7001, 11):
        university.employees.set(number, status="disabled")
    assert university.apply().status == 3
    assert disabled(university) == set()


def test_a_changed_username_is_an_identity_change_and_held(grading: University) -> None:
    grading.employees.set("7003", feide="t7003-new")
    ran = grading.apply()
    assert ran.status == 3
    assert "identity change staff 7003" in ran.out
    assert grading.writes() == []
    assert "t7003-new" not in grading.staff()


def test_a_new_person_who_looks_like_one_that_vanished_is_held_and_the_other_not_disabled(
    grading: University,
) -> None:
    grading.employees.set("7003", employee_no="8003")
    ran = grading.apply()
    assert ran.status == 3
    assert "looks like staff 7003, which has vanished" in ran.out
    assert (grading.writes(), disabled(grading)) == ([], set())
    assert grading.adopt("staff", "8003").status == 0
    grading.apply_cleanly()
    assert (grading.writes(), disabled(grading)) == ([], set())


def test_a_password_is_sent_with_the_first_call_alone_and_is_nowhere_in_the_state(
    university: University,
) -> None:
    university.add_feeds("staff")
    university.keep_feeds("staff")
    university.feed("staff")["map"]["password"] = "secret"
    university.employees.add("7001", "7002", secret=SECRET)
    university.apply_once()
    assert {one["passwordSet"] for one in university.staff().values()} == {True}
    with sqlite3.connect(university.state) as connection:
        dump = "\n".join(connection.iterdump())
    connection.close()
    assert "t7001" in dump
    assert SECRET not in dump
    university.employees.set("7001", secret="et-annet-passord", family="Nyansatt")
    assert university.planned() == ["update staff 7001"]
    university.apply_cleanly()
    university.employees.drop("7001")
    university.apply_cleanly()
    assert all("password" not in call["body"] for call in university.sent())


def test_a_lost_answer_makes_no_second_account_and_no_stranger_of_the_first(
    university: University,
) -> None:
    university.add_feeds("staff")
    university.keep_feeds("staff")
    university.config["inspera"]["attempts"] = 1
    university.employees.add("7001", "7002")
    university.fail(method="POST", path="/api/v1/users", status=500, when="after", times=1)
    assert university.apply().status == 1
    university.stop_failing()
    university.apply_cleanly()
    assert set(university.staff()) == {"t7001", "t7002"}
    university.employees.drop("7001")
    university.apply_cleanly()
    assert disabled(university) == {"t7001"}


def test_a_deletion_whose_answer_was_lost_is_settled_by_reading_and_not_sent_again(
    university: University,
) -> None:
    university.add_feeds("staff")
    university.keep_feeds("staff")
    university.config["inspera"]["attempts"] = 1
    university.config["on_absence"] = {"staff": "delete"}
    university.employees.add("7001", "7002")
    university.apply_once()
    university.employees.drop("7001")
    university.fail(method="DELETE", path="/api/v1/users/*", status=500, when="after")
    university.apply()
    assert len(university.sent(method="DELETE")) == 1
    university.stop_failing()
    university.apply_cleanly()
    assert university.writes() == []
    assert set(university.staff()) == {"t7002"}
    assert university.planned() == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_departure_whose_answer_was_lost_is_sent_again(grading: University, when: str) -> None:
    grading.config["inspera"]["attempts"] = 1
    grading.employees.drop("7003")
    grading.fail(method="POST", path="/api/v1/users", status=500, when=when)
    assert grading.apply().status == 1
    grading.stop_failing()
    grading.apply_cleanly()
    assert len(grading.sent("/users")) == 1
    assert disabled(grading) == {"t7003"}
    assert (grading.status()["unsettled"], grading.planned()) == (0, [])


def test_one_who_is_wanted_again_before_a_lost_departure_was_settled_can_work(
    grading: University,
) -> None:
    row = dict(grading.employees.rows[2])
    grading.config["inspera"]["attempts"] = 1
    grading.employees.drop("7003")
    grading.fail(method="POST", path="/api/v1/users", status=500, when="after")
    assert grading.apply().status == 1
    grading.stop_failing()
    grading.employees.rows.append(row)
    grading.apply_cleanly()
    assert disabled(grading) == set()
    assert (grading.status()["unsettled"], grading.planned()) == (0, [])
