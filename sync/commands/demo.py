"""The demo: two days at a made-up university, played with the real commands against a sandbox on this machine.

Everything is a process of its own, as it would be at a real site: the sandbox, each command, and the scripts that make
the files and judge the result. Those scripts share no code with this package, so that they can prove something.
"""

import json
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from types import FrameType

from sync.commands.sandbox_process import SandboxProcess, StoryError, environment
from sync.errors import UsageError
from sync.exits import Exit

KEY = "sandbox-key"
"""The sandbox's own API key. It opens nothing but a sandbox."""

CSV_FILES = ("students.csv", "exams.csv", "registrations.csv")
CONFIGURATION = "inspera-sync.yaml"

_COMMAND_SECONDS = 120.0
_BRIEF, _TAIL, _WHOLE = 12, 4, 80
"""Lines of a printout that are shown: as a rule, of these the last ones, and where every line matters."""


def demo(out: Callable[[str], None], work: Path | None, keep: bool) -> int:
    """Plays the story, handing each line of it to `out`; 0 when everything went as it should, 1 when not.

    Its files go to `work`, which must be new or empty and stays; without it to a temporary folder, which goes away
    unless `keep` says otherwise or something went wrong.

    Raises:
        UsageError: `work` cannot be used, or this installation lacks the demo's files.
    """
    materials, folder = _materials(), _work_folder(work)
    stays = keep or work is not None
    begun = time.monotonic()
    try:
        shutil.copyfile(materials / CONFIGURATION, folder / CONFIGURATION)
        with _ended_in_order(), SandboxProcess(folder) as sandbox:
            counts = _play(_Story(out, folder, materials, sandbox))
        out("")
        out(f"The demo went as it should, in {time.monotonic() - begun:.0f} seconds: {counts}.")
    except StoryError as error:
        out("")
        out(f"The demo did not go as it should: {error}")
        stays = True
        return 1
    finally:
        if stays:
            _say_how_to_look(out, folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Lets SIGTERM unwind the story, as SIGINT does, so that no sandbox is left behind."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(Exit.TERMINATED)

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say what a signal does
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _materials() -> Path:
    """The folder with the demo's scripts and configuration: in a wheel inside the package, in a checkout beside it."""
    package = Path(__file__).resolve().parents[1]
    places = (package / "_demo", package.parent / "config" / "demo")
    for place in places:
        if (place / CONFIGURATION).is_file():
            return place
    raise UsageError(f"{places[0]}: the demo's files are not there; install inspera-sync again")


def _work_folder(work: Path | None) -> Path:
    if work is None:
        return Path(tempfile.mkdtemp(prefix="inspera-sync-demo-"))
    try:
        work.mkdir(parents=True, exist_ok=True)
        empty = not any(work.iterdir())
    except OSError as error:
        raise UsageError(f"{work}: cannot be used ({error.strerror}); name a new or empty folder") from None
    if not empty:
        raise UsageError(f"{work}: is not empty; name a new or empty folder")
    return work.resolve()


def _say_how_to_look(out: Callable[[str], None], folder: Path) -> None:
    here = shlex.quote(str(folder))
    out(f"Its files are in {folder}. To go on from there, start the sandbox again in one terminal:")
    out(f"    inspera-sync sandbox --port 8070 --data {here}/sandbox")
    out("and in another:")
    out(f"    export INSPERA_DEMO_URL=http://127.0.0.1:8070 INSPERA_DEMO_KEY={KEY}")
    out(f"    inspera-sync -c {here}/{CONFIGURATION} plan")


@dataclass(frozen=True, slots=True)
class _Story:
    """Tells the story: headings, sentences, and commands with what they print."""

    out: Callable[[str], None]
    folder: Path
    materials: Path
    sandbox: SandboxProcess
    today: date = field(default_factory=lambda: datetime.now(UTC).date())

    def heading(self, title: str, *sentences: str) -> None:
        """Begins a chapter."""
        for line in ("", title, "-" * len(title), *sentences):
            self.out(line)

    def run(self, *words: str, status: int = Exit.OK, lines: int = _BRIEF) -> str:
        """Runs one command of inspera-sync and shows it; returns what it printed to its standard output.

        Raises:
            StoryError: it ends with another exit status than `status`.
        """
        arguments = ("-c", str(self.folder / CONFIGURATION), *words)
        return self._process(("inspera-sync", *arguments), ("-m", "sync", *arguments), status, lines)

    def script(self, name: str, *words: str) -> None:
        """Runs one of the demo's own scripts and shows it.

        Raises:
            StoryError: it fails; what it printed says why.
        """
        path = str(self.materials / name)
        self._process(("python", path, *words), (path, *words), Exit.OK, _BRIEF)

    def _process(self, shown: tuple[str, ...], arguments: tuple[str, ...], status: int, lines: int) -> str:
        self.out("")
        self.out(f"$ {shlex.join(shown)}")
        try:
            ended = subprocess.run(  # noqa: S603  our own interpreter, our own words
                [sys.executable, *arguments],
                stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace", check=False,
                timeout=_COMMAND_SECONDS, env=environment(INSPERA_DEMO_URL=self.sandbox.url, INSPERA_DEMO_KEY=KEY),
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise StoryError(f"'{shown[-1]}' had not ended after {_COMMAND_SECONDS:.0f} seconds") from None
        as_it_should = ended.returncode == status
        for line in _trimmed((ended.stdout + ended.stderr).strip("\n").splitlines(), lines if as_it_should else _WHOLE):
            self.out(f"    {line}".rstrip())
        if not as_it_should:
            raise StoryError(f"this command ended with status {ended.returncode}, and {status} was expected")
        return ended.stdout

    def make_files(self, day: int) -> None:
        """Makes the day's CSV files; those of the day before are kept beside them."""
        if day > 1:
            (self.folder / "day1").mkdir()
            for name in CSV_FILES:
                shutil.copyfile(self.folder / name, self.folder / "day1" / name)
        self.script("make_data.py", str(self.folder), "--day", str(day), "--today", self.today.isoformat())

    def compare(self, *before: str) -> str:
        """Holds the sandbox's contents against the files; returns how many of each it holds."""
        contents = self.sandbox.contents()
        path = self.folder / "contents.json"
        path.write_text(json.dumps(contents, ensure_ascii=False, indent=1), encoding="utf-8")
        self.script("expected.py", str(self.folder), str(path), *before)
        seats = sum(len(test["candidates"]) for test in contents["tests"])
        return f"{len(contents['students']):,} learners, {len(contents['tests']):,} tests, {seats:,} candidates"


def _trimmed(lines: list[str], most: int) -> list[str]:
    """The first and the last lines, with a word on how many were left out."""
    if len(lines) <= most:
        return lines
    return [*lines[: most - _TAIL], f"... {len(lines) - most:,} more lines ...", *lines[-_TAIL:]]


def _play(story: _Story) -> str:
    _day_one(story)
    _nothing_new(story)
    _day_two_planned(story)
    return _day_two_applied(story)


def _day_one(story: _Story) -> None:
    story.heading(
        "Day one: everything is new",
        f"A sandbox stands in for Inspera, on {story.sandbox.url}. It is empty.",
        "A script makes what a student registry would export: three CSV files, every person in them made up.",
    )
    story.make_files(1)
    story.heading("Can the configuration and the files be used?", "'check' reads all of it and sends nothing.")
    story.run("check")
    story.heading("What would be done?", "'plan' is the dry run: it says what 'apply' would send, and sends nothing.")
    story.run("plan")
    if sent := story.sandbox.calls():
        raise StoryError(f"check and plan made {len(sent)} calls, the first was {sent[0]['method']} {sent[0]['path']}")
    story.heading("Do it", "'apply' makes the same plan and carries it out.")
    story.run("apply")
    story.heading("Is it all there?", "Another script works out from the files alone what the sandbox should hold.")
    story.compare()


def _nothing_new(story: _Story) -> None:
    story.heading("The same files again: nothing to do", "With --exit-code, status 0 says that nothing would change.")
    story.run("plan", "--exit-code")
    last = max((call["seq"] for call in story.sandbox.calls()), default=0)
    story.run("apply")
    if again := story.sandbox.calls(after=last):
        raise StoryError(
            f"the second apply made {len(again)} calls, the first was {again[0]['method']} {again[0]['path']}"
        )
    story.out("")
    story.out("By the sandbox's log that was not a single call, not even one for a token.")


def _day_two_planned(story: _Story) -> None:
    story.heading(
        "Day two: the registry has changed",
        "In the night there were late registrations, withdrawals, a moved exam and a new email address.",
        "Two rows were spoilt: an extra time that nobody can read, and a mistyped email.",
    )
    story.make_files(2)
    text = story.run("plan", "--all", status=Exit.FAULTS, lines=_WHOLE)
    plan = story.run("plan", "--json", status=Exit.FAULTS)
    (story.folder / "plan.txt").write_text(text, encoding="utf-8")
    (story.folder / "plan.json").write_text(plan, encoding="utf-8")
    story.heading(
        "Does the plan name all of it?",
        "Day two's script wrote down what it did, in day2.json; the plan must name each thing, and nothing else.",
    )
    story.script("named.py", *(str(story.folder / name) for name in ("day2.json", "plan.json", "plan.txt")))


def _day_two_applied(story: _Story) -> str:
    story.heading(
        "Do it",
        f"Status {Exit.FAULTS} says that some rows can't be used. The others are done all the same, and those",
        "whose rows were spoilt keep what they had: their seats, their extra time, their address.",
    )
    story.run("apply", status=Exit.FAULTS)
    story.heading("Is it all there, and nothing else?")
    return story.compare("--before", str(story.folder / "day1"))
