"""Checks between settings. They read the plain values, so that they speak even when the model refuses some of them."""

from collections.abc import Iterator
from pathlib import Path

from sync.model import Kind
from sync.settings.faults import Finding
from sync.settings.guide import suggestion
from sync.settings.tree import Plain, value_at


def crossed(data: Plain, folder: Path) -> Iterator[Finding]:
    """What is wrong between settings; relative paths are taken from `folder`."""
    yield from _sources_named(data)
    yield from _candidates_alone(data)
    yield from _auth_systems(data)
    yield from _unfinished(data)
    yield from _proxy_user(data)
    bundle = value_at(data, ("inspera", "ca_bundle"))
    if isinstance(bundle, str) and not (folder / bundle).is_file():
        yield Finding(("inspera", "ca_bundle"), "is not there, or is no file", "correct the path, or take the line out")


def unused(data: Plain) -> Iterator[Finding]:
    """Sources that no feed reads: harmless, and perhaps a slip."""
    used = {source for _, feed in _feeds(data) if isinstance(source := feed.get("source"), str)}
    sources = value_at(data, ("sources",))
    for name in sources if isinstance(sources, dict) else ():
        if name not in used:
            yield Finding(("sources", name), "is read by no feed", "add a feed, or take it out", on_name=True)


def _feeds(data: Plain) -> Iterator[tuple[int, dict[str, Plain]]]:
    feeds = value_at(data, ("feeds",))
    for index, feed in enumerate(feeds if isinstance(feeds, list) else ()):
        if isinstance(feed, dict):
            yield index, feed


def _sources_named(data: Plain) -> Iterator[Finding]:
    sources = value_at(data, ("sources",))
    if not isinstance(sources, dict):
        return
    for index, feed in _feeds(data):
        name = feed.get("source")
        if isinstance(name, str) and name and name not in sources:
            yield Finding(("feeds", index, "source"), "names no source", suggestion(name, tuple(sources)))


def _candidates_alone(data: Plain) -> Iterator[Finding]:
    """Candidates name learners and tests by key; without a feed of these, every candidate would wait for ever."""
    kinds = {index: feed.get("kind") for index, feed in _feeds(data)}
    missing = [kind.value for kind in (Kind.LEARNER, Kind.TEST) if kind not in kinds.values()]
    for index, kind in kinds.items():
        if kind == Kind.CANDIDATE and missing:
            reason = f"candidates name learners and tests by key, but there is no {' and no '.join(missing)} feed"
            yield Finding(("feeds", index, "kind"), reason, f"add a feed of kind {' and one of kind '.join(missing)}")


def _auth_systems(data: Plain) -> Iterator[Finding]:
    for index, feed in _feeds(data):
        if feed.get("kind") != Kind.LEARNER:
            continue
        mapped = value_at(feed, ("map", "auth_system")) is not None
        given = feed.get("auth_system") is not None
        steps = ("feeds", index, "auth_system")
        if mapped and given:
            yield Finding(steps, "is given beside the one in 'map'", "keep one of them", on_name=True)
        elif not mapped and not given:
            remedy = "add 'auth_system: FEIDE' (or what the tenant uses) to the feed, or map it from a column"
            yield Finding(steps, "is needed", remedy)


def _unfinished(data: Plain) -> Iterator[Finding]:
    """Fields with nothing behind them: taken as not mapped, they would silently never be sent."""
    for index, feed in _feeds(data):
        fields = feed.get("map")
        for name, spec in fields.items() if isinstance(fields, dict) else ():
            if spec is None:
                yield Finding(("feeds", index, "map", name), "is empty", "give it a column, or take the line out")


def _proxy_user(data: Plain) -> Iterator[Finding]:
    for name, needed in (("proxy_user", "proxy"), ("proxy_password", "proxy_user")):
        here, other = value_at(data, ("inspera", name)), value_at(data, ("inspera", needed))
        if here is not None and other is None:
            yield Finding(("inspera", name), f"means nothing without '{needed}'", f"add '{needed}', or take it out")
