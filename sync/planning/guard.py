"""May this change go ahead? Pure: f(change, facts, now) → pass, waiting, deferred or held, and why.

*Deferred* clears by itself; *held* waits for a person. What needs a reading of Inspera (seats by
hand, times by hand) is judged here too, during `apply`, when the reading is at hand.
"""

from dataclasses import dataclass

from sync.planning.freeze import TimeFacts, additive, doubts
from sync.planning.remedies import ACCEPT_SHRINK, adopt
from sync.records.base import Kind, listed
from sync.records.candidate import MAX_CANDIDATES
from sync.records.changes import (
    ADDITIONS,
    CALLING,
    Action,
    Cause,
    Change,
    Fields,
    Result,
    Value,
    Verdict,
)
from sync.records.kinds import COMPARED
from sync.records.remote import Member


@dataclass(frozen=True, slots=True)
class Facts:
    """What the store has gathered about one change.

    Attributes:
        trouble: why absence proves nothing for this record in this run (an unread feed, a row
            without a key).
        begun: a candidate's test has started, by the earliest time that may hold; for what else is
            on a test: it is under way; for an option: it can't be changed any more.
        waits_for: what is not in Inspera yet and must be first, such as `learner 1001 (held as an
            identity change)`.
        registered: how many registrations still name the test, or how many contributors the person.
        suspect: its learner or test is one that a new record looks like: perhaps the same under a
            new key.
        room_left: how many candidates the test can still take before this one.
        refused: why just this was refused before, and when it is tried again; empty when its time
            has come.
        existing: whether the record was in Inspera before us.
        timing: when the test runs, or the test that it is on; None for people.
        retired: it was retired with its test, which has not ended by the times of now.
        shares: who else has the same account in Inspera, and is wanted or known.
        reuses: Inspera identifies it by what it identifies a vanished record by.
        clash: which other row wants the same account in Inspera, as the row's error says.
    """

    trouble: str = ""
    begun: bool = False
    waits_for: tuple[str, ...] = ()
    registered: int = 0
    suspect: str = ""
    room_left: int = MAX_CANDIDATES
    refused: str = ""
    existing: bool = False
    timing: TimeFacts | None = None
    retired: bool = False
    shares: str = ""
    reuses: bool = False
    clash: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """The guard's word on one change."""

    verdict: Verdict
    reason: str = ""
    cause: Cause = Cause.NONE

    @property
    def allowable(self) -> bool:
        """Return whether a person may let the change pass by its hash."""
        return self.cause in (Cause.FREEZE, Cause.TIMES)


PASS = Ruling(Verdict.PASS)
FULL = f"the test already has the most candidates that it can hold ({MAX_CANDIDATES})"
STAYS = "the test has begun: its candidates stay"
UNDER_WAY = "the test is under way: nothing is taken off it"
_UNMANAGED = (
    "was there before us: disable it in Inspera, or say that it is managed with `adopt "
    "staff KEY --managed`"
)
_AS_IT_IS = "it stays as it is until the test has ended"
_CAME_BACK = (
    "the test had ended by its former times, so they may have sat it, and no source "
    "names them any more"
)
_TYPE = (
    "a committee's type can't be changed in Inspera: put the old one back into the "
    "source, or remove it there"
)
ACTIVATED = "the test is activated: its security options can't change any more"


def judge(change: Change, facts: Facts) -> Ruling:
    """Judge by everything except the limits, which need all changes to be counted first."""
    if change.action is Action.IDENTITY_CHANGE:
        return Ruling(Verdict.HELD, _identity_change(change, facts), Cause.IDENTITY_CHANGE)
    if facts.clash and change.action in ADDITIONS:
        return Ruling(Verdict.HELD, facts.clash, Cause.SHARED)
    if facts.refused and change.action in CALLING:
        return Ruling(Verdict.DEFERRED, facts.refused, Cause.REFUSED)
    if change.action in ADDITIONS:
        return _addition(change, facts)
    if change.action is Action.RESTORE:
        return PASS
    return _absence(change, facts)


def _identity_change(change: Change, facts: Facts) -> str:
    """Return what a person has to settle, and by which command."""
    if change.kind is Kind.COMMITTEE:
        return f"{_TYPE}; then use `adopt`"
    if facts.reuses:
        command = f"adopt {change.kind} {change.key[0]}"
        return (
            f"identity change: {change.reason}; if it is the same, run `{command}`; another "
            "one needs one of its own"
        )
    return f"identity change: {change.reason}; look at it and use `adopt`"


