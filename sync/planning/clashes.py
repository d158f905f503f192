"""Clashes of tests with each other and with what they need: named, and never held. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class ClashType(StrEnum):
    """What is wrong with a test that could be right for all this tool knows."""

    OVERLAP = "overlap"  # a learner is on two tests at once
    ROOM = "room"  # more candidates than a room has places
    NO_CANDIDATES = "no candidates"  # a test that starts soon has no candidate
    NO_GRADER = "no grader"  # a test that starts soon has no grader


OF_ONE_TEST = frozenset({ClashType.NO_CANDIDATES, ClashType.NO_GRADER})
"""Types that say the same of each test, so that a report can name the tests in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """One clash.

    Attributes:
        type: what it is.
        test: the key of the test; of several the first.
        other: the key of the test that overlaps with it, or the room; None without one.
        count: how many learners or candidates are concerned.
        places: how many places the room has; None without a room.
        start: when the clash begins (UTC text).
        ends: when it ends; None when it begins with the test and has no end of its own.
        learners: the keys of the learners who are on both tests.
    """

    type: ClashType
    test: str
    other: str | None = None
    count: int = 0
    places: int | None = None
    start: str = ""
    ends: str | None = None
    learners: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Return what is wrong, in words."""
        if self.type is ClashType.OVERLAP:
            who = "1 learner is" if self.count == 1 else f"{self.count:,} learners are"
            return f"{who} also on test {self.other}, at once from {self.start} to {self.ends}"
        if self.type is ClashType.ROOM:
            return (
                f"room {self.other} has {self.places:,} places, and {self.count:,} candidates from "
                f"{self.start} on"
            )
        return f"no {missing(self.type)} is on it, and it starts at {self.start}"


def missing(type_: ClashType) -> str:
    """Return who is missing on a test of a type that is of one test."""
    return "candidate" if type_ is ClashType.NO_CANDIDATES else "grader"
