"""May this change go ahead? Pure: f(change, facts, now) → pass, waiting, deferred or held, and why.

*Deferred* needs no decision: it goes ahead once its cause is gone; *held* waits for a person. What
needs a reading of Inspera is judged once more when it was read, in `member_guard`.
"""

from dataclasses import dataclass, replace

from sync.planning.absence import AbsenceDoubt
from sync.planning.freeze import TimeFacts, additive, doubts, stays_ended
from sync.planning.grace import PastAbsence
from sync.planning.plausible import span_text
from sync.planning.remedies import PARENT, adopt, archived_text
from sync.planning.zeros import CORRECT, SPREADSHEET, lost_identity, lost_zeros
from sync.records.base import Kind, listed
from sync.records.candidate import MAX_CANDIDATES
from sync.records.changes import (
    ADDITIONS,
    CALLING,
    REMOVALS,
    Action,
    Cause,
    Change,
    Fields,
    Verdict,
)


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
        kept: why Inspera keeps a candidate who has started; empty when it was not tried.
        archived: Inspera's words for taking no change of the test; empty when it is not archived.
        parent: other tests are parts of the test, and have its candidates.
        existing: whether the record was in Inspera before us.
        timing: when the test runs, or the test that it is on; None for people.
        retired: it was retired with its test, which has not ended by the times of now.
        shares: who else has the same account in Inspera, and is wanted or known.
        reuses: Inspera identifies it by what it identifies a vanished record by.
        absence: the earlier readings that did not contain it; None when its absence is not in doubt.
        grace: why an absent record is not removed yet; empty when it may be.
        protected: until when and why the configuration protects it; empty when it does not.
        outside: the pilot group does not cover it.
        needed: what the pilot group covers needs it.
        zeros: it is a known record without the leading zeros of its key, or that known record.
        last: it is the only grading committee that its test has in Inspera.
        one_way: it is an option that takes back nothing when it is switched off.
        clash: which other row wants the same account in Inspera, as the row's error says.
        undone: who has taken back what the source still contains, when and why.
    """

    trouble: AbsenceDoubt | None = None
    begun: bool = False
    waits_for: tuple[str, ...] = ()
    registered: int = 0
    suspect: str = ""
    room_left: int = MAX_CANDIDATES
    refused: str = ""
    kept: str = ""
    archived: str = ""
    parent: bool = False
    existing: bool = False
    timing: TimeFacts | None = None
    retired: bool = False
    shares: str = ""
    reuses: bool = False
    clash: str = ""
    zeros: bool = False
    undone: str = ""
    absence: PastAbsence | None = None
    grace: str = ""
    protected: str = ""
    outside: bool = False
    needed: bool = False
    one_way: bool = False
    last: bool = False


@dataclass(frozen=True, slots=True)
class Ruling:
    """The guard's word on one change."""

    verdict: Verdict
    reason: str = ""
    cause: Cause = Cause.NONE

    @property
    def allowable(self) -> bool:
        """Return whether a person may let the change pass by its hash."""
        return self.cause in (
            Cause.FREEZE,
            Cause.ENDED,
            Cause.TIMES,
            Cause.ZEROS,
            Cause.GRACE,
            Cause.UNDONE,
            Cause.ONE_WAY,
            Cause.LAST,
            Cause.PARENT,
        )


PASS = Ruling(Verdict.PASS)
AFTER_END = frozenset({Kind.COMMITTEE, Kind.CONTRIBUTOR, Kind.OPTION})
"""What still changes on a test once it has ended, because grading goes on (rules 8 and 16).

Explanations of grades are an option that is switched on only then.
"""


def may_be_approved(cause: Cause) -> bool:
    """Tell whether `approve` decides about what is held for this cause; else it is `adopt`."""
    return (
        cause in (Cause.LIMIT, Cause.SOURCE, Cause.CONFIGURATION)
        or Ruling(Verdict.HELD, cause=cause).allowable
    )


