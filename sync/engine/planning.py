"""Decides about everything that was gathered and leaves a plan, in order. Sends nothing and needs no Inspera."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sync.decide import Decision, Drafted, Pair, decide
from sync.engine.doors import Feed, Progress, Store
from sync.engine.gather import EVERYTHING, Gathered, How, gather
from sync.guard import HeldScope, Limits
from sync.model import ON_A_TEST, PEOPLE, Kind
from sync.plan import Action

KEEP, DELETE = "keep", "delete"
"""What absence can mean: the record is kept as it is; a member of staff is deleted instead of disabled."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the configuration says about deciding: limits, what absence means, what was allowed; and how to read."""

    limits: Limits
    on_absence: Mapping[Kind, str]
    allowed: Collection[str] = ()
    how: How = EVERYTHING


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
        _decide(store, store.arrived_or_changed(kind))
    store.index_draft()
    _decide_absent(store, Kind.TEST, policy, gathered)
    for kind in ON_A_TEST:
        _decide(store, store.arrived_or_changed(kind))
        _decide_absent(store, kind, policy, gathered)
    _decide_absent(store, Kind.STAFF, policy, gathered)
    held = store.hold_scopes(policy.limits, policy.allowed)
    # last: a learner whose last seat goes in this run is released in it
    _decide_absent(store, Kind.LEARNER, policy, gathered)
    store.put_in_order()
    return Planning(gathered, held, store.ignored(), now)


def _decide_absent(store: Store, kind: Kind, policy: Policy, gathered: Gathered) -> None:
    meaning, trouble = policy.on_absence.get(kind, ""), gathered.trouble
    naming = Kind.CONTRIBUTOR if kind is Kind.STAFF else Kind.CANDIDATE
    # where no contributors are configured, those that are known still hold their staff
    unsure = "" if kind is Kind.STAFF and naming not in gathered.kinds else trouble.get(naming, "")
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
