"""What somebody changed by hand in Inspera: it is held for a person, and `adopt` settles it."""

import pytest

from ..support.manual_edits import put_contributor
from ..support.university import OTHER, TEST, University, names, numbers

RUNNING_LATE = {"end": "2026-12-01T12:45:00Z"}


def minutes(university: University, learner: str) -> int:
    """The extra time that Inspera gives."""
    return int(university.candidates()[f"s{learner}"]["extraTimeMins"])


def test_what_is_held_for_many_reasons_is_settled_at_once(seated: University) -> None:
    seated.sandbox.edit(candidate={"test": TEST, "username": "s1001", "extraTimeMins": 60})
    seated.sandbox.edit(test=TEST, **RUNNING_LATE)
    seated.registrations.set(f"{TEST} 1001", extra="45")
    seated.exams.set(TEST, end="01.12.2026 13:30")
    seated.students.set("1003", student_no="2003")
    seated.registrations.set(f"{TEST} 1003", student_no="2003")
    assert seated.apply().status == 3
    ran = seated.adopt("--held")
    assert ran.status == 0
    assert "3 taken." in ran.out
    seated.apply_cleanly()
    assert seated.planned() == []
    assert set(seated.candidates()) == names(numbers(1001, 3))


def test_adopting_a_candidate_settles_extra_time_given_by_hand(seated: University) -> None:
    seated.sandbox.edit(candidate={"test": TEST, "username": "s1001", "extraTimeMins": 60})
    seated.registrations.set(f"{TEST} 1001", extra="45")
    assert seated.apply().status == 3
    assert seated.adopt("candidate", TEST, "1001").status == 0
    assert "extra_time 60 → 45" in seated.plan().out
    seated.apply_cleanly()
    assert minutes(seated, "1001") == 45


def test_a_candidate_who_was_taken_off_by_hand_is_held_when_the_source_changes_the_seat(
    seated: University,
) -> None:
    seated.sandbox.edit(candidate={"test": TEST, "username": "s1001", "removed": True})
    seated.registrations.set(f"{TEST} 1001", extra="45")
    ran = seated.apply()
    assert ran.status == 3
    assert "drift: Inspera does not have this candidate any more" in ran.out
    assert set(seated.candidates()) == names(["1002", "1003"])
    assert seated.adopt("candidate", TEST, "1001").status == 0
    seated.apply_cleanly()
    assert set(seated.candidates()) == names(numbers(1001, 3))


def test_a_candidate_who_was_taken_off_by_hand_and_by_the_source_needs_no_call(
    seated: University,
) -> None:
    seated.sandbox.edit(candidate={"test": TEST, "username": "s1001", "removed": True})
    seated.registrations.drop(f"{TEST} 1001")
    seated.apply_cleanly()
    assert seated.writes() == []
    assert seated.planned() == []


def test_extra_time_in_which_the_source_agrees_with_the_hand_is_taken_as_known_without_a_call(
    seated: University,
) -> None:
    seated.sandbox.edit(candidate={"test": TEST, "username": "s1001", "extraTimeMins": 60})
    seated.registrations.set(f"{TEST} 1001", extra="60")
    ran = seated.apply_cleanly()
    assert "Inspera had it so already: taken as known, and nothing was sent" in ran.out
    assert seated.writes() == []
    assert seated.planned() == []
    assert seated.reconcile().status == 0


def test_a_hand_that_gave_something_else_than_the_source_says_is_no_agreement(
    seated: University,
) -> None:
    seated.sandbox.edit(test=TEST, start="2026-12-01T08:30:00Z", **RUNNING_LATE)
    seated.exams.set(TEST, end="01.12.2026 13:45")
    assert seated.apply().status == 3
    assert seated.writes() == []


def test_the_hold_says_what_each_way_sends_and_adopt_leads_there(seated: University) -> None:
    seated.sandbox.edit(test=TEST, **RUNNING_LATE)
    seated.exams.set(TEST, name="Muntlig prøve")
    printed = seated.apply().out
    assert (
        f"`adopt test {TEST}` lets the next `apply` send end 2026-12-01 13:00 Europe/Oslo (12:00Z)"
        in printed
    )
    assert f"`adopt test {TEST} --keep` keeps Inspera's value until the source's changes" in printed
    told = seated.adopt("test", TEST).out
    assert "the next `apply` is to send title INF1000 Muntlig prøve and end" not in told
    assert "end 2026-12-01T12:00:00Z (exams.csv line 2); to keep Inspera's value" in told
    seated.apply_cleanly()
    assert seated.tests()[TEST]["endTime"] == "2026-12-01T12:00:00Z"


