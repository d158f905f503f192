"""`apply`: plans, then carries out. Settles what an earlier run left unknown before it sends anything."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import structlog
from structlog.contextvars import bound_contextvars

from sync.app import App, Observe, Say, now
from sync.commands.interruption import LOST, SILENT, Interruption, Watch
from sync.commands.plan import make_store, plan_status, tell_plan
from sync.engine.executor import ExecutionResult, Executor, ShouldYield, never
from sync.engine.extract.feed_reader import FeedReport
from sync.engine.lost_state import probe
from sync.engine.plan import PlanResult, Policy, make_plan
from sync.engine.protocols import Feed, Progress
from sync.engine.recovery import Recovery
from sync.engine.verify import SAMPLE, Verification, Verifier
from sync.errors import (
    CallError,
    Deposed,
    Interrupted,
    StateBusy,
    StateError,
    StateUnreachable,
    Stop,
    SyncError,
    UsageError,
)
from sync.exit_codes import Exit, worst
from sync.records.base import Key, Kind
from sync.records.changes import CALLING, Action, Cause, Result, Verdict
from sync.report.plan_text import MOST, summary_text
from sync.report.run_text import outcomes_text, run_text
from sync.report.wording import by_cause, key_text, plural
from sync.state.backend import Wait
from sync.state.history import PastFinding, findings
from sync.state.journal import Journal
from sync.state.refusals import wake
from sync.state.store import Store
from sync.state.tenant_state import TenantState
from sync.text.masking import masked

if TYPE_CHECKING:
    from sync.inspera.target import Target

MOST_FINDINGS = 5_000
"""Row errors, holds and the like that a run keeps for `status`; the plan names all of them."""

MOST_LOGGED = 100
"""Of one type of finding, how many a run writes to the log, each as a line."""

_OUR_WORDS = frozenset({Result.HELD, Result.DEFERRED, Result.WAITING})
"""Findings whose text is ours and holds keys alone; a row error repeats the row, and Inspera's answers may name people."""

_OVERTAKEN = "gave way to a run whose tests start sooner"

_log = structlog.get_logger("run")


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """What the apply command, or a job, was asked for.

    Attributes:
        kinds: the kinds that are kept in step; none for all. Of others only what these need is added.
        job: the name of the job whose run this is, empty for a command.
        ask_clock: whether Inspera is asked for its time even if there is nothing to send.
        deadline: when the run ends even if it is not done; aware.
        wait: how to wait for a lock that somebody else holds; None not to.
    """

    allowed: tuple[str, ...] = ()
    retry_refused: bool = False
    accepted: tuple[str, ...] = ()
    changed: bool = False
    show_all: bool = False
    kinds: frozenset[Kind] = frozenset()
    job: str = ""
    ask_clock: bool = False
    deadline: datetime | None = None
    wait: Wait | None = None

    @property
    def command(self) -> str:
        """How the run is named in the journal and to who finds the state locked."""
        return f"job {self.job}" if self.job else "apply"


@dataclass(slots=True)
class RunResult:
    """What became of a run.

    Attributes:
        word: done, stopped, interrupted, paused or yielded.
        left: how many changes did not go ahead, by verdict or result, and by cause.
        rows: how many each source had for a kind.
        waiting: how many additions wait for something that is not in Inspera.
        soon: how many of these are for tests that start within 7 days or are under way.
        clock_trouble: what is wrong with this machine's clock, as far as Inspera's answers show.
        clock_offset: how far it is ahead of Inspera's; None when nothing was asked.
    """

    status: Exit = Exit.OK
    word: str = "done"
    results: Counter[tuple[Kind, Action, Result]] = field(default_factory=Counter)
    left: Counter[tuple[str, str]] = field(default_factory=Counter)
    rows: dict[tuple[str, Kind], int] = field(default_factory=dict)
    row_errors: int = 0
    waiting: int = 0
    soon: int = 0
    clock_trouble: str = ""
    clock_offset: timedelta | None = None


def apply(
    app: App, options: ApplyOptions, say: Say, progress: Progress, interruption: Interruption
) -> Exit:
    """Carries out what the guard lets pass. Returns the exit status of the run."""
    return run_once(app, options, say, progress, interruption).status


