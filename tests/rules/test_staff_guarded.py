"""What keeps staff in Inspera, whatever their source says; and what of them is secret."""

import sqlite3

import pytest

from .site import TEST, Site, numbers

SECRET = "foerste-passord-77"


def disabled(site: Site) -> set[str]:
    """Who may not use Inspera any more."""
    return {username for username, one in site.staff().items() if one["status"] == "DISABLED"}


@pytest.fixture
def grading(site: Site) -> Site:
    """Four members of staff, of whom the first two work on a test."""
    site.also("staff", "contributor")
    site.seat(TEST, "1001")
    site.employees.add(*numbers(7001, 4))
    site.hire(TEST, "7001", "7002")
    site.settled()
    return site


def test_whoever_contributors_still_name_is_held_and_the_others_leave(grading: Site) -> None:
    grading.employees.drop("7001", "7003")
    ran = grading.apply()
    assert ran.status == 3
    assert "disable staff 7001: 1 contributors still name this person" in ran.out
    assert disabled(grading) == {"t7003"}


def test_one_whose_last_place_on_a_test_goes_in_the_same_run_leaves_after_it(grading: Site) -> None:
    grading.employees.drop("7001")
    grading.graders.drop(f"{TEST} 7001")
    grading.settled()
    assert disabled(grading) == {"t7001"}
    assert set(grading.contributors()) == {"t7002"}
    assert [call["path"].rsplit("/", 1)[1] for call in grading.sent()] == ["contributors", "users"]


def test_one_whose_place_on_a_test_cannot_be_judged_stays(grading: Site) -> None:
    grading.employees.drop("7003")
    grading.graders.raw = b""
    assert grading.apply().status == 4
    assert disabled(grading) == set()


def test_one_whose_contributor_row_is_a_row_error_is_held(grading: Site) -> None:
    grading.graders.set(f"{TEST} 7001", duties="lurking")
    grading.employees.drop("7001")
    assert grading.apply().status == 3
    assert disabled(grading) == set()


def test_a_mass_departure_is_held_until_it_is_allowed(site: Site) -> None:
    site.also("staff")
    site.only("staff")
    site.may_shrink()
    site.employees.add(*numbers(7001, 30))
    site.settled()
    site.employees.drop(*numbers(7001, 11))
    (scope,) = site.plan_json()["summary"]["held_scopes"]
    assert scope["scope"] == "removals of staff"
    assert scope["why"] == "11 of 30 known is more than max(10, 10% up to 500) = 10"
    assert site.apply().status == 3
    assert (site.writes(), disabled(site)) == ([], set())
    assert site.apply("--allow", scope["hash"]).status == 0
    assert len(disabled(site)) == 11


def test_rows_that_say_disabled_are_counted_by_the_limit_too(site: Site) -> None:
    site.also("staff")
    site.only("staff")
    site.feed("staff")["map"]["status"] = "status"
    site.employees.add(*numbers(7001, 30))
    site.settled()
    for number in numbers(7001, 11):
        site.employees.set(number, status="disabled")
    assert site.apply().status == 3
    assert disabled(site) == set()


def test_a_changed_username_is_a_identity_change_and_held(grading: Site) -> None:
    grading.employees.set("7003", feide="t7003-new")
    ran = grading.apply()
    assert ran.status == 3
    assert "identity change staff 7003" in ran.out
    assert grading.writes() == []
    assert "t7003-new" not in grading.staff()


def test_a_new_person_who_looks_like_one_that_vanished_is_held_and_the_other_not_disabled(
    grading: Site,
) -> None:
    grading.employees.set("7003", employee_no="8003")
    ran = grading.apply()
    assert ran.status == 3
    assert "looks like staff 7003, which has vanished" in ran.out
    assert (grading.writes(), disabled(grading)) == ([], set())
    assert grading.adopt("staff", "8003").status == 0
    grading.settled()
    assert (grading.writes(), disabled(grading)) == ([], set())


def test_a_password_is_sent_with_the_first_call_alone_and_is_nowhere_in_the_state(
    site: Site,
) -> None:
    site.also("staff")
    site.only("staff")
    site.feed("staff")["map"]["password"] = "secret"
    site.employees.add("7001", "7002", secret=SECRET)
    site.settled()
    assert {one["passwordSet"] for one in site.staff().values()} == {True}
    with sqlite3.connect(site.state) as connection:
        dump = "\n".join(connection.iterdump())
    connection.close()
    assert "t7001" in dump
    assert SECRET not in dump
    site.employees.set("7001", secret="et-annet-passord", family="Nyansatt")
    assert site.planned() == ["update staff 7001"]
    site.settled()
    site.employees.drop("7001")
    site.settled()
    assert all("password" not in call["body"] for call in site.sent())


def test_a_lost_answer_makes_no_second_account_and_no_stranger_of_the_first(site: Site) -> None:
    site.also("staff")
    site.only("staff")
    site.config["inspera"]["attempts"] = 1
    site.employees.add("7001", "7002")
    site.fail(method="POST", path="/api/v1/users", status=500, when="after", times=1)
    assert site.apply().status == 1
    site.heal()
    site.settled()
    assert set(site.staff()) == {"t7001", "t7002"}
    site.employees.drop("7001")
    site.settled()
    assert disabled(site) == {"t7001"}


def test_a_deletion_whose_answer_was_lost_is_settled_by_reading_and_not_sent_again(
    site: Site,
) -> None:
    site.also("staff")
    site.only("staff")
    site.config["inspera"]["attempts"] = 1
    site.config["on_absence"] = {"staff": "delete"}
    site.employees.add("7001", "7002")
    site.settled()
    site.employees.drop("7001")
    site.fail(method="DELETE", path="/api/v1/users/*", status=500, when="after")
    site.apply()
    assert len(site.sent(method="DELETE")) == 1
    site.heal()
    site.settled()
    assert site.writes() == []
    assert set(site.staff()) == {"t7002"}
    assert site.planned() == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_departure_whose_answer_was_lost_is_sent_again(grading: Site, when: str) -> None:
    grading.config["inspera"]["attempts"] = 1
    grading.employees.drop("7003")
    grading.fail(method="POST", path="/api/v1/users", status=500, when=when)
    assert grading.apply().status == 1
    grading.heal()
    grading.settled()
    assert len(grading.sent("/users")) == 1
    assert disabled(grading) == {"t7003"}
    assert (grading.status()["unsettled"], grading.planned()) == (0, [])


def test_one_who_is_wanted_again_before_a_lost_departure_was_settled_can_work(
    grading: Site,
) -> None:
    row = dict(grading.employees.rows[2])
    grading.config["inspera"]["attempts"] = 1
    grading.employees.drop("7003")
    grading.fail(method="POST", path="/api/v1/users", status=500, when="after")
    assert grading.apply().status == 1
    grading.heal()
    grading.employees.rows.append(row)
    grading.settled()
    assert disabled(grading) == set()
    assert (grading.status()["unsettled"], grading.planned()) == (0, [])
