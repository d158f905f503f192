"""Rules 35: Unlikely times are held. These are:"""

import pytest

from ..support.university import (
    BEFORE,
    DAY_AFTER,
    DURING,
    OTHER,
    TEST,
    University,
    names,
)

STARTS, ENDS = "2026-12-01T08:00:00Z", "2026-12-01T12:00:00Z"


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (
            {"start": "01.03.2027 09:00", "end": "01.03.2027 13:00"},
            "its start would move by 90 days",
        ),
        (
            {"start": "12.01.2026 09:00", "end": "12.01.2026 13:00"},
            "its start would be in the past",
        ),
        ({"end": "01.12.2062 13:00"}, "its end would move by 13,149 days"),
        ({"end": "03.12.2026 13:00", "minutes": "1500"}, "its duration would be 25 h, above 24 h"),
    ],
)
def test_times_that_can_not_be_are_held_also_long_before_the_test(
    running: University, values: dict[str, str], why: str
) -> None:
    running.at(BEFORE)
    running.exams.set(TEST, **values)
    ran = running.apply()
    assert ran.status == 3
    assert why in ran.out
    assert running.writes() == []
    assert running.apply("--allow", ran.allow_hash).status == 0


def test_a_week_long_home_exam_is_held_until_its_feed_says_that_it_has_such(
    university: University,
) -> None:
    university.exams.add(TEST, end="08.12.2026 09:00", minutes="10080")
    university.keep_feeds("test")
    ran = university.apply()
    assert ran.status == 3
    assert (
        "its duration would be 168 h, above 24 h (if the feed has longer ones, set its longest_duration)"
        in ran.out
    )
    assert university.tests() == {}
    university.feed("test")["longest_duration"] = "7d"
    university.apply_cleanly()
    assert university.tests()[TEST]["duration"] == 10080


def test_a_whole_plan_that_moves_far_has_one_hash_for_all_its_tests(university: University) -> None:
    university.exams.add(TEST, OTHER)
    university.keep_feeds("test")
    university.apply_once()
    for test in (TEST, OTHER):
        university.exams.set(test, start="01.03.2027 09:00", end="01.03.2027 13:00")
    (together,) = university.plan_json()["summary"]["held_scopes"]
    assert together["scope"] == "times of tests"
    assert university.apply("--allow", together["hash"]).status == 0
    assert {one["startTime"] for one in university.tests().values()} == {"2027-03-01T08:00:00Z"}


def test_a_test_that_had_ended_before_it_was_ever_sent_is_left_out_with_its_candidates_and_counted(
    university: University,
) -> None:
    university.at(DAY_AFTER)
    university.register(TEST, "1001", "1002")
    university.register(OTHER, "1001")
    university.exams.set(OTHER, start="10.12.2026 09:00", end="10.12.2026 13:00")
    printed = "1 test that had ended before being sent left out, with 2 registrations"
    checked = university.run("check")
    assert checked.status == 0
    assert printed in checked.out
    assert printed in university.plan().out
    assert university.plan_json()["summary"]["left_out"] == {"test": 1, "candidate": 2}
    university.apply_cleanly()
    assert set(university.tests()) == {OTHER}
    assert "1 left out, ended before being sent" in university.run("status").out
    university.exams.set(
        TEST, start="11.12.2026 09:00", end="11.12.2026 13:00"
    )  # the time was wrong
    university.apply_cleanly()
    assert set(university.candidates(TEST)) == names(["1001", "1002"])


def test_a_test_that_is_under_way_and_was_never_sent_is_made_all_the_same(
    university: University,
) -> None:
    university.at(DURING)
    university.register(TEST, "1001")
    university.apply_once()
    assert set(university.candidates(TEST)) == names(["1001"])


def test_a_new_test_that_would_have_begun_days_ago_is_held_with_its_candidates(
    university: University,
) -> None:
    university.at(DURING)
    university.register(TEST, "1001")
    university.exams.set(TEST, start="01.11.2026 09:00")
    ran = university.apply()
    assert ran.status == 3
    assert "it would start 30 days ago" in ran.out
    assert university.tests() == {}
    assert university.apply("--allow", ran.allow_hash).status == 0
    assert set(university.candidates(TEST)) == names(["1001"])


def test_what_was_retired_on_a_wrong_time_comes_back_and_is_compared_anew(
    running: University,
) -> None:
    running.at(DAY_AFTER)
    running.exams.drop(TEST)
    running.registrations.rows.clear()
    for feed in ("test", "candidate"):
        running.feed(feed)["allow_empty"] = True
    running.apply_cleanly()
    assert "Known: 3 candidates retired" in running.run("status").out
    running.exams.add(TEST, start="10.12.2026 09:00", end="10.12.2026 13:00")
    running.register(TEST, "1001", "1002", "1009")
    running.registrations.set(f"{TEST} 1001", number="101", extra="30", room="A")
    running.apply_cleanly()
    assert [call["path"] for call in running.sent() if call["path"].endswith("/student")] == [
        "/api/v1/users/student"
    ]  # of 1009 alone
    assert set(running.candidates()) == names(["1001", "1002", "1003", "1009"])
    ran = running.apply()
    assert ran.status == 3
    assert running.planned() == [f"remove candidate {TEST}/1003"]
    assert "the test had ended by its former times" in ran.out
    running.apply("--allow", ran.allow_hash)
    assert set(running.candidates()) == names(["1001", "1002", "1009"])
    assert running.planned() == []


def test_an_end_that_was_too_early_by_mistake_is_corrected_while_the_test_runs(
    university: University,
) -> None:
    university.register(TEST, "1001", "1002")
    university.exams.set(TEST, end="01.12.2026 10:00", minutes="60")
    university.apply_once()
    university.at(DURING)
    university.exams.drop(TEST)
    university.registrations.drop(f"{TEST} 1001", f"{TEST} 1002")
    for feed in ("test", "candidate"):
        university.feed(feed)["allow_empty"] = True
    university.apply_cleanly()
    university.register(TEST, "1001", "1002")
    university.apply_cleanly()
    assert university.tests()[TEST]["endTime"] == ENDS
    assert set(university.candidates()) == names(["1001", "1002"])
    assert "retired" not in university.run("status").out
    university.registrations.drop(f"{TEST} 1002")
    university.apply_cleanly()
    assert set(university.candidates()) == names(["1001", "1002"])
