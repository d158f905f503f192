"""A comparison of the sandbox's contents with what the demo's CSV files ask for.

    python check_contents.py FOLDER CONTENTS.json [--before EARLIER_FOLDER]

CONTENTS.json is the sandbox's answer to `GET /_sandbox/contents`. `--before` names the folder with
the files of the day before, for rows that cannot be read and for who was there already. The script
prints each difference and exits with 1 when there is one. It shares no code with the programme that
it judges, and needs nothing but Python.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from independent_reader import PIN, UNREADABLE, Contents, Thing, Things, read_files

UNPRINTED = frozenset({"first name", "last name", "email", "digest"})
"""Fields that are named and never printed: no log shows people's names or pins."""


def merge_days(now: Things, before: Things) -> Things:
    """Return the things after the rows of now: an unreadable row or empty cell changes nothing."""
    kept = {}
    for key, thing in now.items():
        earlier = before.get(key, UNREADABLE)
        if thing or earlier:
            kept[key] = {
                **earlier,
                **{name: value for name, value in thing.items() if value != "" or not earlier},
            }
    return kept


def expected_staff(now: Things, before: Things) -> Things:
    """Return staff after the files of now: who has left, or is not listed any more, is disabled.

    Nobody makes an account for somebody who has left already.
    """
    here = {key: thing for key, thing in now.items() if thing.get("status") != "DISABLED"}
    gone = {
        key: {**thing, "status": "DISABLED"} for key, thing in before.items() if key not in here
    }
    return gone | merge_days(here, before)


def read_first_day(folder: Path) -> str:
    """Return the date of day one from `today.txt`; empty without that file."""
    path = folder / "today.txt"
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""


def without_ended(now: Contents, today: str) -> Contents:
    """Leave out tests that had ended before day one, and what is on them: they are never made."""
    over = {key for (key,), test in now.tests.items() if str(test.get("end", today)) < today}
    return Contents(
        learners=now.learners,
        staff=now.staff,
        **{
            kind: {key: thing for key, thing in getattr(now, kind).items() if key[0] not in over}
            for kind in ("tests", "options", "committees", "contributors", "candidates")
        },
    )


def expected_contents(folder: Path, before: Path | None, today: str = "") -> Contents:
    """Return what Inspera should hold after the files of `folder`, and of the day before.

    Learners, tests, options and committees are never deleted; a template counts only when the test
    was made; candidates and contributors go with their rows. Tests that had ended before day one,
    `today`, are never made.
    """
    today = today or read_first_day(folder)
    earlier = expected_contents(before, None, today) if before else Contents()
    now = without_ended(read_files(folder), today)
    tests = earlier.tests | merge_days(now.tests, earlier.tests)
    for key, test in tests.items():
        test["template"] = earlier.tests.get(key, test)["template"]
    return Contents(
        learners=earlier.learners | merge_days(now.learners, earlier.learners),
        staff=expected_staff(now.staff, earlier.staff),
        tests=tests,
        options=earlier.options | now.options,
        committees=earlier.committees | now.committees,
        contributors=merge_days(now.contributors, earlier.contributors),
        candidates=merge_days(now.candidates, earlier.candidates),
    )


def sandbox_contents(contents: Mapping[str, Any]) -> Contents:
    """Return what the sandbox holds, in the words of this comparison."""
    contents_there = Contents()
    for student in contents["students"]:
        add(contents_there.learners, (student["username"],), read_person(student))
    for person in contents["staff"]:
        add(
            contents_there.staff,
            (person["username"],),
            {**read_person(person), "status": person["status"]},
        )
    for test in contents["tests"]:
        key = test["externalTestId"]
        add(contents_there.tests, (key,), read_test(test))
        for name, value in (
            option for group in test["options"].values() for option in group.items()
        ):
            add(contents_there.options, (key, name), read_option(name, value))
        for committee in test["committees"]:
            add(contents_there.committees, (key, committee["name"]), {"type": committee["type"]})
        for work in test["contributors"]:
            add(contents_there.contributors, (key, work["username"]), read_contributor(work))
        for seat in test["candidates"]:
            add(contents_there.candidates, (key, seat["username"]), read_candidate(seat))
    return contents_there


def read_person(person: Mapping[str, Any]) -> Thing:
    """Return one person of the sandbox."""
    ids = sorted((one["authType"], one["externalId"]) for one in person["externalIds"])
    names = {
        "first name": person["firstName"],
        "last name": person["lastName"],
        "email": person["email"],
    }
    return {**names, "external ids": ids}


def read_test(test: Mapping[str, Any]) -> Thing:
    """Return one test of the sandbox."""
    return {
        "title": test["title"],
        "start": test["startTime"],
        "end": test["endTime"],
        "duration": test["duration"],
        "template": test["sourceTemplateId"],
        "templates sent": test["templates_sent"],
    }


def read_option(name: str, value: Any) -> Thing:
    """Return one option of the sandbox, which keeps a digest of a pin."""
    return {"digest": value["sha256"]} if name == PIN else {"value": json.dumps(value)}


def read_contributor(work: Mapping[str, Any]) -> Thing:
    """Return one contributor of the sandbox."""
    lists = {name: sorted(work[name]) for name in ("roles", "committees")}
    return {**lists, "room": work["roomName"], "told": work["notified"]}


def read_candidate(seat: Mapping[str, Any]) -> Thing:
    """Return one candidate of the sandbox."""
    place = {"room": seat["roomName"], "committees": sorted(seat["committees"])}
    return {"number": seat["candidateId"], "extra minutes": seat["extraTimeMins"], **place}


def add(things: Things, key: tuple[str, ...], thing: Thing) -> None:
    """Put a thing under its key, and count copies."""
    copies = things.get(key, {}).get("copies", 0)
    things[key] = {**thing, "copies": int(str(copies)) + 1}


def differences(kind: str, wanted: Things, there: Things) -> Iterator[str]:
    """Yield each difference within one kind; secret fields are named without their values.

    Nothing, an empty text, an empty list and no minutes are one.
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
                if field in UNPRINTED
                else f"{name}: {field}: expected {value}, there is {there[key].get(field)}"
                for field, value in wanted[key].items()
                if (there[key].get(field) or "") != (value or "")
            )


def main() -> int:
    """Compare, print, and return 1 when anything differs."""
    parser = argparse.ArgumentParser(
        description="Compares the sandbox's contents with what the demo's files ask for."
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("contents", type=Path)
    parser.add_argument("--before", type=Path, help="the folder with the files of the day before")
    given = parser.parse_args()
    want = expected_contents(given.folder, given.before)
    there = sandbox_contents(json.loads(given.contents.read_text(encoding="utf-8")))
    kinds = [one.name for one in fields(Contents)]
    found = [
        line
        for kind in kinds
        for line in differences(kind.rstrip("s"), getattr(want, kind), getattr(there, kind))
    ]
    for line in found:
        print(line)
    counts = ", ".join(f"{len(getattr(want, kind)):,} {kind}" for kind in kinds)
    print(
        f"{len(found)} {'difference' if len(found) == 1 else 'differences'} from the {counts} "
        "that should be there"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
