"""After a run the state says how complete each test is that starts soon, and what the sources had."""

from datetime import UTC, datetime, timedelta

import pytest
from sync.app import App
from sync.records.base import Kind
from sync.state import exam_figures, source_readings
from sync.state.exam_figures import ExamFigures
from sync.state.source_readings import SourceReading

from ..support.university import OTHER, TEST, University, numbers

FRIDAY = "2026-11-27T08:00"
"""Four days before the tests."""


@pytest.fixture
def university(university: University) -> University:
    university.at(FRIDAY)
    return university


def exams(university: University, days: int = 7) -> dict[str, ExamFigures]:
    app = App.open(university.write(), lambda _line: None)
    now = datetime.fromisoformat(FRIDAY).replace(tzinfo=UTC)
    with app.state.open_to_read() as connection:
        found, _ = exam_figures.read(connection, now, now + timedelta(days=days))
        found = exam_figures.count_seats(connection, found)
    return {one.key: one for one in found}


def readings(university: University) -> dict[tuple[str, Kind], SourceReading]:
    app = App.open(university.write(), lambda _line: None)
    with app.state.open_to_read() as connection:
        return {(one.source, one.kind): one for one in source_readings.read(connection, 1)}


def test_a_test_with_everything_wanted_is_complete(university: University) -> None:
    university.register(TEST, *numbers(1001, 3))
    university.apply_once()
    (exam,) = exams(university).values()
    assert exam.is_complete
    assert (exam.wanted, exam.seats, exam.missing) == (3, 3, 0)
    assert exam.at.startswith("2026-11-27T08:00")


def test_what_is_kept_back_is_counted_by_kind_and_why(university: University) -> None:
    university.register(TEST, *numbers(1001, 3))
    university.apply_once()
    university.registrations.add(f"{TEST} 1009")  # whom no source of learners has
    university.apply()
    exam = exams(university)[TEST]
    assert not exam.is_complete
    assert (exam.seats, exam.missing) == (3, 1)
    assert set(exam.kept_back) == {(Kind.CANDIDATE, "row error")}


def test_a_refused_seat_is_not_sent_and_counts_as_missing(university: University) -> None:
    university.register(TEST, "1001")
    university.apply_once()
    university.register(TEST, "1002")
    university.sandbox.control(
        fail=[{"method": "POST", "path": "*/candidates", "status": 400, "times": 9}]
    )
    university.apply()
    exam = exams(university)[TEST]
    assert exam.kept_back == {(Kind.CANDIDATE, "not sent"): 1}
    assert (exam.wanted, exam.seats) == (2, 1)


def test_a_test_that_inspera_lacks_is_shown_with_its_start(university: University) -> None:
    university.register(TEST, "1001")
    university.sandbox.control(
        fail=[{"method": "POST", "path": "*/test", "status": 400, "times": 9}]
    )
    university.apply()
    exam = exams(university)[TEST]
    assert (exam.in_inspera, exam.seats, exam.wanted) == (False, 0, 1)
    assert exam.start.startswith("2026-12-01")


def test_a_held_removal_keeps_a_test_from_being_complete(university: University) -> None:
    university.register(TEST, *numbers(1001, 40))
    university.apply_once()
    del university.registrations.rows[5:]
    university.apply()
    exam = exams(university)[TEST]
    assert (exam.missing, exam.is_complete) == (0, False)
    assert set(exam.kept_back) == {(Kind.CANDIDATE, "removal")}


def test_a_job_of_some_kinds_leaves_the_figures_of_the_others(university: University) -> None:
    university.register(TEST, *numbers(1001, 2))
    university.apply_once()
    university.run_job("people", Kind.LEARNER)
    assert exams(university)[TEST].wanted == 2


def test_a_test_that_no_run_has_counted_is_not_complete(university: University) -> None:
    """As after a move from a later time, by a job that reads tests alone."""
    university.register(TEST, "1001")
    university.at("2026-11-10T08:00")  # too early for figures
    university.apply_once()
    university.at(FRIDAY)
    university.run_job("tests", Kind.TEST)
    exam = exams(university)[TEST]
    assert (exam.in_inspera, exam.counted, exam.is_complete) == (True, False, False)
    university.apply()
    assert exams(university)[TEST].is_complete


def test_a_test_is_not_complete_while_the_registrations_can_not_be_read(
    university: University,
) -> None:
    university.register(TEST, "1001")
    university.register(OTHER, "1001")
    university.registrations.rows.pop()
    university.apply_once()
    university.config["sources"]["registrations"]["path"] = "gone.csv"
    university.apply()
    assert exams(university)[OTHER].in_inspera
    assert not exams(university)[OTHER].is_complete


def test_a_test_without_candidates_is_counted(university: University) -> None:
    university.register(TEST, "1001")
    university.apply_once()
    university.register(OTHER, "1001")
    university.registrations.rows.pop()
    university.apply()
    exam = exams(university)[OTHER]
    assert (exam.wanted, exam.is_complete) == (0, True)


def test_later_tests_and_ended_ones_are_not_shown(university: University) -> None:
    university.register(TEST, "1001")
    university.apply_once()
    assert not exams(university, days=2)


def test_each_run_leaves_what_its_sources_had(university: University) -> None:
    university.register(TEST, *numbers(1001, 3))
    university.apply_once()
    found = readings(university)
    assert found["students", Kind.LEARNER].rows == 3
    assert found["registrations", Kind.CANDIDATE].rows == 3
    university.students.rows.clear()
    university.apply()
    assert readings(university)["students", Kind.LEARNER].trouble