def _addition(change: Change, facts: Facts) -> Ruling:
    if facts.waits_for:
        return Ruling(Verdict.WAITING, "waits for " + " and ".join(facts.waits_for), Cause.NEEDS)
    if change.kind is Kind.OPTION and facts.begun:
        return Ruling(Verdict.DEFERRED, ACTIVATED, Cause.BEGUN)
    if change.action is Action.CREATE and facts.room_left <= 0:
        return Ruling(Verdict.DEFERRED, FULL, Cause.FULL)
    less = takes_away(change) if facts.trouble else ""
    if less:
        return _unproven(f"it would take {less} away, and {facts.trouble}")
    return judge_times(change, facts.timing) if facts.timing else PASS


def judge_times(change: Change, timing: TimeFacts) -> Ruling:
    """Return the ruling on an addition, or an early removal, by the times of its test."""
    if change.kind is Kind.TEST:
        doubt = doubts(change, timing)
        return Ruling(Verdict.HELD, doubt, Cause.TIMES) if doubt else PASS
    changes = change.action is Action.REMOVE or (
        change.action is Action.UPDATE and not additive(change)
    )
    if changes and timing.frozen:
        less = takes_away(change)
        loss = f"it would take {less} away, and " if less else ""
        return Ruling(Verdict.DEFERRED, f"{loss}{timing.word()}: {_AS_IT_IS}", Cause.FREEZE)
    return PASS


def takes_away(change: Change) -> str:
    """Return what an update would take from a member: roles, committees, minutes, or nothing."""
    if change.action is not Action.UPDATE or change.kind not in (Kind.CONTRIBUTOR, Kind.CANDIDATE):
        return ""
    for name in ("roles", "committees"):
        if set(listed(change.before.get(name))) - set(listed(change.after.get(name))):
            return name
    return "extra time" if _minutes(change.after) < _minutes(change.before) else ""


def _absence(change: Change, facts: Facts) -> Ruling:
    if facts.trouble:
        return _unproven(facts.trouble)
    if change.action is Action.REMOVE and facts.begun and not facts.suspect:
        return Ruling(
            Verdict.DEFERRED, STAYS if change.kind is Kind.CANDIDATE else UNDER_WAY, Cause.BEGUN
        )
    ruling = _unless_held(change, facts)
    return judge_times(change, facts.timing) if ruling == PASS and facts.timing else ruling


def _unproven(trouble: str) -> Ruling:
    """Return the ruling on what rests on an absence that proves nothing.

    The next whole delivery clears it, except where a source has shrunk or was taken out of the
    configuration: then nothing happens until a person says which is right (rules 5).
    """
    verdict = Verdict.HELD if ACCEPT_SHRINK in trouble else Verdict.DEFERRED
    return Ruling(verdict, trouble, Cause.SOURCE)


def _unless_held(change: Change, facts: Facts) -> Ruling:
    """Hold removals where a person must look at what leaves."""
    if facts.suspect:
        reason = f"{facts.suspect} may live on under a new key; settle that with `adopt` first"
        return Ruling(Verdict.HELD, reason, Cause.IDENTITY_CHANGE)
    if change.action is Action.REMOVE and facts.retired:
        return Ruling(Verdict.HELD, _CAME_BACK, Cause.TIMES)
    if change.action is Action.WITHDRAW and facts.registered:
        reason = (
            f"it has not ended and {facts.registered} registrations still name it; correct "
            "its source, or them"
        )
        return Ruling(Verdict.HELD, reason, Cause.NAMED)
    return _keeps_account(facts) if change.action in (Action.DISABLE, Action.DELETE) else PASS


def _keeps_account(facts: Facts) -> Ruling:
    if facts.existing:
        return Ruling(Verdict.HELD, _UNMANAGED, Cause.FOUND)
    if facts.shares:
        reason = (
            f"{facts.shares} has the same account in Inspera, and would lose it; correct the "
            "source, or Inspera"
        )
        return Ruling(Verdict.HELD, reason, Cause.SHARED)
    if facts.registered:
        reason = (
            f"{facts.registered} contributors still name this person; correct their source, "
            "or that of staff"
        )
        return Ruling(Verdict.HELD, reason, Cause.NAMED)
    return PASS


