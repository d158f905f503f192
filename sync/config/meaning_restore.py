"""A whole configuration with an earlier meaning, so that the sources can be read by it."""

from collections.abc import Iterator

from sync.config.meaning import Meaning, access_settings, items_of
from sync.config.tree import Plain, feeds_in, value_at
from sync.records.base import Kind
from sync.records.kinds import ON_A_TEST


def restore(data: Plain, meaning: Meaning) -> Plain:
    """Return the values of a whole configuration with an earlier meaning.

    The rest is that of `data`, the present values: the tenant, how sources are reached, and the
    secrets. Jobs are left out, as they may name kinds that had no feed then.
    """
    assert isinstance(data, dict)  # noqa: S101 - the configuration is valid
    restored: dict[str, Plain] = {
        name: value for name, value in data.items() if name not in ("jobs", "service")
    }
    feeds: list[Plain] = []
    sources: dict[str, Plain] = {}
    for kind, of_kind in meaning.items():
        for name, source in items_of(value_at(of_kind, ("sources",))):
            sources[name] = _with_access(data, name, source)
        feeds += _with_secrets(data, kind, value_at(of_kind, ("feeds",)))
    absence, existing = dict(items_of(data.get("on_absence"))), dict(items_of(data.get("existing")))
    for kind, of_kind in meaning.items():
        _set(absence, kind, value_at(of_kind, ("on_absence",)))
        for name in ("claim", "unread") if kind in ON_A_TEST else ():
            _set(existing, name, value_at(of_kind, (f"existing.{name}",)))
    restored |= {"feeds": feeds, "sources": sources, "on_absence": absence, "existing": existing}
    if Kind.OPTION in meaning:
        inspera = dict(items_of(data.get("inspera")))
        _set(inspera, "options", value_at(meaning[Kind.OPTION], ("inspera.options",)))
        restored["inspera"] = inspera
    return restored


def _set(settings: dict[str, Plain], name: str, value: Plain) -> None:
    settings.pop(name, None)
    if value is not None:
        settings[name] = value


def _with_access(data: Plain, name: str, source: Plain) -> Plain:
    """Return an earlier source with how the present one of its name and type is reached."""
    present = dict(items_of(value_at(data, ("sources", name))))
    earlier = dict(items_of(source))
    if present.get("type") != earlier.get("type"):
        return earlier
    return {**earlier, **{key: present[key] for key in access_settings(data, name)}}


def _with_secrets(data: Plain, kind: str, feeds: Plain) -> Iterator[Plain]:
    """Yield earlier feeds with the secrets of the present feed of their kind and source."""
    for feed in feeds if isinstance(feeds, list) else ():
        of_feed = dict(items_of(feed))
        present = next(
            (
                other
                for _, other in feeds_in(data)
                if other.get("kind") == kind and other.get("source") == of_feed.get("source")
            ),
            {},
        )
        rules = {
            name: _with_secret(rule, value_at(present, ("map", name)))
            for name, rule in items_of(of_feed.get("map"))
        }
        if kind != Kind.OPTION or rules.get("value"):
            yield {**of_feed, "map": {name: rule for name, rule in rules.items() if rule}}


def _with_secret(rule: Plain, present: Plain) -> Plain:
    if rule is None:
        return present
    if not isinstance(rule, dict):
        return rule
    return {
        part: value
        for part, given in rule.items()
        if (value := value_at(present, (part,)) if given is None else given) is not None
    }
