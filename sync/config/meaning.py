"""The meaning of a configuration: which rows become which records, kind by kind.

It is taken from the plain values of the file, without secrets and without what only says how a
source is reached or doubted, so that it can be stored and compared with a later one.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from sync.config.contract_checks import find_secrets, is_secret_option
from sync.config.guide import is_secret
from sync.config.tree import Plain, feeds_in, value_at
from sync.config_base.secrets import BrokenReference, expand
from sync.records.base import Kind
from sync.records.kinds import ON_A_TEST, PEOPLE

Meaning = Mapping[str, Plain]
"""For each kind with a feed: its `feeds`, their `sources`, and the other settings that count."""

_DOUBTS = frozenset(
    {
        "activate",
        "allow_empty",
        "committees",
        "freeze",
        "longest_duration",
        "only",
        "plausible",
        "updated_column",
    }
)
"""Settings of feeds that make no record: what is doubted or left alone, how much is read, and when
a test is activated."""

_ACCESS = frozenset(
    {
        "completeness",
        "user",
        "bind",
        "start_tls",
        "ca_file",
        "client_cert",
        "client_key",
        "connect_timeout",
        "timeout",
        "overlap",
        "paged",
        "page_size",
    }
)
"""Settings of sources that say how they are reached, or what proves that they are complete."""

_WRITTEN = ("constant", "default", "lookup", "template", "first_of")
"""The parts of a field's rule in which values are written."""


def meaning_of(data: Plain, folder: Path) -> Meaning:
    """Return the meaning of a valid configuration. Relative paths start at `folder`.

    A secret in a feed is replaced by None. What a query file contains counts as the query.
    """
    secrets = frozenset(find_secrets(data))
    found: dict[str, dict[str, Plain]] = {}
    for index, feed in feeds_in(data):
        kind = str(feed["kind"])
        of_kind = found.setdefault(kind, _of_kind(data, kind))
        feeds, sources = of_kind["feeds"], of_kind["sources"]
        assert isinstance(feeds, list) and isinstance(sources, dict)  # noqa: S101, PT018 - made so
        feeds.append(_feed(data, feed, {one[2:] for one in secrets if one[1] == index}))
        for name in _sources_of(feed):
            sources[name] = _source(data, name, folder)
    return found


def digest_of_meaning(meaning: Meaning) -> str:
    """Return the digest of a meaning, whatever the order of its keys."""
    return hashlib.blake2b(to_text(meaning).encode(), digest_size=16).hexdigest()


def to_text(meaning: Meaning) -> str:
    """Return a meaning as JSON."""
    return json.dumps(meaning, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def from_text(text: str) -> Meaning:
    """Return the meaning in a text of `to_text`."""
    meaning: Meaning = json.loads(text)
    return meaning


def _of_kind(data: Plain, kind: str) -> dict[str, Plain]:
    """Return the settings of a kind that are neither feeds nor sources."""
    found: dict[str, Plain] = {"feeds": [], "sources": {}}
    found["on_absence"] = value_at(data, ("on_absence", kind))
    if kind in ON_A_TEST:
        found["existing.claim"] = value_at(data, ("existing", "claim"))
        found["existing.unread"] = value_at(data, ("existing", "unread"))
    if kind == Kind.OPTION:
        found["inspera.options"] = value_at(data, ("inspera", "options"))
    return {name: _filled(value) for name, value in found.items() if value is not None}


def _feed(data: Plain, feed: dict[str, Plain], secrets: Collection[tuple[object, ...]]) -> Plain:
    fields = feed.get("map")
    rules = {
        name: _without_secrets(data, feed, name, rule, secrets)
        for name, rule in (fields if isinstance(fields, dict) else {}).items()
        if rule is not None
    }
    kept = {name: _filled(value) for name, value in feed.items() if name not in _DOUBTS}
    return {**kept, "map": rules}


def _without_secrets(
    data: Plain,
    feed: Mapping[str, Plain],
    name: str,
    rule: Plain,
    secrets: Collection[tuple[object, ...]],
) -> Plain:
    """Return the rule of a field with None in place of what may be a password, a pin or a code."""
    if feed.get("kind") in PEOPLE and name == "password":
        return None  # it is never compared, so nothing of it has to be kept
    secret = feed.get("kind") == Kind.OPTION and name == "value" and is_secret_option(data, feed)
    if not isinstance(rule, dict):
        return None if secret and "{" in str(rule) else rule
    hidden = {str(one[-1]) for one in secrets if one[:2] == ("map", name)}
    hidden |= set(_WRITTEN) if secret else set()
    return {
        part: None if part in hidden else _filled(value)
        for part, value in rule.items()
        if value is not None
    }


def _filled(value: Plain) -> Plain:
    """Return a value without settings that are left empty."""
    if isinstance(value, dict):
        return {name: _filled(item) for name, item in value.items() if item is not None}
    return [_filled(item) for item in value] if isinstance(value, list) else value


def _sources_of(feed: Mapping[str, Plain]) -> Iterator[str]:
    joins = feed.get("join")
    yield str(feed["source"])
    yield from joins if isinstance(joins, dict) else ()


def _source(data: Plain, name: str, folder: Path) -> Plain:
    source = value_at(data, ("sources", name))
    assert isinstance(source, dict)  # noqa: S101 - the configuration is valid
    hidden = access_settings(data, name)
    kept = {key: _filled(value) for key, value in source.items() if key not in hidden}
    query = _query_in_file(kept.get("query_file"), folder)
    if query is not None:
        del kept["query_file"]
        kept["query"] = query
    return {key: value for key, value in kept.items() if value is not None}


def _query_in_file(path: Plain, folder: Path) -> str | None:
    if not isinstance(path, str):
        return None
    try:
        text = (folder / expand(path, folder)).read_text(encoding="utf-8-sig")
    except (BrokenReference, OSError, ValueError):
        return None  # the source's own error says so when it is opened
    return text.replace("${", "$${")


def access_settings(data: Plain, name: str) -> frozenset[str]:
    """Return the settings of a source that are never kept: how it is reached, and its secrets."""
    source = value_at(data, ("sources", name))
    given = source if isinstance(source, dict) else {}
    secret = {key for key in given if _has_secret(data, ("sources", name, key))}
    return frozenset(secret | _ACCESS.intersection(given))


def _has_secret(data: Plain, steps: tuple[str | int, ...]) -> bool:
    if is_secret(steps, data):
        return True
    value = value_at(data, steps)
    below: Collection[str | int] = ()
    if isinstance(value, dict):
        below = list(value)
    elif isinstance(value, list):
        below = range(len(value))
    return any(_has_secret(data, (*steps, step)) for step in below)


def items_of(value: Plain) -> Collection[tuple[str, Plain]]:
    """Return the entries of a value; none if it is not a mapping."""
    return value.items() if isinstance(value, dict) else ()
