"""What takes a change of an earlier run back, and why that cannot be done. Pure."""

from dataclasses import dataclass, field

from sync.planning.activation import NO_CALL_BACK
from sync.planning.diff import ACTIVE, DISABLED
from sync.records.base import DIGEST_PREFIX, Key, Kind
from sync.records.changes import REMOVALS, Action, Fields, Result, Value
from sync.records.kinds import COMPARED, RECORD_TYPES


def undo_command(run_id: int) -> str:
    """Return the command that undoes a run, by which the journal names that run, too."""
    return f"undo {run_id}"


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """A change that an earlier run was about to send, as the journal has it.

    Attributes:
        number: of its intent.
        outcome: what became of it; None when that is not known.
        after: what was sent; `before`: what was known until then.
        notified: whether Inspera was asked to notify the person.
        later: the newest later run that changed the record again; None for none.
        done_already: whether that run has undone it.
        known: what is known of the record now; None when nothing is.
        lifecycle: of what is known.
        managed: whether this tool put it there.
        fingerprint: of what the sources contained when it was sent; empty when they did not
            contain the record.
        one_way: whether it is an option that takes back nothing when it is switched off.
        undone: where that run was an undo itself, the fingerprint of what the sources contained of
            the record; None otherwise, or when they contain something else by now.
    """

    number: int
    kind: Kind
    key: Key
    action: Action
    outcome: str | None
    after: Fields = field(repr=False)
    before: Fields = field(repr=False)
    notified: bool = False
    later: int | None = None
    done_already: bool = False
    known: Fields | None = field(default=None, repr=False)
    lifecycle: str = ACTIVE
    managed: bool = True
    fingerprint: bytes = b""
    undone: bytes | None = None
    one_way: bool = False


@dataclass(frozen=True, slots=True)
class Inverse:
    """What is wanted instead, to take a change back.

    Attributes:
        wanted: the fields to have; None when the record is to be removed.
        possible: whether the change can be taken back at all.
        left: what of it cannot be undone, and why; empty when all can.
    """

    wanted: Fields | None = field(default=None, repr=False)
    possible: bool = True
    left: str = ""


def _impossible(reason: str) -> Inverse:
    return Inverse(possible=False, left=reason)


_NO_DELETION = "Inspera has no call that deletes a {}; if it must go, delete it there"
_NOT_KEPT = "its former values are not kept"
_EXISTED = "it was in Inspera before that run, and what it had then is not kept"
_DELETED = "the account was deleted; a new one would be another account"
_SECRET = "its former value is a secret, which is not kept"  # noqa: S105 - a reason
_FIRST_VALUE = "its former value in Inspera is not known"
_ONE_WAY = "the option acts one way: setting it back takes nothing back"
_OPEN = "what became of its call is not known yet: the next `apply` finds out"
_OTHERWISE = "what is known of it is not what that run left: somebody has decided about it since"
_NOTIFIED = "Inspera was asked to notify them, which cannot be taken back"


def invert(change: RecordedChange) -> Inverse | None:
    """Return what takes a change back; None when it has no effect in Inspera (any more)."""
    if change.done_already or change.outcome not in (None, Result.DONE, Result.FOUND, "settled"):
        return None
    if reason := _why_not(change):
        return _impossible(reason)
    if change.action is Action.UPDATE:
        return _updated_back(change)
    notified = change.action is Action.CREATE and change.notified
    return Inverse(_wanted(change), left=_NOTIFIED if notified else "")


def _why_not(change: RecordedChange) -> str:
    """Return why a change cannot be taken back at all; empty when it can, at least in part."""
    if change.outcome is None:
        return _OPEN
    if change.later is not None:
        return f"run {change.later} has changed it again"
    if change.outcome == Result.FOUND:
        return _EXISTED
    return _never(change) or (_OTHERWISE if _moved(change) else "")


def _never(change: RecordedChange) -> str:
    """Return why nothing can ever take this back; empty when something can."""
    if change.action is Action.ACTIVATE:
        return NO_CALL_BACK
    if change.action is Action.DELETE:
        return _DELETED
    if change.action is Action.CREATE:
        if change.kind in (Kind.LEARNER, Kind.TEST):
            return _NO_DELETION.format(change.kind)
        return _FIRST_VALUE if change.kind is Kind.OPTION else ""
    if change.one_way or not change.before:
        return _ONE_WAY if change.one_way else _NOT_KEPT
    values = (change.before.get("value"), change.after.get("value"))
    secret = change.kind is Kind.OPTION and any(
        str(value).startswith(DIGEST_PREFIX) for value in values
    )
    return _SECRET if secret else ""


def _changed(change: RecordedChange) -> list[str]:
    """Return the compared fields that the change has set to another value."""
    before, after = change.before, change.after
    return [
        name
        for name in COMPARED[change.kind]
        if after.get(name) is not None and after.get(name) != before.get(name)
    ]


def _moved(change: RecordedChange) -> bool:
    """Tell whether the record is not as the run left it, by what is known of it now."""
    if change.action is Action.REMOVE:
        return change.known is not None
    if change.known is None:
        return True
    if change.action in REMOVALS:
        return change.lifecycle != DISABLED
    known = change.known
    return any(known.get(name) != change.after.get(name) for name in _changed(change))


def _wanted(change: RecordedChange) -> Fields | None:
    """Return what is wanted to take back anything but an update."""
    if change.action is Action.REMOVE:
        return {name: change.before.get(name) for name in COMPARED[change.kind]}
    if change.action is Action.DISABLE:
        return {"status": ACTIVE}
    # A member of staff has an account, which is disabled. Anything else is taken off its test.
    return {"status": DISABLED} if change.kind is Kind.STAFF else None


def _updated_back(change: RecordedChange) -> Inverse:
    """Return the former values of the fields that an update has changed."""
    wanted, unknown, changed = dict[str, Value](), list[str](), _changed(change)
    for name in changed:
        value = change.before.get(name)
        if value is None and change.managed:  # it had none, as this tool had sent none
            value = RECORD_TYPES[change.kind].fields[name].cleared
        if value is None:
            unknown.append(name)
        else:
            wanted[name] = value
    left = f"{' and '.join(unknown)}: no former value is known, so it stays" if unknown else ""
    if wanted:
        return Inverse(wanted, left=left)
    return _impossible(left) if left else _impossible("it has changed no value")
