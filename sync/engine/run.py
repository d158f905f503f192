"""The whole run, from top to bottom: recover, extract, plan, execute, verify, result.

Start reading here. A row becomes a record in `extract`, a change with a verdict in `make_plan`, and
a call in `Executor`. `plan_only` is the part that sends nothing; the `plan` command does no more.
"""

from collections.abc import Sequence
from contextlib import closing, suppress
from datetime import datetime

from sync.engine.context import RunContext, RunSettings
from sync.engine.decisions import keep_holds
from sync.engine.ending import recording_errors
from sync.engine.executor import Executor
from sync.engine.existing_logins import ExistingLogins
from sync.engine.extract.baseline import keep_baseline
from sync.engine.extract.extract import extract
from sync.engine.findings import keep_findings
from sync.engine.lost_state import probe
from sync.engine.outcomes import ExecutionResult
from sync.engine.plan import (
    PlanResult,
    Policy,
    compare_configuration,
    keep_configuration,
    make_plan,
)
from sync.engine.protocols import Feed
from sync.engine.recovery import RecoveryResult, recover
from sync.engine.result import RunResult
from sync.engine.verify import verify_run
from sync.errors import CallError
from sync.exit_codes import worst
from sync.progress import Progress
from sync.state.source_readings import SourceReading
from sync.state.store import Store


def run(settings: RunSettings, context: RunContext) -> RunResult:
    """Do one run, record it in the journal, and return what became of it.

    1. Recover: find out what became of calls whose outcome an earlier run could not record.
    2. Extract: read every feed into the staging tables.
    3. Plan: compare what is wanted with what is known, and ask the guard about each change.
    4. Execute: send what the guard allows and a person confirms, each intent durable before its
       call.
    5. Verify: read back what was sent.
    6. Result: count everything, and derive the exit status.

    Raises:
        SyncError: the run could not be done; the journal has the reason.
    """
    result, store, note = RunResult(), context.store, context.observer.note
    with (
        recording_errors(context.journal, result, note, context.target.has_called),
        closing(context.target),
    ):
        context.interruption.raise_if_set()
        # An older copy does not know the calls that were made since: it may plan, but not send.
        older_copy = store.earlier_runs.recovery_need()
        # First, because a call without a known outcome makes what is known doubtful, and the
        # sources and the plan are compared with what is known (rules 24).
        recovered = RecoveryResult() if older_copy else recover(settings, context)
        plan = _plan(settings, context, result)
        if older_copy:
            result.hold_all(f"Held: {older_copy}.", store.plan.sendable(), note)
            result.status = worst(source=bool(plan.extracted.unhealthy), held=True)
        elif not context.observer.confirms(store.plan.sendable()):
            result.decline(store.plan.sendable(), note)
        else:
            executed = _send(settings, context, plan, recovered, result)
            verified = verify_run(settings, context, executed, result)
            result.decide_status(store, plan, executed, len(verified.bad))
        if not settings.policy.chosen:  # a part of the plan says nothing of all that is wanted
            kinds = settings.policy.kinds
            relied_on = plan.kinds_in_step(kinds)
            store.figures.keep_exams(context.journal.run_id, context.clock(), kinds, relied_on)
    # Also after an error of Inspera or an interruption, which `recording_errors` has noted.
    result.end(context.journal, context.interruption, note)
    return result


def plan_only(
    feeds: Sequence[Feed], store: Store, policy: Policy, now: datetime, progress: Progress
) -> PlanResult:
    """Read all feeds and leave the plan in the store.

    `now` is aware; it decides what has begun and ended.
    """
    change = compare_configuration(store, policy, now, progress)
    extracted = extract(feeds, store, now, progress, policy.read_options, change, policy.naming)
    return make_plan(extracted, store, policy, now, progress, change)


