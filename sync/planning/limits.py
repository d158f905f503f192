"""How many changes need no permission, and what is held because it is more. Pure (rules 15)."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sync.planning.remedies import allow
from sync.records.base import Kind
from sync.records.changes import Cause


class ChangeType(StrEnum):
    """What a limit counts. Staff who are disabled and tests that are withdrawn are removals."""

    REMOVALS = "removals"
    UPDATES = "updates"
    CREATES = "creates"


@dataclass(frozen=True, slots=True)
class Limit:
    """How many changes of a scope pass unasked: `max(at_least, min(percent of known, at_most))`.

    `at_most` grows with what is known: it is never below `at_most_percent` of it.
    """

    at_least: int
    percent: float
    at_most: int | None = None
    at_most_percent: float = 0

    def cap(self, known: int) -> float | None:
        """Return the most that are ever allowed for `known` records; None without such a bound."""
        return (
            None if self.at_most is None else max(self.at_most, known * self.at_most_percent / 100)
        )

    def of(self, known: int) -> float:
        """Return the largest number that is allowed when `known` records are known."""
        share, cap = known * self.percent / 100, self.cap(known)
        return max(self.at_least, share if cap is None else min(share, cap))


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits. `kind` and `test` are those of removals. The defaults are those of the settings.

    Each applies to a run together with the 24 hours before it. Over 7 days `per_week` times as many
    pass.
    """

    kind: Limit = Limit(10, 10, 500, 3)
    test: Limit = Limit(3, 25, 100)
    updates: Limit = Limit(10, 50)
    creates: Limit = Limit(1_000, 100)
    updates_on_test: Limit | None = None
    creates_on_test: Limit | None = None
    per_week: float = 2
    configuration: Limit = Limit(10, 10)

    def of_kind(self, type_: ChangeType) -> Limit:
        """Return the limit of such changes of one kind."""
        return {
            ChangeType.REMOVALS: self.kind,
            ChangeType.UPDATES: self.updates,
            ChangeType.CREATES: self.creates,
        }[type_]

    def on_test(self, type_: ChangeType) -> Limit | None:
        """Return the limit of such changes of one kind on one test; None if there is none."""
        return {
            ChangeType.REMOVALS: self.test,
            ChangeType.UPDATES: self.updates_on_test,
            ChangeType.CREATES: self.creates_on_test,
        }[type_]


@dataclass(frozen=True, slots=True)
class Recent:
    """How many other records had such a change in the last 24 hours and in the last 7 days.

    Each record counts once. What a person allowed, or what has been taken back, does not count.
    """

    day: int = 0
    week: int = 0


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """A set of changes that are held, and allowed, as one."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Scope(ChangeGroup):
    """A set of changes that has a limit, such as `removals on test INF1000-H26`.

    `known` are known now. `recent` changes are added up with those of this run, so that a slow leak
    is noticed. `renumbered` of those who stay on the test get another candidate number. Where most
    do, the cells of a column may have moved against the others, and who seems to leave may be
    another row's.
    """

    known: int
    limit: Limit
    type: ChangeType = ChangeType.REMOVALS
    recent: Recent = Recent()
    per_week: float = 2
    renumbered: int = 0
    kind: Kind | None = None
    test: str | None = None

    def excess(self) -> str:
        """Return the arithmetic by which this scope is held; empty when it is within its limit."""
        removals = self.type is ChangeType.REMOVALS
        # A first load, which may take days, has nothing that it could be compared with.
        if self.type is ChangeType.CREATES and self.known <= self.recent.week:
            return ""
        known, day = self._known_before(self.recent.day), self.recent.day
        if removals and known >= 2 and self.count >= self.known:
            return f"{self._counted(day, _DAY)} of {known} known: none would remain"
        if over := " and ".join(self._windows_over()):
            return over
        staying = self.known - self.count
        if removals and 2 * self.renumbered > max(0, staying):
            return (
                f"{self.count} of {self.known} known, and {self.renumbered} of the {staying} who "
                "stay get another number: are the rows shifted?"
            )
        return ""

    def _windows_over(self) -> Iterator[str]:
        """Yield the arithmetic of each window in which this run's changes are too many."""
        day, week = self.recent.day, self.recent.week
        # The 24 hours contain this run, and their limit is not less strict than one of the run
        # alone: what has left is added to what is known by at most as much.
        windows = [(day, _DAY, 1.0)]
        if week > day:
            windows.append((week, _WEEK, self.per_week))
        for recent, words, times in windows:
            known = self._known_before(recent)
            most, cap = times * self.limit.of(known), self.limit.cap(known)
            if self.count + recent > most:
                bound = f"max({self.limit.at_least}, {self.limit.percent:g}%"
                bound += ")" if cap is None else f" up to {_figure(cap)})"
                bound = bound if times == 1 else f"{times:g} × {bound}"
                counted = self._counted(recent, words)
                yield f"{counted} of {known} known is more than {bound} = {_figure(most)}"

    def _known_before(self, recent: int) -> int:
        """Return how many were known before the recent changes."""
        if self.type is ChangeType.REMOVALS:
            return self.known + recent
        return self.known - recent if self.type is ChangeType.CREATES else self.known

    def _counted(self, recent: int, words: str) -> str:
        return f"{self.count} in this run and {recent} in {words}" if recent else f"{self.count}"


_DAY, _WEEK = "the last 24 h", "the last 7 days"


def _figure(number: float) -> str:
    return f"{number:.12g}"


@dataclass(frozen=True, slots=True)
class HeldScope:
    """A group that is held as one: over its limit, or by another `cause` that its changes share.

    Attributes:
        scope: its changes.
        excess: why it is held.
        digest: what `apply --allow` takes.
        allowed: whether it was given.
        cause: what holds it.
        needs: the hashes without which this one allows nothing, as its changes are in their
            scopes as well.
        partial: whether other scopes hold some of its changes, which its hash does not allow.
        accepted: the sources without whose acceptance its removals are held for another reason.
        all_of: what its hash allows together, such as `all 25 held removals`; empty for its changes
            alone.
    """

    scope: ChangeGroup
    excess: str
    digest: str
    allowed: bool
    cause: Cause = Cause.LIMIT
    needs: tuple[str, ...] = ()
    partial: bool = False
    accepted: tuple[str, ...] = ()
    all_of: str = ""

    @property
    def remedy(self) -> str:
        """Return the complete command that allows it."""
        word = "for those that no other limit holds" if self.partial else "if it is right"
        if self.cause is Cause.UNDONE:
            word = "to send all of them again"
        if self.all_of:
            word = f"if {self.all_of} are right"
        return f"{word}: {allow(*self.needs, self.digest, accepted=self.accepted)}"
