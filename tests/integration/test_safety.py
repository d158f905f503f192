"""Nobody loses what they have, or is taken for ours, by a half-read source, a lost answer or an account in common."""

import sqlite3
from contextlib import closing

import pytest

from ..support.manual_edits import account, make_test, put_candidate
from ..support.university import DURING, OTHER, TEST, University, numbers


def disabled(university: University) -> set[str]:
    return {username for username, one in university.staff().items() if one["status"] == "DISABLED"}


def whose(university: University, kind: str, key: str) -> bool:
    with closing(sqlite3.connect(university.state)) as state:
        return bool(
            state.execute(f"SELECT managed FROM known_{kind} WHERE key = ?", (key,)).fetchone()[0]
        )


@pytest.fixture
def grading(university: University) -> University:
    """A test with a candidate and two graders."""
    university.add_feeds("staff", "contributor")
    university.register(TEST, "1001")
    university.assign_staff(TEST, "7001", "7002", duties="evaluate")
    return university


def test_a_feed_that_cannot_be_read_takes_no_role_away_from_those_who_another_feed_names(
    grading: University,
) -> None:
    guards = grading.folder / "guards.csv"
    guards.write_text("course,term,employee_no,duties\nINF1000,H26,7001,invigilate\n")
    grading.config["sources"]["guards"] = {"type": "csv", "path": "guards.csv"}
    fields = {"test": "{course}-{term}", "staff": "employee_no", "roles": "duties"}
    grading.config["feeds"].append({"kind": "contributor", "source": "guards", "map": fields})
    grading.apply_once()
    guards.unlink()
    ran = grading.apply()
    assert ran.status == 4
    assert "it would take roles away" in ran.out
    assert grading.contributors()["t7001"]["roles"] == ["evaluate", "invigilate"]


def test_a_row_that_names_nobody_takes_no_role_away_on_its_test(grading: University) -> None:
    grading.graders.add(f"{TEST} 7001", duties="invigilate")
    grading.apply_once()
    grading.graders.rows[-1]["employee_no"] = ""
    assert grading.apply().status == 1
    assert grading.contributors()["t7001"]["roles"] == ["evaluate", "invigilate"]


def test_while_a_test_runs_nobody_on_it_loses_minutes_or_roles(grading: University) -> None:
    grading.registrations.set(f"{TEST} 1001", extra="60")
    grading.graders.set(f"{TEST} 7001", duties="evaluate;invigilate")
    grading.apply_once()
    grading.at(DURING)
    grading.registrations.set(f"{TEST} 1001", extra="0")
    grading.graders.set(f"{TEST} 7001", duties="evaluate")
    ran = grading.apply()
    assert "it would take extra time away, and the test is under way" in ran.out
    assert grading.candidates()["s1001"]["extraTimeMins"] == 60
    assert grading.contributors()["t7001"]["roles"] == ["evaluate", "invigilate"]


def test_an_account_that_somebody_else_who_is_wanted_has_too_is_not_disabled(
    grading: University,
) -> None:
    grading.employees.add(*numbers(7003, 3))
    grading.apply_once()
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


def test_staff_are_not_disabled_while_the_removal_of_their_places_is_held(
    university: University,
) -> None:
    university.add_feeds("staff", "contributor")
    university.allow_shrinkage()
    university.register(TEST, "1001")
    university.employees.add(*numbers(7001, 60))
    university.assign_staff(TEST, *numbers(7001, 40))
    university.apply_once()
    for number in numbers(7001, 11):
        university.graders.drop(f"{TEST} {number}")
    university.employees.drop(*numbers(7001, 5))
    assert university.apply().status == 3
    assert disabled(university) == set()


def test_staff_on_a_running_test_are_not_disabled_by_their_row_either(grading: University) -> None:
    grading.feed("staff")["map"]["status"] = "status"
    grading.apply_once()
    grading.at(DURING)
    grading.employees.set("7001", status="disabled")
    assert f"waits until this person is on no test any more ({TEST})" in grading.apply().out
    assert disabled(grading) == set()


def test_existing_staff_stay_somebody_elses_after_a_lost_answer(university: University) -> None:
    university.add_feeds("staff")
    university.keep_feeds("staff")
    university.employees.add(*numbers(7001, 4))
    university.apply_once()
    university.employees.add("7009")
    university.sandbox.edit(staff=account(university.employees.rows[-1], firstName="Gammel"))
    university.config["inspera"]["attempts"] = 1
    university.fail(method="POST", path="/api/v1/users", status=500, when="after", times=1)
    university.apply()
    university.stop_failing()
    university.apply()
    assert not whose(university, "staff", "7009")
    university.employees.drop("7009")
    university.apply()
    assert disabled(university) == set()


