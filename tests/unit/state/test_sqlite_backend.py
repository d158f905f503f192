"""A state in a file as a whole: waiting for it, pausing it, and the one service that it takes."""

import stat
import subprocess
import sys
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sync.errors import Locked, StateError
from sync.state.backend import Backend, Pause
from sync.state.migrations import head
from sync.state.open import backend_for

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def state(path: Path) -> Backend:
    return backend_for(f"sqlite:///{path}")


def test_a_state_is_named_by_its_file(state: Backend, path: Path) -> None:
    assert str(state) == str(path)


def test_anyone_who_waits_is_reported_the_holder_and_gets_the_lock(state: Backend) -> None:
    told: list[str] = []
    with ExitStack() as running:
        running.enter_context(state.open_to_write("apply"))
        assert state.holder().endswith("(apply)")

        def wait(holder: str) -> bool:
            told.append(holder)
            if len(told) == 2:
                running.close()
            return True

        with state.open_to_write("adopt", wait):
            assert [one.endswith("(apply)") for one in told] == [True, True]
            assert state.holder().endswith("(adopt)")
    assert state.holder() == ""


def test_anyone_who_gives_up_waiting_is_reported_that_it_is_locked(state: Backend) -> None:
    with state.open_to_write("apply"), pytest.raises(Locked, match=r"in use by pid \d+ \(apply\)"):
        state.open_to_write("adopt", lambda _holder: False).__enter__()


def test_the_version_is_reported_without_changing_anything(state: Backend, path: Path) -> None:
    assert state.version() is None
    assert list(path.parent.iterdir()) == []
    with state.open_to_write("apply") as opened:
        opened.confirm()
    before = path.read_bytes()
    assert state.version() == head()
    assert path.read_bytes() == before


def test_a_pause_works_while_a_run_holds_the_state_and_stays(state: Backend, path: Path) -> None:
    assert state.paused() is None
    with state.open_to_write("apply"):
        state.pause("Øvelse", NOW)
        assert state.paused() == Pause("2026-11-23T08:00:00Z", "Øvelse")
    again = backend_for(f"sqlite:///{path}")
    assert again.paused() == Pause("2026-11-23T08:00:00Z", "Øvelse")
    again.pause("another", NOW)
    assert state.paused() == Pause("2026-11-23T08:00:00Z", "another")
    assert (state.resume(), state.resume(), state.paused()) == (True, False, None)


def test_a_pause_is_its_owners_alone(state: Backend, path: Path) -> None:
    state.pause("", NOW)
    (file,) = path.parent.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "{}", "[1]", "null", "\udcff"])
def test_a_pause_that_cannot_be_understood_is_one(state: Backend, path: Path, content: str) -> None:
    path.with_name("state.db.paused").write_text(content, "utf-8", "surrogateescape")
    paused = state.paused()
    assert paused is not None
    assert paused.reason == f"{path}.paused can't be read"


def test_a_pause_that_cannot_be_noted_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    state = backend_for(f"sqlite:///{tmp_path}/file/state.db")
    with pytest.raises(
        StateError, match=r"state\.db\.paused: cannot be written \(.+\); let this user write there"
    ):
        state.pause("", NOW)


def test_a_state_takes_one_service_which_leads_and_leaves_it_to_runs(state: Backend) -> None:
    with state.service() as service:
        assert (service.try_lead(), service.leads()) == (True, True)
        with pytest.raises(
            Locked, match=r"another service runs on this state: pid \d+ \(serve\); stop it first"
        ):
            state.service().__enter__()
        with state.open_to_write("apply"):
            assert service.leads()
    with state.service():
        pass


@pytest.mark.process
def test_a_service_that_is_killed_makes_room(state: Backend, path: Path) -> None:
    script = (
        "import os, sys; from sync.state.open import backend_for\n"
        "with backend_for(sys.argv[1]).service(): print('there', flush=True); os.kill(os.getpid(), "
        "9)"
    )
    killed = subprocess.run(
        [sys.executable, "-c", script, f"sqlite:///{path}"], check=False, stdout=subprocess.PIPE
    )
    assert (killed.returncode, killed.stdout) == (-9, b"there\n")
    with state.service():
        pass


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("strpos('æåø', 'ø')", 3),
        ("strpos('æåø', 'x')", 0),
        ("strpos(NULL, 'x')", None),
        ("strpos('x', NULL)", None),
        ("greatest('2026-11-23', '2026-11-24')", "2026-11-24"),
        ("greatest(3, 2)", 3),
        ("greatest(NULL, 'a')", "a"),
        ("greatest(NULL, NULL)", None),
    ],
)
def test_functions_mean_what_they_mean_on_postgresql(
    state: Backend, sql: str, value: object
) -> None:
    with (
        state.open_to_read() as connection,
        closing(connection.execute(text(f"SELECT {sql}"))) as result,
    ):
        assert result.scalar() == value
