"""We remove only what we put there: seats and tests that Inspera had before us."""

import pytest

from .site import OTHER, TEST, Site, names, numbers

TIMES = {"start": "2026-12-01T08:00:00Z", "end": "2026-12-01T12:00:00Z", "duration": 240}


def by_hand(site: Site, learner: str, test: str = TEST, **seat: object) -> None:
    """Somebody puts a learner on a test in Inspera's own pages."""
    site.sandbox.edit(candidate={"test": test, "username": f"s{learner}", **seat})


@pytest.fixture
def hand(site: Site) -> Site:
    """Five learners, of whom 1001 was put on the test by hand before our first assignment on it."""
    site.students.add(*numbers(1001, 5))
    site.exams.add(TEST, OTHER)
    site.registrations.add(f"{OTHER} 1001", f"{OTHER} 1002")
    site.settled()
    by_hand(site, "1001")
    return site


def test_a_seat_that_was_there_before_is_found_and_never_removed_while_ours_is(hand: Site) -> None:
    hand.seat(TEST, "1001", "1002", "1003")
    ran = hand.settled()
    assert "1 create found" in ran.out
    hand.registrations.drop(f"{TEST} 1001", f"{TEST} 1002")
    assert hand.planned() == [f"remove candidate {TEST}/1002"]
    hand.settled()
    assert set(hand.seats()) == names(["1001", "1003"])


def test_a_claimed_tests_found_seats_become_ours_and_can_be_removed(hand: Site) -> None:
    hand.config["existing"] = {"claim": ["INF*-H26"]}
    hand.seat(TEST, "1001", "1002", "1003")
    hand.settled()
    hand.registrations.drop(f"{TEST} 1001")
    hand.settled()
    assert set(hand.seats()) == names(["1002", "1003"])


def test_people_whom_no_source_names_are_not_touched(hand: Site) -> None:
    by_hand(hand, "1005")
    hand.seat(TEST, "1002", "1003")
    hand.settled()
    hand.registrations.drop(f"{TEST} 1002")
    hand.settled()
    assert set(hand.seats()) == names(["1001", "1003", "1005"])


def test_a_found_seat_is_brought_up_to_date_and_stays_found(hand: Site) -> None:
    hand.registrations.add(f"{TEST} 1001", number="77", extra="30")
    hand.registrations.add(f"{TEST} 1002", number="78")
    hand.settled()
    assert (hand.seats()["s1001"]["candidateId"], hand.seats()["s1001"]["extraTimeMins"]) == (
        "77",
        30,
    )
    hand.registrations.drop(f"{TEST} 1001")
    hand.settled()
    assert set(hand.seats()) == names(["1001", "1002"])


def test_a_tests_candidates_are_read_before_its_first_assignment(hand: Site) -> None:
    hand.seat(TEST, "1002")
    hand.settled()
    path = f"/api/v1/test/{hand.tests()[TEST]['assessmentRunId']}/candidates"
    assert [call["method"] for call in hand.calls() if call["path"] == path][:2] == ["GET", "POST"]


def test_where_candidates_cannot_be_read_what_we_put_on_our_own_test_is_ours(site: Site) -> None:
    site.fail(method="GET", path="*/candidates", status=405)
    site.seat(TEST, "1001", "1002", "1003")
    site.settled()
    site.registrations.drop(f"{TEST} 1001")
    site.settled()
    assert set(site.seats()) == names(["1002", "1003"])


@pytest.mark.parametrize(
    ("unread", "left"), [("unmanaged", numbers(1001, 3)), ("managed", ["1002", "1003"])]
)
def test_on_a_found_test_whose_candidates_cannot_be_read_the_setting_decides_and_the_run_says_so(
    site: Site, unread: str, left: list[str]
) -> None:
    site.sandbox.edit(test=TEST, title="INF1000 Skriftlig prøve", **TIMES)
    site.fail(method="GET", path="*/candidates", status=405)
    site.config["existing"] = {"unread": unread}
    site.exams.add(OTHER)
    site.students.add("1009")
    site.registrations.add(f"{OTHER} 1009")
    site.config["on_absence"] = {"learner": "keep"}
    site.settled()
    site.seat(TEST, *numbers(1001, 3))
    ran = site.settled()
    assert ("assumed to have been there before (existing.unread: unmanaged)" in ran.out) is (
        unread == "unmanaged"
    )
    site.registrations.drop(f"{TEST} 1001")
    site.settled()
    assert set(site.seats()) == names(left)


def test_a_test_that_inspera_has_already_is_taken_in_as_found_without_a_second_one(
    hand: Site,
) -> None:
    hand.sandbox.edit(test="FYS1001-H26", title="FYS1001 Skriftlig prøve", **TIMES)
    hand.exams.add("FYS1001-H26")
    ran = hand.settled()
    assert "found: test FYS1001-H26" in ran.out
    assert [set(call["body"]) for call in hand.sent()] == [
        {"externalTestId", "title", "startTime", "endTime", "duration"}
    ]
    assert len(hand.tests()) == 3
    assert hand.planned() == []


def test_a_found_test_of_another_title_is_brought_up_to_date_without_its_template(
    hand: Site,
) -> None:
    hand.sandbox.edit(test="FYS1001-H26", title="Kladd", **TIMES)
    hand.exams.add("FYS1001-H26")
    hand.settled()
    test = hand.tests()["FYS1001-H26"]
    assert (test["title"], test["templates_sent"]) == ("FYS1001 Skriftlig prøve", 0)
    assert hand.planned() == []


def test_a_found_test_with_other_times_is_held_and_its_seats_wait(hand: Site) -> None:
    longer = TIMES | {"end": "2026-12-01T13:00:00Z"}
    hand.sandbox.edit(test="FYS1001-H26", title="FYS1001 Skriftlig prøve", **longer)
    hand.seat("FYS1001-H26", "1001")
    ran = hand.apply()
    assert ran.status == 3
    assert (
        "drift: Inspera has 2026-12-01 09:00 Europe/Oslo (08:00Z) to 2026-12-01 14:00 " in ran.out
    )
    assert hand.seats("FYS1001-H26") == {}
    assert hand.adopt("test", "FYS1001-H26").status == 0
    assert "update test FYS1001-H26" in hand.planned("pass")
    hand.settled()
    assert hand.tests()["FYS1001-H26"]["endTime"] == "2026-12-01T12:00:00Z"
    assert set(hand.seats("FYS1001-H26")) == {"s1001"}
