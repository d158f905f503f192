"""The undo of an earlier run: recover, plan the inverse, execute, verify, result.

The changes are those of the journal, and no source is read. The guard judges them as those of any
other run. What was undone is remembered, so that the next run holds it and does not send it again.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime

from sync.engine.context import RunContext, RunSettings
from sync.engine.ending import recording_errors
from sync.engine.extract.extract import ExtractionResult
from sync.engine.findings import keep_findings
from sync.engine.plan import PlanResult, Policy, with_policy
from sync.engine.recovery import RecoveryResult, recover
from sync.engine.result import RunResult
from sync.engine.run import execute
from sync.engine.verify import verify_run
from sync.exit_codes import Exit, worst
from sync.planning.decide import DraftedChange, Pair, decide
from sync.planning.undo import Inverse, RecordedChange, invert, undo_command
from sync.records.base import Key, Kind
from sync.records.changes import CALLING, Verdict
from sync.records.kinds import ON_A_TEST, PEOPLE
from sync.state.audit.chain import Event
from sync.state.audit.log import Entry
from sync.state.store import Store

MOST_NAMED = 1_000
"""The most records that are named for one reason, so that memory does not grow with a run."""

NOT_UNDONE = "not undone"
"""The type of the findings about what cannot be undone."""

_NOTHING_LEFT = "nothing is to be changed: it is so already, or its test has ended"


@dataclass(frozen=True, slots=True)
class UndoRequest:
    """The run to undo, and who wants that for which reason."""

    run_id: int
    person: str
    why: str

    @property
    def command(self) -> str:
        """Return the command, for the journal and for the remedies of the plan."""
        return undo_command(self.run_id)


@dataclass(slots=True)
class LeftChange:
    """What cannot be undone for one reason: how many changes, and the keys of the first."""

    what: str
    kind: Kind
    reason: str
    number: int = 0
    keys: list[Key] = field(default_factory=list)


@dataclass(slots=True)
class UndoPlan:
    """The inverse plan, and what cannot be undone.

    Attributes:
        plan: the plan, as other runs have it.
        left: what cannot be undone, by its reason.
        later: how many changes are deferred or wait. No later run sends them by itself.
    """

    plan: PlanResult
    left: Sequence[LeftChange]
    later: int

    def status(self, status: Exit) -> Exit:
        """Return the exit status where a run of this plan has that one: 1 if something is left."""
        left = self.not_undone + self.later > 0
        return Exit.ERRORS if status is Exit.OK and left else status

    @property
    def not_undone(self) -> int:
        """Return how many changes stay, in whole or in part."""
        return sum(one.number for one in self.left)


def undo(
    settings: RunSettings,
    context: RunContext,
    request: UndoRequest,
    show: Callable[[UndoPlan], None],
) -> RunResult:
    """Undo a run, record that in the journal as a run of its own, and return what became of it.

    Args:
        settings: of the configuration.
        context: the objects that the run works with.
        request: the run to undo.
        show: shows what cannot be undone, before anything is sent.

    Raises:
        SyncError: it could not be done; the journal has the reason.
    """
    result, store, note = RunResult(), context.store, context.observer.note
    with (
        recording_errors(context.journal, result, note, context.target.has_called),
        closing(context.target),
    ):
        context.interruption.raise_if_set()
        older_copy = store.earlier_runs.recovery_need()
        recovered = RecoveryResult() if older_copy else recover(settings, context)
        undoing = plan_undo(store, settings.policy, request.run_id, context.clock())
        _record_plan(context, undoing, result)
        show(undoing)
        undoing.plan.check_hashes(settings.policy.allowed)
        total = store.plan.sendable()
        if older_copy:
            result.hold_all(f"Held: {older_copy}.", total, note)
            result.status = worst(held=True)
        elif not context.observer.confirms(total):
            result.decline(total, note)
        else:
            _send(settings, context, request, undoing, recovered, result)
    result.end(context.journal, context.interruption, note)
    return result


def _record_plan(context: RunContext, undoing: UndoPlan, result: RunResult) -> None:
    """Show the inverse plan, and record what cannot be undone for `status`."""
    result.add_plan(undoing.plan, context.store)
    result.counts[NOT_UNDONE] = undoing.not_undone
    context.observer.planned(undoing.plan, result)
    for left in undoing.left:
        for key in left.keys:
            context.journal.find(NOT_UNDONE, left.kind, key, "", f"{left.what}: {left.reason}")
            result.planned_findings += 1
    keep_findings(context.store, context.journal, result)


def _send(
    settings: RunSettings,
    context: RunContext,
    request: UndoRequest,
    undoing: UndoPlan,
    recovered: RecoveryResult,
    result: RunResult,
) -> None:
    """Execute the inverse plan, and remember what it has taken back."""
    store, undo_run = context.store, context.journal.run_id
    store.undoing.remember(context.clock(), request.run_id, undo_run, request.person, request.why)
    context.journal.audit.append(
        [Entry(event=Event.UNDONE, details={"undone run": request.run_id}, who=request.person)]
    )
    executed = execute(settings, context, recovered, result)
    store.undoing.settle(undo_run)
    result.add_clock(context.target.opened, context.observer.note)
    verified = verify_run(settings, context, executed, result)
    result.decide_status(store, undoing.plan, executed, len(verified.bad))
    if undoing.later:
        note_later = f"Not undone yet: {undoing.later:,} deferred or waiting; run `"
        context.observer.note(f"{note_later}{request.command}` again once their causes are gone.")
    result.status = undoing.status(result.status)


def plan_undo(store: Store, policy: Policy, run_id: int, now: datetime) -> UndoPlan:
    """Leave the inverse plan of a run in the store. `now` is aware."""
    left = _Left()
    store.staging.name_place(0, f"run {run_id} change")
    store.undoing.stage(_inverses(store, run_id, left))
    store.staging.index()
    store.comparison.compute_windows_alone(now)
    drafting = _Drafting(store, policy, now, left)
    for kind in (*PEOPLE, Kind.TEST):
        drafting.draft(store.comparison.arrived_or_changed(kind))
    store.plan.index_draft()
    for kind in ON_A_TEST:
        drafting.draft(store.comparison.arrived_or_changed(kind))
        drafting.draft(store.comparison.absent(kind, None, None))
    for kind, key in store.undoing.undrafted():
        if (kind, key) not in drafting.in_error:
            left.add("change", kind, key, _NOTHING_LEFT)
    held = store.plan.hold_scopes(policy.limits, policy.allowed, now)
    store.plan.defer_numbers()
    store.undoing.name_command(undo_command(run_id))
    store.plan.close()
    plan = PlanResult(ExtractionResult(()), held, 0, now, used=drafting.used)
    later = sum(
        number
        for (_, _, verdict), number in store.plan.tally().items()
        if verdict in (Verdict.DEFERRED, Verdict.WAITING)
    )
    return UndoPlan(plan, left.groups(), later)


def _inverses(store: Store, run_id: int, left: "_Left") -> Iterator[tuple[RecordedChange, Inverse]]:
    """Yield what can be taken back of a run; what cannot goes to `left`."""
    for change in store.undoing.recorded(run_id):
        inverse = invert(change)
        if inverse and inverse.left:
            left.add(change.action, change.kind, change.key, inverse.left)
        if inverse and inverse.possible:
            yield change, inverse


class _Left:
    """What cannot be undone, grouped by its reason."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, Kind, str], LeftChange] = {}

    def add(self, what: str, kind: Kind, key: Key, reason: str) -> None:
        group = self._groups.setdefault((what, kind, reason), LeftChange(what, kind, reason))
        group.number += 1
        if group.number <= MOST_NAMED:
            group.keys.append(key)

    def groups(self) -> Sequence[LeftChange]:
        return list(self._groups.values())