def run_once(
    app: App,
    options: ApplyOptions,
    say: Say,
    progress: Progress,
    interruption: Interruption,
    should_yield: ShouldYield = never,
    observe: Observe | None = None,
) -> RunResult:
    """One run: settles, plans, sends. `gives_way` says when it ends for another one; `observe` is told of each call."""
    policy = app.policy(
        options.allowed, app.how(options.accepted, changed=options.changed), options.kinds
    )
    app.prepare()
    note: Say = _noting(say, options.job)
    if paused := pause_text(app.state):
        note(paused)
        return RunResult(Exit.HELD, "paused")
    paused_text = partial(pause_text, app.state)
    with (
        app.state.open_to_write(options.command, options.wait) as opened,
        Watch(interruption, paused_text, now, options.deadline, opened.lost).kept(),
    ):
        connection = opened.connection
        store = make_store(app, connection, options.kinds, write=True)
        journal = Journal(connection, now, options.command, opened.confirm, opened.keep_mark)
        run = _ApplyRun(app, store, journal, interruption, progress, should_yield, observe)
        run.job, run.note, run.ask_clock = options.job, note, options.ask_clock
        with bound_contextvars(run=journal.run_id):
            _log.info("run started", command=options.command)
            if options.retry_refused:
                wake(connection)
            _carry_out(run, policy, say, show_all=options.show_all)
            sent = islice(findings(connection, journal.run_id), run.planned_findings, None)
            for line in outcomes_text(sent, None if options.show_all else MOST, app.test_zone):
                say(line)
            say(run_text(run.counts, run.ran.status))
            if _log.is_enabled_for(logging.INFO):
                _log_findings(findings(connection, journal.run_id))
            _log.info(
                "run ended", outcome=run.ran.word, status=int(run.ran.status), **_words(run.counts)
            )
    return run.ran


def pause_text(state: TenantState) -> str:
    """Why nothing is sent now; empty when it is."""
    paused = state.paused()
    if paused is None:
        return ""
    reason = f" ({paused.reason})" if paused.reason else ""
    return f"All sending is paused since {paused.since}{reason}; `inspera-sync resume` allows it again."


def _carry_out(run: "_ApplyRun", policy: Policy, say: Say, *, show_all: bool) -> None:
    """Carries the run out and closes it in the journal, whatever becomes of it."""
    interruption, ran = run.interruption, run.ran
    try:
        with run.target():
            ran.status = run.carry_out(policy, say, show_all=show_all)
    except CallError as error:
        run.stopped_by(f"Inspera: {error}")
        ran.status = Exit.INSPERA
    except Interrupted:
        ran.status = interruption.status
    except Deposed:
        raise  # nothing of this run may be written any more
    except StateError as error:
        raise _given_up(run, error) from None
    except SyncError as error:
        run.reasons.append(str(error))
        run.end(Exit.USAGE, "stopped")
        raise
    if interruption.event.is_set():
        run.stopped_by(
            f"Ended early: {_OVERTAKEN if run.gave_way else interruption.reason or 'interrupted'}."
        )
        ran.status = Exit.OK if run.gave_way else interruption.status
    run.end(ran.status, _word(run))
    if interruption.reason in (LOST, SILENT):
        raise Deposed(f"{run.app.state}: {interruption.reason}; this run stops")


def _given_up(run: "_ApplyRun", error: StateError) -> StateError:
    """Ends a run whose state failed it. Gives the error to end with: only a run that made no call may say 2."""
    if run.has_called:
        left = "What was sent without a recorded outcome is found out about by the next run."
        run.note(f"Stopped: the state failed, so nothing more is sent. {left}")
    if not isinstance(error, StateBusy):  # which would be waited for once more
        run.ran.status, run.ran.word = Exit.SOURCE, "interrupted"
        run.journal.give_up(run.ran.word, run.ran.status, run.counts, [*run.reasons, str(error)])
    return (
        StateUnreachable(str(error))
        if run.has_called and not isinstance(error, StateUnreachable)
        else error
    )


def no_words(_line: str) -> None:
    """A service says nothing; what a run finds is in its log, and in `status`."""


def _at(job: str) -> Callable[..., object]:
    """Logs as what somebody should look at, unless it is said as well, as to a person who gave a command."""
    log: Callable[..., object] = _log.warning if job else _log.info
    return log


def _noting(say: Say, job: str) -> Say:
    """Says something, and writes it to the log as well, which is all that there is of a job's run."""

    def note(line: str) -> None:
        say(line)
        _at(job)("note", text=masked(line))

    return note


def _word(run: "_ApplyRun") -> str:
    if run.gave_way:
        return "yielded"
    if run.interruption.event.is_set():
        return "paused" if run.interruption.status is Exit.HELD else "interrupted"
    return "stopped" if run.ran.status is Exit.INSPERA else "done"


def _words(counts: Counter[str]) -> dict[str, int]:
    return {name.replace(" ", "_"): number for name, number in counts.items() if number}


