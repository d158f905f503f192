"""The composition root: makes feeds, a policy and a connection from the configuration."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sync.config import Configuration, TestFeed, load
from sync.config import Feed as FeedSettings
from sync.config.feeds import ConditionSettings as Condition
from sync.contract import OptionRule
from sync.engine.changes_on_test import MembershipPolicy
from sync.engine.context import RunSettings
from sync.engine.extract.extract import EVERYTHING, ReadOptions
from sync.engine.plan import Policy, needed_by
from sync.engine.protocols import BoundSource, CompletenessRules, Feed, Join
from sync.errors import SourceError, UsageError
from sync.mapping import FeedRule, FieldRule, Meant, Words, compile_feed
from sync.planning.freeze import TimeRules
from sync.planning.selection import PilotGroup, Selection
from sync.records.base import Kind
from sync.records.kinds import RECORD_TYPES
from sync.report.local_time import common_zone
from sync.schedule import Schedule
from sync.sources.base import SourceSettings

if TYPE_CHECKING:
    from sync.inspera.connection import CallObserver, Connection
    from sync.state.tenant import TenantIdentity
    from sync.state.tenant_state import TenantState

SNAPSHOTS = "2"
"""The version of snapshots.

Increase it when the same rules make other records.
"""

Say = Callable[[str], None]
"""Where a command's lines go."""


def now() -> datetime:
    """Return the time by this machine's clock: the one place that asks it for decisions."""
    return datetime.now(UTC)


def _meant(conditions: Mapping[str, Condition]) -> dict[str, Meant]:
    """Return conditions by column for the mapping: plain values, which are faster, or `Words`."""
    return {
        column: one.plain or Words(one.any_of or (), one.pattern, one.ignore_case)
        for column, one in conditions.items()
    }


def _time_rules(feed: TestFeed, usual: TimeRules) -> TimeRules:
    """Return the time rules of a feed of tests, which has the usual freeze unless it sets one."""
    before, after = feed.freeze.before, feed.freeze.after
    return TimeRules(
        before=usual.before if before is None else before,
        after=usual.after if after is None else after,
        longest=int(feed.longest_duration.total_seconds()) // 60,
        activate=feed.activate.before if feed.activate else None,
        plausible=feed.plausible.as_times(feed.zone),
    )


