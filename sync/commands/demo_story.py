"""The text of the demo: headings, sentences, and commands with what they print."""

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from sync.commands.sandbox_process import SandboxProcess, StoryError, environment
from sync.exit_codes import Exit

KEY = "sandbox-key"
"""The sandbox's own API key. It opens nothing but a sandbox."""

CONFIGURATION = "inspera-sync.yaml"

WHOLE = 80
"""Lines of a printout that are shown where every line matters."""

_COMMAND_SECONDS = 120.0
_BRIEF, _TAIL = 12, 4
"""Lines of a printout that are shown as a rule, and of these the last ones."""


@dataclass(frozen=True, slots=True)
class Story:
    """A printed story: headings, sentences, and commands with what they print."""

    out: Callable[[str], None]
    folder: Path
    materials: Path
    sandbox: SandboxProcess
    today: date = field(default_factory=lambda: datetime.now(UTC).date())

    def heading(self, title: str, *sentences: str) -> None:
        """Begin a chapter."""
        for line in ("", title, "-" * len(title), *sentences):
            self.out(line)

    def run(self, *words: str, status: int = Exit.OK, lines: int = _BRIEF) -> str:
        """Run one command of inspera-sync and show it; return what it printed to standard output.

        Raises:
            StoryError: it ends with another exit status than `status`.
        """
        arguments = ("-c", str(self.folder / CONFIGURATION), *words)
        return self._process(
            ("inspera-sync", *arguments), ("-m", "sync", *arguments), status, lines
        )

    def script(self, name: str, *words: str) -> None:
        """Run one of the demo's own scripts and show it.

        Raises:
            StoryError: it fails; what it printed says why.
        """
        path = str(self.materials / name)
        self._process(("python", path, *words), (path, *words), Exit.OK, _BRIEF)

    def _process(
        self, shown: tuple[str, ...], arguments: tuple[str, ...], status: int, lines: int
    ) -> str:
        self.out("")
        self.out(f"$ {shlex.join(shown)}")
        try:
            ended = subprocess.run(  # noqa: S603  our own interpreter, our own words
                [sys.executable, *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                check=False,
                timeout=_COMMAND_SECONDS,
                env=environment(INSPERA_DEMO_URL=self.sandbox.url, INSPERA_DEMO_KEY=KEY),
            )
        except subprocess.TimeoutExpired:
            raise StoryError(
                f"'{shown[-1]}' had not ended after {_COMMAND_SECONDS:.0f} seconds"
            ) from None
        as_it_should = ended.returncode == status
        for line in _trimmed(
            (ended.stdout + ended.stderr).strip("\n").splitlines(), lines if as_it_should else WHOLE
        ):
            self.out(f"    {line}".rstrip())
        if not as_it_should:
            raise StoryError(
                f"this command ended with status {ended.returncode}, and {status} was expected"
            )
        return ended.stdout

    def make_files(self, day: int) -> None:
        """Make the day's CSV files; those of the day before are kept in the folder `day1`."""
        if day > 1:
            (self.folder / "day1").mkdir()
            for path in self.folder.glob("*.csv"):
                shutil.copyfile(path, self.folder / "day1" / path.name)
        self.script(
            "make_data.py", str(self.folder), "--day", str(day), "--today", self.today.isoformat()
        )

    def compare(self, *before: str) -> str:
        """Compare the sandbox's contents with the files; return how many of each it holds."""
        contents = self.sandbox.contents()
        path = self.folder / "contents.json"
        path.write_text(json.dumps(contents, ensure_ascii=False, indent=1), encoding="utf-8")
        self.script("check_contents.py", str(self.folder), str(path), *before)
        people = f"{len(contents['students']):,} learners, {len(contents['staff']):,} staff"
        working, seated = (
            sum(len(test[who]) for test in contents["tests"])
            for who in ("contributors", "candidates")
        )
        tests = f"{len(contents['tests']):,} tests"
        return f"{people}, {tests}, {working:,} contributors, {seated:,} candidates"


def _trimmed(lines: list[str], most: int) -> list[str]:
    """Return the first and the last lines, and how many were left out."""
    if len(lines) <= most:
        return lines
    return [*lines[: most - _TAIL], f"... {len(lines) - most:,} more lines ...", *lines[-_TAIL:]]
