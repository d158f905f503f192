"""What is sent first: what soon tests need, in layers, then the rest; removals after additions."""

from .site import OTHER, TEST, Site, numbers

SOON, LATER, LAST = "BIO1000-H26", TEST, "KJM1100-H26"


def test_what_a_test_of_this_week_needs_goes_before_the_rest_and_soonest_tests_come_first(
    site: Site,
) -> None:
    site.config["inspera"]["workers"] = 1
    site.exams.add(LAST, start="20.12.2026 09:00", end="20.12.2026 13:00")
    site.exams.add(SOON, start="05.09.2026 09:00", end="05.09.2026 13:00")
    site.seat(LAST, "1001")
    site.seat(LATER, "1002")
    site.seat(SOON, "1003")
    site.students.add("1004")
    site.settled()
    assert site.written() == [
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


def test_the_plan_is_read_in_the_order_in_which_it_is_sent(site: Site) -> None:
    site.seat(TEST, "1001")
    site.exams.add(SOON, start="05.09.2026 09:00", end="05.09.2026 13:00")
    site.seat(SOON, "1002")
    assert site.planned() == [
        "create learner 1002",
        f"create test {SOON}",
        f"create candidate {SOON}/1002",
        "create learner 1001",
        f"create test {TEST}",
        f"create candidate {TEST}/1001",
    ]


def test_removals_on_a_test_come_after_its_additions(site: Site) -> None:
    site.seat(TEST, *numbers(1001, 4))
    site.settled()
    site.registrations.drop(f"{TEST} 1001")
    site.seat(TEST, "1009")
    site.settled()
    assert site.written() == [
        "POST student s1009",
        f"POST candidates {TEST}",
        f"DELETE candidates {TEST}",
    ]


def test_candidates_go_in_batches_a_test(site: Site) -> None:
    site.config["inspera"]["batch_size"] = 4
    site.seat(TEST, *numbers(1001, 10))
    site.seat(OTHER, *numbers(1001, 2))
    site.settled()
    sizes = [
        len(call["body"]["candidates"])
        for call in site.sent()
        if call["path"].endswith("/candidates")
    ]
    assert sorted(sizes) == [2, 2, 4, 4]


def test_the_order_of_rows_in_a_file_is_no_change(site: Site) -> None:
    site.seat(TEST, *numbers(1001, 12))
    site.seat(OTHER, *numbers(1004, 12))
    site.settled()
    for table in site.tables:
        table.rows.sort(key=lambda row: sorted(row.values()), reverse=True)
    assert site.planned() == []
    site.settled()
    assert site.calls() == []
