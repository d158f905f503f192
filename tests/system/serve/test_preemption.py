"""On an exam morning nobody waits behind a full load: the run with the sooner tests goes first."""

import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ...support.university_rows import OSLO
from .served_university import ServedUniversity

RATE, EVERY = 25, 10
NOW1, LATER = "PRV0-H26", "PRV3-H26"
CROWD = 2000


def exam_in_two_hours(university: ServedUniversity) -> None:
    """An exam in two hours, with five candidates."""
    start = (
        (datetime.now(UTC) + timedelta(hours=2)).astimezone(OSLO).replace(second=0, microsecond=0)
    )
    row = {
        "name": "Muntlig prøve",
        "start": start,
        "end": start + timedelta(hours=4),
        "minutes": 60,
        "template": "1001",
    }
    university.rows.exams[NOW1] = row
    for number in range(1001, 1006):
        university.rows.seats[NOW1, str(number)] = {"number": str(number), "extra": ""}


def seats(call: dict[str, Any]) -> set[str]:
    """Who is in a call that puts people on a test, or takes them off."""
    there = call["path"].endswith("/candidates") and call["body"]
    return {one["externalId"] for one in call["body"]["candidates"]} if there else set()


@pytest.mark.timeout(400)
def test_a_late_registration_preempts_a_full_load_and_who_came_back_is_not_removed(
    university: ServedUniversity,
) -> None:
    exam_in_two_hours(university)
    university.apply()
    assert university.contents() == university.rows.expected()
    rows = university.rows
    # the full load: 2,000 new learners, for exams of the next days; and somebody who is missing for the moment
    numbers = [str(number) for number in range(20_001, 20_001 + CROWD)]
    for place, number in enumerate(numbers):
        rows.students[number] = {
            "feide": f"s{number}", "mail": f"s{number}@example.edu", "given": "Åse", "family": "Prøvesen",
        }  # fmt: skip
        if place < 500:
            rows.seats["PRV1-H26", number] = {"number": number, "extra": ""}
    missing = next(key for key in rows.seats if key[0] == LATER)
    row = rows.seats.pop(missing)
    university.settings["calls_per_second"] = RATE
    university.looks_every = 0.5  # thousands of calls are read for each look
    university.jobs = f"full: {{every: 20s}}\nexam_day: {{every: {EVERY}s, kinds: [candidate]}}"
    university.mark()
    serving = university.serve()
    university.until(lambda: university.writes("POST", "/users/student") >= 60, serving)
    # a registration for the exam in two hours, of somebody new and of somebody known; and the missing one is back
    rows.students["30001"] = {
        "feide": "s30001",
        "mail": "s30001@example.edu",
        "given": "Bo",
        "family": "Sen",
    }
    rows.seats[NOW1, "30001"] = {"number": "30001", "extra": ""}
    rows.seats[NOW1, "1010"] = {"number": "1010", "extra": ""}
    rows.seats[missing] = row
    university.write_rows()
    written = len(university.calls())
    came = lambda: any({"s30001", "s1010"} & seats(call) for call in university.calls())  # noqa: E731 - given on
    university.until(came, serving, 150)
    calls = university.calls()
    at = next(place for place, call in enumerate(calls) if {"s30001", "s1010"} & seats(call))
    # the job's interval, its own read (and the look ahead), and the calls in flight
    most = RATE * (EVERY + 8) + 8
    between = [call for call in calls[written:at] if call["path"].endswith("/users/student")]
    assert len(between) <= most, f"{len(between)} learners were sent first"
    crowd = [
        one
        for call in calls[: at + 1]
        if (one := (call["body"] or {}).get("username", "")).startswith("s2")
    ]
    assert len(crowd) < CROWD / 2
    assert "yielded" in serving.ran("full") + serving.ran("exam_day")
    gone = [call for call in calls if call["method"] == "DELETE"]
    assert gone == []
    # it goes on where it was, with everything read anew
    university.until(lambda: len(university.calls()) > at + 60, serving)
    assert [call for call in university.calls() if call["method"] == "DELETE"] == []
    serving.signal(signal.SIGTERM)
    assert serving.wait() == 0
    university.settings["calls_per_second"] = 1000
    university.more += (
        "existing: {look_up_learners: false}\n"  # thousands of look-ups prove nothing here
    )
    university.recovers()
    removed = rows.students[missing[1]]["feide"]
    assert not [
        call for call in university.calls() if call["method"] == "DELETE" and removed in seats(call)
    ]
