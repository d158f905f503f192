"""Joins the rooms: what the configuration says becomes feeds, a policy, a store and a connection to Inspera."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from sync.config import Feed as FeedSettings
from sync.config import Loaded, TestFeed, load
from sync.config.feeds import ConditionSettings as Condition
from sync.config.limits import LimitsSettings
from sync.contract import OptionRule
from sync.engine.changes_on_test import MembershipPolicy
from sync.engine.extract.extract import EVERYTHING, ReadOptions
from sync.engine.plan import Policy, needed_by
from sync.engine.protocols import BoundSource, CompletenessRules, Feed, Join
from sync.errors import SourceError, UsageError
from sync.mapping import FeedRule, FieldRule, Meant, Words, compile_feed
from sync.planning.freeze import TimeRules
from sync.planning.guard import Limit, Limits
from sync.records.base import Kind
from sync.schedule import Schedule
from sync.sources.base import SourceSettings
from sync.sources.completeness import TableCompleteness

if TYPE_CHECKING:
    from sync.inspera.connection import Connection
    from sync.state.tenant import TenantIdentity
    from sync.state.tenant_state import TenantState

SNAPSHOTS = "2"
"""Raised when the same rules make other records, so that no snapshot of old ones is laid under new changes."""

Say = Callable[[str], None]
"""Where a command's lines go."""

Observe = Callable[[str, str, float], None]
"""Told of each call to Inspera: its name, its status or what went wrong, and how many seconds it took."""


def _limits(given: LimitsSettings) -> Limits:
    kind = Limit(
        given.kind.at_least, given.kind.percent, given.kind.at_most, given.kind.at_most_percent
    )
    return Limits(
        kind,
        *(Limit(one.at_least, one.percent, one.at_most) for one in (given.test, given.updates)),
    )


def now() -> datetime:
    """The time by this machine's clock: the one place that asks it for decisions."""
    return datetime.now(UTC)


def _meant(conditions: Mapping[str, Condition]) -> dict[str, Meant]:
    """Conditions by column as the mapping takes them: plain values, which are faster, or more."""
    return {
        column: one.plain or Words(one.any_of or (), one.pattern, one.ignore_case)
        for column, one in conditions.items()
    }


