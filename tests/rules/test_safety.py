"""Nobody loses what they have, or is taken for ours, by a half-read source, a lost answer or an account in common."""

import sqlite3
from contextlib import closing

import pytest

from .manual_edits import account, make_test, put_candidate
from .site import DURING, OTHER, TEST, Site, numbers


def disabled(site: Site) -> set[str]:
    return {username for username, one in site.staff().items() if one["status"] == "DISABLED"}


def whose(site: Site, kind: str, key: str) -> bool:
    with closing(sqlite3.connect(site.state)) as state:
        return bool(
            state.execute(f"SELECT managed FROM known_{kind} WHERE key = ?", (key,)).fetchone()[0]
        )


@pytest.fixture
def grading(site: Site) -> Site:
    """A test with a candidate and two graders."""
    site.also("staff", "contributor")
    site.seat(TEST, "1001")
    site.hire(TEST, "7001", "7002", duties="evaluate")
    return site


def test_a_feed_that_cannot_be_read_takes_no_role_away_from_those_whom_another_feed_names(
    grading: Site,
) -> None:
    guards = grading.folder / "guards.csv"
    guards.write_text("course,term,employee_no,duties\nINF1000,H26,7001,invigilate\n")
    grading.config["sources"]["guards"] = {"type": "csv", "path": "guards.csv"}
    fields = {"test": "{course}-{term}", "staff": "employee_no", "roles": "duties"}
    grading.config["feeds"].append({"kind": "contributor", "source": "guards", "map": fields})
    grading.settled()
    guards.unlink()
    ran = grading.apply()
    assert ran.status == 4
    assert "it would take roles away" in ran.out
    assert grading.contributors()["t7001"]["roles"] == ["evaluate", "invigilate"]


def test_a_row_that_names_nobody_takes_no_role_away_on_its_test(grading: Site) -> None:
    grading.graders.add(f"{TEST} 7001", duties="invigilate")
    grading.settled()
    grading.graders.rows[-1]["employee_no"] = ""
    assert grading.apply().status == 1
    assert grading.contributors()["t7001"]["roles"] == ["evaluate", "invigilate"]


def test_while_a_test_runs_nobody_on_it_loses_minutes_or_roles(grading: Site) -> None:
    grading.registrations.set(f"{TEST} 1001", extra="60")
    grading.graders.set(f"{TEST} 7001", duties="evaluate;invigilate")
    grading.settled()
    grading.at(DURING)
    grading.registrations.set(f"{TEST} 1001", extra="0")
    grading.graders.set(f"{TEST} 7001", duties="evaluate")
    ran = grading.apply()
    assert "it would take extra time away, and the test is under way" in ran.out
    assert grading.seats()["s1001"]["extraTimeMins"] == 60
    assert grading.contributors()["t7001"]["roles"] == ["evaluate", "invigilate"]


def test_an_account_that_somebody_else_who_is_wanted_has_too_is_not_disabled(grading: Site) -> None:
    grading.employees.add(*numbers(7003, 3))
    grading.settled()
    same = {name: grading.employees.rows[0][name] for name in ("feide", "mail", "given", "family")}
    grading.employees.add("8001", **same)
    grading.graders.drop(f"{TEST} 7001")
    grading.apply()
    grading.employees.drop("7001")
    ran = grading.apply()
    assert ran.status == 3
    assert "2 changes: staff 7001 may live on under a new key" in ran.out
    assert "    disable staff 7001" in ran.out
    assert disabled(grading) == set()


def test_staff_are_not_disabled_while_the_removal_of_their_places_is_held(site: Site) -> None:
    site.also("staff", "contributor")
    site.may_shrink()
    site.seat(TEST, "1001")
    site.employees.add(*numbers(7001, 60))
    site.hire(TEST, *numbers(7001, 40))
    site.settled()
    for number in numbers(7001, 11):
        site.graders.drop(f"{TEST} {number}")
    site.employees.drop(*numbers(7001, 5))
    assert site.apply().status == 3
    assert disabled(site) == set()


def test_staff_on_a_running_test_are_not_disabled_by_their_row_either(grading: Site) -> None:
    grading.feed("staff")["map"]["status"] = "status"
    grading.settled()
    grading.at(DURING)
    grading.employees.set("7001", status="disabled")
    assert f"waits until this person is on no test any more ({TEST})" in grading.apply().out
    assert disabled(grading) == set()


def test_found_staff_stay_somebody_elses_after_a_lost_answer(site: Site) -> None:
    site.also("staff")
    site.only("staff")
    site.employees.add(*numbers(7001, 4))
    site.settled()
    site.employees.add("7009")
    site.sandbox.edit(staff=account(site.employees.rows[-1], firstName="Gammel"))
    site.config["inspera"]["attempts"] = 1
    site.fail(method="POST", path="/api/v1/users", status=500, when="after", times=1)
    site.apply()
    site.heal()
    site.apply()
    assert not whose(site, "staff", "7009")
    site.employees.drop("7009")
    site.apply()
    assert disabled(site) == set()


