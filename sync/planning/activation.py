"""Whether a test is activated now, and what its activation waits for. Pure.

Nobody can enter a test that is not activated, and after its activation the security options can't
change any more (vendor contract, Test API: settings, activating). So an activation waits until all
that the sources say of the test is in Inspera. From the test's freeze on (rules 16) it waits only
for what can't follow later: locked-out candidates are worse than one candidate who comes late.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from sync.planning.freeze import TimeFacts
from sync.planning.guard import OUTSIDE, PASS, Ruling
from sync.planning.plausible import span_text
from sync.planning.remedies import archived_text
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
NO_PARENT = (
    "not activated: the test is a parent of other tests (isAssessmentPath), which have the "
    "candidates; if it must be, a planner activates it in Inspera"
)

_LATE = frozenset({Kind.COMMITTEE, Kind.CONTRIBUTOR, Kind.CANDIDATE})
"""What can follow after the activation, so that it does not lock out all others."""

_AFTER_THE_TEST = frozenset({"explanation", "after_test"})
"""The groups of options that matter only once the test has ended."""

_SECURITY_CAN_WAIT = NOT_AWAITED - {Cause.FREEZE, Cause.BEGUN}
_UNSURE = frozenset(
    {Cause.DRIFT, Cause.DOUBTFUL, Cause.IDENTITY_CHANGE, Cause.LOST, Cause.CLOCK, Cause.SHARED}
)
"""Causes of changes of a test after which it may be another one, or at another time."""


class Need(StrEnum):
    """How long an activation waits for something that is missing."""

    NONE = "none"
    UNTIL_FREEZE = "until the freeze"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Gap:
    """A change of a test, or on it, that is not made: what it is of, what it changes, and why."""

    kind: Kind
    name: str = ""
    changed: tuple[str, ...] = ()
    cause: Cause = Cause.NONE


def weigh(gap: Gap, groups: Mapping[str, str]) -> Need:
    """Return how long the activation of a test waits for a change that is not made.

    Only security options and the times of a test can't follow: the first are fixed by the
    activation, and by the second a test may be open too early. So a security option that the
    freeze defers is awaited, too: a person allows it, or puts the source right. `groups` are those of
    the options that this tenant has, by name.
    """
    if gap.kind is Kind.OPTION:
        group = groups.get(gap.name, "security")
        if group == "security":
            return Need.NONE if gap.cause in _SECURITY_CAN_WAIT else Need.ALWAYS
        if group in _AFTER_THE_TEST:
            return Need.NONE
    if gap.cause in NOT_AWAITED:
        return Need.NONE
    if gap.kind is Kind.TEST and not (set(gap.changed) == {"title"} and gap.cause not in _UNSURE):
        return Need.ALWAYS
    return Need.UNTIL_FREEZE


def count_needs(
    gaps: Iterable[tuple[Gap, int]], groups: Mapping[str, str]
) -> Mapping[Need, Counter[Kind]]:
    """Count gaps, each with its number, by need and kind."""
    counted = {need: Counter[Kind]() for need in Need}
    for gap, number in gaps:
        counted[weigh(gap, groups)][gap.kind] += number
    return counted


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationFacts:
    """What is known of a test that is due for activation.

    Attributes:
        timing: when it runs.
        candidates: how many it has in Inspera once this run is over.
        missing: how many changes of the test and of each kind on it are not made in this run,
            without which it is never activated.
        late: how many of them can follow after the activation.
        unread: the kinds whose sources can't be relied on in this run, or were not read.
        refused: why the activation was refused before, and when it is tried again; else empty.
        protected: until when and why the configuration protects the test; else empty.
        outside: whether the pilot group does not cover it.
        archived: Inspera's words for taking no changes of it; empty if it does.
        parent: whether other tests are parts of it.
    """

    timing: TimeFacts
    candidates: int = 0
    missing: Mapping[Kind, int] = field(default_factory=dict)
    late: Mapping[Kind, int] = field(default_factory=dict)
    unread: Collection[Kind] = ()
    refused: str = ""
    protected: str = ""
    outside: bool = False
    archived: str = ""
    parent: bool = False


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
    deferred = (
        (facts.outside and OUTSIDE, Cause.PILOT),
        (facts.protected, Cause.PROTECTED),
        (facts.archived and archived_text(facts.archived), Cause.ARCHIVED),
        (facts.parent and NO_PARENT, Cause.PARENT),
    )
    for reason, cause in deferred:
        if reason:
            return Ruling(Verdict.DEFERRED, reason, cause)
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
    if facts.candidates and not any(_stops(kind, facts) for kind in Kind):
        span = span_text(facts.timing.rules.before)
        until = f"; from {span} before its start it is activated without them"
    return f"not activated: waits for {' and '.join(parts)}{until}"


def _awaited(facts: ActivationFacts) -> Iterator[str]:
    urgent = facts.timing.frozen
    for kind in Kind:
        number = facts.missing.get(kind, 0) + (0 if urgent else facts.late.get(kind, 0))
        if number:
            yield _of_kind(kind, number)
        elif kind in facts.unread and not (urgent and kind in _LATE):
            yield f"a complete reading of every {kind}"
    if not facts.candidates:
        yield "at least one candidate"


def _stops(kind: Kind, facts: ActivationFacts) -> bool:
    return bool(facts.missing.get(kind)) or (kind in facts.unread and kind not in _LATE)


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


def unknown_status(status: str | None) -> str:
    """Return why nothing that rests on the activation of a test is sent, and the remedy."""
    return (
        f"unknown status '{status}' of the test in Inspera, so it is not known whether it is "
        f'activated; look there, and set inspera.statuses: {{"{status}": not_activated}}, or '
        "activated"
    )
