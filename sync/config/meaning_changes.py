"""The present meaning of the configuration, compared with the one that a state was kept by."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sync.config.errors import path_text
from sync.config.load import Configuration, load_values
from sync.config.meaning import (
    Meaning,
    digest_of_meaning,
    from_text,
    items_of,
    meaning_of,
    to_text,
)
from sync.config.meaning_restore import restore
from sync.config.tree import Plain, feeds_in, value_at
from sync.records.base import Kind

MOST_NAMED = 8
"""How many changed settings are named."""


@dataclass(frozen=True)
class PresentMeaning:
    """The meaning of a loaded configuration. An earlier one is given as the text that was stored.

    `data` are the plain values of the file; relative paths start at `folder`.
    """

    data: Plain = field(repr=False)
    folder: Path

    @classmethod
    def of(cls, loaded: Configuration) -> "PresentMeaning":
        """Return the meaning of this configuration."""
        return cls(loaded.data, loaded.folder)

    @cached_property
    def _meaning(self) -> Meaning:
        return meaning_of(self.data, self.folder)

    @cached_property
    def digest(self) -> str:
        """Return the digest of the meaning of all kinds."""
        return digest_of_meaning(self._meaning)

    def changed_since(self, earlier: str, kinds: Collection[Kind]) -> str:
        """Return the settings of these kinds that have changed, in one text; empty for none."""
        return _names_text(changed_settings(from_text(earlier), self.data, self._meaning, kinds))

    def keeps_source(self, earlier: str, kind: Kind, name: str) -> bool:
        """Tell whether a source of a kind has the same settings as before."""
        steps = (kind, "sources", name)
        one, other = (value_at(dict(side), steps) for side in (from_text(earlier), self._meaning))
        return one is not None and one == other

    def stored_with(self, earlier: str | None, kinds: Collection[Kind]) -> tuple[str, str]:
        """Return the digest and the text to store when these kinds are in step with it.

        The other kinds keep their earlier meaning, if there is an earlier one.
        """
        meaning = dict(self._meaning)
        if earlier is not None:
            meaning = {kind: given for kind, given in meaning.items() if kind in kinds}
            meaning |= {
                kind: given for kind, given in from_text(earlier).items() if kind not in kinds
            }
        return digest_of_meaning(meaning), to_text(meaning)

    def load_earlier(self, earlier: str) -> Configuration:
        """Return a configuration with the earlier meaning, and everything else as it is now.

        Raises:
            ConfigurationErrors: it is not valid any more.
        """
        return load_values(restore(self.data, from_text(earlier)), self.folder)


def changed_settings(
    earlier: Meaning, data: Plain, meaning: Meaning, kinds: Collection[Kind] = frozenset(Kind)
) -> list[str]:
    """Return the settings of these kinds that differ, such as `feeds[2].map.room: added`.

    `data` are the present values, whose `meaning` it is; feeds have their positions there.
    """
    positions: dict[str, list[int]] = {}
    for index, feed in feeds_in(data):
        positions.setdefault(str(feed["kind"]), []).append(index)
    names: list[str] = []
    for kind in (one for one in Kind if one in kinds):
        old, new = dict(items_of(earlier.get(kind))), dict(items_of(meaning.get(kind)))
        old_feeds, new_feeds = old.pop("feeds", None), new.pop("feeds", None)
        names += _changed_feeds(kind, old_feeds, new_feeds, positions.get(kind, []))
        if old and new:  # else the whole kind is new or gone, as its feeds say
            names += _changed_sources(old.pop("sources", None), new.pop("sources", None))
            absence = f"on_absence.{kind}"
            names += _differences(_renamed(old, absence), _renamed(new, absence), "")
    return list(dict.fromkeys(names))


def _changed_sources(old: Plain, new: Plain) -> Iterator[str]:
    """Yield what changed of the sources that a kind had before; others are named by its feeds."""
    later = dict(items_of(new))
    for name, source in items_of(old):
        if name in later:
            yield from _differences(source, later[name], f"sources.{name}")


def _renamed(settings: Mapping[str, Plain], absence: str) -> dict[str, Plain]:
    return {absence if name == "on_absence" else name: value for name, value in settings.items()}


def _changed_feeds(kind: str, old: Plain, new: Plain, positions: list[int]) -> Iterator[str]:
    before = list(old) if isinstance(old, list) else []
    after = list(zip(positions, new, strict=True)) if isinstance(new, list) else []
    for same_source in (True, False):
        for position, feed in list(after):
            match = next((one for one in before if not same_source or _alike(one, feed)), None)
            if match is not None:
                before.remove(match)
                after.remove((position, feed))
                yield from _differences(match, feed, path_text(("feeds", position)))
    yield from (f"{path_text(('feeds', position))}: added" for position, _ in after)
    yield from (f"feeds: {kind} of {value_at(one, ('source',))}: removed" for one in before)


def _alike(one: Plain, other: Plain) -> bool:
    return value_at(one, ("source",)) == value_at(other, ("source",))


def _differences(old: Plain, new: Plain, path: str) -> Iterator[str]:
    if old == new:
        return
    if not (isinstance(old, dict) and isinstance(new, dict)):
        yield f"{path}: changed"
        return
    for name in dict.fromkeys((*old, *new)):
        below = f"{path}.{name}" if path else name
        if name not in new:
            yield f"{below}: removed"
        elif name not in old:
            yield f"{below}: added"
        else:
            yield from _differences(old[name], new[name], below)


def _names_text(names: list[str]) -> str:
    """Return the changed settings in one text, the first ones by name."""
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
