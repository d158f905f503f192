"""The demo's story: it goes well with the real commands, and notices errors of pretended ones."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sync.commands.demo import demo
from sync.errors import UsageError

Play = Callable[..., tuple[int, str]]

IN_THE_BACKGROUND = ["sh", "-c", 'trap "" INT; exec "$@"', "sh"]
"""How a shell starts what a script puts into the background: with SIGINT ignored."""

FAKE = Path(__file__).with_name("fake_sync.py")


def play_real(work: Path) -> tuple[int, list[str]]:
    told: list[str] = []
    return demo(told.append, work, keep=False), told


@pytest.fixture
def pretending(tmp_path: Path) -> Path:
    """Return a Python whose `-m sync` is pretended."""
    python = tmp_path / "python"
    python.write_text(
        "#!/bin/sh\n"
        f'if [ "$1 $2" = "-m sync" ]; then shift 2; exec "{sys.executable}" "{FAKE}" "$@"; fi\n'
        f'exec "{sys.executable}" "$@"\n'
    )
    python.chmod(0o700)
    return python


@pytest.fixture
def play(pretending: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Play the story with commands that are pretended, with a flaw if one is asked for."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()

    def run(flaw: str = "", work: Path | None = None, keep: bool = False) -> tuple[int, str]:
        monkeypatch.setattr(sys, "executable", str(pretending))
        monkeypatch.setattr(tempfile, "tempdir", str(temporary))
        monkeypatch.setenv("FAKE_FLAW", flaw)
        told: list[str] = []
        return demo(told.append, work, keep), "\n".join(told)

    return run


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.timeout(420)  # half a minute on a machine that has nothing else to do
def test_the_real_commands_play_the_whole_story_and_the_sandbox_ends_as_the_files_ask(
    tmp_path: Path,
) -> None:
    status, told = play_real(tmp_path / "work")
    assert status == 0, "\n".join(told)
    assert any(line.startswith("The demo went as it should, in ") for line in told)
    assert any(
        "1,204 learners, 81 staff, 54 tests, 162 contributors, 3,247 candidates" in line
        for line in told
    )
    assert not [line for line in told if "Traceback" in line]
    assert_no_pin_is_left_lying_about(tmp_path / "work", told)


def assert_no_pin_is_left_lying_about(work: Path, told: list[str]) -> None:
    exams = [work / "exams.csv", work / "day1" / "exams.csv"]
    pins = {
        pin.encode()
        for path in exams
        for pin in re.findall(r"; *(demo\d+pin) *;", path.read_text("utf-8"))
    }
    assert len(pins) > 10
    written = [
        path.read_bytes() for path in work.rglob("*") if path.is_file() and path not in exams
    ]
    assert len(written) > 10
    assert not [pin for pin in pins for text in (*written, "\n".join(told).encode()) if pin in text]


def test_a_story_that_goes_well_shows_every_command_and_says_so(play: Play) -> None:
    status, told = play()
    assert status == 0, told
    shown = [line for line in told.splitlines() if line.startswith("$ inspera-sync ")]
    words = [line.partition("inspera-sync.yaml ")[2] for line in shown]
    assert words == [
        *("check", "plan", "apply", "plan --exit-code", "apply"),
        *("plan --all", "plan --json", "apply", "reconcile", "plan --json"),
    ]
    assert "The demo went as it should" in told
    assert "1,204 learners, 81 staff, 54 tests, 162 contributors, 3,247 candidates" in told


def test_long_printouts_are_cut_with_a_count(play: Play) -> None:
    told = play()[1]
    assert "line 7 of check" in told
    assert "... 18 more lines ..." in told
    assert "line 29 of check" in told
    assert "line 15 of check" not in told


@pytest.mark.parametrize(
    ("flaw", "said"),
    [
        ("the sandbox does not start", "the sandbox did not start: sandbox: the port is in use"),
        ("check fails", "ended with status 4, and 0 was expected"),
        ("a seat is lost", "expected, and not there"),
        ("a role is lost", "roles: expected ["),
        (
            "the second apply fetches a token",
            "the second apply made 1 calls, the first was POST /api/authenticate",
        ),
        ("the plan forgets a late seat", "is not in the plan (late, registrations.csv line "),
        ("apply hides the row errors", "ended with status 0, and 1 was expected"),
        ("nothing is kept", "expected, and not there"),
        ("reconcile finds drift", "ended with status 3, and 0 was expected"),
        (
            "there is always something left",
            "the plan still has 33 changes, the first is create learner 101241",
        ),
    ],
)
def test_a_story_that_goes_wrong_says_where_and_fails(play: Play, flaw: str, said: str) -> None:
    status, told = play(flaw)
    assert status == 1
    assert said in told
    assert "The demo did not go as it should" in told
    assert "The demo went as it should" not in told


def test_the_sandbox_is_stopped_however_the_story_ends(play: Play, tmp_path: Path) -> None:
    for flaw in ("", "a seat is lost"):
        work = tmp_path / f"work{len(flaw)}"
        play(flaw, work)
        assert not running(int((work / "sandbox" / "pid").read_text()))


@pytest.mark.parametrize(
    "start", [[], IN_THE_BACKGROUND], ids=["as a person does", "in the background"]
)
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"]
)
def test_a_story_that_is_interrupted_leaves_neither_the_sandbox_nor_a_command_behind(
    pretending: Path, tmp_path: Path, number: signal.Signals, status: int, start: list[str]
) -> None:
    code = (
        "import sys; from pathlib import Path; from sync.commands.demo import demo; "
        "sys.executable = sys.argv[1]; sys.exit(demo(print, Path(sys.argv[2]), False))"
    )
    work = tmp_path / "work"
    story = subprocess.Popen(
        [*start, sys.executable, "-u", "-c", code, pretending, work],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        env=os.environ | {"FAKE_FLAW": "check hangs"},
    )
    with story:
        assert any(line.endswith("inspera-sync.yaml check\n") for line in story.stdout or ())
        hangs, until = work / "hangs", time.monotonic() + 30
        while not (
            hangs.exists() and hangs.read_text()
        ):  # a command that is only being started can't be ended
            assert time.monotonic() < until
            time.sleep(0.05)
        story.send_signal(number)
        story.communicate(timeout=30)
    assert story.returncode == status
    assert not running(int((work / "sandbox" / "pid").read_text()))
    assert not running(int(hangs.read_text()))


def test_the_temporary_folder_goes_away_unless_it_is_wanted_or_needed(
    play: Play, tmp_path: Path
) -> None:
    assert play()[0] == 0
    assert list((tmp_path / "tmp").iterdir()) == []
    assert play(keep=True)[0] == 0
    assert len(list((tmp_path / "tmp").iterdir())) == 1
    assert play("a seat is lost")[0] == 1
    assert len(list((tmp_path / "tmp").iterdir())) == 2


def test_a_kept_folder_is_reported_with_how_to_go_on(play: Play, tmp_path: Path) -> None:
    told = play(work=tmp_path / "work")[1]
    assert f"Its files are in {tmp_path / 'work'}" in told
    assert f"inspera-sync -c {tmp_path / 'work'}/inspera-sync.yaml plan" in told
    assert (tmp_path / "work" / "students.csv").is_file()


def test_a_folder_with_something_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty; name a new or empty folder"):
        demo(print, tmp_path, keep=False)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="cannot be used"):
        demo(print, tmp_path / "mine.txt", keep=False)
