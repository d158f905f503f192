"""The first day of `deploy/README.md`: every command that this machine can run is run, in its order."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from sync.sandbox import Sandbox

from ...support.servers.needed import need
from .conftest import ADDRESS, Step, run
from .pages import GUIDES, ROOT, TUTORIAL, blocks

AS_SERVICE = "sudo as-inspera-sync "
OF_THE_MACHINE = re.compile(
    r"sudo apt install \./inspera-sync_\d|sudoedit /etc/|sudo systemctl (enable --now|stop|start|restart) "
    r"inspera-sync$|curl -s http://127\.0\.0\.1:9464/readyz$"
)
"""Commands of packages, editors and services, which a test may not run here."""


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    """Each command of the page, run with the files of the tutorial against a sandbox."""
    folder = tmp_path_factory.mktemp("first-day")
    steps = []
    with Sandbox() as sandbox:
        for block in blocks(TUTORIAL):
            if block.file and not (folder / block.file).exists():
                text = block.text.replace(ADDRESS, sandbox.url)
                (folder / block.file).write_text(text, encoding="utf-8")
        (folder / "api-key").write_text("sandbox-key\n", encoding="utf-8")
        (folder / "api-key").chmod(0o600)
        for block in blocks(GUIDES["README"]):
            for line in block.text.splitlines():
                if line.startswith(AS_SERVICE):
                    steps.append(run(folder, line.removeprefix(AS_SERVICE)))
                elif line.startswith("promtool "):
                    steps.append(check_rules(folder, line))
                else:
                    assert OF_THE_MACHINE.match(line), line
    return steps


def check_rules(folder: Path, line: str) -> Step:
    """Run promtool in a folder with the rules; without the program nothing is checked."""
    shutil.copy(ROOT / "deploy/prometheus/inspera-sync.rules.yaml", folder)
    tool = need("promtool", "prometheus")
    words = [tool, *line.split()[1:]]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    return Step(line, "", done.stdout + done.stderr, done.returncode)


def test_every_command_of_the_first_day_does_its_work(day: list[Step]) -> None:
    done = [(step.command.removeprefix("inspera-sync ").split()[0], step.status) for step in day]
    assert [name for name, _ in done] == [
        *("doctor", "check", "plan", "apply", "status", "promtool", "pause", "resume", "doctor"),
        *("adopt", "reconcile", "plan"),
    ]
    # The tutorial's files have a row error, so that a person sees one.
    printed = "\n".join(f"{step.command}: {step.status}\n{step.printed}" for step in day)
    assert {name for name, status in done if status not in {0, 1, 3}} == set(), printed


def test_the_first_run_is_shown_afterwards(day: list[Step]) -> None:
    (status,) = [step for step in day if step.command == "inspera-sync status"]
    assert " apply: " in status.printed
