"""Errors of a state in a file: each has its own text, and passes by itself or not."""

import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import text
from sync.errors import StateBusy, StateUnreachable
from sync.state.backend import Backend
from sync.state.open import backend_for
from sync.state.sqlite import errors

from ...support.disks import small_disk

NOBODY = 65534
JUST_NOW = "the state can't be used just now: "


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def state(path: Path) -> Backend:
    """Return a state that exists."""
    state = backend_for(f"sqlite:///{path}")
    with state.open_to_write("apply"):
        return state


def error_of(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("in SQLite's words")
    error.sqlite_errorcode, error.sqlite_errorname = code, "SQLITE_X"
    return error


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (sqlite3.SQLITE_BUSY, "another program holds it; let that program finish"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "another program holds it; let"),
        (sqlite3.SQLITE_LOCKED, "another program holds it; let"),
        (sqlite3.SQLITE_FULL, "the disk is full (SQLITE_X); free some space on the disk of "),
        (
            sqlite3.SQLITE_IOERR_READ,
            "the disk reports an error (SQLITE_X); look into the machine's log",
        ),
        (sqlite3.SQLITE_CANTOPEN, "it can't be opened (SQLITE_X); give the user"),
        (sqlite3.SQLITE_NOMEM, "memory ran out (SQLITE_X); give the process more memory"),
        (
            sqlite3.SQLITE_READONLY_DBMOVED,
            "the file was moved or replaced while it was in use (SQLITE_X); put ",
        ),
    ],
)
def test_what_passes_has_words_of_its_own(path: Path, code: int, said: str) -> None:
    error = errors.make_error(path, error_of(code))
    assert str(error).startswith(f"{path}: {JUST_NOW}{said}")
    assert isinstance(error, StateUnreachable)
    assert isinstance(error, StateBusy) is ("another program" in said)


@pytest.mark.parametrize(
    "code", [sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR]
)
def test_what_a_person_must_mend_does_not_pass(path: Path, code: int) -> None:
    error = errors.make_error(path, error_of(code))
    assert (
        "the state cannot be used (OperationalError: in SQLite's words); check that the file"
        in str(error)
    )
    assert not isinstance(error, StateUnreachable)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EMFILE, "too many files are open; raise the limit of open files"),
        (errno.EIO, "the disk reports an error; look into"),
        (errno.ESTALE, "its network file system does not answer; mount"),
    ],
)
def test_what_the_machine_says_counts_more_than_sqlites_rough_word(
    path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    def fails(*_arguments: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("sync.state.sqlite.errors.os.statvfs", fails)
    error = errors.make_error(path, error_of(sqlite3.SQLITE_CANTOPEN))
    assert str(error).startswith(f"{path}: {JUST_NOW}{said}")


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk quota of this user is used up"),
        (errno.EROFS, "its file system is read-only"),
        (errno.EACCES, "it may not be read by this user"),
        (errno.EMFILE, "too many files are open"),
        (errno.ESTALE, "its network file system does not answer"),
    ],
)
@pytest.mark.parametrize("called", ["state.db.lock", "state.db.key", "state.db.paused"])
def test_the_files_next_to_the_state_have_the_same_words(
    path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str, called: str
) -> None:
    state, real = backend_for(f"sqlite:///{path}"), os.open

    def fails(name: object, *arguments: int) -> int:
        if str(name).endswith((called, f"{called}.new")):
            raise OSError(number, os.strerror(number))
        return real(str(name), *arguments)

    monkeypatch.setattr("os.open", fails)
    use: dict[str, Callable[[], object]] = {
        "state.db.lock": lambda: state.open_to_write("apply").__enter__(),
        "state.db.key": lambda: state.load_digest_key(write=True),
        "state.db.paused": lambda: state.pause("", datetime(2026, 11, 23, tzinfo=UTC)),
    }
    with pytest.raises(StateUnreachable, match=rf"state\.db\.\w+: {JUST_NOW}{said}; "):
        use[called]()


