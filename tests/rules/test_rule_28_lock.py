"""Rules 28: The lock is held per run. A second command ends with 75, or waits with `--wait`."""

import fcntl
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from sync.state.sqlite import open as database

from ..support.university import TEST, University
from .state_problems import HELD, goes_on, says


@pytest.mark.parametrize("command", ["apply", "adopt"])
def test_75_when_another_process_holds_the_state_while_plans_and_statuses_go_on(
    used: University, command: str
) -> None:
    used.register(TEST, "1099")
    with (used.folder / "state.db.lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ran = used.run(command)
        assert ran.status == 75
        assert "the state is in use by" in ran.err
        assert used.calls() == []
        assert used.plan().status == 0
        assert used.run("status").status == 0
    assert used.run(command).status == 0


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for another program."""
    monkeypatch.setattr(database, "PATIENCE", 0.2)
    monkeypatch.setattr(database, "FIRST_PATIENCE", 0.2)


@pytest.fixture
def other(used: University) -> Iterator[sqlite3.Connection]:
    """Another program, which has opened the state's file."""
    with closing(
        sqlite3.connect(used.state, isolation_level=None, check_same_thread=False)
    ) as connection:
        yield connection


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("command", ["apply", "adopt", "reconcile"])
def test_75_when_another_program_holds_the_state_in_other_words_than_for_a_run(
    used: University, other: sqlite3.Connection, command: str
) -> None:
    other.execute("BEGIN IMMEDIATE")
    ran = used.run(command)
    says(
        ran,
        75,
        f"{used.state}: {HELD}; let that program finish, or end it: `fuser {used.state}` shows which one",
    )
    assert "in use by" not in ran.output
    assert used.calls() == []
    assert used.plan().status == 0  # who only reads is in nobody's way
    other.execute("ROLLBACK")
    goes_on(used)


@pytest.mark.usefixtures("hasty")
def test_with_wait_another_program_is_waited_for(
    used: University, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
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
    used: University, other: sqlite3.Connection
) -> None:
    used.meanwhile = lambda: other.execute("BEGIN IMMEDIATE")
    ran = used.apply()
    says(ran, 75, HELD, "Stopped: the state failed, so nothing more is sent.")
    assert 0 < len(used.sent()) <= 2
    other.execute("ROLLBACK")
    goes_on(used)
