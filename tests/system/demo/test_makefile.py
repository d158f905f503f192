"""The Makefile says what it offers, and what is missing when it cannot set up."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(
    *words: str, path: str = "/usr/local/bin:/usr/bin:/bin"
) -> subprocess.CompletedProcess[str]:
    command = [shutil.which("make") or "make", "--no-print-directory", "-C", str(ROOT), *words]
    environment = {"PATH": path, "LC_ALL": "C"}
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", check=False, timeout=60, env=environment
    )


def test_help_is_the_default_and_says_what_every_target_does() -> None:
    targets = re.findall(
        r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )[0].split()
    ended = make()
    assert ended.returncode == 0
    assert ended.stdout == make("help").stdout
    listed = dict(re.findall(r"^make ([\w-]+) +(\S.*)$", ended.stdout, re.MULTILINE))
    assert listed.keys() == set(targets)


def test_without_a_python_that_will_do_it_says_so_and_leaves_nothing_behind(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "rm", "touch"):
        (tools / name).symlink_to(shutil.which(name) or name)
    ended = make(f"VENV={tmp_path / 'venv'}", "PYTHON=/no/such/python", "setup", path=str(tools))
    assert ended.returncode != 0
    assert (
        "no Python 3.11 or newer was found; install one, or name it: make PYTHON=" in ended.stderr
    )
    assert not (tmp_path / "venv").exists()
