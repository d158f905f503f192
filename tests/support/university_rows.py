"""A made-up university in three CSV files, and what Inspera must hold once they have been applied.

The expectation is worked out from the rows themselves, by code that shares nothing with the tool.
"""

import csv
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

OSLO = ZoneInfo("Europe/Oslo")
TEMPLATE = "1001"

GIVEN = (
    "Åse",
    "Bjørn",
    "Çağla",
    "Dagfinn",
    "Éowyn",
    "Frøydis",
    "Gudrún",
    "Håkon",
    "Íñigo",
    "Łucja",
)
FAMILY = ("Prøvesen", "Testdóttir", "Øvelsesen", "Eksempelsson", "Överläggning", "Påfunnsen")

Contents = Mapping[str, Mapping[Any, Any]]
"""Learners by username, tests by external id, and seats by both, each as plain values."""

CONFIG = """\
inspera:
  url: {url}
  client_id: example
  api_key: ${{file:api-key}}
  calls_per_second: {calls_per_second}
  workers: {workers}
  attempts: 3
  batch_size: {batch_size}
  call_timeout: 0s
  read_after_write_delay: {read_after_write_delay}
state: sqlite:///state.db
grace: {{readings: 1, age: 0s}}
sources:
  students: {{type: csv, path: students.csv}}
  exams: {{type: csv, path: exams.csv, delimiter: ";"}}
  registrations: {{type: csv, path: registrations.csv}}
feeds:
  - kind: learner
    source: students
    auth_system: FEIDE
    map: {{key: student_no, username: feide, external_id: feide, first_name: given, last_name: family, email: mail}}
  - kind: test
    source: exams
    map:
      external_test_id: exam
      title: "{{exam}} {{name}}"
      start: {{column: start, format: "%d.%m.%Y %H:%M", zone: Europe/Oslo}}
      end: {{column: end, format: "%d.%m.%Y %H:%M", zone: Europe/Oslo}}
      duration: {{column: minutes}}
      template: {{column: template}}
  - kind: candidate
    source: registrations
    map: {{test: exam, learner: student_no, candidate_id: number, extra_time: extra}}
"""

SETTINGS: Mapping[str, object] = {
    "calls_per_second": 1000,
    "workers": 4,
    "batch_size": 10,
    "read_after_write_delay": "300ms",
}


class UniversityRows:
    """40 students, 6 exams (four within a week of `today`, two weeks later), 20 seats on each.

    `students`, `exams` and `seats` hold the rows by key, to be changed at will before `write`.
    """

    def __init__(self, folder: Path, today: date) -> None:
        self.folder = folder
        self.students = {str(number): _student(number) for number in range(1001, 1041)}
        days = (2, 3, 4, 5, 20, 20)
        self.exams = {
            f"PRV{number}-H26": _exam(today + timedelta(days=day))
            for number, day in enumerate(days, 1)
        }
        numbers = list(self.students)
        self.seats = {
            (exam, numbers[(7 * place + turn) % 40]): {
                "number": str(turn + 1),
                "extra": "30" if turn % 7 == 0 else "",
            }
            for place, exam in enumerate(self.exams)
            for turn in range(20)
        }

    def write(self, url: str, **settings: object) -> Path:
        """Writes the files; gives the configuration's."""
        students = [{"student_no": key, **row} for key, row in self.students.items()]
        exams = [{"exam": key, **_as_written(row)} for key, row in self.exams.items()]
        seats = [
            {"exam": exam, "student_no": number, **row}
            for (exam, number), row in self.seats.items()
        ]
        _write(self.folder / "students.csv", students)
        _write(self.folder / "exams.csv", exams, ";")
        _write(self.folder / "registrations.csv", seats)
        key = self.folder / "api-key"
        key.touch(0o600)
        key.write_text("sandbox-key\n")
        config = self.folder / "inspera-sync.yaml"
        config.write_text(CONFIG.format(url=url, **{**SETTINGS, **settings}), encoding="utf-8")
        return config

    def expected(self) -> Contents:
        """What Inspera must hold when nothing is left to be done; each template sent once."""
        return {
            "people": {
                row["feide"]: (row["given"], row["family"], row["mail"])
                for row in self.students.values()
            },
            "tests": {
                exam: (
                    f"{exam} {row['name']}",
                    *map(_utc, (row["start"], row["end"])),
                    row["minutes"],
                    TEMPLATE,
                    1,
                )
                for exam, row in self.exams.items()
            },
            "seats": {
                (exam, self.students[number]["feide"]): (row["number"], int(row["extra"] or 0))
                for (exam, number), row in self.seats.items()
            },
        }

    def correct_names(self) -> None:
        """Twenty students' names change."""
        for number in list(self.students)[:20]:
            self.students[number]["family"] += "-Nynavn"

    def move_exams(self) -> None:
        """Every exam is moved by a day, and called something else."""
        for row in self.exams.values():
            row["start"] += timedelta(days=1)
            row["end"] += timedelta(days=1)
            row["name"] = "Flyttet prøve"

    def give_more_time(self) -> None:
        """Eight candidates on each of three exams get more extra time."""
        for exam in list(self.exams)[:3]:
            for key in self._seats_on(exam)[:8]:
                self.seats[key]["extra"] = "45"

    def withdraw_some(self) -> None:
        """Five candidates leave each of two exams, which the limits of removals let pass."""
        for exam in list(self.exams)[:2]:
            for key in self._seats_on(exam)[3:8]:
                del self.seats[key]

    def register_more(self) -> None:
        """Fifteen students register late for each of two other exams."""
        for exam in list(self.exams)[2:4]:
            there = {number for _, number in self._seats_on(exam)}
            late = [number for number in self.students if number not in there][:15]
            self.seats |= {(exam, number): {"number": f"L{number}", "extra": ""} for number in late}

    def change_everything(self) -> None:
        """A day on which learners, exams and seats change all at once."""
        for change in (
            self.correct_names,
            self.move_exams,
            self.give_more_time,
            self.withdraw_some,
        ):
            change()
        self.register_more()

    def _seats_on(self, exam: str) -> list[tuple[str, str]]:
        return [key for key in self.seats if key[0] == exam]


def _student(number: int) -> dict[str, str]:
    names = {"given": GIVEN[number % len(GIVEN)], "family": FAMILY[number % len(FAMILY)]}
    return {"feide": f"s{number}", "mail": f"s{number}@example.edu", **names}


def _exam(day: date) -> dict[str, Any]:
    start = datetime(day.year, day.month, day.day, 9, tzinfo=OSLO)
    end = start.replace(hour=13)
    return {
        "name": "Skriftlig prøve",
        "start": start,
        "end": end,
        "minutes": 240,
        "template": TEMPLATE,
    }


def _as_written(row: Mapping[str, Any]) -> dict[str, Any]:
    times = {name: row[name].strftime("%d.%m.%Y %H:%M") for name in ("start", "end")}
    return {**row, **times}


def _utc(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _write(path: Path, rows: Iterable[Mapping[str, Any]], delimiter: str = ",") -> None:
    listed = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(listed[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(listed)