@dataclass(slots=True)
class _Drafting:
    """The drafting of inverse changes, with the hashes that were used for them."""

    store: Store
    policy: Policy
    now: datetime
    left: _Left
    used: set[str] = field(default_factory=set)
    in_error: set[tuple[Kind, Key]] = field(default_factory=set)

    def draft(self, pairs: Iterator[Pair]) -> None:
        """Write the changes of these pairs into the draft; others make no call and are left."""
        self.store.plan.draft(self._changes(pairs))

    def _changes(self, pairs: Iterator[Pair]) -> Iterator[DraftedChange]:
        for one in pairs:
            # No source says that it is absent, so no grace is due. Protected is protected. A test
            # is again as it was before the run: without a committee, if it had none.
            facts = replace(one.facts, absence=None, last=False)
            pair = with_policy(replace(one, facts=facts), self.policy, self.now)
            decision = decide(pair, self.policy.allowed)
            for error in decision.row_errors:
                self.in_error.add((pair.kind, pair.key))
                self.left.add("change", pair.kind, pair.key, f"{error.field} {error.reason}")
            drafted = decision.drafted
            if drafted and drafted.change.action in CALLING:
                self.used.update(filter(None, [drafted.allowed]))
                # The reason of the change speaks of sources, and none was read.
                yield replace(drafted, change=replace(drafted.change, reason=""))
