"""Sources that other installed packages bring along, by entry points: a word, and the class with its settings.

What can't be used of these is kept out of the registry, with the reason, and never stops the program.
"""

import inspect
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Literal, NamedTuple, get_args, get_origin

from sync.sources.base import SourceSettings

GROUP = "inspera_sync.sources"
"""The group of entry points in which a package names its sources."""

_REPAIR = "correct or update that package"
_MOST_TOLD = 200


class UnusableSource(NamedTuple):
    """Why an installed source can't be used, and what to do about it."""

    reason: str
    remedy: str


class Registry(Mapping[str, type[SourceSettings]]):
    """Every source by its word: our own, and those of other packages.

    The others are looked for when the registry is first asked, not when it is made: what they import is being
    imported at that time.
    """

    def __init__(self, own: Mapping[str, type[SourceSettings]]) -> None:
        self._own = own

    @cached_property
    def _found(self) -> tuple[dict[str, type[SourceSettings]], dict[str, UnusableSource]]:
        return _installed(self._own)

    @property
    def broken(self) -> Mapping[str, UnusableSource]:
        """Installed sources that can't be used, by their words."""
        return self._found[1]

    def __getitem__(self, word: str) -> type[SourceSettings]:
        return self._found[0][word]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found[0])

    def __len__(self) -> int:
        return len(self._found[0])


def _installed(
    own: Mapping[str, type[SourceSettings]],
) -> tuple[dict[str, type[SourceSettings]], dict[str, UnusableSource]]:
    """Our own sources with those that other packages offer, and what is wrong with the rest of these."""
    found, broken = dict(own), dict[str, UnusableSource]()
    offers: dict[str, dict[str, EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        offers.setdefault(point.name, {})[point.value] = point
    for word, offered in sorted(offers.items()):
        made = _chosen(word, list(offered.values()), taken=word in own)
        if isinstance(made, UnusableSource):
            broken[word] = made
        else:
            found[word] = made
    return found, broken


def _chosen(
    word: str, offered: list[EntryPoint], *, taken: bool
) -> type[SourceSettings] | UnusableSource:
    packages = " and ".join(sorted({_package(point) for point in offered}))
    if taken:
        return UnusableSource(
            f"{packages} offers it, but the word is taken by a source of inspera-sync itself",
            _REPAIR,
        )
    if len(offered) > 1:
        return UnusableSource(f"{packages} offers it more than once", "keep one of them installed")
    try:
        return _checked(_loaded(offered[0]), word)
    except _UnfitError as unfit:
        return UnusableSource(f"{packages} offers it, but {unfit}", _REPAIR)


class _UnfitError(Exception):
    """What a package offers can't be a source: why."""


def _package(point: EntryPoint) -> str:
    return f"the package {point.dist.name} {point.dist.version}" if point.dist else "a package"


def _loaded(point: EntryPoint) -> object:
    try:
        return point.load()
    except (Exception, SystemExit) as error:  # a stranger's module may raise anything
        # Only of these is it sure that they speak of code, and not of something that was read.
        told = f": {error}" if isinstance(error, ImportError | AttributeError | SyntaxError) else ""
        why = " ".join(f"{type(error).__name__}{told}".split())[:_MOST_TOLD]
    raise _UnfitError(f"it can't be loaded ({why})")


def _checked(made: object, word: str) -> type[SourceSettings]:
    """The class, if it can be one of the sources under this word.

    Raises:
        _UnfitError: it can't.
    """
    if not (isinstance(made, type) and issubclass(made, SourceSettings)):
        raise _UnfitError("it is not derived from SourceSettings")
    if inspect.isabstract(made):
        raise _UnfitError(f"it lacks {' and '.join(sorted(made.__abstractmethods__))}")
    type_ = made.model_fields.get("type")
    if (
        type_ is None
        or get_origin(type_.annotation) is not Literal
        or get_args(type_.annotation) != (word,)
    ):
        raise _UnfitError(
            f"its 'type' is not Literal[{word!r}], the name by which it is registered"
        )
    try:
        made.model_json_schema()
    except Exception as error:  # what its fields are made of is the stranger's, too
        raise _UnfitError(
            f"its settings can't be told as a JSON Schema ({type(error).__name__})"
        ) from None
    return made