def _log_findings(found: Iterator[PastFinding]) -> None:
    """Each row error, hold and failure as a line of its own, with kind and key; those of one type up to a number."""
    seen: Counter[str] = Counter()
    for one in found:
        seen[one.type] += 1
        if seen[one.type] <= MOST_LOGGED:
            key = key_text(one.key) if one.key else None
            words = {"text": one.text} if one.type in _OUR_WORDS else {}
            _log.info(one.type, kind=one.kind.value, key=key, place=one.place or None, **words)
    for type_, number in seen.items():
        if number > MOST_LOGGED:
            _log.info(f"{type_}: more, see `status --all`", more=number - MOST_LOGGED)


class _ApplyRun:
    """One execution of apply."""

    def __init__(
        self,
        app: App,
        store: Store,
        journal: Journal,
        interruption: Interruption,
        progress: Progress,
        should_yield: ShouldYield,
        observe: Observe | None,
    ) -> None:
        self.app, self.store, self.journal = app, store, journal
        self.interruption, self._progress = interruption, progress
        self._should_yield, self._observe = should_yield, observe
        self.job, self.ask_clock = "", False
        self.note: Say = no_words
        self._target: Target | None = None
        self.ran = RunResult()
        self.gave_way = False
        self.counts: Counter[str] = Counter()
        self.planned_findings = 0
        self.reasons: list[str] = []
        self._barred: Collection[tuple[Kind, Key]] = ()
        self._tried: Collection[tuple[Kind, Key]] = ()

    @contextmanager
    def target(self) -> Iterator[None]:
        """Inspera, reached only by a run that has something to say to it."""
        try:
            yield
        finally:
            if self._target:
                self._target.close()

    @property
    def has_called(self) -> bool:
        """Whether it may have made a call."""
        return self._target is not None

    def _inspera(self) -> "Target":
        if self._target is None:
            from sync.inspera.target import Target

            self._target = Target(self.app.connection(self._observe), self.interruption.event, now)
        return self._target

    def carry_out(self, policy: Policy, say: Say, *, show_all: bool) -> Exit:
        """Settles, plans, sends.

        Raises:
            Interrupted: it was to end before anything was sent.
        """
        if self.interruption.event.is_set():
            raise Interrupted(self.interruption.reason)
        older = self.store.recovery()
        if self.store.open_intent_count() and not older:
            settler = Recovery(
                self.store,
                self.journal,
                self._inspera(),
                self.app.seat_policy().read_after_write_delay,
                now,
                self.interruption.event.wait,
            )
            self.note(
                f"Found out about {plural(settler.settle(), 'call')} of an earlier run without a known outcome."
            )
            self._barred, self._tried = settler.barred, settler.tried
        feeds, heeding = (
            self.app.feeds_of(policy.kinds),
            self.interruption.heeded_by(self._progress),
        )
        planning = make_plan(feeds, self.store, policy, now(), heeding)
        # before anything is sent: what was read only in changes must not be lost when this run is
        self.store.keep_snapshots(
            now(), [feed.digest for feed in self.app.feeds], planning.gathered.ill
        )
        tell_plan(
            self.store,
            planning,
            say,
            None if show_all else MOST,
            passing="To do",
            zone=self.app.test_zone,
        )
        say(
            summary_text(
                self.store.tally(),
                self.store.row_error_count(),
                planning.ignored,
                left_out=planning.left_out,
            )
        )
        self._log_plan(planning)
        for reading in planning.gathered.readings:
            self.ran.rows[reading.source, reading.kind] = reading.rows
        self.ran.row_errors = self.store.row_error_count()
        self.ran.left.update(self.store.causes())
        self.ran.waiting, self.ran.soon = self.store.waiting()
        self.counts["left out, ended before being sent"] += planning.left_out.get(Kind.TEST, 0)
        self.reasons += planning.gathered.unhealthy
        self._keep_findings()
        self._refuse_wrong_hashes(planning, policy)
        if older:
            return self._hold_all(str(older), planning)
        self.store.lapse_kept()
        carried = self._send()
        if not carried.stopped:
            self.journal.lapse({*planning.gathered.trouble, *policy.incomplete})
        self._look_at_clock()
        # whoever seems to have ended or left by a clock that is wrong stays as they are
        self.journal.promote_silent(leaving=not self.ran.clock_trouble)
        self._note_sources(planning, policy)
        verified = self._read_back(carried)
        return self._status(planning, carried, verified)

    def _refuse_wrong_hashes(self, planning: PlanResult, policy: Policy) -> None:
        """Stop before anything is sent if a hash was given that nothing has: its plan is not this one.

        Raises:
            UsageError: names each such hash.
        """
        if wrong := sorted(planning.unused(policy.allowed)):
            raise UsageError(
                f"--allow {' '.join(wrong)}: nothing that is held now has this hash, so nothing was sent; "
                "run `plan` and take the hash from it"
            )

    def _log_plan(self, planning: PlanResult) -> None:
        """What nobody may miss who only has the log."""
        log = _at(self.job)
        for problem in planning.gathered.unhealthy:
            log("source", problem=problem)
        for held in planning.held_scopes:
            if not held.allowed:
                log("over the limit", scope=held.scope.name, why=held.excess, hash=held.digest)
        if self.ran.waiting:
            log("waiting", changes=self.ran.waiting, for_tests_within_7_days=self.ran.soon)
        for line in islice(self.store.planned(Verdict.HELD), MOST_LOGGED):
            if line.change.kind is Kind.TEST:  # students sit it soon, or now
                log(
                    "held",
                    kind=line.change.kind.value,
                    key=key_text(line.change.key),
                    why=line.reason,
                )

    def _note_sources(self, planning: PlanResult, policy: Policy) -> None:
        """Takes what each source says now as that from which it may shrink."""
        gathered, feeds, accepted = (
            planning.gathered,
            self.app.feeds_of(policy.kinds),
            policy.how.accepted,
        )
        # what is deferred for another reason is still to be counted when that is gone
        proven = {
            (kind, of)
            for kind, of in gathered.proven
            if kind in policy.kinds and (kind not in gathered.trouble or of in accepted)
        }
        self.store.note_sources([(feed.kind, feed.source.name) for feed in feeds], proven, accepted)
        joined = [join.source for feed in self.app.feeds for join in feed.joins]
        grouped = {
            door.name for door in [*(feed.source for feed in feeds), *joined] if door.proof.group
        }
        for reading in (*gathered.readings, *gathered.lookups):
            if (
                reading.source in grouped
                and not reading.partial
                and reading.source not in gathered.ill
            ):
                self.store.keep_groups(reading.source, reading.groups)
        self._note_tails(gathered.readings, feeds, proven)
        endings = [
            one
            for one in (*gathered.readings, *gathered.lookups)
            if not one.unhealthy and not one.partial
        ]
        self.store.keep_endings(
            {one.source: not one.torn for one in endings if one.torn is not None}
        )
        rows = {one.source: one.rows for one in gathered.lookups if one.source not in gathered.ill}
        self.store.keep_rows(rows, [door.name for door in joined])

    def _note_tails(
        self,
        readings: Sequence[FeedReport],
        feeds: Sequence[Feed],
        proven: Collection[tuple[Kind, str]],
    ) -> None:
        """Remembers what stands last in each source that could be cut off."""
        numbers: dict[tuple[Kind, str], list[int]] = {}
        for number, (reading, feed) in enumerate(zip(readings, feeds, strict=True)):
            if (
                feed.source.proof.tail
                and (feed.kind, feed.source.name) in proven
                and not reading.unread
            ):
                numbers.setdefault((feed.kind, feed.source.name), []).append(number)
        self.store.keep_tails(numbers, self.app.loaded.settings.sources)

    def _hold_all(self, why: str, planning: PlanResult) -> Exit:
        """Hold everything, since this state may be an older copy: not even what is known is changed by the plan."""
        self.stopped_by(f"Held: {why}.")
        total = self._calling()
        self.counts["held"] += total
        self.ran.left[Verdict.HELD, Cause.LOST] += total
        return worst(source=bool(planning.gathered.unhealthy), held=True)

    def _calling(self) -> int:
        tally = self.store.tally()
        return sum(
            n
            for (_, action, verdict), n in tally.items()
            if verdict is Verdict.PASS and action in CALLING
        )

    def _send(self) -> ExecutionResult:
        total = self._calling()
        if not total:
            if self.ask_clock:
                with suppress(CallError):  # nothing is to be sent, so nothing is in the way
                    self._inspera().clock_trouble()
            return ExecutionResult()
        probed = probe(self.store, self._inspera())
        if probed.note:
            self.note(probed.note)
        if probed.lost:
            self.stopped_by(f"Held: {probed.lost}")
            self.counts["held"] += total
            self.ran.left[Verdict.HELD, Cause.LOST] += total
            return ExecutionResult()
        workers = self.app.loaded.settings.inspera.workers
        carrier = Executor(
            self.store,
            self.journal,
            self._inspera(),
            self.app.seat_policy(),
            workers=workers,
            stop=self.interruption.event,
            clock=now,
            progress=self._progress,
            barred=self._barred,
            tried=self._tried,
            wary=self.app.loaded.settings.existing.look_up_learners,
            should_yield=self._should_yield,
        )
        carried = carrier.carry_out(total)
        self.gave_way = carried.gave_way
        self.ran.results.update(carried.results)
        self.ran.left.update(carried.causes)
        self.ran.waiting += carried.count(Result.WAITING)
        self.ran.soon += carried.soon
        carried.stopped = carried.stopped or self._inspera().stopped or ""
        if carried.count(Result.NOT_SENT, Result.UNKNOWN):
            carried.stopped = carried.stopped or self._inspera().out_of_reach or ""
        for (_, action, result), number in carried.results.items():
            self.counts[f"{action} {result}"] += number
        self.counts["not sent"] += total - sum(carried.results.values())
        if carried.stopped:
            self.stopped_by(f"Stopped: {carried.stopped}")
        return carried

    def _look_at_clock(self) -> None:
        """Keep what Inspera's answers have shown of this machine's clock."""
        if self._target is None:
            return
        self.ran.clock_trouble, self.ran.clock_offset = (
            self._target.clock_seen,
            self._target.clock_offset,
        )
        if self.ran.clock_trouble:
            self.note(f"Clock: {self.ran.clock_trouble}")

    def _read_back(self, carried: ExecutionResult) -> Verification:
        """Reads what was written, as much of it as the configuration says, and keeps what came of it."""
        how = self.app.loaded.settings.verify
        if (
            how == "none"
            or carried.stopped
            or carried.gave_way
            or not carried.count(Result.DONE, Result.FOUND)
        ):
            return Verification()
        event = self.interruption.event
        delay = self.app.seat_policy().read_after_write_delay
        verifier = Verifier(self.store, self._inspera(), delay, now, event.wait)
        try:
            verified = verifier.verify(self.journal.run_id, SAMPLE if how == "sample" else None)
        except Stop as error:
            self.note(f"Not all read back: {error}")
            return Verification()
        if event.is_set():
            verified.bad.clear()  # nobody has looked long enough
        for written, trouble in verified.bad:
            text = f"was sent, but {trouble}; look at it in Inspera, or run `reconcile`"
            self.journal.find("drift", written.kind, written.key, "", text)
        self.counts["read back"] += verified.good
        self.counts["not as sent"] += len(verified.bad)
        self.counts["seconds at most until readable"] += verified.longest
        return verified

    def _status(
        self, planning: PlanResult, carried: ExecutionResult, verified: Verification
    ) -> Exit:
        held = bool(self.counts["held"]) or carried.count(Result.HELD) + self.ran.soon > 0
        failed = (
            carried.count(Result.REFUSED, Result.UNKNOWN, Result.NOT_SENT)
            + carried.missed
            + self.ran.waiting
            > 0
        )
        # what still waits for a candidate number is not in Inspera, so the run is not "all well"
        failed = failed or carried.causes[Result.DEFERRED, Cause.NUMBER] > 0
        planned = plan_status(self.store, planning)
        return worst(
            inspera=bool(carried.stopped),
            source=planned is Exit.SOURCE or bool(self.ran.clock_trouble),
            held=held
            or planned is Exit.HELD
            or any(v is Verdict.HELD for _, _, v in self.store.tally()),
            row_errors=failed or bool(verified.bad) or planned is Exit.ERRORS,
        )

    def _keep_findings(self) -> None:
        for row_error, more in islice(by_cause(self.store.row_errors()), MOST_FINDINGS):
            reason = f"{row_error.field}: {row_error.reason}; {row_error.remedy}"
            where = f"{row_error.where} and {plural(more, 'more row')}" if more else row_error.where
            self.journal.find("row error", row_error.kind, row_error.key, where, reason)
            self.planned_findings += 1
        for verdict in (Verdict.HELD, Verdict.WAITING, Verdict.DEFERRED):
            for line in islice(self.store.planned(verdict), MOST_FINDINGS):
                self.journal.find(
                    verdict, line.change.kind, line.change.key, line.change.where, line.reason
                )
                self.planned_findings += 1
            self.counts[verdict] += sum(
                n for (_, _, v), n in self.store.tally().items() if v is verdict
            )
        self.counts["row error"] = self.store.row_error_count()
        self.counts["stay (put there by hand)"] = sum(map(len, self.store.stays().values()))
        self.journal.commit()

    def stopped_by(self, reason: str) -> None:
        """Say why the run stops, and keep it with the run for `status`."""
        self.reasons.append(reason)
        self.note(reason)

    def end(self, status: Exit, word: str) -> None:
        """Closes the run in the journal."""
        self.ran.status, self.ran.word = status, word
        self.journal.end(word, status, self.counts, self.reasons)
