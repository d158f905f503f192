"""Rules 21: Each call has its own safety. Most calls may be repeated, because sending them twice
changes nothing.
"""

import json

import pytest

from ..support.university import NEXT_DAY, TEST, University, names, numbers

SEATS = "*/candidates"


def test_a_lost_answer_to_a_create_is_settled_by_searching_and_the_template_is_sent_once(
    university: University,
) -> None:
    university.register(TEST, "1001")
    university.fail(method="POST", path="/api/v1/test", status="reset", when="after", times=1)
    university.apply_cleanly()
    assert university.tests()[TEST]["templates_sent"] == 1
    assert set(university.candidates()) == {"s1001"}
    assert university.planned() == []


def test_a_create_that_was_lost_before_inspera_carried_it_out_is_sent_again(
    university: University,
) -> None:
    university.register(TEST, "1001")
    university.fail(method="POST", path="/api/v1/test", status=502, when="before", times=1)
    university.apply_cleanly()
    assert university.tests()[TEST]["templates_sent"] == 1


def test_a_lost_answer_to_an_assignment_is_settled_by_reading(university: University) -> None:
    university.register(TEST, *numbers(1001, 5))
    university.fail(method="POST", path=SEATS, status=500, when="after", times=1)
    university.apply_cleanly()
    assert len([path for path in university.writes() if path.endswith("/candidates")]) == 1
    assert set(university.candidates()) == names(numbers(1001, 5))


def test_a_removal_of_somebody_who_is_not_there_is_done_only_because_a_reading_shows_it(
    university: University,
) -> None:
    university.register(TEST, *numbers(1001, 5))
    university.apply_once()
    university.registrations.drop(f"{TEST} 1001")
    university.fail(method="DELETE", path=SEATS, status=404)
    ran = university.apply()
    assert ran.status == 1
    assert "s1001" in university.candidates()
    assert university.planned() == [f"remove candidate {TEST}/1001"]
    university.stop_failing()
    university.at(NEXT_DAY)
    university.apply_cleanly()
    assert "s1001" not in university.candidates()


def unsettled(university: University) -> int:
    """How many calls have no known outcome."""
    count: int = json.loads(university.run("status", "--json").out)["unsettled"]
    return count


def test_a_test_that_was_made_although_nobody_could_tell_is_found_later_and_its_template_not_sent_again(
    university: University,
) -> None:
    university.config["inspera"] |= {"attempts": 1, "workers": 1}
    university.register(TEST, "1001")
    university.fail(method="POST", path="/api/v1/test", status=500, when="after")
    ran = university.apply()
    assert ran.status in (0, 1)
    university.stop_failing()
    university.apply_cleanly()
    assert university.tests()[TEST]["templates_sent"] == 1
    assert "POST /v1/test" not in university.writes()
    assert set(university.candidates()) == {"s1001"}


def test_a_create_whose_search_fails_too_stays_open_until_a_search_tells(
    university: University,
) -> None:
    university.config["inspera"] |= {"attempts": 1, "workers": 1}
    university.keep_feeds("test")
    university.exams.add(TEST)
    lost = {"method": "POST", "path": "/api/v1/test", "status": 500, "when": "after"}
    blind = {"method": "GET", "path": "/api/v1/test/search", "status": 500, "skip": 2}
    university.sandbox.control(fail=[lost, blind])
    assert university.apply().status == 1
    assert unsettled(university) == 1
    university.stop_failing()
    ran = university.apply_cleanly()
    assert "Found out about 1 call of an earlier run" in ran.out
    assert university.writes() == []
    assert university.tests()[TEST]["templates_sent"] == 1
    assert university.planned() == []


@pytest.mark.parametrize("status", [500, 503])
def test_a_test_is_created_once_although_inspera_speaks_of_too_many_connections_or_requests(
    university: University, status: int
) -> None:
    university.register(TEST, "1001")
    words = {500: "could not write the log: too many connections", 503: "Too many requests"}
    body = {"error": words[status]}
    failure = {"method": "POST", "path": "*/test", "status": status, "body": body}
    university.fail(**failure, when="after", times=1)
    university.apply_cleanly()
    assert university.writes().count("POST /v1/test") == 1
    assert university.tests()[TEST]["templates_sent"] == 1


def refuse_existing(university: University, *, on: bool = True) -> None:
    """Let Inspera refuse a username that exists, or update its account."""
    university.sandbox.control(refuse_existing=on)


@pytest.fixture
def no_look_up(university: University) -> University:
    """One new learner, on a tenant that refuses existing usernames; learners are not looked up."""
    university.config["existing"] = {"look_up_learners": False}
    university.keep_feeds("learner")
    university.students.add("1000")
    university.apply_once()
    refuse_existing(university)
    university.students.add("1001")
    return university


LOST = {"method": "POST", "path": "*/users/student", "status": "reset", "when": "after"}


def test_a_created_learner_whose_answer_was_lost_is_looked_up_where_a_repeat_is_refused(
    no_look_up: University,
) -> None:
    no_look_up.fail(**LOST, times=1)
    no_look_up.apply_cleanly()
    assert no_look_up.writes() == ["POST /v1/users/student"] * 2
    assert (set(no_look_up.learners()), no_look_up.planned()) == ({"s1000", "s1001"}, [])


def test_it_is_settled_by_the_next_run_too(
    no_look_up: University,
) -> None:
    no_look_up.config["inspera"]["attempts"] = 1
    no_look_up.fail(**LOST)
    assert no_look_up.apply().status == 1
    no_look_up.stop_failing()
    no_look_up.apply_cleanly()
    assert (unsettled(no_look_up), no_look_up.planned()) == (0, [])


