"""Checks between settings.

They read the plain values, so that they speak even when the model refuses some of them.
"""

from collections.abc import Iterator
from pathlib import Path

from sync.config.contract_checks import calls_changed, words_fixed
from sync.config.errors import SettingError, Steps
from sync.config.guide import suggestion
from sync.config.patterns import fixed_zone
from sync.config.tree import Plain, feeds_in, value_at
from sync.records.base import Kind
from sync.records.kinds import PEOPLE
from sync.sources import SOURCES

_NEEDS = {
    Kind.OPTION: ("options name tests", (Kind.TEST,)),
    Kind.COMMITTEE: ("committees name tests", (Kind.TEST,)),
    Kind.CONTRIBUTOR: ("contributors name staff and tests", (Kind.STAFF, Kind.TEST)),
    Kind.CANDIDATE: ("candidates name learners and tests", (Kind.LEARNER, Kind.TEST)),
}
"""The kinds that a kind names by key."""


def crossed(data: Plain, folder: Path) -> Iterator[SettingError]:
    """Yield what is wrong between settings; relative paths are taken from `folder`."""
    yield from _sources_named(data)
    yield from _joins(data)
    yield from _changes(data)
    yield from _fillings(data)
    yield from _alone(data)
    yield from _auth_systems(data)
    yield from _notices(data)
    yield from _blanks(data)
    yield from _unfinished(data)
    yield from words_fixed(data)
    yield from calls_changed(data)
    yield from _proxy_user(data)
    yield from _jobs(data)
    bundle = value_at(data, ("inspera", "ca_bundle"))
    if isinstance(bundle, str) and not (folder / bundle).is_file():
        yield SettingError(
            ("inspera", "ca_bundle"),
            "is missing, or is not a file",
            "correct the path, or take the line out",
        )


def unused(data: Plain) -> Iterator[SettingError]:
    """Yield sources that no feed reads, and a password that nothing asks for.

    Harmless, and perhaps a slip.
    """
    yield from _state_password(data)
    yield from _fixed_zones(data)
    used = {source for _, feed in feeds_in(data) if isinstance(source := feed.get("source"), str)}
    used.update(name for _, feed in feeds_in(data) for name in _joined(feed))
    sources = value_at(data, ("sources",))
    for name in sources if isinstance(sources, dict) else ():
        if name not in used:
            yield SettingError(
                ("sources", name), "is read by no feed", "add a feed, or take it out", on_name=True
            )


def _fixed_zones(data: Plain) -> Iterator[SettingError]:
    """Report zones without summer time: nearly always a place's zone is meant."""
    for index, feed in feeds_in(data):
        fields = feed.get("map")
        for name, spec in fields.items() if isinstance(fields, dict) else ():
            zone = value_at(spec, ("zone",))
            if isinstance(zone, str) and (meant := fixed_zone(zone)):
                reason = f"{zone} has no summer time"
                remedy = f"did you mean {meant}? Times in summer are an hour off otherwise"
                yield SettingError(("feeds", index, "map", name, "zone"), reason, remedy)


def _jobs(data: Plain) -> Iterator[SettingError]:
    """Report jobs for kinds that have no feed, and for changes that no feed can show."""
    jobs = value_at(data, ("jobs",))
    there = {kind for _, feed in feeds_in(data) if isinstance(kind := feed.get("kind"), str)}
    changes = any(feed.get("updated_column") for _, feed in feeds_in(data))
    for name, job in jobs.items() if isinstance(jobs, dict) else ():
        kinds = value_at(job, ("kinds",))
        for index, kind in enumerate(kinds if isinstance(kinds, list) else ()):
            if isinstance(kind, str) and kind in set(Kind) - there:
                remedy = "add a feed of this kind, or take it out"
                yield SettingError(("jobs", name, "kinds", index), "has no feed", remedy)
        if str(value_at(job, ("changed",))).lower() in ("true", "yes", "on", "1") and not changes:
            reason = "no feed says 'updated_column', so none can be read for changes only"
            yield SettingError(
                ("jobs", name, "changed"), reason, "take it out, or give a feed that setting"
            )