def test_a_kept_end_stays_until_the_source_says_something_else_and_is_then_an_ordinary_change(
    seated: University,
) -> None:
    seated.sandbox.edit(test=TEST, **RUNNING_LATE)
    seated.exams.set(TEST, name="Muntlig prøve")
    seated.apply()
    told = seated.adopt("test", TEST, "--keep").out
    assert "kept until the source says something else: " in told
    assert "end 2026-12-01T12:45:00Z" in told
    assert seated.apply_cleanly()
    assert seated.planned() == []
    assert seated.tests()[TEST]["endTime"] == "2026-12-01T12:45:00Z"
    assert seated.reconcile().status == 0
    seated.exams.set(TEST, end="01.12.2026 14:00")
    seated.apply_cleanly()
    assert seated.tests()[TEST]["endTime"] == "2026-12-01T13:00:00Z"
    seated.exams.set(TEST, end="01.12.2026 13:00")
    seated.apply_cleanly()
    assert seated.tests()[TEST]["endTime"] == "2026-12-01T12:00:00Z"


def test_what_is_kept_of_a_test_holds_nothing_else_back(seated: University) -> None:
    seated.sandbox.edit(test=TEST, **RUNNING_LATE)
    seated.exams.set(TEST, end="01.12.2026 13:30")
    seated.apply()
    seated.adopt("test", TEST, "--keep")
    seated.exams.set(TEST, name="Muntlig prøve")
    seated.apply_cleanly()
    assert seated.tests()[TEST]["title"] == "INF1000 Muntlig prøve"
    assert seated.tests()[TEST]["endTime"] == "2026-12-01T12:45:00Z"


def test_kept_extra_time_stays_with_a_change_of_another_field_and_goes_with_its_own(
    seated: University,
) -> None:
    seated.sandbox.edit(candidate={"test": TEST, "username": "s1001", "extraTimeMins": 60})
    seated.registrations.set(f"{TEST} 1001", extra="45")
    printed = seated.apply().out
    assert (
        f"`adopt candidate {TEST} 1001` lets the next `apply` send extra_time 45 (registrations.csv line 2)"
        in printed
    )
    assert "extra_time 60" in seated.adopt("candidate", TEST, "1001", "--keep").out
    seated.registrations.set(f"{TEST} 1001", number="77")
    seated.apply_cleanly()
    assert minutes(seated, "1001") == 60
    seated.registrations.set(f"{TEST} 1001", extra="15")
    seated.apply_cleanly()
    assert minutes(seated, "1001") == 15


def test_what_only_the_source_changed_is_sent_although_something_else_is_kept(
    seated: University,
) -> None:
    seated.sandbox.edit(test=TEST, end="2026-12-01T12:30:00Z")
    seated.exams.set(TEST, name="Ny tittel")
    assert seated.apply().status == 3
    told = seated.adopt("test", TEST, "--keep").out
    assert (
        "kept until the source says something else: end 2026-12-01T12:30:00Z; the next `apply` is to send"
        in told
    )
    seated.apply_cleanly()
    there = seated.tests()[TEST]
    assert (there["title"], there["endTime"]) == ("INF1000 Ny tittel", "2026-12-01T12:30:00Z")


def test_of_an_existing_test_all_that_differs_is_kept(university: University) -> None:
    university.register(OTHER, "1009")
    university.apply_once()
    university.register(TEST, "1001")
    moved = {"start": "2026-12-01T09:00:00Z", "end": "2026-12-01T13:00:00Z", "duration": 240}
    university.sandbox.edit(test=TEST, title="Omprøve", **moved)
    assert university.apply().status == 3
    assert university.adopt("test", TEST, "--keep").status == 0
    university.apply_cleanly()
    there = university.tests()[TEST]
    assert (there["title"], there["startTime"]) == ("Omprøve", "2026-12-01T09:00:00Z")


def test_what_was_kept_before_stays_so_when_something_else_is_kept(seated: University) -> None:
    seated.sandbox.edit(candidate={"test": TEST, "username": "s1001", "extraTimeMins": 60})
    seated.registrations.set(f"{TEST} 1001", extra="45")
    seated.apply()
    seated.adopt("candidate", TEST, "1001", "--keep")
    seated.sandbox.edit(
        candidate={"test": TEST, "username": "s1001", "candidateId": "88", "extraTimeMins": 60}
    )
    seated.registrations.set(f"{TEST} 1001", number="77")
    seated.adopt("candidate", TEST, "1001", "--keep")
    seated.apply_cleanly()
    assert (seated.candidates()["s1001"]["candidateId"], minutes(seated, "1001")) == ("88", 60)


