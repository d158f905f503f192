"""Whether Inspera tells people that they are on a test: not unless the feed says so, and then never twice."""

import pytest

from .site import TEST, Site

CONTRIBUTORS = "*/contributors"


@pytest.fixture
def telling(site: Site) -> Site:
    """Two members of staff who work on a test and are to be told."""
    site.also("staff", "contributor")
    site.feed("contributor")["map"]["notify"] = "notify"
    site.seat(TEST, "1001")
    site.hire(TEST, "7001", "7002", notify="yes")
    site.config["inspera"]["attempts"] = 2
    return site


def told(site: Site) -> dict[str, int]:
    """How often Inspera told each contributor."""
    return {username: one["notified"] for username, one in site.contributors().items()}


def asked(site: Site) -> list[bool]:
    """What the last command's assignments said of each contributor."""
    calls = site.sent("/contributors", "POST")
    return [entry["sendNotification"] for call in calls for entry in call["body"]["contributors"]]


def test_nobody_is_told_unless_the_feed_says_so_and_that_is_said_each_time(site: Site) -> None:
    site.also("staff", "contributor")
    site.seat(TEST, "1001")
    site.hire(TEST, "7001", "7002")
    site.settled()
    assert asked(site) == [False, False]
    assert told(site) == {"t7001": 0, "t7002": 0}


def test_a_feed_can_have_everybody_told(site: Site) -> None:
    site.also("staff", "contributor")
    site.feed("contributor")["notify"] = True
    site.seat(TEST, "1001")
    site.hire(TEST, "7001")
    site.settled()
    assert told(site) == {"t7001": 1}


def test_whoever_is_to_be_told_is_told_once_and_not_again_when_something_changes(
    telling: Site,
) -> None:
    telling.graders.set(f"{TEST} 7002", notify="no")
    telling.settled()
    assert told(telling) == {"t7001": 1, "t7002": 0}
    telling.graders.set(f"{TEST} 7001", duties="evaluate;plan")
    telling.settled()
    assert asked(telling) == [False]
    assert told(telling) == {"t7001": 1, "t7002": 0}


def test_a_newly_wished_notice_is_no_change_of_those_who_are_there(telling: Site) -> None:
    del telling.feed("contributor")["map"]["notify"]
    telling.settled()
    telling.feed("contributor")["map"]["notify"] = "notify"
    assert telling.planned() == []
    telling.settled()
    assert telling.calls() == []


def test_an_answer_that_was_lost_after_the_call_was_carried_out_tells_nobody_twice(
    telling: Site,
) -> None:
    telling.fail(method="POST", path=CONTRIBUTORS, status="reset", when="after", times=1)
    telling.settled()
    assert told(telling) == {"t7001": 1, "t7002": 1}


def test_an_answer_that_was_lost_before_anything_was_carried_out_is_sent_again_once_a_reading_shows_it(
    telling: Site,
) -> None:
    telling.fail(method="POST", path=CONTRIBUTORS, status=500, when="before", times=1)
    telling.settled()
    assert told(telling) == {"t7001": 1, "t7002": 1}


@pytest.mark.parametrize("when", ["before", "after"])
def test_where_nobody_can_read_what_became_of_it_the_next_run_finds_out_and_tells_nobody_twice(
    telling: Site, when: str
) -> None:
    telling.config["inspera"]["attempts"] = 1
    lost = {"method": "POST", "path": CONTRIBUTORS, "status": 500, "when": when}
    blind = {"method": "GET", "path": "/api/v1/test/2*", "status": 500, "skip": 1}
    telling.sandbox.control(fail=[lost, blind])
    assert telling.apply().status == 1
    assert telling.status()["unsettled"] == 2
    telling.heal()
    telling.settled()
    assert set(told(telling)) == {"t7001", "t7002"}
    assert max(told(telling).values()) == 1
    assert (telling.status()["unsettled"], telling.planned()) == (0, [])


def test_what_can_never_be_read_is_sent_again_without_a_notice(telling: Site) -> None:
    telling.config["inspera"]["attempts"] = 1
    blind = {"method": "GET", "path": "/api/v1/test/2*", "status": 403}
    telling.sandbox.control(
        fail=[{"method": "POST", "path": CONTRIBUTORS, "status": 500, "when": "after"}, blind]
    )
    assert telling.apply().status == 1
    telling.sandbox.control(fail=[blind])
    telling.settled()
    assert asked(telling) == [False, False]
    assert told(telling) == {"t7001": 1, "t7002": 1}


def test_a_refusal_of_one_in_a_batch_tells_the_others_once(telling: Site) -> None:
    telling.hire(TEST, "7003", notify="yes")
    feeds = telling.config["feeds"]
    telling.only("staff", "learner", "test")
    telling.settled()
    telling.sandbox.edit(staff={"username": "t7002", "removed": True})
    telling.config["feeds"] = feeds
    ran = telling.apply()
    assert ran.status == 1
    assert f"refused: contributor {TEST} / 7002" in ran.out
    assert told(telling) == {"t7001": 1, "t7003": 1}