def _sources_named(data: Plain) -> Iterator[SettingError]:
    sources = value_at(data, ("sources",))
    if not isinstance(sources, dict):
        return
    for index, feed in feeds_in(data):
        name = feed.get("source")
        if isinstance(name, str) and name and name not in sources:
            yield SettingError(
                ("feeds", index, "source"), "names no source", suggestion(name, tuple(sources))
            )


def _joined(feed: dict[str, Plain]) -> tuple[str, ...]:
    """Return the names of the sources that a feed joins."""
    joins = feed.get("join")
    return tuple(joins) if isinstance(joins, dict) else ()


def _joins(data: Plain) -> Iterator[SettingError]:
    sources = value_at(data, ("sources",))
    for index, feed in feeds_in(data):
        for name in _joined(feed):
            steps: Steps = ("feeds", index, "join", name)
            if isinstance(sources, dict) and name not in sources:
                yield SettingError(
                    steps, "names no source", suggestion(name, tuple(sources)), on_name=True
                )
            elif isinstance(value_at(feed, ("join", name, "by")), dict) and not any(
                text.startswith(f"{name}.") or f"{{{name}." in text for text in _texts(feed)
            ):
                reason = f"gives nothing: no column of the form '{name}.COLUMN' is used"
                yield SettingError(
                    steps, reason, "use one in 'map' or 'where', or take the join out", on_name=True
                )


