"""Yesterday's copy of the state: it is noticed, nothing is sent, and what was ours is ours again afterwards."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from .manual_edits import put_candidate
from .site import OTHER, TEST, Site, names, numbers

HIGH_WATER = "state.db.high-water"


def copied(site: Site) -> Path:
    """A whole copy of the state, as SQLite's own backup makes it."""
    target = site.folder / f"copy-{len(list(site.folder.glob('copy-*')))}.db"
    with closing(sqlite3.connect(site.state)) as state, closing(sqlite3.connect(target)) as copy:
        state.backup(copy)
    return target


def put_back(site: Site, copy: Path, *, elsewhere: bool = False) -> None:
    """Puts a copy in place as the guide says it; `elsewhere` is a new machine, which knows of no run."""
    for file in site.folder.glob("state.db*"):
        if file.name != "state.db.key" and (elsewhere or file.name != HIGH_WATER):
            file.unlink()
    shutil.copy(copy, site.state)


@pytest.fixture
def yesterday(site: Site) -> Path:
    """The copy of a state with three learners on a test; since then one went, one came, and one got extra time."""
    site.seat(TEST, *numbers(1001, 3))
    site.seat(OTHER, "1001")
    site.settled()
    copy = copied(site)
    site.at("2026-09-02T08:00")
    site.registrations.drop(f"{TEST} 1001")
    site.seat(TEST, "1004")
    site.registrations.set(f"{TEST} 1002", extra="30")
    site.settled()
    site.at("2026-09-03T08:00")
    return copy


def test_nothing_is_sent_from_an_older_copy_and_every_command_says_so(
    site: Site, yesterday: Path
) -> None:
    put_back(site, yesterday)
    for ran in (site.plan(), site.apply(), site.plan(), site.apply("--all")):
        assert ran.status == 3
        assert "this state may be older than what was sent" in ran.out
        assert "run `adopt --managed`" in ran.out
        assert "then `reconcile`" in ran.out
        assert site.calls() == []
    assert "this state may be older than what was sent" in site.run("status").out
    assert site.status()["older_copy"]
    doctor = site.run("doctor", "--offline")
    assert doctor.status == 3
    assert "this state may be older" in doctor.out


def test_plan_says_it_before_anything_has_written_the_copy(site: Site, yesterday: Path) -> None:
    put_back(site, yesterday)
    before = site.state.read_bytes()
    ran = site.plan()
    assert ran.status == 3
    assert (
        "its newest run is 1 of 2026-09-01T08:00:00Z, but run 2 of 2026-09-02T08:00:00Z was made here"
        in ran.out
    )
    assert site.state.read_bytes() == before


def test_the_guide_gives_back_all_that_was_ours(site: Site, yesterday: Path) -> None:
    put_back(site, yesterday)
    assert site.adopt("--managed").status == 0
    ran = site.reconcile()
    assert "Recovered" in ran.out
    site.settled()
    assert site.planned() == []
    assert set(site.seats()) == names(["1002", "1003", "1004"])
    site.registrations.drop(f"{TEST} 1004")
    site.settled()
    assert set(site.seats()) == names(["1002", "1003"])


def test_reconcile_alone_does_not_let_what_is_ours_become_theirs(
    site: Site, yesterday: Path
) -> None:
    put_back(site, yesterday)
    ran = site.reconcile()
    assert ran.status == 3
    assert "the sources name 1 records that it does not know" in ran.out
    assert site.apply().status == 3
    assert site.writes() == []


def test_where_nothing_came_since_reconcile_is_enough(site: Site) -> None:
    site.seat(TEST, *numbers(1001, 3))
    site.settled()
    copy = copied(site)
    site.at("2026-09-02T08:00")
    site.registrations.set(f"{TEST} 1002", extra="30")
    site.settled()
    put_back(site, copy)
    assert site.apply().status == 3
    assert "Recovered" in site.reconcile().out
    site.settled()
    assert site.planned() == []


