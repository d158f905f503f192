"""Rules 20: A run with sooner tests goes first. A run yields between batches to a waiting run with
sooner tests.
"""

from collections.abc import Callable
from threading import Event

import pytest
from sync.app import App
from sync.commands.apply import ApplyOptions, apply
from sync.commands.jobs import ConfiguredJob
from sync.engine.interruption import Interruption
from sync.records.base import Kind
from sync.service.metrics import Metrics

from ..support.university import BEFORE, OTHER, TEST, University, numbers


@pytest.fixture
def run(university: University) -> Callable[..., list[str]]:
    """Runs as a job for these kinds does; gives what was written, such as `POST student s1001`."""

    def run(*kinds: Kind) -> list[str]:
        app = App.open(university.write(), lambda _line: None)
        printed: list[str] = []
        university.start_observing()
        status = apply(
            app,
            ApplyOptions(kinds=frozenset(kinds)),
            printed.append,
            lambda *_: None,
            Interruption(Event()),
        )
        assert status in (0, 1, 3, 4), printed
        return university.written()

    return run


def settled(university: University) -> None:
    university.allow_shrinkage()
    university.at(BEFORE)
    university.register(TEST, *numbers(1001, 12))
    university.register(OTHER, *numbers(1001, 3))
    university.apply_once()


def test_a_run_for_candidates_adds_the_learner_and_the_test_that_a_new_one_needs(
    university: University, run: Callable[..., list[str]]
) -> None:
    settled(university)
    university.config["inspera"]["workers"] = 1
    university.register("NEW1000-H26", "2001")
    assert run(Kind.CANDIDATE) == [
        "POST student s2001",
        "POST test NEW1000-H26",
        "POST candidates NEW1000-H26",
    ]


def test_it_adds_nobody_who_no_candidate_needs_and_changes_nobody(
    university: University, run: Callable[..., list[str]]
) -> None:
    settled(university)
    university.students.add("2001")
    university.exams.add("NEW1000-H26")
    university.students.set("1001", family="Nyttnavn")
    university.exams.set(TEST, name="Noe annet")
    assert run(Kind.CANDIDATE) == []
    assert sorted(run(Kind.LEARNER)) == ["POST student s1001", "POST student s2001"]
    assert len(run(Kind.TEST)) == 2


def test_it_removes_candidates_but_neither_releases_learners_nor_withdraws_tests(
    university: University, run: Callable[..., list[str]]
) -> None:
    settled(university)
    university.students.drop("1012")
    university.registrations.drop(f"{TEST} 1012")
    assert run(Kind.CANDIDATE) == [f"DELETE candidates {TEST}"]
    assert "release learner 1012" in university.planned()
    assert run(Kind.LEARNER) == []
    # only where the candidates are read, too, it is sure that nobody names the learner
    assert "release learner 1012" in university.planned()


def test_kinds_that_are_not_read_lose_nothing_and_keep_their_baseline(
    university: University, run: Callable[..., list[str]]
) -> None:
    settled(university)
    for source in university.config["sources"].values():
        source["completeness"]["shrink"] = {"at_least": 1, "percent": 1}
    for number in numbers(1003, 6):
        university.registrations.drop(f"{TEST} {number}")
    assert run(Kind.LEARNER) == []
    assert run(Kind.TEST) == []
    assert (
        university.apply().status == 4
    )  # the candidates' source has shrunk: no other run has taken that for right


def test_what_was_refused_or_is_open_for_other_kinds_is_not_forgotten(
    university: University, run: Callable[..., list[str]]
) -> None:
    settled(university)
    university.students.add("2001")
    university.sandbox.control(
        fail=[{"method": "POST", "path": "/api/v1/users/student", "status": 400, "times": 1}]
    )
    assert university.apply().status == 1
    assert run(Kind.CANDIDATE) == []
    assert run(Kind.LEARNER) == []  # it rests, as before


def test_a_seat_that_a_person_has_to_settle_makes_no_run_go_first(university: University) -> None:
    university.config["jobs"] = {"exam_day": {"every": "10m"}}
    university.students.add("1001")
    university.register(TEST, "1002")
    university.apply_once()
    university.sandbox.edit(candidate={"test": TEST, "username": "s1001", "extraTimeMins": 60})
    university.registrations.add(f"{TEST} 1001", extra="30")
    app = App.open(university.write(), lambda _line: None)
    job = ConfiguredJob(
        app, "exam_day", app.loaded.settings.jobs["exam_day"], Metrics(university.now)
    )
    assert job.begin().soonest_start().startswith("2026-")
    university.run_job("exam_day")
    assert [one["type"] for one in university.findings()] == ["held"]
    assert job.begin().soonest_start() == ""
