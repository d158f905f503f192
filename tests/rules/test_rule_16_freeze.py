"""Rules 16: Freeze. From `freeze.before` (2 h) before its start to its end, a test is protected
from changes.
"""

from datetime import timedelta

import pytest

from ..support.manual_edits import make_test
from ..support.university import (
    BEFORE,
    DAY_AFTER,
    DURING,
    OTHER,
    TEST,
    University,
    names,
)

SOON = "2026-12-01T06:30"
"""One and a half hours before the test."""


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
    running: University, edit: str
) -> None:
    there = running.tests()[TEST]
    running.exams.set(TEST, **SHORTENED[edit])
    ran = running.apply()
    assert ran.status == 3, ran.output
    assert running.writes() == []
    assert running.tests()[TEST] == there
    assert running.apply("--allow", "0123456789ab").status == 2
    assert running.writes() == []
    allowed = running.apply("--allow", ran.allow_hash)
    assert allowed.status == 0, allowed.output
    assert len(running.writes()) == 1
    assert running.tests()[TEST] != there
    assert set(running.candidates()) == names(["1001", "1002", "1003"])
    assert running.planned("pass", "held") == []


@pytest.mark.parametrize("moment", [SOON, DURING])
def test_a_later_end_with_a_longer_duration_is_sent_and_so_are_more_minutes_and_new_candidates(
    running: University, moment: str
) -> None:
    running.at(moment)
    running.exams.set(TEST, end="01.12.2026 13:30", minutes="270")
    running.registrations.set(f"{TEST} 1001", extra="45")
    running.register(TEST, "1009")
    running.apply_cleanly()
    assert running.tests()[TEST]["endTime"] == "2026-12-01T12:30:00Z"
    assert running.tests()[TEST]["duration"] == 270
    assert running.candidates()["s1001"]["extraTimeMins"] == 45
    assert "s1009" in running.candidates()


@pytest.mark.parametrize(
    "change", [{"room": "B"}, {"number": "102"}, {"extra": "15"}, {"extra": "0"}]
)
@pytest.mark.parametrize("moment", [SOON, DURING])
def test_other_changes_of_a_candidate_are_deferred_by_name_unless_they_are_allowed(
    running: University, moment: str, change: dict[str, str]
) -> None:
    running.at(moment)
    seats = running.candidates()
    running.registrations.set(f"{TEST} 1001", **change)
    ran = running.apply()
    assert ran.status == 0
    assert running.writes() == []
    (line,) = running.plan_json()["changes"]
    assert (line["verdict"], line["key"]) == ("deferred", [TEST, "1001"])
    assert "it stays as it is; to send it now: apply --allow" in line["reason"]
    assert running.candidates() == seats
    running.apply("--allow", ran.allow_hash)
    assert running.candidates() != seats
    assert running.planned() == []


AFTER = {"room": {"room": "B"}, "minutes": {"extra": "60"}, "number": {"number": "7"}}


@pytest.mark.parametrize("change", AFTER)
def test_after_its_end_nothing_of_a_candidate_changes_unless_it_is_allowed(
    running: University, change: str
) -> None:
    running.at(DAY_AFTER)
    seats = running.candidates()
    running.registrations.set(f"{TEST} 1001", **AFTER[change])
    running.register(TEST, "1009")
    running.exams.set(TEST, name="Muntlig prøve")
    ran = running.apply_cleanly()
    assert ran.out.count("the test has ended: only what concerns grading still changes") == 3
    assert running.candidates() == seats
    assert "Skriftlig" in running.tests()[TEST]["title"]
    reasons = {"/".join(one["key"]): one["reason"] for one in running.plan_json()["changes"]}
    running.apply("--allow", reasons[f"{TEST}/1001"].rpartition(" ")[2])
    assert running.candidates() != seats
    assert set(running.candidates()) == names(["1001", "1002", "1003"])


@pytest.fixture
def graded(university: University) -> University:
    """A test with two graders that has ended, of which one grader and a committee leave."""
    university.add_feeds("staff", "contributor", "committee")
    university.config["on_absence"] = {"committee": "remove"}
    university.register(TEST, "1001")
    university.assign_staff(TEST, "501", "502", "503")
    university.panels.add(f"{TEST} A", f"{TEST} B")
    university.apply_once()
    university.graders.drop(f"{TEST} 502")
    university.panels.drop(f"{TEST} B")
    university.assign_staff(TEST, "504")
    return university


