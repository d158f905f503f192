"""The day of an exam as an operator sees it, and random histories of it: nobody loses their place or their time."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from ..support.fixtures import university
from ..support.university import DAY_AFTER, DURING, TEST, University, names

__all__ = ["university"]

MORNING = "2026-12-01T07:00"
"""One hour before the test."""


@pytest.fixture
def exam(university: University) -> University:
    """Four learners and a grader on a test of the first of December, 9 to 13 in Oslo."""
    university.add_feeds("staff", "contributor")
    university.feed("candidate")["map"]["room"] = "room"
    university.register(TEST, "1001", "1002", "1003", "1004")
    university.registrations.set(f"{TEST} 1001", extra="30", room="A")
    university.assign_staff(TEST, "501", "502")
    university.apply_once()
    return university


def test_on_the_morning_late_registrations_are_sent_and_withdrawals_wait_for_a_persons_word(
    exam: University,
) -> None:
    exam.at(MORNING)
    exam.registrations.drop(f"{TEST} 1004")
    exam.register(TEST, "1009")
    ran = exam.apply_cleanly()
    assert set(exam.candidates()) == names(["1001", "1002", "1003", "1004", "1009"])
    assert "deferred" in ran.out
    assert exam.planned("deferred") == [f"remove candidate {TEST}/1004"]
    assert exam.apply("--allow", exam.plan().allow_hash).status == 0
    assert "s1004" not in exam.candidates()


@pytest.mark.parametrize(
    ("change", "would"),
    [
        ({"end": "01.12.2026 12:00", "minutes": "180"}, "end it earlier and shorten it"),
        ({"start": "01.12.2026 10:00", "minutes": "180"}, "move its start and shorten it"),
        ({"name": "Muntlig prøve"}, "rename it"),
    ],
)
def test_an_exam_that_is_shortened_moved_or_renamed_while_under_way_is_held_and_said(
    exam: University, change: dict[str, str], would: str
) -> None:
    exam.at(DURING)
    there = exam.tests()[TEST]
    exam.exams.set(TEST, **change)
    exam.register(TEST, "1009")
    ran = exam.apply()
    assert ran.status == 3
    assert f"the test is under way, and this would {would}" in ran.out
    assert "s1009" in exam.candidates()  # everything else goes on
    assert {**exam.tests()[TEST], "candidates": []} == {**there, "candidates": []}


def test_an_exam_that_is_extended_while_under_way_is_sent_with_more_time_for_all(
    exam: University,
) -> None:
    exam.at(DURING)
    exam.exams.set(TEST, end="01.12.2026 13:30", minutes="270")
    exam.registrations.set(f"{TEST} 1001", extra="45", room="B")
    exam.apply_cleanly()
    assert exam.tests()[TEST]["endTime"] == "2026-12-01T12:30:00Z"
    assert exam.candidates()["s1001"]["extraTimeMins"] == 45
    assert exam.candidates()["s1001"]["roomName"] == "A"


def test_after_the_end_only_graders_change_and_the_export_may_drop_the_test(
    exam: University,
) -> None:
    exam.at(DAY_AFTER)
    exam.registrations.set(f"{TEST} 1001", room="B")
    exam.graders.drop(f"{TEST} 502")
    ran = exam.apply_cleanly()
    assert exam.candidates()["s1001"]["roomName"] == "A"
    assert set(exam.contributors()) == {"t501"}
    assert "Not sent until the cause is fixed (it does not clear by itself)" in ran.out
    exam.exams.drop(TEST)
    for kind in ("test", "candidate", "contributor"):
        exam.feed(kind)["allow_empty"] = True
    exam.registrations.rows.clear()
    exam.graders.rows.clear()
    exam.apply_cleanly()
    assert set(exam.candidates()) == names(["1001", "1002", "1003", "1004"])
    assert exam.planned() == []


EDITS: list[tuple[str, Any]] = [
    ("exam", {"end": "01.12.2026 12:00", "minutes": "180"}),
    ("exam", {"end": "01.12.2026 14:00", "minutes": "300"}),
    ("exam", {"start": "01.12.2026 08:00"}),
    ("exam", {"start": "02.12.2026 09:00", "end": "02.12.2026 13:00"}),
    ("exam", {"name": "Muntlig prøve"}),
    ("exam", {"end": "30.11.2026 13:00", "start": "30.11.2026 09:00"}),
    ("no exam", ""),
    ("drop", "1001"),
    ("drop", "1002"),
    ("add", "1009"),
    ("extra", "60"),
    ("extra", "0"),
    ("room", "C"),
]


def edit(exam: University, what: str, value: Any) -> None:
    """Change the files as a source might."""
    if what == "exam":
        exam.exams.rows.clear()
        exam.exams.add(TEST, **value)
    elif what == "no exam":
        exam.exams.rows.clear()
    elif what == "add":
        exam.registrations.rows[:] = [
            row for row in exam.registrations.rows if row["student_no"] != value
        ]
        exam.register(TEST, value)
    else:
        for row in list(exam.registrations.rows):
            if what == "drop" and row["student_no"] == value:
                exam.registrations.rows.remove(row)
            elif what != "drop" and row["student_no"] == "1003":
                row[what] = value


@pytest.mark.parametrize("seed", range(6))
def test_in_no_history_a_begun_test_loses_a_candidate_or_a_running_one_its_time(
    exam: University, seed: int
) -> None:
    drawn = Random(seed)
    for kind in ("test", "candidate"):
        exam.feed(kind)["allow_empty"] = True
    exam.allow_shrinkage()
    exam.at("2026-12-01T07:30")
    for _ in range(6):
        exam.time += timedelta(minutes=drawn.choice([15, 60, 120]))
        edit(exam, *drawn.choice(EDITS))
        before = exam.tests()[TEST]
        exam.apply()
        lost_nothing(exam, before, exam.tests()[TEST])


def lost_nothing(exam: University, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Check that a begun test kept its candidates, and a running one its times, title and minutes."""
    start, end = (
        datetime.fromisoformat(before[name]).astimezone(UTC) for name in ("startTime", "endTime")
    )
    if exam.time < start:
        return
    seats = {one["username"]: one for one in after["candidates"]}
    assert {one["username"] for one in before["candidates"]} <= set(seats)
    longest = max((one["extraTimeMins"] or 0 for one in before["candidates"]), default=0)
    if exam.time < end + timedelta(minutes=longest):
        assert after["startTime"] == before["startTime"]
        assert after["endTime"] >= before["endTime"]
        assert after["duration"] >= before["duration"]
        assert after["title"] == before["title"]
        for one in before["candidates"]:
            assert (seats[one["username"]]["extraTimeMins"] or 0) >= (one["extraTimeMins"] or 0)
