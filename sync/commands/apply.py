"""`apply`: does one run and shows it: the plan first, then what became of it."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Connection
from structlog.contextvars import bound_contextvars

from sync.app import App, Say, now
from sync.commands.audit_configuration import note_configuration
from sync.commands.earlier import gate_of
from sync.commands.pause import pause_text
from sync.commands.person import SERVICE, login_name
from sync.commands.plan import make_store, plan_summary, show_needs, show_plan
from sync.commands.plan_file import PLANNING, check_same, planning_options, read_plan_file
from sync.commands.watch import Watch
from sync.engine.context import LazyTarget, RunContext, RunSettings
from sync.engine.executor import ShouldYield, never
from sync.engine.interruption import Interruption
from sync.engine.plan import PlanResult, Policy
from sync.engine.result import RunResult
from sync.engine.run import plan_only, run
from sync.errors import Deposed, StateError, UsageError
from sync.exit_codes import Exit
from sync.planning.decided import REJECTED, DecidedChanges
from sync.planning.freeze import digest_of
from sync.planning.selection import Selection
from sync.progress import Progress
from sync.records.base import Kind
from sync.records.changes import Cause, Result, Verdict
from sync.report.lines import Line
from sync.report.plan_file import ReviewedPlan
from sync.report.plan_text import MOST, NOTHING
from sync.report.run_text import outcomes_text, run_text
from sync.report.wording import key_text
from sync.state.backend import Wait
from sync.state.history import PastFinding, read_findings
from sync.state.journal import Journal
from sync.state.refusals import wake
from sync.state.retention import Retention, prune
from sync.state.store import Store
from sync.text.masking import masked

if TYPE_CHECKING:
    from sync.inspera.connection import CallObserver
    from sync.inspera.target import InsperaTarget

MOST_LOGGED = 100
"""How many findings of each type a run writes to the log, each as a line."""

_TEXT_WITHOUT_NAMES = frozenset({Result.HELD, Result.DEFERRED, Result.WAITING})
"""Findings whose text may be logged: it is written by this program, and names records by key.

Others repeat a row or Inspera's answer.
"""

_log = structlog.get_logger("run")

Work = Callable[[RunSettings, RunContext], RunResult]
"""A function that does a run: `engine.run.run`, or another in its style."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOptions:
    """What the apply command, or a job, was asked for.

    Attributes:
        allowed: hashes of held scopes and changes that a person allows.
        retry_refused: whether changes that Inspera has refused are sent again.
        accepted: sources that are correctly shorter than before.
        changed: whether only changed rows are read, where a feed can be read so.
        show_all: whether all lines of each list are shown.
        quiet: whether nothing is shown of a run that leaves nothing for a person.
        kinds: the kinds that are kept in step; empty for all. Of others only what these need is
            added.
        selection: the part of the plan that is asked for; None for all of it.
        job: the job whose run this is; None for a command.
        name: the name of a run that is not an `apply`, such as `undo 12`.
        words: the heading of what is sent, and what is shown when nothing is.
        check_clock: whether Inspera is asked for its time even when there is nothing to send.
        deadline: when the run ends at the latest; aware.
        wait: how to wait for a lock that somebody else holds; None not to.
        confirm: asks a person whether so many changes are sent; None to send them unasked.
        file: a plan that was reviewed: exactly its changes are sent, or none.
        reviewed: what that file contains.
        approved: whether the run sends only what people have approved.
        by: who wants it; None for the person who is logged in, or the service.
    """

    allowed: tuple[str, ...] = ()
    retry_refused: bool = False
    accepted: tuple[str, ...] = ()
    changed: bool = False
    show_all: bool = False
    quiet: bool = False
    kinds: frozenset[Kind] = frozenset()
    selection: Selection | None = None
    job: str | None = None
    name: str = "apply"
    words: tuple[str, str] = ("To do", NOTHING)
    check_clock: bool = False
    deadline: datetime | None = None
    wait: Wait | None = None
    confirm: Callable[[int], bool] | None = None
    file: Path | None = None
    reviewed: ReviewedPlan | None = None
    approved: bool = False
    by: str | None = None

    @property
    def who(self) -> str:
        """Return who does the run, for the audit log."""
        return SERVICE if self.job else self.by or login_name()

    @property
    def command(self) -> str:
        """Return the name of the run, for the journal and for anyone who finds the state locked."""
        if self.approved:
            return "approve"
        return f"job {self.job}" if self.job else self.name


def apply(
    app: App, options: ApplyOptions, say: Say, progress: Progress, interruption: Interruption
) -> Exit:
    """Do one run, and return its exit status. A quiet one shows nothing if that is 0.

    Raises:
        UsageError: the plan that was reviewed is not the plan of now.
    """
    if options.file:
        options = reviewed_options(app, options, options.file, progress)

    def work(show: Say) -> Exit:
        return run_once(app, options, show, progress, interruption).status

    return quietly(say, work) if options.quiet else work(say)


