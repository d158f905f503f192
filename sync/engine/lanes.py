"""The order of work (rules 19): each test goes on step by step, and tests go on side by side."""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from sync.engine.prepared_work import WorkUnit
from sync.records.base import Kind
from sync.records.changes import ADDITIONS, REMOVALS, Action, PlannedChange
from sync.records.kinds import PEOPLE, PERSON_OF
from sync.state.compare.plan_reader import PlanStep

Person = tuple[Kind, str]


@dataclass(slots=True, eq=False)
class Lane:
    """The steps of one person or one test, of which one is under way at a time.

    Attributes:
        steps: those that have not ended, in order.
        under_way: whether a worker has the first of them.
        lines: the lines of the first step, once they were read.
        follow_up: what the first step still has to send, once it has read Inspera.
    """

    steps: deque[PlanStep]
    under_way: bool = False
    lines: Sequence[PlannedChange] = ()
    follow_up: WorkUnit | None = None

    @property
    def person(self) -> Person | None:
        """Return the person of this lane; None for a test."""
        step = self.steps[0]
        return (step.kind, step.key) if step.kind in PEOPLE else None

    @property
    def leaves(self) -> bool:
        """Tell whether this is a person who leaves."""
        return self.person is not None and self.steps[0].action in REMOVALS

    def end_step(self) -> None:
        """Go on to the next step."""
        self.steps.popleft()
        self.lines, self.follow_up = (), None


class Lanes:
    """The lanes that are open: the first ones of a plan, as many as are worked on side by side.

    Of the others nothing is in memory.

    Args:
        steps: the steps of the plan, in order; those of a test are neighbours.
        read: returns the lines of a step.
        most: how many lanes are open at a time.
        awaits: tells whether a new person waits for what Inspera is being asked; the other lanes
            go on.
    """

    def __init__(
        self,
        steps: Iterator[PlanStep],
        read: Callable[[PlanStep], Sequence[PlannedChange]],
        most: int,
        awaits: Callable[[PlannedChange], bool] = lambda _: False,
    ) -> None:
        self._read, self._most, self._awaits = read, most, awaits
        self._closed = _lanes(steps)
        self._open: list[Lane] = []

    @property
    def left(self) -> bool:
        """Tell whether a lane is open."""
        return bool(self._open)

    @property
    def first_line(self) -> int:
        """Return the first line of the plan that has not ended."""
        return min(lane.steps[0].first for lane in self._open)

    def take(self) -> Lane | None:
        """Return the first lane that may go on, for a worker; None when there is none.

        So work for a later test never goes before work for a sooner one that could be done.
        """
        self._open.extend(islice(self._closed, self._most - len(self._open)))
        people: set[Person] = set()
        tests = False
        for lane in self._open:
            if not lane.under_way and self._may_go_on(lane, people, tests=tests):
                lane.under_way = True
                return lane
            if lane.person and not lane.leaves:
                people.add(lane.person)
            tests = tests or lane.person is None
        return None

    def _may_go_on(self, lane: Lane, people: Collection[Person], *, tests: bool) -> bool:
        """Tell whether a lane may go on together with the people and tests before it."""
        if lane.follow_up:
            return True
        if lane.leaves:  # They must be on no test any more.
            return not (people or tests)
        if lane.person and lane.steps[0].action is Action.CREATE:
            return not self._awaits(self.read(lane)[0])
        # Their people come first; otherwise they would wait for somebody who is about to be made.
        step = lane.steps[0]
        if not people or step.kind not in PERSON_OF or step.action not in ADDITIONS:
            return True
        kind = PERSON_OF[step.kind]
        return all((kind, line.change.key[1]) not in people for line in self.read(lane))

    def read(self, lane: Lane) -> Sequence[PlannedChange]:
        """Return the lines of a lane's first step."""
        lane.lines = lane.lines or self._read(lane.steps[0])
        return lane.lines

    def put_back(self, lane: Lane, follow_up: WorkUnit | None = None) -> None:
        """Take a lane back from its worker; its step has ended unless it has a follow-up."""
        lane.under_way, lane.follow_up = False, follow_up
        if follow_up:
            return
        lane.end_step()
        if not lane.steps:
            self._open.remove(lane)


def _lanes(steps: Iterator[PlanStep]) -> Iterator[Lane]:
    """Yield one lane for each person, and one for all that is on a test."""

    def owner(step: PlanStep) -> tuple[Kind, str]:
        return (step.kind if step.kind in PEOPLE else Kind.TEST, step.key)

    for _, found in groupby(steps, key=owner):
        yield Lane(deque(found))
