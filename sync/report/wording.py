"""How one change, one row error and one outcome are said, the same way everywhere."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from sync.records.base import SEALED, Key, Kind, RowError, listed
from sync.records.changes import Action, Change, PlannedChange, Value, Verdict
from sync.text.masking import masked

NAMES = frozenset({"first_name", "last_name", "email"})
"""Fields that say who a person is: that they change is shown, what they are is not."""


def key_text(key: Key) -> str:
    """Return a key for people: `100123`, or `INF1000-H26 / 100123` for a candidate."""
    return masked(" / ".join(part for part in key if part))


def row_error_text(row_error: RowError, more: int = 0) -> str:
    """Return a row error in one line: where, field, why, what to do; with `more` of the same cause."""
    if more:
        row_error = replace(row_error, where=f"{row_error.where} and {plural(more, 'more row')}")
    return masked(str(row_error))


def by_cause(row_errors: Iterable[RowError]) -> Iterator[tuple[RowError, int]]:
    """Yield the first row error of each cause with how many more it has; row errors without a cause each by itself."""
    for cause, group in groupby(
        row_errors, key=lambda row_error: (row_error.kind, row_error.field, row_error.cause)
    ):
        if cause[-1]:
            first = next(group)
            yield first, sum(1 for _ in group)
        else:
            yield from ((row_error, 0) for row_error in group)


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
        return f"{name} changes"  # a plan goes to terminals, mails and tickets: keys yes, people's names no
    return f"{name} {_shown(change.before.get(name))} → {_shown(change.after.get(name))}"


def hidden(change: Change, name: str) -> bool:
    """Tell whether a field's values are hidden: names of people, and digests of pins and quit codes."""
    sealed = (
        str(value).startswith(SEALED) for value in (change.before.get(name), change.after.get(name))
    )
    return name in NAMES or (change.kind is Kind.OPTION and any(sealed))


def _shown(value: Value) -> str:
    return "(nothing)" if value in (None, "") else ", ".join(listed(value))


def plural(count: int, word: str) -> str:
    """`1 learner`, `2 learners`, `2 staff`."""
    return f"{count:,} {word}{'' if count == 1 or word == Kind.STAFF else 's'}"