def quietly(say: Say, work: Callable[[Say], Exit]) -> Exit:
    """Do the work, and show what it says only if its status is not 0, or if it raises an error."""
    lines: list[str | Line] = []
    status = None
    try:
        status = work(lines.append)
    finally:
        for line in () if status is Exit.OK else lines:
            say(line)
    return status


def run_once(  # noqa: PLR0913, PLR0917 - each is a separate part
    app: App,
    options: ApplyOptions,
    say: Say,
    progress: Progress,
    interruption: Interruption,
    should_yield: ShouldYield = never,
    observer: "CallObserver | None" = None,
    work: Work = run,
) -> RunResult:
    """Do one run while holding the state's lock, and return what became of it.

    Args:
        app: the configuration.
        options: what was asked for.
        say: receives the lines for people.
        progress: is notified of the progress.
        interruption: ends the run early.
        should_yield: tells whether the run is to end for another one whose tests start sooner.
        observer: is notified of each call to Inspera.
        work: does the run once the state is open.
    """
    policy = _policy(app, options)
    app.prepare()
    paused_text = partial(pause_text, app.state)
    if paused := paused_text():
        _note(paused, say, options.job)
        say(run_text({}, Exit.HELD, {}, "paused"))
        return RunResult(status=Exit.HELD, word="paused")
    with (
        app.state.open_to_write(options.command, options.wait) as opened,
        Watch(interruption, paused_text, now, options.deadline, opened.lost).watching(),
    ):
        connection = opened.connection
        store = make_store(app, connection, options.kinds, write=True)
        journal = Journal(
            connection, now, options.command, opened.confirm, opened.keep_mark, options.who
        )
        note_configuration(app, connection, journal)
        decided = app.state.take_decided(connection, now())
        policy = with_decisions(policy, decided, only_approved=options.approved)
        settings = app.run_settings(policy, check_clock=options.check_clock)
        reporter = _Reporter(app, store, say, progress, options)
        context = RunContext(
            store=store,
            journal=journal,
            target=_target(app, interruption, observer),
            interruption=interruption,
            observer=reporter,
            clock=now,
            should_yield=should_yield,
        )
        with bound_contextvars(run=journal.run_id):
            _log.info("run started", command=options.command)
            if options.retry_refused:
                wake(connection)
            result = work(settings, context)
            if interruption.lost_lock:
                raise Deposed(f"{app.state}: {interruption.reason}; this run stops")
            reporter.ended(result, connection, journal.run_id)
            _prune(app, connection)
    return result


def _prune(app: App, connection: Connection) -> None:
    """Delete what the configuration keeps no longer. A failure here does not fail the run."""
    rules = Retention(**dict(app.loaded.settings.retention))
    try:
        deleted = prune(connection, rules, now())
    except StateError as error:
        _log.warning("retention", problem=str(error))
    else:
        if deleted:
            _log.info("retention", **deleted)


def reviewed_options(
    app: App, options: ApplyOptions, file: Path, progress: Progress
) -> ApplyOptions:
    """Return the options with those of the reviewed plan, after a look at whether it still holds.

    The look changes nothing in the state. The run itself looks again, as it holds the lock.

    Raises:
        UsageError: it was changed, or is not the plan of now; or an option contradicts it.
    """
    given = [name for name in (*PLANNING, "retry_refused") if getattr(options, name, None)]
    if given:
        raise UsageError(
            "apply FILE takes no option that changes the plan: it has those by which the plan was "
            "made; to change them, make a new plan with --out FILE"
        )
    reviewed = read_plan_file(app, file)
    options = replace(options, reviewed=reviewed, **planning_options(reviewed))
    policy = _policy(app, options)
    app.prepare()
    with app.state.open_to_read() as connection:
        store = make_store(app, connection)
        decided = app.state.read_decided(connection, now())
        policy = with_decisions(policy, decided, only_approved=False)
        plan_only(app.feeds, store, policy, now(), progress)
        check_same(app, reviewed, store)
    return options


def with_decisions(policy: Policy, decided: DecidedChanges, *, only_approved: bool) -> Policy:
    """Return the policy with what people have decided, narrowed to what they have approved."""
    policy = replace(policy, decided=decided)
    if not only_approved:
        return policy
    approved = frozenset(one.digest for one in decided.approvals())
    return replace(policy, chosen=lambda line: digest_of(line.change) in approved)


def _policy(app: App, options: ApplyOptions) -> Policy:
    """Return how a run with these options decides, and how it reads its sources."""
    read_options = app.read_options(options.accepted, changed=options.changed)
    policy = app.policy(options.allowed, read_options, options.kinds, options.selection)
    return replace(policy, gate=gate_of(app, make_store))


