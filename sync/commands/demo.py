"""The demo: two days of a made-up university, with the real commands against a sandbox.

Everything is a process of its own, as it would be at a real site: the sandbox, each command, and
the scripts that make the files and judge the result. Those scripts share no code with this package,
so that they can prove something.
"""

import json
import shlex
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from sync.commands.demo_story import CONFIGURATION, KEY, WHOLE, Story
from sync.commands.sandbox_process import SandboxProcess, StoryError
from sync.errors import UsageError
from sync.exit_codes import Exit


def demo(out: Callable[[str], None], work: Path | None, keep: bool) -> int:
    """Play the story, and hand each line of it to `out`; return 0 on success, else 1.

    Its files go to `work`, which must be new or empty and stays; without it to a temporary folder,
    which goes away unless `keep` says otherwise or something went wrong.

    Raises:
        UsageError: `work` cannot be used, or this installation lacks the demo's files.
    """
    materials, folder = _materials(), _work_folder(work)
    stays = keep or work is not None
    begun = time.monotonic()
    try:
        shutil.copyfile(materials / CONFIGURATION, folder / CONFIGURATION)
        with _ended_in_order(), SandboxProcess(folder) as sandbox:
            counts = _play(Story(out, folder, materials, sandbox))
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
    """Let SIGTERM and SIGINT unwind the story, so that no sandbox and no command is left behind.

    A shell starts what it runs in the background with SIGINT ignored, and Python then leaves it
    ignored. `apply` and the sandbox obey it all the same, and so does the demo, in which they run.
    """

    def stop(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(Exit.TERMINATED if number == signal.SIGTERM else Exit.INTERRUPTED)

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say what a signal does
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _materials() -> Path:
    """Return the demo's folder: inside the package in a wheel, next to it in a checkout."""
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
        raise UsageError(
            f"{work}: cannot be used ({error.strerror}); name a new or empty folder"
        ) from None
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


def _play(story: Story) -> str:
    _day_one(story)
    _nothing_new(story)
    _day_two_planned(story)
    counts = _day_two_applied(story)
    _read_back(story)
    _no_changes(story)
    return counts


def _day_one(story: Story) -> None:
    story.heading(
        "Day one: everything is new",
        f"A sandbox stands in for Inspera, on {story.sandbox.url}. It is empty.",
        "A script makes what a student registry would export: five CSV files, every person in "
        "them made up. They say",
        "who sits exams, who works on them, which tests there are, how these are set up, and who "
        "does what on which.",
    )
    story.make_files(1)
    story.heading(
        "Can the configuration and the files be used?", "'check' reads all of it and sends nothing."
    )
    story.run("check")
    story.heading(
        "What would be done?",
        "'plan' is the dry run: it says what 'apply' would send, and sends nothing.",
    )
    story.run("plan")
    if sent := story.sandbox.calls():
        raise StoryError(
            f"check and plan made {len(sent)} calls, the first was {sent[0]['method']} "
            f"{sent[0]['path']}"
        )
    story.heading("Do it", "'apply' makes the same plan and carries it out.")
    story.run("apply")
    story.heading(
        "Is it all there?",
        "Another script works out from the files alone what the sandbox should hold.",
    )
    story.compare()


def _nothing_new(story: Story) -> None:
    story.heading(
        "The same files again: nothing to do",
        "With --exit-code, status 0 says that nothing would change.",
    )
    story.run("plan", "--exit-code")
    last = max((call["seq"] for call in story.sandbox.calls()), default=0)
    story.run("apply")
    if again := story.sandbox.calls(after=last):
        raise StoryError(
            f"the second apply made {len(again)} calls, the first was {again[0]['method']} "
            f"{again[0]['path']}"
        )
    story.out("")
    story.out("By the sandbox's log that was not a single call, not even one for a token.")


def _day_two_planned(story: Story) -> None:
    story.heading(
        "Day two: the registry has changed",
        "In the night there were late registrations, withdrawals, a moved exam and a new email "
        "address. A grader left",
        "and another was hired, one became an author too, one joined a new committee. Two options "
        "changed.",
        "Three rows were spoilt: an extra time that nobody can read, a mistyped email, a role "
        "that does not exist.",
    )
    story.make_files(2)
    text = story.run("plan", "--all", status=Exit.ERRORS, lines=WHOLE)
    plan = story.run("plan", "--json", status=Exit.ERRORS)
    (story.folder / "plan.txt").write_text(text, encoding="utf-8")
    (story.folder / "plan.json").write_text(plan, encoding="utf-8")
    story.heading(
        "Does the plan name all of it?",
        "Day two's script wrote down what it did, in day2.json; the plan must name each thing, "
        "and nothing else.",
    )
    story.script(
        "check_plan.py",
        *(str(story.folder / name) for name in ("day2.json", "plan.json", "plan.txt")),
    )


def _day_two_applied(story: Story) -> str:
    story.heading(
        "Do it",
        f"Status {Exit.ERRORS} says that some rows can't be used. The others are done all the "
        "same, and those",
        "whose rows were spoilt keep what they had: their seats, their extra time, their address, "
        "their roles.",
    )
    story.run("apply", status=Exit.ERRORS)
    story.heading("Is it all there, and nothing else?")
    return story.compare("--before", str(story.folder / "day1"))


def _read_back(story: Story) -> None:
    story.heading(
        "Is Inspera still as inspera-sync left it?",
        "'reconcile' reads back tests, who is on them, and all people; status 0 says that nothing "
        "of ours differs.",
    )
    story.run("reconcile")


def _no_changes(story: Story) -> None:
    story.heading(
        "Day two's files again: no changes",
        f"Status {Exit.ERRORS} still stands for the spoilt rows. Nothing else is left to do.",
    )
    changes = json.loads(story.run("plan", "--json", status=Exit.ERRORS))["changes"]
    if changes:
        first = f"{changes[0]['action']} {changes[0]['kind']} {' / '.join(changes[0]['key'])}"
        raise StoryError(f"the plan still has {len(changes)} changes, the first is {first}")
