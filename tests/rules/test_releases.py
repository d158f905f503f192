"""Learners who left, and what must be sure before they are no longer kept."""

import pytest

from .site import NEXT_DAY, TEST, Site, names, numbers


@pytest.fixture
def leaving(site: Site) -> Site:
    """Six learners of whom two leave; one of these has a seat."""
    site.students.add("1005", "1006")
    site.seat(TEST, *numbers(1001, 5))
    site.settled()
    site.students.drop("1005", "1006")
    return site


def releases(site: Site) -> dict[str, str]:
    """The learners whom the plan would no longer keep, with its verdict."""
    changes = site.plan_json()["changes"]
    return {one["key"][0]: one["verdict"] for one in changes if one["action"] == "release"}


def test_only_candidate_feeds_remove_candidates_so_a_seated_learner_who_left_stays_seated(
    leaving: Site,
) -> None:
    assert releases(leaving) == {"1006": "pass"}
    leaving.settled()
    assert leaving.writes() == []
    assert set(leaving.seats()) == names(numbers(1001, 5))


def test_the_last_seat_and_its_learner_go_in_one_run(leaving: Site) -> None:
    leaving.registrations.drop(f"{TEST} 1005")
    assert releases(leaving) == {"1005": "pass", "1006": "pass"}
    leaving.settled()
    assert set(leaving.seats()) == names(numbers(1001, 4))
    assert leaving.planned() == []


def test_a_learner_whose_last_seat_could_not_be_removed_is_not_released(leaving: Site) -> None:
    leaving.registrations.drop(f"{TEST} 1005")
    leaving.fail(method="DELETE", path="*/candidates", status=403)
    assert leaving.apply().status == 1
    assert "5 learners active" in leaving.run("status").out
    leaving.heal()
    leaving.at(NEXT_DAY)
    leaving.settled()
    assert "4 learners active" in leaving.run("status").out


def test_nobody_is_released_while_the_registrations_cannot_be_read(leaving: Site) -> None:
    leaving.registrations.raw = b""
    assert releases(leaving) == {"1006": "deferred"}
    leaving.registrations.raw = None
    assert releases(leaving) == {"1006": "pass"}


def test_a_student_row_whose_key_cannot_be_read_withholds_all_releases(leaving: Site) -> None:
    leaving.students.add("1009", student_no="")
    assert releases(leaving) == {"1006": "deferred"}
    leaving.students.rows.pop()
    assert releases(leaving) == {"1006": "pass"}


def test_a_student_whom_where_no_longer_selects_is_absent(leaving: Site) -> None:
    leaving.students.add("1006", status="left")
    leaving.settled()
    assert "1 learner released" in leaving.run("status").out


def test_learners_of_two_feeds_are_one_when_both_say_the_same_and_row_errors_when_not(
    leaving: Site,
) -> None:
    guests = leaving.folder / "guests.csv"
    header = "student_no,feide,given,family,mail,status\n"
    leaving.config["sources"]["guests"] = {"type": "csv", "path": "guests.csv"}
    leaving.config["feeds"].append({**leaving.feed("learner"), "source": "guests"})
    row = leaving.students.rows[0]
    same = ",".join(row[name] for name in header.strip().split(","))
    guests.write_text(f"{header}{same}\n")
    leaving.settled()
    assert leaving.writes() == []
    guests.write_text(header + same.replace("@example.edu", "@other.example.edu") + "\n")
    ran = leaving.apply()
    assert ran.status == 1
    assert (
        "students.csv line 2: key: guests.csv line 2 has the same key and says otherwise" in ran.out
    )


def test_an_unread_second_feed_of_learners_withholds_their_releases(leaving: Site) -> None:
    leaving.config["sources"]["guests"] = {"type": "csv", "path": "guests.csv"}
    leaving.config["feeds"].append({**leaving.feed("learner"), "source": "guests"})
    assert releases(leaving) == {"1006": "deferred"}
    assert leaving.apply().status == 4


def test_a_key_that_comes_back_in_another_case_is_held_and_makes_no_second_account(
    site: Site,
) -> None:
    site.students.add("ab1001", "1002")
    site.seat(TEST, "ab1001", "1002")
    site.settled()
    site.students.set("ab1001", student_no="AB1001")
    site.registrations.set(f"{TEST} ab1001", student_no="AB1001")
    ran = site.apply()
    assert ran.status == 3
    assert "identity change learner AB1001" in ran.out
    assert site.writes() == []
    assert site.adopt("learner", "AB1001").status == 0
    site.settled()
    assert (site.writes(), site.planned()) == ([], [])
