"""A report that can't be written stops nothing that is to be sent, and there is never a traceback."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sync.sandbox import Sandbox

from .site import KEY, Site, numbers

PROGRESS = ("reading", "sending", "planning")
"""How lines begin that a slow machine shows now and then."""

NOT_WHOLE = "so the report is not whole; "
WENT_ON = "the work went on all the same, and `status --all` shows what it came to\n"


@pytest.fixture
def new(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Site]:
    """Five learners, of whom Inspera knows nothing yet. The clocks are real: the commands are processes."""
    site = Site(tmp_path, capsys)
    site.sandbox = Sandbox(api_key=KEY)
    site.config["verify"] = "none"
    for name in ("exams", "registrations"):
        del site.config["sources"][name]
    site.only("learner")
    site.students.add(*numbers(1001, 5))
    site.students.set("1001", given="Đorđe", family="Ødegård")
    with site.sandbox:
        yield site


def run(site: Site, *words: str, out: object, err: object = subprocess.PIPE, **environment: str) -> tuple[int, str]:
    """One command as a process; gives its status and what it said on standard error."""
    command = [sys.executable, "-m", "sync", "--config", str(site.write()), *words]
    kept = {name: value for name, value in os.environ.items() if name != "INSPERA_SYNC_CONFIG"}
    site._look_from_here()
    ended = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=out,  # type: ignore[arg-type]  # a number, a file or a word of subprocess
        stderr=err,  # type: ignore[arg-type]  # as above
        env=kept | environment,
        check=False,
        timeout=150,
    )
    lines = (ended.stderr or b"").decode().splitlines(keepends=True)
    said = "".join(line for line in lines if not line.startswith(PROGRESS))
    assert "Traceback" not in said
    assert "Exception ignored" not in said
    return ended.returncode, said


@contextmanager
def nobody_reads() -> Iterator[int]:
    """A pipe whose reader has gone, as after `| head`."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        yield writer
    finally:
        os.close(writer)


def assert_all_is_there(site: Site) -> None:
    assert {one["username"] for one in site.sandbox.contents()["students"]} == {f"s{n}" for n in numbers(1001, 5)}


def test_apply_onto_a_full_disk_sends_everything_and_ends_with_1(new: Site) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        status, said = run(new, "apply", out=full)
    assert status == 1
    assert said.endswith(f"standard output can't be written (No space left on device), {NOT_WHOLE}{WENT_ON}")
    assert_all_is_there(new)


def test_apply_whose_reader_has_gone_sends_everything_and_ends_with_1(new: Site) -> None:
    with nobody_reads() as pipe:
        status, said = run(new, "apply", "--all", out=pipe)
    assert status == 1
    assert said.endswith(f"standard output can't be written (Broken pipe), {NOT_WHOLE}{WENT_ON}")
    assert_all_is_there(new)


def test_apply_with_nothing_to_write_to_at_all_sends_everything_and_ends_with_1(new: Site) -> None:
    with nobody_reads() as pipe:
        assert run(new, "--verbose", "apply", "--all", out=pipe, err=pipe)[0] == 1
    assert_all_is_there(new)


def test_apply_whose_output_is_closed_sends_everything_and_the_state_is_nobody_elses_output(new: Site) -> None:
    config = new.write()
    command = f'"{sys.executable}" -m sync --verbose --config "{config}" apply >&- 2>&- <&-'
    assert subprocess.run(["sh", "-c", command], check=False, timeout=150).returncode == 1
    assert_all_is_there(new)
    assert new.state.read_bytes().startswith(b"SQLite format 3\0")
    assert (new.folder / "state.db.lock").read_text().startswith("pid ")


def test_a_graver_status_stays(new: Site) -> None:
    new.students.raw = b"student_no,feide\n1001"
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        assert run(new, "apply", out=full)[0] == 4


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_knows_few_letters_gets_the_others_escaped(new: Site, encoding: str) -> None:
    new.students.set("1002", mail="Đ")
    status, said = run(new, "apply", "--all", out=subprocess.DEVNULL, LC_ALL="C", PYTHONIOENCODING=encoding)
    assert (status, said) == (1, "")  # by the row that can't be read, and not by the letters
    command = [sys.executable, "-m", "sync", "--config", str(new.write()), "sample", "students"]
    shown = subprocess.run(
        command, capture_output=True, check=False, env=os.environ | {"LC_ALL": "C", "PYTHONIOENCODING": encoding}
    )
    assert "\\u0110or\\u0111e" in shown.stdout.decode(encoding)
    assert shown.stderr == b""


@pytest.mark.parametrize("words", [["plan", "--json"], ["status", "--json"], ["sample", "students", "--json"]])
def test_json_on_such_a_terminal_is_json(new: Site, words: list[str]) -> None:
    new.students.set("1001", given="Đorđe", family="Ødegård")
    command = [sys.executable, "-m", "sync", "--config", str(new.write()), *words]
    environment = {**os.environ, "LC_ALL": "C"}
    plain = subprocess.run(command, capture_output=True, check=True, env=environment | {"PYTHONIOENCODING": "utf-8"})
    few = subprocess.run(command, capture_output=True, check=True, env=environment | {"PYTHONIOENCODING": "ascii"})
    one, other = json.loads(few.stdout.decode("ascii")), json.loads(plain.stdout)
    for said in (one, other):
        said.get("summary", {}).pop("planned_at", None) if isinstance(said, dict) else None
    assert one == other


@pytest.mark.parametrize("words", [["plan", "--all"], ["plan", "--json"], ["check"], ["status"], ["schema"]])
def test_who_only_reads_ends_quietly_when_its_reader_has_gone(new: Site, words: list[str]) -> None:
    with nobody_reads() as pipe:
        assert run(new, *words, out=pipe) == (0, "")


@pytest.mark.parametrize("words", [["plan", "--all"], ["plan", "--json"], ["status", "--json"], ["--help"]])
def test_who_only_reads_ends_with_1_when_the_disk_is_full(new: Site, words: list[str]) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        status, said = run(new, *words, out=full)
    assert status == 1
    reason = "standard output can't be written (No space left on device), "
    assert said == f"{reason}{NOT_WHOLE}run it again where there is room for it\n"


def test_wrong_words_are_2_even_if_nobody_can_be_told(new: Site) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        assert run(new, "aply", out=full, err=full)[0] == 2
