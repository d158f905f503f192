"""The execution of a plan: tests side by side, each intent durable before its call.

Only this thread touches the store and the journal; workers only speak to Inspera.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice
from threading import Event
from typing import Any

from sync.engine.account_lookup import (
    create_person,
    keep_no_updates,
    let_go,
    look_for_test,
    look_up,
    update_test,
)
from sync.engine.activation import find_obstacle, prepare_activation
from sync.engine.candidate_numbers import with_holders
from sync.engine.changes_on_test import MembershipPolicy, prepare
from sync.engine.existing_logins import ExistingLogins
from sync.engine.lanes import Lane, Lanes
from sync.engine.membership import read_and_judge
from sync.engine.outcomes import ExecutionResult, OutcomeRecorder
from sync.engine.prepared_work import PreparedWork, WorkUnit
from sync.engine.protocols import Clock, Target
from sync.engine.reading_age import LONGEST
from sync.errors import Stop
from sync.log import in_context
from sync.progress import Progress
from sync.records.base import Key, Kind
from sync.records.changes import (
    Action,
    Cause,
    Outcome,
    PlannedChange,
    Result,
)
from sync.records.kinds import ON_A_TEST, PEOPLE
from sync.state.journal import Journal
from sync.state.store import Store
from sync.text.masking import masked

_LOOK = 1.0
"""The seconds after which a run that awaits an export asks again whether it is to yield."""

_MOST_AGAIN = 3
"""How often a test is read again before the same change, when nothing could be sent meanwhile."""

_BARRED = (
    "what became of an earlier call for it could not be found out just now; looked at "
    "again in the next run"
)


SENDING = "sending"
"""The phase in which changes are sent, of which progress is reported."""

ShouldYield = Callable[[Callable[[], str]], bool]
"""The question whether a run is to end for one that waits.

