"""A made-up campus in five CSV files, large enough for a storm, and what Inspera must hold once they are applied.

The expectation is worked out from the rows themselves, by code that shares nothing with the tool.
"""

import csv
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

Rows = dict[Any, dict[str, str]]

CONFIG = """\
inspera:
  url: {url}
  client_id: example
  api_key: ${{file:api-key}}
  calls_per_second: 5000
  workers: 8
  attempts: 6
  batch_size: 10
  read_timeout: 400ms
  retry_after_ceiling: 200ms
  read_after_write_delay: 400ms
  call_timeout: 400ms
state: sqlite:///state.db
sources:
  students: {{type: csv, path: students.csv, completeness: {{shrink: {{percent: 100}}}}}}
  staff: {{type: csv, path: staff.csv, completeness: {{shrink: {{percent: 100}}}}}}
  exams: {{type: csv, path: exams.csv, completeness: {{shrink: {{percent: 100}}}}}}
  contributors: {{type: csv, path: contributors.csv, completeness: {{shrink: {{percent: 100}}}}}}
  registrations: {{type: csv, path: registrations.csv, completeness: {{shrink: {{percent: 100}}}}}}
feeds:
  - kind: learner
    source: students
    auth_system: FEIDE
    map: {{key: number, username: login, external_id: login, first_name: given, last_name: family}}
  - kind: staff
    source: staff
    auth_system: FEIDE
    map: {{key: number, username: login, external_id: login, first_name: given, last_name: family, status: status}}
  - kind: test
    source: exams
    map:
      external_test_id: exam
      title: title
      start: {{column: start}}
      end: {{column: end}}
      duration: minutes
      template: {{constant: "1001"}}
  - kind: option
    source: exams
    map: {{test: exam, option: {{constant: LOCKDOWN_BROWSER}}, value: lockdown}}
  - kind: option
    source: exams
    map: {{test: exam, option: {{constant: SEB_SETTINGS_PINCODE}}, value: pin}}
  - kind: contributor
    source: contributors
    map: {{test: exam, staff: number, roles: role, committees: committee, room: room, notify: notify}}
  - kind: candidate
    source: registrations
    map: {{test: exam, learner: number, candidate_id: seat, extra_time: extra, room: room, committees: committee}}
on_absence: {{staff: delete, committee: remove}}
grace: {{readings: 1, age: 0s, staff_age: 0s}}
limits:
  kind: {{at_least: 100000, percent: 100, at_most: 100000}}
  test: {{at_least: 100000, percent: 100, at_most: 100000}}
  updates: {{at_least: 100000, percent: 100}}
"""


