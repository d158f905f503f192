"""The part of a plan that a person, or a setting, asks for. Pure."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from sync.records.base import Key, Kind
from sync.records.changes import PlannedChange
from sync.records.kinds import ON_A_TEST, PEOPLE, PERSON_OF

Chosen = Callable[[PlannedChange], bool]
"""The question whether a line of the plan was asked for."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Records named by kind, by test and by person; an empty part names all.

    Attributes:
        kinds: the kinds.
        tests: keys of tests, with the wildcards `*`, `?` and `[…]`. A test covers what is on it.
        people: keys of learners and staff, with wildcards. A person covers their places on tests.
    """

    kinds: Collection[Kind] = ()
    tests: Collection[str] = ()
    people: Collection[str] = ()

    def covers(self, kind: Kind, key: Key) -> bool:
        """Tell whether a record is named by all parts of this selection."""
        return (
            (not self.kinds or kind in self.kinds)
            and (not self.tests or (_has_test(kind) and matches(key[0], self.tests)))
            and (not self.people or matches(_person(kind, key), self.people))
        )

    def may_cover(self, kind: Kind, k1: str | None, k2: str | None) -> bool:
        """Tell whether a record may be named, of whose key a part may be unknown (None)."""
        person = k2 if kind in PERSON_OF else k1 if kind in PEOPLE else ""
        return (
            (not self.kinds or kind in self.kinds)
            and (not self.tests or (_has_test(kind) and (not k1 or matches(k1, self.tests))))
            and (not self.people or person is None or matches(person, self.people))
        )

    def chooses(self, line: PlannedChange) -> bool:
        """Tell whether a line of the plan is of a record that is named."""
        return self.covers(line.change.kind, line.change.key)


def _has_test(kind: Kind) -> bool:
    return kind is Kind.TEST or kind in ON_A_TEST


def _person(kind: Kind, key: Key) -> str | None:
    if kind in PEOPLE:
        return key[0]
    return key[1] if kind in PERSON_OF else None


def matches(value: str | None, patterns: Collection[str]) -> bool:
    """Tell whether a key matches one of these patterns; None matches none."""
    return value is not None and any(fnmatchcase(value, pattern) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class PilotGroup:
    """The records that a run keeps in step, where it leaves all others alone (`only`).

    Attributes:
        everywhere: the union of these; empty for all records.
        of_kind: for some kinds the union of these, in addition.
    """

    everywhere: Collection[Selection] = ()
    of_kind: Mapping[Kind, Collection[Selection]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Return whether it leaves anything out."""
        return bool(self.everywhere or self.of_kind)

    def covers(self, kind: Kind, key: Key) -> bool:
        """Tell whether a record belongs to the group."""
        parts = filter(None, (self.everywhere, self.of_kind.get(kind)))
        return all(any(one.covers(kind, key) for one in part) for part in parts)


EVERYBODY = PilotGroup()
"""The group that leaves nothing out."""
