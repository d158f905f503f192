"""Decides about everything that was gathered and leaves a plan, in order. Sends nothing and needs no Inspera."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sync.decide import Decision, Drafted, Pair, decide
from sync.engine.doors import Feed, Progress, Store
from sync.engine.gather import EVERYTHING, Gathered, How, gather
from sync.guard import HeldScope, Limits
from sync.model import NEEDS, ON_A_TEST, PEOPLE, Kind
from sync.plan import Action

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
    how: How = EVERYTHING
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
class Planning:
    """A finished plan's surroundings: the readings it rests on, the scopes that are held, what was ignored."""

    gathered: Gathered
    held_scopes: Sequence[HeldScope]
    ignored: int
    now: datetime


def make_plan(feeds: Sequence[Feed], store: Store, policy: Policy, now: datetime, progress: Progress) -> Planning:
    """Reads all feeds and leaves the plan in the store. `now` is aware; begun and ended are judged by it."""
    gathered = gather(feeds, store, now, progress, policy.how)
    progress("deciding", 0)
    store.gather_circumstances(now, gathered.trouble)
    for kind in (*PEOPLE, Kind.TEST):
        _decide_wanted(store, kind, policy)
    store.index_draft()
    _decide_absent(store, Kind.TEST, policy, gathered)
    for kind in ON_A_TEST:
        _decide_wanted(store, kind, policy)
        _decide_absent(store, kind, policy, gathered)
    _decide_absent(store, Kind.STAFF, policy, gathered)
    held = store.hold_scopes(policy.limits, policy.allowed)
    # last: a learner whose last seat goes in this run is released in it
    _decide_absent(store, Kind.LEARNER, policy, gathered)
    store.put_in_order()
    return Planning(gathered, held, store.ignored(), now)


def _decide_wanted(store: Store, kind: Kind, policy: Policy) -> None:
    """Decides about all of a kind that is wanted; of one that is only read for others, about what these need."""
    if kind in needed_by(policy.kinds):
        _decide(store, store.arrived_or_changed(kind))
    if kind not in policy.kinds:
        store.keep_needed(kind, [other for other in policy.kinds if kind in NEEDS[other]])


def _decide_absent(store: Store, kind: Kind, policy: Policy, gathered: Gathered) -> None:
    if kind not in policy.kinds:
        return
    meaning, trouble = policy.on_absence.get(kind, ""), gathered.trouble
    naming = Kind.CONTRIBUTOR if kind is Kind.STAFF else Kind.CANDIDATE
    # where no contributors are configured, those that are known still hold their staff
    alone = kind is Kind.STAFF and naming not in gathered.kinds and naming not in policy.unread
    unsure = "" if alone else trouble.get(naming, "")
    pairs = store.absent(kind, trouble.get(kind, ""), unsure)
    if meaning == DELETE:
        pairs = (replace(pair, about=replace(pair.about, delete=True)) for pair in pairs)
    _decide(store, pairs, kept=meaning == KEEP)


def _decide(store: Store, pairs: Iterator[Pair], *, kept: bool = False) -> None:
    # Faults and renewals are few or cheap; the drafted stream through, so that memory does not grow with them.
    def drafted() -> Iterator[Drafted]:
        for pair in pairs:
            decision = decide(pair)
            if decision.drafted:
                if decision.faults:
                    store.add_faults(decision.faults)
                # what has ended is retired all the same: that takes nothing away from anybody
                if not kept or decision.drafted.change.action is Action.RETIRE:
                    yield decision.drafted
            else:
                _keep(store, pair, decision)

    store.draft(drafted())


def _keep(store: Store, pair: Pair, decision: Decision) -> None:
    store.add_faults(decision.faults)
    if decision.settled:
        store.refresh([(pair.kind, pair.key, pair.fingerprint)])
