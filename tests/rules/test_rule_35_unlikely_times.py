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


@pytest.mark.parametrize(
    ("plausible", "values", "why"),
    [
        (
            {"between": ["2026-08-01", "2026-11-29"]},
            {},
            "its start would be Tue 2026-12-01 09:00 Europe/Oslo: 2 days after 2026-11-29",
        ),
        (
            {"weekdays": ["mon", "wed"]},
            {},
            "Europe/Oslo: not on one of mon, wed (plausible.weekdays)",
        ),
        (
            {"hours": [7, 21]},
            {"start": "01.12.2026 03:00"},
            "its start would be Tue 2026-12-01 03:00 Europe/Oslo: 4 h before 7:00",
        ),
        ({"hours": [7, 12]}, {}, "2026-12-01 13:00 Europe/Oslo: 1 h after 12:00"),
    ],
)
def test_a_new_test_outside_of_the_plausible_times_of_its_feed_is_held_with_the_arithmetic(
    university: University, plausible: dict[str, object], values: dict[str, str], why: str
) -> None:
    university.exams.add(TEST, **values)
    university.keep_feeds("test")
    university.feed("test")["plausible"] = plausible
    ran = university.apply()
    assert ran.status == 3
    assert why in ran.out
    assert university.tests() == {}
    assert university.apply("--allow", ran.allow_hash).status == 0
    university.exams.set(TEST, name="Muntlig prøve")  # its times were allowed, and stay
    university.apply_cleanly()


def test_how_far_a_test_may_move_is_a_setting_of_its_feed(running: University) -> None:
    running.feed("test")["plausible"] = {"move": "3d"}
    running.at(BEFORE)
    running.exams.set(TEST, start="05.12.2026 09:00", end="05.12.2026 13:00")
    ran = running.apply()
    assert ran.status == 3
    assert "its start would move by 4 days" in ran.out


def test_an_extension_beyond_the_plausible_hours_does_not_wait_while_the_test_runs(
    running: University,
) -> None:
    running.feed("test")["plausible"] = {"hours": [9, 13]}
    running.exams.set(TEST, end="01.12.2026 13:30", minutes="270")
    running.apply_cleanly()
    assert running.tests()[TEST]["endTime"] == "2026-12-01T12:30:00Z"


@pytest.mark.parametrize(
    ("plausible", "at", "wrong"),
    [
        (
            {"between": ["2027-07-31", "2026-08-01"]},
            "plausible.between",
            "has its last day before its first; write the first day, then the last one",
        ),
        ({"between": ["1.8.26", "2027-07-31"]}, "plausible.between", "is not a day; write it such"),
        ({"weekdays": ["mandag"]}, "plausible.weekdays", "known here: mon, tue"),
        ({"hours": [7, 25]}, "plausible.hours", "is too large; use at most 24"),
        ({"hours": [21, 7]}, "plausible.hours", "does not end after it begins"),
        ({"zone": "Oslo"}, "plausible.zone", "is not a valid time zone"),
    ],
)
def test_plausible_times_that_cannot_be_are_an_error_of_the_configuration(
    university: University, plausible: dict[str, object], at: str, wrong: str
) -> None:
    university.feed("test")["plausible"] = plausible
    ran = university.plan()
    assert ran.status == 2
    assert f"feeds[2].{at}" in ran.output
    assert wrong in ran.output


def test_days_and_hours_need_a_time_zone(university: University) -> None:
    university.feed("test")["plausible"] = {"hours": [7, 21]}
    for name in ("start", "end"):
        university.feed("test")["map"][name] = {"column": name}
    ran = university.plan()
    assert ran.status == 2
    assert "needs a time zone for its days and hours" in ran.output


@pytest.mark.parametrize("start", ["25.10.2026 02:30", "28.03.2027 02:30"])
def test_a_time_that_a_clock_change_repeats_or_skips_is_not_guessed_and_its_night_is_known(
    university: University, start: str
) -> None:
    university.keep_feeds("test")
    university.feed("test")["plausible"] = {"hours": [4, 8]}
    university.exams.add(TEST, start=start, end=f"{start[:10]} 07:00", minutes="60")
    assert university.apply().status == 1
    assert university.tests() == {}
    # The night has 25 or 23 hours: its hours are those on the wall.
    university.exams.set(TEST, start=f"{start[:10]} 04:00")
    university.apply_cleanly()
    assert set(university.tests()) == {TEST}


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