@dataclass(frozen=True)
class App:
    """One configuration, ready to be used by a command."""

    loaded: Configuration

    @classmethod
    def open(cls, config: Path, warn: Say) -> "App":
        """Read the configuration; warnings go to `warn`.

        Raises:
            ConfigurationErrors: it can't be used.
        """
        loaded = load(config)
        for warning in loaded.warnings:
            warn(f"warning: {warning}")
        app = cls(loaded)
        for expired in app.expired_protections(now().date()):
            warn(f"warning: {expired}")
        return app

    @cached_property
    def feeds(self) -> list[Feed]:
        """Return every feed with its source.

        Raises:
            UsageError: a feed's rules can't be followed.
        """
        return [self._feed(feed) for feed in self.loaded.settings.feeds]

    def feeds_of(self, kinds: Collection[Kind]) -> list[Feed]:
        """Return the feeds of these kinds, and of those that their records need."""
        needed = needed_by(kinds)
        return [feed for feed in self.feeds if feed.kind in needed]

    def read_options(self, accepted: Collection[str] = (), *, changed: bool = False) -> ReadOptions:
        """Return how sources are read in this run.

        Raises:
            UsageError: a source that is to be accepted as it is has no such name.
        """
        sources = self.loaded.settings.sources
        for name in accepted:
            if name not in sources:
                known = ", ".join(sources)
                raise UsageError(f"--accept-shrink {name}: unknown source; the sources are {known}")
        if changed and not any(feed.updated_column for feed in self.feeds):
            raise UsageError(
                "--changed: no feed has an 'updated_column', so none can be read for changes only"
            )
        return ReadOptions(changed, frozenset(accepted))

    def prepare(self) -> None:
        """Compile every feed, so that invalid rules are reported before the state is opened.

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
            staff_body=self.loaded.settings.inspera.staff_body,
        )
        joins = [
            Join(self._bound_source(name), dict(join.by), join.ignore_case, join.missing)
            for name, join in feed.join.items()
        ]
        return Feed(
            rule.kind,
            self._bound_source(feed.source),
            compile_feed(rule, source.place(self.loaded.folder)),
            allow_empty=feed.allow_empty,
            names_committees=rule.kind is Kind.COMMITTEE or "committees" in fields,
            joins=joins,
            on_conflict=feed.on_conflict,
            updated_column=feed.updated_column or "",
            keeps_snapshot=source.may_be_delta and rule.kind is not Kind.CONTRIBUTOR and not joins,
            digest=self._digest(feed),
        )

    def _bound_source(self, name: str) -> BoundSource:
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
                whole.watched_tail,
            ),
        )

    def _digest(self, feed: FeedSettings) -> str:
        """Return the digest of a feed and its sources, which names its snapshot.

        Another source or other rules give another digest.
        """
        about = {"committees", "allow_empty", "longest_duration", "freeze", "plausible", "only"}
        sources = [self.loaded.settings.sources[name] for name in (feed.source, *feed.join)]
        said = [SNAPSHOTS, feed.model_dump_json(exclude=about), *map(self._query_text, sources)]
        if feed.kind == Kind.STAFF:  # rows with two organisations are valid in one form only
            said.append(self.loaded.settings.inspera.staff_body)
        return blake2b("\0".join(said).encode(), digest_size=16).hexdigest()

    def _query_text(self, source: SourceSettings) -> str:
        try:
            return source.selection_text(self.loaded.folder)
        except SourceError as error:  # it is said once the source is opened
            return str(error)

    def time_rules(self, kinds: Collection[Kind]) -> Mapping[int | None, TimeRules]:
        """Return the time rules by the number of the feed, and the usual ones under None.

        The feeds are those of these kinds and of those that they need.
        """
        freeze = self.loaded.settings.freeze
        usual = TimeRules(before=freeze.before, after=freeze.after)
        needed = needed_by(kinds)
        feeds = [feed for feed in self.loaded.settings.feeds if feed.kind in needed]
        rules: dict[int | None, TimeRules] = {None: usual}
        for number, feed in enumerate(feeds):
            if isinstance(feed, TestFeed):
                rules[number] = _time_rules(feed, usual)
        return rules

    @property
    def test_zone(self) -> ZoneInfo | None:
        """Return the zone in which people read the times of tests; None unless all feeds agree."""
        feeds = self.loaded.settings.feeds
        return common_zone({feed.zone for feed in feeds if isinstance(feed, TestFeed)})

    @property
    def schedules(self) -> Mapping[str, tuple[Schedule, str, timedelta]]:
        """Return when each job runs, in which time zone, and up to how much later."""
        jobs = self.loaded.settings.jobs
        return {name: (job.schedule, job.zone or "", job.jitter) for name, job in jobs.items()}

    @property
    def options(self) -> Mapping[str, OptionRule]:
        """Return the options of this tenant: those of the contract and of the configuration."""
        return self.loaded.settings.inspera.options_in_force()

    @cached_property
    def state(self) -> "TenantState":
        """Return the state of this tenant.

        A password is read when it is needed.

        Raises:
            UsageError: what its database needs is not installed.
        """
        from sync.state.open import backend_for
        from sync.state.tenant_state import TenantState

        return TenantState(
            backend_for(self.loaded.state_url, self.loaded.state_password), self.tenant
        )

    @cached_property
    def tenant(self) -> "TenantIdentity":
        """Return the tenant that the configuration names."""
        from sync.state.tenant import TenantIdentity

        inspera = self.loaded.settings.inspera
        return TenantIdentity.of(inspera.url, inspera.client_id)

    def policy(
        self,
        allowed: tuple[str, ...] = (),
        read_options: ReadOptions = EVERYTHING,
        kinds: Collection[Kind] = frozenset(),
        selection: Selection | None = None,
    ) -> Policy:
        """Return what the configuration says about deciding, and how sources are read in this run.

        Args:
            allowed: the hashes that a person gave.
            read_options: how sources are read.
            kinds: those that the run keeps in step; none for all.
            selection: the part of the plan that is asked for; None for all.
        """
        kinds = frozenset(kinds or Kind)
        settings, ensured = self.loaded.settings, self._ensured_committees(kinds)
        naming = {feed.kind for feed in self.feeds if feed.names_committees}
        if ensured and naming <= needed_by(kinds):
            kinds |= {Kind.COMMITTEE}
        absence = settings.on_absence
        return Policy(
            settings.limits.as_limits(),
            {kind: getattr(absence, kind) for kind in Kind if kind is not Kind.OPTION},
            allowed,
            read_options,
            kinds,
            {feed.kind for feed in self.feeds} - needed_by(kinds),
            rooms=settings.rooms,
            chosen=selection.chooses if selection else None,
            selection=selection,
            grace=settings.grace.as_rules(),
            protections=[entry.as_protection() for entry in settings.protect],
            pilot=self.pilot_group(),
            claimed=settings.existing.claim,
            follows=self._followed_fields(kinds),
            ensured=ensured,
            naming=naming,
        )

    def _ensured_committees(self, kinds: Collection[Kind]) -> Mapping[int, str]:
        """Return the committee that tests without one get, by the number of the test feed."""
        read = needed_by(kinds)
        settings = self.loaded.settings
        found: dict[int, str] = {}
        for number, feed in enumerate(one for one in settings.feeds if one.kind in read):
            if isinstance(feed, TestFeed):
                committees = feed.committees or settings.committees
                if committees.ensure:
                    found[number] = committees.ensure
        return found

    def _followed_fields(self, kinds: Collection[Kind]) -> Mapping[int, frozenset[str]]:
        """Return the fields that are taken away where a blank follows a value of ours (rules 12).

        They are given by the number of the feed whose row is blank: a feed that does not map a
        field says nothing about it. A feed with `on_conflict: fill` fills the rows of the others,
        so its fields count for these too. A feed with `blank: keep` keeps what it maps.
        """
        needed = needed_by(kinds)
        feeds = [feed for feed in self.loaded.settings.feeds if feed.kind in needed]
        followed = {}
        for number, feed in enumerate(feeds):
            fills = [one for one in feeds if one.kind == feed.kind and one.on_conflict == "fill"]
            mapping = [feed, *fills]
            kept = {name for one in mapping if one.blank == "keep" for name in one.fields()}
            mapped = {name for one in mapping for name in one.fields()}
            followed[number] = frozenset(RECORD_TYPES[Kind(feed.kind)].removed) & mapped - kept
        return followed

    def pilot_group(self) -> PilotGroup:
        """Return the records that are kept in step; the feeds of a kind are taken together."""
        settings = self.loaded.settings
        of_kind: dict[Kind, list[Selection]] = {}
        for feed in settings.feeds:
            for entry in feed.only:
                of_kind.setdefault(feed.kind, []).append(entry.as_selection())
        return PilotGroup([entry.as_selection() for entry in settings.only], of_kind)

    def expired_protections(self, today: date) -> Iterator[str]:
        """Yield a warning for each entry of `protect` that protects nothing any more."""
        for number, entry in enumerate(self.loaded.settings.protect, 1):
            one = entry.as_protection()
            if one.has_expired(today):
                yield (
                    f"protect: entry {number} has expired ({one.until}) and protects nothing "
                    f"({one.why}); remove it, or set a later 'until'"
                )

    def membership_policy(self) -> MembershipPolicy:
        """Return what the configuration says about members that were on a test before us."""
        settings = self.loaded.settings
        delay = settings.inspera.read_after_write_delay
        unread_is_managed, batch = (
            settings.existing.unread == "managed",
            settings.inspera.batch_size,
        )
        return MembershipPolicy(
            settings.existing.claim, unread_is_managed, delay, self.options, batch
        )

    def run_settings(self, policy: Policy, *, check_clock: bool = False) -> RunSettings:
        """Return what the configuration says about a run with this policy."""
        settings = self.loaded.settings
        return RunSettings(
            feeds=self.feeds_of(policy.kinds),
            all_feeds=self.feeds,
            source_names=settings.sources,
            policy=policy,
            membership=self.membership_policy(),
            workers=settings.inspera.workers,
            look_up_learners=settings.existing.look_up_learners,
            export_above=settings.existing.export_above,
            verify=settings.verify,
            call_timeout=settings.inspera.call_timeout,
            check_clock=check_clock,
        )

    def connection(self, observer: "CallObserver | None" = None) -> "Connection":
        """Return how Inspera is reached.

        The key is read when a token is fetched; `observer` is notified of each call.
        """
        from sync.inspera.connection import Connection

        inspera, folder = self.loaded.settings.inspera, self.loaded.folder
        return Connection(
            inspera.url,
            inspera.client_id,
            lambda: inspera.api_key.reveal(folder),
            calls_per_second=inspera.calls_per_second,
            max_in_flight=inspera.max_in_flight,
            workers=inspera.workers,
            external_system=inspera.external_system,
            batch_size=inspera.batch_size,
            connect_timeout=inspera.connect_timeout.total_seconds(),
            read_timeout=inspera.read_timeout.total_seconds(),
            attempts=inspera.attempts,
            retry_after_ceiling=inspera.retry_after_ceiling.total_seconds(),
            read_after_write_delay=inspera.read_after_write_delay.total_seconds(),
            staff_body=inspera.staff_body,
            statuses=inspera.statuses_in_force(),
            calls=inspera.calls_in_force(),
            proxy=inspera.proxy_address(folder),
            ca_bundle=str(folder / inspera.ca_bundle) if inspera.ca_bundle else None,
            observer=observer,
        )
