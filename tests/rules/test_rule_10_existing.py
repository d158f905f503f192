"""Rules 10: We remove only what we put there. Before the first candidate, contributor or committee
goes onto a test, the test is read.
"""

import pytest

from ..support.university import OTHER, TEST, University, names, numbers

TIMES = {"start": "2026-12-01T08:00:00Z", "end": "2026-12-01T12:00:00Z", "duration": 240}


def by_hand(university: University, learner: str, test: str = TEST, **seat: object) -> None:
    """Somebody puts a learner on a test in Inspera's own pages."""
    university.sandbox.edit(candidate={"test": test, "username": f"s{learner}", **seat})


@pytest.fixture
def hand(university: University) -> University:
    """Five learners, of whom 1001 was put on the test by hand before our first assignment on it."""
    university.students.add(*numbers(1001, 5))
    university.exams.add(TEST, OTHER)
    university.registrations.add(f"{OTHER} 1001", f"{OTHER} 1002")
    university.apply_once()
    by_hand(university, "1001")
    return university


def test_a_seat_that_was_there_before_is_found_and_never_removed_while_ours_is(
    hand: University,
) -> None:
    hand.register(TEST, "1001", "1002", "1003")
    ran = hand.apply_cleanly()
    assert "1 create found" in ran.out
    hand.registrations.drop(f"{TEST} 1001", f"{TEST} 1002")
    assert hand.planned() == [f"remove candidate {TEST}/1002"]
    hand.apply_cleanly()
    assert set(hand.candidates()) == names(["1001", "1003"])


def test_a_claimed_tests_existing_seats_become_ours_and_can_be_removed(hand: University) -> None:
    hand.config["existing"] = {"claim": ["INF*-H26"]}
    hand.register(TEST, "1001", "1002", "1003")
    hand.apply_cleanly()
    hand.registrations.drop(f"{TEST} 1001")
    hand.apply_cleanly()
    assert set(hand.candidates()) == names(["1002", "1003"])


def test_people_who_no_source_names_are_not_touched(hand: University) -> None:
    by_hand(hand, "1005")
    hand.register(TEST, "1002", "1003")
    hand.apply_cleanly()
    hand.registrations.drop(f"{TEST} 1002")
    hand.apply_cleanly()
    assert set(hand.candidates()) == names(["1001", "1003", "1005"])


def test_an_existing_seat_is_brought_up_to_date_and_stays_found(hand: University) -> None:
    hand.registrations.add(f"{TEST} 1001", number="77", extra="30")
    hand.registrations.add(f"{TEST} 1002", number="78")
    hand.apply_cleanly()
    assert (
        hand.candidates()["s1001"]["candidateId"],
        hand.candidates()["s1001"]["extraTimeMins"],
    ) == (
        "77",
        30,
    )
    hand.registrations.drop(f"{TEST} 1001")
    hand.apply_cleanly()
    assert set(hand.candidates()) == names(["1001", "1002"])


def test_a_tests_candidates_are_read_before_its_first_assignment(hand: University) -> None:
    hand.register(TEST, "1002")
    hand.apply_cleanly()
    path = f"/api/v1/test/{hand.tests()[TEST]['assessmentRunId']}/candidates"
    assert [call["method"] for call in hand.calls() if call["path"] == path][:2] == ["GET", "POST"]


def test_where_candidates_cannot_be_read_what_we_put_on_our_own_test_is_ours(
    university: University,
) -> None:
    university.fail(method="GET", path="*/candidates", status=405)
    university.register(TEST, "1001", "1002", "1003")
    university.apply_cleanly()
    university.registrations.drop(f"{TEST} 1001")
    university.apply_cleanly()
    assert set(university.candidates()) == names(["1002", "1003"])


@pytest.mark.parametrize(
    ("unread", "left"), [("unmanaged", numbers(1001, 3)), ("managed", ["1002", "1003"])]
)
def test_on_an_existing_test_whose_candidates_cannot_be_read_the_setting_decides_and_the_run_says_so(
    university: University, unread: str, left: list[str]
) -> None:
    university.sandbox.edit(test=TEST, title="INF1000 Skriftlig prøve", **TIMES)
    university.fail(method="GET", path="*/candidates", status=405)
    university.config["existing"] = {"unread": unread}
    university.exams.add(OTHER)
    university.students.add("1009")
    university.registrations.add(f"{OTHER} 1009")
    university.config["on_absence"] = {"learner": "keep"}
    university.apply_cleanly()
    university.register(TEST, *numbers(1001, 3))
    ran = university.apply_cleanly()
    assert ("assumed to have been there before (existing.unread: unmanaged)" in ran.out) is (
        unread == "unmanaged"
    )
    university.registrations.drop(f"{TEST} 1001")
    university.apply_cleanly()
    assert set(university.candidates()) == names(left)


def test_a_test_that_inspera_has_already_is_taken_in_as_found_without_a_second_one(
    hand: University,
) -> None:
    hand.sandbox.edit(test="FYS1001-H26", title="FYS1001 Skriftlig prøve", **TIMES)
    hand.exams.add("FYS1001-H26")
    ran = hand.apply_cleanly()
    assert "found: test FYS1001-H26" in ran.out
    assert [set(call["body"]) for call in hand.sent()] == [
        {"externalTestId", "title", "startTime", "endTime", "duration"}
    ]
    assert len(hand.tests()) == 3
    assert hand.planned() == []


def test_an_existing_test_of_another_title_is_brought_up_to_date_without_its_template(
    hand: University,
) -> None:
    hand.sandbox.edit(test="FYS1001-H26", title="Kladd", **TIMES)
    hand.exams.add("FYS1001-H26")
    hand.apply_cleanly()
    test = hand.tests()["FYS1001-H26"]
    assert (test["title"], test["templates_sent"]) == ("FYS1001 Skriftlig prøve", 0)
    assert hand.planned() == []


def test_an_existing_test_with_other_times_is_held_and_its_seats_wait(hand: University) -> None:
    longer = TIMES | {"end": "2026-12-01T13:00:00Z"}
    hand.sandbox.edit(test="FYS1001-H26", title="FYS1001 Skriftlig prøve", **longer)
    hand.register("FYS1001-H26", "1001")
    ran = hand.apply()
    assert ran.status == 3
    assert (
        "drift: Inspera has 2026-12-01 09:00 Europe/Oslo (08:00Z) to 2026-12-01 14:00 " in ran.out
    )
    assert hand.candidates("FYS1001-H26") == {}
    assert hand.adopt("test", "FYS1001-H26").status == 0
    assert "update test FYS1001-H26" in hand.planned("pass")
    hand.apply_cleanly()
    assert hand.tests()["FYS1001-H26"]["endTime"] == "2026-12-01T12:00:00Z"
    assert set(hand.candidates("FYS1001-H26")) == {"s1001"}