@contextmanager
def as_nobody() -> Iterator[None]:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def reached() -> Iterator[Path]:
    """Return a state's file in a folder that everybody may enter."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        with backend_for(f"sqlite:///{folder}/state.db").open_to_write("apply"):
            pass
        yield folder / "state.db"


@pytest.mark.parametrize(
    ("what", "mode", "said"),
    [
        (
            "file",
            0o600,
            "it may not be read by this user; give the user who runs this the right to read and "
            "write",
        ),
        ("folder", 0o700, "it may not be read by this user; give"),
    ],
)
def test_a_file_that_may_not_be_read_is_said_to_be_so_until_it_may(
    reached: Path, what: str, mode: int, said: str
) -> None:
    state, changed = (
        backend_for(f"sqlite:///{reached}"),
        reached if what == "file" else reached.parent,
    )
    changed.chmod(mode)
    for use in (
        state.check_usable,
        state.version,
        state.open_to_read().__enter__,
        state.open_to_write("apply").__enter__,
    ):
        with as_nobody(), pytest.raises(StateUnreachable, match=JUST_NOW) as caught:
            use()
        assert said in str(caught.value)
    state.check_usable()
    with state.open_to_write("apply"):
        pass


def test_a_file_that_may_not_be_written_is_said_to_be_so_and_can_be_read(reached: Path) -> None:
    state = backend_for(f"sqlite:///{reached}")
    reached.chmod(0o644)
    with as_nobody(), state.open_to_read() as connection:
        assert connection.execute(text("SELECT count(*) FROM run")).scalar() == 0
    with (
        as_nobody(),
        pytest.raises(StateUnreachable, match="it may not be written by this user; give"),
    ):
        state.check_usable()


@pytest.mark.process
def test_a_look_opens_nothing_so_that_no_lock_of_this_process_is_dropped(
    state: Backend, path: Path
) -> None:
    with state.open_to_write("apply") as opened:
        opened.connection.execute(text("DELETE FROM run"))
        state.check_usable()
        errors.make_error(path, error_of(sqlite3.SQLITE_IOERR))
        code = (
            "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('BEGIN "
            "IMMEDIATE')"
        )
        ended = subprocess.run(
            [sys.executable, "-c", code, path], capture_output=True, text=True, check=False
        )
        assert "database is locked" in ended.stderr


SCRATCH = """
import sys
from sync.state.sqlite import open as database
database.SCRATCH_CACHE_KIB = 1
from sync.cli import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.process
def test_a_full_disk_of_temporary_files_is_said_with_its_own_folder(tmp_path: Path) -> None:
    with small_disk(tmp_path / "scratch") as disk:
        rows = "".join(f"{n};s{n}@example.edu\n" for n in range(2000))
        (tmp_path / "students.csv").write_text(f"no;login\n{rows}")
        (tmp_path / "key").touch(0o600)
        (tmp_path / "key").write_text("key")
        config = tmp_path / "inspera-sync.yaml"
        config.write_text(CONFIG, encoding="utf-8")
        disk.fill()
        environment = {**os.environ, "SQLITE_TMPDIR": str(disk.folder)}
        command = [sys.executable, "-c", SCRATCH, "--config", str(config), "plan"]
        ended = subprocess.run(
            command, capture_output=True, text=True, check=False, env=environment
        )
        assert ended.returncode == 4, ended.stderr
        said = (
            f"{disk.folder}: the run's temporary files can't be used just now: the disk is full; "
            "free "
            "some space on the"
        )
        assert ended.stderr.startswith(said)
        assert f"disk of {disk.folder}, or name a folder with more room in TMPDIR" in ended.stderr
        disk.free()
        ended = subprocess.run(
            command, capture_output=True, text=True, check=False, env=environment
        )
        assert ended.returncode == 0, ended.stderr


CONFIG = """
inspera: {url: "http://127.0.0.1:9", client_id: example, api_key: "${file:key}"}
state: sqlite:///state.db
sources: {students: {type: csv, path: students.csv, delimiter: ";"}}
feeds:
  - kind: learner
    source: students
    auth_system: FEIDE
    map: {key: no, username: login, external_id: login, first_name: login, last_name: login,
      email: login}
"""