FRESH = "written a moment ago: looked at again in the next run"


@dataclass(frozen=True, slots=True)
class Limit:
    """How many changes of a scope pass unasked: `max(at_least, min(percent of known, at_most))`.

    `at_most` grows with what is known: it is never below `at_most_percent` of it.
    """

    at_least: int
    percent: float
    at_most: int | None = None
    at_most_percent: float = 0

    def cap(self, known: int) -> float | None:
        """Return the most that are ever allowed for `known` records; None without such a bound."""
        return (
            None if self.at_most is None else max(self.at_most, known * self.at_most_percent / 100)
        )

    def of(self, known: int) -> float:
        """Return the largest number that is allowed when `known` records are known."""
        share, cap = known * self.percent / 100, self.cap(known)
        return max(self.at_least, share if cap is None else min(share, cap))


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits: removals of a kind, removals on one test, updates of a kind."""

    kind: Limit = Limit(10, 10, 500, 3)
    test: Limit = Limit(3, 25, 100)
    updates: Limit = Limit(10, 50)


@dataclass(frozen=True, slots=True)
class Scope:
    """A set of changes that is counted as one, such as `removals on test INF1000-H26`.

    `recent` were removed in the last 24 hours and are not known any more: a loss is added up,
    however it is spread. `renumbered` of those who stay on the test get another candidate number.
    Where most do, the cells of a column may have moved against the others, and who seems to leave
    may be another row's.
    """

    name: str
    count: int
    known: int
    limit: Limit
    removals: bool = True
    recent: int = 0
    renumbered: int = 0

    def excess(self) -> str:
        """Return the arithmetic by which this scope is held; empty when it is within its limit."""
        known = self.known + self.recent
        most, cap = self.limit.of(known), self.limit.cap(known)
        counted = (
            f"{self.count} in this run and {self.recent} in the last 24 h"
            if self.recent
            else f"{self.count}"
        )
        if self.removals and known >= 2 and self.count >= self.known:
            return f"{counted} of {known} known: none would remain"
        if self.count + self.recent > most:
            bound = f"max({self.limit.at_least}, {self.limit.percent:g}%"
            bound += ")" if cap is None else f" up to {cap:g})"
            return f"{counted} of {known} known is more than {bound} = {most:g}"
        if 2 * self.renumbered > max(0, self.known - self.count):
            staying = f"{self.renumbered} of the {self.known - self.count} who stay"
            return (
                f"{self.count} of {self.known} known, and {staying} get another number: "
                "are the rows shifted?"
            )
        return ""


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
        (_minutes(change.after), "wanted") if existing else (_minutes(change.before), "known")
    )
    there = seat.extra_time or 0
    agreed = there == _minutes(change.after)  # the source now contains the same minutes
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
        if (
            given and change.after.get(name) is not None
        ):  # sending sets all of them, and would take these away
            reason = _GIVEN.format(name, ", ".join(sorted(given)))
            return MemberRuling(False, False, Result.HELD, reason, Cause.DRIFT, (name,))
    if change.action is not Action.CREATE and _has_all(change, seat):
        return MemberRuling(False, result=Result.DONE, reason=AGREED)
    if change.action is not Action.CREATE:
        return MemberRuling(
            change.kind is Kind.CONTRIBUTOR
        )  # a committee that is there is left as it is
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
    if timing and timing.frozen and not (seat_read and seat is None):
        return MemberRuling(
            False, False, Result.DEFERRED, f"{timing.word()}: {_AS_IT_IS}", Cause.FREEZE
        )
    if not seat_read or seat is not None:
        return MemberRuling(True)
    if fresh:
        return MemberRuling(False, False, Result.DEFERRED, FRESH, Cause.FRESH)
    return MemberRuling(False, result=Result.DONE, reason="was not there any more")


def _minutes(fields: Fields) -> int:
    return int(fields.get("extra_time") or 0)


def _by_hand(there: int, here: int, word: str) -> str:
    return (
        f"drift: Inspera gives {there} minutes of extra time where {here} are {word}: "
        "given by hand?"
    )


@dataclass(frozen=True, slots=True)
class HeldScope:
    """A scope that is over its limit, or held by the times of its tests (`by_times`).

    `digest` is what `apply --allow` takes; `allowed` when it was given.
    """

    scope: Scope
    excess: str
    digest: str
    allowed: bool
    by_times: bool = False
