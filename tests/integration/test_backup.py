"""A backup and the way back: made while a run writes, verified, restored into either database."""

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sync.app import App
from sync.commands import backup as command
from sync.state.schema import METADATA
from sync.state.sqlite import replace
from sync.state.sqlite.open import locked
from sync.state.transfer import backup, rows
from sync.state.transfer.rows import OF_THE_PLACE, Contents, copied_tables

from ..support.next_schema import add_next_version
from ..support.servers.postgres import SUPERUSER, Postgres, postgres
from ..support.university import TEST, CommandResult, University, names, numbers

_NUMBERS = count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as server:
        yield server


def back_up(university: University, name: str = "backup.db", *words: str) -> Path:
    """Make a backup with the command."""
    file = university.folder / name
    ran = university.run("backup", str(file), *words)
    assert ran.status == 0, ran.output
    return file


def restore(university: University, file: Path, *words: str) -> CommandResult:
    """Restore a backup with the command, which must succeed."""
    ran = university.run("restore", str(file), *words)
    assert ran.status == 0, ran.output
    return ran


@pytest.fixture
def loaded(university: University) -> University:
    """Three learners on a test, sent."""
    university.register(TEST, *numbers(1001, 3))
    university.apply_once()
    return university


def use_database(university: University, server: Postgres) -> str:
    """Have the configuration name an empty database of the server. Return its URL."""
    name = f"backup{next(_NUMBERS)}"
    server.create_database(name, icu="nb-NO")
    url = server.url(name).replace("://", f"://{SUPERUSER}@")
    university.config["state"] = url
    return url


def recover(university: University) -> None:
    """Compare the state with Inspera, as the guide says it."""
    assert university.adopt("--managed").status == 0
    assert "Recovered" in university.reconcile().out


def check_restored(university: University) -> None:
    """Check that nothing is lost, that nothing is sent until `reconcile`, and that all is ours then."""
    ran = university.plan()
    assert ran.status == 3
    assert "it was restored from a backup of " in ran.out or "its newest run is" in ran.out
    assert university.apply().status == 3
    assert university.writes() == []
    recover(university)
    university.apply_cleanly()
    assert university.planned() == []


def test_every_table_of_a_state_is_copied_or_belongs_to_its_place(loaded: University) -> None:
    with closing(sqlite3.connect(loaded.state)) as state:
        found = {
            name for (name,) in state.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
    copied = {table.name for table in copied_tables()}
    assert found - {"alembic_version"} == copied | OF_THE_PLACE == set(METADATA.tables)


def test_a_restored_state_has_lost_nothing_and_sends_nothing_until_reconcile(
    loaded: University,
) -> None:
    file = back_up(loaded)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in loaded.folder.glob("backup.db*")] == ["backup.db"]
    loaded.at("2026-09-02T08:00")
    loaded.registrations.drop(f"{TEST} 1001")
    loaded.register(TEST, "1004")
    loaded.apply_cleanly()
    loaded.at("2026-09-03T08:00")
    ran = restore(loaded, file)
    kept = loaded.folder / "state.db.replaced-20260903t080000z"
    assert str(kept) in ran.out
    with closing(sqlite3.connect(kept)) as replaced:
        assert replaced.execute("SELECT max(id) FROM run").fetchone() == (2,)
    check_restored(loaded)
    assert set(loaded.candidates()) == names(["1002", "1003", "1004"])


def test_a_backup_of_the_newest_run_counts_as_an_older_copy_too(loaded: University) -> None:
    restore(loaded, back_up(loaded))
    check_restored(loaded)


def test_a_backup_is_made_while_a_run_writes(university: University) -> None:
    university.register(TEST, *numbers(1001, 3))
    taken: list[Path] = []

    def take() -> None:
        file = university.folder / "during.db"
        app = App.open(university.folder / "inspera-sync.yaml", lambda _line: None)
        command.backup(app, command.BackupOptions(file), lambda _line: None)
        taken.append(file)

    university.meanwhile = take
    university.apply_cleanly()
    restore(university, taken[0])
    check_restored(university)
    assert set(university.candidates()) == names(["1001", "1002", "1003"])


