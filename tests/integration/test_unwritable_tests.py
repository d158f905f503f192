"""Tests on which Inspera, or this program, changes nothing: started, archived and parent tests."""

import pytest

from ..support.university import NEXT_DAY, OTHER, TEST, University, names, numbers

LATER = "2026-09-04T08:00"


@pytest.fixture
def seated(university: University) -> University:
    """Six learners on a test that starts in three months."""
    university.register(TEST, *numbers(1001, 6))
    university.apply_once()
    return university


def _archive(university: University, *, archived: bool = True) -> None:
    university.sandbox.edit(test=TEST, archived=archived)


def test_a_candidate_who_has_started_stays_and_is_reported_once(seated: University) -> None:
    seated.sandbox.edit(candidate={"test": TEST, "username": "s1002", "started": True})
    seated.registrations.drop(f"{TEST} 1002", f"{TEST} 1003")
    ran = seated.apply()
    assert ran.status == 1
    assert "has started the test" in ran.out
    assert set(seated.candidates()) == names(["1001", "1002", "1004", "1005", "1006"])

    seated.at(LATER)
    (line,) = seated.plan_json()["changes"]
    assert (line["verdict"], line["rule"]) == ("deferred", 8)
    assert line["reason"].startswith("has started; stays: ")
    seated.apply_cleanly()
    assert seated.calls() == []
    assert "stays until its row or its test changes" in seated.run("status").out


def test_a_candidate_who_has_started_is_tried_again_when_the_test_changes_or_on_request(
    seated: University,
) -> None:
    seated.sandbox.edit(candidate={"test": TEST, "username": "s1002", "started": True})
    seated.registrations.drop(f"{TEST} 1002")
    assert seated.apply().status == 1
    assert seated.apply("--retry-refused").status == 1
    seated.sandbox.edit(candidate={"test": TEST, "username": "s1002", "started": False})
    seated.at(NEXT_DAY)
    seated.exams.set(TEST, name="Flyttet prøve")
    seated.apply_cleanly()  # the test alone: what is planned does not know yet that it changes
    seated.at(LATER)
    seated.apply_cleanly()
    assert set(seated.candidates()) == names(["1001", "1003", "1004", "1005", "1006"])


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (409, "not possible"),
        (400, "the test has started"),
        (403, "the key's user lacks the privilege to remove a candidate who has started"),
    ],
)
def test_another_refused_removal_on_an_activated_test_is_tried_again(
    seated: University, status: int, words: str
) -> None:
    seated.at("2026-11-24T09:00")
    seated.sandbox.edit(test=TEST, activated=True)
    seated.registrations.drop(f"{TEST} 1002")
    seated.fail(method="DELETE", status=status, body={"error": words})
    assert seated.apply().status == 1
    assert seated.apply().status == 1  # not sent again at once, and not silent about it
    seated.stop_failing()
    seated.at("2026-11-24T10:00")
    seated.apply_cleanly()
    assert "s1002" not in seated.candidates()


def test_a_refusal_that_names_an_archived_person_stops_nobody_else(seated: University) -> None:
    seated.at("2026-12-01T04:00")
    seated.register(TEST, *numbers(1007, 30))
    seated.config["inspera"]["batch_size"] = 10
    words = {"externalId": "s1008", "message": "The user account is archived"}
    refusal = {"method": "POST", "path": "*/candidates", "status": 400, "times": 1}
    seated.sandbox.control(fail=[{**refusal, "body": {"success": False, "errors": [words]}}])
    seated.apply_cleanly()  # all others at once, and alone this person is not refused again
    assert len(seated.candidates()) == 6 + 30


def test_an_archived_test_that_has_come_near_is_tried_at_once(seated: University) -> None:
    seated.at("2026-11-23T12:00")  # more than 7 days before: the pause is a day
    _archive(seated)
    seated.register(TEST, "1007")
    assert seated.apply().status == 1
    _archive(seated, archived=False)
    seated.at("2026-11-24T11:30")
    seated.apply_cleanly()
    assert "s1007" in seated.candidates()


