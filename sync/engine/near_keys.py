"""The check that what a person asks for exists, with the nearest keys where it does not."""

from collections.abc import Collection, Iterator
from difflib import SequenceMatcher
from heapq import nlargest

from sync.errors import UsageError
from sync.planning.selection import Selection, matches
from sync.records.base import Kind
from sync.records.kinds import PEOPLE
from sync.state.store import Store

MOST_NEAR = 3
"""How many near keys a message names."""

_ALIKE = 0.6
"""How alike a key must be to be named, as `difflib` measures it."""


def check_names(selection: Selection, store: Store, kinds: Collection[Kind]) -> None:
    """Check that each part of a selection names a record; `kinds` have a feed.

    Raises:
        UsageError: some do not.
    """
    problems = [
        f"--kind {kind}: no feed has this kind; those with a feed are {', '.join(sorted(kinds))}"
        for kind in selection.kinds
        if kind not in kinds and kind is not Kind.COMMITTEE
    ]
    problems += _unknown("--test", "test", selection.tests, store, (Kind.TEST,))
    problems += _unknown("--person", "learner or staff", selection.people, store, PEOPLE)
    if problems:
        raise UsageError("; ".join(problems))


def _unknown(
    option: str, noun: str, patterns: Collection[str], store: Store, kinds: Collection[Kind]
) -> Iterator[str]:
    """Yield a message for each pattern that matches no key."""
    left = set(patterns)
    for key in store.comparison.keys(kinds) if left else ():
        left -= {pattern for pattern in left if matches(key, (pattern,))}
    for pattern in sorted(left):
        near = _near(pattern, store.comparison.keys(kinds))
        alike = f"near it are {', '.join(near)}" if near else "compare it with the source"
        yield f"{option} {pattern}: no {noun} has such a key; {alike}"


def _near(pattern: str, keys: Iterator[str]) -> list[str]:
    matcher = SequenceMatcher(b=pattern.casefold())

    def likeness(key: str) -> float:
        matcher.set_seq1(key.casefold())
        return matcher.ratio() if matcher.quick_ratio() >= _ALIKE else 0

    scored = ((likeness(key), key) for key in keys)
    alike = (item for item in scored if item[0] >= _ALIKE)
    return [key for _, key in nlargest(MOST_NEAR, alike)]
