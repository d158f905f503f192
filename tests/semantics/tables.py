"""CSV files in the making, and the made-up people, exams and registrations that stand in them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

GIVEN = ("Åse", "Bjørn", "Çağla", "Dagfinn", "Éowyn", "Frøydis", "Gudrún", "Håkon")
FAMILY = ("Prøvesen", "Testdóttir", "Øvelsesen", "Eksempelsson")


@dataclass
class Table:
    """A CSV file in the making. `raw` is written instead of the rows when it is given."""

    path: Path
    columns: tuple[str, ...]
    names: tuple[str, ...]
    defaults: Callable[[str], Mapping[str, str]]
    delimiter: str = ","
    rows: list[dict[str, str]] = field(default_factory=list)
    raw: bytes | None = None

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


def student(key: str) -> dict[str, str]:
    """A made-up student by number."""
    number = int(key) if key.isdecimal() else len(key)
    names = {"given": GIVEN[number % len(GIVEN)], "family": FAMILY[number // len(GIVEN) % len(FAMILY)]}
    return {"student_no": key, "feide": f"s{key}", "mail": f"s{key}@example.edu", "status": "active", **names}


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