LATER = "2026-12-15T12:01"
"""More than 14 days after the end of the test."""


def test_contributors_and_committees_change_after_the_end_until_a_while_has_passed(
    graded: University,
) -> None:
    graded.at(DAY_AFTER)
    graded.apply_cleanly()
    assert graded.planned() == []
    assert set(graded.contributors()) == {"t501", "t503", "t504"}
    graded.at(LATER)
    graded.graders.drop(f"{TEST} 504")
    graded.graders.set(f"{TEST} 501", duties="review")
    ran = graded.apply_cleanly()
    assert "the test ended more than 336 h ago: nothing on it changes any more" in ran.out
    assert graded.writes() == []
    assert graded.planned() == graded.planned("deferred")
    assert len(graded.planned()) == 2


def test_who_left_is_disabled_although_they_are_still_a_grader_of_an_old_test(
    graded: University,
) -> None:
    graded.at(LATER)
    graded.employees.drop("502")
    graded.apply_cleanly()
    assert graded.staff()["t502"]["status"] == "DISABLED"
    assert graded.planned() == graded.planned("deferred")


@pytest.mark.parametrize("where", ["everywhere", "feed", "test"])
def test_how_long_is_set_for_all_tests_for_those_of_a_feed_or_for_one(
    graded: University, where: str
) -> None:
    if where == "test":
        graded.feed("test")["map"] |= {
            "freeze_before": {"constant": "2d"},
            "freeze_after": {"column": "template"},
            "template": {"constant": "1001"},
        }
        graded.exams.set(TEST, template="30d")
    else:
        settings = graded.config if where == "everywhere" else graded.feed("test")
        settings["freeze"] = {"before": "2d", "after": "30d"}
    graded.at("2026-11-29T12:00")
    graded.exams.set(TEST, name="Muntlig prøve")
    assert "the test starts within 48 h, and this would rename it" in graded.apply().out
    graded.exams.set(TEST, name="Skriftlig prøve")
    graded.at(LATER)
    graded.apply_cleanly()
    assert set(graded.contributors()) == {"t501", "t503", "t504"}


def test_a_length_of_time_that_cannot_be_read_is_an_error_of_its_row(running: University) -> None:
    running.feed("test")["map"]["freeze_before"] = "template"
    running.feed("test")["map"]["template"] = {"constant": "1001"}
    running.exams.set(TEST, template="two days")
    ran = running.plan()
    assert ran.status == 1
    assert "is not a length of time; write it with its unit" in ran.out


def test_more_minutes_are_not_kept_back_by_another_room_in_the_same_row(
    running: University,
) -> None:
    running.registrations.set(f"{TEST} 1001", extra="60", room="B")
    ran = running.apply_cleanly()
    assert "room stays as it is for now" in ran.out
    assert running.candidates()["s1001"]["extraTimeMins"] == 60
    assert running.candidates()["s1001"]["roomName"] == "A"
    assert running.planned("deferred") == [f"update candidate {TEST}/1001"]


def test_blank_minutes_of_a_feed_that_clears_take_nothing_away_within_the_freeze(
    running: University,
) -> None:
    running.feed("candidate")["blank"] = "clear"
    running.registrations.set(f"{TEST} 1001", extra="", number="101", room="A")
    running.apply_cleanly()
    assert running.candidates()["s1001"]["extraTimeMins"] == 30


def test_a_share_of_a_duration_that_is_held_stays_one_of_the_known_duration(
    running: University,
) -> None:
    running.at(BEFORE)
    running.registrations.set(f"{TEST} 1001", extra="25%")
    running.apply_cleanly()
    assert running.candidates()["s1001"]["extraTimeMins"] == 60
    running.at(DURING)
    running.exams.set(TEST, minutes="120")
    running.register(TEST, "1009")
    running.registrations.set(f"{TEST} 1009", extra="25%")
    ran = running.apply()
    assert ran.status == 3
    assert {name: seat["extraTimeMins"] for name, seat in running.candidates().items()}[
        "s1009"
    ] == 60
    assert running.planned() == [f"update test {TEST}"]


