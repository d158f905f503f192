"""Works out from the demo's CSV files what Inspera should hold, and compares it with what the sandbox holds.

    python expected.py FOLDER CONTENTS.json [--before EARLIER_FOLDER]

CONTENTS.json is the sandbox's answer to `GET /_sandbox/contents`. `--before` names the folder with the files of the day
before: what a row that cannot be read is worth, and who was there already. Prints each difference and exits 1 when
there is one. It shares no code with the programme that it judges, and needs nothing but Python.
"""

import argparse
import csv
import json
import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

Thing = dict[str, object]
"""One learner, test or candidate: its fields by the names used in the printout."""

FIELDS_OF_PEOPLE = frozenset({"first name", "last name", "email"})
"""Named and never printed, as people's names have no place in a log, not even made-up ones."""

DEFAULT_TEMPLATE = "1001"
UNREADABLE: Thing = {}
"""Stands for a row whose key can be read and whose other cells cannot."""


@dataclass
class Holdings:
    """What Inspera holds: learners by username, tests by external id, candidates by both.

    Each has a `copies` field, so that a second account, test or seat is a difference.
    """

    learners: dict[tuple[str, ...], Thing] = field(default_factory=dict)
    tests: dict[tuple[str, ...], Thing] = field(default_factory=dict)
    candidates: dict[tuple[str, ...], Thing] = field(default_factory=dict)


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


def learner_of(row: Mapping[str, str]) -> Thing:
    """What a row of students.csv asks for."""
    if row["mail"] and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", row["mail"]):
        return UNREADABLE
    identity = {"external ids": [("FEIDE", row["feide"])], "copies": 1}
    return {"first name": row["given"], "last name": row["family"], "email": row["mail"], **identity}


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


def seat_of(row: Mapping[str, str], test: Thing) -> Thing:
    """What a row of registrations.csv asks for, on that test."""
    try:
        extra = minutes_of(row["extra"], int(str(test["duration"])))
    except ValueError:
        return UNREADABLE
    return {"number": row["number"], "extra minutes": extra, "room": row["room"], "copies": 1}


def wanted(folder: Path) -> Holdings:
    """What the files in a folder ask for, by their own word alone."""
    login = {row["student_no"]: row["feide"] for row in rows(folder / "students.csv")}
    asked = Holdings()
    for row in rows(folder / "students.csv"):
        if row["status"] in {"active", "exchange"}:
            asked.learners[(row["feide"],)] = learner_of(row)
    for row in rows(folder / "exams.csv", ";"):
        asked.tests[(f"{row['course']}-{row['term']}",)] = test_of(row)
    for row in rows(folder / "registrations.csv"):
        test = f"{row['course']}-{row['term']}"
        asked.candidates[test, login[row["student_no"]]] = seat_of(row, asked.tests[(test,)])
    return asked


def settled(now: dict[tuple[str, ...], Thing], before: dict[tuple[str, ...], Thing]) -> dict[tuple[str, ...], Thing]:
    """What the rows of now leave in place, given what was there: an unreadable row or an empty cell changes nothing."""
    kept = {}
    for key, thing in now.items():
        earlier = before.get(key, UNREADABLE)
        if thing or earlier:
            kept[key] = {**earlier, **{name: value for name, value in thing.items() if value != "" or not earlier}}
    return kept


def expected(folder: Path, before: Path | None) -> Holdings:
    """What Inspera should hold after the files of `folder`, and of the day before.

    Learners and tests are never deleted; a template counts only when the test was made; a candidate goes with its row.
    """
    earlier = expected(before, None) if before else Holdings()
    now = wanted(folder)
    tests = earlier.tests | settled(now.tests, earlier.tests)
    for key, test in tests.items():
        test["template"] = earlier.tests.get(key, test)["template"]
    return Holdings(
        earlier.learners | settled(now.learners, earlier.learners), tests, settled(now.candidates, earlier.candidates)
    )


def held(contents: Mapping[str, Any]) -> Holdings:
    """What the sandbox says it holds, in the words of this comparison."""
    holdings = Holdings()
    for student in contents["students"]:
        ids = sorted((one["authType"], one["externalId"]) for one in student["externalIds"])
        names = {"first name": student["firstName"], "last name": student["lastName"], "email": student["email"]}
        add(holdings.learners, (student["username"],), {**names, "external ids": ids})
    for test in contents["tests"]:
        add(holdings.tests, (test["externalTestId"],), held_test(test))
        for seat in test["candidates"]:
            key = (test["externalTestId"], seat["username"])
            said = {"number": seat["candidateId"], "extra minutes": seat["extraTimeMins"], "room": seat["roomName"]}
            add(holdings.candidates, key, said)
    return holdings


def held_test(test: Mapping[str, Any]) -> Thing:
    """One test of the sandbox."""
    return {
        "title": test["title"],
        "start": test["startTime"],
        "end": test["endTime"],
        "duration": test["duration"],
        "template": test["sourceTemplateId"],
        "templates sent": test["templates_sent"],
    }


def add(things: dict[tuple[str, ...], Thing], key: tuple[str, ...], thing: Thing) -> None:
    """Files a thing under its key, counting copies."""
    copies = things.get(key, {}).get("copies", 0)
    things[key] = {**thing, "copies": int(str(copies)) + 1}


def differences(kind: str, wanted: Mapping[Any, Thing], there: Mapping[Any, Thing]) -> Iterator[str]:
    """Each difference within one kind, as a line; fields that say who a person is are named without their values.

    Nothing, an empty text and no minutes are one.
    """
    for key in sorted(wanted.keys() | there.keys()):
        name = f"{kind} {' / '.join(key)}"
        if key not in there:
            yield f"{name}: expected, and not there"
        elif key not in wanted:
            yield f"{name}: there, and not expected"
        else:
            yield from (
                f"{name}: {field}: differs"
                if field in FIELDS_OF_PEOPLE
                else f"{name}: {field}: expected {value}, there is {there[key].get(field)}"
                for field, value in wanted[key].items()
                if (there[key].get(field) or "") != (value or "")
            )


def main() -> int:
    """Compares, prints, and returns 1 when anything differs."""
    parser = argparse.ArgumentParser(description="Compares the sandbox's contents with what the demo's files ask for.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("contents", type=Path)
    parser.add_argument("--before", type=Path, help="the folder with the files of the day before")
    given = parser.parse_args()
    want = expected(given.folder, given.before)
    there = held(json.loads(given.contents.read_text(encoding="utf-8")))
    pairs = {
        "learner": (want.learners, there.learners),
        "test": (want.tests, there.tests),
        "candidate": (want.candidates, there.candidates),
    }
    found = [line for kind, (asked, present) in pairs.items() for line in differences(kind, asked, present)]
    for line in found:
        print(line)
    counts = ", ".join(f"{len(asked):,} {kind}s" for kind, (asked, _) in pairs.items())
    print(f"{len(found)} {'difference' if len(found) == 1 else 'differences'} from the {counts} that should be there")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
