"""What waits, and what does not: a seat needs its learner and its test in Inspera, and nothing else."""

import pytest

from .site import BEFORE, DURING, NEXT_DAY, OTHER, TEST, Site, names, numbers


def reasons(site: Site) -> dict[str, str]:
    """Why each candidate waits, by learner."""
    changes = site.plan_json()["changes"]
    return {one["key"][1]: one["reason"] for one in changes if one["verdict"] == "waiting"}


def test_a_seat_of_a_learner_or_a_test_that_no_source_names_is_a_row_error_and_goes_once_one_does(
    site: Site,
) -> None:
    site.seat(TEST, "1001")
    site.registrations.add(f"{TEST} 1002", f"{OTHER} 1001")
    assert reasons(site) == {}
    ran = site.apply()
    assert ran.status == 1
    assert "registrations.csv line 3: learner: no feed makes the learner '1002'" in ran.out
    assert f"registrations.csv line 4: test: no feed makes the test '{OTHER}'" in ran.out
    assert set(site.seats()) == {"s1001"}
    site.students.add("1002")
    site.exams.add(OTHER)
    site.settled()
    assert set(site.seats()) == names(["1001", "1002"])
    assert set(site.seats(OTHER)) == {"s1001"}


@pytest.mark.parametrize(
    ("now", "status", "due"),
    [
        (BEFORE, 1, ""),
        ("2026-11-27T08:00", 3, ", 1 of them for tests that start within 7 days"),
        (DURING, 3, ", 1 of"),
    ],
)
def test_what_waits_never_ends_green_and_ends_with_3_when_its_test_is_near(
    site: Site, now: str, status: int, due: str
) -> None:
    site.at(now)
    site.seat(TEST, "1001", "1002")
    site.students.set("1002", given="Å\u0001se")
    for ran in (site.plan(), site.apply()):
        assert ran.status == status
        assert f"Warning: 1 change waits for something that is not in Inspera{due}" in ran.out
    assert site.plan_json()["summary"]["waiting"] == {"all": 1, "within_7_days": int(status == 3)}
    assert "s1001" in site.seats()


def test_a_contributor_waits_for_staff_whose_own_row_says_that_they_are_disabled(
    site: Site,
) -> None:
    site.also("staff", "contributor")
    site.feed("staff")["map"]["status"] = "status"
    site.seat(TEST, "1001")
    site.hire(TEST, "7001", "7002")
    site.employees.set("7002", status="disabled")
    assert reasons(site) == {"7002": "waits for staff 7002 (its own row says that it is disabled)"}
    assert site.apply().status == 1
    assert set(site.contributors()) == {"t7001"}


def test_a_seat_waits_for_a_new_learner_whose_row_is_a_row_error(site: Site) -> None:
    site.seat(TEST, "1001", "1002")
    site.students.set("1002", given="Å\u0001se")
    assert reasons(site) == {"1002": "waits for learner 1002 (its row has an error)"}
    assert site.apply().status == 1
    assert set(site.seats()) == {"s1001"}


def test_a_seat_waits_for_a_held_identity_change_and_what_is_known_of_it_stays(site: Site) -> None:
    site.seat(TEST, "1001", "1002")
    site.exams.add(OTHER)
    site.settled()
    site.students.set("1001", feide="s1001-new")
    site.registrations.add(f"{OTHER} 1001", f"{OTHER} 1002")
    assert reasons(site) == {"1001": "waits for learner 1001 (held as an identity change)"}
    assert site.apply().status == 3
    assert set(site.seats(OTHER)) == {"s1002"}
    assert set(site.seats()) == names(["1001", "1002"])


def test_a_learner_with_a_newly_mistyped_email_still_gets_a_late_seat(site: Site) -> None:
    site.seat(TEST, *numbers(1001, 3))
    site.exams.add(OTHER)
    site.settled()
    site.students.set("1002", given="Å\u0001se")
    site.registrations.add(f"{OTHER} 1002")
    assert site.apply().status == 1
    assert set(site.seats(OTHER)) == {"s1002"}


def test_a_test_whose_row_became_a_row_error_still_takes_candidates(site: Site) -> None:
    site.seat(TEST, "1001")
    site.settled()
    site.exams.set(TEST, end="01.12.2026 08:00")
    site.seat(TEST, "1002")
    ran = site.apply()
    assert ran.status == 1
    assert "exams.csv line 2: end:" in ran.out
    assert set(site.seats()) == names(["1001", "1002"])
    assert site.tests()[TEST]["endTime"] == "2026-12-01T12:00:00Z"


def test_a_seat_whose_learner_inspera_refused_waits_in_that_run_and_goes_in_the_next(
    site: Site,
) -> None:
    site.seat(TEST, "1001", "1002")
    site.fail(method="POST", path="/api/v1/users/student", status=400, times=1)
    ran = site.apply()
    assert ran.status == 1
    assert "who is not in Inspera yet" in ran.out
    assert len(site.seats()) == 1
    site.heal()
    site.at(NEXT_DAY)
    site.settled()
    assert set(site.seats()) == names(["1001", "1002"])
