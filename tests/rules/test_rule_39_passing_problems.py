"""Rules 39: Temporary problems are retried. A state that is locked, full or unreachable is reported
and tried again.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sync.state.sqlite import open as database

from ..support.disks import Disk, small_disk
from ..support.university import TEST, University, numbers
from .state_problems import FULL, goes_on, says


@pytest.fixture
def disk(university: University, tmp_path: Path) -> Iterator[Disk]:
    """A disk for the state alone."""
    with small_disk(tmp_path / "disk", "16m") as disk:
        university.config["state"] = f"sqlite:///{disk.folder}/state.db"
        yield disk


def test_a_full_disk_is_4_and_nothing_is_sent(disk: Disk, used: University) -> None:
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
    disk: Disk, used: University
) -> None:
    used.meanwhile = disk.fill
    used.register(TEST, *numbers(1009, 400))
    ran = used.apply()
    says(ran, 4, f"the state {FULL}", "Stopped: the state failed, so nothing more is sent.")
    assert len(used.sent()) < 380
    disk.free()
    used.status()
    assert used.apply().status == 0
    (test,) = used.sandbox.contents()["tests"]
    assert (len(test["candidates"]), test["templates_sent"]) == (408, 1)
    assert used.status()["unsettled"] == 0


def test_a_disk_that_is_full_for_the_first_run_is_4(disk: Disk, university: University) -> None:
    university.register(TEST, "1001")
    disk.fill()
    says(university.run("apply"), 4, f"the state {FULL}")
    disk.free()
    assert university.run("apply").status == 0


def test_a_file_system_that_only_reads_is_4_and_plans_go_on(disk: Disk, used: University) -> None:
    disk.read_only(True)
    says(used.run("apply"), 4, "its file system is read-only; make the file system of")
    says(used.run("pause"), 4, "its file system is read-only")
    assert used.plan().status == 0
    disk.read_only(False)
    goes_on(used)


def test_a_database_that_has_reached_its_size_is_4_where_no_disk_can_be_filled(
    used: University, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = database._claim_file

    def limited(raw: sqlite3.Connection, wait: Callable[[str], bool] | None) -> None:
        claim(raw, wait)
        (pages,) = raw.execute("PRAGMA page_count").fetchone()
        used.meanwhile = lambda: raw.execute(f"PRAGMA max_page_count={pages}")

    used.register(TEST, *numbers(1009, 400))
    with monkeypatch.context() as patched:
        patched.setattr(database, "_claim_file", limited)
        ran = used.apply()
    says(ran, 4, "the disk is full", "Stopped: the state failed, so nothing more is sent.")
    used.meanwhile = None
    assert used.apply().status == 0
    (test,) = used.sandbox.contents()["tests"]
    assert (len(test["candidates"]), test["templates_sent"]) == (408, 1)


@pytest.mark.parametrize("command", ["check", "plan", "apply", "status"])
def test_a_file_that_is_no_state_is_still_2(used: University, command: str) -> None:
    for file in used.folder.glob("state.db*"):
        file.unlink()
    used.state.write_bytes(b"these are not the bytes of a database" * 100)
    says(
        used.run(command),
        2,
        "state.db: the state cannot be used (DatabaseError: file is not a database)",
    )


def test_a_folder_in_the_place_of_the_state_is_2(university: University) -> None:
    university.state.mkdir()
    for command in ("plan", "apply"):
        says(university.run(command), 2, "state.db: cannot be written (Is a directory)")


# what `status` calls runs without an end
def test_a_run_that_was_killed_is_called_so(used: University) -> None:
    with closing(sqlite3.connect(used.state, isolation_level=None)) as state:
        state.execute("UPDATE run SET ended = NULL, exit_status = NULL, status = 'running'")
    assert "apply: killed before its end" in used.run("status").out
    assert [run["status"] for run in used.status()["runs"]] == ["killed"]


def test_a_run_that_is_under_way_is_shown_with_its_process(used: University) -> None:
    printed: list[str] = []
    statuses: list[list[str]] = []

    def look() -> None:
        printed.append(used.run("status").out)
        statuses.append([run["status"] for run in used.status()["runs"]])

    used.meanwhile = look
    ran = used.apply()
    assert printed, ran.output
    assert "apply: running now: pid " in printed[0]
    assert statuses == [["running", "done"]]
