"""Checks of settings that depend on each other.

They read the plain values of the file, so that they also run when the model refuses some of them.
All errors can then be reported at once.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from sync.config.contract_checks import check_calls, check_values, find_long_codes
from sync.config.errors import SettingError, Steps
from sync.config.guide import suggest
from sync.config.patterns import fixed_zone
from sync.config.tree import Plain, feeds_in, is_true, value_at
from sync.contract import MAX_IN_FLIGHT
from sync.records.base import Kind
from sync.records.kinds import NEEDS, PEOPLE
from sync.sources import SOURCES

_SHARED_IN_FLIGHT = 8
"""The highest `max_in_flight` that leaves something to the customer's other integrations."""

_NEEDS = {
    Kind.OPTION: ("options name tests", (Kind.TEST,)),
    Kind.COMMITTEE: ("committees name tests", (Kind.TEST,)),
    Kind.CONTRIBUTOR: ("contributors name staff and tests", (Kind.STAFF, Kind.TEST)),
    Kind.CANDIDATE: ("candidates name learners and tests", (Kind.LEARNER, Kind.TEST)),
}
"""The kinds whose keys a kind contains, with the words for the message."""


def find_conflicts(data: Plain, folder: Path) -> Iterator[SettingError]:
    """Yield the errors of settings that don't fit each other. Relative paths start at `folder`."""
    yield from _check_source_names(data)
    yield from _check_joins(data)
    yield from _check_reads_of_changes(data)
    yield from _check_conflict_order(data)
    yield from _check_needed_kinds(data)
    yield from _check_auth_systems(data)
    yield from _check_notify(data)
    yield from _check_clearing(data)
    yield from _check_empty_fields(data)
    yield from check_values(data)
    yield from check_calls(data)
    yield from _check_proxy_login(data)
    yield from _check_jobs(data)
    yield from _check_in_flight(data)
    bundle = value_at(data, ("inspera", "ca_bundle"))
    if isinstance(bundle, str) and not (folder / bundle).is_file():
        yield SettingError(
            ("inspera", "ca_bundle"),
            "does not exist, or is not a file",
            "correct the path, or remove the setting",
        )


def find_unused(data: Plain) -> Iterator[SettingError]:
    """Yield warnings about settings without effect, and about what is probably a mistake."""
    yield from _check_state_password(data)
    yield from _check_fixed_zones(data)
    yield from _check_shared_limit(data)
    yield from find_long_codes(data)
    yield from _check_committees(data)
    used = {source for _, feed in feeds_in(data) if isinstance(source := feed.get("source"), str)}
    used.update(name for _, feed in feeds_in(data) for name in _joined_sources(feed))
    sources = value_at(data, ("sources",))
    for name in sources if isinstance(sources, dict) else ():
        if name not in used:
            yield SettingError(
                ("sources", name),
                "is not read by any feed",
                "add a feed, or remove it",
                on_name=True,
            )


def _check_fixed_zones(data: Plain) -> Iterator[SettingError]:
    """Report zones without summer time: nearly always the zone of a city is meant."""
    for index, feed in feeds_in(data):
        fields = feed.get("map")
        for name, spec in fields.items() if isinstance(fields, dict) else ():
            zone = value_at(spec, ("zone",))
            if isinstance(zone, str) and (place_zone := fixed_zone(zone)):
                reason = f"{zone} has no summer time"
                remedy = f"did you mean {place_zone}? Otherwise times in summer are an hour off"
                yield SettingError(("feeds", index, "map", name, "zone"), reason, remedy)


def _check_jobs(data: Plain) -> Iterator[SettingError]:
    """Report jobs for kinds that have no feed, and `changed` if no feed has `updated_column`."""
    jobs = value_at(data, ("jobs",))
    configured = {kind for _, feed in feeds_in(data) if isinstance(kind := feed.get("kind"), str)}
    changes = any(feed.get("updated_column") for _, feed in feeds_in(data))
    for name, job in jobs.items() if isinstance(jobs, dict) else ():
        kinds = value_at(job, ("kinds",))
        for index, kind in enumerate(kinds if isinstance(kinds, list) else ()):
            if isinstance(kind, str) and kind in set(Kind) - configured:
                remedy = "add a feed of this kind, or remove it"
                yield SettingError(("jobs", name, "kinds", index), "has no feed", remedy)
        yield from _check_watched(data, name, job)
        if is_true(value_at(job, ("changed",))) and not changes:
            reason = "has no effect: no feed has 'updated_column'"
            yield SettingError(
                ("jobs", name, "changed"), reason, "remove it, or set 'updated_column' in a feed"
            )


