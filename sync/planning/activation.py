"""Whether a test is activated now, and what its activation waits for. Pure.

Nobody can enter a test that is not activated, and after its activation the security options can't
change any more (vendor contract, Test API: settings, activating). So an activation waits until all
that the sources say of the test is in Inspera. From the test's freeze on (rules 16) it waits only
for what can't follow later: locked-out candidates are worse than one candidate who comes late.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sync.planning.freeze import TimeFacts
from sync.planning.guard import OUTSIDE, PASS, Ruling
from sync.planning.plausible import span_text
from sync.records.base import Kind, utc_text
from sync.records.changes import Cause, Verdict

NOT_AWAITED = frozenset(
    {
        Cause.FREEZE,
        Cause.BEGUN,
        Cause.ENDED,
        Cause.CLOSED,
        Cause.PROTECTED,
        Cause.PILOT,
        Cause.REJECTED,
        Cause.UNDONE,
        Cause.FOUND,
    }
)
"""Causes of changes for which an activation does not wait.

They clear only after the test, or a person or the configuration leaves the record as it is.
"""

FIRST_MAILS = (
    "the first activation of a test lets Inspera mail its graders, and its security options can't "
    "change any more afterwards"
)
NO_CALL_BACK = (
    "Inspera has no call that deactivates a test; if it must be, a planner does that there"
)
UNCLAIMED = (
    "not activated: the test was in Inspera before us, and is activated only if its key is in "
    "`existing.claim`"
)

_LATE = frozenset({Kind.COMMITTEE, Kind.CONTRIBUTOR, Kind.CANDIDATE})
"""What can follow after the activation, so that it does not lock out all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationFacts:
    """What is known of a test that is due for activation.

    Attributes:
        timing: when it runs.
        candidates: how many it has in Inspera once this run is over.
        missing: how many changes of the test and of each kind on it are not made in this run.
        unread: the kinds whose sources can't be relied on in this run, or were not read.
        refused: why the activation was refused before, and when it is tried again; else empty.
        protected: until when and why the configuration protects the test; else empty.
        outside: whether the pilot group does not cover it.
    """

    timing: TimeFacts
    candidates: int = 0
    missing: Mapping[Kind, int] = field(default_factory=dict)
    unread: Collection[Kind] = ()
    refused: str = ""
    protected: str = ""
    outside: bool = False


def is_due(start: str, timing: TimeFacts) -> bool:
    """Tell whether a test with this start is within its feed's window and has not ended.

    A test that has begun is due as well: nobody can enter it until it is activated.
    """
    before = timing.rules.activate
    if before is None or not start or timing.ended:
        return False
    return start <= utc_text(timing.moment.latest + before)


def judge_activation(facts: ActivationFacts) -> Ruling:
    """Return the ruling on the activation of a test that is due."""
    if facts.outside:
        return Ruling(Verdict.DEFERRED, OUTSIDE, Cause.PILOT)
    if facts.protected:
        return Ruling(Verdict.DEFERRED, facts.protected, Cause.PROTECTED)
    if waits := awaited(facts):
        return Ruling(Verdict.WAITING, waits, Cause.NEEDS)
    if facts.refused:
        return Ruling(Verdict.DEFERRED, facts.refused, Cause.REFUSED)
    return PASS


def awaited(facts: ActivationFacts) -> str:
    """Return what the activation of a test waits for; empty when it waits for nothing."""
    parts = list(_awaited(facts))
    if not parts:
        return ""
    until = ""
    if not any(_stops(kind, facts) for kind in (*facts.missing, *facts.unread)) and (
        facts.candidates
    ):
        span = span_text(facts.timing.rules.before)
        until = f"; from {span} before its start it is activated without them"
    return f"not activated: waits for {' and '.join(parts)}{until}"


def _awaited(facts: ActivationFacts) -> Iterator[str]:
    urgent = facts.timing.frozen
    for kind in Kind:
        if urgent and kind in _LATE:
            continue
        if number := facts.missing.get(kind, 0):
            yield _of_kind(kind, number)
        elif kind in facts.unread:
            yield f"a complete reading of every {kind}"
    if not facts.candidates:
        yield "at least one candidate"


def _stops(kind: Kind, facts: ActivationFacts) -> bool:
    return kind not in _LATE and (kind in facts.unread or bool(facts.missing.get(kind)))


def _of_kind(kind: Kind, number: int) -> str:
    if kind is Kind.TEST:
        return "the change of the test itself"
    if number == 1:
        return f"1 {kind} (see its own line)"
    return f"{number:,} {kind}s (see their own lines)"


def too_early(start: str, before: timedelta) -> str:
    """Return why a test that Inspera starts later than we know is not activated."""
    return (
        f"not activated: Inspera has it start at {start}, which is not within "
        f"{span_text(before)}; correct the source, or Inspera"
    )
