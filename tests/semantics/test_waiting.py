"""What waits, and what does not: a seat needs its learner and its test in Inspera, and nothing else."""

from .site import NEXT_DAY, OTHER, TEST, Site, names, numbers


def reasons(site: Site) -> dict[str, str]:
    """Why each candidate waits, by learner."""
    changes = site.plan_json()["changes"]
    return {one["key"][1]: one["reason"] for one in changes if one["verdict"] == "waiting"}


def test_a_seat_waits_for_a_learner_and_for_a_test_that_no_source_names_and_says_which(site: Site) -> None:
    site.seat(TEST, "1001")
    site.registrations.add(f"{TEST} 1002", f"{OTHER} 1001")
    assert reasons(site) == {
        "1002": "waits for learner 1002 (no source names it)",
        "1001": f"waits for test {OTHER} (no source names it)",
    }
    ran = site.settled()
    assert "Waiting for something else first" in ran.out
    assert set(site.seats()) == {"s1001"}
    site.students.add("1002")
    site.settled()
    assert set(site.seats()) == names(["1001", "1002"])


def test_a_seat_waits_for_a_new_learner_whose_row_is_a_fault(site: Site) -> None:
    site.seat(TEST, "1001", "1002")
    site.students.set("1002", mail="no email at all")
    assert reasons(site) == {"1002": "waits for learner 1002 (its row is a fault)"}
    assert site.apply().status == 1
    assert set(site.seats()) == {"s1001"}


def test_a_seat_waits_for_a_held_rekey_and_what_is_known_of_it_stays(site: Site) -> None:
    site.seat(TEST, "1001", "1002")
    site.exams.add(OTHER)
    site.settled()
    site.students.set("1001", feide="s1001-new")
    site.registrations.add(f"{OTHER} 1001", f"{OTHER} 1002")
    assert reasons(site) == {"1001": "waits for learner 1001 (held as a rekey)"}
    assert site.apply().status == 3
    assert set(site.seats(OTHER)) == {"s1002"}
    assert set(site.seats()) == names(["1001", "1002"])


def test_a_learner_with_a_newly_mistyped_email_still_gets_a_late_seat(site: Site) -> None:
    site.seat(TEST, *numbers(1001, 3))
    site.exams.add(OTHER)
    site.settled()
    site.students.set("1002", mail="no email at all")
    site.registrations.add(f"{OTHER} 1002")
    assert site.apply().status == 1
    assert set(site.seats(OTHER)) == {"s1002"}


def test_a_test_whose_row_became_a_fault_still_takes_candidates(site: Site) -> None:
    site.seat(TEST, "1001")
    site.settled()
    site.exams.set(TEST, end="01.12.2026 08:00")
    site.seat(TEST, "1002")
    ran = site.apply()
    assert ran.status == 1
    assert "exams.csv line 2: end:" in ran.out
    assert set(site.seats()) == names(["1001", "1002"])
    assert site.tests()[TEST]["endTime"] == "2026-12-01T12:00:00Z"


def test_a_seat_whose_learner_inspera_refused_waits_in_that_run_and_goes_in_the_next(site: Site) -> None:
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