def test_a_test_that_was_there_stays_somebody_elses_after_a_lost_answer_and_so_do_its_candidates(
    university: University,
) -> None:
    university.register(OTHER, "1001", "1002", "1003")
    university.apply_once()
    university.register(TEST, "1001", "1002", "1003", "1004")
    make_test(university, title="Noe annet")
    put_candidate(university, "1001")
    university.config["inspera"]["attempts"] = 1
    blind = {"method": "GET", "path": "*/candidates", "status": 403, "body": {"error": "no right"}}
    lost = {"method": "POST", "path": "/api/v1/test", "status": 500, "when": "after", "times": 1}
    university.sandbox.control(fail=[blind, lost])
    university.apply()
    university.sandbox.control(fail=[blind])
    university.apply()
    assert not whose(university, "test", TEST)
    university.registrations.drop(f"{TEST} 1001")
    university.apply()
    assert "s1001" in university.candidates()


def test_existing_staff_whose_row_says_disabled_are_held_until_they_are_said_to_be_ours(
    university: University,
) -> None:
    university.add_feeds("staff")
    university.keep_feeds("staff")
    university.feed("staff")["map"]["status"] = "status"
    university.employees.add(*numbers(7001, 4))
    university.apply_once()
    university.employees.add("7009")
    university.sandbox.edit(staff=account(university.employees.rows[-1]))
    university.apply_cleanly()
    university.employees.set("7009", status="disabled")
    ran = university.apply()
    assert ran.status == 3
    assert "adopt staff KEY --managed" in ran.out
    assert disabled(university) == set()
    assert university.adopt("staff", "7009", "--managed").status == 0
    university.apply_cleanly()
    assert disabled(university) == {"t7009"}


def test_who_a_person_has_disabled_stays_so_where_no_feed_says_otherwise(
    university: University,
) -> None:
    university.add_feeds("staff")
    university.keep_feeds("staff")
    university.employees.add(*numbers(7001, 4))
    university.apply_once()
    university.sandbox.edit(staff={"username": "t7001", "status": "DISABLED"})
    university.employees.set("7001", family="Gift")
    university.apply_cleanly()
    assert university.staff()["t7001"]["lastName"] == "Gift"
    assert disabled(university) == {"t7001"}


def test_an_own_password_is_never_replaced_by_the_first_one_of_the_source(
    university: University,
) -> None:
    university.keep_feeds("learner")
    university.feed("learner")["map"]["password"] = "secret"
    university.students.add("1001", secret="foerste-passord-77")
    university.apply_once()
    university.students.add("1009", secret="foerste-passord-77")
    row = university.students.rows[1]
    own = {
        "username": "s1009",
        "firstName": row["given"],
        "lastName": row["family"],
        "password": "eget-1",
    }
    university.sandbox.edit(student=own)
    university.apply_cleanly()
    (sent,) = [
        call["body"] for call in university.sent() if call["body"].get("username") == "s1009"
    ]
    assert "password" not in sent


def test_a_first_apply_makes_no_second_account_for_anybody(university: University) -> None:
    university.keep_feeds("learner")
    university.students.add(*numbers(1001, 100))
    university.sandbox.edit(student=account(university.students.rows[1], username="gammelt-navn"))
    university.apply()
    assert "s1002" not in university.learners()
    assert "gammelt-navn" in university.learners()


def test_a_learner_is_made_also_where_nobody_can_be_looked_up(university: University) -> None:
    university.register(TEST, *numbers(1001, 5))
    university.apply_once()
    university.fail(
        method="GET", path="*/users/external/*", status=405, body={"error": "no such call"}
    )
    university.register(TEST, "1009")
    university.apply()
    assert "s1009" in university.candidates()


def test_an_exam_that_has_come_near_shortens_the_pause_of_what_was_refused_for_it(
    university: University,
) -> None:
    university.register(TEST, *numbers(1001, 4))
    university.apply_once()
    university.fail(method="POST", path="*/candidates", status=400, body={"error": "no such room"})
    university.register(TEST, "1005")
    for at in (
        "2026-09-01T09:00",
        "2026-09-01T10:00",
        "2026-09-01T12:00",
        "2026-09-01T17:00",
        "2026-09-02T08:00",
    ):
        university.at(at)
        university.apply()
    university.stop_failing()
    university.exams.set(TEST, start="03.09.2026 09:00", end="03.09.2026 13:00")
    university.at("2026-09-02T09:00")
    university.apply()
    university.at("2026-09-03T06:50")
    university.apply()
    assert "s1005" in university.candidates()


def test_an_update_that_was_lost_before_it_was_carried_out_is_no_drift(grading: University) -> None:
    grading.graders.set(f"{TEST} 7001", duties="evaluate;plan")
    grading.apply_once()
    grading.config["inspera"]["attempts"] = 1
    grading.graders.set(f"{TEST} 7001", duties="evaluate")
    lost = {"method": "POST", "path": "*/contributors", "status": 500, "when": "before"}
    blind = {"method": "GET", "path": "/api/v1/test/2*", "status": 500, "skip": 1}
    grading.sandbox.control(fail=[lost, blind])
    grading.apply()
    grading.stop_failing()
    grading.apply_cleanly()
    assert grading.contributors()["t7001"]["roles"] == ["evaluate"]
