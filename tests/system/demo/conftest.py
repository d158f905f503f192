"""The demo's scripts, run with the arguments that a user gives them."""

import io
import runpy
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
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
    """Return a function that runs a script of the demo in this process; the story starts real ones."""

    def run(name: str, *words: object) -> Ended:
        command = [str(MATERIALS / name), *map(str, words)]
        out, err = io.StringIO(), io.StringIO()
        before = set(sys.modules)
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setattr(sys, "argv", command)
            patch.syspath_prepend(str(MATERIALS))
            try:
                runpy.run_path(command[0], run_name="__main__")
                code: object = 0
            except SystemExit as ended:
                code = ended.code
            finally:
                for module in set(sys.modules) - before:
                    if str(MATERIALS) in str(getattr(sys.modules[module], "__file__", "")):
                        del sys.modules[module]
        status = code if isinstance(code, int) else int(code is not None)
        return Ended(command, status, out.getvalue(), err.getvalue())

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
