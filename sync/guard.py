"""May this change go ahead? Pure: f(change, facts, now) → pass, waiting, withheld or held, and why.

*Withheld* clears by itself; *held* waits for a person. What needs a reading of Inspera (seats by hand, times by
hand) is judged here too, during `apply`, when the reading is at hand.
"""

from dataclasses import dataclass

from sync.found import Seat
from sync.model import MAX_CANDIDATES
from sync.plan import Action, Change, Fields, Result, Verdict


@dataclass(frozen=True, slots=True)
class Facts:
    """What the store has gathered about one change.

    Attributes:
        trouble: why absence proves nothing for this record in this run (an unread feed, a row without a key).
        begun: the test (of the candidate) has started, by the earliest time that may hold.
        waits_for: what is not in Inspera yet and must be first, such as `learner 1001 (held as a rekey)`.
        registered: how many registrations still name the test.
        suspect: its learner or test is one that a new record looks like: perhaps the same under a new key.
        room_left: how many candidates the test can still take before this one.
    """

    trouble: str = ""
    begun: bool = False
    waits_for: tuple[str, ...] = ()
    registered: int = 0
    suspect: str = ""
    room_left: int = MAX_CANDIDATES


@dataclass(frozen=True, slots=True)
class Ruling:
    """The guard's word on one change."""

    verdict: Verdict
    reason: str = ""


PASS = Ruling(Verdict.PASS)
FULL = f"the test already has the most candidates that it can hold ({MAX_CANDIDATES})"


def judge(change: Change, facts: Facts) -> Ruling:
    """Everything but the limits, which need all changes to be counted first."""
    if change.action is Action.REKEY:
        return Ruling(Verdict.HELD, f"rekey: {change.reason}; look at it and use `adopt`")
    if change.action in (Action.CREATE, Action.UPDATE):
        return _addition(change, facts)
    if change.action is Action.RESTORE:
        return PASS
    return _absence(change, facts)


def _addition(change: Change, facts: Facts) -> Ruling:
    if facts.waits_for:
        return Ruling(Verdict.WAITING, "waits for " + " and ".join(facts.waits_for))
    if change.action is Action.CREATE and facts.room_left <= 0:
        return Ruling(Verdict.WITHHELD, FULL)
    return PASS


def _absence(change: Change, facts: Facts) -> Ruling:
    if facts.trouble:
        return Ruling(Verdict.WITHHELD, facts.trouble)
    if facts.suspect:
        return Ruling(Verdict.HELD, f"{facts.suspect} may live on under a new key; settle that with `adopt` first")
    if change.action is Action.WITHDRAW and facts.registered:
        return Ruling(
            Verdict.HELD,
            f"it has not ended and {facts.registered} registrations still name it; correct its source, or them",
        )
    if change.action is Action.REMOVE and facts.begun:
        return Ruling(Verdict.WITHHELD, "the test has begun: its candidates stay")
    return PASS


FRESH = "written a moment ago: looked at again in the next run"


@dataclass(frozen=True, slots=True)
class Limit:
    """How many changes of a scope pass unasked: `max(at_least, min(percent of known, at_most))`."""

    at_least: int
    percent: float
    at_most: int | None = None

    def of(self, known: int) -> float:
        """The largest number that passes when `known` records are known."""
        share = known * self.percent / 100
        return max(self.at_least, share if self.at_most is None else min(share, self.at_most))


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits: removals of a kind, removals on one test, updates of a kind."""

    kind: Limit = Limit(10, 10, 500)
    test: Limit = Limit(3, 25, 100)
    updates: Limit = Limit(10, 50)


@dataclass(frozen=True, slots=True)
class Scope:
    """A set of changes that is counted as one: `removals of candidate`, `removals on test INF1000-H26`, …"""

    name: str
    count: int
    known: int
    limit: Limit
    removals: bool = True

    def excess(self) -> str:
        """The arithmetic by which this scope is held, or an empty text when it passes."""
        most = self.limit.of(self.known)
        if self.removals and self.known >= 2 and self.count >= self.known:
            return f"{self.count} of {self.known} known: none would remain"
        if self.count > most:
            bound = f"max({self.limit.at_least}, {self.limit.percent:g}%"
            bound += ")" if self.limit.at_most is None else f" up to {self.limit.at_most})"
            return f"{self.count} of {self.known} known is more than {bound} = {most:g}"
        return ""


@dataclass(frozen=True, slots=True)
class SeatRuling:
    """What a reading of Inspera makes of a candidate's change: send it, or end it here with `result` and `reason`."""

    send: bool
    found: bool = False
    result: Result = Result.DONE
    reason: str = ""


