"""What became of a run: its figures, what stopped it, and its exit status."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from sync.engine.ending import Ending
from sync.engine.interruption import Interruption
from sync.engine.outcomes import ExecutionResult
from sync.engine.plan import PlanResult, plan_status
from sync.engine.protocols import RunTarget
from sync.exit_codes import Exit, worst
from sync.records.base import Kind
from sync.records.changes import Action, Cause, Result, Verdict
from sync.state.journal import Journal
from sync.state.store import Store

Note = Callable[[str], None]
"""A function that shows a line to people."""

_YIELDED = "yielded to a run whose tests start sooner"


@dataclass(slots=True)
class RunResult(Ending):
    """What became of a run.

    Attributes:
        word: done, stopped, interrupted, paused, declined or yielded.
        left: how many changes did not go ahead, by verdict or result, and by cause.
        rows: how many each source had for a kind.
        waiting: how many additions wait for something that is not in Inspera, or for a candidate
            number that is not free.
        soon: how many of these are for tests that start within 7 days or are under way.
        clock_trouble: what is wrong with this machine's clock, as far as Inspera's answers show.
        clock_offset: how far it is ahead of Inspera's; None when nothing was asked.
        planned_findings: how many findings come from the plan; later ones come from sending.
        planned: whether the run came as far as its plan, so that `left` and `waiting` count.
        yielded: whether the run ended for another one whose tests start sooner.
    """

    word: str = "done"
    results: Counter[tuple[Kind, Action, Result]] = field(default_factory=Counter)
    left: Counter[tuple[str, str]] = field(default_factory=Counter)
    rows: dict[tuple[str, Kind], int] = field(default_factory=dict)
    row_errors: int = 0
    waiting: int = 0
    soon: int = 0
    clock_trouble: str = ""
    clock_offset: timedelta | None = None
    planned_findings: int = 0
    planned: bool = False
    yielded: bool = False

    def add_plan(self, plan: PlanResult, store: Store) -> None:
        """Count what the plan says before anything is sent."""
        self.planned = True
        for report in plan.extracted.reports:
            self.rows[report.source, report.kind] = report.rows
        self.row_errors = store.staging.row_error_count()
        self.left.update(store.plan.causes())
        for waiting, soon in (store.plan.waiting(), store.plan.deferred_numbers()):
            self.waiting += waiting
            self.soon += soon
        self.counts["left out, ended before being sent"] += plan.left_out.get(Kind.TEST, 0)
        self.reasons += plan.extracted.unhealthy

    def add_execution(self, executed: ExecutionResult, total: int) -> None:
        """Count what became of the `total` changes that were to be sent."""
        self.yielded = executed.yielded
        self.results.update(executed.results)
        self.left.update(executed.causes)
        self.waiting += executed.waiting
        self.soon += executed.soon
        for (_, action, result), number in executed.results.items():
            self.counts[f"{action} {result}"] += number
        self.counts["not sent"] = total - sum(executed.results.values())

    def add_clock(self, target: RunTarget | None, note: Note) -> None:
        """Record what Inspera's answers have shown of this machine's clock."""
        if target:
            self.clock_trouble, self.clock_offset = target.known_clock_trouble, target.clock_offset
        if self.clock_trouble:
            note(f"Clock: {self.clock_trouble}")

    def stop(self, reason: str, note: Note) -> None:
        """Show why the run stops, and keep it for `status`."""
        self.reasons.append(reason)
        note(reason)

    def hold_all(self, reason: str, total: int, note: Note) -> None:
        """Hold the `total` changes that would be sent: the state is an older copy, or was lost."""
        self.stop(reason, note)
        self.counts["not sent"] = 0
        self.counts["held"] += total
        self.left[Verdict.HELD, Cause.LOST] += total

    def decline(self, total: int, note: Note) -> None:
        """End the run of a person who does not want the `total` changes to be sent."""
        self.stop("Not sent: the question was not answered with yes.", note)
        self.counts["not sent"] = total
        self.status, self.word = Exit.HELD, "declined"

    def decide_status(
        self, store: Store, plan: PlanResult, executed: ExecutionResult, not_as_sent: int
    ) -> None:
        """Set the exit status of a run that came to its end."""
        planned = plan_status(store, plan)
        held = self.counts["held"] + executed.count(Result.HELD) + self.soon > 0
        failed = executed.count(Result.REFUSED, Result.UNKNOWN, Result.NOT_SENT) + executed.missed
        # What still waits for a candidate number is not in Inspera, so the run is not "all well".
        failed += self.waiting + not_as_sent + executed.not_updated.total()
        if plan.narrowed:  # 0 means that everything that was asked for is in Inspera
            failed += executed.count(Result.DEFERRED)
        self.status = worst(
            inspera=bool(executed.stopped),
            source=planned is Exit.SOURCE or bool(self.clock_trouble),
            held=held
            or planned is Exit.HELD
            or any(verdict is Verdict.HELD for _, _, verdict in store.plan.tally()),
            row_errors=failed > 0 or planned is Exit.ERRORS,
        )

    def end(self, journal: Journal, interruption: Interruption, note: Note) -> None:
        """Record the end of the run in the journal, with its word and exit status."""
        if interruption.event.is_set():
            reason = _YIELDED if self.yielded else interruption.reason or "interrupted"
            self.stop(f"Ended early: {reason}.", note)
            self.status = Exit.OK if self.yielded else interruption.status
        if self.yielded:
            self.word = "yielded"
        elif interruption.event.is_set():
            self.word = "paused" if interruption.status is Exit.HELD else "interrupted"
        elif self.status is Exit.INSPERA:
            self.word = "stopped"
        journal.end(self.word, self.status, self.counts, self.reasons)
