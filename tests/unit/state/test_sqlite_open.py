"""Opening the state: who may read it, who holds it, its versions; reading changes nothing."""

import os
import re
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sync.errors import Locked, StateError
from sync.state.migrations import head
from sync.state.schema import METADATA
from sync.state.sqlite.open import open_copy, open_to_read, open_to_write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Make a state with one learner in it."""
    path = tmp_path / "state.db"
    with open_to_write(path, "apply") as connection:
        connection.execute(
            text(
                "INSERT INTO known_learner (key, lifecycle, managed, updated)"
                " VALUES ('Ærlig', 'active', 1, '')"
            )
        )
        connection.commit()
    return path


def drop_tables(path: Path) -> None:
    """Leave a file without tables, as a run does that is killed before the first migration."""
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        for (name,) in raw.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        ).fetchall():
            raw.execute(f"DROP TABLE {name}")
    raw.close()


def test_the_migrations_make_exactly_the_tables_that_the_code_knows(path: Path) -> None:
    with open_to_write(path, "apply") as connection:
        context = MigrationContext.configure(
            connection, opts={"include_object": lambda _thing, name, *_: name != "alembic_version"}
        )
        assert compare_metadata(context, METADATA) == []


def test_a_state_is_its_owners_alone(path: Path) -> None:
    path.chmod(0o644)
    with open_to_write(path, "apply"):
        kept = [
            name for name in path.parent.iterdir() if stat.S_IMODE(name.stat().st_mode) != 0o600
        ]
        assert kept == []


def test_what_is_written_survives_a_power_cut(path: Path) -> None:
    with open_to_write(path, "apply") as connection:
        assert connection.execute(text("PRAGMA main.journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA main.synchronous")).scalar() == 2


def test_a_held_state_says_who_holds_it(path: Path) -> None:
    with open_to_write(path, "adopt"):
        with pytest.raises(
            Locked,
            match=re.escape(f"{path}: the state is in use by pid {os.getpid()} (adopt); wait"),
        ):
            open_to_write(path, "apply").__enter__()
        with open_to_read(path) as connection:
            assert connection.execute(text("SELECT count(*) FROM known_learner")).scalar() == 1
    with open_to_write(path, "apply") as connection:
        assert connection.execute(text("SELECT key FROM known_learner")).scalar() == "Ærlig"


@pytest.mark.process
def test_a_lock_dies_with_its_process(path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from sync.state.sqlite.open import "
        "open_to_write\n"
        "with open_to_write(Path(sys.argv[1]), 'apply'): os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(path)], check=False, timeout=60)
    assert killed.returncode == -9
    with open_to_write(path, "apply") as connection:
        assert connection.execute(text("SELECT count(*) FROM known_learner")).scalar() == 1


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize("opened", [open_to_read, open_copy])
def test_reading_leaves_every_byte_next_to_and_in_the_state_as_it_was(
    path: Path, opened: type[object]
) -> None:
    before = contents(path.parent)
    # One of two context managers.
    with opened(path) as connection:  # type: ignore[call-arg, attr-defined]
        connection.execute(text("CREATE TABLE scratch.note (word TEXT)"))
        assert connection.execute(text("SELECT key FROM known_learner")).scalar() == "Ærlig"
    assert contents(path.parent) == before


def test_a_reader_cannot_write(path: Path) -> None:
    with pytest.raises(StateError, match="readonly"), open_to_read(path) as connection:
        connection.execute(text("DELETE FROM known_learner"))


def test_a_copy_can_be_written_and_the_state_stays(path: Path) -> None:
    with open_copy(path) as connection:
        connection.execute(text("DELETE FROM known_learner"))
        connection.commit()
    with open_to_read(path) as connection:
        assert connection.execute(text("SELECT count(*) FROM known_learner")).scalar() == 1


@pytest.mark.parametrize("opened", [open_to_read, open_copy])
def test_a_missing_state_reads_as_an_empty_one_and_is_not_made(
    tmp_path: Path, opened: type[object]
) -> None:
    with opened(tmp_path / "none.db") as connection:  # type: ignore[call-arg, attr-defined]  # as above
        assert connection.execute(text("SELECT count(*) FROM known_test")).scalar() == 0
    assert list(tmp_path.iterdir()) == []


def test_a_state_without_tables_is_read_through_a_migrated_copy_and_migrated_only_by_a_writer(
    path: Path,
) -> None:
    drop_tables(path)
    before = path.read_bytes()
    with open_to_read(path) as connection:
        assert (
            connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == head()
        )
    assert path.read_bytes() == before
    with open_to_write(path, "apply"):
        pass
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == (head(),)
    raw.close()


@pytest.mark.parametrize(
    "opened", [open_to_read, open_copy, lambda path: open_to_write(path, "apply")]
)
def test_a_state_from_a_newer_version_is_refused_by_name(path: Path, opened: type[object]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    with pytest.raises(
        StateError, match=r"newer version of inspera-sync \(schema 9999, this one knows .*; install"
    ):
        opened(path).__enter__()  # type: ignore[call-arg, attr-defined]  # as above


@pytest.mark.parametrize(
    "opened", [open_to_read, open_copy, lambda path: open_to_write(path, "apply")]
)
def test_a_file_that_is_no_state_is_refused_with_what_to_do(
    tmp_path: Path, opened: type[object]
) -> None:
    path = tmp_path / "state.db"
    path.write_text("student_no,feide\n" * 200)
    with pytest.raises(
        StateError, match=r"state\.db: the state cannot be used \(.*not a database\); check that"
    ):
        opened(path).__enter__()  # type: ignore[call-arg, attr-defined]  # as above
    assert path.read_text() == "student_no,feide\n" * 200


def test_a_place_that_cannot_be_written_is_said_with_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        StateError, match="let this user write there, or change the setting 'state'"
    ):
        open_to_write(tmp_path / "file" / "state.db", "apply").__enter__()


def test_upper_and_lower_case_are_folded_beyond_ascii(path: Path) -> None:
    with open_to_read(path) as connection:
        assert connection.execute(text("SELECT lower('ÆRLIG ØVING Å')")).scalar() == "ærlig øving å"
