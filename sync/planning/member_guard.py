"""The guard's second look: the members of a test, once Inspera was read. Pure."""

from dataclasses import dataclass

from sync.planning.freeze import TimeFacts
from sync.planning.guard import FULL, STAYS, UNDER_WAY, minutes_of, over, stays_text
from sync.planning.remedies import adopt
from sync.records.base import Kind, listed
from sync.records.changes import Action, Cause, Change, Result, Value
from sync.records.kinds import COMPARED
from sync.records.remote import Member

FRESH = "written a moment ago: looked at again in the next run"


@dataclass(frozen=True, slots=True)
class MemberRuling:
    """The ruling on a member after the reading: send it, or end it here with a reason."""

    send: bool
    existing: bool = False
    result: Result = Result.DONE
    reason: str = ""
    cause: Cause = Cause.NONE
    disputed: tuple[str, ...] = ()


def judge_candidate(
    change: Change, seat: Member | None, room_left: int, claimed: bool, existing: bool = False
) -> MemberRuling:
    """Judge a candidate's create or update, after the test's candidates were read.

    Args:
        change: create or update of a candidate.
        seat: the candidate as Inspera has it, None when it is not there.
        room_left: how many more candidates the test can take.
        claimed: whether found candidates of this test become managed.
        existing: whether this candidate was there before this tool's first assignment.
    """
    if change.action is Action.CREATE:
        return _new_seat(change, seat, room_left, claimed)
    if seat is None:
        return MemberRuling(False, existing, Result.HELD, _gone(change), Cause.DRIFT)
    # What is known of an existing candidate was read in Inspera, so a person may have given it.
    bound, word = (
        (minutes_of(change.after), "wanted") if existing else (minutes_of(change.before), "known")
    )
    there = seat.extra_time or 0
    agreed = there == minutes_of(change.after)  # the source now contains the same minutes
    if change.after.get("extra_time") is not None and there > bound and not agreed:
        return MemberRuling(
            False, existing, Result.HELD, _by_hand(there, bound, word), Cause.DRIFT, ("extra_time",)
        )
    if _has_all(change, seat):
        return MemberRuling(False, existing, Result.DONE, AGREED)
    return MemberRuling(True, existing)


AGREED = "Inspera had it so already: taken as known, and nothing was sent"
"""Said where somebody has changed by hand what the source says as well (agreement is not drift)."""


def _has_all(change: Change, seat: Member) -> bool:
    """Tell whether Inspera shows every field as an update would leave it."""
    wanted = {name: value for name, value in change.after.items() if name in COMPARED[change.kind]}
    return bool(change.changed) and all(
        value is None
        or (getattr(seat, name) is not None and (getattr(seat, name) or None) == (value or None))
        for name, value in wanted.items()
    )


def _new_seat(change: Change, seat: Member | None, room_left: int, claimed: bool) -> MemberRuling:
    if seat is None:
        return (
            MemberRuling(True)
            if room_left > 0
            else MemberRuling(False, False, Result.DEFERRED, FULL, Cause.FULL)
        )
    wanted = change.after.get("extra_time")
    if wanted is not None and (seat.extra_time or 0) > int(wanted):
        reason = _by_hand(seat.extra_time or 0, int(wanted), "wanted")
        return MemberRuling(False, True, Result.HELD, reason, Cause.DRIFT, ("extra_time",))
    same = all(getattr(seat, name) == change.after[name] for name in change.changed)
    reason = "" if claimed else "was there before our first assignment, so it is never removed"
    return MemberRuling(not same, not claimed, Result.DONE if claimed else Result.FOUND, reason)


