"""Rules 9: A candidate waits only if its learner or test is named by a feed and not yet in Inspera,
or is a held identity change.
"""

import pytest

from ..support.university import BEFORE, DURING, NEXT_DAY, OTHER, TEST, University, names, numbers


def reasons(university: University) -> dict[str, str]:
    """Why each candidate waits, by learner."""
    changes = university.plan_json()["changes"]
    return {one["key"][1]: one["reason"] for one in changes if one["verdict"] == "waiting"}


def test_a_seat_of_a_learner_or_a_test_that_no_source_names_is_a_row_error_and_goes_once_one_does(
    university: University,
) -> None:
    university.register(TEST, "1001")
    university.registrations.add(f"{TEST} 1002", f"{OTHER} 1001")
    assert reasons(university) == {}
    ran = university.apply()
    assert ran.status == 1
    assert "registrations.csv line 3: learner: no feed makes the learner '1002'" in ran.out
    assert f"registrations.csv line 4: test: no feed makes the test '{OTHER}'" in ran.out
    assert set(university.candidates()) == {"s1001"}
    university.students.add("1002")
    university.exams.add(OTHER)
    university.apply_cleanly()
    assert set(university.candidates()) == names(["1001", "1002"])
    assert set(university.candidates(OTHER)) == {"s1001"}


@pytest.mark.parametrize(
    ("now", "status", "due"),
    [
        (BEFORE, 1, ""),
        ("2026-11-27T08:00", 3, ", 1 of them for tests that start within 7 days"),
        (DURING, 3, ", 1 of"),
    ],
)
def test_what_waits_never_ends_with_0_and_ends_with_3_when_its_test_is_near(
    university: University, now: str, status: int, due: str
) -> None:
    university.at(now)
    university.register(TEST, "1001", "1002")
    university.students.set("1002", given="Å\u0001se")
    for ran in (university.plan(), university.apply()):
        assert ran.status == status
        assert f"Warning: 1 change waits for something that is not in Inspera{due}" in ran.out
    assert university.plan_json()["summary"]["waiting"] == {
        "all": 1,
        "within_7_days": int(status == 3),
    }
    assert "s1001" in university.candidates()


def test_a_contributor_waits_for_staff_whose_own_row_says_that_they_are_disabled(
    university: University,
) -> None:
    university.add_feeds("staff", "contributor")
    university.feed("staff")["map"]["status"] = "status"
    university.register(TEST, "1001")
    university.assign_staff(TEST, "7001", "7002")
    university.employees.set("7002", status="disabled")
    assert reasons(university) == {
        "7002": "waits for staff 7002 (its own row says that it is disabled)"
    }
    assert university.apply().status == 1
    assert set(university.contributors()) == {"t7001"}


def test_a_seat_waits_for_a_new_learner_whose_row_is_a_row_error(university: University) -> None:
    university.register(TEST, "1001", "1002")
    university.students.set("1002", given="Å\u0001se")
    assert reasons(university) == {"1002": "waits for learner 1002 (its row has an error)"}
    assert university.apply().status == 1
    assert set(university.candidates()) == {"s1001"}


def test_a_seat_waits_for_a_held_identity_change_and_what_is_known_of_it_stays(
    university: University,
) -> None:
    university.register(TEST, "1001", "1002")
    university.exams.add(OTHER)
    university.apply_once()
    university.students.set("1001", feide="s1001-new")
    university.registrations.add(f"{OTHER} 1001", f"{OTHER} 1002")
    assert reasons(university) == {"1001": "waits for learner 1001 (held as an identity change)"}
    assert university.apply().status == 3
    assert set(university.candidates(OTHER)) == {"s1002"}
    assert set(university.candidates()) == names(["1001", "1002"])


def test_a_learner_with_a_newly_mistyped_email_still_gets_a_late_seat(
    university: University,
) -> None:
    university.register(TEST, *numbers(1001, 3))
    university.exams.add(OTHER)
    university.apply_once()
    university.students.set("1002", given="Å\u0001se")
    university.registrations.add(f"{OTHER} 1002")
    assert university.apply().status == 1
    assert set(university.candidates(OTHER)) == {"s1002"}


def test_a_test_whose_row_became_a_row_error_still_takes_candidates(university: University) -> None:
    university.register(TEST, "1001")
    university.apply_once()
    university.exams.set(TEST, end="01.12.2026 08:00")
    university.register(TEST, "1002")
    ran = university.apply()
    assert ran.status == 1
    assert "exams.csv line 2: end:" in ran.out
    assert set(university.candidates()) == names(["1001", "1002"])
    assert university.tests()[TEST]["endTime"] == "2026-12-01T12:00:00Z"


def test_a_seat_whose_learner_inspera_refused_waits_in_that_run_and_goes_in_the_next(
    university: University,
) -> None:
    university.register(TEST, "1001", "1002")
    university.fail(method="POST", path="/api/v1/users/student", status=400, times=1)
    ran = university.apply()
    assert ran.status == 1
    assert "who is not in Inspera yet" in ran.out
    assert len(university.candidates()) == 1
    university.stop_failing()
    university.at(NEXT_DAY)
    university.apply_cleanly()
    assert set(university.candidates()) == names(["1001", "1002"])
