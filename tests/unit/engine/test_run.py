"""One run from top to bottom against a small Inspera: its steps, its endings, and what it returns."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sync.engine.changes_on_test import MembershipPolicy
from sync.engine.context import LazyTarget, RunContext, RunSettings
from sync.engine.interruption import Interruption
from sync.engine.plan import PlanResult, Policy
from sync.engine.result import RunResult
from sync.engine.run import run
from sync.errors import StateError, StateUnreachable, Stop, UsageError
from sync.exit_codes import Exit
from sync.mapping import fingerprint
from sync.records.base import Kind
from sync.records.changes import Action, Result
from sync.records.kinds import Record
from sync.records.learner import Learner
from sync.records.test import Test
from sync.state.history import read_last_runs
from sync.state.journal import Journal
from sync.state.sqlite.open import open_to_write
from sync.state.store import Store

from ...support.tenant import NOW, StoringTenant
from .state_and_tenant import POLICY, START, a_person, feeds

ROWS: tuple[Record, ...] = (
    Learner("1", **a_person(1)),
    Test("T", "x1", "Øving", START, START + timedelta(hours=4), 240),
)


class RunTenant(StoringTenant):
    """A tenant as a run needs it, with an error that the first call raises."""

    stopped: str | None = None
    out_of_reach: str | None = None
    known_clock_trouble = ""
    clock_offset: timedelta | None = None
    closed = False

    def close(self) -> None:
        self.closed = True


@dataclass
class Observer:
    """An observer that keeps what it is told; `before_sending` runs once the plan is known."""

    lines: list[str] = field(default_factory=list)
    plans: list[PlanResult] = field(default_factory=list)
    error: Exception | None = None
    asked: list[int] = field(default_factory=list)

    def note(self, line: str) -> None:
        self.lines.append(line)

    def planned(self, plan: PlanResult, _result: RunResult) -> None:
        self.plans.append(plan)
        if self.error:
            raise self.error

    def confirms(self, total: int) -> bool:
        self.asked += [total]
        return True

    def progress(self, phase: str, done: int, total: int | None = None) -> None:
        pass


@dataclass
class Runner:
    """A state's file, a tenant, and one run after another."""

    path: Path
    tenant: RunTenant = field(default_factory=RunTenant)
    observer: Observer = field(default_factory=Observer)
    interruption: Interruption = field(default_factory=Interruption)

    @contextmanager
    def context(self, rows: Sequence[Record]) -> Iterator[RunContext]:
        with open_to_write(self.path, "apply") as connection:
            places = [feed.place for feed in feeds(rows)]
            yield RunContext(
                store=Store(connection, places=places, fingerprint=fingerprint),
                journal=Journal(connection, lambda: NOW, "apply"),
                target=LazyTarget(lambda: self.tenant),
                interruption=self.interruption,
                observer=self.observer,
                clock=lambda: NOW,
            )

    def run(self, rows: Sequence[Record] = ROWS, policy: Policy = POLICY) -> RunResult:
        settings = RunSettings(
            feeds=feeds(rows),
            all_feeds=feeds(rows),
            source_names=[],
            policy=policy,
            membership=MembershipPolicy(read_after_write_delay=timedelta(0)),
            workers=1,
            look_up_learners=False,
            verify="none",
            call_timeout=timedelta(0),
        )
        with self.context(rows) as context:
            return run(settings, context)

    def recorded(self) -> tuple[str, int | None]:
        """Return how the journal says that the last run ended."""
        with self.context(()) as context:
            runs = list(read_last_runs(context.store.plan._connection, 2))
        return runs[1].status, runs[1].exit_status


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path / "state.db")


def test_a_run_plans_sends_and_records_its_end(runner: Runner) -> None:
    result = runner.run()
    assert (result.word, result.status) == ("done", Exit.OK)
    assert result.results[Kind.LEARNER, Action.CREATE, Result.DONE] == 1
    assert result.rows[Kind.TEST, Kind.TEST] == 1
    assert runner.tenant.closed
    assert runner.recorded() == ("done", Exit.OK)


def test_a_run_with_nothing_to_send_opens_no_target(runner: Runner) -> None:
    assert runner.run(()).status is Exit.OK
    assert not runner.tenant.closed


def test_a_hash_of_another_plan_ends_the_run_before_anything_is_sent(runner: Runner) -> None:
    with pytest.raises(UsageError, match="nothing that is held now has this hash"):
        runner.run(policy=replace(POLICY, allowed=("abc",)))
    assert runner.tenant.calls == []
    assert runner.recorded() == ("stopped", Exit.USAGE)


def test_an_interruption_before_the_run_sends_nothing(runner: Runner) -> None:
    runner.interruption.end("paused by hand", Exit.HELD)
    result = runner.run()
    assert (result.word, result.status) == ("paused", Exit.HELD)
    assert runner.observer.lines == ["Ended early: paused by hand."]
    assert (runner.observer.plans, runner.tenant.calls) == ([], [])


def test_an_error_of_inspera_stops_the_run(runner: Runner) -> None:
    runner.observer.error = Stop("the key is refused")
    result = runner.run()
    assert (result.word, result.status) == ("stopped", Exit.INSPERA)
    assert runner.observer.lines == ["Inspera: the key is refused"]


def test_an_error_of_the_state_before_any_call_is_raised_as_it_is(runner: Runner) -> None:
    runner.observer.error = StateError("newer version")
    with pytest.raises(StateError) as raised:
        runner.run()
    assert not isinstance(raised.value, StateUnreachable)
    assert runner.observer.lines == []
    assert runner.recorded() == ("interrupted", Exit.SOURCE)