def test_a_run_that_begins_during_a_backup_does_not_spoil_it(
    loaded: University, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoilt: list[int] = []

    def copy_rows(source: Connection, target: Connection) -> Contents:
        if not spoilt:
            spoilt.append(1)
            with closing(sqlite3.connect(loaded.state)) as state:
                state.execute("DELETE FROM finding")
                state.execute("UPDATE run SET reason = 'changed'")
                state.commit()
        return rows.copy_rows(source, target)

    monkeypatch.setattr(backup, "copy_rows", copy_rows)
    with closing(sqlite3.connect(back_up(loaded))) as file:
        assert file.execute("SELECT DISTINCT reason FROM run").fetchall() == [("changed",)]


@pytest.mark.server
def test_a_backup_of_either_database_is_restored_into_either(
    loaded: University, server: Postgres
) -> None:
    of_file = back_up(loaded)
    url = use_database(loaded, server)
    assert "is kept: " not in restore(loaded, of_file).out
    check_restored(loaded)
    of_server = back_up(loaded, "server.db")
    database = url.rpartition("/")[2]
    server.execute(
        "CREATE ROLE looks_only LOGIN",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO looks_only",
        database=database,
    )
    assert "is kept: schema replaced_" in restore(loaded, of_server).out
    loaded.config["state"] = url.replace(f"{SUPERUSER}@", "looks_only@")
    assert loaded.plan().status == 3
    back_up(loaded, "read.db")
    loaded.config["state"] = "sqlite:///state.db"
    restore(loaded, of_server)
    assert loaded.plan().status == 3


def test_damaged_and_foreign_files_are_refused_and_the_state_stays(loaded: University) -> None:
    file = back_up(loaded)
    content = file.read_bytes()
    before = loaded.state.read_bytes()
    bad = loaded.folder / "bad.db"

    def refused(reason: str) -> None:
        ran = loaded.run("restore", str(bad))
        assert ran.status == 2, ran.output
        assert reason in ran.err
        assert "Traceback" not in ran.output
        assert loaded.state.read_bytes() == before

    refused("cannot be read (No such file or directory)")
    for size in (0, 50):
        bad.write_bytes(content[:size])
        refused("this is not a backup")
    for size in (99, 4096, len(content) // 2, len(content) - 4096, len(content) - 1):
        bad.write_bytes(content[:size])
        refused("this backup is damaged or incomplete")
    shutil.copy(loaded.state, bad)
    refused("this is not a backup")
    for statement, reason in (
        ("DELETE FROM known_candidate WHERE learner = '1001'", "'known_candidate' are not those"),
        ("UPDATE known_learner SET first_name = 'X'", "'known_learner' are not those"),
        ("DROP TABLE removal", "damaged or incomplete (OperationalError)"),
        ("UPDATE backup_info SET contents = '{'", "damaged or incomplete (JSONDecodeError)"),
        ("UPDATE alembic_version SET version_num = '9999'", "by a newer version of inspera-sync"),
        ("UPDATE tenant SET client_id = 'another'", "'tenant' are not those"),
    ):
        bad.write_bytes(content)
        with closing(sqlite3.connect(bad)) as opened:
            opened.execute(statement)
            opened.commit()
        refused(reason)
    bad.unlink()
    bad.mkdir()
    refused("this is a folder")


def test_a_backup_of_another_tenant_is_refused(loaded: University) -> None:
    file = back_up(loaded)
    loaded.config["inspera"]["client_id"] = "another"
    loaded.config["state"] = "sqlite:///other.db"
    ran = loaded.run("restore", str(file))
    assert ran.status == 2
    assert "belongs to " in ran.err
    assert not (loaded.folder / "other.db").exists()


def test_an_older_backup_is_migrated(
    loaded: University, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = back_up(loaded)
    with monkeypatch.context() as patch:
        old = add_next_version(tmp_path, patch)
        ran = loaded.run("restore", str(file))
        assert ran.status == 0, ran.output
        assert f"schema {old}" in ran.out


def test_nothing_is_restored_while_a_run_or_a_service_holds_the_state(loaded: University) -> None:
    file = back_up(loaded)
    before = loaded.state.read_bytes()
    with locked(loaded.state, "apply"):
        assert loaded.run("restore", str(file)).status == 75
    with locked(loaded.state.with_name("state.db.service"), "serve"):
        ran = loaded.run("restore", str(file))
    assert ran.status == 75
    assert "another service runs on this state" in ran.err
    with closing(sqlite3.connect(loaded.state, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert loaded.state.read_bytes() == before


def test_a_damaged_state_is_replaced_too(loaded: University) -> None:
    file = back_up(loaded)
    loaded.state.write_bytes(b"no state at all" * 1000)
    restore(loaded, file)
    check_restored(loaded)


def test_no_file_is_written_over(loaded: University) -> None:
    file = back_up(loaded)
    before = file.read_bytes()
    assert loaded.run("backup", str(file)).status == 2
    assert file.read_bytes() == before
    back_up(loaded, "backup.db", "--force")
    for name in ("state.db", "state.db.key", "inspera-sync.yaml", "missing/backup.db", "."):
        ran = loaded.run("backup", str(loaded.folder / name), "--force")
        assert (name, ran.status) == (name, 2), ran.output
    loaded.plan()


class Killed(BaseException):
    """The end of the process, at one moment."""


@pytest.mark.parametrize("call", ["link", "replace", "sync_to_disk"])
def test_a_killed_restore_leaves_the_old_or_the_new_state(
    loaded: University, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    file = back_up(loaded)

    def kill(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        # What a kill leaves is not cleaned up.
        patch.setattr(replace, "delete_state", lambda _path: None)
        place = {"link": os, "replace": Path, "sync_to_disk": replace}[call]
        patch.setattr(place, call, kill)
        with pytest.raises(Killed):
            loaded.run("restore", str(file))
    if call == "sync_to_disk":
        assert loaded.plan().status in {0, 3}
    else:
        assert loaded.plan().status == 0
    restore(loaded, file)
    check_restored(loaded)


def test_a_queued_rejection_is_kept_and_an_approval_is_not(university: University) -> None:
    university.allow_shrinkage()
    university.register(TEST, *numbers(1001, 12))
    university.apply_once()
    university.registrations.drop(*(f"{TEST} {learner}" for learner in numbers(1001, 10)))
    assert university.apply().status == 3
    (hold,) = json.loads(university.run("held", "--json").out)["holds"]
    why = ["--why", "so", "--by", "ann", "--only"]
    with locked(university.state, "apply"):
        assert university.run("reject", hold["id"], *why, "1001").status == 0
        assert university.run("approve", hold["id"], *why, "1002").status == 0
        file = back_up(university)
    for queued in university.folder.glob("state.db.decided-*"):
        queued.unlink()
    restore(university, file)
    with closing(sqlite3.connect(university.state)) as state:
        decisions = state.execute("SELECT k2, verdict FROM decision").fetchall()
    assert decisions == [("1001", "rejected")]


@pytest.mark.server
def test_the_key_of_the_digests_is_a_file_of_its_own(loaded: University, server: Postgres) -> None:
    (folder := loaded.folder / "apart").mkdir()
    key = folder / "state.db.key"
    file = back_up(loaded, "backup.db", "--key", str(key))
    assert key.stat().st_mode & 0o777 == 0o600
    use_database(loaded, server)
    restore(loaded, file, "--key", str(key))
    (folder / "again").mkdir()
    back_up(loaded, "again.db", "--key", str(folder / "again" / "state.db.key"))
    assert (folder / "again" / "state.db.key").read_bytes() == key.read_bytes()
    assert loaded.run("restore", str(file), "--key", str(file)).status == 2


@pytest.mark.server
def test_a_state_moves_to_a_server_and_back(loaded: University, server: Postgres) -> None:
    loaded.run("pause", "--reason", "we move")
    key = (loaded.folder / "state.db.key").read_bytes()
    url = use_database(loaded, server)
    loaded.config["state"] = "sqlite:///state.db"
    ran = loaded.run("state", "copy", url)
    assert ran.status == 0, ran.output
    again = loaded.run("state", "copy", url)
    assert again.status == 2
    assert "there is a state already" in again.err
    loaded.run("resume")
    held = loaded.apply()
    assert held.status == 3
    assert "it was copied to postgresql://" in held.out
    loaded.config["state"] = url
    assert "we move" in loaded.run("status").out
    loaded.run("resume")
    loaded.register(TEST, "1004")
    loaded.apply_cleanly()
    assert loaded.planned() == []
    back = f"sqlite:///{loaded.folder / 'back' / 'state.db'}"
    assert loaded.run("state", "copy", back).status == 0
    loaded.config["state"] = back
    assert (loaded.folder / "back" / "state.db.key").read_bytes() == key
    loaded.register(TEST, "1005")
    loaded.apply_cleanly()
    assert set(loaded.candidates()) == names(["1001", "1002", "1003", "1004", "1005"])
