"""A test that starts soon or is under way, and times that cannot be: what a person must allow first."""

import re
from datetime import timedelta

import pytest

from .manual_edits import make_test
from .site import BEFORE, DAY_AFTER, DURING, OTHER, TEST, Ran, Site, names

SOON = "2026-12-01T06:30"
"""One and a half hours before the test."""

STARTS, ENDS = "2026-12-01T08:00:00Z", "2026-12-01T12:00:00Z"


@pytest.fixture
def running(site: Site) -> Site:
    """Three learners on a test that is under way."""
    site.seat(TEST, "1001", "1002", "1003")
    site.feed("candidate")["map"]["room"] = "room"
    site.registrations.set(f"{TEST} 1001", number="101", extra="30", room="A")
    site.settled()
    site.at(DURING)
    return site


def way_out(ran: Ran) -> str:
    """The one hash that the run names."""
    (digest,) = set(re.findall(r"apply --allow (\w+)", ran.out))
    return str(digest)


SHORTENED = {
    "ended_ten_minutes_ago": {"end": "01.12.2026 10:20", "minutes": "80"},
    "ends_earlier": {"end": "01.12.2026 12:00", "minutes": "180"},
    "shorter_only": {"minutes": "200"},
    "moved_earlier": {"start": "01.12.2026 08:00"},
    "moved_later": {"start": "01.12.2026 09:30", "minutes": "200"},
    "moved_to_next_week": {"start": "08.12.2026 09:00", "end": "08.12.2026 13:00"},
    "day_and_month_swapped": {"start": "12.01.2026 09:00", "end": "12.01.2026 13:00"},
    "year_2062": {"start": "01.12.2062 09:00", "end": "01.12.2062 13:00"},
    "end_in_2062": {"end": "01.12.2062 13:00"},
    "renamed": {"name": "Muntlig prøve"},
}


@pytest.mark.parametrize("edit", SHORTENED)
def test_what_shortens_moves_or_renames_a_test_under_way_is_held_and_sent_once_just_that_is_allowed(
    running: Site, edit: str
) -> None:
    there = running.tests()[TEST]
    running.exams.set(TEST, **SHORTENED[edit])
    ran = running.apply()
    assert ran.status == 3, ran.said
    assert running.writes() == []
    assert running.tests()[TEST] == there
    assert running.apply("--allow", "0123456789ab").status == 2
    assert running.writes() == []
    allowed = running.apply("--allow", way_out(ran))
    assert allowed.status == 0, allowed.said
    assert len(running.writes()) == 1
    assert running.tests()[TEST] != there
    assert set(running.seats()) == names(["1001", "1002", "1003"])
    assert running.planned("pass", "held") == []


@pytest.mark.parametrize("moment", [SOON, DURING])
def test_a_later_end_with_a_longer_duration_is_sent_and_so_are_more_minutes_and_new_candidates(
    running: Site, moment: str
) -> None:
    running.at(moment)
    running.exams.set(TEST, end="01.12.2026 13:30", minutes="270")
    running.registrations.set(f"{TEST} 1001", extra="45")
    running.seat(TEST, "1009")
    running.settled()
    assert running.tests()[TEST]["endTime"] == "2026-12-01T12:30:00Z"
    assert running.tests()[TEST]["duration"] == 270
    assert running.seats()["s1001"]["extraTimeMins"] == 45
    assert "s1009" in running.seats()


@pytest.mark.parametrize(
    "change", [{"room": "B"}, {"number": "102"}, {"extra": "15"}, {"extra": "0"}]
)
@pytest.mark.parametrize("moment", [SOON, DURING])
def test_other_changes_of_a_candidate_wait_by_name_until_the_end_unless_they_are_allowed(
    running: Site, moment: str, change: dict[str, str]
) -> None:
    running.at(moment)
    seats = running.seats()
    running.registrations.set(f"{TEST} 1001", **change)
    ran = running.apply()
    assert ran.status == 0
    assert running.writes() == []
    (line,) = running.plan_json()["changes"]
    assert (line["verdict"], line["key"]) == ("deferred", [TEST, "1001"])
    assert "it stays as it is until the test has ended" in line["reason"]
    assert running.seats() == seats
    running.apply("--allow", way_out(ran))
    assert running.seats() != seats
    assert running.planned() == []


