"""A repair believes nothing is gone before that is proven, and not much of it without a person's word."""

import json
from typing import Any

import pytest

from ..support.manual_edits import put_candidate
from ..support.university import NEXT_DAY, OTHER, TEST, University, names, numbers

NOTHING_FOUND: dict[str, Any] = {"hits": 0, "page": 0, "results": []}


EMPTY_SEARCH = {"method": "GET", "path": "*/test/search", "status": 200, "body": NOTHING_FOUND}


@pytest.fixture
def noted(university: University) -> University:
    """Two tests that were made one after the other, whose graders were told by Inspera."""
    university.add_feeds("staff", "contributor")
    university.feed("contributor")["map"]["notify"] = "notify"
    for test in (TEST, OTHER):
        university.register(test, *numbers(1001, 5))
        university.assign_staff(test, "7001", "7002", notify="yes")
        university.apply_cleanly()
    university.at(NEXT_DAY)
    return university


def number_of(university: University, test: str) -> int:
    """Inspera's own number of a test."""
    return int(university.tests()[test]["assessmentRunId"])


def believes_nothing(university: University) -> str:
    """What a repair says that finds nothing gone, sends nothing, and leaves what is known as it is."""
    ran = university.reconcile("--repair")
    assert ran.status == 1, ran.output
    assert "Gone from Inspera" not in ran.out
    assert university.writes() == []
    university.stop_failing()
    assert university.planned() == []
    return ran.out


def test_a_404_on_everything_makes_nothing_anew_and_tells_nobody_again(noted: University) -> None:
    noted.fail(method="GET", path="*", status=404, body={"error": "no such page"})
    printed = believes_nothing(noted)
    assert f"test {TEST}: no search for tests has been answered otherwise than by 404" in printed
    assert [test["templates_sent"] for test in noted.tests().values()] == [1, 1]
    told = [one["notified"] for test in noted.tests().values() for one in test["contributors"]]
    assert told == [1] * 4


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (403, "it cannot be read by its id (Inspera refused test.read (403): no right)"),
        (
            405,
            "it cannot be read by its id (this tenant does not seem to have the call test.read (405)",
        ),
        (404, "no test could be read by its id in this run, so that a 404 there proves nothing"),
    ],
)
def test_a_key_with_fewer_rights_does_not_make_tests_anew(
    noted: University, status: int, why: str
) -> None:
    reading = {
        "method": "GET",
        "path": "/api/v1/test/2*",
        "status": status,
        "body": {"error": "no right"},
    }
    noted.sandbox.control(fail=[EMPTY_SEARCH, reading])
    printed = believes_nothing(noted)
    assert f"test {TEST}: a search does not find it, " in printed
    assert why in printed


def test_a_test_that_no_search_finds_and_no_reading_shows_is_gone_where_others_are_shown(
    noted: University,
) -> None:
    reading = {"method": "GET", "path": f"/api/v1/test/{number_of(noted, TEST)}", "status": 404}
    noted.sandbox.control(fail=[{**EMPTY_SEARCH, "times": 1}, reading])
    ran = noted.reconcile()
    assert ran.status == 3
    assert f"Gone from Inspera:\n  test {TEST}\n" in ran.out
    assert "Could not be read" not in ran.out
    noted.stop_failing()
    assert noted.reconcile().status == 0


@pytest.fixture
def emptied(university: University) -> University:
    """Thirty of the forty candidates of a test were taken off it by hand, and another one's minutes were changed."""
    university.register(TEST, *numbers(1001, 40))
    university.registrations.set(f"{TEST} 1040", extra="30")
    university.apply_once()
    university.at(NEXT_DAY)
    for number in numbers(1001, 30):
        put_candidate(university, number, removed=True)
    put_candidate(university, "1040", extraTimeMins=10)
    return university


def test_more_than_may_be_removed_is_not_taken_over_and_the_rest_is_repaired(
    emptied: University,
) -> None:
    ran = emptied.reconcile("--repair")
    assert ran.status == 3
    assert (
        "Held: candidate: gone from Inspera: 30 of 40 known is more than max(10, 10% up to 500) = 10"
        in ran.out
    )
    assert (
        "raise limits.kind for this once, or settle them one by one with `adopt candidate TEST KEY`"
        in ran.out
    )
    assert f"  candidate {TEST} / 1030\n" in ran.out, "all of them are listed"
    assert set(emptied.candidates()) == names(numbers(1031, 10))
    assert emptied.candidates()["s1040"]["extraTimeMins"] == 30


def test_a_higher_limit_lets_them_be_made_anew_for_this_once(emptied: University) -> None:
    emptied.config["limits"] = {"kind": {"at_least": 30}}
    assert emptied.reconcile("--repair").status == 0
    assert set(emptied.candidates()) == names(numbers(1001, 40))


def test_one_by_one_they_come_back_by_adopt(emptied: University) -> None:
    assert emptied.adopt("candidate", TEST, "1001").status == 0
    emptied.apply_cleanly()
    assert set(emptied.candidates()) == names(["1001", *numbers(1031, 10)])


def test_no_limit_lets_all_of_several_be_taken_for_gone(university: University) -> None:
    university.keep_feeds("learner")
    university.students.add("1001", "1002", "1003")
    university.apply_once()
    university.at(NEXT_DAY)
    university.students.drop("1003")
    for number in ("1001", "1002", "1003"):
        university.sandbox.edit(student={"username": f"s{number}", "removed": True})
    university.sandbox.edit(
        student={"username": "s9001", "firstName": "Fremmed", "lastName": "Person"}
    )
    university.config |= {"limits": {"kind": {"at_least": 100}}, "reconcile": {"people": "export"}}
    ran = university.reconcile("--repair")
    assert ran.status == 3
    assert (
        "Held: learner: gone from Inspera: 3 of 3 known: none would remain; so nothing of it is repaired."
        in ran.out
    )
    assert "limits.kind" not in ran.out
    assert university.sent("/users/student") == []
    assert university.adopt("learner", "1001", "--as-new").status == 0
    university.apply_cleanly()
    assert "s1001" in university.learners()


def test_somebody_whose_account_was_deleted_gets_their_seat_back_where_no_candidates_can_be_read(
    university: University,
) -> None:
    university.register(TEST, *numbers(1001, 5))
    university.fail(method="GET", path="*/candidates", status=403, body={"error": "no right"})
    university.apply_cleanly()
    university.at(NEXT_DAY)
    university.sandbox.edit(student={"username": "s1003", "removed": True})
    assert "s1003" not in university.candidates()
    university.reconcile("--repair")
    assert "s1003" in university.learners()
    assert "s1003" in university.candidates()


def test_programs_get_nothing_but_json_of_a_repair(emptied: University) -> None:
    ran = emptied.reconcile("--repair", "--json")
    assert ran.status == 3
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert sorted(line["heap"] for line in lines) == ["changed", *["gone"] * 30]
    assert emptied.candidates()["s1040"]["extraTimeMins"] == 30


def test_the_status_keeps_what_was_left_to_a_person(emptied: University) -> None:
    put_candidate(emptied, "1040", extraTimeMins=30)
    emptied.reconcile("--repair", "--json")
    assert (
        "held: candidate: gone from Inspera: 30 of 40 known" in emptied.run("status", "--all").out
    )
