"""Carries out a plan: layer by layer, many calls at a time, every intent durable before its call.

Only this thread touches the store and the journal; workers only speak to Inspera.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby, islice
from threading import Event

from sync.engine.account_lookup import let_go, look_for_test, look_up, update_test
from sync.engine.candidate_numbers import with_holders
from sync.engine.changes_on_test import MembershipPolicy, prepare
from sync.engine.membership import read_and_judge
from sync.engine.protocols import Clock, Progress, Target
from sync.engine.steps import Ready
from sync.errors import Stop
from sync.log import in_context
from sync.planning.remedies import disputed
from sync.records.base import Key, Kind
from sync.records.changes import (
    ADDITIONS,
    CALLING,
    SOON,
    Action,
    Cause,
    Outcome,
    PlannedChange,
    Result,
    Verdict,
)
from sync.records.kinds import ON_A_TEST
from sync.state.journal import Journal
from sync.state.store import Store
from sync.text.masking import masked

_BARRED = "what became of an earlier call for it could not be found out just now; looked at again in the next run"


ShouldYield = Callable[[Callable[[], str]], bool]
"""Whether a run is to end for one that waits: takes what tells the start of the soonest test that its rest is for."""


def never(_soonest: Callable[[], str]) -> bool:
    """Gives way to nobody."""
    return False


@dataclass(frozen=True, slots=True)
class WorkUnit:
    """Work for one worker, `about` some lines; with `lines` it sends, and each has an intent, else it only reads."""

    work: Callable[[], list[Outcome] | Ready]
    about: Sequence[PlannedChange]
    lines: Sequence[PlannedChange] = ()
    intents: Sequence[int] = ()


_NOT_MADE = (Action.CREATE, Result.DEFERRED)


@dataclass(slots=True)
class ExecutionResult:
    """What became of a plan: how many of each kind, action and result, and of each cause; why it stopped early, if so.

    `gave_way` says that it did so for a run whose tests start sooner. `soon` counts the additions that wait for a test
    that starts within 7 days or is under way.
    """

    results: Counter[tuple[Kind, Action, Result]] = field(default_factory=Counter)
    causes: Counter[tuple[Result, Cause]] = field(default_factory=Counter)
    stopped: str = ""
    gave_way: bool = False
    soon: int = 0

    @property
    def missed(self) -> int:
        """How many changes wait, and how many that are new are deferred: what is wanted is not in Inspera."""
        new = sum(n for (_, action, left), n in self.results.items() if (action, left) == _NOT_MADE)
        return new + self.count(Result.WAITING)

    def count(self, *results: Result) -> int:
        """How many changes ended in one of these ways."""
        return sum(number for (_, _, result), number in self.results.items() if result in results)


class Executor:
    """Carries out one plan. `stop` ends it early: calls under way finish and are recorded, nothing new is sent.

    Nothing is sent for `barred` records: what became of an earlier call for them could not be found out yet. `wary`
    says that Inspera may have learners whom we do not know of, so that each new one is looked up first, as staff are,
    but for those whose creation was `tried` before. `gives_way` is asked before more is begun: it takes what tells the
    start of the soonest test that needs what is left (UTC text, empty for none), and says whether another run goes
    first; then `stop` is set.
    """

    def __init__(  # noqa: PLR0913 - each is a door of its own
        self,
        store: Store,
        journal: Journal,
        target: Target,
        policy: MembershipPolicy,
        *,
        workers: int,
        stop: Event,
        clock: Clock,
        progress: Progress,
        barred: Collection[tuple[Kind, Key]] = (),
        tried: Collection[tuple[Kind, Key]] = (),
        wary: bool = True,
        should_yield: ShouldYield = never,
    ) -> None:
        self._store, self._journal, self._target, self._policy = store, journal, target, policy
        self._barred, self._tried, self._wary, self._should_yield = (
            barred,
            tried,
            wary,
            should_yield,
        )
        self._workers, self._stop, self._clock, self._progress = workers, stop, clock, progress
        self._carried = ExecutionResult()
        self._done = 0
        self._rest = (-1.0, "")
        self._left: dict[str, set[str]] = {}

    def carry_out(self, total: int) -> ExecutionResult:
        """Sends everything that passes, in the plan's order. `total` is how many lines that is, for the progress."""
        lines = (
            line for line in self._store.planned(Verdict.PASS) if line.change.action in CALLING
        )
        with (
            ThreadPoolExecutor(self._workers, thread_name_prefix="inspera") as pool,
            self._stopping(),
        ):
            for _, layer in groupby(self._allowed(lines), key=lambda line: (line.wave, line.layer)):
                self._send_all(pool, self._units(layer), total)
                if self._over():
                    break
        self._journal.commit()
        return self._carried

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """Has the workers send nothing more when this thread can't go on: nobody would record it."""
        try:
            yield
        except BaseException:
            self._stop.set()
            raise

    def _allowed(self, lines: Iterator[PlannedChange]) -> Iterator[PlannedChange]:
        for line in lines:
            if (line.change.kind, line.change.key) in self._barred:
                self._record([None], [line], [Outcome(Result.NOT_SENT, _BARRED)])
            else:
                yield line

    def _over(self) -> bool:
        return self._stop.is_set() or bool(self._carried.stopped)

    def _units(self, layer: Iterator[PlannedChange]) -> Iterator[WorkUnit]:
        """Each person and test is a unit; what is on a test goes test by test."""
        for (kind, test), group in groupby(
            layer, key=lambda line: (line.change.kind, line.change.key[0])
        ):
            if kind not in ON_A_TEST:
                yield from (self._single(line) for line in group if not self._still_needed(line))
                continue
            # all of a test in one hand: no two workers may count its free places at once
            lines = list(group)
            sitting = prepare(self._store, kind, test, lines, self._policy, self._target.moment())
            if kind is Kind.CANDIDATE:
                sitting = with_holders(sitting, self._store, self._left.pop(test, ()))
            # one line tells when the test starts
            yield WorkUnit(partial(read_and_judge, sitting, self._target, self._policy), lines[:1])

    def _still_needed(self, line: PlannedChange) -> bool:
        """Ends the line of somebody who was to be disabled or deleted, and is still on a test that has not ended."""
        if line.change.action not in (Action.DISABLE, Action.DELETE):
            return False
        tests = self._store.tests_of(line.change.key[0])
        if tests:
            reason = f"waits until this person is on no test any more ({', '.join(tests[:5])})"
            self._record([None], [line], [Outcome(Result.WAITING, reason, cause=Cause.NEEDS)])
        return bool(tests)

    def _single(self, line: PlannedChange) -> WorkUnit:
        change = line.change
        wary = self._wary and (change.kind, change.key) not in self._tried
        looked_up = change.kind is Kind.STAFF or (change.kind is Kind.LEARNER and wary)
        if change.action is Action.CREATE and looked_up:
            return WorkUnit(partial(look_up, line, self._target), (line,))
        if change.kind is Kind.LEARNER:
            return WorkUnit(lambda: [self._target.learner(change, line.secret)], (line,), (line,))
        if change.action in (Action.DISABLE, Action.DELETE):
            return WorkUnit(partial(let_go, line, self._target), (line,), (line,))
        if change.kind is Kind.STAFF:
            return WorkUnit(lambda: [self._target.staff(change, None)], (line,), (line,))
        timing = self._store.timing(change.key[0], self._target.moment())
        if change.action is Action.CREATE:
            return WorkUnit(partial(look_for_test, line, timing, self._target), (line,))
        return WorkUnit(partial(update_test, line, timing, self._target), (line,), (line,))

    def _send_all(self, pool: ThreadPoolExecutor, units: Iterator[WorkUnit], total: int) -> None:
        """Keeps the workers busy with this layer's units until none is left; the next layer needs all of it."""
        under_way: dict[Future[list[Outcome] | Ready], WorkUnit] = {}
        ready: list[WorkUnit] = []
        while True:
            if not self._over():
                ready.extend(islice(units, 2 * self._workers - len(under_way) - len(ready)))
                if ready and self._should_yield(partial(self._soonest, ready)):
                    self._carried.gave_way = True
                    self._stop.set()  # what a worker would still send of its unit waits as well
                else:
                    self._start(pool, ready, under_way)
            ready = []
            if not under_way:
                return
            finished, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in finished:
                ready.extend(self._finish(under_way.pop(future), future))
            self._progress("sending", self._done, total)

    def _soonest(self, units: Sequence[WorkUnit]) -> str:
        """When the soonest test begins that what is left is for; looked up once a second at most."""
        looked, soonest = self._rest
        if time.monotonic() - looked >= 1:
            before = min((line.seq for unit in units for line in unit.about), default=1) - 1
            soonest = self._store.soonest(before)
            self._rest = (time.monotonic(), soonest)
        return soonest

    def _start(
        self,
        pool: ThreadPoolExecutor,
        ready: Sequence[WorkUnit],
        under_way: dict[Future[list[Outcome] | Ready], WorkUnit],
    ) -> None:
        intents = iter(self._journal.intend([line for unit in ready for line in unit.lines]))
        for unit in ready:
            started = replace(unit, intents=list(islice(intents, len(unit.lines))))
            under_way[pool.submit(in_context(started.work, **_named(started.about)))] = started

    def _finish(self, unit: WorkUnit, future: Future[list[Outcome] | Ready]) -> list[WorkUnit]:
        """Records what a unit came to; a reading may leave something to be sent."""
        try:
            result = future.result()
        except Stop as error:
            self._carried.stopped = self._carried.stopped or str(error)
            unsent = Outcome(Result.NOT_SENT, "nothing more could be sent in this run")
            self._record(unit.intents, unit.lines, [unsent] * len(unit.lines))
            return []
        if isinstance(result, list):
            self._record(unit.intents, unit.lines, result)
            return []
        self._record([None] * len(result.ended), *_columns(result.ended))
        if held := self._held_by_others(result):
            self._record([None] * len(result.lines), result.lines, [held] * len(result.lines))
            return []
        for there in result.already:  # durable with the intents that follow
            self._journal.remember(
                there.kind, there.key, there.fields, remote_id=there.remote_id, ours=False
            )
        return [WorkUnit(result.send, result.lines[:1], result.lines)] if result.lines else []

    def _held_by_others(self, ready: Ready) -> Outcome | None:
        """Return how new records end that Inspera has, but which another key is known to have."""
        for there in ready.already:
            holder = self._store.holder(there.kind, there.key, there.fields, there.remote_id)
            if holder:
                reason = f"{holder} has what Inspera has under this identity; correct the source, or Inspera"
                return Outcome(Result.HELD, reason, cause=Cause.SHARED)
        return None

    def _record(
        self,
        intents: Sequence[int | None],
        lines: Sequence[PlannedChange],
        outcomes: Sequence[Outcome],
    ) -> None:
        ended = list(zip(intents, lines, outcomes, strict=True))
        self._journal.record(ended)
        self._done += len(ended)
        for _, line, outcome in ended:
            change = line.change
            if (
                change.kind is Kind.CANDIDATE
                and change.action is Action.REMOVE
                and outcome.result is Result.DONE
            ):
                self._left.setdefault(change.key[0], set()).add(change.key[1])
            self._carried.results[change.kind, change.action, outcome.result] += 1
            if (
                outcome.result is Result.WAITING
                and change.action in ADDITIONS
                and line.wave.startswith(SOON)
            ):
                self._carried.soon += 1
            if outcome.cause:
                self._carried.causes[outcome.result, outcome.cause] += 1
                self._carried.soon += outcome.cause is Cause.NUMBER and line.wave.startswith("0")
            if outcome.result is not Result.DONE:
                text = f"{outcome.message}{self._remedy(line, outcome)}"
                self._journal.find(outcome.result, change.kind, change.key, change.where, text)
            elif outcome.message and change.action is Action.UPDATE:  # Inspera had it so already
                self._journal.find("note", change.kind, change.key, change.where, outcome.message)

    def _remedy(self, line: PlannedChange, outcome: Outcome) -> str:
        """What a person can do where somebody has changed a field in Inspera, and what each way sends."""
        kind, key = line.change.kind, line.change.key
        wanted = self._store.wanted(kind, key) if outcome.disputed else None
        if wanted is None:
            return ""
        gap = " " if outcome.message.endswith(("?", ";", ".")) else "; "
        return f"{gap}{disputed(kind, key, wanted, outcome.disputed, line.change.where)}"


def _named(about: Sequence[PlannedChange]) -> dict[str, str]:
    """What the log says of a unit's calls: the kind, and the key of the record or of the test that it is on."""
    change = about[0].change
    return {"kind": change.kind.value, "key": masked(change.key[0])}


def _columns(
    ended: Sequence[tuple[PlannedChange, Outcome]],
) -> tuple[list[PlannedChange], list[Outcome]]:
    return [line for line, _ in ended], [outcome for _, outcome in ended]