def test_a_test_that_was_there_stays_somebody_elses_after_a_lost_answer_and_so_do_its_candidates(
    site: Site,
) -> None:
    site.seat(OTHER, "1001", "1002", "1003")
    site.settled()
    site.seat(TEST, "1001", "1002", "1003", "1004")
    make_test(site, title="Noe annet")
    put_candidate(site, "1001")
    site.config["inspera"]["attempts"] = 1
    blind = {"method": "GET", "path": "*/candidates", "status": 403, "body": {"error": "no right"}}
    lost = {"method": "POST", "path": "/api/v1/test", "status": 500, "when": "after", "times": 1}
    site.sandbox.control(fail=[blind, lost])
    site.apply()
    site.sandbox.control(fail=[blind])
    site.apply()
    assert not whose(site, "test", TEST)
    site.registrations.drop(f"{TEST} 1001")
    site.apply()
    assert "s1001" in site.seats()


def test_found_staff_whose_row_says_disabled_are_held_until_they_are_said_to_be_ours(
    site: Site,
) -> None:
    site.also("staff")
    site.only("staff")
    site.feed("staff")["map"]["status"] = "status"
    site.employees.add(*numbers(7001, 4))
    site.settled()
    site.employees.add("7009")
    site.sandbox.edit(staff=account(site.employees.rows[-1]))
    site.settled()
    site.employees.set("7009", status="disabled")
    ran = site.apply()
    assert ran.status == 3
    assert "adopt staff KEY --managed" in ran.out
    assert disabled(site) == set()
    assert site.adopt("staff", "7009", "--managed").status == 0
    site.settled()
    assert disabled(site) == {"t7009"}


def test_whom_a_person_has_disabled_stays_so_where_no_feed_says_otherwise(site: Site) -> None:
    site.also("staff")
    site.only("staff")
    site.employees.add(*numbers(7001, 4))
    site.settled()
    site.sandbox.edit(staff={"username": "t7001", "status": "DISABLED"})
    site.employees.set("7001", family="Gift")
    site.settled()
    assert site.staff()["t7001"]["lastName"] == "Gift"
    assert disabled(site) == {"t7001"}


def test_an_own_password_is_never_replaced_by_the_first_one_of_the_source(site: Site) -> None:
    site.only("learner")
    site.feed("learner")["map"]["password"] = "secret"
    site.students.add("1001", secret="foerste-passord-77")
    site.settled()
    site.students.add("1009", secret="foerste-passord-77")
    row = site.students.rows[1]
    own = {
        "username": "s1009",
        "firstName": row["given"],
        "lastName": row["family"],
        "password": "eget-1",
    }
    site.sandbox.edit(student=own)
    site.settled()
    (sent,) = [call["body"] for call in site.sent() if call["body"].get("username") == "s1009"]
    assert "password" not in sent


def test_a_first_apply_makes_no_second_account_for_anybody(site: Site) -> None:
    site.only("learner")
    site.students.add(*numbers(1001, 100))
    site.sandbox.edit(student=account(site.students.rows[1], username="gammelt-navn"))
    site.apply()
    assert "s1002" not in site.people()
    assert "gammelt-navn" in site.people()


def test_a_learner_is_made_also_where_nobody_can_be_looked_up(site: Site) -> None:
    site.seat(TEST, *numbers(1001, 5))
    site.settled()
    site.fail(method="GET", path="*/users/external/*", status=405, body={"error": "no such call"})
    site.seat(TEST, "1009")
    site.apply()
    assert "s1009" in site.seats()


def test_an_exam_that_has_come_near_shortens_the_pause_of_what_was_refused_for_it(
    site: Site,
) -> None:
    site.seat(TEST, *numbers(1001, 4))
    site.settled()
    site.fail(method="POST", path="*/candidates", status=400, body={"error": "no such room"})
    site.seat(TEST, "1005")
    for at in (
        "2026-09-01T09:00",
        "2026-09-01T10:00",
        "2026-09-01T12:00",
        "2026-09-01T17:00",
        "2026-09-02T08:00",
    ):
        site.at(at)
        site.apply()
    site.heal()
    site.exams.set(TEST, start="03.09.2026 09:00", end="03.09.2026 13:00")
    site.at("2026-09-02T09:00")
    site.apply()
    site.at("2026-09-03T06:50")
    site.apply()
    assert "s1005" in site.seats()


def test_an_update_that_was_lost_before_it_was_carried_out_is_no_drift(grading: Site) -> None:
    grading.graders.set(f"{TEST} 7001", duties="evaluate;plan")
    grading.settled()
    grading.config["inspera"]["attempts"] = 1
    grading.graders.set(f"{TEST} 7001", duties="evaluate")
    lost = {"method": "POST", "path": "*/contributors", "status": 500, "when": "before"}
    blind = {"method": "GET", "path": "/api/v1/test/2*", "status": 500, "skip": 1}
    grading.sandbox.control(fail=[lost, blind])
    grading.apply()
    grading.heal()
    grading.settled()
    assert grading.contributors()["t7001"]["roles"] == ["evaluate"]
