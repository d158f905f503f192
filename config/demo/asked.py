"""What the demo's CSV files ask for, by their own word alone. Used by `expected.py`.

It shares no code with the programme that it judges, nor with what makes the files. Needs nothing but Python.
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
"""Stands for a record of which a row cannot be read but for its key."""


@dataclass
class Holdings:
    """What Inspera holds: people by username, tests by external id, what is on a test by that and a second part.

    Each thing has a `copies` field, so that a second account, test or seat is a difference.
    """

    learners: Things = field(default_factory=dict)
    staff: Things = field(default_factory=dict)
    tests: Things = field(default_factory=dict)
    options: Things = field(default_factory=dict)
    committees: Things = field(default_factory=dict)
    contributors: Things = field(default_factory=dict)
    candidates: Things = field(default_factory=dict)


def rows(path: Path, delimiter: str = ",") -> Iterator[dict[str, str]]:
    """The rows of a file, each value stripped and in one Unicode form."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter=delimiter):
            yield {name: unicodedata.normalize("NFC", value.strip()) for name, value in row.items()}


def utc(local: str) -> str:
    """A time on the clocks of Oslo, as Inspera says it."""
    moment = datetime.strptime(local, "%d.%m.%Y %H:%M").replace(tzinfo=ZoneInfo("Europe/Oslo"))
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def minutes_of(extra: str, duration: int) -> int | str:
    """Extra time in minutes; a share of the test's length is rounded up, and an empty cell says nothing.

    Raises:
        ValueError: it is neither a number nor a percentage.
    """
    if extra.endswith("%"):
        return -(-duration * int(extra[:-1]) // 100)
    return int(extra) if extra else ""


def list_of(cell: str) -> list[str]:
    """The items of a cell, sorted; an empty cell has none."""
    return sorted({item.strip() for item in cell.split(";")} - {""})


def name_of(row: Mapping[str, str]) -> str:
    """The external id of the test that a row names."""
    return f"{row['course']}-{row['term']}"


def person_of(row: Mapping[str, str]) -> Thing:
    """What a row of students.csv or staff.csv asks for, if its email can be one."""
    if row["mail"] and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", row["mail"]):
        return UNREADABLE
    identity = {"external ids": [("FEIDE", row["feide"])], "copies": 1}
    return {
        "first name": row["given"],
        "last name": row["family"],
        "email": row["mail"],
        **identity,
    }


def employee_of(row: Mapping[str, str]) -> Thing:
    """What a row of staff.csv asks for; of somebody who has left no more than that."""
    if row["status"] == "left":
        return {"status": "DISABLED"}
    person = person_of(row)
    return {**person, "status": "ACTIVE"} if person else UNREADABLE


def test_of(row: Mapping[str, str]) -> Thing:
    """What a row of exams.csv asks for; its template is sent once, when the test is made."""
    return {
        "title": f"{row['course']} {row['name']}",
        "start": utc(row["start"]),
        "end": utc(row["end"]),
        "duration": int(row["minutes"]),
        "template": row["template"] or DEFAULT_TEMPLATE,
        "templates sent": 1,
        "copies": 1,
    }


def options_of(row: Mapping[str, str]) -> Iterator[tuple[str, Thing]]:
    """The options that a row of exams.csv asks for, by name. Of a pin nobody keeps more than a digest."""
    for column, option in SWITCHES.items():
        if row[column]:
            yield option, {"value": {"yes": "true", "no": "false"}[row[column]], "copies": 1}
    if row["pin"]:
        yield PIN, {"digest": sha256(row["pin"].encode()).hexdigest(), "copies": 1}


def with_role(work: Thing | None, row: Mapping[str, str]) -> Thing:
    """A contributor with what another row of contributors.csv adds: a role, committees. Nobody is ever told by mail.

    One row that cannot be read, or rows that name different rooms, make all of them unreadable.
    """
    done = {"room": row["room"], "told": 0, "copies": 1} if work is None else work
    if row["role"] not in ROLES or row["room"] != done.get("room"):
        return UNREADABLE
    added = {"roles": [row["role"]], "committees": list_of(row["committee"])}
    return {
        **done,
        **{name: sorted({*items(done, name), *more}) or "" for name, more in added.items()},
    }


def items(thing: Mapping[str, object], name: str) -> list[str]:
    """A field that is a list."""
    value = thing.get(name)
    return list(value) if isinstance(value, list) else []


def seat_of(row: Mapping[str, str], test: Thing) -> Thing:
    """What a row of registrations.csv asks for, on that test."""
    try:
        extra = minutes_of(row["extra"], int(str(test["duration"])))
    except ValueError:
        return UNREADABLE
    place = {"room": row["room"], "committees": list_of(row["committee"]) or ""}
    return {"number": row["number"], "extra minutes": extra, **place, "copies": 1}


def asked(folder: Path) -> Holdings:
    """What the files in a folder ask for. Of staff also those who have left, as disabled."""
    wanted = Holdings()
    login: dict[str, str] = {}
    for row in rows(folder / "students.csv"):
        login[row["student_no"]] = row["feide"]
        if row["status"] in {"active", "exchange"}:
            wanted.learners[(row["feide"],)] = person_of(row)
    for row in rows(folder / "staff.csv"):
        login[row["employee_no"]] = row["feide"]
        wanted.staff[(row["feide"],)] = employee_of(row)
    for row in rows(folder / "exams.csv", ";"):
        wanted.tests[(name_of(row),)] = test_of(row)
        wanted.options.update({(name_of(row), option): thing for option, thing in options_of(row)})
    for row in rows(folder / "contributors.csv"):
        key = name_of(row), login[row["employee_no"]]
        wanted.contributors[key] = with_role(wanted.contributors.get(key), row)
    for row in rows(folder / "registrations.csv"):
        key = name_of(row), login[row["student_no"]]
        wanted.candidates[key] = seat_of(row, wanted.tests[key[:1]])
    for (test, _), thing in (*wanted.contributors.items(), *wanted.candidates.items()):
        for name in items(thing, "committees"):
            wanted.committees[test, name] = {"type": "GRADING", "copies": 1}
    return wanted
