"""The whole run, from top to bottom: recover, extract, plan, execute, verify, result.

Start reading here. `plan_only` is the part that sends nothing; the `plan` command does no more than
that.
"""

from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import datetime

from sync.engine.context import RunContext, RunResult, RunSettings
from sync.engine.ending import recording_errors
from sync.engine.executor import ExecutionResult, Executor
from sync.engine.extract.baseline import keep_baseline
from sync.engine.extract.extract import extract
from sync.engine.findings import keep_findings
from sync.engine.lost_state import probe
from sync.engine.plan import PlanResult, Policy, make_plan, plan_status
from sync.engine.protocols import Feed, Progress
from sync.engine.recovery import RecoveryResult, recover
from sync.engine.verify import Verification, verify_run
from sync.errors import CallError
from sync.exit_codes import Exit, worst
from sync.records.changes import CALLING, Cause, Result, Verdict
from sync.state.store import Store

_YIELDED = "yielded to a run whose tests start sooner"


def plan_only(
    feeds: Sequence[Feed], store: Store, policy: Policy, now: datetime, progress: Progress
) -> PlanResult:
    """Read all feeds and leave the plan in the store.

    `now` is aware; it decides what has begun and ended.
    """
    extracted = extract(feeds, store, now, progress, policy.read_options)
    return make_plan(extracted, store, policy, now, progress)


def run(settings: RunSettings, context: RunContext) -> RunResult:
    """Do one run, record it in the journal, and return what became of it.

    1. Recover: find out what became of calls whose outcome an earlier run could not record.
    2. Extract: read every feed into the staging tables.
    3. Plan: compare what is wanted with what is known, and ask the guard about each change.
    4. Execute: send what the guard allows, each intent durable before its call.
    5. Verify: read back what was sent.
    6. Result: count everything, and derive the exit status.

    Raises:
        SyncError: the run could not be done; the journal has the reason.
    """
    result, policy = RunResult(), settings.policy
    store, journal, observer = context.store, context.journal, context.observer
    with (
        recording_errors(journal, result, observer.note, context.target.has_called),
        closing(context.target),
    ):
        context.interruption.raise_if_set()
        older_copy = store.earlier_runs.recovery_need()
        recovered = RecoveryResult() if older_copy else recover(settings, context)

        progress, now = context.interruption.stopping(observer.progress), context.clock()
        extracted = extract(settings.feeds, store, now, progress, policy.read_options)
        plan = make_plan(extracted, store, policy, now, progress)
        # Before anything is sent: a change that was read only once must not be lost with this run.
        digests = [feed.digest for feed in settings.all_feeds]
        store.snapshots.keep(context.clock(), digests, extracted.unhealthy_sources)
        result.add_plan(plan, store)
        observer.planned(plan, result)
        keep_findings(store, journal, result)
        plan.check_hashes(policy.allowed)

        if older_copy:
            _hold_all(f"Held: {older_copy}.", result, context)
            result.status = worst(source=bool(extracted.unhealthy), held=True)
        else:
            store.known.lapse_kept()
            executed = _execute(settings, context, recovered, result)
            if not executed.stopped:
                journal.lapse({*extracted.trouble, *policy.incomplete})
            _check_clock(context, result)
            # A wrong clock makes tests look ended: then nobody who seems to have left is forgotten.
            journal.promote_silent(leaving=not result.clock_trouble)
            keep_baseline(settings, extracted, store)
            verified = verify_run(settings, context, executed, result)
            result.status = _status(store, plan, executed, verified, result)
    _record_end(result, context)
    return result


def _execute(
    settings: RunSettings, context: RunContext, recovered: RecoveryResult, result: RunResult
) -> ExecutionResult:
    """Send what the guard allows, unless Inspera shows that this state was lost."""
    total = _sendable(context.store)
    if not total:
        if settings.check_clock:
            with suppress(CallError):  # nothing is to be sent, so an error prevents nothing
                context.target().clock_trouble()
        return ExecutionResult()
    target = context.target()
    probed = probe(context.store, target)
    if probed.note:
        context.observer.note(probed.note)
    if probed.lost:
        _hold_all(f"Held: {probed.lost}", result, context)
        return ExecutionResult()
    executed = Executor(
        context.store,
        context.journal,
        target,
        settings.membership,
        workers=settings.workers,
        stop=context.interruption.event,
        clock=context.clock,
        progress=context.observer.progress,
        barred=recovered.barred,
        tried=recovered.tried,
        look_up_learners=settings.look_up_learners,
        should_yield=context.should_yield,
    ).execute(total)
    result.add_execution(executed, total)
    executed.stopped = executed.stopped or target.stopped or ""
    if executed.count(Result.NOT_SENT, Result.UNKNOWN):
        executed.stopped = executed.stopped or target.out_of_reach or ""
    if executed.stopped:
        _stop(f"Stopped: {executed.stopped}", result, context.observer.note)
    return executed


def _hold_all(reason: str, result: RunResult, context: RunContext) -> None:
    """Hold everything that would be sent: this state may be an older copy, or was lost."""
    _stop(reason, result, context.observer.note)
    total = _sendable(context.store)
    result.counts["held"] += total
    result.left[Verdict.HELD, Cause.LOST] += total


def _sendable(store: Store) -> int:
    """Return how many changes of the plan are to be sent."""
    return sum(
        number
        for (_, action, verdict), number in store.plan.tally().items()
        if verdict is Verdict.PASS and action in CALLING
    )


def _check_clock(context: RunContext, result: RunResult) -> None:
    """Record what Inspera's answers have shown of this machine's clock."""
    if target := context.target.opened:
        result.clock_trouble, result.clock_offset = target.known_clock_trouble, target.clock_offset
    if result.clock_trouble:
        context.observer.note(f"Clock: {result.clock_trouble}")


def _status(
    store: Store,
    plan: PlanResult,
    executed: ExecutionResult,
    verified: Verification,
    result: RunResult,
) -> Exit:
    """Return the exit status of a run that came to its end."""
    planned = plan_status(store, plan)
    held = result.counts["held"] + executed.count(Result.HELD) + result.soon > 0
    failed = executed.count(Result.REFUSED, Result.UNKNOWN, Result.NOT_SENT) + executed.missed
    # What still waits for a candidate number is not in Inspera, so the run is not "all well".
    failed += result.waiting + executed.causes[Result.DEFERRED, Cause.NUMBER] + len(verified.bad)
    return worst(
        inspera=bool(executed.stopped),
        source=planned is Exit.SOURCE or bool(result.clock_trouble),
        held=held
        or planned is Exit.HELD
        or any(verdict is Verdict.HELD for _, _, verdict in store.plan.tally()),
        row_errors=failed > 0 or planned is Exit.ERRORS,
    )


def _stop(reason: str, result: RunResult, note: Callable[[str], None]) -> None:
    """Note why the run stops, and keep it for `status`."""
    result.reasons.append(reason)
    note(reason)


def _record_end(result: RunResult, context: RunContext) -> None:
    """Record the end of the run in the journal, with its word and exit status."""
    interruption = context.interruption
    if interruption.event.is_set():
        reason = _YIELDED if result.yielded else interruption.reason or "interrupted"
        _stop(f"Ended early: {reason}.", result, context.observer.note)
        result.status = Exit.OK if result.yielded else interruption.status
    if result.yielded:
        result.word = "yielded"
    elif interruption.event.is_set():
        result.word = "paused" if interruption.status is Exit.HELD else "interrupted"
    elif result.status is Exit.INSPERA:
        result.word = "stopped"
    context.journal.end(result.word, result.status, result.counts, result.reasons)
