"""Rules 38: The clock is compared with each answer of Inspera. If it differs by more than 60 s,
the run warns and ends with 4.
"""

import pytest

from ..support.university import OTHER, TEST, University, names, numbers


@pytest.fixture
def seated(university: University) -> University:
    """Six learners on a test to come; one of them has left since."""
    university.allow_shrinkage()
    university.register(TEST, *numbers(1001, 6))
    university.apply_once()
    university.registrations.drop(f"{TEST} 1006")
    return university


@pytest.mark.parametrize(
    ("offset", "words"),
    [(7200, "2 h 0 min behind"), (-7200, "1 h 59 min ahead of"), (90, "90 s behind")],
)
def test_while_the_clocks_differ_nothing_is_removed_and_the_status_is_4_until_they_agree(
    seated: University, offset: int, words: str
) -> None:
    seated.sandbox.control(clock_offset=offset)
    seated.register(TEST, "1009")
    ran = seated.apply()
    assert ran.status == 4, ran.output
    assert f"Clock: this machine's clock is {words}" in ran.out
    assert set(seated.candidates()) == names([*numbers(1001, 6), "1009"])
    seated.sandbox.control(clock_offset=0)
    seated.apply_cleanly()
    assert set(seated.candidates()) == names([*numbers(1001, 5), "1009"])


@pytest.mark.parametrize("offset", [50, -50])
def test_a_difference_of_less_than_a_minute_is_none(seated: University, offset: int) -> None:
    seated.sandbox.control(clock_offset=offset)
    assert "Clock" not in seated.apply_cleanly().out
    assert set(seated.candidates()) == names(numbers(1001, 5))


@pytest.mark.parametrize("date", ["", "nonsense"])
def test_an_answer_without_a_readable_time_is_no_evidence(seated: University, date: str) -> None:
    seated.sandbox.control(clock_offset=7200, fail=[{"path": "*", "headers": {"Date": date}}])
    seated.apply_cleanly()
    assert set(seated.candidates()) == names(numbers(1001, 5))


def test_staff_are_not_disabled_by_a_run_that_has_nothing_else_to_say(
    university: University,
) -> None:
    university.add_feeds("staff", "contributor")
    university.allow_shrinkage()
    university.assign_staff(TEST, "501")
    university.employees.add("502", "503", "504")
    university.keep_feeds("test", "staff", "contributor")
    university.apply_once()
    university.employees.drop("504")
    university.sandbox.control(clock_offset=-3600)
    assert university.apply().status == 4
    assert university.writes() == []
    university.sandbox.control(clock_offset=0)
    university.apply_cleanly()
    assert len(university.writes()) == 1


def test_what_has_ended_only_by_our_clock_is_not_retired(seated: University) -> None:
    seated.at("2026-12-01T12:30")  # by Inspera's clock it is 10:30, and the test runs
    seated.sandbox.control(clock_offset=-7200)
    seated.exams.drop(TEST)
    seated.exams.add(OTHER, start="10.12.2026 09:00", end="10.12.2026 13:00")
    seated.registrations.rows.clear()
    seated.register(OTHER, "1001")
    assert seated.apply().status == 4
    assert "retired" not in seated.run("status").out


def test_what_is_frozen_only_by_insperas_clock_is_held(seated: University) -> None:
    seated.at("2026-12-01T05:00")  # by Inspera's clock it is 07:00
    seated.sandbox.control(clock_offset=7200)
    seated.exams.set(TEST, name="Muntlig prøve")
    ran = seated.apply()
    assert ran.status == 4
    assert "the test starts within 2 h, and this would rename it" in ran.out
    assert "Muntlig" not in seated.tests()[TEST]["title"]