class StormRows:
    """Rows by key, to be changed at will before `write`; `today` is aware, and all tests lie after it."""

    def __init__(self, folder: Path, today: datetime) -> None:
        self.folder, self._today = folder, today.replace(minute=0, second=0, microsecond=0)
        self.students: Rows = {}
        self.staff: Rows = {}
        self.exams: Rows = {}
        self.contributors: Rows = {}
        self.registrations: Rows = {}
        self._hired = 0

    def grow(self, students: int, staff: int, exams: int, seats: int) -> None:
        """Adds people and exams; each new exam gets two options, four contributors with two committees, and seats."""
        first_student, first_exam = len(self.students), len(self.exams)
        for number in range(first_student, first_student + students):
            self.students[f"s{number}"] = {"login": f"s{number}@example.edu", **_name(number)}
        hired = range(self._hired, self._hired + staff)
        self._hired += staff
        for number in hired:
            self.staff[f"a{number}"] = {
                "login": f"a{number}@example.edu",
                "status": "active",
                **_name(number),
            }
        learners, graders = list(self.students), [f"a{number}" for number in hired]
        for number in range(first_exam, first_exam + exams):
            self._add_exam(number, graders)
            for seat in range(seats):
                learner = learners[first_student + (number * 11 + seat * 3) % students]
                self.registrations[f"E{number}", learner] = {
                    "seat": str(seat + 1),
                    "extra": "30" if seat % 5 == 0 else "",
                    "room": f"R{seat % 4}",
                    "committee": "AB"[seat % 2],
                }

    def _add_exam(self, number: int, graders: list[str]) -> None:
        start = self._today + timedelta(days=2 + number % 40)
        self.exams[f"E{number}"] = {
            "title": f"E{number} Prøve",
            "start": start.isoformat(),
            "end": (start + timedelta(hours=4)).isoformat(),
            "minutes": "240",
            "lockdown": "true" if number % 2 else "false",
            "pin": f"Storm{number}x",
        }
        for place in range(4):
            self.contributors[f"E{number}", graders[(number + place) % len(graders)]] = {
                "role": "evaluate" if place else "evaluate;plan",
                "committee": "AB"[place % 2],
                "room": "",
                "notify": "true" if place == 3 else "",
            }

    def change_all(self) -> None:
        """Changes, adds and takes away something of every kind among what is there."""
        for number, learner in enumerate(list(self.students)):
            if number % 4 == 0:
                self.students[learner]["family"] += "-Endret"
        for number, exam in enumerate(list(self.exams)):
            self.exams[exam]["title"] += " II"
            self.exams[exam]["lockdown"] = (
                "false" if self.exams[exam]["lockdown"] == "true" else "true"
            )
            self.exams[exam]["pin"] += "9"
            mine = [key for key in self.contributors if key[0] == exam]
            self.contributors[mine[0]]["role"] = "evaluate;monitor"
            for row in (
                row
                for key, row in self.contributors.items()
                if key[0] == exam and row["committee"] == "B"
            ):
                row["committee"] = "C"
            seats = [key for key in self.registrations if key[0] == exam]
            del self.contributors[mine[-1]]
            for key in seats:
                self.registrations[key]["committee"] = (
                    "C" if self.registrations[key]["committee"] == "B" else "A"
                )
            for key in seats[: 2 + number % 3]:
                del self.registrations[key]
        named = {staff for _, staff in self.contributors}
        idle = [key for key in self.staff if key not in named]
        for key in idle[: len(idle) // 2]:
            del self.staff[key]
        for key in idle[len(idle) // 2 :]:
            self.staff[key]["status"] = "disabled"

    def write(self, url: str) -> Path:
        """Writes the files; gives the configuration's."""
        self._file("students", ("number",), self.students)
        self._file("staff", ("number",), self.staff)
        self._file("exams", ("exam",), self.exams)
        self._file("contributors", ("exam", "number"), self.contributors)
        self._file("registrations", ("exam", "number"), self.registrations)
        key = self.folder / "api-key"
        if not key.exists():
            key.touch(0o600)
            key.write_text("sandbox-key\n")
        config = self.folder / "inspera-sync.yaml"
        config.write_text(CONFIG.format(url=url), encoding="utf-8")
        return config

    def _file(self, name: str, keys: tuple[str, ...], rows: Rows) -> None:
        columns = [*keys, *next(iter(rows.values()))]
        with (self.folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            for key, row in rows.items():
                parts = (key,) if isinstance(key, str) else key
                writer.writerow({**dict(zip(keys, parts, strict=True)), **row})

    def expected(self) -> dict[str, Any]:
        """What Inspera must hold: everything by its own names, as plain values."""
        return {
            "students": {
                row["login"]: (row["given"], row["family"]) for row in self.students.values()
            },
            "staff": {
                row["login"]: (row["given"], row["family"], row["status"].upper())
                for row in self.staff.values()
            },
            "tests": {exam: self._test(exam, row) for exam, row in self.exams.items()},
        }

    def _test(self, exam: str, row: Mapping[str, str]) -> dict[str, Any]:
        contributors = {
            self.staff[key[1]]["login"]: (sorted(one["role"].split(";")), [one["committee"]])
            for key, one in self.contributors.items()
            if key[0] == exam
        }
        seats = {
            self.students[key[1]]["login"]: (
                one["seat"],
                int(one["extra"] or 0),
                one["room"],
                [one["committee"]],
            )
            for key, one in self.registrations.items()
            if key[0] == exam
        }
        named = {name for _, names in contributors.values() for name in names} | {
            one[3][0] for one in seats.values()
        }
        return {
            "title": row["title"],
            "times": (_utc(row["start"]), _utc(row["end"]), int(row["minutes"])),
            "templates sent": 1,
            "options": {
                "LOCKDOWN_BROWSER": row["lockdown"] == "true",
                "SEB_SETTINGS_PINCODE": _sha(row["pin"]),
            },
            "committees": sorted(named),
            "contributors": contributors,
            "candidates": seats,
        }


def held(contents: Mapping[str, Any]) -> dict[str, Any]:
    """What the sandbox says that it holds, in the words of `StormRows.expected`."""
    return {
        "students": {
            one["username"]: (one["firstName"], one["lastName"]) for one in contents["students"]
        },
        "staff": {
            one["username"]: (one["firstName"], one["lastName"], one["status"])
            for one in contents["staff"]
        },
        "tests": {one["externalTestId"]: _held_test(one) for one in contents["tests"]},
    }


def _held_test(test: Mapping[str, Any]) -> dict[str, Any]:
    options = {
        name: value["sha256"] if isinstance(value, dict) else value
        for group in test["options"].values()
        for name, value in group.items()
    }
    return {
        "title": test["title"],
        "times": (test["startTime"], test["endTime"], test["duration"]),
        "templates sent": test["templates_sent"],
        "options": options,
        "committees": sorted(one["name"] for one in test["committees"]),
        "contributors": {
            one["username"]: (one["roles"], one["committees"]) for one in test["contributors"]
        },
        "candidates": {
            one["username"]: (
                one["candidateId"],
                one["extraTimeMins"],
                one["roomName"],
                one["committees"],
            )
            for one in test["candidates"]
        },
    }


def _name(number: int) -> dict[str, str]:
    return {"given": f"Prøve{number}", "family": "Testesen"}


def _utc(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _sha(text: str) -> str:
    return sha256(text.encode()).hexdigest()
