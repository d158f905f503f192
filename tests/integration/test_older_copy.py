"""Yesterday's copy of the state: it is noticed, nothing is sent, and what was ours is ours again afterwards."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ..support.manual_edits import put_candidate
from ..support.university import OTHER, TEST, University, names, numbers

HIGH_WATER = "state.db.high-water"


def copied(university: University) -> Path:
    """A whole copy of the state, as SQLite's own backup makes it."""
    target = university.folder / f"copy-{len(list(university.folder.glob('copy-*')))}.db"
    with (
        closing(sqlite3.connect(university.state)) as state,
        closing(sqlite3.connect(target)) as copy,
    ):
        state.backup(copy)
    return target


def put_back(university: University, copy: Path, *, elsewhere: bool = False) -> None:
    """Puts a copy in place as the guide says it; `elsewhere` is a new machine, which knows of no run."""
    for file in university.folder.glob("state.db*"):
        if file.name != "state.db.key" and (elsewhere or file.name != HIGH_WATER):
            file.unlink()
    shutil.copy(copy, university.state)


@pytest.fixture
def yesterday(university: University) -> Path:
    """The copy of a state with three learners on a test; since then one went, one came, and one got extra time."""
    university.register(TEST, *numbers(1001, 3))
    university.register(OTHER, "1001")
    university.apply_once()
    copy = copied(university)
    university.at("2026-09-02T08:00")
    university.registrations.drop(f"{TEST} 1001")
    university.register(TEST, "1004")
    university.registrations.set(f"{TEST} 1002", extra="30")
    university.apply_cleanly()
    university.at("2026-09-03T08:00")
    return copy


def test_nothing_is_sent_from_an_older_copy_and_every_command_says_so(
    university: University, yesterday: Path
) -> None:
    put_back(university, yesterday)
    for ran in (
        university.plan(),
        university.apply(),
        university.plan(),
        university.apply("--all"),
    ):
        assert ran.status == 3
        assert "this state may be older than what was sent" in ran.out
        assert "run `adopt --managed`" in ran.out
        assert "then `reconcile`" in ran.out
        assert university.calls() == []
    assert "this state may be older than what was sent" in university.run("status").out
    assert university.status()["older_copy"]
    doctor = university.run("doctor", "--offline")
    assert doctor.status == 3
    assert "this state may be older" in doctor.out


def test_plan_says_it_before_anything_has_written_the_copy(
    university: University, yesterday: Path
) -> None:
    put_back(university, yesterday)
    before = university.state.read_bytes()
    ran = university.plan()
    assert ran.status == 3
    assert (
        "its newest run is 1 of 2026-09-01T08:00:00Z, but run 2 of 2026-09-02T08:00:00Z was made here"
        in ran.out
    )
    assert university.state.read_bytes() == before


def test_the_guide_gives_back_all_that_was_ours(university: University, yesterday: Path) -> None:
    put_back(university, yesterday)
    assert university.adopt("--managed").status == 0
    ran = university.reconcile()
    assert "Recovered" in ran.out
    university.apply_cleanly()
    assert university.planned() == []
    assert set(university.candidates()) == names(["1002", "1003", "1004"])
    university.registrations.drop(f"{TEST} 1004")
    university.apply_cleanly()
    assert set(university.candidates()) == names(["1002", "1003"])


def test_reconcile_alone_does_not_let_what_is_ours_become_theirs(
    university: University, yesterday: Path
) -> None:
    put_back(university, yesterday)
    ran = university.reconcile()
    assert ran.status == 3
    assert "the sources name 1 records that it does not know" in ran.out
    assert university.apply().status == 3
    assert university.writes() == []


def test_where_nothing_came_since_reconcile_is_enough(university: University) -> None:
    university.register(TEST, *numbers(1001, 3))
    university.apply_once()
    copy = copied(university)
    university.at("2026-09-02T08:00")
    university.registrations.set(f"{TEST} 1002", extra="30")
    university.apply_cleanly()
    put_back(university, copy)
    assert university.apply().status == 3
    assert "Recovered" in university.reconcile().out
    university.apply_cleanly()
    assert university.planned() == []