FULL = f"the test already has the most candidates that it can hold ({MAX_CANDIDATES})"
STAYS = "the test has begun: its candidates stay"
UNDER_WAY = "the test is under way: nothing is taken off it"
_UNMANAGED = (
    "was there before us: disable it in Inspera, or say that it is managed with `adopt "
    "staff KEY --managed`"
)
AS_IT_IS = "it stays as it is"
ENDED = "the test has ended: only what concerns grading still changes"
_CAME_BACK = (
    "the test had ended by its former times, so they may have sat it, and no source "
    "names them any more"
)
_TYPE = (
    "a committee's type can't be changed in Inspera: put the old one back into the "
    "source, or remove it there"
)
_LAST = (
    "the test could not be graded without it: it stays until the test has another grading "
    "committee in Inspera"
)
_ONE_WAY = "switching this option off takes back nothing that it has done"
ACTIVATED = "the test is activated: its security options can't change any more"


def judge(change: Change, facts: Facts) -> Ruling:
    """Judge by everything except the limits, which need all changes to be counted first."""
    # What the configuration leaves alone needs nobody's decision.
    if facts.outside and _is_left_alone(change, facts):
        return Ruling(Verdict.DEFERRED, OUTSIDE, Cause.PILOT)
    ruling = _settled_before(change, facts) or _judge_anew(change, facts)
    return _stopped(change, facts) or ruling if ruling == PASS else ruling


def _stopped(change: Change, facts: Facts) -> Ruling | None:
    """Return the ruling on what is stopped although all else allows it; None if it passes.

    It comes after the others, so that its hash never opens what no hash may.
    """
    if change.action not in CALLING:
        return None
    if facts.archived:
        return Ruling(Verdict.DEFERRED, archived_text(facts.archived), Cause.ARCHIVED)
    if facts.undone:
        return Ruling(Verdict.HELD, facts.undone, Cause.UNDONE)
    if facts.parent and change.kind is Kind.CANDIDATE:
        return Ruling(Verdict.HELD, PARENT, Cause.PARENT)
    if facts.last and change.action is Action.REMOVE:
        return Ruling(Verdict.DEFERRED, _LAST, Cause.LAST)
    return None


def _settled_before(change: Change, facts: Facts) -> Ruling | None:
    """Return the ruling that rests on the record alone, whatever the change does; None if none."""
    # What only a person can settle comes first: a ruling that passes by itself would hide it.
    if held := _held_at_once(change, facts):
        return held
    if facts.protected and change.action in CALLING and change.action is not Action.CREATE:
        return Ruling(Verdict.DEFERRED, facts.protected, Cause.PROTECTED)
    if facts.kept and change.action in CALLING:
        return Ruling(Verdict.DEFERRED, facts.kept, Cause.STARTED)
    if facts.refused and change.action in CALLING:
        return Ruling(Verdict.DEFERRED, facts.refused, Cause.REFUSED)
    return None


def _judge_anew(change: Change, facts: Facts) -> Ruling:
    if change.action in ADDITIONS:
        return _addition(change, facts)
    # It makes no call: what is kept in step again was never taken away in Inspera.
    if change.action is Action.RESTORE:
        return PASS
    return _absence(change, facts)


def _held_at_once(change: Change, facts: Facts) -> Ruling | None:
    """Return the ruling on what only a person can settle, whatever else is known of it."""
    if change.action is Action.IDENTITY_CHANGE:
        return Ruling(Verdict.HELD, _identity_change(change, facts), Cause.IDENTITY_CHANGE)
    if facts.clash and change.action in ADDITIONS:
        return Ruling(Verdict.HELD, facts.clash, Cause.SHARED)
    return None


NEEDED_ACTIONS = frozenset({Action.CREATE, Action.RESTORE, Action.ENABLE, Action.IDENTITY_CHANGE})
"""What happens to a record because others need it; nothing else of it is changed then."""

OUTSIDE = "outside the pilot group (`only`)"


def _is_left_alone(change: Change, facts: Facts) -> bool:
    """Tell whether a change of a record outside the pilot group is not made.

    What makes no call, and only stops keeping a record in step, is made all the same.
    """
    if change.action in (Action.RETIRE, Action.RELEASE):
        return False
    return not (facts.needed and change.action in NEEDED_ACTIONS)


