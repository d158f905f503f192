"""Leading zeros that a spreadsheet has taken away: `0150` arrives as `150`. Pure (rules 15)."""

import re

from sync.records.changes import Action, Change
from sync.records.kinds import IDENTITY, RECORD_TYPES

SPREADSHEET = "in a spreadsheet make the column text"
"""The remedy: a column of numbers loses its leading zeros when it is opened."""

_FRACTION = re.compile(r"(\d+)[.,]0+")


def are_lost(was: object, now: object) -> bool:
    """Tell whether `now` is `was` as a spreadsheet writes it: without zeros, or with `.0`.

    The way back is not one: a corrected file must not be held.
    """
    before, after = str(was or ""), str(now or "")
    number = _FRACTION.fullmatch(after)
    digits = number[1] if number else after
    return (
        bool(after)
        and before != after
        and len(digits) <= len(before)
        and digits.lstrip("0") == before.lstrip("0")
    )


LOST_KEY = "its key differs only by leading zeros from one that has vanished"
"""Said of each new record that is a known one without its zeros."""

CORRECT = f"correct the source; {SPREADSHEET}"


def lost_identity(change: Change) -> str:
    """Return which identity of a known record only lost leading zeros; empty when more differs."""
    names = [name for name in IDENTITY[change.kind] if name in change.changed]
    lost = names and all(are_lost(change.before.get(n), change.after.get(n)) for n in names)
    return f"{' and '.join(names)} differs only by leading zeros" if lost else ""


def _difference(was: str, now: str) -> str:
    zeros = "leading zeros" if was.startswith("0") and not now.startswith("0") else ""
    point = "a trailing .0" if _FRACTION.fullmatch(now) and not _FRACTION.fullmatch(was) else ""
    return " and ".join(filter(None, (point, zeros))) or "leading zeros"


def lost_zeros(change: Change) -> str:
    """Return which value of an update a spreadsheet has shortened, and how; empty without one."""
    if change.action is not Action.UPDATE:
        return ""
    fields = RECORD_TYPES[change.kind].fields
    for name in change.changed:
        was, now = change.before.get(name), change.after.get(name)
        identifier = fields[name].text == "identifier" and name not in IDENTITY[change.kind]
        if identifier and are_lost(was, now):
            values = "" if fields[name].personal else f" {was} → {now}"
            return f"{name}{values} differs only by {_difference(str(was), str(now))}"
    return ""
