"""The activation of tests: planned last, and sent only when all of its test was sent.

It reads the test first: somebody may have activated it by hand.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import partial

from sync.contract import OptionRule, Stage
from sync.engine.changes_on_test import MembershipPolicy
from sync.engine.extract.extract import ExtractionResult
from sync.engine.prepared_work import PreparedWork
from sync.engine.protocols import Target
from sync.errors import CallError, Stop
from sync.planning.activation import (
    NO_PARENT,
    UNCLAIMED,
    ActivationFacts,
    Gap,
    Need,
    count_needs,
    is_due,
    judge_activation,
    too_early,
    unknown_status,
)
from sync.planning.decide import DraftedChange
from sync.planning.freeze import TimeFacts
from sync.planning.protection import Protection, find_protection
from sync.planning.selection import PilotGroup
from sync.records.base import Kind
from sync.records.changes import ADDITIONS, Cause, Outcome, PlannedChange, Result, Verdict
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

    _gaps: dict[str, Counter[Gap]] = field(default_factory=dict)
    _archived: dict[str, str] = field(default_factory=dict)

    def note(self, line: PlannedChange, outcome: Outcome) -> None:
        """Count an outcome that leaves something of a test missing."""
        change = line.change
        if change.kind not in _OF_A_TEST or outcome.result in _NOT_MISSING:
            return
        test = change.key[0]
        if outcome.cause is Cause.ARCHIVED:
            self._archived[test] = outcome.message
        if change.action in ADDITIONS:
            name = change.key[1] if change.kind is Kind.OPTION else ""
            changed = tuple(change.changed) if change.kind is Kind.TEST else ()
            gap = Gap(change.kind, name, changed, outcome.cause)
            self._gaps.setdefault(test, Counter())[gap] += 1

    def on(self, test: str, options: Mapping[str, OptionRule]) -> Mapping[Need, Counter[Kind]]:
        """Return by need and kind how many changes of a test are missing in Inspera."""
        groups = {name: rule.group for name, rule in options.items()}
        return count_needs(self._gaps.get(test, Counter()).items(), groups)

    def archived(self, test: str) -> str:
        """Return the words by which Inspera took no change of an archived test; else empty."""
        return self._archived.get(test, "")


def find_obstacle(
    line: PlannedChange,
    store: Store,
    unsent: UnsentOnTests,
    timing: TimeFacts,
    policy: MembershipPolicy,
) -> Outcome | None:
    """Return why a test is not activated, by what this run has sent; None when it may be."""
    test = line.change.key[0]
    known = store.known.find(Kind.TEST, (test,))
    if not known or not known["remote_id"]:
        waits = f"not activated: waits for test {test}, which is not in Inspera yet"
        return Outcome(Result.WAITING, waits, cause=Cause.NEEDS)
    if not (known["managed"] or is_claimed(test, policy.claim)):
        return Outcome(Result.DEFERRED, UNCLAIMED, cause=Cause.FOUND)
    if words := unsent.archived(test):
        return Outcome(Result.DEFERRED, words, cause=Cause.ARCHIVED)
    missing = unsent.on(test, policy.options)
    facts = ActivationFacts(
        timing=timing,
        candidates=len(store.known.on_test(Kind.CANDIDATE, test)),
        missing=missing[Need.ALWAYS],
        late=missing[Need.UNTIL_FREEZE],
    )
    ruling = judge_activation(facts)
    if ruling.verdict is Verdict.PASS:
        return None
    return Outcome(Result(ruling.verdict.value), ruling.reason, cause=ruling.cause)


def prepare_activation(
    line: PlannedChange,
    obstacle: Outcome | None,
    timing: TimeFacts,
    target: Target,
    known_id: str | None = None,
) -> PreparedWork:
    """Read the test's status, so that one that is activated already needs no call.

    Runs on a worker. `known_id` is Inspera's number of the test on which everything was put.

    Raises:
        Stop: nothing more can be sent in this run.
    """
    if obstacle and obstacle.cause is not Cause.NEEDS:
        return _ended(line, obstacle)
    try:
        found = target.find_test(str(line.change.after["external_test_id"]))
    except Stop:
        raise
    except CallError as error:
        return _ended(line, Outcome(Result.NOT_SENT, f"not activated: not looked up: {error}"))
    outcome = _not_the_same(found, known_id) or _already(found) or obstacle or _not_one(found)
    if outcome:
        return _ended(line, outcome)
    (test,) = found
    if outcome := _not_now(test, replace(timing, moment=target.moment())):
        return _ended(line, outcome)
    return PreparedWork(lines=[line], send=partial(_send, line, test, target))


def _ended(line: PlannedChange, outcome: Outcome) -> PreparedWork:
    return PreparedWork(ended=[(line, outcome)])


def _already(found: Sequence[RemoteTest]) -> Outcome | None:
    """Return the outcome for a test that is activated; it counts whatever is missing on it."""
    if len(found) != 1 or found[0].stage is not Stage.ACTIVATED:
        return None
    return Outcome(Result.FOUND, "it is activated in Inspera already", found[0].remote_id)


def _not_the_same(found: Sequence[RemoteTest], known_id: str | None) -> Outcome | None:
    """Return the outcome for a test that somebody made anew under the external id of a known one."""
    if not known_id or len(found) != 1 or found[0].remote_id in (None, known_id):
        return None
    return Outcome(
        Result.NOT_SENT,
        f"not activated: under its external id Inspera has another test (id {found[0].remote_id}) "
        f"than the one that was filled (id {known_id}); look there first, then run `reconcile`",
    )


def _not_one(found: Sequence[RemoteTest]) -> Outcome | None:
    if len(found) == 1:
        return None
    has = f"has {len(found)} tests with this external id"
    if not found:
        has = "does not have this test any more"
    return Outcome(Result.NOT_SENT, f"not activated: Inspera {has}; look there first")


def _not_now(test: RemoteTest, timing: TimeFacts) -> Outcome | None:
    """Return why a test is not activated by what Inspera shows of it; None when it may be.

    Candidates enter by the times there, and somebody may have moved the test by hand.
    """
    if test.stage is Stage.ARCHIVED:
        message = f"Inspera shows the status '{test.status}'"
        return Outcome(Result.DEFERRED, message, test.remote_id, cause=Cause.ARCHIVED)
    if test.stage is Stage.UNKNOWN:
        message = f"not activated: {unknown_status(test.status)}"
        return Outcome(Result.WAITING, message, cause=Cause.NEEDS)
    if test.is_parent:
        return Outcome(Result.DEFERRED, NO_PARENT, cause=Cause.PARENT, is_parent=True)
    if test.start and not is_due(test.start, replace(timing, ends="")):
        before = timing.rules.activate
        assert before is not None  # noqa: S101 - only such tests are due
        return Outcome(Result.WAITING, too_early(test.start, before), cause=Cause.DRIFT)
    if timing.ended:
        return Outcome(Result.DEFERRED, "not activated: the test has ended", cause=Cause.ENDED)
    return None


def _send(line: PlannedChange, test: RemoteTest, target: Target) -> list[Outcome]:
    outcome = target.activate_test(line.change, test.remote_id)
    if outcome.result is Result.DONE or outcome.cause is Cause.ARCHIVED:
        return [outcome]
    return [replace(outcome, message=f"not activated: {outcome.message}")]
