"""Rules 21: Each call has its own safety. Most calls may be repeated, because sending them twice
changes nothing.
"""

import json

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