def test_an_archived_test_is_tried_again_on_the_morning_of_its_exam(seated: University) -> None:
    seated.at("2026-12-01T07:00")
    _archive(seated)
    seated.register(TEST, "1007")
    assert seated.apply().status == 1
    _archive(seated, archived=False)
    seated.at("2026-12-01T07:10")
    assert (seated.apply().status, seated.calls()) == (1, [])
    seated.at("2026-12-01T07:16")
    seated.apply_cleanly()
    assert "s1007" in seated.candidates()


def test_an_archived_test_takes_no_changes_costs_one_call_and_is_reported_once(
    seated: University,
) -> None:
    _archive(seated)
    seated.registrations.drop(f"{TEST} 1001")
    seated.register(TEST, *numbers(1007, 5))
    ran = seated.apply()
    assert ran.status == 1
    assert len(seated.sent("/candidates")) == 1
    archived = [one for one in seated.findings() if "archived" in one["text"]]
    assert [(one["kind"], one["key"], one["type"]) for one in archived] == [
        ("test", [TEST], "deferred")
    ]
    assert "apply --retry-refused" in archived[0]["text"]
    assert set(seated.learners()) == names(numbers(1001, 11))

    ran = seated.apply()  # nothing is sent again, and all on the test has one reason
    assert (ran.status, seated.sent()) == (1, [])
    assert ran.out.count("is archived in Inspera") == 1


def test_an_archived_test_that_is_restored_is_kept_in_step_again(seated: University) -> None:
    _archive(seated)
    seated.register(TEST, "1007")
    assert seated.apply().status == 1
    _archive(seated, archived=False)
    assert seated.apply().status == 1
    assert seated.apply("--retry-refused").status == 0
    assert "s1007" in seated.candidates()
    _archive(seated)
    seated.register(TEST, "1008")
    assert seated.apply().status == 1
    _archive(seated, archived=False)
    seated.at(NEXT_DAY)  # a day later it is tried without a person
    seated.apply_cleanly()
    assert "s1008" in seated.candidates()


def test_a_parent_of_other_tests_gets_candidates_only_when_a_person_allows_it(
    university: University,
) -> None:
    university.register(OTHER, "1003")
    university.apply_once()
    university.sandbox.edit(
        test=TEST,
        title="INF1000 Skriftlig prøve",
        startTime="2026-12-01T08:00:00Z",
        endTime="2026-12-01T12:00:00Z",
        duration=240,
        isAssessmentPath=True,
    )
    university.register(TEST, "1001", "1002")
    assert university.apply().status == 3
    assert university.candidates() == {}
    assert set(university.learners()) == names(["1001", "1002", "1003"])

    plan = university.plan()
    assert "is a parent of other tests (isAssessmentPath)" in plan.out
    (scope,) = university.plan_json()["summary"]["held_scopes"]
    assert university.apply("--allow", scope["hash"]).status == 0
    assert set(university.candidates()) == names(["1001", "1002"])

    university.registrations.drop(f"{TEST} 1002")
    assert university.apply().status == 3
    assert set(university.candidates()) == names(["1001", "1002"])


def test_unknown_fields_and_statuses_change_nothing(university: University) -> None:
    university.sandbox.control(unknown_fields=True)
    university.add_feeds("staff", "contributor")
    university.register(TEST, "1001", "1002")
    university.assign_staff(TEST, "7001")
    university.apply_cleanly()
    university.registrations.set(f"{TEST} 1001", number="17")
    university.registrations.drop(f"{TEST} 1002")
    university.exams.set(TEST, name="Flyttet prøve")
    university.apply_cleanly()
    assert [one["candidateId"] for one in university.candidates().values()] == ["17"]
    assert "1 changed" not in university.reconcile().out


def test_tests_of_another_integration_are_kept_in_step_under_its_name(
    university: University,
) -> None:
    university.register(TEST, "1001")
    university.apply_once()
    university.sandbox.edit(test=TEST, externalSystem="LTI")
    university.exams.set(TEST, name="Flyttet prøve")
    ran = university.apply()
    assert ran.status == 3
    assert "Inspera does not have it any more" in ran.out
    university.config["inspera"]["external_system"] = "LTI"
    university.at(LATER)
    university.apply_cleanly()
    assert university.tests()[TEST]["title"] == "INF1000 Flyttet prøve"
