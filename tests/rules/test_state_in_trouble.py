"""A state that can't be used just now: what the command says, what it sends, and how the next one goes on."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sync.state.sqlite import open as database

from ..support.disks import Disk, small_disk
from .site import TEST, Ran, Site, numbers

HELD, FULL = (
    "the state can't be used just now: another program holds it",
    "can't be used just now: the disk is full",
)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for another program."""
    monkeypatch.setattr(database, "PATIENCE", 0.2)
    monkeypatch.setattr(database, "FIRST_PATIENCE", 0.2)


@pytest.fixture
def used(site: Site) -> Site:
    """Five learners on one test, all in Inspera, and three more to come."""
    site.seat(TEST, *numbers(1001, 5))
    site.settled()
    site.seat(TEST, *numbers(1006, 3))
    site.config["inspera"]["workers"] = 1
    return site


@pytest.fixture
def other(used: Site) -> Iterator[sqlite3.Connection]:
    """Another program, which has opened the state's file."""
    with closing(
        sqlite3.connect(used.state, isolation_level=None, check_same_thread=False)
    ) as connection:
        yield connection


def goes_on(site: Site) -> None:
    """The next run brings everything into Inspera, and makes nothing twice."""
    ran = site.apply()
    assert ran.status == 0, ran.said
    assert {row["username"] for row in site.sandbox.contents()["students"]} == {
        f"s{n}" for n in numbers(1001, 8)
    }
    (test,) = site.sandbox.contents()["tests"]
    assert (len(test["candidates"]), test["templates_sent"]) == (8, 1)
    assert site.status()["unsettled"] == 0


def says(ran: Ran, status: int, *words: str) -> None:
    assert ran.status == status, ran.said
    assert [word for word in words if word not in ran.said] == []
    assert "Traceback" not in ran.said


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("command", ["apply", "adopt", "reconcile"])
def test_75_when_another_program_holds_the_state_in_other_words_than_for_a_run(
    used: Site, other: sqlite3.Connection, command: str
) -> None:
    other.execute("BEGIN IMMEDIATE")
    ran = used.run(command)
    says(
        ran,
        75,
        f"{used.state}: {HELD}; let that program finish, or end it: `fuser {used.state}` shows which one",
    )
    assert "in use by" not in ran.said
    assert used.calls() == []
    assert used.plan().status == 0  # who only reads is in nobody's way
    other.execute("ROLLBACK")
    goes_on(used)


