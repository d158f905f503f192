"""What a pair of wanted and known means.

Pure: everything it needs to know about the world is in `Context`.

This is the one place that says what a difference is; whether it may go ahead is the guard's to say.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sync.planning.zeros import LOST_KEY
from sync.records.base import Key, Kind
from sync.records.changes import Action, Change, Fields
from sync.records.kinds import COMPARED, IDENTITY, SENT_ONCE

ACTIVE: Final = "active"
DISABLED: Final = "disabled"
"""The two states of a member of staff in Inspera."""

REFUSED: Final = "refused"
"""The lifecycle of a person who existed in Inspera, which has accepted nothing that was sent."""


@dataclass(frozen=True, slots=True)
class Context:
    """What the store knows about a pair beyond its two sides.

    Attributes:
        lifecycle: of what is known: `active`, `released`, `disabled`, `refused`, `withdrawn` or
            `retired`.
        managed: whether we put it there; what existed before us is never removed (rules 10).
        unsettled: an earlier call for it has no known outcome.
        ended: the test (of the candidate) has ended, its longest extra time included.
        covered: the test retires in this run and takes along what is on it.
        seated: a candidate of this learner is known or wanted.
        resembles: the key of a known record that vanished and looks like this new one.
        zeros: its key is that of a known record which vanished, without its leading zeros.
        reuses: the key of a known record that vanished and whose identity in Inspera this new one
            has.
        accepted: a person has said that it is new all the same.
        ensured: it is a committee that only the configuration wants, as its test has none.
        delete: whether staff that no source names any more are deleted and not disabled.
    """

    lifecycle: str = "active"
    managed: bool = True
    unsettled: bool = False
    ended: bool = False
    covered: bool = False
    seated: bool = False
    resembles: str = ""
    zeros: bool = False
    reuses: str = ""
    accepted: bool = False
    delete: bool = False
    ensured: bool = False


ENSURED: Final = "the test has no committee, and so could not be graded"
"""The reason of a committee that only the setting `committees` wants."""


def diff(
    kind: Kind,
    key: Key,
    wanted: Fields | None,
    known: Fields | None,
    about: Context,
    where: str = "",
) -> Change | None:
    """Return the change that turns `known` into `wanted`; None when there is nothing to do.

    Args:
        kind: of the record.
        key: of the record.
        wanted: fields as the feeds contain them; a field without a value is left alone. None when
            no feed names the record.
        known: fields as last put in Inspera; None when the record is not known.
        about: the rest of what matters.
        where: the row that wants it.
    """
    if kind is Kind.OPTION and wanted is not None and wanted.get("value") is None:
        return None  # blank: Inspera's own value is left alone
    if wanted is not None and known is not None:
        both = _staff if kind is Kind.STAFF else _both
        return both(kind, key, wanted, known, about, where)
    if wanted is not None:
        return _arrived(kind, key, wanted, about, where)
    if known is not None:
        return _absent(kind, key, known, about)
    return None


_IDENTIFIED_BY = {
    Kind.LEARNER: "username or external id",
    Kind.STAFF: "username or external id",
    Kind.TEST: "external test id",
}


def _arrived(kind: Kind, key: Key, wanted: Fields, about: Context, where: str) -> Change | None:
    if kind is Kind.STAFF and wanted.get("status") == DISABLED:
        return None  # nobody is there to be disabled
    if about.zeros:
        return Change(Action.IDENTITY_CHANGE, kind, key, after=wanted, where=where, reason=LOST_KEY)
    if about.reuses:  # whatever a person has said: Inspera has one account, or one test, for both
        reason = f"looks like {about.reuses}, which has vanished: it has its {_IDENTIFIED_BY[kind]}"
        return Change(Action.IDENTITY_CHANGE, kind, key, after=wanted, where=where, reason=reason)
    if about.resembles and not about.accepted:
        return Change(
            Action.IDENTITY_CHANGE,
            kind,
            key,
            after=wanted,
            where=where,
            reason=f"looks like {about.resembles}, which has vanished",
        )
    if about.unsettled and wanted.get("notify"):
        # They may have been told already, and are not told twice
        wanted = {**wanted, "notify": None}
    changed = tuple(name for name in COMPARED[kind] if wanted.get(name) is not None)
    reason = ENSURED if about.ensured else ""
    return Change(Action.CREATE, kind, key, {}, wanted, changed, where, reason)


def _both(
    kind: Kind, key: Key, wanted: Fields, known: Fields, about: Context, where: str
) -> Change | None:
    changed = tuple(name for name in COMPARED[kind] if _differs(wanted.get(name), known.get(name)))
    after = {
        name: known.get(name) if wanted.get(name) is None else wanted[name]
        for name in COMPARED[kind]
    }
    identity_change = [name for name in IDENTITY[kind] if name in changed and known.get(name)]
    if identity_change:
        reason = f"{' and '.join(identity_change)} changed on a known key"
        return Change(Action.IDENTITY_CHANGE, kind, key, known, after, changed, where, reason)
    if changed or about.unsettled or about.lifecycle == REFUSED:
        reason = "" if changed else _AGAIN[about.unsettled]
        return Change(Action.UPDATE, kind, key, known, after, changed, where, reason)
    if about.lifecycle != "active":
        return Change(
            Action.RESTORE,
            kind,
            key,
            known,
            after,
            (),
            where,
            f"was {about.lifecycle}, is wanted again",
        )
    return None


_AGAIN = {
    True: "an earlier call has no known outcome: sent again",
    False: "an earlier save was refused: sent again",
}


def _staff(
    kind: Kind, key: Key, wanted: Fields, known: Fields, about: Context, where: str
) -> Change | None:
    """Return the change of a member of staff, who can also be disabled and enabled again."""
    before, after, mapped = (
        _status(known, about.lifecycle),
        _status(wanted),
        wanted.get("status") is not None,
    )
    known = {**known, "status": before}
    if after == DISABLED:
        if before == DISABLED and not about.unsettled:
            return None
        gone = {**known, "status": DISABLED}
        return Change(Action.DISABLE, kind, key, known, gone, ("status",), where, "its row says so")
    if before == DISABLED and wanted.get("status") is None and about.lifecycle != DISABLED:
        # Somebody else has disabled them, and no feed says what they should be
        wanted = {**wanted, "status": None}
    else:
        wanted = {**wanted, "status": ACTIVE}
    lifecycle = REFUSED if about.lifecycle == REFUSED else ACTIVE
    change = _both(kind, key, wanted, known, replace(about, lifecycle=lifecycle), where)
    if change and change.action is Action.UPDATE and "status" in change.changed:
        return replace(change, action=Action.ENABLE, reason="was disabled, is wanted again")
    if change and "status" not in change.changed and not (mapped or about.unsettled):
        # What a person has set there stays
        return replace(change, after={**change.after, "status": None})
    return change


def _status(fields: Fields, lifecycle: str = ACTIVE) -> str:
    return DISABLED if DISABLED in (fields.get("status"), lifecycle) else ACTIVE


def _differs(wanted: str | int | None, known: str | int | None) -> bool:
    # "" asks for a value to be cleared; where nothing is known there is nothing to clear
    return wanted is not None and wanted != known and not (wanted == "" and known is None)


def _absent(kind: Kind, key: Key, known: Fields, about: Context) -> Change | None:
    means = _GONE[kind](about)
    return Change(means[0], kind, key, known, reason=means[1]) if means else None


def _learner_gone(about: Context) -> tuple[Action, str] | None:
    if about.lifecycle == "released" or about.seated:
        return None
    return Action.RELEASE, "no source names this learner, and they have no seat"


def _test_gone(about: Context) -> tuple[Action, str] | None:
    if about.lifecycle == ("retired" if about.ended else "withdrawn"):
        return None
    if about.ended:
        return Action.RETIRE, "it has ended and its source has dropped it"
    return Action.WITHDRAW, "it left its source before it ended"


def _candidate_gone(about: Context) -> tuple[Action, str] | None:
    if about.covered:
        return None
    if about.ended:
        return None if about.lifecycle == "retired" else (Action.RETIRE, "the test has ended")
    return (Action.REMOVE, "no source names this candidate any more") if about.managed else None


def _staff_gone(about: Context) -> tuple[Action, str] | None:
    # One who is disabled already is left alone, unless a lost call may have enabled them again.
    done = about.lifecycle == DISABLED and not about.unsettled
    if done or not about.managed:
        return None
    action = Action.DELETE if about.delete else Action.DISABLE
    return action, "no source names this person any more"


def _option_gone(_about: Context) -> None:
    """Return None: an option has no value to go back to, so it stays as it is."""


def _member_gone(about: Context) -> tuple[Action, str] | None:
    """Return the removal of a contributor or committee.

    Grading goes on after the end, so what leaves the source then still goes.
    """
    gone = about.lifecycle == "retired" and about.ended
    if gone or about.covered or not about.managed:
        return None
    return Action.REMOVE, "no source names it any more"


_GONE: Mapping[Kind, Callable[[Context], tuple[Action, str] | None]] = {
    Kind.LEARNER: _learner_gone,
    Kind.STAFF: _staff_gone,
    Kind.TEST: _test_gone,
    Kind.OPTION: _option_gone,
    Kind.COMMITTEE: _member_gone,
    Kind.CONTRIBUTOR: _member_gone,
    Kind.CANDIDATE: _candidate_gone,
}
"""What absence means for a known record of each kind."""


def remembered(kind: Kind, fields: Fields) -> Fields:
    """Return `fields` without what is sent once and never kept, such as a password."""
    return {name: value for name, value in fields.items() if name not in SENT_ONCE[kind]}
