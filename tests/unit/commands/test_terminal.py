"""`plan` and `status` as processes: colours on a terminal only, and no rich where none is needed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

CONFIG = """
inspera: {url: "https://example.inspera.com", client_id: example, api_key: key}
sources: {students: {type: csv, path: students.csv}}
feeds:
  - kind: learner
    source: students
    auth_system: FEIDE
    map: {external_id: no, username: no, first_name: given, last_name: family}
"""
STUDENTS = "no,given,family\n[red]1[/red],Åse,Eksempel\n1002,,Demo\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "students.csv").write_text(STUDENTS, encoding="utf-8")
    path = tmp_path / "inspera-sync.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def on_terminal(*words: str, **environment: str) -> str:
    """What the command prints on a terminal."""
    terminal, end = os.openpty()
    inherited = {"PATH": os.environ["PATH"], "TERM": "xterm", "COLUMNS": "60"}
    subprocess.run(
        [sys.executable, "-m", "sync", *words],
        stdin=end, stdout=end, stderr=subprocess.DEVNULL, check=False,
        env={**inherited, **environment},
    )  # fmt: skip
    os.close(end)
    printed = b""
    with open(terminal, "rb", buffering=0) as pieces:  # noqa: PTH123
        try:
            while piece := pieces.read(65_536):
                printed += piece
        except OSError:  # the other end is closed
            pass
    return printed.decode().replace("\r\n", "\n")


def output_of(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    return done.stdout.decode()


@pytest.mark.parametrize("command", ["plan", "status"])
def test_a_command_has_colours_on_a_terminal_and_none_with_no_color(
    config: Path, command: str
) -> None:
    words = ("-c", str(config), command)
    assert "\x1b[" in on_terminal(*words)
    plain = on_terminal(*words, NO_COLOR="1")
    assert plain
    assert "\x1b" not in plain


def test_a_key_with_markup_is_printed_as_text(config: Path) -> None:
    assert "learner  [red]1[/red]" in on_terminal("-c", str(config), "plan")


def test_json_is_the_same_on_a_terminal_and_in_a_pipe(config: Path) -> None:
    words = ("-c", str(config), "status", "--json")
    assert on_terminal(*words) == output_of(f"from sync.cli import run; run({words!r})")


@pytest.mark.parametrize(
    "code",
    [
        "from sync.cli import run; run(['--help'])",
        "from sync.cli import run; run(['--version'])",
        "from sync.report.terminal import shown_report\nwith shown_report(): pass",
    ],
)
def test_rich_is_not_imported_where_it_is_not_needed(code: str) -> None:
    assert output_of(f"{code}\nimport sys; print('rich' in sys.modules)").endswith("False\n")