@pytest.mark.usefixtures("hasty")
def test_with_wait_another_program_is_waited_for(
    used: Site, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    other.execute("BEGIN IMMEDIATE")
    waited: list[str] = []

    def waits(_interruption: object) -> Callable[[str], bool]:
        def wait(holder: str) -> bool:
            waited.append(holder)
            other.execute("ROLLBACK")
            return True

        return wait

    monkeypatch.setattr("sync.cli.lock_waiter", waits)
    assert used.apply("--wait").status == 0
    assert waited == ["another program"]


@pytest.mark.usefixtures("hasty")
def test_a_state_that_another_program_takes_in_the_middle_of_a_run_ends_it_with_75(
    used: Site, other: sqlite3.Connection
) -> None:
    used.meanwhile = lambda: other.execute("BEGIN IMMEDIATE")
    ran = used.apply()
    says(ran, 75, HELD, "Stopped: the state failed, so nothing more is sent.")
    assert 0 < len(used.sent()) <= 2
    other.execute("ROLLBACK")
    goes_on(used)


@pytest.fixture
def disk(site: Site, tmp_path: Path) -> Iterator[Disk]:
    """A disk for the state alone."""
    with small_disk(tmp_path / "disk", "16m") as disk:
        site.config["state"] = f"sqlite:///{disk.folder}/state.db"
        yield disk


def test_a_full_disk_is_4_and_nothing_is_sent(disk: Disk, used: Site) -> None:
    disk.fill()
    for command in ("apply", "adopt", "reconcile"):
        says(
            used.run(command),
            4,
            f"{disk.folder}/state.db: the state {FULL}; free some space on the disk of",
        )
        assert used.calls() == []
    disk.free()
    goes_on(used)


def test_a_disk_that_is_full_in_the_middle_of_a_run_ends_it_and_nothing_more_is_sent(
    disk: Disk, used: Site
) -> None:
    used.meanwhile = disk.fill
    used.seat(TEST, *numbers(1009, 400))
    ran = used.apply()
    says(ran, 4, f"the state {FULL}", "Stopped: the state failed, so nothing more is sent.")
    assert len(used.sent()) < 380
    disk.free()
    used.status()
    assert used.apply().status == 0
    (test,) = used.sandbox.contents()["tests"]
    assert (len(test["candidates"]), test["templates_sent"]) == (408, 1)
    assert used.status()["unsettled"] == 0


def test_a_disk_that_is_full_for_the_first_run_is_4(disk: Disk, site: Site) -> None:
    site.seat(TEST, "1001")
    disk.fill()
    says(site.run("apply"), 4, f"the state {FULL}")
    disk.free()
    assert site.run("apply").status == 0


def test_a_file_system_that_only_reads_is_4_and_plans_go_on(disk: Disk, used: Site) -> None:
    disk.read_only(True)
    says(used.run("apply"), 4, "its file system is read-only; make the file system of")
    says(used.run("pause"), 4, "its file system is read-only")
    assert used.plan().status == 0
    disk.read_only(False)
    goes_on(used)


def test_a_database_that_has_reached_its_size_is_4_where_no_disk_can_be_filled(
    used: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = database._claim_file

    def limited(raw: sqlite3.Connection, wait: Callable[[str], bool] | None) -> None:
        claim(raw, wait)
        (pages,) = raw.execute("PRAGMA page_count").fetchone()
        used.meanwhile = lambda: raw.execute(f"PRAGMA max_page_count={pages}")

    used.seat(TEST, *numbers(1009, 400))
    with monkeypatch.context() as patched:
        patched.setattr(database, "_claim_file", limited)
        ran = used.apply()
    says(ran, 4, "the disk is full", "Stopped: the state failed, so nothing more is sent.")
    used.meanwhile = None
    assert used.apply().status == 0
    (test,) = used.sandbox.contents()["tests"]
    assert (len(test["candidates"]), test["templates_sent"]) == (408, 1)


@pytest.mark.parametrize("command", ["check", "plan", "apply", "status"])
def test_a_file_that_is_no_state_is_still_2(used: Site, command: str) -> None:
    for file in used.folder.glob("state.db*"):
        file.unlink()
    used.state.write_bytes(b"these are not the bytes of a database" * 100)
    says(
        used.run(command),
        2,
        "state.db: the state cannot be used (DatabaseError: file is not a database)",
    )


def test_a_folder_in_the_place_of_the_state_is_2(site: Site) -> None:
    site.state.mkdir()
    for command in ("plan", "apply"):
        says(site.run(command), 2, "state.db: cannot be written (Is a directory)")


# what `status` calls runs without an end


def test_a_run_that_was_killed_is_called_so(used: Site) -> None:
    with closing(sqlite3.connect(used.state, isolation_level=None)) as state:
        state.execute("UPDATE run SET ended = NULL, exit_status = NULL, status = 'running'")
    assert "apply: killed before its end" in used.run("status").out
    assert [run["status"] for run in used.status()["runs"]] == ["killed"]


def test_a_run_that_is_under_way_is_shown_with_its_process(used: Site) -> None:
    said: list[str] = []
    statuses: list[list[str]] = []

    def look() -> None:
        said.append(used.run("status").out)
        statuses.append([run["status"] for run in used.status()["runs"]])

    used.meanwhile = look
    ran = used.apply()
    assert said, ran.said
    assert "apply: running now: pid " in said[0]
    assert statuses == [["running", "done"]]
