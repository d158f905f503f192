"""The path of a schema that is most similar to that of a missing call. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from sync.inspera.schema_check.schema import Segments, segments, shape

_PLACE: Final = re.compile(r"\{[^{}]*\}")
_VERSION: Final = re.compile(r"v\d+")
_ALIKE: Final = 2
"""The number of segments at the end of two paths that must be equal."""


@dataclass(frozen=True, slots=True)
class NearestPath:
    """A similar path.

    Attributes:
        theirs: the path as the schema writes it.
        ours: the path as `inspera.calls` needs it, with our names of places.
    """

    theirs: str
    ours: str


def nearest(path: str, others: Iterable[Segments]) -> NearestPath | None:
    """Return the most similar path with the same number of places, or None."""
    own = segments(path)
    likely = [(likeness, theirs) for theirs in others if (likeness := _likeness(own, theirs))]
    if not likely:
        return None
    _, theirs = max(likely, key=lambda pair: pair[0])
    return NearestPath("/" + "/".join(theirs), with_places(path, theirs))


def with_places(path: str, theirs: Segments) -> str:
    """Return a path of the schema with the places and the query of ours.

    Empty when they do not have the same number of places.
    """
    own = _places(segments(path))
    if len(own) != len(_places(theirs)):
        return ""
    places = iter(own)
    ours = re.sub(_PLACE, lambda _: next(places), "/".join(theirs))
    query = path.partition("?")[2]
    return f"/{ours}?{query}" if query else f"/{ours}"


def _likeness(own: Segments, theirs: Segments) -> tuple[bool, int] | None:
    """Return the similarity of two paths as a sort key; None if they are not similar.

    They are similar if they end with the same segments, or have the same words in any order.
    """
    ours, other = list(_words(own)), list(_words(theirs))
    places = len(_places(own))
    if places != len(_places(theirs)) or (places > 1 and ours != other):
        return None  # with several places and other words, it is not known which place is which
    pairs = zip(reversed(shape(own)), reversed(shape(theirs)), strict=False)
    tail = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    same = bool(ours) and sorted(ours) == sorted(other)
    return (same, tail) if same or tail >= _ALIKE else None


def _places(parts: Segments) -> list[str]:
    return re.findall(_PLACE, "/".join(parts))


def _words(parts: Segments) -> Iterator[str]:
    """Yield the words of a path, without versions and places.

    `fileExports` and `file-export` have the same words.
    """
    for part in parts:
        word = re.sub("[^a-z0-9]", "", part.lower()).removesuffix("s")
        if "{" not in part and word and not _VERSION.fullmatch(part.lower()):
            yield word