def test_a_reconcile_that_could_not_read_all_does_not_count(site: Site, yesterday: Path) -> None:
    put_back(site, yesterday)
    site.adopt("--managed")
    site.config["inspera"]["attempts"] = 1
    site.fail(method="GET", path="*/candidates", status=500)
    ran = site.reconcile()
    assert "Held: not recovered: " in ran.out
    site.heal()
    assert site.apply().status == 3
    assert site.writes() == []
    site.fail(method="GET", path="*/candidates", status=500)
    assert "Recovered" in site.reconcile("--accept-unread").out


def test_a_copy_on_a_new_machine_may_be_an_old_one(site: Site, yesterday: Path) -> None:
    put_back(site, yesterday, elsewhere=True)
    assert site.plan().status == 3
    ran = site.apply()
    assert ran.status == 3
    assert "the record of its newest run, which is kept apart from it, is missing" in ran.out


def test_a_state_that_is_moved_whole_goes_on(site: Site) -> None:
    site.seat(TEST, "1001")
    site.settled()
    copy = copied(site)
    put_back(site, copy)
    site.seat(TEST, "1002")
    site.settled()


def test_a_second_copy_is_noticed_as_well_and_so_is_the_same_one_again(
    site: Site, yesterday: Path
) -> None:
    put_back(site, yesterday)
    site.adopt("--managed")
    site.reconcile()
    site.settled()
    for _ in range(3):
        put_back(site, yesterday)
        assert site.apply().status == 3
        assert site.writes() == []


def test_a_copy_from_the_middle_of_the_newest_run_is_noticed(site: Site) -> None:
    site.seat(TEST, *numbers(1001, 3))
    taken: list[Path] = []
    site.meanwhile = lambda: taken.append(copied(site))
    site.settled()
    put_back(site, taken[0])
    ran = site.apply()
    assert ran.status == 3
    assert "it does not know the end of run 1" in ran.out


def test_another_history_of_the_same_length_is_noticed(site: Site) -> None:
    site.seat(TEST, "1001")
    site.settled()
    copy = copied(site)
    shutil.copy(site.folder / HIGH_WATER, site.folder / "mark")
    site.at("2026-09-02T08:00")
    site.seat(TEST, "1002")
    site.settled()
    here = copied(site)
    put_back(site, copy)
    shutil.copy(site.folder / "mark", site.folder / HIGH_WATER)
    site.at("2026-09-03T08:00")
    assert site.apply().status == 0  # somebody put the mark back, too, and went on from there
    put_back(site, here)
    assert site.apply().status == 3


def test_a_mark_that_is_damaged_counts_as_missing(site: Site) -> None:
    site.seat(TEST, "1001")
    site.settled()
    (site.folder / HIGH_WATER).write_text("{")
    assert site.plan().status == 3


def test_an_empty_state_where_runs_were_made_is_held_too(site: Site, yesterday: Path) -> None:
    site.state.unlink()
    ran = site.apply()
    assert ran.status == 3
    assert (
        "lost state: it is empty, but run 2 of 2026-09-02T08:00:00Z was made with it here"
        in ran.out
    )
    told = site.adopt("--managed")
    assert told.status == 0
    assert "Recovered" in told.out
    site.settled()
    site.registrations.drop(f"{TEST} 1004")
    site.settled()
    assert "s1004" not in site.seats()


def test_a_seat_that_was_theirs_stays_theirs_whatever_copy_is_put_back(site: Site) -> None:
    site.seat(TEST, *numbers(1001, 3))
    site.students.add("1009")
    site.settled()
    put_candidate(site, "1009")
    site.registrations.add(f"{TEST} 1009")
    site.settled()
    copy = copied(site)
    site.at("2026-09-02T08:00")
    site.registrations.drop(f"{TEST} 1009")
    assert "1 candidate stays, put there by hand" in site.settled().out
    put_back(site, copy)
    site.adopt("--managed")
    site.reconcile()
    site.settled()
    assert "s1009" in site.seats()