def judge_member(change: Change, seat: Member | None, claimed: bool) -> MemberRuling:
    """Judge a contributor's or committee's create or update, after its test was read.

    Args:
        change: create or update of a contributor or a committee.
        seat: it as Inspera has it, None when it is not there.
        claimed: whether what is found on this test becomes managed.
    """
    if seat is None:
        if change.action is Action.CREATE:
            return MemberRuling(True)
        return MemberRuling(False, False, Result.HELD, _gone(change), Cause.DRIFT)
    for name in ("roles", "committees"):
        there, known, wanted = (set(listed(value)) for value in _sides(change, seat, name))
        given = there - known - wanted
        # Sending sets all of them, and would take these away
        if given and change.after.get(name) is not None:
            reason = _GIVEN.format(name, ", ".join(sorted(given)))
            return MemberRuling(False, False, Result.HELD, reason, Cause.DRIFT, (name,))
    if change.action is not Action.CREATE and _has_all(change, seat):
        return MemberRuling(False, result=Result.DONE, reason=AGREED)
    if change.action is not Action.CREATE:
        # A committee that is there is left as it is
        return MemberRuling(change.kind is Kind.CONTRIBUTOR)
    same = all(getattr(seat, name) in (None, change.after[name]) for name in change.changed)
    send = change.kind is Kind.CONTRIBUTOR and not same
    reason = (
        "" if claimed else "was there before we put anything on this test, so it is never removed"
    )
    return MemberRuling(send, not claimed, Result.DONE if claimed else Result.FOUND, reason)


def _sides(change: Change, seat: Member, name: str) -> tuple[Value, Value, Value]:
    """Return what Inspera has, what is known, and what is wanted."""
    return getattr(seat, name), change.before.get(name), change.after.get(name)


_GIVEN = "drift: Inspera has further {} for this contributor ({}): given by hand?"


def _gone(change: Change) -> str:
    return (
        f"drift: Inspera does not have this {change.kind} any more; "
        f"{adopt(change.kind, change.key)} lets the next `apply` put it back; to leave it off, "
        "take it out of the source"
    )


def unless_fresh(ruling: MemberRuling, fresh: bool) -> MemberRuling:
    """Defer what would be held as drift while our last write (`fresh`) may not be readable yet."""
    if not fresh or ruling.send or ruling.result is not Result.HELD:
        return ruling
    return MemberRuling(False, ruling.existing, Result.DEFERRED, FRESH, Cause.FRESH)


def judge_removal(
    seat_read: bool,
    seat: Member | None,
    begun: bool,
    fresh: bool,
    *,
    candidate: bool = True,
    timing: TimeFacts | None = None,
) -> MemberRuling:
    """Judge a removal from a test, after the test was looked up and, where possible, read.

    Args:
        seat_read: whether the test could be read.
        seat: what is to go as Inspera has it, None when it is not there.
        begun: whether the test has started (or is under way), by what is known or by what Inspera
            says.
        fresh: whether our last write of this candidate may not be readable yet.
        candidate: whether it is a candidate's; a contributor or a committee may go once the test
            has ended.
        timing: when the test runs by what is known and what Inspera says; None when a person has
            allowed the removal.
    """
    if begun:
        return MemberRuling(
            False, False, Result.DEFERRED, STAYS if candidate else UNDER_WAY, Cause.BEGUN
        )
    if timing and not (seat_read and seat is None):
        if timing.frozen:
            kind = Kind.CANDIDATE if candidate else Kind.CONTRIBUTOR
            reason = f"{timing.word()}: {stays_text(kind)}"
            return MemberRuling(False, False, Result.DEFERRED, reason, Cause.FREEZE)
        if closed := over(timing):
            return MemberRuling(False, False, Result.DEFERRED, closed.reason, closed.cause)
    if not seat_read or seat is not None:
        return MemberRuling(True)
    if fresh:
        return MemberRuling(False, False, Result.DEFERRED, FRESH, Cause.FRESH)
    return MemberRuling(False, result=Result.DONE, reason="was not there any more")


def _by_hand(there: int, here: int, word: str) -> str:
    return (
        f"drift: Inspera gives {there} minutes of extra time where {here} are {word}: "
        "given by hand?"
    )