_UNDER_ZEROS = f"a source names it by a key without its leading zeros; {CORRECT}"


def _identity_change(change: Change, facts: Facts) -> str:
    """Return what a person has to settle, and by which command."""
    if change.kind is Kind.COMMITTEE:
        return f"{_TYPE}; then run {adopt(change.kind, change.key)}"
    if facts.zeros:
        return f"identity change: {change.reason}; {CORRECT}"
    if lost := lost_identity(change):
        return f"identity change: {lost}; {CORRECT}"
    if facts.reuses:
        return (
            f"identity change: {change.reason}; if it is the same, run "
            f"{adopt(change.kind, change.key)}; another one needs one of its own"
        )
    if change.before:
        return f"identity change: {change.reason}; if that is right, run {adopt(change.kind, change.key)}"
    return (
        f"identity change: {change.reason}; if it is the same, run "
        f"{adopt(change.kind, change.key)}; if not, run {adopt(change.kind, change.key, '--as-new')}"
    )


def _addition(change: Change, facts: Facts) -> Ruling:
    if facts.waits_for:
        return Ruling(Verdict.WAITING, "waits for " + " and ".join(facts.waits_for), Cause.NEEDS)
    if change.kind is Kind.OPTION and facts.begun:
        return Ruling(Verdict.DEFERRED, ACTIVATED, Cause.BEGUN)
    if change.action is Action.CREATE and facts.room_left <= 0:
        return Ruling(Verdict.DEFERRED, FULL, Cause.FULL)
    if facts.trouble and (less := takes_away(change)):
        return _unproven(facts.trouble, f"it would take {less} away, and {facts.trouble.reason}")
    ruling = judge_times(change, facts.timing) if facts.timing else PASS
    if ruling == PASS and facts.one_way and _switches_off(change):
        return Ruling(Verdict.HELD, _ONE_WAY, Cause.ONE_WAY)
    return _zeros(change, ruling)


def _switches_off(change: Change) -> bool:
    """Tell whether an option that is known is set to false, perhaps a second time."""
    return change.action is Action.UPDATE and change.after.get("value") == "false"


def _zeros(change: Change, ruling: Ruling) -> Ruling:
    """Hold an update that only takes leading zeros from a value; what is deferred says so, too."""
    lost = lost_zeros(change)
    if not lost or ruling.verdict not in (Verdict.PASS, Verdict.DEFERRED):
        return ruling
    reason = f"{lost}; {SPREADSHEET}"
    if ruling.verdict is Verdict.PASS:
        return Ruling(Verdict.HELD, reason, Cause.ZEROS)
    return replace(ruling, reason=f"{ruling.reason}; {reason}")


def judge_times(change: Change, timing: TimeFacts) -> Ruling:
    """Return the ruling on an addition, or an early removal, by the times of its test (rules 16)."""
    if change.kind is Kind.TEST:
        return _judge_test(change, timing)
    again = change.action is Action.UPDATE and not change.changed  # an earlier call, sent again
    if again or change.action not in (Action.CREATE, Action.UPDATE, Action.REMOVE):
        return PASS
    if timing.ended:
        return over(timing) or _ended(change)
    adds = change.action is Action.CREATE or (change.action is Action.UPDATE and additive(change))
    if timing.frozen and not adds:
        less = takes_away(change)
        loss = f"it would take {less} away, and " if less else ""
        reason = f"{loss}{timing.word()}: {stays_text(change.kind)}"
        return Ruling(Verdict.DEFERRED, reason, Cause.FREEZE)
    return PASS


def _judge_test(change: Change, timing: TimeFacts) -> Ruling:
    if stays_ended(change, timing):
        return over(timing) or _ended(change)
    doubt = doubts(change, timing)
    return Ruling(Verdict.HELD, doubt, Cause.TIMES) if doubt else PASS


def over(timing: TimeFacts) -> Ruling | None:
    """Return the ruling on a test that ended so long ago that nothing on it changes any more."""
    if not timing.closed:
        return None
    reason = f"the test ended more than {span_text(timing.rules.after)} ago: nothing on it changes"
    return Ruling(Verdict.DEFERRED, f"{reason} any more (freeze.after)", Cause.CLOSED)


