"""What a run is given: settings, and the objects that it works with."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from sync.engine.changes_on_test import MembershipPolicy
from sync.engine.executor import ShouldYield, never
from sync.engine.interruption import Interruption
from sync.engine.plan import PlanResult, Policy
from sync.engine.protocols import Clock, Feed, RunTarget
from sync.engine.result import RunResult
from sync.progress import Progress
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
        export_above: above how many new people of a kind an export tells who exists; 0 for never.
        call_timeout: how long Inspera may work on a call before it gives it up.
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
    export_above: int = 0
    call_timeout: timedelta = timedelta(seconds=60)


class RunObserver(Protocol):
    """The command that started a run: it shows the run to people and writes it to the log."""

    @property
    def progress(self) -> Progress:
        """Return what is notified of the progress."""

    def note(self, line: str) -> None:
        """Show a line, and log it."""

    def planned(self, plan: PlanResult, result: RunResult) -> None:
        """Show the plan, before anything of it is sent."""

    def confirms(self, total: int) -> bool:
        """Ask a person, where there is one, whether the `total` changes are sent."""


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