def test_several_changes_on_one_test_have_a_hash_together(running: University) -> None:
    for learner in ("1002", "1003"):
        running.registrations.set(f"{TEST} {learner}", room="A")
    running.apply_cleanly()  # where there was none
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
    assert {seat["roomName"] for seat in running.candidates().values()} == {"C"}


def test_nobody_is_taken_off_a_test_that_starts_soon_but_by_a_persons_word(
    running: University,
) -> None:
    running.at(SOON)
    running.registrations.drop(f"{TEST} 1003")
    ran = running.apply_cleanly()
    assert running.writes() == []
    running.apply("--allow", ran.allow_hash)
    assert set(running.candidates()) == names(["1001", "1002"])


def test_no_word_takes_anybody_off_a_test_that_has_begun(running: University) -> None:
    running.at(SOON)
    running.registrations.drop(f"{TEST} 1003")
    digest = running.plan().allow_hash
    running.at(DURING)
    assert running.apply("--allow", digest).status == 2
    running.apply_cleanly()
    assert set(running.candidates()) == names(["1001", "1002", "1003"])


@pytest.mark.parametrize("moment", ["2026-11-20T08:00", "2026-12-01T05:59"])
def test_before_the_freeze_a_test_may_still_be_moved_shortened_and_renamed(
    running: University, moment: str
) -> None:
    running.at(moment)
    running.exams.set(
        TEST, start="02.12.2026 10:00", end="02.12.2026 12:00", minutes="120", name="Muntlig prøve"
    )
    running.apply_cleanly()
    assert running.tests()[TEST]["startTime"] == "2026-12-02T09:00:00Z"


@pytest.mark.parametrize("start", ["01.12.2026 10:30", "01.12.2026 12:00"])
def test_a_move_from_tomorrow_into_the_freeze_is_held(running: University, start: str) -> None:
    running.exams.add(OTHER, start="02.12.2026 09:00", end="02.12.2026 13:00")
    running.apply_cleanly()
    running.exams.set(OTHER, start=start, end="01.12.2026 16:00", minutes="120")
    ran = running.apply()
    assert ran.status == 3
    assert "it would move to a start that is past or within 2 h" in ran.out
    assert running.writes() == []


def test_the_freeze_can_begin_earlier(running: University) -> None:
    running.config["freeze"] = {"before": "2d"}
    running.at("2026-11-29T12:00")
    running.exams.set(TEST, name="Muntlig prøve")
    ran = running.apply()
    assert ran.status == 3
    assert "the test starts within 48 h, and this would rename it" in ran.out


def test_minutes_given_by_hand_on_the_whole_test_are_not_taken_back_by_taking_them_in(
    running: University,
) -> None:
    running.sandbox.edit(test=TEST, end="2026-12-01T12:45:00Z")
    running.exams.set(TEST, end="01.12.2026 13:15", minutes="255")
    assert running.apply().status == 3
    assert running.adopt("test", TEST).status == 0
    ran = running.apply()
    assert ran.status == 3
    assert "this would end it earlier" in ran.out
    assert running.tests()[TEST]["endTime"] == "2026-12-01T12:45:00Z"


def test_a_running_test_that_inspera_has_already_is_not_renamed_unasked(
    running: University,
) -> None:
    make_test(running, OTHER, title="Noe annet")
    running.exams.add(OTHER)
    ran = running.apply()
    assert ran.status == 3
    assert "the test is under way, and this would" in ran.out
    assert running.tests()[OTHER]["title"] == "Noe annet"
    assert running.apply("--allow", ran.allow_hash).status == 0
    assert running.tests()[OTHER]["title"] == "MAT1100 Skriftlig prøve"


def test_a_test_that_comes_into_the_freeze_between_plan_and_sending_is_held(
    running: University,
) -> None:
    running.at("2026-12-01T05:59")
    running.tick = timedelta(minutes=1)
    running.exams.set(TEST, name="Muntlig prøve")
    ran = running.apply()
    assert ran.status == 3
    assert "the test starts within 2 h, and this would rename it" in ran.out
    assert running.writes() == []
    running.tick = timedelta(0)
    assert running.apply("--allow", ran.allow_hash).status == 0
    assert "Muntlig" in running.tests()[TEST]["title"]