_PROOFS = ("done_marker", "sha256", "moved_into_place", "listen")
"""The settings of a source by which it tells that a delivery is complete."""


def _check_watched(data: Plain, job_name: str, job: Plain) -> Iterator[SettingError]:
    """Report watched sources that do not exist, or that can't tell when they are complete."""
    sources = value_at(data, ("sources",))
    names = value_at(job, ("watch",))
    for index, name in enumerate(names if isinstance(names, list) else ()):
        where = ("jobs", job_name, "watch", index)
        if not isinstance(sources, dict) or name not in sources:
            known = ", ".join(map(str, sources)) if isinstance(sources, dict) else "none"
            yield SettingError(where, "is not a source", f"the sources are {known}")
        elif not any(value_at(sources[name], (proof,)) for proof in _PROOFS):
            yield SettingError(
                where,
                "is a source that can't tell when a delivery is complete",
                "set its 'done_marker', 'sha256' or 'moved_into_place', or 'listen' for PostgreSQL",
            )


def _check_committees(data: Plain) -> Iterator[SettingError]:
    """Report that no job reads all feeds that can name committees: none ensures or removes one."""
    feeds, jobs = [feed for _, feed in feeds_in(data)], value_at(data, ("jobs",))
    if not isinstance(jobs, dict) or not jobs:
        return
    naming = {
        str(feed.get("kind"))
        for feed in feeds
        if feed.get("kind") == Kind.COMMITTEE or value_at(feed, ("map", "committees")) is not None
    }
    ensured = value_at(data, ("committees", "ensure")) or any(
        value_at(feed, ("committees", "ensure")) for feed in feeds
    )
    if ensured:
        needed = {*naming, str(Kind.TEST)}
        remedy = f"add a job that reads {', '.join(sorted(needed))}"
        yield from _unless_read_by_a_job(jobs, needed, ("committees", "ensure"), remedy)
    elif naming and value_at(data, ("on_absence", "committee")) == "remove":
        removing = {
            name: job
            for name, job in jobs.items()
            if not (kinds := value_at(job, ("kinds",))) or Kind.COMMITTEE in kinds
        }
        setting = ("on_absence", "committee")
        yield from _unless_read_by_a_job(removing, naming, setting, "add a job without 'kinds'")


def _unless_read_by_a_job(
    jobs: Mapping[str, Plain], needed: Collection[str], setting: Steps, remedy: str
) -> Iterator[SettingError]:
    """Report a setting if no job reads all of these kinds."""
    for job in jobs.values():
        kinds = value_at(job, ("kinds",))
        names = [Kind(str(kind)) for kind in kinds] if isinstance(kinds, list) else list(Kind)
        if {*needed} <= {*names, *(one for kind in names for one in NEEDS[kind])}:
            return
    reason = "has no effect in jobs: none of them reads all feeds that can name committees"
    yield SettingError(setting, reason, remedy)


def _check_source_names(data: Plain) -> Iterator[SettingError]:
    sources = value_at(data, ("sources",))
    if not isinstance(sources, dict):
        return
    for index, feed in feeds_in(data):
        name = feed.get("source")
        if isinstance(name, str) and name and name not in sources:
            yield SettingError(
                ("feeds", index, "source"), "is not a source", suggest(name, tuple(sources))
            )


def _joined_sources(feed: dict[str, Plain]) -> tuple[str, ...]:
    """Return the names of the sources that a feed joins."""
    joins = feed.get("join")
    return tuple(joins) if isinstance(joins, dict) else ()


def _check_joins(data: Plain) -> Iterator[SettingError]:
    sources = value_at(data, ("sources",))
    for index, feed in feeds_in(data):
        for name in _joined_sources(feed):
            steps: Steps = ("feeds", index, "join", name)
            if isinstance(sources, dict) and name not in sources:
                yield SettingError(
                    steps, "is not a source", suggest(name, tuple(sources)), on_name=True
                )
            elif isinstance(value_at(feed, ("join", name, "by")), dict) and not any(
                text.startswith(f"{name}.") or f"{{{name}." in text for text in _texts(feed)
            ):
                reason = f"has no effect: no column '{name}.COLUMN' is used"
                yield SettingError(
                    steps, reason, "use one in 'map' or 'where', or remove the join", on_name=True
                )


