"""A made-up university: CSV files, a configuration, a sandbox for Inspera, and a clock that only tests turn."""

import json
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Lock
from typing import Any, Protocol

import yaml
from sync.app import App
from sync.cli import run
from sync.commands.apply import ApplyOptions, apply
from sync.engine.interruption import Interruption
from sync.records.base import Kind
from sync.sandbox import Sandbox

from ..unit.state.databases import empty_file
from . import prepared
from .configuration import CONFIG, MORE
from .tables import TABLES, Table, table
from .tenant import OTHER, TEST, SandboxTenant

__all__ = [
    "BEFORE",
    "DAY_AFTER",
    "DURING",
    "NEXT_DAY",
    "OTHER",
    "TEST",
    "CommandResult",
    "University",
    "describe",
    "names",
    "numbers",
]

KEY = "noekkel-til-sandkassen"
"""The API key: nothing but its own file may hold it."""

BEFORE, NEXT_DAY = "2026-09-01T08:00", "2026-09-02T08:00"
DURING, DAY_AFTER = "2026-12-01T09:30", "2026-12-02T09:30"
"""Times in UTC: long before the tests, and when what was refused then is tried again; in the middle of the tests, and
the day after."""


def _load(text: str) -> dict[str, Any]:
    """Return the mapping of a YAML text, read in C."""
    loaded: dict[str, Any] = yaml.load(text, yaml.CSafeLoader)
    return loaded


@dataclass(frozen=True)
class CommandResult:
    """The result of one command."""

    status: int
    out: str
    err: str

    @property
    def output(self) -> str:
        """Return everything that it printed."""
        return self.out + self.err

    @property
    def allow_hash(self) -> str:
        """Return the one hash that it names for `apply --allow`."""
        (digest,) = set(re.findall(r"apply --allow (\w+)", self.out))
        return str(digest)


class Capture(Protocol):
    """The part of pytest's `capsys` that is used."""

    def readouterr(self) -> Any:
        """Return what was printed since the last call."""


