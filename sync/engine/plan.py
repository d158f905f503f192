"""The decisions about everything that was extracted: they become a plan, in the order of sending.

Nothing is sent, and no Inspera is needed.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sync.engine.extract.extract import EVERYTHING, ExtractionResult, ReadOptions
from sync.errors import UsageError
from sync.exit_codes import Exit, worst
from sync.planning.decide import Decision, DraftedChange, Pair, decide
from sync.planning.limits import HeldScope, Limits
from sync.planning.selection import Chosen
from sync.progress import Progress
from sync.records.base import Kind
from sync.records.changes import Action, Verdict
from sync.records.kinds import NEEDS, ON_A_TEST, PEOPLE
from sync.state.store import Store

KEEP, DELETE = "keep", "delete"
"""What absence means: the record is kept as it is; staff are deleted instead of disabled."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of deciding: limits, what absence means, what is allowed, and how to read.

    Attributes:
        kinds: the kinds that this run keeps in step. Of others it only adds what records of these
            need.
        unread: the kinds that have feeds, but not in this run.
        rooms: the places of each room.
        chosen: which lines of the plan were asked for; None for all. A run that sends only a part
            keeps no baseline, and changes nothing that rests on a whole plan.
    """

    limits: Limits
    on_absence: Mapping[Kind, str]
    allowed: Collection[str] = ()
    read_options: ReadOptions = EVERYTHING
    kinds: Collection[Kind] = frozenset(Kind)
    unread: Collection[Kind] = ()
    rooms: Mapping[str, int] = field(default_factory=dict)
    chosen: Chosen | None = None

    @property
    def incomplete(self) -> frozenset[Kind]:
        """Return the kinds of which this run does not decide about everything."""
        return frozenset(Kind).difference(self.kinds)


def needed_by(kinds: Collection[Kind]) -> frozenset[Kind]:
    """Return these kinds, and those that their records need."""
    return frozenset(kinds).union(*(NEEDS[kind] for kind in kinds))


@dataclass(frozen=True, slots=True)
class PlanResult:
    """A finished plan: its reports, the scopes that are held, and what was ignored.

    Attributes:
        left_out: how many tests had ended before they were ever sent, and how many registrations
            name one of them.
        used: the hashes, of those that a person gave, by which single changes pass.
        unasked: how many changes would pass that were not asked for.
    """

    extracted: ExtractionResult
    held_scopes: Sequence[HeldScope]
    ignored: int
    now: datetime
    left_out: Mapping[Kind, int] = field(default_factory=dict)
    used: Collection[str] = ()
    unasked: int = 0

    def check_hashes(self, allowed: Collection[str]) -> None:
        """Check that each hash that a person allowed is one of this plan.

        Raises:
            UsageError: some are not, so the person has looked at another plan.
        """
        unused = set(allowed).difference(self.used, (held.digest for held in self.held_scopes))
        if unused:
            wrong = ", ".join(f"--allow {one}" for one in sorted(unused))
            others = "" if unused == set(allowed) else " (the other hashes are right)"
            raise UsageError(
                f"{wrong}: nothing that is held now has this hash{others}, so nothing was sent; "
                "run `plan` and take the hash from it"
            )


def make_plan(
    extracted: ExtractionResult, store: Store, policy: Policy, now: datetime, progress: Progress
) -> PlanResult:
    """Decide about all that was extracted, and leave the plan in the store. `now` is aware."""
    progress("deciding", 0)
    store.comparison.compute_context(now, extracted.trouble)
    deciding = _PlanBuilder(store, policy, extracted)
    # First, since what is on a test waits for the people and tests that do not go ahead.
    for kind in (*PEOPLE, Kind.TEST):
        deciding.wanted(kind)
    # Only now: an index slows inserts down, and nothing has looked into the draft so far.
    store.plan.index_draft()
    deciding.absent(Kind.TEST)
    for kind in ON_A_TEST:
        deciding.wanted(kind)
        deciding.absent(kind)
    # After the contributors: nobody is disabled who is still to be on a test.
    deciding.absent(Kind.STAFF)
    held = store.plan.hold_scopes(
        policy.limits, policy.allowed, now, sorted(policy.read_options.accepted)
    )
    # After the limits: only now it is known who leaves, since a held removal keeps its number.
    store.plan.defer_numbers()
    # Last, so that a learner who loses their last registration in this run is released in it.
    deciding.absent(Kind.LEARNER)
    if policy.chosen is None:
        store.clashes.find(now, extracted.kinds, policy.rooms)
    store.plan.close()
    unasked = store.plan.narrow(policy.chosen) if policy.chosen else 0
    return PlanResult(
        extracted,
        held,
        store.comparison.ignored(),
        now,
        store.comparison.left_out(),
        deciding.used,
        unasked,
    )


def plan_status(store: Store, plan: PlanResult) -> Exit:
    """Return the exit status by the plan alone: its sources, holds, row errors, and what waits."""
    waiting, soon = store.plan.waiting()
    numbers, near = store.plan.deferred_numbers()
    held = any(verdict is Verdict.HELD for _, _, verdict in store.plan.tally())
    held = held or soon + near > 0 or store.earlier_runs.recovery_need() is not None
    left = (
        store.staging.row_error_count()
        + store.plan.refused_before()
        + waiting
        + numbers
        + store.plan.missed()
    )
    return worst(source=bool(plan.extracted.unhealthy), held=held, row_errors=left > 0)


@dataclass(slots=True)
class _PlanBuilder:
    """Decisions kind by kind, and the hashes that were used for them."""

    store: Store
    policy: Policy
    extracted: ExtractionResult
    used: set[str] = field(default_factory=set)

    def wanted(self, kind: Kind) -> None:
        """Decide about all wanted records of a kind.

        Of a kind that is only read for others, about what these need.
        """
        kinds = self.policy.kinds
        if kind in needed_by(kinds):
            self._decide(self.store.comparison.arrived_or_changed(kind))
        if kind is Kind.TEST:
            self.store.comparison.note_unsettled()
        if kind not in kinds:
            self.store.plan.keep_needed(kind, [other for other in kinds if kind in NEEDS[other]])

    def absent(self, kind: Kind) -> None:
        """Decide about all of a kind that is known and that no feed names any more."""
        policy, extracted = self.policy, self.extracted
        if kind not in policy.kinds:
            return
        meaning, trouble = policy.on_absence.get(kind, ""), extracted.trouble
        naming = Kind.CONTRIBUTOR if kind is Kind.STAFF else Kind.CANDIDATE
        # Where no contributors are configured, those that are known still hold their staff
        alone = kind is Kind.STAFF and naming not in extracted.kinds and naming not in policy.unread
        unsure = None if alone else trouble.get(naming)
        pairs = self.store.comparison.absent(kind, trouble.get(kind), unsure)
        if meaning == DELETE:
            pairs = (replace(pair, about=replace(pair.about, delete=True)) for pair in pairs)
        self._decide(pairs, kept=meaning == KEEP)

    def _decide(self, pairs: Iterator[Pair], *, kept: bool = False) -> None:
        # Row errors and renewals are few or cheap. Drafted changes stream through, so that memory
        # does not grow with their number.
        def drafted() -> Iterator[DraftedChange]:
            for pair in pairs:
                decision = decide(pair, self.policy.allowed)
                if decision.drafted:
                    if decision.row_errors:
                        self.store.staging.add_row_errors(decision.row_errors)
                    # What has ended is retired all the same: that takes nothing away from anybody
                    if not kept or decision.drafted.change.action is Action.RETIRE:
                        self.used.update(filter(None, [decision.drafted.allowed]))
                        yield decision.drafted
                else:
                    _keep(self.store, pair, decision, kept=kept)

        self.store.plan.draft(drafted())


def _keep(store: Store, pair: Pair, decision: Decision, *, kept: bool) -> None:
    store.staging.add_row_errors(decision.row_errors)
    if decision.stays and not kept:
        store.comparison.note_stay(pair.kind, pair.key)
    if decision.settled:
        store.comparison.refresh([(pair.kind, pair.key, pair.fingerprint)])