def test_what_is_kept_can_be_given_back_to_the_source(seated: University) -> None:
    seated.sandbox.edit(candidate={"test": TEST, "username": "s1001", "extraTimeMins": 60})
    seated.registrations.set(f"{TEST} 1001", extra="45")
    seated.apply()
    assert seated.adopt("--held", "--keep").status == 0
    seated.apply_cleanly()
    assert minutes(seated, "1001") == 60
    assert "extra_time 45" in seated.adopt("candidate", TEST, "1001").out
    seated.apply_cleanly()
    assert minutes(seated, "1001") == 45


def test_a_kept_candidate_who_the_source_drops_is_removed_and_comes_back_as_the_source_says(
    seated: University,
) -> None:
    seated.sandbox.edit(candidate={"test": TEST, "username": "s1001", "extraTimeMins": 60})
    seated.registrations.set(f"{TEST} 1001", extra="45")
    seated.apply()
    seated.adopt("candidate", TEST, "1001", "--keep")
    seated.apply_cleanly()
    seated.registrations.drop(f"{TEST} 1001")
    seated.apply_cleanly()
    assert "s1001" not in seated.candidates()
    seated.registrations.add(f"{TEST} 1001", extra="45")
    seated.apply_cleanly()
    assert minutes(seated, "1001") == 45


def test_further_roles_of_a_contributor_can_be_kept_or_taken_back(university: University) -> None:
    university.add_feeds("staff", "contributor")
    university.register(TEST, "1001")
    university.assign_staff(TEST, "7001", "7002")
    university.apply_once()
    for number in ("7001", "7002"):
        put_contributor(university, number, roles=["evaluate", "plan"])
        university.graders.set(f"{TEST} {number}", room="B2")
    printed = university.apply()
    assert printed.status == 3
    assert (
        f"`adopt contributor {TEST} 7001` lets the next `apply` send roles evaluate (graders.csv line 2)"
        in printed.out
    )
    assert university.adopt("contributor", TEST, "7001", "--keep").status == 0
    assert university.adopt("contributor", TEST, "7002").status == 0
    university.apply_cleanly()
    there = university.contributors()
    assert (sorted(there["t7001"]["roles"]), there["t7002"]["roles"]) == (
        ["evaluate", "plan"],
        ["evaluate"],
    )


def test_a_persons_name_as_inspera_has_it_can_be_kept(seated: University) -> None:
    seated.sandbox.edit(student={"username": "s1001", "firstName": "Kallenavn"})
    told = seated.adopt("learner", "1001", "--keep")
    assert told.status == 0
    assert "Kallenavn" not in told.output
    assert "kept until the source says something else: first_name" in told.out
    seated.students.set("1001", mail="ny@example.edu")
    seated.apply_cleanly()
    assert seated.learners()["s1001"]["firstName"] == "Kallenavn"
    seated.students.set("1001", given="Nytt Navn")
    seated.apply_cleanly()
    assert seated.learners()["s1001"]["firstName"] == "Nytt Navn"


def test_of_a_seat_that_is_gone_nothing_can_be_kept_and_the_way_back_is_said(
    seated: University,
) -> None:
    seated.sandbox.edit(candidate={"test": TEST, "username": "s1001", "removed": True})
    seated.registrations.set(f"{TEST} 1001", extra="45")
    assert f"`adopt candidate {TEST} 1001` lets the next `apply` put it back" in seated.apply().out
    ran = seated.adopt("candidate", TEST, "1001", "--keep")
    assert ran.status == 3
    assert "there is nothing to keep" in ran.out
    assert "the next `apply` puts it back" in seated.adopt("candidate", TEST, "1001").out
    seated.apply_cleanly()
    assert minutes(seated, "1001") == 45


@pytest.mark.parametrize("words", [("--keep",), ("test", TEST, "--as-new", "--keep")])
def test_keep_needs_something_to_keep(seated: University, words: tuple[str, ...]) -> None:
    ran = seated.adopt(*words)
    assert ran.status == 2
    assert "--keep" in ran.err


def test_adopting_what_is_held_reads_each_test_once_however_many_are_held(
    university: University,
) -> None:
    university.allow_shrinkage()
    university.register(TEST, *numbers(1001, 30))
    university.apply_once()
    for number in numbers(1001, 30):
        university.sandbox.edit(
            candidate={"test": TEST, "username": f"s{number}", "extraTimeMins": 60}
        )
        university.registrations.set(f"{TEST} {number}", extra="45")
    digest = university.plan_json()["summary"]["held_scopes"][0]["hash"]
    assert "30 update held" in university.apply("--allow", digest).out
    assert university.adopt("--held").status == 0
    assert len([call for call in university.calls() if call["path"].endswith("/candidates")]) == 1