ADDRESS_IN_USE = {"success": False, "errors": [{"field": "email", "message": "already exists"}]}
REFUSED = {
    "method": "POST",
    "path": "*/users/student",
    "status": 400,
    "body": ADDRESS_IN_USE,
    "times": 1,
}


def test_it_is_settled_whatever_the_words_of_the_refusal_are(no_look_up: University) -> None:
    no_look_up.sandbox.control(fail=[{**LOST, "times": 1}, REFUSED])
    no_look_up.apply_cleanly()
    assert no_look_up.writes() == ["POST /v1/users/student"] * 2
    assert no_look_up.planned() == []


def test_it_is_settled_by_the_next_run_whatever_the_words_of_the_refusal_are(
    no_look_up: University,
) -> None:
    no_look_up.config["inspera"]["attempts"] = 1
    no_look_up.fail(**LOST)
    assert no_look_up.apply().status == 1
    no_look_up.sandbox.control(fail=[REFUSED])
    no_look_up.apply_cleanly()
    assert (unsettled(no_look_up), no_look_up.planned()) == (0, [])


def test_a_new_person_whose_address_is_in_use_is_refused_and_not_looked_up(
    no_look_up: University,
) -> None:
    no_look_up.sandbox.control(fail=[REFUSED])
    ran = no_look_up.apply()
    assert ran.status == 1
    assert "refused: learner 1001" in ran.out
    assert "email: already exists" in ran.out
    assert len(no_look_up.calls()) == 2, "the token and the create"


def updates_refused(university: University) -> list[str]:
    """The findings of the last run that this tenant takes no updates."""
    return [one["text"] for one in university.findings() if one["type"] == "no updates"]


def test_a_tenant_that_takes_no_updates_is_asked_once_a_run_and_reported_in_one_line(
    university: University,
) -> None:
    university.keep_feeds("learner")
    university.students.add(*numbers(1001, 6))
    university.apply_once()
    refuse_existing(university)
    for number in numbers(1001, 6):
        university.students.set(number, family=f"Ny{number}")
    for _ in range(2):
        ran = university.apply()
        assert (ran.status, len(university.writes())) == (1, 1)
        (line,) = updates_refused(university)
        assert "6 of them differ from the sources" in line
        assert ran.out.count("takes no updates of learners") == 1
    assert "takes no updates of learners" in university.run("doctor").out
    refuse_existing(university, on=False)
    university.apply_cleanly()
    assert updates_refused(university) == []
    assert "takes no updates" not in university.run("doctor").out
    assert {one["lastName"][:2] for one in university.learners().values()} == {"Ny"}


@pytest.mark.parametrize(
    "body",
    [
        {"success": False, "errors": [{"field": "emailAddress", "message": "already exists"}]},
        {"error": "Duplicate entry 'x@example.edu' for key 'email_UNIQUE'"},
        {"error": "User already exists"},
    ],
)
def test_the_address_of_one_person_keeps_nobody_else_from_their_update(
    university: University, body: dict[str, object]
) -> None:
    university.config["inspera"]["workers"] = 1
    university.keep_feeds("learner")
    university.students.add(*numbers(1001, 4))
    university.apply_once()
    for number in numbers(1001, 4):
        university.students.set(number, mail=f"new{number}@example.edu")
    university.fail(method="POST", path="*/users/student", status=400, times=1, body=body)
    ran = university.apply()
    assert (ran.status, updates_refused(university)) == (1, [])
    assert "refused: learner 1001" in ran.out
    assert sum(one["email"][:3] == "new" for one in university.learners().values()) == 3


def test_a_tenant_that_takes_no_updates_and_does_not_name_the_username_is_asked_twice(
    university: University,
) -> None:
    university.config["inspera"]["workers"] = 1
    university.keep_feeds("learner")
    university.students.add(*numbers(1001, 4))
    university.apply_once()
    for number in numbers(1001, 4):
        university.students.set(number, family=f"Ny{number}")
    words = {"error": "User already exists"}
    university.fail(method="POST", path="*/users/student", status=400, body=words)
    ran = university.apply()
    assert (ran.status, len(university.writes())) == (1, 2)
    assert "refused: learner 1001" in ran.out
    (line,) = updates_refused(university)
    assert "3 of them differ from the sources" in line


def test_another_call_for_updates_ends_that_a_tenant_takes_none(university: University) -> None:
    university.config["verify"] = "none"
    university.keep_feeds("learner")
    university.students.add(*numbers(1001, 3))
    university.apply_once()
    refuse_existing(university)
    for number in numbers(1001, 3):
        university.students.set(number, family="Ny")
    assert university.apply().status == 1
    path = "/v1/users/student/change"
    university.config["inspera"]["calls"] = {"learner.update": {"path": path}}
    university.fail(method="POST", path=f"*{path}", status=200, body={"success": True})
    university.apply_cleanly()
    assert university.writes() == [f"POST {path}"] * 3
    assert "takes no updates" not in university.run("doctor").out


def test_an_account_without_external_id_waits_with_a_remedy_where_no_update_is_taken(
    university: University,
) -> None:
    refuse_existing(university)
    university.register(TEST, "1001", "1002")
    row = university.students.rows[0]
    account = {"username": row["feide"], "firstName": row["given"], "lastName": row["family"]}
    university.sandbox.edit(student={**account, "email": "old@example.edu"})
    ran = university.apply()
    assert ran.status == 1
    assert "link it to the account there, then run `adopt learner 1001`" in ran.out
    linked = {"authType": "FEIDE", "externalId": row["feide"]}
    university.sandbox.edit(
        student={**account, "email": "old@example.edu", "externalIds": [linked]}
    )
    assert university.run("adopt", "learner", "1001").status == 0
    university.apply()
    assert set(university.candidates()) == {"s1001", "s1002"}
