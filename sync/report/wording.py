"""The words for changes, row errors and outcomes, and for many of one cause."""

import re
from collections.abc import Sequence
from dataclasses import replace

from sync.records.base import DIGEST_PREFIX, Key, Kind, RowError, listed
from sync.records.changes import Action, Change, PlannedChange, Value, Verdict
from sync.text.masking import masked

NAMES = frozenset({"first_name", "last_name", "email"})
"""Fields that say who a person is: that they change is shown, what they are is not."""

FIRST_KEYS = 3
"""Keys of a group that are named in its line."""

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def key_text(key: Key) -> str:
    """Return a key for people: `100123`, or `INF1000-H26 / 100123` for a candidate."""
    return masked(" / ".join(part for part in key if part))


def row_error_text(row_error: RowError, more: int = 0) -> str:
    """Return a row error in one line: where, field, why, what to do; `more` have the same cause."""
    if more:
        row_error = replace(row_error, where=f"{row_error.where} and {plural(more, 'more row')}")
    return masked(str(row_error))


def first_keys_text(keys: Sequence[Key], total: int) -> str:
    """Return the keys of a group: all of a small one, else the first, and how to see the others."""
    named = ", ".join(key_text(key) for key in keys[:FIRST_KEYS])
    return named if total <= FIRST_KEYS else f"first {named} (--all shows all)"


def cause_of(row_error: RowError) -> tuple[str, str, str]:
    """Return what row errors of one cause share: all but the values that they quote."""
    said = row_error.cause or _QUOTED.sub("…", f"{row_error.reason}; {row_error.remedy}")
    return row_error.kind, row_error.field, said


def change_text(line: PlannedChange) -> str:
    """Return a change in one line: action, kind and key, what differs, the row that asks for it."""
    change = line.change
    text = f"{change.action} {change.kind} {key_text(change.key)}"
    if change.action is Action.UPDATE and change.changed:
        text += ": " + ", ".join(_difference(line, name) for name in change.changed)
    if change.where:
        told = change.action is Action.UPDATE and change.reason and line.verdict is Verdict.PASS
        why = f"; {change.reason}" if told else ""
        text += f" ({change.where}{why})"
    elif change.reason and line.verdict is Verdict.PASS:
        text += f" ({change.reason})"
    return masked(text)


def _difference(line: PlannedChange, name: str) -> str:
    change = line.change
    if hidden(change, name):
        return f"{name} changes"  # a plan goes to terminals, mails and tickets: keys, no names
    return f"{name} {_shown(change.before.get(name))} → {_shown(change.after.get(name))}"


def hidden(change: Change, name: str) -> bool:
    """Tell whether a field's values are hidden: people's names, and digests of pins."""
    digests = (
        str(value).startswith(DIGEST_PREFIX)
        for value in (change.before.get(name), change.after.get(name))
    )
    return name in NAMES or (change.kind is Kind.OPTION and any(digests))


def _shown(value: Value) -> str:
    return "(nothing)" if value in (None, "") else ", ".join(listed(value))


def plural(count: int, word: str) -> str:
    """Return a number with its noun: `1 learner`, `2 learners`, `2 staff`."""
    return f"{count:,} {word}{'' if count == 1 or word == Kind.STAFF else 's'}"
