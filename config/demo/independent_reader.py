"""What the demo's CSV files ask for, by themselves. Used by `check_contents.py`.

It shares no code with the programme that it judges, nor with what makes the files. Needs nothing
but Python.
"""

import csv
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

Thing = dict[str, object]
"""One learner, test, candidate and so on: its fields by the names used in the printout."""

Things = dict[tuple[str, ...], Thing]

DEFAULT_TEMPLATE = "1001"
ROLES = frozenset(
    {"evaluate", "monitor", "plan", "author", "invigilate", "chief_invigilate", "review"}
)
SWITCHES = {
    "lockdown": "LOCKDOWN_BROWSER",
    "explanation": "EXPLANATION_OF_GRADES_ADMINISTRATION_ENABLED",
}
"""Columns of exams.csv that are options, on or off."""

PIN = "SEB_SETTINGS_PINCODE"
UNREADABLE: Thing = {}
"""Stands for a record with a row of which only the key can be read."""


@dataclass
class Contents:
    """The contents of Inspera: people by username, tests by external id, members by both.

    Each thing has a `copies` field, so that a second account, test or seat is a difference.
    """

    learners: Things = field(default_factory=dict)
    staff: Things = field(default_factory=dict)
    tests: Things = field(default_factory=dict)
    options: Things = field(default_factory=dict)
    committees: Things = field(default_factory=dict)
    contributors: Things = field(default_factory=dict)
    candidates: Things = field(default_factory=dict)


def read_rows(path: Path, delimiter: str = ",") -> Iterator[dict[str, str]]:
    """Yield the rows of a file, each value stripped and in one Unicode form."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter=delimiter):
            yield {name: unicodedata.normalize("NFC", value.strip()) for name, value in row.items()}


def utc(local: str) -> str:
    """Return a time on the clocks of Oslo as Inspera writes it."""
    moment = datetime.strptime(local, "%d.%m.%Y %H:%M").replace(tzinfo=ZoneInfo("Europe/Oslo"))
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def minutes_from(extra: str, duration: int) -> int | str:
    """Return extra time in minutes; a share of the test's length is rounded up.

    Raises:
        ValueError: it is neither a number nor a percentage.
    """
    if extra.endswith("%"):
        return -(-duration * int(extra[:-1]) // 100)
    return int(extra) if extra else ""


def list_from(cell: str) -> list[str]:
    """Return the items of a cell, sorted; an empty cell has none."""
    return sorted({item.strip() for item in cell.split(";")} - {""})


def test_key(row: Mapping[str, str]) -> str:
    """Return the external id of the test that a row names."""
    return f"{row['course']}-{row['term']}"


def person_from(row: Mapping[str, str]) -> Thing:
    """Return what a row of students.csv or staff.csv asks for, if its email can be one."""
    if row["mail"] and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", row["mail"]):
        return UNREADABLE
    identity = {"external ids": [("FEIDE", row["feide"])], "copies": 1}
    return {
        "first name": row["given"],
        "last name": row["family"],
        "email": row["mail"],
        **identity,
    }


def employee_from(row: Mapping[str, str]) -> Thing:
    """Return what a row of staff.csv asks for; of somebody who has left no more than that."""
    if row["status"] == "left":
        return {"status": "DISABLED"}
    person = person_from(row)
    return {**person, "status": "ACTIVE"} if person else UNREADABLE


def test_from(row: Mapping[str, str]) -> Thing:
    """Return what a row of exams.csv asks for; its template is sent once, when the test is made."""
    return {
        "title": f"{row['course']} {row['name']}",
        "start": utc(row["start"]),
        "end": utc(row["end"]),
        "duration": int(row["minutes"]),
        "template": row["template"] or DEFAULT_TEMPLATE,
        "templates sent": 1,
        "copies": 1,
    }


def options_from(row: Mapping[str, str]) -> Iterator[tuple[str, Thing]]:
    """Yield the options that a row of exams.csv asks for, by name. A pin becomes a digest."""
    for column, option in SWITCHES.items():
        if row[column]:
            yield option, {"value": {"yes": "true", "no": "false"}[row[column]], "copies": 1}
    if row["pin"]:
        yield PIN, {"digest": sha256(row["pin"].encode()).hexdigest(), "copies": 1}


def add_role(work: Thing | None, row: Mapping[str, str]) -> Thing:
    """Return a contributor with the role and committees that another row adds. Nobody gets mail.

    One row that cannot be read, or rows that name different rooms, make all of them unreadable.
    """
    done = {"room": row["room"], "told": 0, "copies": 1} if work is None else work
    if row["role"] not in ROLES or row["room"] != done.get("room"):
        return UNREADABLE
    added = {"roles": [row["role"]], "committees": list_from(row["committee"])}
    return {
        **done,
        **{name: sorted({*items(done, name), *more}) or "" for name, more in added.items()},
    }


def items(thing: Mapping[str, object], name: str) -> list[str]:
    """Return a field that is a list."""
    value = thing.get(name)
    return list(value) if isinstance(value, list) else []


def candidate_from(row: Mapping[str, str], test: Thing) -> Thing:
    """Return what a row of registrations.csv asks for, on that test."""
    try:
        extra = minutes_from(row["extra"], int(str(test["duration"])))
    except ValueError:
        return UNREADABLE
    place = {"room": row["room"], "committees": list_from(row["committee"]) or ""}
    return {"number": row["number"], "extra minutes": extra, **place, "copies": 1}


def read_files(folder: Path) -> Contents:
    """Return what the files in a folder ask for; staff who have left are in it, as disabled."""
    wanted = Contents()
    login: dict[str, str] = {}
    for row in read_rows(folder / "students.csv"):
        login[row["student_no"]] = row["feide"]
        if row["status"] in {"active", "exchange"}:
            wanted.learners[(row["feide"],)] = person_from(row)
    for row in read_rows(folder / "staff.csv"):
        login[row["employee_no"]] = row["feide"]
        wanted.staff[(row["feide"],)] = employee_from(row)
    for row in read_rows(folder / "exams.csv", ";"):
        wanted.tests[(test_key(row),)] = test_from(row)
        wanted.options.update(
            {(test_key(row), option): thing for option, thing in options_from(row)}
        )
    for row in read_rows(folder / "contributors.csv"):
        key = test_key(row), login[row["employee_no"]]
        wanted.contributors[key] = add_role(wanted.contributors.get(key), row)
    for row in read_rows(folder / "registrations.csv"):
        key = test_key(row), login[row["student_no"]]
        wanted.candidates[key] = candidate_from(row, wanted.tests[key[:1]])
    for (test, _), thing in (*wanted.contributors.items(), *wanted.candidates.items()):
        for name in items(thing, "committees"):
            wanted.committees[test, name] = {"type": "GRADING", "copies": 1}
    return wanted
