"""The path of a schema that is most like one of ours, for a call that is not where we look for it.

Pure.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from sync.inspera.schema_check.schema import Segments, segments, shape

_PLACE: Final = re.compile(r"\{[^{}]*\}")
_VERSION: Final = re.compile(r"v\d+")
_ALIKE: Final = 2
"""Segments at the end of two paths that must be the same."""


@dataclass(frozen=True, slots=True)
class NearestPath:
    """A path like one of ours.

    As the schema writes it, and as `inspera.calls` wants it, with our names of places.
    """

    theirs: str
    ours: str


def nearest(path: str, others: Iterable[Segments]) -> NearestPath | None:
    """Return the path that is most like ours and has as many places, if any is like it."""
    mine = segments(path)
    likely = [(likeness, theirs) for theirs in others if (likeness := _likeness(mine, theirs))]
    if not likely:
        return None
    _, theirs = max(likely, key=lambda one: one[0])
    places = iter(_places(mine))
    ours = re.sub(_PLACE, lambda _: next(places), "/".join(theirs))
    query = path.partition("?")[2]
    return NearestPath("/" + "/".join(theirs), f"/{ours}?{query}" if query else f"/{ours}")


def _likeness(mine: Segments, theirs: Segments) -> tuple[bool, int] | None:
    """Return how alike two paths are, to be compared; `None` when they are not.

    They are when they end in the same segments, or hold the same words in whatever order.
    """
    ours, other = list(_words(mine)), list(_words(theirs))
    places = len(_places(mine))
    if places != len(_places(theirs)) or (places > 1 and ours != other):
        return None  # with several places and other words, nobody can tell which place is which
    pairs = zip(reversed(shape(mine)), reversed(shape(theirs)), strict=False)
    tail = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    same = bool(ours) and sorted(ours) == sorted(other)
    return (same, tail) if same or tail >= _ALIKE else None


def _places(parts: Segments) -> list[str]:
    return re.findall(_PLACE, "/".join(parts))


def _words(parts: Segments) -> Iterator[str]:
    """Yield the words of a path, without versions and places.

    `fileExports` and `file-export` are the same word.
    """
    for part in parts:
        word = re.sub("[^a-z0-9]", "", part.lower()).removesuffix("s")
        if "{" not in part and word and not _VERSION.fullmatch(part.lower()):
            yield word