def _texts(value: Plain) -> Iterator[str]:
    """Yield all names and texts that stand below this place."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif value is not None:
        yield value


def _changes(data: Plain) -> Iterator[SettingError]:
    """Check the feeds that are read for changes only.

    Each of their rows must be whole, and be able to wait without its secrets.
    """
    for index, feed in feeds_in(data):
        source = value_at(data, ("sources", str(feed.get("source"))))
        type_ = SOURCES.get(str(source.get("type"))) if isinstance(source, dict) else None
        told = type_ is not None and type_.may_be_delta
        if feed.get("updated_column") is not None:
            told = True
            if type_ is not None and not type_.supports_changes:
                able = ", ".join(name for name, one in SOURCES.items() if one.supports_changes)
                reason = "can't be used with this source: it can't be asked for what changed"
                yield SettingError(
                    ("feeds", index, "updated_column"),
                    reason,
                    f"only these can: {able}",
                    on_name=True,
                )
        if told:
            yield from _not_by_changes(index, feed)


def _fillings(data: Plain) -> Iterator[SettingError]:
    """Check a feed that fills what another lacks."""
    above: dict[str, list[Plain]] = {}
    giving: set[str] = set()
    for index, feed in feeds_in(data):
        kind = str(feed.get("kind"))
        should_yield = feed.get("on_conflict") in ("skip", "fill")
        if kind in giving and not should_yield:
            reason = "stands below a feed of the same kind that yields to those above it"
            yield SettingError(
                ("feeds", index, "kind"),
                reason,
                "put this feed above that one, or let it yield, too",
            )
        if should_yield:
            giving.add(kind)
        if feed.get("on_conflict") == "fill":
            steps: Steps = ("feeds", index, "on_conflict")
            if kind == Kind.CONTRIBUTOR:
                yield SettingError(
                    steps,
                    "can't be 'fill': several rows make one contributor",
                    "write 'yield', or take it out",
                )
            if "clear" in above.get(kind, ()):
                reason = (
                    "leaves nothing to fill: a feed above says 'blank: clear', "
                    "so its blanks are values"
                )
                yield SettingError(steps, reason, "take one of the two out")
        above.setdefault(kind, []).append(feed.get("blank"))


def _not_by_changes(index: int, feed: dict[str, Plain]) -> Iterator[SettingError]:
    kind, remedy = feed.get("kind"), "give it a source or a feed that is read whole"
    if _joined(feed) and feed.get("updated_column") is not None:
        reason = "can't be used with 'join': what is joined can change although the row does not"
        yield SettingError(
            ("feeds", index, "updated_column"), reason, "take one of the two out", on_name=True
        )
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
            "can't be mapped where changes alone are read: "
            "a first password is never stored, so it may get lost"
        )
        yield SettingError(("feeds", index, "map", "password"), reason, remedy, on_name=True)


def _alone(data: Plain) -> Iterator[SettingError]:
    """Check that there are feeds of the kinds that a feed names by key.

    Without them, all of it would wait for ever.
    """
    kinds = {index: feed.get("kind") for index, feed in feeds_in(data)}
    for index, kind in kinds.items():
        names, needed = next((_NEEDS[one] for one in _NEEDS if one == kind), ("", ()))
        missing = [other.value for other in needed if other not in kinds.values()]
        if missing:
            reason = f"{names} by key, but no {' and no '.join(missing)} feed is configured"
            yield SettingError(
                ("feeds", index, "kind"),
                reason,
                f"add a feed of kind {' and one of kind '.join(missing)}",
            )


def _auth_systems(data: Plain) -> Iterator[SettingError]:
    for index, feed in feeds_in(data):
        if feed.get("kind") not in PEOPLE:
            continue
        yield from _twice(index, feed, "auth_system")
        if value_at(feed, ("map", "auth_system")) is None and feed.get("auth_system") is None:
            remedy = (
                "add 'auth_system: FEIDE' (or what the tenant uses) to the feed, "
                "or map it from a column"
            )
            yield SettingError(("feeds", index, "auth_system"), "is needed", remedy)


def _notices(data: Plain) -> Iterator[SettingError]:
    for index, feed in feeds_in(data):
        if feed.get("kind") == Kind.CONTRIBUTOR:
            yield from _twice(index, feed, "notify")


def _twice(index: int, feed: dict[str, Plain], name: str) -> Iterator[SettingError]:
    """Find a field that the feed gives for all of its rows and `map` for each."""
    if feed.get(name) is not None and value_at(feed, ("map", name)) is not None:
        reason = "is given next to the one in 'map'"
        yield SettingError(("feeds", index, name), reason, "keep one of them", on_name=True)


def _blanks(data: Plain) -> Iterator[SettingError]:
    """Inspera has no call that takes back an option's value or a committee's type."""
    for index, feed in feeds_in(data):
        kind = feed.get("kind")
        if kind in (Kind.OPTION, Kind.COMMITTEE) and feed.get("blank") == "clear":
            reason = f"says 'clear', but {kind}s have nothing that can be cleared"
            yield SettingError(("feeds", index, "blank"), reason, "take the line out")


def _unfinished(data: Plain) -> Iterator[SettingError]:
    """Yield fields with nothing behind them.

    Taken as not mapped, they would silently never be sent.
    """
    for index, feed in feeds_in(data):
        fields = feed.get("map")
        for name, spec in fields.items() if isinstance(fields, dict) else ():
            if spec is None:
                yield SettingError(
                    ("feeds", index, "map", name),
                    "is empty",
                    "give it a column, or take the line out",
                )


def _proxy_user(data: Plain) -> Iterator[SettingError]:
    for name, needed in (("proxy_user", "proxy"), ("proxy_password", "proxy_user")):
        here, other = value_at(data, ("inspera", name)), value_at(data, ("inspera", needed))
        if here is not None and other is None:
            yield SettingError(
                ("inspera", name),
                f"means nothing without '{needed}'",
                f"add '{needed}', or take it out",
            )


def _state_password(data: Plain) -> Iterator[SettingError]:
    state = value_at(data, ("state",))
    if value_at(data, ("state_password",)) is not None and not str(state).startswith("postgres"):
        yield SettingError(
            ("state_password",),
            "means nothing for a state in a file",
            "take it out, or set 'state'",
        )
