"""What became of a plan, in numbers."""

from collections import Counter
from dataclasses import dataclass, field

from sync.engine.protocols import RunTarget
from sync.records.base import Kind
from sync.records.changes import Action, Cause, Outcome, Result

_NOT_MADE = (Action.CREATE, Result.DEFERRED)


@dataclass(slots=True)
class ExecutionResult:
    """What became of a plan: its results and causes, and why it stopped early, if so.

    `no_updates` has the vendor's words for each kind of which this tenant takes no updates, and
    `not_updated` how many people of it differ in Inspera for that reason.
    `yielded` says that it did so for a run whose tests start sooner. `waiting` counts the additions
    that wait for a record or for a candidate number; `soon` those of them for a test that starts
    within 7 days or is under way.
    """

    results: Counter[tuple[Kind, Action, Result]] = field(default_factory=Counter)
    causes: Counter[tuple[Result, Cause]] = field(default_factory=Counter)
    stopped: str = ""
    yielded: bool = False
    waiting: int = 0
    soon: int = 0
    no_updates: dict[Kind, str] = field(default_factory=dict)
    not_updated: Counter[Kind] = field(default_factory=Counter)

    @property
    def missed(self) -> int:
        """Return how many wanted records are missing in Inspera: waiting or deferred."""
        new = sum(n for (_, action, left), n in self.results.items() if (action, left) == _NOT_MADE)
        return new + self.count(Result.WAITING)

    def explain_stop(self, target: RunTarget) -> None:
        """Record why Inspera takes nothing more, unless a worker has reported it."""
        # Out of reach only when it left something unsent: an error that passed stops nothing.
        left = self.count(Result.NOT_SENT, Result.UNKNOWN)
        self.stopped = self.stopped or target.stopped or (left and target.out_of_reach) or ""

    def count(self, *results: Result) -> int:
        """Return how many changes ended in one of these ways."""
        return sum(number for (_, _, result), number in self.results.items() if result in results)


def is_waiting(outcome: Outcome) -> bool:
    """Tell whether a change waits for something that is missing, or for a candidate number."""
    return outcome.result is Result.WAITING or (
        outcome.result is Result.DEFERRED and outcome.cause is Cause.NUMBER
    )
