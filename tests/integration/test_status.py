"""`status` says why: what stopped a run, how far a running one is, and whose findings it shows."""

import json
import os
import sqlite3
from typing import Any

import pytest
from sync.app import App
from sync.commands import status

from ..support.university import TEST, University


@pytest.mark.parametrize(
    ("key", "reason", "exit_status"),
    [
        ("wrong", "the API key is refused; check inspera.api_key", 5),
        (None, "${file:api-key} names a file that does not exist", 2),
    ],
)
def test_what_stopped_a_run_stays_with_it(
    university: University, key: str | None, reason: str, exit_status: int
) -> None:
    university.register(TEST, "1001")
    university.write()
    file = university.folder / "api-key"
    good = file.read_text()
    university.config["inspera"]["api_key"] = "${file:api-key}" if key else "${file:other-key}"
    if key:
        file.write_text(key)
    assert university.apply().status == exit_status
    file.write_text(good)
    university.config["inspera"]["api_key"] = "${file:api-key}"
    university.apply_cleanly()
    newest, stopped = university.status()["runs"]
    assert (newest["status"], newest["reason"]) == ("done", "")
    assert reason.replace("api-key}", "") in stopped["reason"].replace("other-key}", "")
    assert stopped["exit_status"] == exit_status


def test_a_missing_file_stays_with_the_run_that_missed_it(university: University) -> None:
    university.register(TEST, "1001")
    university.config["sources"]["exams"]["path"] = "missing.csv"
    assert university.apply().status == 4
    assert "missing.csv: is not there" in university.status()["runs"][0]["reason"]


@pytest.fixture
def killed(seated: University) -> University:
    """A run without an end, which has sent one of three changes; and an older one that found something."""
    seated.registrations.add(f"{TEST} 9999")
    assert seated.apply().status == 1
    with sqlite3.connect(seated.state) as state:
        state.execute(
            "INSERT INTO run (command, started, status, counts, reason)"
            " VALUES ('job nightly', '2026-09-01T09:00:00Z', 'running', '{\"to send\": 3}', '')"
        )
        state.execute(
            "INSERT INTO intent (run_id, kind, k1, k2, action, fields, before, approved, at,"
            " outcome, message) SELECT max(id), 'learner', '1001', '', 'update', '{}', '{}', 0,"
            " '2026-09-01T09:00:01Z', 'done', '' FROM run"
        )
    state.close()
    return seated


def test_a_killed_run_is_called_killed_and_says_how_far_it_came(killed: University) -> None:
    run = killed.status()["runs"][0]
    assert (run["status"], run["pid"], run["findings"]) == ("killed", None, None)
    assert run["progress"] == {"phase": "sending", "done": 1, "total": 3}
    assert "killed before its end, sending: 1 of 3 changes done" in killed.run("status").out


def test_findings_are_those_of_the_run_that_they_stand_under(killed: University) -> None:
    newest, older = killed.status()["runs"][:2]
    assert newest["findings"] is None
    assert [(one["type"], one["rule"]) for one in older["findings"]] == [("row error", 30)]
    assert "What the last run of apply, of 2026-09-01T08:00:00Z, found:" in killed.run("status").out


def test_a_running_one_shows_its_process_and_its_progress(seated: University) -> None:
    seen: list[str] = []
    seated.students.set("1001", family="Ny")
    seated.registrations.set(f"{TEST} 1002", extra="15")
    app = App.open(seated.write(), seen.append)
    seated.meanwhile = lambda: status.status(app, seen.append, as_json=True, show_all=False)
    seated.apply_cleanly()
    run: dict[str, Any] = json.loads(seen[-1])["runs"][0]
    assert (run["status"], run["pid"]) == ("running", os.getpid())
    assert (run["progress"]["phase"], run["progress"]["total"]) == ("sending", 2)
    assert seated.status()["runs"][0]["progress"] is None


def test_before_anything_is_sent_it_is_reading(seated: University) -> None:
    with sqlite3.connect(seated.state) as state:
        state.execute(
            "INSERT INTO run (command, started, status, counts, reason)"
            " VALUES ('apply', '2026-09-01T09:00:00Z', 'running', '{}', '')"
        )
    state.close()
    assert "killed before its end, reading and planning" in seated.run("status").out
