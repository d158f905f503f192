"""What Inspera refused rests for a while, longer each time, and is listed until it passes."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from ..support.university import TEST, University, numbers

SAVE = "*/users/student"


QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)


JUST, SECOND = timedelta(0), timedelta(seconds=1)


@pytest.fixture
def refused(university: University) -> University:
    """Four learners on a test that is months away; Inspera refuses a changed name of the second."""
    university.register(TEST, *numbers(1001, 4))
    university.apply_once()
    university.fail(method="POST", path=SAVE, status=400, body={"error": "the name is not taken"})
    university.students.set("1002", family="Nyfamilie")
    assert university.apply().status == 1
    return university


def listed(university: University) -> list[dict[str, Any]]:
    """What `status` lists as refused."""
    refused: list[dict[str, Any]] = university.status()["refused"]
    return refused


def rest(university: University) -> timedelta:
    """How long the one that is refused rests."""
    (one,) = listed(university)
    return datetime.fromisoformat(one["again"]) - university.time


def tried(university: University) -> bool:
    """Whether a run right now sends the refused change."""
    assert university.apply().status == 1
    return bool(university.sent())


def test_it_rests_for_15_minutes_then_for_longer_and_for_a_day_at_most(refused: University) -> None:
    rests = []
    for _ in range(7):
        rests.append(rest(refused) / HOUR)
        refused.time += rest(refused) - SECOND
        assert not tried(refused)
        refused.time += SECOND
        assert tried(refused)
    assert rests == [0.25, 1, 4, 12, 24, 24, 24]


def test_what_rests_is_shown_in_the_plan_with_its_reason_and_when_it_is_tried_again(
    refused: University,
) -> None:
    plan = refused.plan()
    assert plan.status == 1
    assert "Deferred (clears by itself)" in plan.out
    assert (
        "refused before: Inspera refused learner.update (400): the name is not taken; tried again after"
        in plan.out
    )
    assert refused.planned("deferred") == ["update learner 1002"]


def test_it_is_tried_at_once_when_its_row_changes(refused: University) -> None:
    refused.students.set("1002", family="Annenfamilie")
    assert refused.planned("pass") == ["update learner 1002"]
    assert tried(refused)
    assert rest(refused) == QUARTER
    refused.stop_failing()
    refused.students.set("1002", family="Tredjefamilie")
    refused.apply_cleanly()
    assert listed(refused) == []


def test_it_is_tried_at_once_where_a_person_says_so_and_only_then(refused: University) -> None:
    refused.stop_failing()
    assert not tried(refused)
    assert refused.apply("--retry-refused").status == 0
    assert refused.learners()["s1002"]["lastName"] == "Nyfamilie"
    assert (listed(refused), refused.planned()) == ([], [])


def test_status_lists_it_in_words_and_for_programs_until_it_passes(refused: University) -> None:
    out = refused.run("status").out
    assert "Refused by Inspera, and tried again:" in out
    line = "learner 1002: once since 2026-09-01T08:00:00Z, again after 2026-09-01T08:15:00Z: Inspera refused"
    assert line in out
    (one,) = listed(refused)
    assert (one["kind"], one["key"], one["times"]) == ("learner", ["1002"], 1)
    refused.time += QUARTER
    assert tried(refused)
    assert "learner 1002: 2 times since 2026-09-01T08:00:00Z" in refused.run("status").out
    refused.stop_failing()
    refused.time += HOUR
    refused.apply_cleanly()
    assert "Refused by Inspera" not in refused.run("status").out
    assert listed(refused) == []


def test_the_exit_status_is_1_as_long_as_it_stands_though_nothing_is_sent(
    refused: University,
) -> None:
    assert refused.apply().status == 1
    assert refused.writes() == []
    assert refused.plan().status == 1
    refused.registrations.set(f"{TEST} 1003", number="7")
    assert refused.apply().status == 1
    assert refused.candidates()["s1003"]["candidateId"] == "7"


def test_a_row_that_goes_back_to_what_inspera_has_ends_it(refused: University) -> None:
    refused.students.set("1002", family=refused.learners()["s1002"]["lastName"])
    refused.apply_cleanly()
    assert (refused.writes(), listed(refused)) == ([], [])


def test_what_a_test_of_the_next_days_needs_never_rests_for_longer_than_15_minutes(
    refused: University,
) -> None:
    refused.at("2026-11-25T08:00")
    for _ in range(4):
        assert tried(refused)
        assert rest(refused) == QUARTER
        refused.time += QUARTER


def test_a_refused_seat_rests_and_the_others_of_its_batch_do_not(university: University) -> None:
    university.students.add(*numbers(1001, 5))
    university.register(TEST, "1001")
    university.apply_once()
    university.sandbox.edit(student={"username": "s1003", "removed": True})
    university.register(TEST, *numbers(1002, 4))
    assert university.apply().status == 1
    assert set(university.candidates()) == {"s1001", "s1002", "s1004", "s1005"}
    assert [one["key"] for one in listed(university)] == [[TEST, "1003"]]
    assert university.apply().status == 1
    assert university.writes() == []
    made = {"username": "s1003", "externalIds": [{"authType": "FEIDE", "externalId": "s1003"}]}
    university.sandbox.edit(student=made | {"firstName": "Åse", "lastName": "Prøvesen"})
    assert university.apply("--retry-refused").status == 0
    assert "s1003" in university.candidates()


def test_a_refused_removal_rests_too_and_ends_when_the_row_comes_back(
    university: University,
) -> None:
    university.register(TEST, *numbers(1001, 5))
    university.apply_once()
    university.fail(method="DELETE", path="*/candidates", status=409, body={"error": "not now"})
    university.registrations.drop(f"{TEST} 1003")
    assert university.apply().status == 1
    assert rest(university) == QUARTER
    assert university.apply().status == 1
    assert university.writes() == []
    university.registrations.add(f"{TEST} 1003")
    university.apply_cleanly()
    assert listed(university) == []
