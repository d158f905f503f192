"""A check that day two's plan names everything that was done to the files, and nothing else.

    python check_plan.py DAY2.json PLAN.json PLAN.txt

DAY2.json is what `make_data.py` planted; the other two are what `plan --json` and `plan --all`
printed. Prints each thing that is missing or too much and exits 1 when there is one. Shares no code
with the programme that it judges.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Entry = Mapping[str, Any]

EXPECTED_CHANGES: Mapping[str, tuple[str, str]] = {
    "new_learners": ("create", "learner"),
    "changed_email": ("update", "learner"),
    "hired": ("create", "staff"),
    "left": ("disable", "staff"),
    "struck_off": ("disable", "staff"),
    "moved": ("update", "test"),
    "option_changed": ("update", "option"),
    "pin_changed": ("update", "option"),
    "committee_added": ("create", "committee"),
    "committee_joined": ("update", "contributor"),
    "role_added": ("update", "contributor"),
    "replaced": ("create", "contributor"),
    "relieved": ("remove", "contributor"),
    "late": ("create", "candidate"),
    "withdrawn": ("remove", "candidate"),
}
"""What the plan must make of each thing planted: the action and the kind."""


def place(entry: Entry) -> str:
    """Return where a planted row is, as the programme words it."""
    return f"{entry['file']} line {entry['line']}"


def asks(entry: Entry) -> str:
    """Return the row that asks for a change; empty where only the absence of day one's row does."""
    return "" if entry.get("day") == 1 else place(entry)


def identity(change: Entry) -> tuple[str, str, str]:
    """Return a change in one line: action, kind and key."""
    return (change["action"], change["kind"], " / ".join(change["key"]))


def misjudged(entry: Entry, change: Entry) -> Iterator[str]:
    """Yield what is wrong with the change that answers to one planted thing."""
    name = " ".join(identity(change))
    if change["verdict"] != "pass":
        yield f"{name}: is not let through but {change['verdict']}: {change['reason']}"
    for field, values in entry.get("changed", {}).items():
        if field not in change["changed"]:
            yield f"{name}: does not say that {field} changes"
        elif change["changed"][field] != values and values is None:
            yield f"{name}: shows what {field} was or becomes, which is nobody's business"
        elif change["changed"][field] != values:
            yield f"{name}: does not say {field} {values[0]} to {values[1]}"
    if change["where"] != asks(entry):
        there, expected = change["where"] or "no place", asks(entry) or "no place"
        yield f"{name}: is said to stand in {there}, not in {expected}"


def is_printed(text: Sequence[str], words: Sequence[str]) -> bool:
    """Tell whether some line contains all the words."""
    return any(all(word in line for word in words) for line in text)


def changes_amiss(
    planted: Mapping[str, Any], plan: Mapping[str, Any], text: Sequence[str]
) -> Iterator[str]:
    """Yield planted changes that the plan lacks, changes or does not print, and other changes."""
    left = {identity(change): change for change in plan["changes"]}
    for what, (action, kind) in EXPECTED_CHANGES.items():
        for entry in planted[what]:
            wanted = (action, kind, " / ".join(entry["key"]))
            change = left.pop(wanted, None)
            if change is None:
                yield f"{' '.join(wanted)}: is not in the plan ({what}, {place(entry)})"
                continue
            yield from misjudged(entry, change)
            if not is_printed(text, wanted):
                yield f"{' '.join(wanted)}: is in the plan and not in its text"
    for unasked in left:
        yield f"{' '.join(unasked)}: is in the plan, and nothing in the files asks for it"


def row_errors_amiss(
    planted: Mapping[str, Any], plan: Mapping[str, Any], text: Sequence[str]
) -> Iterator[str]:
    """Yield planted bad rows that are missing from the row errors, and other row errors."""
    left = {(row_error["where"], row_error["field"]) for row_error in plan["row_errors"]}
    for entry in planted["bad_rows"]:
        where, field = place(entry), entry["field"]
        if (where, field) not in left:
            yield f"{where}: {field}: is not among the plan's row errors"
        elif not is_printed(text, (f"{where}: {field}: ",)):
            yield f"{where}: {field}: is among the plan's row errors and not in its text"
        left.discard((where, field))
    for where, field in sorted(left):
        yield f"{where}: {field}: is a row error that nobody planted"


def main() -> int:
    """Check, print, and return 1 when something is amiss."""
    parser = argparse.ArgumentParser(
        description="Checks that a plan names everything that was planted for it."
    )
    for name in ("planted", "plan", "text"):
        parser.add_argument(name, type=Path)
    given = parser.parse_args()
    planted, plan = (
        json.loads(path.read_text(encoding="utf-8")) for path in (given.planted, given.plan)
    )
    text = given.text.read_text(encoding="utf-8").splitlines()
    amiss = [*changes_amiss(planted, plan, text), *row_errors_amiss(planted, plan, text)]
    for line in amiss:
        print(line)
    named = sum(len(planted[what]) for what in (*EXPECTED_CHANGES, "bad_rows"))
    print(
        f"{named} things were done to the files; {len(amiss)} are not as they should be in the plan"
    )
    return 1 if amiss else 0


if __name__ == "__main__":
    sys.exit(main())