def test_a_reconcile_that_could_not_read_all_does_not_count(
    university: University, yesterday: Path
) -> None:
    put_back(university, yesterday)
    university.adopt("--managed")
    university.config["inspera"]["attempts"] = 1
    university.fail(method="GET", path="*/candidates", status=500)
    ran = university.reconcile()
    assert "Held: not recovered: " in ran.out
    university.stop_failing()
    assert university.apply().status == 3
    assert university.writes() == []
    university.fail(method="GET", path="*/candidates", status=500)
    assert "Recovered" in university.reconcile("--accept-unread").out


def test_a_copy_on_a_new_machine_may_be_an_old_one(university: University, yesterday: Path) -> None:
    put_back(university, yesterday, elsewhere=True)
    assert university.plan().status == 3
    ran = university.apply()
    assert ran.status == 3
    assert "the record of its newest run, which is kept apart from it, is missing" in ran.out


def test_a_state_that_is_moved_whole_goes_on(university: University) -> None:
    university.register(TEST, "1001")
    university.apply_once()
    copy = copied(university)
    put_back(university, copy)
    university.register(TEST, "1002")
    university.apply_cleanly()


def test_a_second_copy_is_noticed_as_well_and_so_is_the_same_one_again(
    university: University, yesterday: Path
) -> None:
    put_back(university, yesterday)
    university.adopt("--managed")
    university.reconcile()
    university.apply_cleanly()
    for _ in range(3):
        put_back(university, yesterday)
        assert university.apply().status == 3
        assert university.writes() == []


def test_a_copy_from_the_middle_of_the_newest_run_is_noticed(university: University) -> None:
    university.register(TEST, *numbers(1001, 3))
    taken: list[Path] = []
    university.meanwhile = lambda: taken.append(copied(university))
    university.apply_cleanly()
    put_back(university, taken[0])
    ran = university.apply()
    assert ran.status == 3
    assert "it does not know the end of run 1" in ran.out


def test_another_history_of_the_same_length_is_noticed(university: University) -> None:
    university.register(TEST, "1001")
    university.apply_once()
    copy = copied(university)
    shutil.copy(university.folder / HIGH_WATER, university.folder / "mark")
    university.at("2026-09-02T08:00")
    university.register(TEST, "1002")
    university.apply_cleanly()
    here = copied(university)
    put_back(university, copy)
    shutil.copy(university.folder / "mark", university.folder / HIGH_WATER)
    university.at("2026-09-03T08:00")
    assert university.apply().status == 0  # somebody put the mark back, too, and went on from there
    put_back(university, here)
    assert university.apply().status == 3


def test_a_mark_that_is_damaged_counts_as_missing(university: University) -> None:
    university.register(TEST, "1001")
    university.apply_once()
    (university.folder / HIGH_WATER).write_text("{")
    assert university.plan().status == 3


def test_an_empty_state_where_runs_were_made_is_held_too(
    university: University, yesterday: Path
) -> None:
    university.state.unlink()
    ran = university.apply()
    assert ran.status == 3
    assert (
        "lost state: it is empty, but run 2 of 2026-09-02T08:00:00Z was made with it here"
        in ran.out
    )
    told = university.adopt("--managed")
    assert told.status == 0
    assert "Recovered" in told.out
    university.apply_cleanly()
    university.registrations.drop(f"{TEST} 1004")
    university.apply_cleanly()
    assert "s1004" not in university.candidates()


def test_a_seat_that_was_theirs_stays_theirs_whatever_copy_is_put_back(
    university: University,
) -> None:
    university.register(TEST, *numbers(1001, 3))
    university.students.add("1009")
    university.apply_once()
    put_candidate(university, "1009")
    university.registrations.add(f"{TEST} 1009")
    university.apply_cleanly()
    copy = copied(university)
    university.at("2026-09-02T08:00")
    university.registrations.drop(f"{TEST} 1009")
    assert "1 candidate stays, put there by hand" in university.apply_cleanly().out
    put_back(university, copy)
    university.adopt("--managed")
    university.reconcile()
    university.apply_cleanly()
    assert "s1009" in university.candidates()