def test_a_deferred_change_is_sent_once_the_test_has_ended(running: Site) -> None:
    running.registrations.set(f"{TEST} 1001", room="B")
    running.settled()
    assert running.writes() == []
    running.at(DAY_AFTER)
    running.settled()
    assert running.seats()["s1001"]["roomName"] == "B"


def test_more_minutes_are_not_kept_back_by_another_room_in_the_same_row(running: Site) -> None:
    running.registrations.set(f"{TEST} 1001", extra="60", room="B")
    ran = running.settled()
    assert "room stays as it is for now" in ran.out
    assert running.seats()["s1001"]["extraTimeMins"] == 60
    assert running.seats()["s1001"]["roomName"] == "A"
    assert running.planned("deferred") == [f"update candidate {TEST}/1001"]


def test_blank_minutes_of_a_feed_that_clears_take_nothing_away_within_the_freeze(
    running: Site,
) -> None:
    running.feed("candidate")["blank"] = "clear"
    running.registrations.set(f"{TEST} 1001", extra="", number="101", room="A")
    running.settled()
    assert running.seats()["s1001"]["extraTimeMins"] == 30


def test_a_share_of_a_duration_that_is_held_stays_one_of_the_known_duration(running: Site) -> None:
    running.at(BEFORE)
    running.registrations.set(f"{TEST} 1001", extra="25%")
    running.settled()
    assert running.seats()["s1001"]["extraTimeMins"] == 60
    running.at(DURING)
    running.exams.set(TEST, minutes="120")
    running.seat(TEST, "1009")
    running.registrations.set(f"{TEST} 1009", extra="25%")
    ran = running.apply()
    assert ran.status == 3
    assert {name: seat["extraTimeMins"] for name, seat in running.seats().items()}["s1009"] == 60
    assert running.planned() == [f"update test {TEST}"]


def test_several_changes_on_one_test_have_a_hash_together(running: Site) -> None:
    for learner in ("1002", "1003"):
        running.registrations.set(f"{TEST} {learner}", room="A")
    running.settled()  # where there was none
    running.at(SOON)
    for learner in ("1001", "1002", "1003"):
        running.registrations.set(f"{TEST} {learner}", room="C")
    (together,) = running.plan_json()["summary"]["held_scopes"]
    assert (together["scope"], together["why"]) == (
        f"changes on test {TEST}",
        "3 wait because of when their tests are",
    )
    assert together["hash"] in running.plan().out
    assert running.apply("--allow", together["hash"]).status == 0
    assert {seat["roomName"] for seat in running.seats().values()} == {"C"}


def test_nobody_is_taken_off_a_test_that_starts_soon_but_by_a_persons_word(running: Site) -> None:
    running.at(SOON)
    running.registrations.drop(f"{TEST} 1003")
    ran = running.settled()
    assert running.writes() == []
    running.apply("--allow", way_out(ran))
    assert set(running.seats()) == names(["1001", "1002"])


def test_no_word_takes_anybody_off_a_test_that_has_begun(running: Site) -> None:
    running.at(SOON)
    running.registrations.drop(f"{TEST} 1003")
    digest = way_out(running.plan())
    running.at(DURING)
    assert running.apply("--allow", digest).status == 2
    running.settled()
    assert set(running.seats()) == names(["1001", "1002", "1003"])


@pytest.mark.parametrize("moment", ["2026-11-20T08:00", "2026-12-01T05:59"])
def test_before_the_freeze_a_test_may_still_be_moved_shortened_and_renamed(
    running: Site, moment: str
) -> None:
    running.at(moment)
    running.exams.set(
        TEST, start="02.12.2026 10:00", end="02.12.2026 12:00", minutes="120", name="Muntlig prøve"
    )
    running.settled()
    assert running.tests()[TEST]["startTime"] == "2026-12-02T09:00:00Z"


