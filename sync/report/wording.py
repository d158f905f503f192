"""The words for changes, row errors and outcomes, and for many of one cause."""

import re
from collections.abc import Sequence

from sync.records.base import DIGEST_PREFIX, Key, Kind, RowError, listed
from sync.records.changes import Action, Change, PlannedChange, Value, Verdict
from sync.report.lines import Cell, TableColumn, TableRow, Tone
from sync.text.masking import masked

NAMES = frozenset({"first_name", "last_name", "email"})
"""Fields that say who a person is: that they change is shown, what they are is not."""

FIRST_KEYS = 3
"""Keys of a group that are named in its line."""

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def key_text(key: Key) -> str:
    """Return a key for people: `100123`, or `INF1000-H26 / 100123` for a candidate."""
    return masked(" / ".join(part for part in key if part))


def row_error_row(row_error: RowError, more: int = 0) -> TableRow:
    """Return a row error in one line: where, field, why, what to do; `more` have the same cause."""
    where = f"{row_error.where} and {plural(more, 'more row')}" if more else row_error.where
    cells = (
        Cell(where, TableColumn.LABEL),
        Cell(row_error.field, TableColumn.KIND, ": "),
        Cell(f"{row_error.reason}; {row_error.remedy}", TableColumn.TEXT, ": "),
    )
    return TableRow(cells, Tone.ERROR).rewritten(masked)


def key_cells(keys: Sequence[Key], total: int) -> list[Cell]:
    """Return the keys of a group: all of a small one, else the first, and how to see the others."""
    names = [name for key in keys[:FIRST_KEYS] if (name := key_text(key))]
    start = "; " if total <= FIRST_KEYS else "; first "
    cells = [
        Cell(name, TableColumn.KEY, ", " if number else start) for number, name in enumerate(names)
    ]
    if total > FIRST_KEYS:
        cells.append(Cell("(--all shows all)", TableColumn.KEY, " ", muted=True))
    return cells


def cause_of(row_error: RowError) -> tuple[str, str, str]:
    """Return what row errors of one cause share: all but the values that they quote."""
    cause = row_error.cause or _QUOTED.sub("…", f"{row_error.reason}; {row_error.remedy}")
    return row_error.kind, row_error.field, cause


_TONES = {
    Action.CREATE: Tone.ADD,
    Action.ENABLE: Tone.ADD,
    Action.RESTORE: Tone.ADD,
    Action.UPDATE: Tone.UPDATE,
    Action.ACTIVATE: Tone.UPDATE,
    Action.REMOVE: Tone.REMOVE,
    Action.DISABLE: Tone.REMOVE,
    Action.DELETE: Tone.REMOVE,
}
"""The tones of changes that are sent. The others only change what is remembered."""


def change_tone(action: Action, verdict: Verdict) -> Tone | None:
    """Return the tone of a change: that of its action if it goes ahead."""
    if verdict is Verdict.PASS:
        return _TONES.get(action)
    return Tone.HELD if verdict is Verdict.HELD else None


def change_row(line: PlannedChange, reason: str = "", indent: int = 2) -> TableRow:
    """Return a change in one line: action, kind and key, what differs, the row that asks for it.

    `reason` tells why it does not go ahead.
    """
    change, passes = line.change, line.verdict is Verdict.PASS
    cells = [
        Cell(change.action, TableColumn.LABEL),
        Cell(change.kind, TableColumn.KIND, " "),
        Cell(key_text(change.key), TableColumn.KEY, " "),
    ]
    if change.action is Action.UPDATE:
        differences = ", ".join(_difference(line, name) for name in change.changed)
        cells.append(Cell(differences, TableColumn.TEXT, ": "))
    told = change.action in (Action.CREATE, Action.UPDATE) or not change.where
    why = change.reason if passes and told else ""
    origin = "; ".join(part for part in (change.where, why) if part)
    cells.append(Cell(origin, TableColumn.TEXT, " (", ")", muted=True))
    cells.append(Cell(reason, TableColumn.TEXT, ": "))
    tone = change_tone(change.action, line.verdict)
    return TableRow(cells, tone, indent).rewritten(masked)


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
    if isinstance(value, int):
        return str(value)  # 0 is a value
    return ", ".join(listed(value)) or "(nothing)"


def plural(count: int, word: str) -> str:
    """Return a number with its noun: `1 learner`, `2 learners`, `2 staff`."""
    return f"{count:,} {word}{'' if count == 1 or word == Kind.STAFF else 's'}"


def lost_zeros_text(lost: str) -> str:
    """Return the line about keys of a kind that have lost their leading zeros."""
    return masked(f"Leading zeros are lost: {lost}")