@dataclass(frozen=True)
class App:
    """One configuration, ready to be used by a command."""

    loaded: Loaded

    @classmethod
    def open(cls, config: Path, warn: Say) -> "App":
        """Reads the configuration; what is unwise in it goes to `warn`.

        Raises:
            ConfigurationFaults: it can't be used.
        """
        loaded = load(config)
        for warning in loaded.warnings:
            warn(f"warning: {warning}")
        return cls(loaded)

    @cached_property
    def feeds(self) -> list[Feed]:
        """Every feed with its source.

        Raises:
            UsageError: a feed's rules can't be followed.
        """
        return [self._feed(feed) for feed in self.loaded.settings.feeds]

    def feeds_of(self, kinds: Collection[Kind]) -> list[Feed]:
        """The feeds of these kinds, and of those that their records need."""
        needed = needed_by(kinds)
        return [feed for feed in self.feeds if feed.kind in needed]

    def how(self, accepted: Collection[str] = (), *, changed: bool = False) -> ReadOptions:
        """How sources are read in this run.

        Raises:
            UsageError: a source that is to be accepted as it is has no such name.
        """
        sources = self.loaded.settings.sources
        for name in accepted:
            if name not in sources:
                known = ", ".join(sources)
                raise UsageError(
                    f"--accept-shrink {name}: there is no such source; the sources are {known}"
                )
        if changed and not any(feed.updated_column for feed in self.feeds):
            raise UsageError(
                "--changed: no feed says 'updated_column', so none can be read for changes only"
            )
        return ReadOptions(changed, frozenset(accepted))

    def prepare(self) -> None:
        """Makes every feed ready, so that a rule which can't be followed is said before the state is touched.

        Raises:
            UsageError: a feed's rules can't be followed.
        """
        self.feeds.copy()

    def _feed(self, feed: FeedSettings) -> Feed:
        source = self.loaded.settings.sources[feed.source]
        fields = {name: FieldRule(**spec.as_rule()) for name, spec in feed.fields().items()}
        departure = _meant(feed.departure) or dict(source.departures)
        fills = any(
            one.kind == feed.kind and one.on_conflict == "fill"
            for one in self.loaded.settings.feeds
        )
        rule = FeedRule(
            Kind(feed.kind),
            fields,
            _meant(feed.where),
            feed.clear_blanks,
            self.options,
            departure,
            feed.allow_text,
            _meant(feed.where_not),
            needs_names=not fills,
        )
        joins = [
            Join(self._door(name), dict(join.by), join.ignore_case, join.missing)
            for name, join in feed.join.items()
        ]
        return Feed(
            rule.kind,
            self._door(feed.source),
            compile_feed(rule, source.place(self.loaded.folder)),
            allow_empty=feed.allow_empty,
            names_committees=rule.kind is Kind.COMMITTEE or "committees" in fields,
            joins=joins,
            on_conflict=feed.on_conflict,
            updated_column=feed.updated_column or "",
            keeps_snapshot=source.gives_deltas and rule.kind is not Kind.CONTRIBUTOR and not joins,
            digest=self._digest(feed),
        )

    def _door(self, name: str) -> BoundSource:
        source, folder = self.loaded.settings.sources[name], self.loaded.folder
        whole = source.completeness
        return BoundSource(
            name,
            source.place(folder),
            lambda since: source.open_since(folder, since) if since else source.open(folder),
            source.unit,
            CompletenessRules(
                (whole.shrink.at_least, whole.shrink.percent),
                whole.minimum_rows or 0,
                whole.canary or {},
                whole.group or "",
                whole.tail if isinstance(whole, TableCompleteness) else 0,
            ),
        )

    def _digest(self, feed: FeedSettings) -> str:
        """By which a feed's snapshot is known: another source or other rules make another one."""
        about = {"allow_empty", "longest_duration"}
        sources = [self.loaded.settings.sources[name] for name in (feed.source, *feed.join)]
        said = [SNAPSHOTS, feed.model_dump_json(exclude=about), *map(self._question, sources)]
        return blake2b("\0".join(said).encode(), digest_size=16).hexdigest()

    def _question(self, source: SourceSettings) -> str:
        try:
            return source.question(self.loaded.folder)
        except SourceError as error:  # it is said once the source is opened
            return str(error)

    def time_rules(self, kinds: Collection[Kind]) -> Sequence[TimeRules]:
        """Return what the feeds of these kinds, and of those that their records need, say about the times of tests."""
        needed = needed_by(kinds)
        before = self.loaded.settings.freeze.before
        return [
            TimeRules(before, int(feed.longest_duration.total_seconds()) // 60)
            if isinstance(feed, TestFeed)
            else TimeRules(before)
            for feed in self.loaded.settings.feeds
            if feed.kind in needed
        ]

    @property
    def schedules(self) -> Mapping[str, tuple[Schedule, str, timedelta]]:
        """When each job runs, by whose clock, and up to how much later."""
        jobs = self.loaded.settings.jobs
        return {name: (job.schedule, job.zone or "", job.jitter) for name, job in jobs.items()}

    @property
    def options(self) -> Mapping[str, OptionRule]:
        """The options that this tenant has: those of the contract, and those that the configuration declares."""
        return self.loaded.settings.inspera.options_in_force()

    @property
    def locked_options(self) -> frozenset[str]:
        """The options that can't be changed once their test has begun (vendor contract, Test API: settings)."""
        return frozenset(name for name, rule in self.options.items() if rule.group == "security")

    @cached_property
    def state(self) -> "TenantState":
        """The state, for this tenant alone. A password is read when it is needed.

        Raises:
            UsageError: what its database needs is not installed.
        """
        from sync.state.open import place_of
        from sync.state.tenant_state import TenantState

        return TenantState(place_of(self.loaded.state_url, self.loaded.state_password), self.tenant)

    @cached_property
    def tenant(self) -> "TenantIdentity":
        """The tenant that the configuration names."""
        from sync.state.tenant import TenantIdentity

        inspera = self.loaded.settings.inspera
        return TenantIdentity.of(inspera.url, inspera.client_id)

    def policy(
        self,
        allowed: tuple[str, ...] = (),
        how: ReadOptions = EVERYTHING,
        kinds: Collection[Kind] = frozenset(),
    ) -> Policy:
        """What the configuration says about deciding, and how its sources are read in this run.

        `kinds` are those that the run keeps in step; none for all.
        """
        kinds = frozenset(kinds or Kind)
        settings = self.loaded.settings
        absence = settings.on_absence
        return Policy(
            _limits(settings.limits),
            {kind: getattr(absence, kind) for kind in Kind if kind is not Kind.OPTION},
            allowed,
            how,
            kinds,
            {feed.kind for feed in self.feeds} - needed_by(kinds),
        )

    def seat_policy(self) -> MembershipPolicy:
        """What the configuration says about seats that were there before us."""
        settings = self.loaded.settings
        delay = settings.inspera.read_after_write_delay
        unread_is_ours, batch = settings.existing.unread == "ours", settings.inspera.batch_size
        return MembershipPolicy(settings.existing.claim, unread_is_ours, delay, self.options, batch)

    def connection(self, observe: Observe | None = None) -> "Connection":
        """How Inspera is reached; the key is read when a token is fetched. `observe` is told of each call."""
        from sync.inspera.connection import Connection

        inspera, folder = self.loaded.settings.inspera, self.loaded.folder
        return Connection(
            inspera.url,
            inspera.client_id,
            lambda: inspera.api_key.reveal(folder),
            calls_per_second=inspera.calls_per_second,
            workers=inspera.workers,
            batch_size=inspera.batch_size,
            connect_timeout=inspera.connect_timeout.total_seconds(),
            read_timeout=inspera.read_timeout.total_seconds(),
            attempts=inspera.attempts,
            retry_after_ceiling=inspera.retry_after_ceiling.total_seconds(),
            read_after_write_delay=inspera.read_after_write_delay.total_seconds(),
            calls=inspera.calls_in_force(),
            proxy=inspera.proxy_address(folder),
            ca_bundle=str(folder / inspera.ca_bundle) if inspera.ca_bundle else None,
            observe=observe,
        )