@pytest.mark.parametrize("start", ["01.12.2026 10:30", "01.12.2026 12:00"])
def test_a_move_from_tomorrow_into_the_freeze_is_held(running: Site, start: str) -> None:
    running.exams.add(OTHER, start="02.12.2026 09:00", end="02.12.2026 13:00")
    running.settled()
    running.exams.set(OTHER, start=start, end="01.12.2026 16:00", minutes="120")
    ran = running.apply()
    assert ran.status == 3
    assert "it would move to a start that is past or within 2 h" in ran.out
    assert running.writes() == []


def test_the_freeze_can_begin_earlier(running: Site) -> None:
    running.config["freeze"] = {"before": "2d"}
    running.at("2026-11-29T12:00")
    running.exams.set(TEST, name="Muntlig prøve")
    ran = running.apply()
    assert ran.status == 3
    assert "the test starts within 48 h, and this would rename it" in ran.out


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
    running: Site, values: dict[str, str], why: str
) -> None:
    running.at(BEFORE)
    running.exams.set(TEST, **values)
    ran = running.apply()
    assert ran.status == 3
    assert why in ran.out
    assert running.writes() == []
    assert running.apply("--allow", way_out(ran)).status == 0


def test_a_week_long_home_exam_is_held_until_its_feed_says_that_it_has_such(site: Site) -> None:
    site.exams.add(TEST, end="08.12.2026 09:00", minutes="10080")
    site.only("test")
    ran = site.apply()
    assert ran.status == 3
    assert (
        "its duration would be 168 h, above 24 h (if the feed has longer ones, set its longest_duration)"
        in ran.out
    )
    assert site.tests() == {}
    site.feed("test")["longest_duration"] = "7d"
    site.settled()
    assert site.tests()[TEST]["duration"] == 10080


def test_a_whole_plan_that_moves_far_has_one_hash_for_all_its_tests(site: Site) -> None:
    site.exams.add(TEST, OTHER)
    site.only("test")
    site.settled()
    for test in (TEST, OTHER):
        site.exams.set(test, start="01.03.2027 09:00", end="01.03.2027 13:00")
    (together,) = site.plan_json()["summary"]["held_scopes"]
    assert together["scope"] == "times of tests"
    assert site.apply("--allow", together["hash"]).status == 0
    assert {one["startTime"] for one in site.tests().values()} == {"2027-03-01T08:00:00Z"}


def test_a_test_that_had_ended_before_it_was_ever_sent_is_left_out_with_its_candidates_and_counted(
    site: Site,
) -> None:
    site.at(DAY_AFTER)
    site.seat(TEST, "1001", "1002")
    site.seat(OTHER, "1001")
    site.exams.set(OTHER, start="10.12.2026 09:00", end="10.12.2026 13:00")
    said = "1 test that had ended before being sent left out, with 2 registrations"
    checked = site.run("check")
    assert checked.status == 0
    assert said in checked.out
    assert said in site.plan().out
    assert site.plan_json()["summary"]["left_out"] == {"test": 1, "candidate": 2}
    site.settled()
    assert set(site.tests()) == {OTHER}
    assert "1 left out, ended before being sent" in site.run("status").out
    site.exams.set(TEST, start="11.12.2026 09:00", end="11.12.2026 13:00")  # the time was wrong
    site.settled()
    assert set(site.seats(TEST)) == names(["1001", "1002"])


def test_a_test_that_is_under_way_and_was_never_sent_is_made_all_the_same(site: Site) -> None:
    site.at(DURING)
    site.seat(TEST, "1001")
    site.settled()
    assert set(site.seats(TEST)) == names(["1001"])


def test_a_new_test_that_would_have_begun_days_ago_is_held_with_its_candidates(site: Site) -> None:
    site.at(DURING)
    site.seat(TEST, "1001")
    site.exams.set(TEST, start="01.11.2026 09:00")
    ran = site.apply()
    assert ran.status == 3
    assert "it would start 30 days ago" in ran.out
    assert site.tests() == {}
    assert site.apply("--allow", way_out(ran)).status == 0
    assert set(site.seats(TEST)) == names(["1001"])


