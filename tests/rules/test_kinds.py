"""A run for some kinds: it keeps these in step, adds what their records need, and touches nothing else."""

from collections.abc import Callable
from threading import Event

import pytest
from sync.app import App
from sync.commands.apply import ApplyOptions, apply
from sync.engine.interruption import Interruption
from sync.records.base import Kind

from .site import BEFORE, OTHER, TEST, Site, numbers


@pytest.fixture
def run(site: Site) -> Callable[..., list[str]]:
    """Runs as a job for these kinds does; gives what was written, such as `POST student s1001`."""

    def run(*kinds: Kind) -> list[str]:
        app = App.open(site.write(), lambda _line: None)
        said: list[str] = []
        site._look_from_here()
        status = apply(
            app,
            ApplyOptions(kinds=frozenset(kinds)),
            said.append,
            lambda *_: None,
            Interruption(Event()),
        )
        assert status in (0, 1, 3, 4), said
        return site.written()

    return run


def settled(site: Site) -> None:
    site.may_shrink()
    site.at(BEFORE)
    site.seat(TEST, *numbers(1001, 12))
    site.seat(OTHER, *numbers(1001, 3))
    site.settled()


def test_a_run_for_candidates_adds_the_learner_and_the_test_that_a_new_one_needs(
    site: Site, run: Callable[..., list[str]]
) -> None:
    settled(site)
    site.seat("NEW1000-H26", "2001")
    assert run(Kind.CANDIDATE) == [
        "POST student s2001",
        "POST test NEW1000-H26",
        "POST candidates NEW1000-H26",
    ]


def test_it_adds_nobody_whom_no_candidate_needs_and_changes_nobody(
    site: Site, run: Callable[..., list[str]]
) -> None:
    settled(site)
    site.students.add("2001")
    site.exams.add("NEW1000-H26")
    site.students.set("1001", family="Nyttnavn")
    site.exams.set(TEST, name="Noe annet")
    assert run(Kind.CANDIDATE) == []
    assert sorted(run(Kind.LEARNER)) == ["POST student s1001", "POST student s2001"]
    assert len(run(Kind.TEST)) == 2


def test_it_removes_candidates_but_neither_releases_learners_nor_withdraws_tests(
    site: Site, run: Callable[..., list[str]]
) -> None:
    settled(site)
    site.students.drop("1012")
    site.registrations.drop(f"{TEST} 1012")
    assert run(Kind.CANDIDATE) == [f"DELETE candidates {TEST}"]
    assert "release learner 1012" in site.planned()
    assert run(Kind.LEARNER) == []
    # only where the candidates are read, too, it is sure that nobody names the learner
    assert "release learner 1012" in site.planned()


def test_kinds_that_are_not_read_lose_nothing_and_keep_their_baseline(
    site: Site, run: Callable[..., list[str]]
) -> None:
    settled(site)
    for source in site.config["sources"].values():
        source["completeness"]["shrink"] = {"at_least": 1, "percent": 1}
    for number in numbers(1003, 6):
        site.registrations.drop(f"{TEST} {number}")
    assert run(Kind.LEARNER) == []
    assert run(Kind.TEST) == []
    assert (
        site.apply().status == 4
    )  # the candidates' source has shrunk: no other run has taken that for right


def test_what_was_refused_or_is_open_for_other_kinds_is_not_forgotten(
    site: Site, run: Callable[..., list[str]]
) -> None:
    settled(site)
    site.students.add("2001")
    site.sandbox.control(
        fail=[{"method": "POST", "path": "/api/v1/users/student", "status": 400, "times": 1}]
    )
    assert site.apply().status == 1
    assert run(Kind.CANDIDATE) == []
    assert run(Kind.LEARNER) == []  # it rests, as before