class University(SandboxTenant):
    """One university with its sandbox. Each command writes the files first; all clocks show `time`."""

    def __init__(self, folder: Path, capture: Capture) -> None:
        self.folder, self._capture = folder, capture
        self.time = datetime.fromisoformat(BEFORE).replace(tzinfo=UTC)
        self.config = _load(CONFIG)
        self._tables = {name: table(folder, name) for name in TABLES}
        self.students, self.exams, self.registrations = (
            self._tables[name] for name in ("students", "exams", "registrations")
        )
        self.employees, self.graders, self.panels, self.settings = (
            self._tables[name] for name in ("employees", "graders", "panels", "settings")
        )
        self.sandbox = Sandbox(clock=self._tick, api_key=KEY)
        self.tick = timedelta(0)
        self.meanwhile: Callable[[], object] | None = None
        self._once = Lock()
        self.outputs: list[str] = []
        self.secrets: set[str] = set()
        self.written_files: set[Path] = set()
        self.raw_config: str | None = None

    @property
    def tables(self) -> tuple[Table, ...]:
        """Return the files that the configuration names."""
        return tuple(self._tables[name] for name in self.config["sources"] if name in self._tables)

    @property
    def files(self) -> dict[str, Table]:
        """Return all files by the name of their source."""
        return self._tables

    @property
    def state(self) -> Path:
        """Return the path of the state."""
        return self.folder / "state.db"

    def at(self, moment: str) -> None:
        """Set the clock to this moment in UTC."""
        self.time = datetime.fromisoformat(moment).replace(tzinfo=UTC)

    def now(self) -> datetime:
        """Return the time for commands. Call `meanwhile` once, after the first writing call of a command."""
        if self.meanwhile and self.sent():
            with self._once:  # the calls of several workers may end at the same time
                happens, self.meanwhile = self.meanwhile, None
            if happens is not None:
                happens()
        return self.time

    def _tick(self) -> datetime:
        """Return the time for the sandbox, which advances by `tick` with each call."""
        self.time += self.tick
        return self.time

    def feed(self, kind: str) -> dict[str, Any]:
        """Return the configuration of the feed of this kind."""
        found: dict[str, Any] = next(feed for feed in self.config["feeds"] if feed["kind"] == kind)
        return found

    def keep_feeds(self, *kinds: str) -> None:
        """Remove all feeds except those of these kinds."""
        self.config["feeds"] = [feed for feed in self.config["feeds"] if feed["kind"] in kinds]

    def add_feeds(self, *kinds: str) -> None:
        """Add the feeds and files of these kinds: `staff`, `contributor`, `committee`, `option`."""
        more = _load(MORE)
        for feed in more["feeds"]:
            if feed["kind"] in kinds:
                self.config["feeds"].append(feed)
                self.config["sources"][feed["source"]] = more["sources"][feed["source"]]

    def allow_shrinkage(self) -> None:
        """Switch off the checks for shrunken sources, so that only the limits hold removals."""
        for source in self.config["sources"].values():
            source.setdefault("completeness", {}).update(shrink={"percent": 100}, tail=0)

    def register(self, test: str, *learners: str) -> None:
        """Register students for a test; add students and test where they are missing."""
        known = {row["student_no"] for row in self.students.rows}
        self.students.add(*(learner for learner in learners if learner not in known))
        self._add_missing_test(test)
        self.registrations.add(*(f"{test} {learner}" for learner in learners))

    def assign_staff(self, test: str, *staff: str, **values: str) -> None:
        """Make employees graders of a test; add employees and test where they are missing."""
        known = {row["employee_no"] for row in self.employees.rows}
        self.employees.add(*(one for one in staff if one not in known))
        self._add_missing_test(test)
        self.graders.add(*(f"{test} {one}" for one in staff), **values)

    def _add_missing_test(self, test: str) -> None:
        if test not in {f"{row['course']}-{row['term']}" for row in self.exams.rows}:
            self.exams.add(test)

    def write(self) -> Path:
        """Write all files; return the path of the configuration."""
        for one in self.tables:
            one.write()
        self._note_secrets()
        self._write_key()
        self.config["inspera"]["url"] = self.config["inspera"]["url"] or self.sandbox.url
        config = self.folder / "inspera-sync.yaml"
        text = self.raw_config or yaml.dump(
            self.config, Dumper=yaml.CSafeDumper, allow_unicode=True
        )
        config.write_text(text, encoding="utf-8")
        self.written_files.add(config)
        return config

    def _write_key(self) -> None:
        key = self.folder / "api-key"
        if not key.exists():
            key.touch(0o600)
            key.write_text(f"{self.sandbox.api_key}\n")
        self.secrets.add(key.read_text().strip())
        self.written_files.add(key)

    def _note_secrets(self) -> None:
        """Remember the secrets in the files: first passwords, pins, quit codes."""
        for person in (*self.students.rows, *self.employees.rows):
            self.secrets.add(person.get("secret", ""))
        hidden = ("SEB_SETTINGS_PINCODE", "LOCKDOWN_QUIT_CODE")
        self.secrets.update(
            row.get("value", "") for row in self.settings.rows if row["option"] in hidden
        )

    def run(self, *words: str) -> CommandResult:
        """Run one command in this process."""
        config = self.write()
        self.start_observing()
        self._capture.readouterr()
        status = run(["--config", str(config), *words])
        captured = self._capture.readouterr()
        self.outputs += [captured.out, captured.err]
        return CommandResult(status, captured.out, captured.err)

    def apply(self, *words: str) -> CommandResult:
        """Run `apply`, whatever its status."""
        if not self.state.exists():
            shutil.copy(
                empty_file(), self.state
            )  # as the first apply would make it, which takes its time
        return self.run("apply", "--all", *words)

    def apply_cleanly(self) -> CommandResult:
        """Run `apply`, which must end with status 0."""
        ran = self.apply()
        assert ran.status == 0, ran.output
        return ran

    def apply_once(self) -> None:
        """Apply cleanly as the first command; tests that begin with the same files share the result."""
        self.write()
        name = prepared.name_of(self.folder, self.config, self.sandbox, self.time.isoformat())
        shareable = self.config["state"] == "sqlite:///state.db" and not self.raw_config
        if not shareable or self.state.exists() or not prepared.is_new(self.sandbox):
            self.apply_cleanly()
        elif earlier := prepared.find(name):
            earlier.restore(self.state, self.sandbox)
            self.outputs.append(earlier.output)
        else:
            result = self.apply_cleanly()
            prepared.keep(name, prepared.Prepared.of(self.state, self.sandbox, result.output))

    def plan(self, *words: str) -> CommandResult:
        """Run `plan`, whatever its status."""
        return self.run("plan", "--all", *words)

    def plan_json(self) -> dict[str, Any]:
        """Return the plan as JSON."""
        plan: dict[str, Any] = json.loads(self.run("plan", "--json").out)
        return plan

    def planned(self, *verdicts: str) -> list[str]:
        """Return the planned changes in order, such as `remove candidate INF1000-H26/1001`."""
        changes = self.plan_json()["changes"]
        return [
            describe(change) for change in changes if not verdicts or change["verdict"] in verdicts
        ]

    def run_job(self, name: str, *kinds: Kind) -> None:
        """Apply as a job of this name does, for these kinds or for all."""
        app = App.open(self.write(), lambda _line: None)
        self.start_observing()
        options = ApplyOptions(kinds=frozenset(kinds), job=name)
        apply(app, options, lambda _line: None, lambda *_: None, Interruption(Event()))

    def adopt(self, *words: str) -> CommandResult:
        """Run `adopt`, whatever its status."""
        return self.run("adopt", *words)

    def reconcile(self, *words: str) -> CommandResult:
        """Run `reconcile`, whatever its status."""
        return self.run("reconcile", "--all", *words)

    def status(self) -> dict[str, Any]:
        """Return the status as JSON."""
        status: dict[str, Any] = json.loads(self.run("status", "--json").out)
        return status

    def findings(self, command: str = "") -> list[dict[str, Any]]:
        """Return what the last run that ended found; with `command`, the last one of it."""
        runs = self.status()["runs"]
        run = next(one for one in runs if one["ended"] and command in {"", one["command"]})
        return list(run["findings"])


def describe(change: Mapping[str, Any]) -> str:
    """Return a planned change in a few words."""
    return f"{change['action']} {change['kind']} {'/'.join(change['key'])}"


def numbers(first: int, count: int) -> list[str]:
    """Return consecutive student numbers."""
    return [str(number) for number in range(first, first + count)]


def names(keys: Iterable[str]) -> set[str]:
    """Return the usernames of students."""
    return {f"s{key}" for key in keys}