Its argument returns when the soonest test starts that needs the rest of this run.
"""


def never(_soonest: Callable[[], str]) -> bool:
    """Return False: this run yields to no other."""
    return False


_UnderWay = dict[Future[list[Outcome] | PreparedWork], tuple[Lane, WorkUnit]]


class Executor:
    """The execution of one plan.

    Args:
        store: has the plan.
        journal: receives each intent and each outcome.
        target: Inspera.
        policy: the rules about members of tests.
        workers: how many people and tests are worked on at a time.
        stop: ends it early: calls under way finish and are recorded, nothing new is sent.
        clock: returns the time now, aware.
        progress: is notified of the progress.
        barred: records for which nothing is sent, since the outcome of an earlier call is unknown.
        tried: learners whose creation was sent before, so that they need no look-up.
        look_up_learners: whether Inspera may have learners that the state does not know. Then each
            new one is looked up first, as staff are.
        logins: proves by an export that new people have no account; None to look each of them up.
        should_yield: tells whether another run goes first; asked before more is begun. Its argument
            returns when the soonest test starts that needs what is left (UTC text, empty for none).
    """

    def __init__(  # noqa: PLR0913 - each is a separate part
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
        look_up_learners: bool = True,
        logins: ExistingLogins | None = None,
        should_yield: ShouldYield = never,
    ) -> None:
        self._store, self._journal, self._target, self._policy = store, journal, target, policy
        self._barred, self._tried, self._look_up_learners, self._should_yield = (
            barred,
            tried,
            look_up_learners,
            should_yield,
        )
        self._workers, self._stop, self._clock, self._progress = workers, stop, clock, progress
        self._logins = logins
        self._outcomes = OutcomeRecorder(store, journal)
        self._result = self._outcomes.result
        self._rest = (-1.0, "")

    def execute(self, total: int) -> ExecutionResult:
        """Send everything that the guard allows, in the plan's order.

        `total` is the number of lines, for the progress.
        """
        # More open than workers: one that waits for its people leaves no worker idle.
        most, plan = 2 * self._workers, self._store.plan
        lanes = Lanes(plan.steps(), plan.read_step, most, self._awaits_export)
        with (
            # One more than workers: an export takes nobody's place while it is awaited.
            ThreadPoolExecutor(self._workers + 1, thread_name_prefix="inspera") as pool,
            self._stopping(),
        ):
            self._send_all(pool, lanes, total)
        for (kind, action), message in self._result.no_updates.items():
            number = self._result.not_updated[kind, action]
            keep_no_updates(self._journal, kind, action, number, message)
        self._journal.commit()
        return self._result

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """Stop the workers when this thread can't go on, since nobody would record their calls."""
        try:
            yield
        except BaseException:
            self._stop.set()
            raise

    def _allowed(self, lines: Sequence[PlannedChange]) -> list[PlannedChange]:
        barred = [line for line in lines if (line.change.kind, line.change.key) in self._barred]
        unsent = Outcome(Result.NOT_SENT, _BARRED)
        self._outcomes.record([None] * len(barred), barred, [unsent] * len(barred))
        return [one for one in lines if (one.change.kind, one.change.key) not in self._barred]

    def _over(self) -> bool:
        return self._stop.is_set() or bool(self._result.stopped)

    def _unit(self, planned: Sequence[PlannedChange]) -> WorkUnit | None:
        """Return the work on a step's lines, or None if all of them have ended without any."""
        lines = self._allowed(planned)
        if not lines:
            return None
        kind, test = lines[0].change.kind, lines[0].change.key[0]
        if kind not in ON_A_TEST:  # such a step has one line
            return None if self._ended(lines[0]) else self._single(lines[0])
        # All of a test in one hand: no two workers may count its free places at once
        changes = prepare(self._store, kind, test, lines, self._policy, self._target.moment())
        if kind is Kind.CANDIDATE:
            changes = with_holders(changes, self._store, self._outcomes.left.pop(test, ()))
        # One line tells when the test starts
        return WorkUnit(partial(read_and_judge, changes, self._target, self._policy), lines[:1])

    def _ended(self, line: PlannedChange) -> bool:
        """End a line that needs no call, and tell whether it was ended."""
        return self._takes_no_updates(line) or self._still_needed(line)

    def _takes_no_updates(self, line: PlannedChange) -> bool:
        """End the update of a person once this tenant has refused one as existing."""
        change = line.change
        refused = self._outcomes.no_updates.get((change.kind, change.action))
        if refused is not None:
            self._outcomes.record(
                [None], [line], [Outcome(Result.DEFERRED, refused, cause=Cause.UPDATES)]
            )
        return refused is not None

    def _still_needed(self, line: PlannedChange) -> bool:
        """End the line of a person who is to be disabled and is still on a running test."""
        if line.change.action not in (Action.DISABLE, Action.DELETE):
            return False
        tests = self._store.known.tests_of(line.change.key[0])
        if tests:
            reason = f"waits until this person is on no test any more ({', '.join(tests[:5])})"
            self._outcomes.record(
                [None], [line], [Outcome(Result.WAITING, reason, cause=Cause.NEEDS)]
            )
        return bool(tests)

    def _single(self, line: PlannedChange) -> WorkUnit:
        change = line.change
        if change.action is Action.CREATE and change.kind in PEOPLE:
            return self._new_person(line)
        if change.kind is Kind.LEARNER:
            return WorkUnit(
                lambda: [self._target.save_learner(change, line.secret)], (line,), (line,)
            )
        if change.action in (Action.DISABLE, Action.DELETE):
            return WorkUnit(partial(let_go, line, self._target), (line,), (line,))
        if change.kind is Kind.STAFF:
            secret = line.secret if change.action is Action.CREATE else None
            return WorkUnit(lambda: [self._target.save_staff(change, secret)], (line,), (line,))
        return self._test(line)

    def _test(self, line: PlannedChange) -> WorkUnit:
        change = line.change
        timing = self._store.comparison.timing(change.key[0], self._target.moment())
        if change.action is Action.ACTIVATE:
            obstacle = find_obstacle(line, self._store, self._outcomes.unsent, timing, self._policy)
            known = self._store.known.find(Kind.TEST, change.key) or {}
            known_id = str(known["remote_id"]) if known.get("remote_id") else None
            return WorkUnit(
                partial(prepare_activation, line, obstacle, timing, self._target, known_id), (line,)
            )
        if change.action is Action.CREATE:
            return WorkUnit(partial(look_for_test, line, timing, self._target), (line,))
        return WorkUnit(partial(update_test, line, timing, self._target), (line,), (line,))

    def _new_person(self, line: PlannedChange) -> WorkUnit:
        tried = (line.change.kind, line.change.key) in self._tried
        asked = line.change.kind is Kind.STAFF or (self._look_up_learners and not tried)
        if asked and not self._is_proven_new(line):
            return WorkUnit(partial(look_up, line, self._target), (line,))
        create = partial(create_person, line, self._target, tried=tried)
        return WorkUnit(create, (line,), (line,))

    def _awaits_export(self, line: PlannedChange) -> bool:
        return self._logins is not None and self._logins.awaits(line)

    def _is_proven_new(self, line: PlannedChange) -> bool:
        return self._logins is not None and self._logins.prove_new(line)

    def _send_all(self, pool: ThreadPoolExecutor, lanes: Lanes, total: int) -> None:
        """Keep the workers busy until no lane is left, or nothing more is to be sent."""
        under_way: _UnderWay = {}
        while True:
            over = self._over()
            export = self._logins.advance(pool, over=over) if self._logins else None
            # Never more than workers: what is started later may turn out to be for a sooner test.
            ready = [] if over else self._ready(lanes, self._workers - len(under_way))
            if (ready or (export and lanes.left)) and self._yields(lanes):
                ready = []
            self._start(pool, ready, under_way)
            if not (under_way or export):
                return
            awaited: set[Future[Any]] = {*under_way, *([export] if export else ())}
            finished, _ = wait(awaited, _LOOK if export else None, FIRST_COMPLETED)
            for future in finished & under_way.keys():
                lane, unit = under_way.pop(future)
                lanes.put_back(lane, self._finish(unit, future))
            self._progress(SENDING, self._outcomes.done, total)

    def _yields(self, lanes: Lanes) -> bool:
        """Tell whether another run goes first; then nothing more is sent in this one."""
        if self._over() or not self._should_yield(partial(self._soonest, lanes)):
            return False
        self._result.yielded = True
        self._stop.set()  # what a worker would still send of its unit waits as well
        return True

    def _ready(self, lanes: Lanes, most: int) -> list[tuple[Lane, WorkUnit]]:
        """Return up to so many units of work, for the soonest tests that may go on."""
        ready: list[tuple[Lane, WorkUnit]] = []
        while len(ready) < most and (lane := lanes.take()):
            follow_up = lane.follow_up
            if unit := self._anew(follow_up) if follow_up else self._unit(lanes.read(lane)):
                ready.append((lane, unit))
            else:
                lanes.put_back(lane)
        return ready

    def _anew(self, follow_up: WorkUnit) -> WorkUnit | None:
        """Return what is to be sent, or the reading that it needs if the last one is too old."""
        since = follow_up.since
        if since is None or self._clock() - since <= LONGEST or follow_up.again >= _MOST_AGAIN:
            return follow_up
        return self._again(follow_up.lines, follow_up.again + 1)

    def _again(self, lines: Sequence[PlannedChange], times: int) -> WorkUnit | None:
        unit = self._unit(lines)
        return replace(unit, again=times) if unit else None

    def _soonest(self, lanes: Lanes) -> str:
        """Return when the soonest test begins that needs what is left.

        Looked up once a second at most.
        """
        looked, soonest = self._rest
        if time.monotonic() - looked >= 1:
            soonest = self._store.plan.soonest(lanes.first_line - 1)
            self._rest = (time.monotonic(), soonest)
        return soonest

    def _start(
        self,
        pool: ThreadPoolExecutor,
        ready: Sequence[tuple[Lane, WorkUnit]],
        under_way: _UnderWay,
    ) -> None:
        # All intents in one commit, durable before the first of these calls (rules 24). With
        # nothing to start, this makes durable what was recorded, before a long wait.
        intents = iter(self._journal.intend([line for _, unit in ready for line in unit.lines]))
        for lane, unit in ready:
            started = replace(unit, intents=list(islice(intents, len(unit.lines))))
            future = pool.submit(in_context(started.work, **_named(started.about)))
            under_way[future] = lane, started

    def _finish(
        self, unit: WorkUnit, future: Future[list[Outcome] | PreparedWork]
    ) -> WorkUnit | None:
        """Record what became of a unit.

        A unit that has only read may leave something to be sent.
        """
        try:
            result = future.result()
        except Stop as error:
            self._result.stopped = self._result.stopped or str(error)
            unsent = Outcome(Result.NOT_SENT, "nothing more could be sent in this run")
            self._outcomes.record(unit.intents, unit.lines, [unsent] * len(unit.lines))
            return None
        if isinstance(result, list):
            return self._end(unit, result)
        self._outcomes.record([None] * len(result.ended), *_columns(result.ended))
        if held := self._held_by_others(result):
            self._outcomes.record(
                [None] * len(result.lines), result.lines, [held] * len(result.lines)
            )
            return None
        for there in result.already:  # durable with the intents that follow
            self._journal.known.remember(
                there.kind, there.key, there.fields, remote_id=there.remote_id, managed=False
            )
        if not result.lines:
            return None
        return WorkUnit(
            result.send, result.lines[:1], result.lines, since=self._clock(), again=unit.again
        )

    def _end(self, unit: WorkUnit, outcomes: Sequence[Outcome]) -> WorkUnit | None:
        """Record outcomes, and return the work on what is to be read again before it is sent."""
        left = [n for n, one in enumerate(outcomes) if one.cause is Cause.OUTDATED]
        times = unit.again + 1 if len(left) == len(outcomes) else 0
        if not left or self._over() or times > _MOST_AGAIN:
            self._outcomes.record(unit.intents, unit.lines, outcomes)
            return None
        ended = sorted({*range(len(outcomes))}.difference(left))
        self._outcomes.record(
            [unit.intents[n] for n in ended],
            [unit.lines[n] for n in ended],
            [outcomes[n] for n in ended],
        )
        self._journal.withdraw([unit.intents[n] for n in left])
        return self._again([unit.lines[n] for n in left], times)

    def _held_by_others(self, ready: PreparedWork) -> Outcome | None:
        """Return how new records end that Inspera has, but which another key is known to have."""
        for there in ready.already:
            holder = self._store.known.holder(there.kind, there.key, there.fields, there.remote_id)
            if holder:
                reason = (
                    f"{holder} has what Inspera has under this identity; correct the source, "
                    "or Inspera"
                )
                return Outcome(Result.HELD, reason, cause=Cause.SHARED)
        return None


def _named(about: Sequence[PlannedChange]) -> dict[str, str]:
    """Return what the log contains of a unit's calls: the kind, and the key of record or test."""
    change = about[0].change
    return {"kind": change.kind.value, "key": masked(change.key[0])}


def _columns(
    ended: Sequence[tuple[PlannedChange, Outcome]],
) -> tuple[list[PlannedChange], list[Outcome]]:
    return [line for line, _ in ended], [outcome for _, outcome in ended]
