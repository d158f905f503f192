"""What becomes of a plan while it is executed: counted, recorded in the journal, and reported."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sync.engine.activation import UnsentOnTests
from sync.engine.protocols import RunTarget
from sync.planning.remedies import archived_text, disputed
from sync.records.base import Kind
from sync.records.changes import (
    ADDITIONS,
    SOON,
    UNWRITABLE,
    Action,
    Cause,
    Change,
    Outcome,
    PlannedChange,
    Result,
)
from sync.records.rule_numbers import rule_of, rule_of_outcome
from sync.state.journal import Journal
from sync.state.store import Store

_NOT_MADE = (Action.CREATE, Result.DEFERRED)


@dataclass(slots=True)
class ExecutionResult:
    """What became of a plan: its results and causes, and why it stopped early, if so.

    `no_updates` has the vendor's words for each kind and action that this tenant refuses, and
    `not_updated` how many people differ in Inspera for that reason. The action is that of the
    refused call: who was created in Inspera by others is updated.
    `yielded` says that it did so for a run whose tests start sooner. `waiting` counts the additions
    that wait for a record or for a candidate number; `soon` those of them for a test that starts
    within 7 days or is under way. `unwritable` counts the updates and activations that an archived
    test, or a parent, does not take.
    """

    results: Counter[tuple[Kind, Action, Result]] = field(default_factory=Counter)
    causes: Counter[tuple[Result, Cause]] = field(default_factory=Counter)
    stopped: str = ""
    yielded: bool = False
    waiting: int = 0
    soon: int = 0
    no_updates: dict[tuple[Kind, Action], str] = field(default_factory=dict)
    not_updated: Counter[tuple[Kind, Action]] = field(default_factory=Counter)
    unwritable: int = 0

    @property
    def missed(self) -> int:
        """Return how many wanted changes are missing in Inspera.

        They are new records that are waiting or deferred, and all that an archived test needs.
        """
        new = sum(n for (_, action, left), n in self.results.items() if (action, left) == _NOT_MADE)
        return new + self.count(Result.WAITING) + self.unwritable

    def explain_stop(self, target: RunTarget) -> None:
        """Record why Inspera takes nothing more, unless a worker has reported it."""
        # Out of reach only when it left something unsent: an error that passed stops nothing.
        left = self.count(Result.NOT_SENT, Result.UNKNOWN)
        self.stopped = self.stopped or target.stopped or (left and target.out_of_reach) or ""

    def count(self, *results: Result) -> int:
        """Return how many changes ended in one of these ways."""
        return sum(number for (_, _, result), number in self.results.items() if result in results)


class OutcomeRecorder:
    """The outcomes of one plan's lines. Only the thread of the executor uses it.

    Attributes:
        result: the figures of the run so far.
        done: how many lines have ended.
        left: the learners who were taken off each test.
        unsent: what was wanted on each test and was not sent.
        no_updates: the vendor's words for each kind and action that this tenant refuses.
    """

    def __init__(self, store: Store, journal: Journal) -> None:
        self._store, self._journal = store, journal
        self.result = ExecutionResult()
        self.done = 0
        self.left: dict[str, set[str]] = {}
        self.unsent = UnsentOnTests()
        self.no_updates: dict[tuple[Kind, Action], str] = {}
        self._archived: set[str] = set()

    def record(
        self,
        intents: Sequence[int | None],
        lines: Sequence[PlannedChange],
        outcomes: Sequence[Outcome],
    ) -> None:
        """Record how these lines have ended, durably with the next commit of the journal."""
        ended = list(zip(intents, lines, outcomes, strict=True))
        self._journal.record(ended)
        self.done += len(ended)
        for _, line, outcome in ended:
            change = line.change
            if (
                change.kind is Kind.CANDIDATE
                and change.action is Action.REMOVE
                and outcome.result is Result.DONE
            ):
                self.left.setdefault(change.key[0], set()).add(change.key[1])
            self.unsent.note(line, outcome)
            self._count(line, outcome)
            self._report(line, outcome)

    def _count(self, line: PlannedChange, outcome: Outcome) -> None:
        change = line.change
        self.result.results[change.kind, change.action, outcome.result] += 1
        if outcome.cause:
            self.result.causes[outcome.result, outcome.cause] += 1
        if change.action in ADDITIONS and _waits(outcome):
            self.result.waiting += 1
            self.result.soon += line.wave.startswith(SOON)
        self.result.unwritable += (
            outcome.result is Result.DEFERRED
            and outcome.cause in UNWRITABLE
            and change.action in (Action.UPDATE, Action.ACTIVATE)
        )

    def _report(self, line: PlannedChange, outcome: Outcome) -> None:
        """Write the finding of a line that did not end as it was planned."""
        change = line.change
        if outcome.cause is Cause.UPDATES:
            self._note_no_updates(change, outcome)
            if outcome.result is Result.DEFERRED:
                return  # one finding for the tenant, not one a person
        if outcome.cause is Cause.ARCHIVED:
            self._find_archived(change, outcome.message)
        elif outcome.result is not Result.DONE:
            text = f"{outcome.message}{self._remedy(line, outcome)}"
            rule = rule_of_outcome(outcome, change.kind)
            self._journal.find(
                outcome.result, change.kind, change.line_key, change.where, text, rule
            )
            if outcome.result is Result.HELD:
                self._store.holds.note(line, outcome.cause, text)
        # Inspera had it so already, or the option's value is worth a note.
        elif outcome.message and (change.action is Action.UPDATE or change.kind is Kind.OPTION):
            self._journal.find("note", change.kind, change.key, change.where, outcome.message)

    def _note_no_updates(self, change: Change, outcome: Outcome) -> None:
        """Count a person who differs in Inspera, because this tenant takes no updates."""
        action = Action.UPDATE if change.action is Action.CREATE else change.action
        self.result.not_updated[change.kind, action] += 1
        self.result.no_updates.setdefault((change.kind, action), outcome.message)
        if change.action is not Action.CREATE:
            self.no_updates[change.kind, change.action] = outcome.message

    def _find_archived(self, change: Change, words: str) -> None:
        """Report an archived test once, whatever number of changes it does not take."""
        test = change.key[0]
        if test not in self._archived:
            self._archived.add(test)
            rule = rule_of(Cause.ARCHIVED, Kind.TEST)
            text = archived_text(words)
            self._journal.find(Result.DEFERRED, Kind.TEST, (test,), "", text, rule)

    def _remedy(self, line: PlannedChange, outcome: Outcome) -> str:
        """Return what a person can do about a field that was changed in Inspera."""
        kind, key = line.change.kind, line.change.key
        wanted = self._store.staging.wanted(kind, key) if outcome.disputed else None
        if wanted is None:
            return ""
        gap = " " if outcome.message.endswith(("?", ";", ".")) else "; "
        return f"{gap}{disputed(kind, key, wanted, outcome.disputed, line.change.where)}"


def _waits(outcome: Outcome) -> bool:
    """Tell whether a change waits for something that is missing, or for a candidate number."""
    return outcome.result is Result.WAITING or (
        outcome.result is Result.DEFERRED and outcome.cause is Cause.NUMBER
    )
