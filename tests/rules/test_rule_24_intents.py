"""Rules 24: Intent before the call, outcome after it. Both are stored durably. After a kill, the
next run first finds out what became of each intent without outcome.
"""

import json

from ..support.university import TEST, University, names, numbers

SEATS = "*/candidates"


def unsettled(university: University) -> int:
    """How many calls have no known outcome."""
    count: int = json.loads(university.run("status", "--json").out)["unsettled"]
    return count


def lose_seats(university: University, when: str, skip: int = 0) -> None:
    """The answers to assignments are lost, but for the first `skip`, and afterwards nobody can read the seats."""
    lost = {"method": "POST", "path": SEATS, "status": 500, "when": when, "skip": skip}
    blind = {"method": "GET", "path": SEATS, "status": 500, "skip": 1}
    university.sandbox.control(fail=[lost, blind])


def test_a_learner_whose_answer_was_lost_is_sent_again_and_nobody_else_is(
    university: University,
) -> None:
    university.config["inspera"] |= {"attempts": 1, "workers": 1}
    university.keep_feeds("learner")
    university.students.add(*numbers(1001, 4))
    university.fail(method="POST", path="*/student", status=500, when="after", times=1, skip=2)
    ran = university.apply()
    assert ran.status == 1
    assert "unknown: learner 1003" in ran.out
    assert unsettled(university) == 1
    university.stop_failing()
    assert "1 call of an earlier run without a known outcome" in university.plan().out
    assert university.planned() == ["create learner 1003"]
    university.apply_cleanly()
    assert [call["body"]["username"] for call in university.sent()] == ["s1003"]
    assert (unsettled(university), university.planned()) == (0, [])


def test_a_lost_batch_is_read_before_anything_is_sent_and_only_what_is_missing_goes_again(
    university: University,
) -> None:
    university.config["inspera"] |= {"attempts": 1, "batch_size": 3}
    university.register(TEST, *numbers(1001, 6))
    lose_seats(university, when="after", skip=1)
    assert university.apply().status == 1
    assert unsettled(university) == 3
    university.stop_failing()
    university.apply_cleanly()
    assert university.writes() == []
    assert set(university.candidates()) == names(numbers(1001, 6))
    assert university.planned() == []


def test_a_lost_batch_that_never_arrived_goes_again_and_no_other_seat_with_it(
    university: University,
) -> None:
    university.config["inspera"] |= {"attempts": 1, "batch_size": 3}
    university.register(TEST, *numbers(1001, 6))
    lose_seats(university, when="before", skip=1)
    assert university.apply().status == 1
    university.stop_failing()
    university.apply_cleanly()
    sent = [
        {seat["externalId"] for seat in call["body"]["candidates"]} for call in university.sent()
    ]
    assert sent == [names(["1004", "1005", "1006"])]
    assert university.planned() == []


def test_a_lost_removal_is_settled_by_reading(university: University) -> None:
    university.config["inspera"]["attempts"] = 1
    university.register(TEST, *numbers(1001, 6))
    university.apply_once()
    university.registrations.drop(f"{TEST} 1001")
    university.fail(method="DELETE", path=SEATS, status=500, when="after")
    assert university.apply().status == 1
    university.stop_failing()
    university.apply_cleanly()
    assert university.writes() == []
    assert set(university.candidates()) == names(numbers(1002, 5))
    assert university.planned() == []


def test_an_update_of_times_that_arrived_unnoticed_is_not_taken_for_somebodys_hand(
    university: University,
) -> None:
    university.config["inspera"]["attempts"] = 1
    university.register(TEST, "1001")
    university.apply_once()
    university.exams.set(TEST, end="01.12.2026 14:00")
    university.fail(method="POST", path="/api/v1/test", status=500, when="after")
    assert university.apply().status == 1
    university.stop_failing()
    university.apply_cleanly()
    assert university.tests()[TEST]["endTime"] == "2026-12-01T13:00:00Z"
    assert university.planned() == []


def test_a_call_that_was_lost_and_is_not_wanted_any_more_is_undone(university: University) -> None:
    university.config["inspera"]["attempts"] = 1
    university.register(TEST, "1001", "1002")
    university.apply_once()
    university.register(TEST, "1003")
    lose_seats(university, when="after")
    assert university.apply().status == 1
    assert unsettled(university) == 1
    university.stop_failing()
    university.registrations.drop(f"{TEST} 1003")
    university.apply_cleanly()
    assert set(university.candidates()) == names(["1001", "1002"])


def test_what_cannot_be_looked_at_just_now_is_not_sent_again_and_holds_nobody_else_up(
    university: University,
) -> None:
    other = "MAT1100-H26"
    university.config["inspera"] |= {"attempts": 1}
    university.exams.add(other)
    university.register(TEST, "1001", "1002")
    lose_seats(university, when="after")
    assert university.apply().status == 1
    assert unsettled(university) == 2
    university.register(other, "1002")
    number = university.tests()[TEST]["assessmentRunId"]
    university.sandbox.control(
        fail=[{"method": "GET", "path": f"/api/v1/test/{number}/candidates", "status": 500}]
    )
    ran = university.apply()
    assert ran.status == 1
    assert "could not be found out just now" in ran.out
    assert [call["path"] for call in university.sent() if str(number) in call["path"]] == []
    assert set(university.candidates(other)) == {"s1002"}
    university.stop_failing()
    university.apply_cleanly()
    assert unsettled(university) == 0
    assert university.writes() == []
