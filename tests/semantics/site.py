"""A made-up university: three CSV files, a configuration, a sandbox for Inspera, and a clock that only tests turn."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import yaml
from sync.cli import run
from sync.sandbox import Sandbox

from .tables import Table, exam, registration, student

TEST = "INF1000-H26"
"""The test that most stories are about: 1 December 2026, 08:00 to 12:00 UTC, 240 minutes."""
OTHER = "MAT1100-H26"

BEFORE, NEXT_DAY = "2026-09-01T08:00", "2026-09-02T08:00"
DURING, DAY_AFTER = "2026-12-01T09:30", "2026-12-02T09:30"
"""Times in UTC: long before the tests, and when what was refused then is tried again; in the middle of the tests, and
the day after."""

CONFIG = """
inspera:
  url: ""
  client_id: example
  api_key: ${file:api-key}
  calls_per_second: 5000
  workers: 4
  attempts: 3
  visibility_delay: 0
state: sqlite:///state.db
sources:
  students: {type: csv, path: students.csv}
  exams: {type: csv, path: exams.csv, delimiter: ";"}
  registrations: {type: csv, path: registrations.csv}
feeds:
  - kind: learner
    source: students
    auth_system: FEIDE
    where: {status: [active, exchange]}
    map: {key: student_no, username: feide, external_id: feide, first_name: given, last_name: family, email: mail}
  - kind: test
    source: exams
    map:
      external_test_id: "{course}-{term}"
      title: "{course} {name}"
      start: {column: start, format: "%d.%m.%Y %H:%M", zone: Europe/Oslo}
      end: {column: end, format: "%d.%m.%Y %H:%M", zone: Europe/Oslo}
      duration: {column: minutes}
      template: {column: template, default: "1001"}
  - kind: candidate
    source: registrations
    map: {test: "{course}-{term}", learner: student_no, candidate_id: number, extra_time: extra}
"""


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


class Site:
    """One university with its Inspera. Files are written when a command runs; `time` is what every clock shows."""

    def __init__(self, folder: Path, capture: Capture) -> None:
        self.folder, self._capture = folder, capture
        self.time = datetime.fromisoformat(BEFORE).replace(tzinfo=UTC)
        self.config: dict[str, Any] = yaml.safe_load(CONFIG)
        self.students = Table(
            folder / "students.csv",
            ("student_no", "feide", "given", "family", "mail", "status", "secret"),
            ("student_no",),
            student,
        )
        self.exams = Table(
            folder / "exams.csv",
            ("course", "term", "name", "start", "end", "minutes", "template"),
            ("course", "term"),
            exam,
            ";",
        )
        self.registrations = Table(
            folder / "registrations.csv",
            ("course", "term", "student_no", "number", "extra", "room"),
            ("course", "term", "student_no"),
            registration,
        )
        self.sandbox = Sandbox(clock=lambda: self.time)
        self._seen = 0

    @property
    def tables(self) -> tuple[Table, Table, Table]:
        """All three files."""
        return self.students, self.exams, self.registrations

    @property
    def state(self) -> Path:
        """The state's file."""
        return self.folder / "state.db"

    def at(self, moment: str) -> None:
        """Turns the clock; `moment` is in UTC."""
        self.time = datetime.fromisoformat(moment).replace(tzinfo=UTC)

    def feed(self, kind: str) -> dict[str, Any]:
        """The configuration of the feed of this kind."""
        found: dict[str, Any] = next(feed for feed in self.config["feeds"] if feed["kind"] == kind)
        return found

    def only(self, *kinds: str) -> None:
        """Keeps the feeds of these kinds and no others."""
        self.config["feeds"] = [feed for feed in self.config["feeds"] if feed["kind"] in kinds]

    def seat(self, test: str, *learners: str) -> None:
        """Students, where they are new, and their registrations for a test, which is made where it is new."""
        known = {row["student_no"] for row in self.students.rows}
        self.students.add(*(learner for learner in learners if learner not in known))
        if test not in {f"{row['course']}-{row['term']}" for row in self.exams.rows}:
            self.exams.add(test)
        self.registrations.add(*(f"{test} {learner}" for learner in learners))

    def write(self) -> Path:
        """Writes all files; gives the configuration's."""
        for table in self.tables:
            table.write()
        key = self.folder / "api-key"
        if not key.exists():
            key.touch(0o600)
            key.write_text("sandbox-key\n")
        self.config["inspera"]["url"] = self.config["inspera"]["url"] or self.sandbox.url
        config = self.folder / "inspera-sync.yaml"
        config.write_text(yaml.safe_dump(self.config, allow_unicode=True), encoding="utf-8")
        return config

    def run(self, *words: str) -> Ran:
        """Runs one command in this process."""
        config = self.write()
        self._seen = max((call["seq"] for call in self.sandbox.requests(self._seen)), default=self._seen)
        self._capture.readouterr()
        status = run(["--config", str(config), *words])
        captured = self._capture.readouterr()
        return Ran(status, captured.out, captured.err)

    def apply(self, *words: str) -> Ran:
        """Applies; whatever comes of it."""
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

    def people(self) -> dict[str, dict[str, Any]]:
        """Inspera's learners by username."""
        return {one["username"]: one for one in self.sandbox.contents()["students"]}

    def tests(self) -> dict[str, dict[str, Any]]:
        """Inspera's tests by external id."""
        return {one["externalTestId"]: one for one in self.sandbox.contents()["tests"]}

    def seats(self, test: str = TEST) -> dict[str, dict[str, Any]]:
        """A test's candidates in Inspera by username."""
        return {one["username"]: one for one in self.tests()[test]["candidates"]}

    def calls(self) -> list[dict[str, Any]]:
        """Every call of the last command."""
        return self.sandbox.requests(self._seen)

    def writes(self) -> list[str]:
        """The last command's writing calls, such as `POST /v1/users/student`."""
        return [f"{call['method']} {call['path'].removeprefix('/api')}" for call in self.sent()]

    def sent(self) -> list[dict[str, Any]]:
        """The last command's writing calls, whole."""
        return [call for call in self.calls() if call["method"] != "GET" and "authenticate" not in call["path"]]

    def fail(self, **rule: Any) -> None:
        """Makes Inspera fail as the rule says, from now on."""
        self.sandbox.control(fail=[rule])

    def heal(self) -> None:
        """Ends all failing."""
        self.sandbox.control(fail=[])


def told(change: Mapping[str, Any]) -> str:
    """A planned change in few words."""
    return f"{change['action']} {change['kind']} {'/'.join(change['key'])}"


def numbers(first: int, count: int) -> list[str]:
    """Student numbers in a row."""
    return [str(number) for number in range(first, first + count)]


def names(keys: Iterable[str]) -> set[str]:
    """The usernames of students by number."""
    return {f"s{key}" for key in keys}
