"""Rules 6: A row error is not an absence. Its record stays as it is. If even the key cannot be
read, nothing of that kind is removed in this run.
"""

import pytest

from ..support.university import OTHER, TEST, University, names, numbers

CLASS = numbers(1001, 27)


@pytest.fixture
def full(university: University) -> University:
    """27 learners who sit one test, all in Inspera."""
    university.register(TEST, *CLASS)
    university.apply_once()
    return university


def test_one_unusable_row_of_27_is_a_row_error_with_its_line_and_keeps_its_candidate_while_an_absent_one_goes(
    full: University,
) -> None:
    full.registrations.set(f"{TEST} 1005", extra="a lot")
    full.registrations.drop(f"{TEST} 1010")
    plan = full.plan_json()
    line = full.registrations.line(f"{TEST} 1005")
    assert [row_error["where"] for row_error in plan["row_errors"]] == [
        f"registrations.csv line {line}"
    ]
    ran = full.apply()
    assert ran.status == 1
    assert f"registrations.csv line {line}: extra_time:" in ran.out
    assert set(full.candidates()) == names(CLASS) - {"s1010"}


def test_a_learner_with_a_bad_email_is_a_row_error_and_keeps_account_and_seats_while_an_absent_seat_goes(
    full: University,
) -> None:
    before = full.learners()["s1003"]
    full.students.set("1003", mail="no email at all")
    full.registrations.drop(f"{TEST} 1004")
    ran = full.apply()
    assert ran.status == 1
    assert f"students.csv line {full.students.line('1003')}: email:" in ran.out
    assert full.learners()["s1003"] == before
    assert set(full.candidates()) == names(CLASS) - {"s1004"}


def test_a_row_whose_key_cannot_be_read_defers_all_removals_of_its_kind_and_says_so(
    full: University,
) -> None:
    full.registrations.add(f"{TEST} 1099", course="")
    full.registrations.drop(f"{TEST} 1002")
    changes = full.plan_json()["changes"]
    assert [(change["action"], change["verdict"]) for change in changes] == [("remove", "deferred")]
    assert (
        f"the key in registrations.csv line {len(CLASS) + 1} can't be read" in changes[0]["reason"]
    )
    assert full.apply().status == 1
    assert len(full.candidates()) == len(CLASS)
    full.registrations.rows.pop()
    full.apply_cleanly()
    assert set(full.candidates()) == names(CLASS) - {"s1002"}


def test_a_row_that_names_only_its_test_defers_the_removals_of_that_test_alone(
    full: University,
) -> None:
    full.register(OTHER, *CLASS[:5])
    full.apply_cleanly()
    full.registrations.add(f"{TEST} 1001", student_no="")
    full.registrations.drop(f"{TEST} 1002", f"{OTHER} 1002")
    assert full.apply().status == 1
    assert len(full.candidates(TEST)) == len(CLASS)
    assert set(full.candidates(OTHER)) == names(["1001", "1003", "1004", "1005"])


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


def test_a_student_row_whose_key_cannot_be_read_defers_all_releases(leaving: University) -> None:
    leaving.students.add("1009", student_no="")
    assert releases(leaving) == {"1006": "deferred"}
    leaving.students.rows.pop()
    assert releases(leaving) == {"1006": "pass"}


def test_a_feed_of_which_no_row_can_be_read_is_an_unhealthy_source(university: University) -> None:
    university.register(TEST, *map(str, range(1001, 1013)))
    university.apply_once()
    for row in university.registrations.rows:
        row["extra"] = "half an hour"
    for command in ("check", "plan", "apply"):
        ran = university.run(command)
        assert ran.status == 4
        assert "Source: registrations.csv: none of its 12 rows is valid; nothing that" in ran.out
    university.registrations.rows[0]["extra"] = "30"
    assert university.apply().status == 1
    assert len(university.candidates()) == 12