def _ended(change: Change) -> Ruling:
    if change.kind in AFTER_END:
        return PASS
    return Ruling(Verdict.DEFERRED, ENDED, Cause.ENDED)


def stays_text(kind: Kind) -> str:
    """Return what becomes of something on a frozen test that is not changed now."""
    return f"{AS_IT_IS} until the test has ended" if kind in AFTER_END else AS_IT_IS


def takes_away(change: Change) -> str:
    """Return what an update would take from a member: roles, committees, minutes, or nothing."""
    if change.action is not Action.UPDATE or change.kind not in (Kind.CONTRIBUTOR, Kind.CANDIDATE):
        return ""
    for name in ("roles", "committees"):
        if set(listed(change.before.get(name))) - set(listed(change.after.get(name))):
            return name
    return "extra time" if minutes_of(change.after) < minutes_of(change.before) else ""


def _absence(change: Change, facts: Facts) -> Ruling:
    if facts.trouble:
        return _unproven(facts.trouble, facts.trouble.reason)
    if change.action is Action.REMOVE and facts.begun and not facts.suspect:
        return Ruling(
            Verdict.DEFERRED, STAYS if change.kind is Kind.CANDIDATE else UNDER_WAY, Cause.BEGUN
        )
    ruling = _unless_held(change, facts)
    return judge_times(change, facts.timing) if ruling == PASS and facts.timing else ruling


def _unproven(trouble: AbsenceDoubt, reason: str) -> Ruling:
    """Return the ruling on what rests on an absence that proves nothing.

    The next whole delivery clears it, except where a source has shrunk or was taken out of the
    configuration: then nothing happens until a person says which is right (rules 5).
    """
    verdict = Verdict.HELD if trouble.needs_person else Verdict.DEFERRED
    return Ruling(verdict, reason, Cause.SOURCE)


def _unless_held(change: Change, facts: Facts) -> Ruling:
    """Hold removals where a person must look at what leaves."""
    # Before the grace, whose hash must not open what no hash may.
    ruling = _whose_leaves(change, facts)
    if ruling != PASS:
        return ruling
    # Before the doubts about what still names a person: those contributors may be absent as well.
    if facts.grace and change.action in REMOVALS:
        return _in_grace(change, facts)
    if change.action is Action.WITHDRAW and facts.registered:
        reason = (
            f"it has not ended and {facts.registered} registrations still name it; correct "
            "its source, or them"
        )
        return Ruling(Verdict.HELD, reason, Cause.NAMED)
    return _keeps_account(facts) if change.action in (Action.DISABLE, Action.DELETE) else PASS


def _whose_leaves(change: Change, facts: Facts) -> Ruling:
    """Hold what may be somebody who stays, or the account of somebody else."""
    if facts.zeros:
        return Ruling(Verdict.HELD, _UNDER_ZEROS, Cause.IDENTITY_CHANGE)
    if facts.suspect:
        reason = (
            f"{facts.suspect} may live on under a new key; settle that first: "
            "`adopt --held --show` lists it"
        )
        return Ruling(Verdict.HELD, reason, Cause.IDENTITY_CHANGE)
    if change.action is Action.REMOVE and facts.retired:
        return Ruling(Verdict.HELD, _CAME_BACK, Cause.TIMES)
    if change.action in (Action.DISABLE, Action.DELETE):
        return _keeps_account(replace(facts, registered=0))
    return PASS


def _in_grace(change: Change, facts: Facts) -> Ruling:
    """Defer a removal; by the freeze of its test as well, since one hash allows both."""
    frozen = judge_times(change, facts.timing) if facts.timing else PASS
    if frozen == PASS:
        return Ruling(Verdict.DEFERRED, facts.grace, Cause.GRACE)
    return replace(frozen, reason=f"{frozen.reason}; {facts.grace}")


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


def minutes_of(fields: Fields) -> int:
    """Return the minutes of extra time; 0 without any."""
    return int(fields.get("extra_time") or 0)