def test_what_was_retired_on_a_wrong_time_comes_back_and_is_compared_anew(running: Site) -> None:
    running.at(DAY_AFTER)
    running.exams.drop(TEST)
    running.registrations.rows.clear()
    for feed in ("test", "candidate"):
        running.feed(feed)["allow_empty"] = True
    running.settled()
    assert "Known: 3 candidates retired" in running.run("status").out
    running.exams.add(TEST, start="10.12.2026 09:00", end="10.12.2026 13:00")
    running.seat(TEST, "1001", "1002", "1009")
    running.registrations.set(f"{TEST} 1001", number="101", extra="30", room="A")
    running.settled()
    assert [call["path"] for call in running.sent() if call["path"].endswith("/student")] == [
        "/api/v1/users/student"
    ]  # of 1009 alone
    assert set(running.seats()) == names(["1001", "1002", "1003", "1009"])
    ran = running.apply()
    assert ran.status == 3
    assert running.planned() == [f"remove candidate {TEST}/1003"]
    assert "the test had ended by its former times" in ran.out
    running.apply("--allow", way_out(ran))
    assert set(running.seats()) == names(["1001", "1002", "1009"])
    assert running.planned() == []


def test_an_end_that_was_too_early_by_mistake_is_corrected_while_the_test_runs(site: Site) -> None:
    site.seat(TEST, "1001", "1002")
    site.exams.set(TEST, end="01.12.2026 10:00", minutes="60")
    site.settled()
    site.at(DURING)
    site.exams.drop(TEST)
    site.registrations.drop(f"{TEST} 1001", f"{TEST} 1002")
    for feed in ("test", "candidate"):
        site.feed(feed)["allow_empty"] = True
    site.settled()
    site.seat(TEST, "1001", "1002")
    site.settled()
    assert site.tests()[TEST]["endTime"] == ENDS
    assert set(site.seats()) == names(["1001", "1002"])
    assert "retired" not in site.run("status").out
    site.registrations.drop(f"{TEST} 1002")
    site.settled()
    assert set(site.seats()) == names(["1001", "1002"])


def test_minutes_given_by_hand_on_the_whole_test_are_not_taken_back_by_taking_them_in(
    running: Site,
) -> None:
    running.sandbox.edit(test=TEST, end="2026-12-01T12:45:00Z")
    running.exams.set(TEST, end="01.12.2026 13:15", minutes="255")
    assert running.apply().status == 3
    assert running.adopt("test", TEST).status == 0
    ran = running.apply()
    assert ran.status == 3
    assert "this would end it earlier" in ran.out
    assert running.tests()[TEST]["endTime"] == "2026-12-01T12:45:00Z"


def test_a_running_test_that_inspera_has_already_is_not_renamed_unasked(running: Site) -> None:
    make_test(running, OTHER, title="Noe annet")
    running.exams.add(OTHER)
    ran = running.apply()
    assert ran.status == 3
    assert "the test is under way, and this would" in ran.out
    assert running.tests()[OTHER]["title"] == "Noe annet"
    assert running.apply("--allow", way_out(ran)).status == 0
    assert running.tests()[OTHER]["title"] == "MAT1100 Skriftlig prøve"


def test_a_test_that_comes_into_the_freeze_between_plan_and_sending_is_held(running: Site) -> None:
    running.at("2026-12-01T05:59")
    running.tick = timedelta(minutes=1)
    running.exams.set(TEST, name="Muntlig prøve")
    ran = running.apply()
    assert ran.status == 3
    assert "the test starts within 2 h, and this would rename it" in ran.out
    assert running.writes() == []
    running.tick = timedelta(0)
    assert running.apply("--allow", way_out(ran)).status == 0
    assert "Muntlig" in running.tests()[TEST]["title"]
