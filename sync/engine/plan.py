"""The decisions about everything that was extracted: they become a plan, in the order of sending.

Nothing is sent, and no Inspera is needed.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sync.engine.activation import draft_activations
from sync.engine.configuration import ConfigurationGate
from sync.engine.extract.extract import EVERYTHING, ExtractionResult, ReadOptions
from sync.engine.near_keys import check_names
from sync.errors import UsageError
from sync.exit_codes import Exit, worst
from sync.planning.configuration import ConfigurationChange, ConfigurationImpact
from sync.planning.decide import Decision, DraftedChange, Pair, decide
from sync.planning.decided import NOTHING_DECIDED, DecidedChange, DecidedChanges
from sync.planning.grace import NO_GRACE, GraceRules
from sync.planning.limits import HeldScope, Limits
from sync.planning.protection import Protection, find_protection
from sync.planning.selection import EVERYBODY, Chosen, PilotGroup, Selection
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
        selection: what the options of a command ask for, in addition to `chosen`: its names are
            checked, and its row errors shown.
        grace: how long a record must be absent before it is removed.
        protections: which records are neither updated nor removed.
        pilot: the records that are kept in step; all others are left alone.
        unread: the kinds that have feeds, but not in this run.
        rooms: the places of each room.
        chosen: which lines of the plan were asked for; None for all. A run that sends only a part
            keeps no baseline, and changes nothing that rests on a whole plan.
        decided: what people have decided about single changes before this run.
        claimed: the tests of which the configuration claims what Inspera had before us, by pattern.
        ensured: the committee that a test gets that has none, by the number of its feed.
        naming: the kinds whose feeds can name committees.
        follows: the fields that are taken away in Inspera when the row has no value any more, by
            the number of its feed.
        gate: how a change of the configuration's meaning is noticed; None not to look for one.
    """

    limits: Limits
    on_absence: Mapping[Kind, str]
    allowed: Collection[str] = ()
    read_options: ReadOptions = EVERYTHING
    kinds: Collection[Kind] = frozenset(Kind)
    unread: Collection[Kind] = ()
    rooms: Mapping[str, int] = field(default_factory=dict)
    chosen: Chosen | None = None
    decided: DecidedChanges = NOTHING_DECIDED
    selection: Selection | None = None
    grace: GraceRules = NO_GRACE
    protections: Sequence[Protection] = ()
    pilot: PilotGroup = EVERYBODY
    claimed: Collection[str] = ()
    gate: ConfigurationGate | None = None
    follows: Mapping[int, Collection[str]] = field(default_factory=dict)
    ensured: Mapping[int, str] = field(default_factory=dict)
    naming: Collection[Kind] = ()

    @property
    def reads_whole_tests(self) -> bool:
        """Tell whether the run reads all that the sources say of tests and of what is on them."""
        on_tests = {Kind.TEST, *ON_A_TEST}
        return Kind.TEST in self.kinds and not on_tests.intersection(self.unread)

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
        narrowed: whether only a part of the plan was asked for.
        unasked: how many changes would be sent that were not asked for.
        passed_over: decisions about changes that this plan would contain, but does not: the row,
            or what is known, is another one by now.
        hidden: the hashes of the held scopes that concern nothing that was asked for.
        configuration: what a change of the configuration does; None without one.
    """

    extracted: ExtractionResult
    held_scopes: Sequence[HeldScope]
    ignored: int
    now: datetime
    left_out: Mapping[Kind, int] = field(default_factory=dict)
    used: Collection[str] = ()
    narrowed: bool = False
    unasked: int = 0
    passed_over: Sequence[DecidedChange] = ()
    hidden: Collection[str] = ()

    @property
    def shown_scopes(self) -> Sequence[HeldScope]:
        """Return the held scopes that concern what was asked for."""
        return [held for held in self.held_scopes if held.digest not in self.hidden]

    def healthy_kinds(self, kinds: Collection[Kind]) -> frozenset[Kind]:
        """Return those of these kinds whose feeds were all read whole, so that absence counts."""
        return frozenset(kinds).difference(self.extracted.trouble)

    configuration: ConfigurationImpact | None = None

    def kinds_in_step(self, kinds: Collection[Kind]) -> frozenset[Kind]:
        """Return those of these kinds whose sources could be relied on."""
        reports = (*self.extracted.reports, *self.extracted.lookups)
        return frozenset(kinds).difference(one.kind for one in reports if one.unhealthy)

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


def compare_configuration(
    store: Store, policy: Policy, now: datetime, progress: Progress
) -> ConfigurationChange | None:
    """Plan by the earlier configuration, if it meant something else; None otherwise (rules 15)."""
    if policy.gate is None:
        return None
    kinds = policy.kinds
    return policy.gate.compare(store, needed_by(kinds), kinds, policy.read_options, now, progress)


def keep_configuration(policy: Policy, plan: PlanResult, store: Store, now: datetime) -> None:
    """Record that a whole plan was carried out by this configuration, unless that is held."""
    held = plan.configuration and plan.configuration.held
    if policy.gate and not held:
        # A row without a key keeps back removals, which are still to be compared.
        in_step = [
            one for one in plan.kinds_in_step(policy.kinds) if not store.staging.keyless(one)
        ]
        policy.gate.keep(store, in_step, now)


def make_plan(
    extracted: ExtractionResult,
    store: Store,
    policy: Policy,
    now: datetime,
    progress: Progress,
    change: ConfigurationChange | None = None,
) -> PlanResult:
    """Decide about all that was extracted, and leave the plan in the store. `now` is aware.

    `change` is a change of the configuration since the last complete run.
    """
    progress("deciding", 0)
    _ensure_committees(extracted, store, policy, now)
    store.comparison.compute_context(now, extracted.trouble)
    if policy.pilot:
        store.comparison.note_needed(policy.pilot.covers)
    deciding = _PlanBuilder(store, policy, extracted, now)
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
    impact, held = _weigh(change, store, policy)
    held += store.plan.hold_scopes(
        policy.limits, policy.allowed, now, sorted(policy.read_options.accepted)
    )
    # After the limits: only now it is known who leaves, since a held removal keeps its number.
    store.plan.defer_numbers()
    # Last, so that a learner who loses their last registration in this run is released in it.
    deciding.absent(Kind.LEARNER)
    # After all else, which it waits for, and after all that expects one line of a test.
    if policy.reads_whole_tests:
        draft_activations(store, extracted, policy.protections, policy.pilot, policy.claimed)
    store.clashes.find(now, extracted.kinds, policy.rooms)
    store.plan.close()
    whole = PlanResult(
        extracted,
        held,
        store.comparison.ignored(),
        now,
        store.comparison.left_out(),
        deciding.used,
        passed_over=deciding.passed_over(),
        configuration=impact,
    )
    return narrow(whole, store, policy.chosen, policy.selection) if policy.chosen else whole


def _ensure_committees(
    extracted: ExtractionResult, store: Store, policy: Policy, now: datetime
) -> None:
    """Want a committee for each test that has none, unless a feed may name one after all.

    Those that were ensured before stay wanted even then: a job that reads only a part of what names
    committees must not remove them (rules 5).
    """
    if policy.ensured:
        doubtful = any(kind in extracted.trouble for kind in policy.naming)
        store.staging.ensure_committees(policy.ensured, policy.naming, now, known_only=doubtful)


def narrow(
    plan: PlanResult, store: Store, chosen: Chosen, selection: Selection | None
) -> PlanResult:
    """Leave in the store only the part of the plan that is chosen, with what it needs.

    Raises:
        UsageError: a part of the selection names nothing.
    """
    if selection:
        check_names(selection, store, plan.extracted.kinds)
    unasked = store.plan.narrow(chosen, selection)
    store.comparison.drop_stays(selection.covers if selection else lambda *_: False)
    tests = replace(selection, kinds=()) if selection else None
    store.clashes.keep(lambda test: tests is not None and tests.covers(Kind.TEST, (test,)))
    return replace(
        plan,
        hidden=[held.digest for held in plan.held_scopes if not store.plan.concerns(held)],
        ignored=0,
        left_out={},
        narrowed=True,
        unasked=unasked,
    )


def _weigh(
    change: ConfigurationChange | None, store: Store, policy: Policy
) -> tuple[ConfigurationImpact | None, list[HeldScope]]:
    """Hold what only a new configuration changes, if that is too much. Needs the draft."""
    if change is None:
        return None, []
    # Before the limits, so that one hash is enough for what has one cause.
    return store.configuration.weigh(change, policy.limits.configuration, policy.allowed)


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
    if plan.narrowed:  # 0 means that everything that was asked for is in Inspera
        left += sum(
            n for (_, _, verdict), n in store.plan.tally().items() if verdict is Verdict.DEFERRED
        )
    return worst(source=bool(plan.extracted.unhealthy), held=held, row_errors=left > 0)


@dataclass(slots=True)
class _PlanBuilder:
    """Decisions kind by kind, and the hashes that were used for them."""

    store: Store
    policy: Policy
    extracted: ExtractionResult
    now: datetime
    used: set[str] = field(default_factory=set)
    decided: set[str] = field(default_factory=set)

    def passed_over(self) -> list[DecidedChange]:
        """Return the decisions about changes that are not planned any more.

        Where not everything was read, a missing change says nothing.
        """
        extracted = self.extracted
        if extracted.unhealthy or extracted.partial:
            return []
        return [
            one
            for one in self.policy.decided
            if one.digest not in self.decided
            and one.kind in self.policy.kinds
            and one.kind not in extracted.trouble
        ]

    def wanted(self, kind: Kind) -> None:
        """Decide about all wanted records of a kind.

        Of a kind that is only read for others, about what these need.
        """
        kinds = self.policy.kinds
        if kind in needed_by(kinds):
            self._decide(self.store.comparison.arrived_or_changed(kind, self.policy.follows))
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
            for one in pairs:
                pair = with_policy(one, self.policy, self.now)
                if pair.feed is not None and (follows := self.policy.follows.get(pair.feed)):
                    pair = replace(pair, follows=follows)
                decision = decide(pair, self.policy.allowed, self.policy.decided)
                if decision.drafted:
                    self.decided.update(filter(None, [decision.drafted.decided]))
                    if decision.row_errors:
                        self.store.staging.add_row_errors(decision.row_errors)
                    # What has ended is retired all the same: that takes nothing away from anybody
                    if not kept or decision.drafted.change.action is Action.RETIRE:
                        self.used.update(filter(None, [decision.drafted.allowed]))
                        yield decision.drafted
                else:
                    _keep(self.store, pair, decision, kept=kept)

        self.store.plan.draft(drafted())


def with_policy(pair: Pair, policy: Policy, now: datetime) -> Pair:
    """Return the pair with what the policy says about its record. `now` is aware."""
    facts = pair.facts
    if facts.absence:
        facts = replace(facts, grace=policy.grace.pending(pair.kind, facts.absence, now))
    if policy.protections and pair.known is not None:
        of = (pair.kind, pair.key, now.date())
        facts = replace(facts, protected=find_protection(policy.protections, *of))
    if policy.pilot and not policy.pilot.covers(pair.kind, pair.key):
        facts = replace(facts, outside=True)
    return pair if facts is pair.facts else replace(pair, facts=facts)


def _keep(store: Store, pair: Pair, decision: Decision, *, kept: bool) -> None:
    store.staging.add_row_errors(decision.row_errors)
    if decision.stays and not kept:
        store.comparison.note_stay(pair.kind, pair.key)
    if decision.settled:
        store.comparison.refresh([(pair.kind, pair.key, pair.fingerprint)])
