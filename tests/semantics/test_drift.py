"""What somebody changed by hand in Inspera: it is held for a person, and `adopt` settles it."""

import pytest

from .site import TEST, Site, names, numbers

RUNNING_LATE = {"end": "2026-12-01T12:45:00Z"}


@pytest.fixture
def seated(site: Site) -> Site:
    """Three learners on one test, the first with 30 minutes of extra time."""
    site.seat(TEST, *numbers(1001, 3))
    site.registrations.set(f"{TEST} 1001", extra="30")
    site.settled()
    return site


def minutes(site: Site, learner: str) -> int:
    """The extra time that Inspera gives."""
    return int(site.seats()[f"s{learner}"]["extraTimeMins"])


def test_a_test_extended_by_hand_is_looked_up_and_held_before_any_update(seated: Site) -> None:
    seated.sandbox.by_hand(test=TEST, **RUNNING_LATE)
    seated.exams.set(TEST, name="Muntlig prøve")
    ran = seated.apply()
    assert ran.status == 3
    assert "drift: Inspera has 2026-12-01T08:00:00Z to 2026-12-01T12:45:00Z, known is" in ran.out
    assert seated.writes() == []
    assert seated.tests()[TEST]["endTime"] == "2026-12-01T12:45:00Z"


def test_adopting_a_test_takes_its_times_as_known_and_the_next_run_decides_anew(seated: Site) -> None:
    seated.sandbox.by_hand(test=TEST, **RUNNING_LATE)
    seated.exams.set(TEST, name="Muntlig prøve")
    assert seated.apply().status == 3
    ran = seated.adopt("test", TEST)
    assert ran.status == 0
    assert "2026-12-01T08:00:00Z to 2026-12-01T12:45:00Z" in ran.out
    assert seated.writes() == []
    assert "end 2026-12-01T12:45:00Z → 2026-12-01T12:00:00Z" in seated.plan().out
    seated.settled()
    assert seated.tests()[TEST]["title"] == "INF1000 Muntlig prøve"
    assert seated.tests()[TEST]["endTime"] == "2026-12-01T12:00:00Z"


def test_a_test_whose_source_agrees_with_the_hand_needs_no_update_once_adopted(seated: Site) -> None:
    seated.sandbox.by_hand(test=TEST, **RUNNING_LATE)
    seated.exams.set(TEST, end="01.12.2026 13:45")
    assert seated.apply().status == 3
    assert seated.adopt("--held").status == 0
    seated.settled()
    assert seated.tests()[TEST]["endTime"] == "2026-12-01T12:45:00Z"
    assert seated.planned() == []


def test_extra_time_given_by_hand_is_held_and_the_others_go_on(seated: Site) -> None:
    seated.sandbox.by_hand(candidate={"test": TEST, "username": "s1001", "extraTimeMins": 60})
    seated.registrations.set(f"{TEST} 1001", extra="45")
    seated.registrations.set(f"{TEST} 1002", extra="15")
    ran = seated.apply()
    assert ran.status == 3
    assert "drift: Inspera gives 60 minutes of extra time where 30 are known" in ran.out
    assert (minutes(seated, "1001"), minutes(seated, "1002")) == (60, 15)


def test_a_change_of_another_field_never_takes_back_the_minutes_that_somebody_gave(seated: Site) -> None:
    seated.sandbox.by_hand(candidate={"test": TEST, "username": "s1001", "extraTimeMins": 60})
    seated.registrations.set(f"{TEST} 1001", number="7")
    assert seated.apply().status == 3
    assert minutes(seated, "1001") == 60


def test_what_is_held_for_many_reasons_is_settled_at_once(seated: Site) -> None:
    seated.sandbox.by_hand(candidate={"test": TEST, "username": "s1001", "extraTimeMins": 60})
    seated.sandbox.by_hand(test=TEST, **RUNNING_LATE)
    seated.registrations.set(f"{TEST} 1001", extra="60")
    seated.exams.set(TEST, end="01.12.2026 13:45")
    seated.students.set("1003", student_no="2003")
    seated.registrations.set(f"{TEST} 1003", student_no="2003")
    assert seated.apply().status == 3
    ran = seated.adopt("--held")
    assert ran.status == 0
    assert "3 taken." in ran.out
    seated.settled()
    assert seated.planned() == []
    assert set(seated.seats()) == names(numbers(1001, 3))


def test_adopting_a_candidate_settles_extra_time_given_by_hand(seated: Site) -> None:
    seated.sandbox.by_hand(candidate={"test": TEST, "username": "s1001", "extraTimeMins": 60})
    seated.registrations.set(f"{TEST} 1001", extra="45")
    assert seated.apply().status == 3
    assert seated.adopt("candidate", TEST, "1001").status == 0
    assert "extra_time 60 → 45" in seated.plan().out
    seated.settled()
    assert minutes(seated, "1001") == 45


def test_less_extra_time_than_known_is_no_hands_gift_and_is_put_right(seated: Site) -> None:
    seated.sandbox.by_hand(candidate={"test": TEST, "username": "s1001", "extraTimeMins": 0})
    seated.registrations.set(f"{TEST} 1001", extra="45")
    seated.settled()
    assert minutes(seated, "1001") == 45


def test_more_extra_time_on_a_found_seat_than_is_wanted_is_held(seated: Site) -> None:
    seated.students.add("1009")
    seated.settled()
    seated.sandbox.by_hand(candidate={"test": TEST, "username": "s1009", "extraTimeMins": 90})
    seated.registrations.add(f"{TEST} 1009", extra="15")
    ran = seated.apply()
    assert ran.status == 3
    assert "drift: Inspera gives 90 minutes of extra time where 15 are wanted" in ran.out
    assert minutes(seated, "1009") == 90


def test_a_candidate_who_was_taken_off_by_hand_is_held_when_the_source_changes_the_seat(seated: Site) -> None:
    seated.sandbox.by_hand(candidate={"test": TEST, "username": "s1001", "removed": True})
    seated.registrations.set(f"{TEST} 1001", extra="45")
    ran = seated.apply()
    assert ran.status == 3
    assert "drift: Inspera does not have this candidate any more" in ran.out
    assert set(seated.seats()) == names(["1002", "1003"])
    assert seated.adopt("candidate", TEST, "1001").status == 0
    seated.settled()
    assert set(seated.seats()) == names(numbers(1001, 3))


def test_a_candidate_who_was_taken_off_by_hand_and_by_the_source_needs_no_call(seated: Site) -> None:
    seated.sandbox.by_hand(candidate={"test": TEST, "username": "s1001", "removed": True})
    seated.registrations.drop(f"{TEST} 1001")
    seated.settled()
    assert seated.writes() == []
    assert seated.planned() == []


def test_a_test_started_earlier_by_hand_keeps_its_candidates(seated: Site) -> None:
    seated.at("2026-11-30T09:00")
    seated.sandbox.by_hand(test=TEST, start="2026-11-30T08:00:00Z", end="2026-11-30T12:00:00Z")
    seated.registrations.drop(f"{TEST} 1001")
    assert seated.planned("pass") == [f"remove candidate {TEST}/1001"]
    assert seated.apply().status == 0
    assert "the test has begun: its candidates stay" in seated.run("status").out
    assert set(seated.seats()) == names(numbers(1001, 3))
