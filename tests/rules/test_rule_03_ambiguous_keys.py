"""Rules 3: Ambiguous keys are row errors."""

from ..support.university import TEST, University, names, numbers


def test_keys_that_differ_only_in_case_are_row_errors_that_name_both_places(
    university: University,
) -> None:
    university.students.add("a1001", "A1001", mail="")
    university.students.set("A1001", feide="other")
    university.students.add("1003")
    plan = university.plan_json()
    printed = {row_error["where"]: row_error["reason"] for row_error in plan["row_errors"]}
    assert set(printed) == {"students.csv line 2", "students.csv line 3"}
    assert "students.csv line 3" in printed["students.csv line 2"]
    assert "students.csv line 2" in printed["students.csv line 3"]
    assert [change["key"] for change in plan["changes"]] == [["1003"]]


def test_a_registration_in_another_case_than_its_test_is_a_row_error_and_keeps_the_seat_it_means(
    university: University,
) -> None:
    university.register(TEST, *numbers(1001, 4))
    university.apply_once()
    university.registrations.set(f"{TEST} 1001", course="inf1000")
    university.registrations.drop(f"{TEST} 1002")
    ran = university.apply()
    assert ran.status == 1
    assert "is written 'inf1000-H26' here and 'INF1000-H26'" in ran.out
    assert set(university.candidates()) == names(["1001", "1003", "1004"])


def test_two_combinations_that_a_template_makes_into_one_key_are_row_errors_that_name_both_places(
    university: University,
) -> None:
    university.exams.add("INF-H26", course="INF-A", term="B")
    university.exams.add("INF-H26", course="INF", term="A-B")
    university.exams.add(TEST)
    plan = university.plan_json()
    assert {row_error["where"] for row_error in plan["row_errors"]} == {
        "exams.csv line 2",
        "exams.csv line 3",
    }
    assert all(
        "different values make the same key" in row_error["reason"]
        for row_error in plan["row_errors"]
    )
    assert [change["key"] for change in plan["changes"]] == [[TEST]]


def test_a_registration_whose_values_only_happen_to_make_a_tests_key_is_a_row_error_and_seats_nobody(
    university: University,
) -> None:
    university.register(TEST, "1001")
    university.exams.add("INF-H26", course="INF-A", term="B")
    university.registrations.add("INF-H26 1001", course="INF", term="A-B")
    ran = university.apply()
    assert ran.status == 1
    assert "different values make the same key here and in the test's own row" in ran.out
    assert university.candidates("INF-A-B") == {}
    assert set(university.candidates()) == {"s1001"}


def test_rows_that_map_to_the_same_record_are_one_whatever_their_other_columns_say(
    university: University,
) -> None:
    university.keep_feeds("learner")
    university.students.add("1001", "1001")
    university.students.rows[1] |= {"status": "exchange", "secret": "not mapped"}
    university.apply_once()
    assert university.writes() == ["POST /v1/users/student"]


def test_two_rows_of_one_key_that_say_different_things_are_row_errors_and_the_record_stays_as_it_is(
    university: University,
) -> None:
    university.keep_feeds("learner")
    university.students.add("1001", "1002")
    university.apply_once()
    university.students.add("1001", mail="other@example.edu")
    ran = university.apply()
    assert ran.status == 1
    assert (
        "students.csv line 2: key: students.csv line 4 has the same key 1001 and another email"
        in ran.out
    )
    assert (
        "students.csv line 4: key: students.csv line 2 has the same key 1001 and another email"
        in ran.out
    )
    assert university.learners()["s1001"]["email"] == "s1001@example.edu"


def test_many_double_keys_are_one_line_that_names_a_key_and_the_field(
    university: University,
) -> None:
    university.students.add("1001", "1002", "1003", "2001")
    university.students.add("1001", "1002", "1003", mail="other@example.edu")
    out = university.run("check").out
    assert (
        "students.csv line 2 and 5 more rows: key: students.csv line 6 has the same key 1001 and "
        "another email; keep the row that is right"
    ) in out
    for _ in range(3):
        university.students.rows.pop()
    assert "students.csv line" not in university.run("check").out
