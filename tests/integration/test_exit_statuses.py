"""Every documented exit status, and which one is given when several apply."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from ..support.university import TEST, University, numbers


@pytest.fixture
def used(university: University) -> University:
    """Nine learners on one test, all in Inspera."""
    university.register(TEST, *numbers(1001, 9))
    university.apply_once()
    return university


def make_row_error(university: University) -> None:
    """A row that can't be used."""
    university.registrations.set(f"{TEST} 1001", extra="a lot")


def make_hold(university: University) -> None:
    """A changed login."""
    university.students.set("1002", feide="s1002-new")


def make_unreadable(university: University) -> None:
    """A source that is torn."""
    university.exams.raw = b"course;term\nINF1000"


def make_unreachable(university: University) -> None:
    """Something to send, and a key that Inspera does not take."""
    university.register(TEST, "1099")
    (university.folder / "api-key").write_text("not-the-key\n")


def test_0_when_all_went_well(used: University) -> None:
    assert used.run("check").status == 0
    assert used.plan().status == 0
    assert used.apply().status == 0
    assert used.run("status").status == 0


def test_a_quiet_apply_prints_only_what_needs_a_person(used: University) -> None:
    used.register(TEST, "1098")
    ran = used.run("apply", "--quiet")
    assert (ran.status, ran.out) == (0, "")
    for command in ("plan", "reconcile"):
        assert used.run(command, "--quiet").out == "", command
    make_row_error(used)
    loud = used.run("apply", "--quiet")
    assert loud.status == 1
    assert "registrations.csv line 2" in loud.out
    used.register(TEST, "1097")
    planned = used.run("plan", "--quiet")
    assert "registrations.csv line 2" in planned.out
    assert "1097" not in planned.out
    assert "1097" not in used.run("apply", "--quiet").out
    make_unreadable(used)
    assert "exams.csv" in used.run("apply", "--quiet").out


@pytest.mark.parametrize("command", ["check", "plan", "apply"])
def test_1_when_a_row_is_a_row_error(used: University, command: str) -> None:
    make_row_error(used)
    assert used.run(command).status == 1


def test_1_when_inspera_refused_a_change(used: University) -> None:
    used.students.set("1001", family="Øvelsesenius")
    used.fail(method="POST", path="*/student", status=409)
    assert used.apply().status == 1


def test_1_when_the_outcome_of_a_change_stayed_unknown(used: University) -> None:
    used.students.set("1001", family="Øvelsesenius")
    used.config["inspera"]["attempts"] = 1
    used.fail(method="POST", path="*/student", status=500)
    assert used.apply().status == 1


@pytest.mark.parametrize("words", [["plan"], ["apply"], ["check"], ["status"], ["adopt"]])
def test_2_when_the_configuration_is_wrong_with_file_line_and_what_to_do(
    used: University, words: list[str]
) -> None:
    used.config["sources"]["students"]["pth"] = "students.csv"
    ran = used.run(*words)
    assert ran.status == 2
    assert "sources.students.pth: unknown setting" in ran.err
    assert "did you mean 'path'?" in ran.err
    assert "Traceback" not in ran.output


@pytest.mark.parametrize(
    "words", [["aply"], ["apply", "--alow", "x"], ["adopt", "lerner", "1001"], ["adopt", "test"]]
)
def test_2_when_the_words_are_wrong(used: University, words: list[str]) -> None:
    ran = used.run(*words)
    assert ran.status == 2
    assert ran.err


def test_2_when_a_secret_cannot_be_read(used: University) -> None:
    used.config["inspera"]["api_key"] = "${file:nowhere}"
    used.register(TEST, "1099")
    ran = used.apply()
    assert ran.status == 2
    assert "nowhere" in ran.err


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_3_when_something_is_held(used: University, command: str) -> None:
    make_hold(used)
    assert used.run(command).status == 3


def test_a_run_that_was_stopped_says_how_much_was_not_sent(used: University) -> None:
    make_unreachable(used)
    why = "5: Inspera can't be reached, or refuses the key"
    assert f"Run: 2 not sent; exit status {why}." in used.apply().out  # a learner, and their seat
    assert "nothing was taken in." in used.run("adopt").out
    told = used.run("status").out
    assert " with 5: 2 not sent\n" in told
    assert "nothing to do" not in told.split("Last runs", 1)[1].splitlines()[1]


@pytest.mark.parametrize("command", ["check", "plan", "apply", "adopt"])
def test_4_when_a_source_cannot_be_read(used: University, command: str) -> None:
    make_unreadable(used)
    assert used.run(command).status == 4


def test_5_when_inspera_refuses_the_key(used: University) -> None:
    make_unreachable(used)
    ran = used.apply()
    assert ran.status == 5
    assert "not-the-key" not in ran.output


def test_5_when_inspera_says_that_there_are_several_tokens_in_its_own_words(
    used: University,
) -> None:
    used.register(TEST, "1099")
    body = {"error": "Multiple tokens for user", "description": "Please contact inspera support"}
    used.fail(path="/api/authenticate/token/", status=409, body=body)
    ran = used.apply()
    assert ran.status == 5
    assert "Multiple tokens for user" in ran.out


def test_5_when_inspera_is_out_of_reach(used: University) -> None:
    used.config["inspera"] |= {"proxy": "http://127.0.0.1:9", "attempts": 1}
    used.register(TEST, "1099")
    assert used.apply().status == 5


def test_10_when_a_plan_was_asked_whether_there_are_changes_and_there_are(used: University) -> None:
    assert used.plan("--exit-code").status == 0
    used.register(TEST, "1099")
    assert used.plan("--exit-code").status == 10
    assert used.plan().status == 0


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_130_and_143_when_interrupted_after_the_calls_under_way_were_finished_and_recorded(
    university: University, number: signal.Signals, status: int
) -> None:
    university.keep_feeds("learner")
    university.students.add(*numbers(1001, 60))
    university.config["inspera"]["workers"] = 2
    university.sandbox.control(latency=0.2)
    config = university.write()
    environment = {
        name: value for name, value in os.environ.items() if name != "INSPERA_SYNC_CONFIG"
    }
    command = [sys.executable, "-m", "sync", "--config", str(config), "apply"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        while not university.sent() and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == status, out + err
    assert b"stopping: the calls under way are finished and recorded first" in err
    there = len(university.learners())
    assert 0 < there < 60
    told = json.loads(university.run("status", "--json").out)
    assert told["unsettled"] == 0
    assert [(one["kind"], one["count"]) for one in told["known"]] == [("learner", there)]


CASES = [make_row_error, make_hold, make_unreadable, make_unreachable]


@pytest.mark.parametrize(("several", "status"), [(CASES[:2], 3), (CASES[:3], 4), (CASES, 5)])
def test_of_several_statuses_the_gravest_is_given(
    used: University, several: list[object], status: int
) -> None:
    for make in several:
        assert callable(make)
        make(used)
    assert used.apply().status == status
