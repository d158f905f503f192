"""The tutorial, played in a folder of its own against a sandbox on a free port."""

import io
import re
import shlex
import signal
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest
import structlog
from sync import cli
from sync.sandbox import Sandbox

from .pages import HELP, TUTORIAL, blocks

PLAYED = (TUTORIAL, HELP["explain"])
"""The pages whose commands are run, one after the other in one folder."""

ADDRESS = "http://127.0.0.1:8765"
PROGRESS = re.compile(r"^(sending|reading \S+): [\d,]+ of [\d,]+\n", re.MULTILINE)
"""Lines that only a slow machine prints."""


class Step(NamedTuple):
    """One command of the tutorial: what the page says that it prints, and what it printed."""

    command: str
    promised: str
    printed: str
    status: int
    page: Path = TUTORIAL


def play(folder: Path, url: str) -> Iterator[Step]:
    """Write each file and run each command of the tutorial and of `explain`, in their order."""
    secret = folder / "api-key"
    secret.write_text("sandbox-key\n", encoding="utf-8")
    secret.chmod(0o600)
    for page in PLAYED:
        for block in blocks(page):
            if block.file:
                (folder / block.file).write_text(block.text.replace(ADDRESS, url), encoding="utf-8")
            elif block.language == "console":
                line, _, promised = block.text.partition("\n")
                yield run(folder, line.removeprefix("$ "), promised)._replace(page=page)


def run(folder: Path, command: str, promised: str = "") -> Step:
    """Run a command in this process: 30 processes would take longer than the commands themselves."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("INSPERA_SYNC_CONFIG", raising=False)
        patch.chdir(folder)
        with redirect_stdout(printed), redirect_stderr(printed):
            status = cli.run(shlex.split(command)[1:])
    structlog.reset_defaults()
    for number, handler in handlers.items():
        signal.signal(number, handler)
    return Step(command, promised, printed.getvalue(), status)


def without_times(text: str) -> str:
    """Return what was printed, without times of runs, progress lines and blank ends."""
    text = PROGRESS.sub("", text)
    text = re.sub(r"\b20[2-8]\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)
    local = r"\b20[2-8]\d-\d\d-\d\d \d\d:\d\d Europe/Oslo \((20\d\d-\d\d-\d\d )?\d\d:\d\dZ\)"
    return re.sub(local, "TIME", text).strip()


@pytest.fixture(scope="package")
def walk(tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    """Every command of the tutorial, run."""
    folder = tmp_path_factory.mktemp("walk")
    with Sandbox() as sandbox:
        return list(play(folder, sandbox.url))
