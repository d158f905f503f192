"""Rules 7: Only candidate feeds remove candidates. A learner is released only when no candidate of
theirs is known or wanted.
"""

import pytest

from ..support.university import NEXT_DAY, OTHER, TEST, University, names, numbers


@pytest.fixture
def leaving(university: University) -> University:
    """Six learners of whom two leave; one of these has a seat."""
    university.students.add("1005", "1006")
    university.register(TEST, *numbers(1001, 5))
    university.apply_once()
    university.students.drop("1005", "1006")
    return university


def releases(university: University) -> dict[str, str]:
    """The learners whom the plan would no longer keep, with its verdict."""
    changes = university.plan_json()["changes"]
    return {one["key"][0]: one["verdict"] for one in changes if one["action"] == "release"}


def test_only_candidate_feeds_remove_candidates_so_a_seated_learner_who_left_stays_seated(
    leaving: University,
) -> None:
    assert releases(leaving) == {"1006": "pass"}
    leaving.apply_cleanly()
    assert leaving.writes() == []
    assert set(leaving.candidates()) == names(numbers(1001, 5))


def test_the_last_seat_and_its_learner_go_in_one_run(leaving: University) -> None:
    leaving.registrations.drop(f"{TEST} 1005")
    assert releases(leaving) == {"1005": "pass", "1006": "pass"}
    leaving.apply_cleanly()
    assert set(leaving.candidates()) == names(numbers(1001, 4))
    assert leaving.planned() == []


def test_a_learner_whose_last_seat_could_not_be_removed_is_not_released(
    leaving: University,
) -> None:
    leaving.registrations.drop(f"{TEST} 1005")
    leaving.fail(method="DELETE", path="*/candidates", status=403)
    assert leaving.apply().status == 1
    assert "5 learners active" in leaving.run("status").out
    leaving.stop_failing()
    leaving.at(NEXT_DAY)
    leaving.apply_cleanly()
    assert "4 learners active" in leaving.run("status").out


def test_nobody_is_released_while_the_registrations_cannot_be_read(leaving: University) -> None:
    leaving.registrations.raw = b""
    assert releases(leaving) == {"1006": "deferred"}
    leaving.registrations.raw = None
    assert releases(leaving) == {"1006": "pass"}


def test_a_student_who_where_no_longer_selects_is_absent(leaving: University) -> None:
    leaving.students.add("1006", status="left")
    leaving.apply_cleanly()
    assert "1 learner released" in leaving.run("status").out


def test_learners_of_two_feeds_are_one_when_both_say_the_same_and_row_errors_when_not(
    leaving: University,
) -> None:
    guests = leaving.folder / "guests.csv"
    header = "student_no,feide,given,family,mail,status\n"
    leaving.config["sources"]["guests"] = {"type": "csv", "path": "guests.csv"}
    leaving.config["feeds"].append({**leaving.feed("learner"), "source": "guests"})
    row = leaving.students.rows[0]
    same = ",".join(row[name] for name in header.strip().split(","))
    guests.write_text(f"{header}{same}\n")
    leaving.apply_cleanly()
    assert leaving.writes() == []
    guests.write_text(header + same.replace("@example.edu", "@other.example.edu") + "\n")
    ran = leaving.apply()
    assert ran.status == 1
    assert "students.csv line 2: key: guests.csv line 2 has the same key" in ran.out


def test_an_unread_second_feed_of_learners_defers_their_releases(leaving: University) -> None:
    leaving.config["sources"]["guests"] = {"type": "csv", "path": "guests.csv"}
    leaving.config["feeds"].append({**leaving.feed("learner"), "source": "guests"})
    assert releases(leaving) == {"1006": "deferred"}
    assert leaving.apply().status == 4


def test_a_test_that_leaves_its_source_before_it_ended_is_withdrawn_without_a_call_and_comes_back(
    two: University,
) -> None:
    two.exams.drop(OTHER)
    for learner in numbers(1001, 6):
        two.registrations.drop(f"{OTHER} {learner}")
    two.config["limits"] = {"kind": {"percent": 100}, "test": {"percent": 100}}
    (line,) = [one for one in two.plan_json()["changes"] if one["kind"] == "test"]
    assert (line["action"], line["verdict"]) == ("withdraw", "pass")
    assert line["reason"] == "it left its source before it ended"
    two.config["on_absence"] = {"candidate": "keep"}
    two.apply_cleanly()
    assert two.writes() == []
    assert "known: 1 test withdrawn" in two.run("status").out.lower()
    two.exams.add(OTHER, start="04.01.2027 09:00", end="04.01.2027 13:00")
    assert two.planned() == [f"restore test {OTHER}"]
    two.apply_cleanly()
    assert two.writes() == []
    assert two.planned() == []


def test_a_test_that_is_absent_while_registrations_name_it_is_held(two: University) -> None:
    two.exams.drop(OTHER)
    (line,) = two.plan_json()["changes"]
    assert (line["action"], line["verdict"]) == ("withdraw", "held")
    assert "6 registrations still name it" in line["reason"]
    assert two.apply().status == 3


def test_a_learner_who_left_is_released_only_when_no_seat_of_theirs_is_left(
    two: University,
) -> None:
    two.students.drop("1001", "1002")
    for test in (TEST, OTHER):
        two.registrations.drop(f"{test} 1001")
    two.apply_cleanly()
    assert set(two.candidates()) == names(numbers(1002, 5))
    assert "1 learner released" in two.run("status").out
    assert two.planned() == []


def test_a_released_learner_who_comes_back_is_kept_again_without_a_second_account(
    two: University,
) -> None:
    two.students.drop("1001")
    for test in (TEST, OTHER):
        two.registrations.drop(f"{test} 1001")
    two.apply_cleanly()
    two.register(TEST, "1001")
    assert set(two.planned("pass")) == {"restore learner 1001", f"create candidate {TEST}/1001"}
    two.apply_cleanly()
    assert "s1001" in two.candidates()
    assert len(two.learners()) == 6
    assert "released" not in two.run("status").out
