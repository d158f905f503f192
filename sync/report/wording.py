"""How one change, one fault and one outcome are said, the same way everywhere."""

from sync.log import masked
from sync.model import Fault, Key
from sync.plan import Action, Planned, Value, Verdict

NAMES = frozenset({"first_name", "last_name", "email"})
"""Fields that say who a person is: that they change is shown, what they are is not."""


def key_text(key: Key) -> str:
    """A key for people: `100123`, or `INF1000-H26 / 100123` for a candidate."""
    return masked(" / ".join(part for part in key if part))


def fault_text(fault: Fault) -> str:
    """A fault in one line: where, which field, why, what to do."""
    return masked(str(fault))


def change_text(line: Planned) -> str:
    """A change in one line: action, kind and key, what differs, the row that asks for it."""
    change = line.change
    text = f"{change.action} {change.kind} {key_text(change.key)}"
    if change.action is Action.UPDATE and change.changed:
        text += ": " + ", ".join(_difference(line, name) for name in change.changed)
    if change.where:
        text += f" ({change.where})"
    elif change.reason and line.verdict is Verdict.PASS:
        text += f" ({change.reason})"
    return masked(text)


def _difference(line: Planned, name: str) -> str:
    change = line.change
    if name in NAMES:
        return f"{name} changes"  # a plan goes to terminals, mails and tickets: keys yes, people's names no
    return f"{name} {_shown(change.before.get(name))} → {_shown(change.after.get(name))}"


def _shown(value: Value) -> str:
    return "(nothing)" if value in (None, "") else str(value)


def plural(count: int, word: str) -> str:
    """`1 learner`, `2 learners`."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"
