"""Rules 26: A plan writes nothing. It works with a database role that may only SELECT and create
temporary tables.
"""

import os
import sqlite3
import stat
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from sync.commands import plan

from ..support.university import TEST, University, names, numbers


def everything(folder: Path) -> dict[str, bytes]:
    """Every file of a folder with its bytes."""
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def execute(state: Path, *statements: str) -> None:
    """Changes a state behind the tool's back."""
    connection = sqlite3.connect(state)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.fixture
def used(university: University) -> University:
    """A state with something in it, and changes to plan."""
    university.register(TEST, *numbers(1001, 5))
    university.apply_once()
    university.registrations.drop(f"{TEST} 1001")
    university.students.set("1002", family="Øvelsesenius")
    return university


@pytest.mark.parametrize(
    "words", [["plan"], ["plan", "--json"], ["check"], ["status"], ["sync", "--dry-run"]]
)
def test_commands_that_only_look_change_no_byte_and_make_no_call(
    used: University, words: list[str]
) -> None:
    used.write()
    before = everything(used.folder)
    used.run(*words)
    assert everything(used.folder) == before
    assert used.calls() == []


@pytest.mark.parametrize("words", [["plan"], ["check"], ["status"]])
def test_a_missing_state_is_an_empty_one_and_is_not_made(
    university: University, words: list[str]
) -> None:
    university.register(TEST, "1001")
    university.write()
    before = everything(university.folder)
    ran = university.run(*words)
    assert ran.status == 0, ran.output
    assert everything(university.folder) == before


def test_a_state_in_a_folder_that_is_not_there_can_be_planned_and_then_made(
    university: University,
) -> None:
    university.config["state"] = "sqlite:///var/lib/state.db"
    university.register(TEST, "1001")
    assert university.plan().status == 0
    assert not (university.folder / "var").exists()
    university.apply_cleanly()
    assert (university.folder / "var" / "lib" / "state.db").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_state_that_may_only_be_read_can_be_planned_and_not_applied(used: University) -> None:
    home = used.folder / "home"
    home.mkdir()
    used.state.rename(home / "state.db")
    used.config["state"] = "sqlite:///home/state.db"
    (home / "state.db").chmod(0o400)
    home.chmod(0o500)
    try:
        assert f"remove candidate {TEST}/1001" in used.planned()
        assert used.apply().status == 2
    finally:
        home.chmod(0o700)


def test_a_state_without_its_schema_is_planned_from_a_copy_and_given_it_by_apply(
    used: University,
) -> None:
    with closing(sqlite3.connect(used.state)) as state:
        names = [
            name for (name,) in state.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
    execute(used.state, *(f"DROP TABLE {name}" for name in names))
    used.state.with_name("state.db.high-water").unlink()
    used.write()
    before = everything(used.folder)
    ran = used.plan()
    assert ran.status == 0
    assert "create learner 1001" in ran.out
    assert everything(used.folder) == before
    ran = used.apply()
    assert ran.status == 3
    assert "this looks like a lost state" in ran.out


def test_a_plan_next_to_a_running_apply_sees_what_it_has_committed(used: University) -> None:
    running = sqlite3.connect(used.state)
    running.execute(
        "UPDATE known_learner SET last_name = 'Øvelsesenius', fingerprint = NULL WHERE key = '1002'"
    )
    running.commit()
    try:
        assert used.planned() == [f"remove candidate {TEST}/1001"]
    finally:
        running.close()


def test_a_plan_over_which_the_state_was_written_says_so_and_exits_75(
    used: University, monkeypatch: pytest.MonkeyPatch
) -> None:
    def written_meanwhile() -> datetime:
        execute(
            used.state, "UPDATE known_learner SET last_name = 'Øvelsesenius' WHERE key = '1003'"
        )
        return used.time

    monkeypatch.setattr(plan, "now", written_meanwhile)
    ran = used.plan()
    assert ran.status == 75
    assert "state.db: the state was written while it was read" in ran.err
    assert used.calls() == []


@pytest.mark.parametrize("command", ["plan", "apply", "adopt", "status"])
def test_a_newer_state_is_refused_and_left_as_it_is(used: University, command: str) -> None:
    execute(used.state, "UPDATE alembic_version SET version_num = '9999_of_tomorrow'")
    before = used.state.read_bytes()
    ran = used.run(command)
    assert ran.status == 2
    assert "newer version" in ran.err
    assert used.state.read_bytes() == before
    assert used.calls() == []


def test_a_file_that_is_no_state_is_named_and_left_as_it_is(used: University) -> None:
    used.state.write_bytes(b"these are not the bytes of a database" * 100)
    for command in ("plan", "apply"):
        ran = used.run(command)
        assert ran.status == 2
        assert "state.db: the state cannot be used" in ran.err
    assert used.state.read_bytes().startswith(b"these are not")


def test_a_state_is_readable_by_its_owner_alone(university: University) -> None:
    before = os.umask(0)
    try:
        university.register(TEST, "1001")
        university.apply_cleanly()
    finally:
        os.umask(before)
    for file in university.folder.glob("state.db*"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


def test_a_plan_says_what_only_apply_can_check(university: University) -> None:
    university.register(TEST, "1001")
    assert "Checked at apply, when Inspera can be read:" in university.plan().out


def test_what_apply_did_is_what_plan_said(used: University) -> None:
    planned = used.planned("pass")
    assert set(planned) == {f"remove candidate {TEST}/1001", "update learner 1002"}
    used.apply_cleanly()
    assert sorted(used.writes()) == sorted(
        [
            f"DELETE /v1/test/{used.tests()[TEST]['assessmentRunId']}/candidates",
            "POST /v1/users/student",
        ]
    )
    assert set(used.candidates()) == names(numbers(1002, 4))
    assert used.planned() == []


def test_sync_is_understood_as_apply(used: University) -> None:
    assert used.run("sync").status == 0
    assert set(used.candidates()) == names(numbers(1002, 4))
