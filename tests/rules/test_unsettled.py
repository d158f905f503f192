"""Intent before the call, outcome after it: what a run could not find out, the next one finds out first."""

import json

from .site import TEST, Site, names, numbers

SEATS = "*/candidates"


def unsettled(site: Site) -> int:
    """How many calls have no known outcome."""
    count: int = json.loads(site.run("status", "--json").out)["unsettled"]
    return count


def lose_seats(site: Site, when: str, skip: int = 0) -> None:
    """The answers to assignments are lost, but for the first `skip`, and afterwards nobody can read the seats."""
    lost = {"method": "POST", "path": SEATS, "status": 500, "when": when, "skip": skip}
    blind = {"method": "GET", "path": SEATS, "status": 500, "skip": 1}
    site.sandbox.control(fail=[lost, blind])


def test_a_learner_whose_answer_was_lost_is_sent_again_and_nobody_else_is(site: Site) -> None:
    site.config["inspera"] |= {"attempts": 1, "workers": 1}
    site.only("learner")
    site.students.add(*numbers(1001, 4))
    site.fail(method="POST", path="*/student", status=500, when="after", times=1, skip=2)
    ran = site.apply()
    assert ran.status == 1
    assert "unknown: learner 1003" in ran.out
    assert unsettled(site) == 1
    site.heal()
    assert "1 call of an earlier run without a known outcome" in site.plan().out
    assert site.planned() == ["create learner 1003"]
    site.settled()
    assert [call["body"]["username"] for call in site.sent()] == ["s1003"]
    assert (unsettled(site), site.planned()) == (0, [])


def test_a_test_that_was_made_although_nobody_could_tell_is_found_later_and_its_template_not_sent_again(
    site: Site,
) -> None:
    site.config["inspera"] |= {"attempts": 1, "workers": 1}
    site.seat(TEST, "1001")
    site.fail(method="POST", path="/api/v1/test", status=500, when="after")
    ran = site.apply()
    assert ran.status in (0, 1)
    site.heal()
    site.settled()
    assert site.tests()[TEST]["templates_sent"] == 1
    assert "POST /v1/test" not in site.writes()
    assert set(site.seats()) == {"s1001"}


def test_a_create_whose_search_fails_too_stays_open_until_a_search_tells(site: Site) -> None:
    site.config["inspera"] |= {"attempts": 1, "workers": 1}
    site.only("test")
    site.exams.add(TEST)
    lost = {"method": "POST", "path": "/api/v1/test", "status": 500, "when": "after"}
    blind = {"method": "GET", "path": "/api/v1/test/search", "status": 500, "skip": 3}
    site.sandbox.control(fail=[lost, blind])
    assert site.apply().status == 1
    assert unsettled(site) == 1
    site.heal()
    ran = site.settled()
    assert "Found out about 1 call of an earlier run" in ran.out
    assert site.writes() == []
    assert site.tests()[TEST]["templates_sent"] == 1
    assert site.planned() == []


def test_a_lost_batch_is_read_before_anything_is_sent_and_only_what_is_missing_goes_again(
    site: Site,
) -> None:
    site.config["inspera"] |= {"attempts": 1, "batch_size": 3}
    site.seat(TEST, *numbers(1001, 6))
    lose_seats(site, when="after", skip=1)
    assert site.apply().status == 1
    assert unsettled(site) == 3
    site.heal()
    site.settled()
    assert site.writes() == []
    assert set(site.seats()) == names(numbers(1001, 6))
    assert site.planned() == []


def test_a_lost_batch_that_never_arrived_goes_again_and_no_other_seat_with_it(site: Site) -> None:
    site.config["inspera"] |= {"attempts": 1, "batch_size": 3}
    site.seat(TEST, *numbers(1001, 6))
    lose_seats(site, when="before", skip=1)
    assert site.apply().status == 1
    site.heal()
    site.settled()
    sent = [{seat["externalId"] for seat in call["body"]["candidates"]} for call in site.sent()]
    assert sent == [names(["1004", "1005", "1006"])]
    assert site.planned() == []


def test_a_lost_removal_is_settled_by_reading(site: Site) -> None:
    site.config["inspera"]["attempts"] = 1
    site.seat(TEST, *numbers(1001, 6))
    site.settled()
    site.registrations.drop(f"{TEST} 1001")
    site.fail(method="DELETE", path=SEATS, status=500, when="after")
    assert site.apply().status == 1
    site.heal()
    site.settled()
    assert site.writes() == []
    assert set(site.seats()) == names(numbers(1002, 5))
    assert site.planned() == []


def test_an_update_of_times_that_arrived_unnoticed_is_not_taken_for_somebodys_hand(
    site: Site,
) -> None:
    site.config["inspera"]["attempts"] = 1
    site.seat(TEST, "1001")
    site.settled()
    site.exams.set(TEST, end="01.12.2026 14:00")
    site.fail(method="POST", path="/api/v1/test", status=500, when="after")
    assert site.apply().status == 1
    site.heal()
    site.settled()
    assert site.tests()[TEST]["endTime"] == "2026-12-01T13:00:00Z"
    assert site.planned() == []


def test_a_call_that_was_lost_and_is_not_wanted_any_more_is_undone(site: Site) -> None:
    site.config["inspera"]["attempts"] = 1
    site.seat(TEST, "1001", "1002")
    site.settled()
    site.seat(TEST, "1003")
    lose_seats(site, when="after")
    assert site.apply().status == 1
    assert unsettled(site) == 1
    site.heal()
    site.registrations.drop(f"{TEST} 1003")
    site.settled()
    assert set(site.seats()) == names(["1001", "1002"])


def test_what_cannot_be_looked_at_just_now_is_not_sent_again_and_holds_nobody_else_up(
    site: Site,
) -> None:
    other = "MAT1100-H26"
    site.config["inspera"] |= {"attempts": 1}
    site.exams.add(other)
    site.seat(TEST, "1001", "1002")
    lose_seats(site, when="after")
    assert site.apply().status == 1
    assert unsettled(site) == 2
    site.seat(other, "1002")
    number = site.tests()[TEST]["assessmentRunId"]
    site.sandbox.control(
        fail=[{"method": "GET", "path": f"/api/v1/test/{number}/candidates", "status": 500}]
    )
    ran = site.apply()
    assert ran.status == 1
    assert "could not be found out just now" in ran.out
    assert [call["path"] for call in site.sent() if str(number) in call["path"]] == []
    assert set(site.seats(other)) == {"s1002"}
    site.heal()
    site.settled()
    assert unsettled(site) == 0
    assert site.writes() == []
