"""The demo's scripts as a user runs them: as processes, from their folder."""

import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

MATERIALS = Path(__file__).resolve().parents[3] / "config" / "demo"

Ended = subprocess.CompletedProcess[str]


@pytest.fixture(scope="session")
def materials() -> Path:
    """Return the folder of the demo's scripts and configuration."""
    return MATERIALS


@pytest.fixture(scope="session")
def script() -> Callable[..., Ended]:
    """Return a function that runs a script of the demo, cut off from where the tests run."""

    def run(name: str, *words: object) -> Ended:
        command = [sys.executable, "-E", "-s", str(MATERIALS / name), *map(str, words)]
        return subprocess.run(
            command, capture_output=True, encoding="utf-8", check=False, timeout=60
        )

    return run


@pytest.fixture(scope="session")
def made(
    script: Callable[..., Ended], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[int, date], Path]:
    """Return the files of a day, made once for each day and date."""
    folders: dict[tuple[int, date], Path] = {}

    def make(day: int, today: date) -> Path:
        if (day, today) not in folders:
            folder = tmp_path_factory.mktemp("made") / "files"
            ended = script("make_data.py", folder, "--day", day, "--today", today)
            assert (ended.returncode, ended.stderr) == (0, "")
            folders[day, today] = folder
        return folders[day, today]

    return make
