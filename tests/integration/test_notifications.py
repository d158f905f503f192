"""Whether Inspera tells people that they are on a test: not unless the feed says so, and then never twice."""

import pytest

from ..support.university import TEST, University

CONTRIBUTORS = "*/contributors"


@pytest.fixture
def telling(university: University) -> University:
    """Two members of staff who work on a test and are to be told."""
    university.add_feeds("staff", "contributor")
    university.feed("contributor")["map"]["notify"] = "notify"
    university.register(TEST, "1001")
    university.assign_staff(TEST, "7001", "7002", notify="yes")
    university.config["inspera"]["attempts"] = 2
    return university


def notices(university: University) -> dict[str, int]:
    """How often Inspera told each contributor."""
    return {username: one["notified"] for username, one in university.contributors().items()}


def asked(university: University) -> list[bool]:
    """What the last command's assignments said of each contributor."""
    calls = university.sent("/contributors", "POST")
    return [entry["sendNotification"] for call in calls for entry in call["body"]["contributors"]]


def test_nobody_is_notified_unless_the_feed_says_so_and_that_is_said_each_time(
    university: University,
) -> None:
    university.add_feeds("staff", "contributor")
    university.register(TEST, "1001")
    university.assign_staff(TEST, "7001", "7002")
    university.apply_once()
    assert asked(university) == [False, False]
    assert notices(university) == {"t7001": 0, "t7002": 0}


def test_a_feed_can_have_everybody_told(university: University) -> None:
    university.add_feeds("staff", "contributor")
    university.feed("contributor")["notify"] = True
    university.register(TEST, "1001")
    university.assign_staff(TEST, "7001")
    university.apply_once()
    assert notices(university) == {"t7001": 1}


def test_anyone_who_is_to_be_told_is_notified_once_and_not_again_when_something_changes(
    telling: University,
) -> None:
    telling.graders.set(f"{TEST} 7002", notify="no")
    telling.apply_once()
    assert notices(telling) == {"t7001": 1, "t7002": 0}
    telling.graders.set(f"{TEST} 7001", duties="evaluate;plan")
    telling.apply_cleanly()
    assert asked(telling) == [False]
    assert notices(telling) == {"t7001": 1, "t7002": 0}


def test_a_newly_wished_notice_is_no_change_of_those_who_are_there(telling: University) -> None:
    del telling.feed("contributor")["map"]["notify"]
    telling.apply_once()
    telling.feed("contributor")["map"]["notify"] = "notify"
    assert telling.planned() == []
    telling.apply_cleanly()
    assert telling.calls() == []


def test_an_answer_that_was_lost_after_the_call_was_carried_out_tells_nobody_twice(
    telling: University,
) -> None:
    telling.fail(method="POST", path=CONTRIBUTORS, status="reset", when="after", times=1)
    telling.apply_cleanly()
    assert notices(telling) == {"t7001": 1, "t7002": 1}


def test_an_answer_that_was_lost_before_anything_was_carried_out_is_sent_again_once_a_reading_shows_it(
    telling: University,
) -> None:
    telling.fail(method="POST", path=CONTRIBUTORS, status=500, when="before", times=1)
    telling.apply_cleanly()
    assert notices(telling) == {"t7001": 1, "t7002": 1}


@pytest.mark.parametrize("when", ["before", "after"])
def test_where_nobody_can_read_what_became_of_it_the_next_run_finds_out_and_tells_nobody_twice(
    telling: University, when: str
) -> None:
    telling.config["inspera"]["attempts"] = 1
    lost = {"method": "POST", "path": CONTRIBUTORS, "status": 500, "when": when}
    blind = {"method": "GET", "path": "/api/v1/test/2*", "status": 500, "skip": 1}
    telling.sandbox.control(fail=[lost, blind])
    assert telling.apply().status == 1
    assert telling.status()["unsettled"] == 2
    telling.stop_failing()
    telling.apply_cleanly()
    assert set(notices(telling)) == {"t7001", "t7002"}
    assert max(notices(telling).values()) == 1
    assert (telling.status()["unsettled"], telling.planned()) == (0, [])


def test_what_can_never_be_read_is_sent_again_without_a_notice(telling: University) -> None:
    telling.config["inspera"]["attempts"] = 1
    blind = {"method": "GET", "path": "/api/v1/test/2*", "status": 403}
    telling.sandbox.control(
        fail=[{"method": "POST", "path": CONTRIBUTORS, "status": 500, "when": "after"}, blind]
    )
    assert telling.apply().status == 1
    telling.sandbox.control(fail=[blind])
    telling.apply_cleanly()
    assert asked(telling) == [False, False]
    assert notices(telling) == {"t7001": 1, "t7002": 1}


def test_a_refusal_of_one_in_a_batch_tells_the_others_once(telling: University) -> None:
    telling.assign_staff(TEST, "7003", notify="yes")
    feeds = telling.config["feeds"]
    telling.keep_feeds("staff", "learner", "test")
    telling.apply_once()
    telling.sandbox.edit(staff={"username": "t7002", "removed": True})
    telling.config["feeds"] = feeds
    ran = telling.apply()
    assert ran.status == 1
    assert f"refused: contributor {TEST} / 7002" in ran.out
    assert notices(telling) == {"t7001": 1, "t7003": 1}
