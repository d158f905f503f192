"""The registry of sources: the built-in ones, and those of other installed packages.

Other packages name theirs by entry points: a word, and the class with the settings. A source that
can't be used is left out of the registry, with the reason, and never stops the program.
"""

import inspect
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Literal, get_args, get_origin

from sync.errors import Unusable
from sync.sources.base import SourceSettings

GROUP = "inspera_sync.sources"
"""The group of entry points in which a package names its sources."""

_REMEDY = "correct or update that package"
_LONGEST_REASON = 200


class Registry(Mapping[str, type[SourceSettings]]):
    """The settings of every source by its word, built-in or of another package.

    Entry points are looked for when the registry is first used, not when it is constructed: at that
    time the modules that they import are still being imported.
    """

    def __init__(self, built_in: Mapping[str, type[SourceSettings]]) -> None:
        self._built_in = built_in

    @cached_property
    def _sources(self) -> tuple[dict[str, type[SourceSettings]], dict[str, Unusable]]:
        """Return the sources that can be used, and those that can't."""
        usable, broken = dict(self._built_in), dict[str, Unusable]()
        # One package may be installed twice, in two places: that is one source.
        points: dict[str, dict[str, EntryPoint]] = {}
        for point in entry_points(group=GROUP):
            points.setdefault(point.name, {})[point.value] = point
        for word, by_value in sorted(points.items()):
            source = _choose(word, list(by_value.values()), taken=word in self._built_in)
            if isinstance(source, Unusable):
                broken[word] = source
            else:
                usable[word] = source
        return usable, broken

    @property
    def broken(self) -> Mapping[str, Unusable]:
        """Return the installed sources that can't be used, by their words."""
        return self._sources[1]

    def __getitem__(self, word: str) -> type[SourceSettings]:
        return self._sources[0][word]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources[0])

    def __len__(self) -> int:
        return len(self._sources[0])


def _choose(word: str, points: list[EntryPoint], *, taken: bool) -> type[SourceSettings] | Unusable:
    packages = " and ".join(
        sorted(
            {
                f"the package {point.dist.name} {point.dist.version}" if point.dist else "a package"
                for point in points
            }
        )
    )
    if taken:
        return Unusable(
            f"{packages} offers it, but inspera-sync has a source of this name itself", _REMEDY
        )
    if len(points) > 1:
        return Unusable(f"{packages} offers it more than once", "keep one of them installed")
    try:
        return _require_source(_load(points[0]), word)
    except Unusable as unfit:
        return Unusable(f"{packages} offers it, but {unfit.reason}", _REMEDY)


def _load(point: EntryPoint) -> object:
    try:
        return point.load()
    except (Exception, SystemExit) as error:  # the module of another package may raise anything
        # Only these errors surely describe code. Others may quote what the module has read.
        code = isinstance(error, ImportError | AttributeError | SyntaxError)
        detail = f": {error}" if code else ""
        reason = " ".join(f"{type(error).__name__}{detail}".split())[:_LONGEST_REASON]
    raise Unusable(f"it can't be loaded ({reason})", _REMEDY)


def _require_source(candidate: object, word: str) -> type[SourceSettings]:
    """Return the class, if it can be a source of this name.

    Raises:
        Unusable: it can't.
    """
    if not (isinstance(candidate, type) and issubclass(candidate, SourceSettings)):
        raise Unusable("it is not derived from SourceSettings", _REMEDY)
    if inspect.isabstract(candidate):
        raise Unusable(f"it lacks {' and '.join(sorted(candidate.__abstractmethods__))}", _REMEDY)
    type_ = candidate.model_fields.get("type")
    if (
        type_ is None
        or get_origin(type_.annotation) is not Literal
        or get_args(type_.annotation) != (word,)
    ):
        raise Unusable(
            f"its 'type' is not Literal[{word!r}], the name by which it is registered", _REMEDY
        )
    try:
        candidate.model_json_schema()
    except Exception as error:  # the types of its fields belong to the other package, too
        raise Unusable(
            f"its settings can't be written as a JSON Schema ({type(error).__name__})", _REMEDY
        ) from None
    return candidate