def _texts(value: Plain) -> Iterator[str]:
    """Yield all names and texts inside this value."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif value is not None:
        yield value


def _check_reads_of_changes(data: Plain) -> Iterator[SettingError]:
    """Check the feeds of which only the changes may be read."""
    for index, feed in feeds_in(data):
        source = value_at(data, ("sources", str(feed.get("source"))))
        type_ = SOURCES.get(str(source.get("type"))) if isinstance(source, dict) else None
        reads_changes = type_ is not None and type_.may_be_delta
        if feed.get("updated_column") is not None:
            reads_changes = True
            if type_ is not None and not type_.supports_changes:
                usable = ", ".join(
                    name for name, settings in SOURCES.items() if settings.supports_changes
                )
                reason = "can't be used with this source: it can't return only the changed rows"
                yield SettingError(
                    ("feeds", index, "updated_column"),
                    reason,
                    f"remove it, or use a source of type {usable}",
                    on_name=True,
                )
        if reads_changes:
            yield from _check_feed_of_changes(index, feed)


def _check_conflict_order(data: Plain) -> Iterator[SettingError]:
    """Check the order of feeds with `on_conflict: skip` or `fill`, and what `fill` needs.

    Feeds are merged from top to bottom, so a feed that yields must come after the others.
    """
    above: dict[str, list[Plain]] = {}
    yielding: set[str] = set()
    for index, feed in feeds_in(data):
        kind = str(feed.get("kind"))
        should_yield = feed.get("on_conflict") in ("skip", "fill")
        if kind in yielding and not should_yield:
            reason = "comes after a feed of the same kind with 'on_conflict: skip' or 'fill'"
            yield SettingError(
                ("feeds", index, "kind"),
                reason,
                "move this feed above that one, or set 'on_conflict' here, too",
            )
        if should_yield:
            yielding.add(kind)
        if feed.get("on_conflict") == "fill":
            steps: Steps = ("feeds", index, "on_conflict")
            if kind == Kind.CONTRIBUTOR:
                yield SettingError(
                    steps,
                    "can't be 'fill': several rows make one contributor",
                    "write 'skip', or remove it",
                )
            if "clear" in above.get(kind, ()):
                reason = (
                    "has no effect: a feed above has 'blank: clear', so its blanks are values, too"
                )
                yield SettingError(steps, reason, "remove one of the two settings")
        above.setdefault(kind, []).append(feed.get("blank"))


def _check_feed_of_changes(index: int, feed: dict[str, Plain]) -> Iterator[SettingError]:
    kind, remedy = (
        feed.get("kind"),
        "remove it, or use a source and a feed that are read completely",
    )
    if _joined_sources(feed) and feed.get("updated_column") is not None:
        reason = "can't be used with 'join': the joined row can change although this row does not"
        yield SettingError(
            ("feeds", index, "updated_column"), reason, "remove one of the two", on_name=True
        )
    # A changed row alone does not show the other rows of the same contributor. And a pin can't be
    # stored until the test exists, so a changed option that has to wait would be lost.
    if kind in (Kind.CONTRIBUTOR, Kind.OPTION) and feed.get("updated_column") is not None:
        reason = (
            "several rows make one contributor"
            if kind == Kind.CONTRIBUTOR
            else "pins are never stored"
        )
        yield SettingError(
            ("feeds", index, "updated_column"),
            f"can't be used here: {reason}",
            remedy,
            on_name=True,
        )
    if value_at(feed, ("map", "password")) is not None:
        reason = (
            "can't be mapped where only changes are read: "
            "a first password is never stored, so it may get lost"
        )
        yield SettingError(("feeds", index, "map", "password"), reason, remedy, on_name=True)


def _check_needed_kinds(data: Plain) -> Iterator[SettingError]:
    """Check that the kinds that a feed names by key have feeds.

    Without them, all records of the feed would be deferred forever.
    """
    kinds = {index: feed.get("kind") for index, feed in feeds_in(data)}
    for index, kind in kinds.items():
        names, needed = next((_NEEDS[known] for known in _NEEDS if known == kind), ("", ()))
        missing = [other.value for other in needed if other not in kinds.values()]
        if missing:
            reason = f"{names} by key, but no feed has kind {' or '.join(missing)}"
            yield SettingError(
                ("feeds", index, "kind"),
                reason,
                f"add a feed of kind {' and a feed of kind '.join(missing)}",
            )


def _check_auth_systems(data: Plain) -> Iterator[SettingError]:
    for index, feed in feeds_in(data):
        if feed.get("kind") not in PEOPLE:
            continue
        yield from _check_given_twice(index, feed, "auth_system")
        if value_at(feed, ("map", "auth_system")) is None and feed.get("auth_system") is None:
            remedy = (
                "add 'auth_system: FEIDE' (or what the tenant uses) to the feed, "
                "or map it from a column"
            )
            yield SettingError(("feeds", index, "auth_system"), "is needed", remedy)


def _check_notify(data: Plain) -> Iterator[SettingError]:
    for index, feed in feeds_in(data):
        if feed.get("kind") == Kind.CONTRIBUTOR:
            yield from _check_given_twice(index, feed, "notify")


def _check_given_twice(index: int, feed: dict[str, Plain], name: str) -> Iterator[SettingError]:
    """Report a field that is set for the whole feed and also in `map`."""
    if feed.get(name) is not None and value_at(feed, ("map", name)) is not None:
        reason = f"is set here and in 'map.{name}'"
        yield SettingError(("feeds", index, name), reason, "keep one of them", on_name=True)


def _check_clearing(data: Plain) -> Iterator[SettingError]:
    """Refuse `blank: clear` for kinds whose values Inspera has no call to clear."""
    for index, feed in feeds_in(data):
        kind = feed.get("kind")
        if kind in (Kind.OPTION, Kind.COMMITTEE) and feed.get("blank") == "clear":
            reason = f"is 'clear', but {kind}s have nothing that can be cleared"
            yield SettingError(("feeds", index, "blank"), reason, "remove the setting")


def _check_empty_fields(data: Plain) -> Iterator[SettingError]:
    """Report fields without a value.

    If they counted as not mapped, they would silently never be sent.
    """
    for index, feed in feeds_in(data):
        fields = feed.get("map")
        for name, spec in fields.items() if isinstance(fields, dict) else ():
            if spec is None:
                yield SettingError(
                    ("feeds", index, "map", name),
                    "is empty",
                    "give it a column, or remove the line",
                )


def _check_proxy_login(data: Plain) -> Iterator[SettingError]:
    for name, needed in (("proxy_user", "proxy"), ("proxy_password", "proxy_user")):
        value, other = value_at(data, ("inspera", name)), value_at(data, ("inspera", needed))
        if value is not None and other is None:
            yield SettingError(
                ("inspera", name),
                f"has no effect without '{needed}'",
                f"add '{needed}', or remove it",
            )


def _in_flight(data: Plain) -> int | None:
    """Return `max_in_flight` if it is a number, and the customer has no higher limit."""
    if is_true(value_at(data, ("inspera", "i_have_more"))):
        return None
    try:
        return int(str(value_at(data, ("inspera", "max_in_flight"))))
    except ValueError:
        return None


def _check_in_flight(data: Plain) -> Iterator[SettingError]:
    """Refuse more calls at the same time than Inspera allows (vendor contract, Conventions)."""
    if (_in_flight(data) or 0) > MAX_IN_FLIGHT:
        reason = f"is above {MAX_IN_FLIGHT}, the limit of Inspera for all integrations together"
        remedy = "lower it, or add 'i_have_more: true' if Inspera has agreed to more"
        yield SettingError(("inspera", "max_in_flight"), reason, remedy)


def _check_shared_limit(data: Plain) -> Iterator[SettingError]:
    if _SHARED_IN_FLIGHT < (_in_flight(data) or 0) <= MAX_IN_FLIGHT:
        reason = (
            f"leaves little of Inspera's {MAX_IN_FLIGHT} calls at the same time to your other "
            "integrations, which share them"
        )
        remedy = f"set it to {_SHARED_IN_FLIGHT} or less; the default is 4"
        yield SettingError(("inspera", "max_in_flight"), reason, remedy)


def _check_state_password(data: Plain) -> Iterator[SettingError]:
    state = value_at(data, ("state",))
    if value_at(data, ("state_password",)) is not None and not str(state).startswith("postgres"):
        yield SettingError(
            ("state_password",),
            "has no effect for a state in a file",
            "remove it, or set 'state' to a postgresql:// URL",
        )