def _plan(settings: RunSettings, context: RunContext, result: RunResult) -> PlanResult:
    """Extract and plan, and show and record the plan before anything of it is sent."""
    store, policy = context.store, settings.policy
    # The clock is read after the recovery, which may have waited for Inspera. Until something is
    # sent an interruption ends the run at once.
    progress, now = context.interruption.stopping(context.observer.progress), context.clock()
    plan = plan_only(settings.feeds, store, policy, now, progress)
    # Before anything is sent: a change that was read only once must not be lost with this run.
    digests = [feed.digest for feed in settings.all_feeds]
    store.snapshots.keep(context.clock(), digests, plan.extracted.unhealthy_sources)
    result.add_plan(plan, store)
    store.figures.keep_readings(
        context.journal.run_id,
        context.clock(),
        (
            SourceReading(one.source, one.kind, one.rows, bool(one.partial), one.unhealthy)
            for one in plan.extracted.reports
        ),
    )
    context.observer.planned(plan, result)
    # After it was shown, as this reading counts in it already. A plan alone counts nothing.
    store.plan.count_absences(plan.now, plan.healthy_kinds(policy.kinds))
    keep_findings(store, context.journal, result)
    keep_holds(settings, context, plan, result)
    # After the plan was shown: a person whose hash is of an older plan needs those of this one.
    plan.check_hashes(policy.allowed)
    return plan


def _send(
    settings: RunSettings,
    context: RunContext,
    plan: PlanResult,
    recovered: RecoveryResult,
    result: RunResult,
) -> ExecutionResult:
    """Execute the plan, and then store what rests on everything that was sent."""
    store, journal = context.store, context.journal
    if settings.policy.chosen:  # what follows below rests on a whole plan
        executed = execute(settings, context, recovered, result)
        _keep_held(settings, context, executed)
        result.add_clock(context.target.opened, context.observer.note)
        return executed
    # Not by a plan alone: what a person keeps ends once the source's new value may be sent.
    store.known.lapse_kept()
    executed = execute(settings, context, recovered, result)
    _keep_held(settings, context, executed)
    # A run that was stopped has not got to all of its plan: what it did not reach stays open.
    if not executed.stopped:
        journal.lapse(
            {*plan.extracted.trouble, *settings.policy.incomplete},
            activations=settings.policy.reads_whole_tests,
        )
    result.add_clock(context.target.opened, context.observer.note)
    # After the removals: a learner is released once their last seat is known to be gone. A wrong
    # clock makes tests look ended: then nobody who seems to have left is forgotten.
    journal.promote_silent(leaving=not result.clock_trouble)
    journal.forget_undone({*plan.extracted.trouble, *settings.policy.incomplete})
    store.holds.forget_silent()
    # Last: until the plan was sent, the next run must still miss what this one's sources lack.
    keep_baseline(settings, plan.extracted, store)
    if not (executed.stopped or context.interruption.event.is_set()):
        keep_configuration(settings.policy, plan, store, context.clock())
    return executed


def _keep_held(settings: RunSettings, context: RunContext, executed: ExecutionResult) -> None:
    """Store what was held because Inspera was read."""
    whole = not (settings.policy.chosen or executed.stopped or context.interruption.event.is_set())
    run_id, kinds = context.journal.run_id, settings.policy.kinds
    context.store.holds.keep_noted(run_id, context.clock(), kinds, whole=whole)


def execute(
    settings: RunSettings, context: RunContext, recovered: RecoveryResult, result: RunResult
) -> ExecutionResult:
    """Send what the guard allows, unless Inspera shows that this state was lost."""
    total, note, journal = (
        context.store.plan.sendable(),
        context.observer.note,
        context.journal,
    )
    if not total:
        if settings.check_clock:
            with suppress(CallError):  # nothing is to be sent, so an error prevents nothing
                context.target().clock_trouble()
        return ExecutionResult()
    result.counts["not sent"] = total  # until it is: an error of Inspera may end the run before
    target = context.target()
    # Before the first call: an empty state would make everything a second time (rules 18).
    probed = probe(context.store, target)
    if probed.note:
        note(probed.note)
    if probed.lost:
        result.hold_all(f"Held: {probed.lost}", total, note)
        return ExecutionResult()
    journal.note_total(total)
    executed = Executor(
        context.store,
        journal,
        target,
        settings.membership,
        workers=settings.workers,
        stop=context.interruption.event,
        clock=context.clock,
        progress=context.observer.progress,
        barred=recovered.barred,
        tried=recovered.tried,
        look_up_learners=settings.look_up_learners,
        logins=ExistingLogins(
            context.store,
            journal,
            target,
            above=settings.export_above,
            learners=settings.look_up_learners,
            began=context.clock() - settings.membership.read_after_write_delay,
            note=note,
            seen=probed.logins,
        ),
        should_yield=context.should_yield,
    ).execute(total)
    result.add_execution(executed, total)
    executed.explain_stop(target)
    if executed.stopped:
        result.stop(f"Stopped: {executed.stopped}", note)
    return executed
