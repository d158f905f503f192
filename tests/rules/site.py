"""A made-up university: CSV files, a configuration, a sandbox for Inspera, and a clock that only tests turn."""

import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import yaml
from sync.cli import run
from sync.sandbox import Sandbox

from ..unit.state.databases import empty_file
from .configuration import CONFIG, MORE
from .inspera import OTHER, TEST, Inspera
from .tables import TABLES, Table, table

__all__ = [
    "BEFORE",
    "DAY_AFTER",
    "DURING",
    "NEXT_DAY",
    "OTHER",
    "TEST",
    "Ran",
    "Site",
    "names",
    "numbers",
    "told",
]

KEY = "noekkel-til-sandkassen"
"""The API key: nothing but its own file may hold it."""

BEFORE, NEXT_DAY = "2026-09-01T08:00", "2026-09-02T08:00"
DURING, DAY_AFTER = "2026-12-01T09:30", "2026-12-02T09:30"
"""Times in UTC: long before the tests, and when what was refused then is tried again; in the middle of the tests, and
the day after."""


@dataclass(frozen=True)
class Ran:
    """What one command came to."""

    status: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything that it said."""
        return self.out + self.err


class Capture(Protocol):
    """What pytest's `capsys` gives of it."""

    def readouterr(self) -> Any:
        """What was printed since the last reading."""


class Site(Inspera):
    """One university with its Inspera. Files are written when a command runs; `time` is what every clock shows."""

    def __init__(self, folder: Path, capture: Capture) -> None:
        self.folder, self._capture = folder, capture
        self.time = datetime.fromisoformat(BEFORE).replace(tzinfo=UTC)
        self.config: dict[str, Any] = yaml.safe_load(CONFIG)
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
        self.said: list[str] = []
        self.secrets: set[str] = set()
        self.planted: set[Path] = set()
        self.raw_config: str | None = None

    @property
    def tables(self) -> tuple[Table, ...]:
        """All files that the configuration names."""
        return tuple(self._tables[name] for name in self.config["sources"] if name in self._tables)

    @property
    def files(self) -> dict[str, Table]:
        """Every file by the name of its source."""
        return self._tables

    @property
    def state(self) -> Path:
        """The state's file."""
        return self.folder / "state.db"

    def at(self, moment: str) -> None:
        """Turns the clock; `moment` is in UTC."""
        self.time = datetime.fromisoformat(moment).replace(tzinfo=UTC)

    def now(self) -> datetime:
        """The commands' clock. What somebody does `meanwhile` happens once, after a command's first writing call."""
        if self.meanwhile and self.sent():
            happens, self.meanwhile = self.meanwhile, None
            happens()
        return self.time

    def _tick(self) -> datetime:
        """Inspera's clock: `tick` goes by with each call."""
        self.time += self.tick
        return self.time

    def feed(self, kind: str) -> dict[str, Any]:
        """The configuration of the feed of this kind."""
        found: dict[str, Any] = next(feed for feed in self.config["feeds"] if feed["kind"] == kind)
        return found

    def only(self, *kinds: str) -> None:
        """Keeps the feeds of these kinds and no others."""
        self.config["feeds"] = [feed for feed in self.config["feeds"] if feed["kind"] in kinds]

    def also(self, *kinds: str) -> None:
        """Adds the feeds of these kinds, with their files: of `staff`, `contributor`, `committee` and `option`."""
        more = yaml.safe_load(MORE)
        for feed in more["feeds"]:
            if feed["kind"] in kinds:
                self.config["feeds"].append(feed)
                self.config["sources"][feed["source"]] = more["sources"][feed["source"]]

    def may_shrink(self) -> None:
        """Lets every source be as short as it likes, so that only the limits have a say."""
        for source in self.config["sources"].values():
            source.setdefault("completeness", {}).update(shrink={"percent": 100}, tail=0)

    def seat(self, test: str, *learners: str) -> None:
        """Students, where they are new, and their registrations for a test, which is made where it is new."""
        known = {row["student_no"] for row in self.students.rows}
        self.students.add(*(learner for learner in learners if learner not in known))
        self._hold(test)
        self.registrations.add(*(f"{test} {learner}" for learner in learners))

    def hire(self, test: str, *staff: str, **values: str) -> None:
        """Employees, where they are new, and what they do on a test, which is made where it is new."""
        known = {row["employee_no"] for row in self.employees.rows}
        self.employees.add(*(one for one in staff if one not in known))
        self._hold(test)
        self.graders.add(*(f"{test} {one}" for one in staff), **values)

    def _hold(self, test: str) -> None:
        if test not in {f"{row['course']}-{row['term']}" for row in self.exams.rows}:
            self.exams.add(test)

    def write(self) -> Path:
        """Writes all files; gives the configuration's."""
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
        self.planted.add(config)
        return config

    def _write_key(self) -> None:
        key = self.folder / "api-key"
        if not key.exists():
            key.touch(0o600)
            key.write_text(f"{self.sandbox.api_key}\n")
        self.secrets.add(key.read_text().strip())
        self.planted.add(key)

    def _note_secrets(self) -> None:
        """Everything in the files that may be nowhere else: first passwords, pins, quit codes."""
        for person in (*self.students.rows, *self.employees.rows):
            self.secrets.add(person.get("secret", ""))
        hidden = ("SEB_SETTINGS_PINCODE", "LOCKDOWN_QUIT_CODE")
        self.secrets.update(
            row.get("value", "") for row in self.settings.rows if row["option"] in hidden
        )

    def run(self, *words: str) -> Ran:
        """Runs one command in this process."""
        config = self.write()
        self._look_from_here()
        self._capture.readouterr()
        status = run(["--config", str(config), *words])
        captured = self._capture.readouterr()
        self.said += [captured.out, captured.err]
        return Ran(status, captured.out, captured.err)

    def apply(self, *words: str) -> Ran:
        """Applies; whatever comes of it."""
        if not self.state.exists():
            shutil.copy(
                empty_file(), self.state
            )  # as the first apply would make it, which takes its time
        return self.run("apply", "--all", *words)

    def settled(self) -> Ran:
        """Applies where everything must go well."""
        ran = self.apply()
        assert ran.status == 0, ran.said
        return ran

    def plan(self, *words: str) -> Ran:
        """Plans; whatever comes of it."""
        return self.run("plan", "--all", *words)

    def plan_json(self) -> dict[str, Any]:
        """The plan as programs get it."""
        plan: dict[str, Any] = json.loads(self.run("plan", "--json").out)
        return plan

    def planned(self, *verdicts: str) -> list[str]:
        """The plan's changes in its order, such as `remove candidate INF1000-H26/1001`; of some verdicts only."""
        changes = self.plan_json()["changes"]
        return [told(change) for change in changes if not verdicts or change["verdict"] in verdicts]

    def adopt(self, *words: str) -> Ran:
        """Adopts; whatever comes of it."""
        return self.run("adopt", *words)

    def reconcile(self, *words: str) -> Ran:
        """Reconciles; whatever comes of it."""
        return self.run("reconcile", "--all", *words)

    def status(self) -> dict[str, Any]:
        """What `status` tells programs."""
        status: dict[str, Any] = json.loads(self.run("status", "--json").out)
        return status


def told(change: Mapping[str, Any]) -> str:
    """A planned change in few words."""
    return f"{change['action']} {change['kind']} {'/'.join(change['key'])}"


def numbers(first: int, count: int) -> list[str]:
    """Student numbers in a row."""
    return [str(number) for number in range(first, first + count)]


def names(keys: Iterable[str]) -> set[str]:
    """The usernames of students by number."""
    return {f"s{key}" for key in keys}
