"""The audit log by its commands: what a run, a person and a changed configuration leave in it."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from sync.app import App

from ..support.servers.postgres import SUPERUSER, Postgres, postgres
from ..support.university import TEST, University


def lines(university: University, *words: str) -> list[dict[str, Any]]:
    """What `audit export` prints."""
    return [json.loads(one) for one in university.run("audit", "export", *words).out.splitlines()]


def events(university: University) -> list[tuple[str, str]]:
    return [(one["event"], one["who"]) for one in lines(university) if one["event"] != "change"]


@pytest.fixture
def applied(university: University) -> University:
    university.register(TEST, "1001", "1002")
    university.apply_once()
    return university


def test_a_run_has_a_line_for_each_change_and_one_for_its_configuration(
    applied: University,
) -> None:
    with closing(sqlite3.connect(applied.state)) as state:
        (sent,) = state.execute("SELECT count(*) FROM intent WHERE outcome = 'done'").fetchone()
    found = [one for one in lines(applied) if one["event"] == "change"]
    assert len(found) == sent > 0
    seat = next(one for one in found if one["kind"] == "candidate")
    assert (seat["record"], seat["outcome"], seat["run"]) == (TEST, "done", 1)
    assert [event for event, _ in events(applied)] == ["configuration"]


def test_pause_and_resume_have_lines_once_the_next_run_holds_the_state(applied: University) -> None:
    applied.run("pause", "--reason", "exam")
    applied.run("resume")
    applied.run("resume")
    assert [event for event, _ in events(applied)] == ["configuration"]
    applied.apply()
    assert [event for event, _ in events(applied)][1:3] == ["paused", "resumed"]
    assert not list(applied.folder.glob("state.db.noted-*"))


def test_a_changed_configuration_is_named_by_its_settings(applied: University) -> None:
    applied.apply()
    applied.config["limits"] = {"updates": {"at_least": 77, "percent": 50}}
    applied.apply()
    line = lines(applied)[-1]
    assert line["event"] == "configuration"
    assert all(name.startswith("limits.") for name in line["details"]["settings"])
    assert line["details"]["settings"]


def test_a_cut_log_is_found_by_the_anchor(applied: University) -> None:
    whole = applied.run("audit", "verify")
    assert whole.status == 0
    anchor = whole.out.rsplit("Anchor: ", 1)[1].strip()
    with closing(sqlite3.connect(applied.state)) as state:
        state.execute("DROP TRIGGER audit_no_delete")
        state.execute("DELETE FROM audit WHERE number = (SELECT max(number) FROM audit)")
        state.execute("UPDATE run SET audit_lines = NULL")
        state.commit()
    assert applied.run("audit", "verify").status == 0
    cut = applied.run("audit", "verify", "--anchor", anchor)
    assert (cut.status, "is missing: by the anchor" in cut.out) == (1, True)
    assert applied.run("audit", "verify", "--anchor", "7:abc").status == 2


def test_an_export_can_begin_at_a_time_and_be_text(applied: University) -> None:
    assert lines(applied, "--since", "2027-01-01") == []
    assert applied.run("audit", "export", "--since", "soon").status == 2
    assert f"change create candidate {TEST} 1001 done" in (
        applied.run("audit", "export", "--text").out
    )


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.mark.server
def test_two_writers_on_postgresql_do_not_fork_the_log(
    university: University, server: Postgres
) -> None:
    server.create_database("audited", icu="nb-NO")
    university.config["state"] = server.url("audited").replace("://", f"://{SUPERUSER}@")
    university.register(TEST, "1001")
    university.apply()
    _write_at_once(university)
    assert university.run("audit", "verify").status == 0
    assert [event for event, _ in events(university)].count("paused") == 4


def test_two_writers_on_sqlite_do_not_fork_the_log(applied: University) -> None:
    _write_at_once(applied)
    assert applied.run("audit", "verify").status == 0
    assert [event for event, _ in events(applied)].count("paused") == 4


def _write_at_once(university: University) -> None:
    """Let two processes' worth of states pause and take the lock at the same time."""
    from sync.state.audit.chain import Event
    from sync.state.audit.notes import Note

    path = university.write()
    apps = [App.open(path, lambda _line: None) for _ in range(2)]

    def write(app: App) -> None:
        for _ in range(2):
            app.state.place.leave_note(Note(Event.PAUSED, "2026-09-01T00:00:00Z", "ann"))
            with app.state.open_to_write(
                "a test", lambda _holder: not threading.Event().wait(0.01)
            ):
                pass

    threads = [threading.Thread(target=write, args=(app,)) for app in apps]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
