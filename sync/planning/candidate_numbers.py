"""Which candidate number is free on a test, and in what order numbers change hands.

Pure (rules 36).

A number is free when nobody who stays in Inspera after this run has it. The vendor's contract does
not say that Inspera refuses a number twice on one test, so this tool never lets two candidates have
one at the same time.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

Who = tuple[str, str]
"""Auth system and external id, by which Inspera knows a person."""

UNMANAGED = "put there by hand, and what this tool did not put there it never removes"
NOBODY_REMOVES = "this run does not remove them"


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who is known to have a candidate number on a test."""

    number: str
    learner: str
    who: Who


def still_held(number: str, holder: str, why: str) -> str:
    """Return the reason for which a change waits: whose the number still is, and why they stay."""
    return f"number {number} is still {holder}'s, who stays: {why}"


def blocked(needs: Mapping[int, Collection[int]], refused: Collection[int]) -> set[int]:
    """Return the changes that can't be made because others, which they need first, are not made.

    Args:
        needs: for each change the changes that must be made first.
        refused: changes that are not made.
    """
    waiting, found = {one: set(others) for one, others in needs.items()}, set(refused)
    newly = set(refused)
    while newly:
        newly = {one for one, others in waiting.items() if one not in found and others & newly}
        found |= newly
    return found - set(refused)


def next_turn(
    pending: Sequence[int], needs: Mapping[int, Collection[int]]
) -> tuple[list[int], bool]:
    """Return the changes that can be made now, and whether they must go together in one call.

    All those that need none of the pending go at once. Otherwise a circle is left: its members
    swap their numbers, and only one call can do that without a moment in which two candidates have
    the same number.
    """
    left = set(pending)
    ready = [one for one in pending if not left.intersection(needs.get(one, ()))]
    return (ready, False) if ready else (_circle(pending[0], left, needs), True)


def _circle(start: int, left: Collection[int], needs: Mapping[int, Collection[int]]) -> list[int]:
    """Return the changes of one circle to which following the needs from `start` leads."""
    path, place = [start], {start: 0}
    while True:
        following = min(one for one in needs[path[-1]] if one in left)
        if following in place:
            return path[place[following] :]
        place[following] = len(path)
        path.append(following)
