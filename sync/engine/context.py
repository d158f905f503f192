"""What a run is given, and what it returns."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from sync.engine.changes_on_test import MembershipPolicy
from sync.engine.ending import Ending
from sync.engine.executor import ExecutionResult, ShouldYield, never
from sync.engine.interruption import Interruption
from sync.engine.plan import PlanResult, Policy
from sync.engine.protocols import Clock, Feed, Progress, RunTarget
from sync.records.base import Kind
from sync.records.changes import Action, Result
from sync.state.journal import Journal
from sync.state.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """What the configuration and the command say about a run.

    Attributes:
        feeds: the feeds that the run reads.
        all_feeds: every feed of the configuration; the snapshots of others are dropped.
        source_names: every source of the configuration.
        workers: how many calls are made at a time.
        look_up_learners: whether Inspera may have learners that the state does not know.
        verify: how much is read back: `none`, `sample` or `all`.
        check_clock: whether Inspera is asked for its time even when there is nothing to send.
    """

    feeds: Sequence[Feed]
    all_feeds: Sequence[Feed]
    source_names: Collection[str]
    policy: Policy
    membership: MembershipPolicy
    workers: int
    look_up_learners: bool
    verify: str
    check_clock: bool = False


class RunObserver(Protocol):
    """The command that started a run: it shows the run to people and writes it to the log."""

    @property
    def progress(self) -> Progress:
        """Return what is notified of the progress."""

    def note(self, line: str) -> None:
        """Show a line, and log it."""

    def planned(self, plan: PlanResult, result: "RunResult") -> None:
        """Show the plan, before anything of it is sent."""


class LazyTarget:
    """A connection to Inspera that is opened by the first step of a run that needs it."""

    def __init__(self, connect: Callable[[], RunTarget]) -> None:
        self._connect = connect
        self.opened: RunTarget | None = None

    def __call__(self) -> RunTarget:
        """Return the target, and open it first if needed."""
        if self.opened is None:
            self.opened = self._connect()
        return self.opened

    def has_called(self) -> bool:
        """Tell whether the run may have made a call."""
        return self.opened is not None

    def close(self) -> None:
        """Close the target if it was opened."""
        if self.opened is not None:
            self.opened.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """The objects that a run works with."""

    store: Store
    journal: Journal
    target: LazyTarget
    interruption: Interruption
    observer: RunObserver
    clock: Clock
    should_yield: ShouldYield = never


@dataclass(slots=True)
class RunResult(Ending):
    """What became of a run.

    Attributes:
        word: done, stopped, interrupted, paused or yielded.
        left: how many changes did not go ahead, by verdict or result, and by cause.
        rows: how many each source had for a kind.
        waiting: how many additions wait for something that is not in Inspera.
        soon: how many of these are for tests that start within 7 days or are under way.
        clock_trouble: what is wrong with this machine's clock, as far as Inspera's answers show.
        clock_offset: how far it is ahead of Inspera's; None when nothing was asked.
        planned_findings: how many findings come from the plan; later ones come from sending.
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
    yielded: bool = False

    def add_plan(self, plan: PlanResult, store: Store) -> None:
        """Count what the plan says before anything is sent."""
        for report in plan.extracted.reports:
            self.rows[report.source, report.kind] = report.rows
        self.row_errors = store.staging.row_error_count()
        self.left.update(store.plan.causes())
        self.waiting, self.soon = store.plan.waiting()
        self.counts["left out, ended before being sent"] += plan.left_out.get(Kind.TEST, 0)
        self.reasons += plan.extracted.unhealthy

    def add_execution(self, executed: ExecutionResult, total: int) -> None:
        """Count what became of the `total` changes that were to be sent."""
        self.yielded = executed.yielded
        self.results.update(executed.results)
        self.left.update(executed.causes)
        self.waiting += executed.count(Result.WAITING)
        self.soon += executed.soon
        for (_, action, result), number in executed.results.items():
            self.counts[f"{action} {result}"] += number
        self.counts["not sent"] += total - sum(executed.results.values())