def judge_seat(change: Change, seat: Seat | None, room_left: int, claimed: bool, found: bool = False) -> SeatRuling:
    """A candidate's create or update, now that the test's candidates have been read.

    Args:
        change: create or update of a candidate.
        seat: the candidate as Inspera has it, None when it is not there.
        room_left: how many more candidates the test can take.
        claimed: whether found candidates of this test become ours.
        found: whether what is known of this candidate was found there, not put there by us.
    """
    if change.action is Action.CREATE:
        return _new_seat(change, seat, room_left, claimed)
    if seat is None:
        reason = "drift: Inspera does not have this candidate any more; look at it and use `adopt`"
        return SeatRuling(False, found, Result.HELD, reason)
    # what is known of a found candidate was read there, so it may be a hand's gift itself
    bound, word = (_minutes(change.after), "wanted") if found else (_minutes(change.before), "known")
    if change.after.get("extra_time") is not None and (seat.extra_time or 0) > bound:
        return SeatRuling(False, found, Result.HELD, _by_hand(seat.extra_time or 0, bound, word))
    return SeatRuling(True, found)


def _new_seat(change: Change, seat: Seat | None, room_left: int, claimed: bool) -> SeatRuling:
    if seat is None:
        return SeatRuling(room_left > 0, result=Result.WITHHELD, reason="" if room_left > 0 else FULL)
    wanted = change.after.get("extra_time")
    if wanted is not None and (seat.extra_time or 0) > int(wanted):
        return SeatRuling(False, True, Result.HELD, _by_hand(seat.extra_time or 0, int(wanted), "wanted"))
    same = all(getattr(seat, name) == change.after[name] for name in change.changed)
    reason = "" if claimed else "was there before our first assignment, so it is never removed"
    return SeatRuling(not same, not claimed, Result.DONE if claimed else Result.FOUND, reason)


def unless_fresh(ruling: SeatRuling, fresh: bool) -> SeatRuling:
    """What a reading holds is no drift while our own last write (`fresh`) may not be readable yet."""
    if not fresh or ruling.send or ruling.result is not Result.HELD:
        return ruling
    return SeatRuling(False, ruling.found, Result.WITHHELD, FRESH)


def judge_removal(seat_read: bool, seat: Seat | None, begun: bool, fresh: bool) -> SeatRuling:
    """A candidate's removal, now that the test has been looked up and, where that is possible, its candidates read.

    Args:
        seat_read: whether the test's candidates could be read.
        seat: the candidate as Inspera has it, None when it is not there.
        begun: whether the test has started, by what is known or by what Inspera says.
        fresh: whether our last write of this candidate may not be readable yet.
    """
    if begun:
        return SeatRuling(False, result=Result.WITHHELD, reason="the test has begun: its candidates stay")
    if not seat_read or seat is not None:
        return SeatRuling(True)
    if fresh:
        return SeatRuling(False, result=Result.WITHHELD, reason=FRESH)
    return SeatRuling(False, result=Result.DONE, reason="was not there any more")


def _minutes(fields: Fields) -> int:
    return int(fields.get("extra_time") or 0)


def _by_hand(there: int, here: int, word: str) -> str:
    return (
        f"drift: Inspera gives {there} minutes of extra time where {here} are {word}: given by hand? "
        "look at it and use `adopt`"
    )


@dataclass(frozen=True, slots=True)
class HeldScope:
    """A scope that is over its limit. `digest` is what `apply --allow` takes; `allowed` when it was given."""

    scope: Scope
    excess: str
    digest: str
    allowed: bool
