"""CSV files in the making, and the made-up people, exams and registrations that stand in them."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

GIVEN = ("Åse", "Bjørn", "Çağla", "Dagfinn", "Éowyn", "Frøydis", "Gudrún", "Håkon")
FAMILY = ("Prøvesen", "Testdóttir", "Øvelsesen", "Eksempelsson")


@dataclass
class Table:
    """A CSV file in the making. `raw` is written instead of the rows when it is given; `hours_old` is its age then."""

    path: Path
    columns: tuple[str, ...]
    names: tuple[str, ...]
    defaults: Callable[[str], Mapping[str, str]]
    delimiter: str = ","
    rows: list[dict[str, str]] = field(default_factory=list)
    raw: bytes | None = None
    hours_old: float = 0

    def add(self, *keys: str, **values: str) -> None:
        """A row for each key (`1001`, `INF1000-H26`, `INF1000-H26 1001`), made up but for `values`."""
        self.rows += [{**self.defaults(key), **values} for key in keys]

    def set(self, key: str, **values: str) -> None:
        """Changes the row with this key."""
        for row in self._of(key):
            row.update(values)

    def drop(self, *keys: str) -> None:
        """Takes rows out."""
        for key in keys:
            for row in self._of(key):
                self.rows.remove(row)

    def line(self, key: str) -> int:
        """The line on which this key's row stands."""
        return self.rows.index(self._of(key)[0]) + 2

    def _of(self, key: str) -> list[dict[str, str]]:
        wanted = {name: self.defaults(key)[name] for name in self.names}
        found = [row for row in self.rows if wanted.items() <= row.items()]
        assert found, f"{self.path.name} has no row {key}"
        return found

    def text(self) -> str:
        """The file's whole text."""
        lines = [self.delimiter.join(self.columns)]
        return "\n".join([*lines, *(self._joined(row) for row in self.rows)]) + "\n"

    def _joined(self, row: Mapping[str, str]) -> str:
        return self.delimiter.join(row.get(name, "") for name in self.columns)

    def write(self) -> None:
        """Writes the file."""
        self.path.write_bytes(self.text().encode() if self.raw is None else self.raw)
        if self.hours_old:
            written = self.path.stat().st_mtime - self.hours_old * 3600
            os.utime(self.path, (written, written))


def student(key: str) -> dict[str, str]:
    """A made-up student by number."""
    number = int(key) if key.isdecimal() else len(key)
    names = {
        "given": GIVEN[number % len(GIVEN)],
        "family": FAMILY[number // len(GIVEN) % len(FAMILY)],
    }
    return {
        "student_no": key,
        "feide": f"s{key}",
        "mail": f"s{key}@example.edu",
        "status": "active",
        **names,
    }


def exam(key: str) -> dict[str, str]:
    """A made-up exam by course and term."""
    course, term = key.split("-")
    times = {"start": "01.12.2026 09:00", "end": "01.12.2026 13:00", "minutes": "240"}
    return {"course": course, "term": term, "name": "Skriftlig prøve", "template": "", **times}


def registration(key: str) -> dict[str, str]:
    """A made-up registration, by test and student number."""
    test, learner = key.split(" ")
    course, term = test.split("-")
    return {"course": course, "term": term, "student_no": learner}


def employee(key: str) -> dict[str, str]:
    """A made-up member of staff by number."""
    person = student(key)
    return {
        "employee_no": key,
        "feide": f"t{key}",
        "mail": f"t{key}@example.edu",
        "given": person["given"],
    } | {"family": f"Ansatt-{person['family']}"}


def grader(key: str) -> dict[str, str]:
    """What a made-up member of staff does on a test, by test and number."""
    test, staff = key.split(" ")
    course, term = test.split("-")
    return {"course": course, "term": term, "employee_no": staff, "duties": "evaluate"}


def panel(key: str) -> dict[str, str]:
    """A made-up committee, by test and name."""
    test, name = key.split(" ", 1)
    course, term = test.split("-")
    return {"course": course, "term": term, "panel": name}


def setting(key: str) -> dict[str, str]:
    """A made-up option, by test and name."""
    test, option = key.split(" ")
    course, term = test.split("-")
    return {"course": course, "term": term, "option": option}


TABLES: Mapping[
    str, tuple[tuple[str, ...], tuple[str, ...], Callable[[str], Mapping[str, str]], str]
] = {
    "students": (
        ("student_no", "feide", "given", "family", "mail", "status", "secret"),
        ("student_no",),
        student,
        ",",
    ),
    "exams": (
        ("course", "term", "name", "start", "end", "minutes", "template"),
        ("course", "term"),
        exam,
        ";",
    ),
    "registrations": (
        ("course", "term", "student_no", "number", "extra", "room"),
        ("course", "term", "student_no"),
        registration,
        ",",
    ),
    "employees": (
        ("employee_no", "feide", "given", "family", "mail", "status", "rights", "secret"),
        ("employee_no",),
        employee,
        ",",
    ),
    "graders": (
        ("course", "term", "employee_no", "duties", "committees", "room", "notify"),
        ("course", "term", "employee_no"),
        grader,
        ",",
    ),
    "panels": (("course", "term", "panel", "type"), ("course", "term", "panel"), panel, ","),
    "settings": (("course", "term", "option", "value"), ("course", "term", "option"), setting, ","),
}
"""Every file by the name of its source: its columns, those of its key, how a row is made up, and its delimiter."""


def table(folder: Path, name: str) -> Table:
    """The file of this source, empty."""
    columns, names, defaults, delimiter = TABLES[name]
    return Table(folder / f"{name}.csv", columns, names, defaults, delimiter)
