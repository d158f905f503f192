"""Two jobs over one test: each keeps its own kinds in step, and neither undoes the other's work."""

import pytest
from sync.records.base import Kind

from ..support.university import NEXT_DAY, TEST, University, names, numbers

NEW = "NEW1000-H26"


class Jobs:
    """The job for tests and the job for candidates of one university."""

    def __init__(self, university: University) -> None:
        self.university = university

    def exams(self) -> list[str]:
        """Run the job for tests and return what it wrote."""
        self.university.run_job("exams", Kind.TEST)
        return self.university.written()

    def seats(self) -> list[str]:
        """Run the job for candidates and return what it wrote."""
        self.university.run_job("seats", Kind.CANDIDATE)
        return self.university.written()


@pytest.fixture
def jobs(university: University) -> Jobs:
    university.register(TEST, *numbers(1001, 20))
    university.apply_once()
    return Jobs(university)


def test_each_job_sends_its_own_part_of_one_test(university: University, jobs: Jobs) -> None:
    university.exams.set(TEST, name="Hjemmeeksamen")
    university.registrations.drop(f"{TEST} 1001")
    university.register(TEST, "1099")
    assert jobs.seats() == [
        "POST student s1099",
        f"POST candidates {TEST}",
        f"DELETE candidates {TEST}",
    ]
    assert jobs.exams() == [f"POST test {TEST}"]
    assert set(university.candidates(TEST)) == names([*numbers(1002, 19), "1099"])
    university.apply_cleanly()
    assert university.writes() == []


def test_a_test_that_one_job_needs_is_not_made_again_by_the_other(
    university: University, jobs: Jobs
) -> None:
    university.register(NEW, "1001")
    assert jobs.seats() == [f"POST test {NEW}", f"POST candidates {NEW}"]
    assert jobs.exams() == []
    assert set(university.candidates(NEW)) == {"s1001"}


def test_a_held_configuration_of_one_job_does_not_stop_the_other(
    university: University, jobs: Jobs
) -> None:
    for row in university.registrations.rows:
        row["room"] = "B12"
    university.feed("candidate")["map"]["room"] = "room"
    university.exams.set(TEST, name="Hjemmeeksamen")
    assert jobs.seats() == []
    assert jobs.exams() == [f"POST test {TEST}"]
    university.at(NEXT_DAY)
    assert jobs.seats() == []
    ran = university.apply()
    assert ran.status == 3
    assert university.apply("--allow", ran.allow_hash).status == 0
    assert jobs.seats() == []


def test_what_one_job_has_taken_in_step_the_other_does_not_count_again(
    university: University, jobs: Jobs
) -> None:
    university.registrations.set(f"{TEST} 1001", room="B12")
    university.feed("candidate")["map"]["room"] = "room"
    university.feed("test")["map"]["title"] = "{name} ({course})"
    assert jobs.seats() == [f"POST candidates {TEST}"]
    assert jobs.exams() == [f"POST test {TEST}"]
    assert "onfiguration" not in university.apply_cleanly().out
