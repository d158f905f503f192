"""The activation of tests: planned last, and sent only when all of its test was sent.

It reads the test first: somebody may have activated it by hand.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import partial

from sync.contract import is_activated
from sync.engine.extract.extract import ExtractionResult
from sync.engine.prepared_work import PreparedWork
from sync.engine.protocols import Target
from sync.errors import CallError, Stop
from sync.planning.activation import (
    NOT_AWAITED,
    UNCLAIMED,
    ActivationFacts,
    awaited,
    is_due,
    judge_activation,
    too_early,
)
from sync.planning.decide import DraftedChange
from sync.planning.freeze import TimeFacts
from sync.planning.protection import Protection, find_protection
from sync.planning.selection import PilotGroup
from sync.records.base import Kind
from sync.records.changes import ADDITIONS, Cause, Outcome, PlannedChange, Result
from sync.records.kinds import ON_A_TEST
from sync.records.remote import RemoteTest
from sync.state.compare.activation import DueActivation
from sync.state.store import Store

_OF_A_TEST = frozenset({Kind.TEST, *ON_A_TEST})
_NOT_MISSING = (Result.DONE, Result.FOUND, Result.NOT_NEEDED)


def draft_activations(
    store: Store,
    extracted: ExtractionResult,
    protections: Sequence[Protection],
    pilot: PilotGroup,
    claimed: Collection[str],
) -> None:
    """Draft the activation of each test that is due. Needs all the rest of the draft."""
    unhealthy = {one.kind for one in (*extracted.reports, *extracted.lookups) if one.unhealthy}

    def drafted() -> Iterator[DraftedChange]:
        for due in store.comparison.due_activations():
            key = due.change.key
            if not (due.managed or is_claimed(key[0], claimed)):
                continue
            today = due.facts.timing.moment.latest.date()
            facts = replace(
                due.facts,
                unread=unhealthy & _OF_A_TEST,
                protected=find_protection(protections, Kind.TEST, key, today),
                outside=bool(pilot) and not pilot.covers(Kind.TEST, key),
            )
            yield _drafted(due, facts)

    # Read to its end before anything is written: both are of the same table.
    store.plan.draft(iter(list(drafted())))


def _drafted(due: DueActivation, facts: ActivationFacts) -> DraftedChange:
    return DraftedChange(due.change, judge_activation(facts), due.fingerprint)


def is_claimed(test: str, claimed: Collection[str]) -> bool:
    """Tell whether the configuration claims what Inspera had of this test before us."""
    return any(fnmatchcase(test, pattern) for pattern in claimed)


@dataclass(slots=True)
class UnsentOnTests:
    """What this run was to send for each test, and what is not in Inspera after all."""

    _missing: dict[str, Counter[Kind]] = field(default_factory=dict)

    def note(self, line: PlannedChange, outcome: Outcome) -> None:
        """Count an outcome that leaves something of a test missing."""
        change = line.change
        if (
            change.kind in _OF_A_TEST
            and change.action in ADDITIONS
            and outcome.result not in _NOT_MISSING
            and outcome.cause not in NOT_AWAITED
        ):
            self._missing.setdefault(change.key[0], Counter())[change.kind] += 1

    def on(self, test: str) -> Counter[Kind]:
        """Return by kind how many changes of a test are missing in Inspera."""
        return self._missing.get(test, Counter())


def find_obstacle(
    line: PlannedChange,
    store: Store,
    unsent: UnsentOnTests,
    timing: TimeFacts,
    claimed: Collection[str],
) -> Outcome | None:
    """Return why a test is not activated, by what this run has sent; None when it may be."""
    test = line.change.key[0]
    known = store.known.find(Kind.TEST, (test,))
    if not known or not known["remote_id"]:
        waits = f"not activated: waits for test {test}, which is not in Inspera yet"
        return Outcome(Result.WAITING, waits, cause=Cause.NEEDS)
    if not (known["managed"] or is_claimed(test, claimed)):
        return Outcome(Result.DEFERRED, UNCLAIMED, cause=Cause.FOUND)
    facts = ActivationFacts(
        timing=timing,
        candidates=len(store.known.on_test(Kind.CANDIDATE, test)),
        missing=unsent.on(test),
    )
    waits = awaited(facts)
    return Outcome(Result.WAITING, waits, cause=Cause.NEEDS) if waits else None


def prepare_activation(
    line: PlannedChange, obstacle: Outcome | None, timing: TimeFacts, target: Target
) -> PreparedWork:
    """Read the test's status, so that one that is activated already needs no call.

    Runs on a worker.

    Raises:
        Stop: nothing more can be sent in this run.
    """
    if obstacle:
        return PreparedWork(ended=[(line, obstacle)])
    try:
        found = target.find_test(str(line.change.after["external_test_id"]))
    except Stop:
        raise
    except CallError as error:
        return _ended(line, Outcome(Result.NOT_SENT, f"not activated: not looked up: {error}"))
    if len(found) != 1:
        return _ended(line, Outcome(Result.NOT_SENT, _not_one(found)))
    (test,) = found
    if is_activated(test.status):
        message = "it is activated in Inspera already"
        return _ended(line, Outcome(Result.FOUND, message, test.remote_id))
    timing = replace(timing, moment=target.moment())
    if outcome := _not_now(test, timing):
        return _ended(line, outcome)
    return PreparedWork(lines=[line], send=partial(_send, line, test, target))


def _ended(line: PlannedChange, outcome: Outcome) -> PreparedWork:
    return PreparedWork(ended=[(line, outcome)])


def _not_one(found: Collection[RemoteTest]) -> str:
    if not found:
        return "not activated: Inspera does not have this test any more; look there first"
    return f"not activated: Inspera has {len(found)} tests with this external id; look there first"


def _not_now(test: RemoteTest, timing: TimeFacts) -> Outcome | None:
    """Return why a test is not activated by the times that Inspera has; None when it may be.

    Candidates enter by these, and somebody may have moved the test by hand.
    """
    if test.start and not is_due(test.start, replace(timing, ends="")):
        before = timing.rules.activate
        assert before is not None  # noqa: S101 - only such tests are due
        return Outcome(Result.WAITING, too_early(test.start, before), cause=Cause.DRIFT)
    if timing.ended:
        return Outcome(Result.DEFERRED, "not activated: the test has ended", cause=Cause.ENDED)
    return None


def _send(line: PlannedChange, test: RemoteTest, target: Target) -> list[Outcome]:
    outcome = target.activate_test(line.change, test.remote_id)
    if outcome.result is Result.DONE:
        return [outcome]
    return [replace(outcome, message=f"not activated: {outcome.message}")]
