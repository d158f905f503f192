"""Rules 19: Soonest tests first. First everything that tests of the next 24 hours need; then what
the other tests of the next 7 days need; then the rest, soonest test first.
"""

from ..support.university import OTHER, TEST, University, numbers

SOON, LATER, LAST = "BIO1000-H26", TEST, "KJM1100-H26"


def test_what_a_test_of_this_week_needs_goes_before_the_rest_and_soonest_tests_come_first(
    university: University,
) -> None:
    university.config["inspera"]["workers"] = 1
    university.exams.add(LAST, start="20.12.2026 09:00", end="20.12.2026 13:00")
    university.exams.add(SOON, start="05.09.2026 09:00", end="05.09.2026 13:00")
    university.register(LAST, "1001")
    university.register(LATER, "1002")
    university.register(SOON, "1003")
    university.students.add("1004")
    university.apply_once()
    assert university.written() == [
        "POST student s1003",
        f"POST test {SOON}",
        f"POST candidates {SOON}",
        "POST student s1002",
        f"POST test {LATER}",
        f"POST candidates {LATER}",
        "POST student s1001",
        f"POST test {LAST}",
        f"POST candidates {LAST}",
        "POST student s1004",
    ]


def test_the_plan_is_read_in_the_order_in_which_it_is_sent(university: University) -> None:
    university.register(TEST, "1001")
    university.exams.add(SOON, start="05.09.2026 09:00", end="05.09.2026 13:00")
    university.register(SOON, "1002")
    assert university.planned() == [
        "create learner 1002",
        f"create test {SOON}",
        f"create candidate {SOON}/1002",
        "create learner 1001",
        f"create test {TEST}",
        f"create candidate {TEST}/1001",
    ]


def test_removals_on_a_test_come_after_its_additions(university: University) -> None:
    university.register(TEST, *numbers(1001, 4))
    university.apply_once()
    university.registrations.drop(f"{TEST} 1001")
    university.register(TEST, "1009")
    university.apply_cleanly()
    assert university.written() == [
        "POST student s1009",
        f"POST candidates {TEST}",
        f"DELETE candidates {TEST}",
    ]


def test_candidates_go_in_batches_a_test(university: University) -> None:
    university.config["inspera"]["batch_size"] = 4
    university.register(TEST, *numbers(1001, 10))
    university.register(OTHER, *numbers(1001, 2))
    university.apply_once()
    sizes = [
        len(call["body"]["candidates"])
        for call in university.sent()
        if call["path"].endswith("/candidates")
    ]
    assert sorted(sizes) == [2, 2, 4, 4]


def test_the_order_of_rows_in_a_file_is_no_change(university: University) -> None:
    university.register(TEST, *numbers(1001, 12))
    university.register(OTHER, *numbers(1004, 12))
    university.apply_once()
    for table in university.tables:
        table.rows.sort(key=lambda row: sorted(row.values()), reverse=True)
    assert university.planned() == []
    university.apply_cleanly()
    assert university.calls() == []
