"""Decides about everything that was gathered and leaves a plan, in order. Sends nothing and needs no Inspera."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sync.engine.extract.extract import EVERYTHING, Extracted, ReadOptions, gather
from sync.engine.protocols import Feed, Progress
from sync.planning.decide import Decision, DraftedChange, Pair, decide
from sync.planning.guard import HeldScope, Limits
from sync.records.base import Kind
from sync.records.changes import Action
from sync.records.kinds import NEEDS, ON_A_TEST, PEOPLE
from sync.state.store import Store

KEEP, DELETE = "keep", "delete"
"""What absence can mean: the record is kept as it is; a member of staff is deleted instead of disabled."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the configuration says about deciding: limits, what absence means, what was allowed; and how to read.

    Attributes:
        kinds: the kinds that this run keeps in step. Of others it only adds what records of these need.
        unread: the kinds that have feeds, but not in this run.
    """

    limits: Limits
    on_absence: Mapping[Kind, str]
    allowed: Collection[str] = ()
    how: ReadOptions = EVERYTHING
    kinds: Collection[Kind] = frozenset(Kind)
    unread: Collection[Kind] = ()

    @property
    def incomplete(self) -> frozenset[Kind]:
        """The kinds of which this run does not decide about everything."""
        return frozenset(Kind).difference(self.kinds)


def needed_by(kinds: Collection[Kind]) -> frozenset[Kind]:
    """These kinds, and those that their records need."""
    return frozenset(kinds).union(*(NEEDS[kind] for kind in kinds))


@dataclass(frozen=True, slots=True)
class PlanResult:
    """A finished plan's surroundings: the readings it rests on, the scopes that are held, what was ignored.

    Attributes:
        left_out: how many tests had ended before they were ever sent, and how many registrations name one of them.
        used: the hashes, of those that a person gave, by which single changes pass.
    """

    gathered: Extracted
    held_scopes: Sequence[HeldScope]
    ignored: int
    now: datetime
    left_out: Mapping[Kind, int] = field(default_factory=dict)
    used: Collection[str] = ()

    def unused(self, allowed: Collection[str]) -> Collection[str]:
        """Return those of the hashes that a person gave by which nothing is held in this plan."""
        return set(allowed).difference(self.used, (held.digest for held in self.held_scopes))


def make_plan(
    feeds: Sequence[Feed], store: Store, policy: Policy, now: datetime, progress: Progress
) -> PlanResult:
    """Reads all feeds and leaves the plan in the store. `now` is aware; begun and ended are judged by it."""
    gathered = gather(feeds, store, now, progress, policy.how)
    progress("deciding", 0)
    store.gather_circumstances(now, gathered.trouble)
    deciding = _PlanBuilder(store, policy, gathered)
    for kind in (*PEOPLE, Kind.TEST):
        deciding.wanted(kind)
    store.index_draft()
    deciding.absent(Kind.TEST)
    for kind in ON_A_TEST:
        deciding.wanted(kind)
        deciding.absent(kind)
    deciding.absent(Kind.STAFF)
    held = store.hold_scopes(policy.limits, policy.allowed, now)
    store.defer_numbers()  # only now it is known who leaves: what a limit holds keeps its number
    # last: a learner whose last seat goes in this run is released in it
    deciding.absent(Kind.LEARNER)
    store.put_in_order()
    return PlanResult(gathered, held, store.ignored(), now, store.left_out(), deciding.used)


@dataclass(slots=True)
class _PlanBuilder:
    """Decisions kind by kind, and the hashes that were used for them."""

    store: Store
    policy: Policy
    gathered: Extracted
    used: set[str] = field(default_factory=set)

    def wanted(self, kind: Kind) -> None:
        """Decide about all of a kind that is wanted; of one that is only read for others, about what these need."""
        kinds = self.policy.kinds
        if kind in needed_by(kinds):
            self._decide(self.store.arrived_or_changed(kind))
        if kind is Kind.TEST:
            self.store.note_unsettled()
        if kind not in kinds:
            self.store.keep_needed(kind, [other for other in kinds if kind in NEEDS[other]])

    def absent(self, kind: Kind) -> None:
        """Decide about all of a kind that is known and that no feed names any more."""
        policy, gathered = self.policy, self.gathered
        if kind not in policy.kinds:
            return
        meaning, trouble = policy.on_absence.get(kind, ""), gathered.trouble
        naming = Kind.CONTRIBUTOR if kind is Kind.STAFF else Kind.CANDIDATE
        # where no contributors are configured, those that are known still hold their staff
        alone = kind is Kind.STAFF and naming not in gathered.kinds and naming not in policy.unread
        unsure = "" if alone else trouble.get(naming, "")
        pairs = self.store.absent(kind, trouble.get(kind, ""), unsure)
        if meaning == DELETE:
            pairs = (replace(pair, about=replace(pair.about, delete=True)) for pair in pairs)
        self._decide(pairs, kept=meaning == KEEP)

    def _decide(self, pairs: Iterator[Pair], *, kept: bool = False) -> None:
        # Row errors and renewals are few or cheap; the drafted stream through, so that memory does not grow with them.
        def drafted() -> Iterator[DraftedChange]:
            for pair in pairs:
                decision = decide(pair, self.policy.allowed)
                if decision.drafted:
                    if decision.row_errors:
                        self.store.add_row_errors(decision.row_errors)
                    # what has ended is retired all the same: that takes nothing away from anybody
                    if not kept or decision.drafted.change.action is Action.RETIRE:
                        self.used.update(filter(None, [decision.drafted.allowed]))
                        yield decision.drafted
                else:
                    _keep(self.store, pair, decision, kept=kept)

        self.store.draft(drafted())


def _keep(store: Store, pair: Pair, decision: Decision, *, kept: bool) -> None:
    store.add_row_errors(decision.row_errors)
    if decision.stays and not kept:
        store.note_stay(pair.kind, pair.key)
    if decision.settled:
        store.refresh([(pair.kind, pair.key, pair.fingerprint)])