def _target(app: App, interruption: Interruption, observer: "CallObserver | None") -> LazyTarget:
    """Return Inspera, to be connected by the first step of a run that needs it."""

    def connect() -> "InsperaTarget":
        from sync.inspera.target import InsperaTarget

        return InsperaTarget(app.connection(observer), interruption.event, now)

    return LazyTarget(connect)


@dataclass(frozen=True, slots=True)
class _Reporter:
    """The observer of a run, which shows it to people and writes it to the log."""

    app: App
    store: Store
    say: Say
    progress: Progress
    options: ApplyOptions

    def note(self, line: str) -> None:
        """Show a line, and log it."""
        _note(line, self.say, self.options.job)

    def planned(self, plan: PlanResult, result: RunResult) -> None:
        """Show the plan, and log what an operator who only has the log must see.

        Raises:
            UsageError: it is not the plan that was reviewed.
        """
        if self.options.reviewed:
            check_same(self.app, self.options.reviewed, self.store)
        self._show(plan)
        self.say(plan_summary(self.store, plan))
        log = _log_function(self.options.job)
        for lost in self.store.comparison.lost_zeros():
            log("leading zeros are lost", problem=masked(lost))
        for problem in plan.extracted.unhealthy:
            log("source", problem=problem)
        if plan.configuration:
            effect, settings = plan.configuration.effect(), plan.configuration.settings
            log("the configuration changed", effect=effect, settings=settings)
        for held in plan.shown_scopes[:MOST_LOGGED]:
            # What is within the grace goes by itself, as on most nights.
            if not held.allowed and held.cause is not Cause.GRACE:
                log("over the limit", scope=held.scope.name, why=held.excess, hash=held.digest)
        if result.waiting:
            log("waiting", changes=result.waiting, for_tests_within_7_days=result.soon)
        for line in islice(self.store.plan.read(Verdict.HELD), MOST_LOGGED):
            kind, key = line.change.kind, line.change.key
            if kind is Kind.TEST:  # students take it soon, or now
                log("held", kind=kind.value, key=key_text(key), why=line.reason)

    def _show(self, plan: PlanResult) -> None:
        most = None if self.options.show_all else MOST
        title, nothing = self.options.words
        if self.options.quiet:
            show_needs(self.store, plan, self.say, most, self.app.test_zone)
        else:
            show_plan(self.store, plan, self.say, most, title, self.app.test_zone, nothing)

    def confirms(self, total: int) -> bool:
        """Ask a person, where there is one, whether the `total` changes are sent."""
        return not (total and self.options.confirm) or self.options.confirm(total)

    def ended(self, result: RunResult, connection: Connection, run_id: int) -> None:
        """Show what became of the run, and log it with its findings."""
        most = None if self.options.show_all else MOST
        # the plan has shown the first findings, such as row errors, already
        others = islice(read_findings(connection, run_id), result.planned_findings, None)
        for line in outcomes_text(others, most, self.app.test_zone):
            self.say(line)
        self.say(run_text(result.counts, result.status, result.results, result.word))
        if _log.is_enabled_for(logging.INFO):
            _log_findings(read_findings(connection, run_id))
        counts = {
            name.replace(" ", "_"): number for name, number in result.counts.items() if number
        }
        _log.info("run ended", outcome=result.word, status=int(result.status), **counts)


def say_nothing(_line: str) -> None:
    """Show nothing: the findings of a service's run are in its log and in `status`."""


def _note(line: str, say: Say, job: str | None) -> None:
    """Show a line, and write it to the log, which is all that remains of a job's run."""
    say(line)
    _log_function(job)("note", text=masked(line))


def _log_function(job: str | None) -> Callable[..., object]:
    """Return the log's `warning` for a job.

    A person who gave a command sees the same lines on the screen: `info`.
    """
    log: Callable[..., object] = _log.warning if job else _log.info
    return log


def _log_findings(found: Iterator[PastFinding]) -> None:
    """Log each row error, hold and failure with kind and key, each type up to a number."""
    seen: Counter[str] = Counter()
    for finding in found:
        seen[finding.type] += 1
        if seen[finding.type] <= MOST_LOGGED:
            key = key_text(finding.key) if finding.key else None
            named = finding.text.startswith(REJECTED)  # it has a name, and free text
            logged = finding.type in _TEXT_WITHOUT_NAMES and not named
            text = {"text": finding.text} if logged else {}
            kind = finding.kind.value
            _log.info(finding.type, kind=kind, key=key, place=finding.place or None, **text)
    for type_, number in seen.items():
        if number > MOST_LOGGED:
            _log.info(f"{type_}: more, see `status --all`", more=number - MOST_LOGGED)
