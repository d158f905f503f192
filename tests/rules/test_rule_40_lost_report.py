"""Rules 40: A report that cannot be written does not stop the run. All changes are still sent."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TextIO

import pytest
from sync.cli import run
from sync.sandbox import Sandbox

from ..support.university import KEY, TEST, University, numbers

NO_ROOM = (
    "standard output can't be written (No space left on device), so the report is incomplete; "
)


WENT_ON = "the work was finished, and `status --all` shows the result\n"


SLOW = ("reading", "sending", "planning")
"""How lines begin that a slow machine shows now and then: how far it is."""


@pytest.fixture
def new(university: University) -> University:
    """Five learners on one test, of which Inspera knows nothing yet."""
    university.register(TEST, *numbers(1001, 5))
    university.students.set("1001", given="Đorđe", family="Ødegård")
    return university


def print_to(out: TextIO, university: University, *words: str) -> tuple[int, str]:
    """One command that writes there; gives its status and what it said on standard error."""
    config, errors = university.write(), io.StringIO()
    university.start_observing()
    with redirect_stdout(out), redirect_stderr(errors):
        status = run(["--config", str(config), *words])
    printed = [
        line for line in errors.getvalue().splitlines(keepends=True) if not line.startswith(SLOW)
    ]
    assert "Traceback" not in "".join(printed)
    return status, "".join(printed)


@contextmanager
def full_disk() -> Iterator[TextIO]:
    """A file on a disk without room."""
    with open("/dev/full", "w", encoding="utf-8") as full:  # noqa: PTH123
        yield full


@contextmanager
def nobody_reads() -> Iterator[TextIO]:
    """A pipe whose reader has gone, as after `| head`."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as pipe:
        yield pipe


def assert_all_is_there(university: University) -> None:
    assert {one["username"] for one in university.sandbox.contents()["students"]} == {
        f"s{n}" for n in numbers(1001, 5)
    }
    (test,) = university.sandbox.contents()["tests"]
    assert len(test["candidates"]) == 5


def test_apply_onto_a_full_disk_sends_everything_and_ends_with_1(new: University) -> None:
    with full_disk() as full:
        assert print_to(full, new, "apply") == (1, f"{NO_ROOM}{WENT_ON}")
    assert_all_is_there(new)
    assert new.apply_cleanly().out.endswith("Run: nothing to do; exit status 0.\n")


def test_apply_whose_reader_has_gone_sends_everything_and_ends_with_1(new: University) -> None:
    with nobody_reads() as pipe:
        status, printed = print_to(pipe, new, "apply", "--all")
    assert (status, printed) == (
        1,
        f"{NO_ROOM.replace('No space left on device', 'Broken pipe')}{WENT_ON}",
    )
    assert_all_is_there(new)


def test_a_graver_status_stays(new: University) -> None:
    new.exams.raw = b"course;term\nINF1000"
    with full_disk() as full:
        assert print_to(full, new, "apply")[0] == 4


@pytest.mark.parametrize("words", [["pause"], ["resume"], ["adopt"], ["reconcile"]])
def test_what_another_command_did_is_done_and_its_lost_report_is_1(
    new: University, words: list[str]
) -> None:
    new.apply_once()
    with nobody_reads() as pipe:
        assert print_to(pipe, new, *words)[0] == 1
    paused = new.status()["paused"]
    assert bool(paused) is (words == ["pause"])


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_knows_few_letters_gets_the_others_escaped(
    new: University, encoding: str
) -> None:
    new.registrations.set(f"{TEST} 1003", extra="Đ")
    terminal = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    assert print_to(terminal, new, "apply", "--all") == (
        1,
        "",
    )  # by the row that can't be read, not by the letter
    terminal.seek(0)
    assert "exit status 1" in terminal.read()
    terminal = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    assert print_to(terminal, new, "sample", "students")[0] == 0
    terminal.seek(0)
    assert "\\u0110or\\u0111e" in terminal.read()


@pytest.mark.parametrize(
    "words",
    [["plan", "--json"], ["sample", "students", "--json"], ["doctor", "--json", "--offline"]],
)
def test_json_on_such_a_terminal_is_json(new: University, words: list[str]) -> None:
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert print_to(terminal, new, *words)[0] == 0
    terminal.seek(0)
    assert json.loads(terminal.read()) == json.loads(new.run(*words).out)


@pytest.mark.parametrize(
    "words", [["plan", "--all"], ["plan", "--json"], ["check"], ["status"], ["schema"]]
)
def test_who_only_reads_ends_quietly_when_its_reader_has_gone(
    new: University, words: list[str]
) -> None:
    with nobody_reads() as pipe:
        assert print_to(pipe, new, *words) == (0, "")


@pytest.mark.parametrize(
    "words", [["plan", "--all"], ["plan", "--json"], ["check"], ["status", "--json"], ["--help"]]
)
def test_who_only_reads_ends_with_1_when_the_disk_is_full(
    new: University, words: list[str]
) -> None:
    with full_disk() as full:
        assert print_to(full, new, *words) == (
            1,
            f"{NO_ROOM}run it again where there is room for it\n",
        )


def test_nothing_is_left_that_fails_at_the_end_of_the_process() -> None:
    command = [sys.executable, "-m", "sync", "schema"]
    with full_disk() as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, text=True)
        assert (ended.returncode, ended.stderr) == (
            1,
            f"{NO_ROOM}run it again where there is room for it\n",
        )
        assert (
            subprocess.run([*command[:3], "aply"], stdout=full, stderr=full, check=False).returncode
            == 2
        )
    with nobody_reads() as pipe:
        ended = subprocess.run(command, stdout=pipe, stderr=subprocess.PIPE, check=False, text=True)
        assert (ended.returncode, ended.stderr) == (0, "")


def test_apply_whose_output_is_closed_sends_everything_and_the_state_is_nobody_elses_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    university = University(tmp_path, capsys)
    university.sandbox = Sandbox(api_key=KEY)  # whose clock is the process's
    university.keep_feeds("learner")
    university.students.add(*numbers(1001, 3))
    with university.sandbox:
        config = university.write()
        command = f'"{sys.executable}" -m sync --verbose --config "{config}" apply >&- 2>&- <&-'
        assert subprocess.run(["sh", "-c", command], check=False).returncode == 1
        assert len(university.learners()) == 3
    assert university.state.read_bytes().startswith(b"SQLite format 3\0")
    assert (university.folder / "state.db.lock").read_text().startswith("pid ")
