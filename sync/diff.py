"""What a pair of wanted and known means. Pure: everything it needs to know about the world is in `Circumstances`.

This is the one place that says what a difference is; whether it may go ahead is the guard's to say.
"""

from dataclasses import dataclass

from sync.model import COMPARED, IDENTITY, SENT_ONCE, Key, Kind
from sync.plan import Action, Change, Fields


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the store knows about a pair beyond its two sides.

    Attributes:
        standing: of what is known: `active`, `released`, `withdrawn` or `retired`.
        ours: whether we put it there; what we *found* is never removed.
        unsettled: an earlier call for it has no known outcome.
        ended: the test (of the candidate) has ended, its longest extra time included.
        covered: the candidate's test retires in this run and takes its candidates along.
        seated: a candidate of this learner is known or wanted.
        resembles: the key of a known record that vanished and looks like this new one.
        accepted: a person has said that it is new all the same.
    """

    standing: str = "active"
    ours: bool = True
    unsettled: bool = False
    ended: bool = False
    covered: bool = False
    seated: bool = False
    resembles: str = ""
    accepted: bool = False


def diff(
    kind: Kind, key: Key, wanted: Fields | None, known: Fields | None, about: Circumstances, where: str = ""
) -> Change | None:
    """The change that turns `known` into `wanted`, or None when there is nothing to do.

    Args:
        kind: of the record.
        key: of the record.
        wanted: fields as the feeds say now; a field that is None is left alone. None when no feed names the record.
        known: fields as last put in Inspera. None when nothing is known.
        about: the rest of what matters.
        where: the row that wants it.
    """
    if wanted is not None and known is not None:
        return _both(kind, key, wanted, known, about, where)
    if wanted is not None:
        return _arrived(kind, key, wanted, about, where)
    if known is not None:
        return _absent(kind, key, known, about)
    return None


def _arrived(kind: Kind, key: Key, wanted: Fields, about: Circumstances, where: str) -> Change:
    if about.resembles and not about.accepted:
        return Change(
            Action.REKEY,
            kind,
            key,
            after=wanted,
            where=where,
            reason=f"looks like {about.resembles}, which has vanished",
        )
    changed = tuple(name for name in COMPARED[kind] if wanted.get(name) is not None)
    return Change(Action.CREATE, kind, key, after=wanted, changed=changed, where=where)


def _both(kind: Kind, key: Key, wanted: Fields, known: Fields, about: Circumstances, where: str) -> Change | None:
    changed = tuple(name for name in COMPARED[kind] if _differs(wanted.get(name), known.get(name)))
    after = {name: known.get(name) if wanted.get(name) is None else wanted[name] for name in COMPARED[kind]}
    rekeyed = [name for name in IDENTITY[kind] if name in changed and known.get(name)]
    if rekeyed:
        reason = f"{' and '.join(rekeyed)} changed on a known key"
        return Change(Action.REKEY, kind, key, known, after, changed, where, reason)
    if changed or about.unsettled:
        reason = "" if changed else "an earlier call has no known outcome: sent again"
        return Change(Action.UPDATE, kind, key, known, after, changed, where, reason)
    if about.standing != "active":
        return Change(Action.RESTORE, kind, key, known, after, (), where, f"was {about.standing}, is wanted again")
    return None


def _differs(wanted: str | int | None, known: str | int | None) -> bool:
    # "" asks for a value to be cleared; where nothing is known there is nothing to clear
    return wanted is not None and wanted != known and not (wanted == "" and known is None)


def _absent(kind: Kind, key: Key, known: Fields, about: Circumstances) -> Change | None:
    means = {Kind.LEARNER: _learner_gone, Kind.TEST: _test_gone, Kind.CANDIDATE: _candidate_gone}[kind](about)
    return Change(means[0], kind, key, known, reason=means[1]) if means else None


def _learner_gone(about: Circumstances) -> tuple[Action, str] | None:
    if about.standing == "released" or about.seated:
        return None
    return Action.RELEASE, "no source names this learner, and they have no seat"


def _test_gone(about: Circumstances) -> tuple[Action, str] | None:
    if about.standing == "retired":
        return None
    if about.ended:
        return Action.RETIRE, "it has ended and its source has dropped it"
    if about.standing == "withdrawn":
        return None
    return Action.WITHDRAW, "it left its source before it ended"


def _candidate_gone(about: Circumstances) -> tuple[Action, str] | None:
    if about.standing == "retired" or about.covered:
        return None
    if about.ended:
        return Action.RETIRE, "the test has ended"
    return (Action.REMOVE, "no source names this candidate any more") if about.ours else None


def remembered(kind: Kind, fields: Fields) -> Fields:
    """`fields` without what is sent once and never kept, such as a password."""
    return {name: value for name, value in fields.items() if name not in SENT_ONCE[kind]}
