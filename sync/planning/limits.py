"""How many changes go unasked, and what is held because it is more. Pure (rules 15)."""

from dataclasses import dataclass

from sync.records.base import Kind
from sync.records.changes import Cause


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
    """All limits: removals of a kind, on one test, updates, and what a new configuration does.

    The defaults are those of the settings.
    """

    kind: Limit = Limit(10, 10, 500, 3)
    test: Limit = Limit(3, 25, 100)
    updates: Limit = Limit(10, 50)
    configuration: Limit = Limit(10, 10)


@dataclass(frozen=True, slots=True)
class Scope:
    """A set of changes that is counted as one, such as `removals on test INF1000-H26`.

    `recent` were removed in the last 24 hours and are not known any more: a loss is added up,
    however it is spread. `renumbered` of those who stay on the test get another candidate number.
    Where most do, the cells of a column may have moved against the others, and who seems to leave
    may be another row's.
    """

    name: str
    count: int
    known: int
    limit: Limit
    removals: bool = True
    recent: int = 0
    renumbered: int = 0
    kind: Kind | None = None
    test: str | None = None

    def excess(self) -> str:
        """Return the arithmetic by which this scope is held; empty when it is within its limit."""
        known = self.known + self.recent
        most, cap = self.limit.of(known), self.limit.cap(known)
        counted = (
            f"{self.count} in this run and {self.recent} in the last 24 h"
            if self.recent
            else f"{self.count}"
        )
        if self.removals and known >= 2 and self.count >= self.known:
            return f"{counted} of {known} known: none would remain"
        if self.count + self.recent > most:
            bound = f"max({self.limit.at_least}, {self.limit.percent:g}%"
            bound += ")" if cap is None else f" up to {cap:g})"
            return f"{counted} of {known} known is more than {bound} = {most:g}"
        if 2 * self.renumbered > max(0, self.known - self.count):
            staying = f"{self.renumbered} of the {self.known - self.count} who stay"
            return (
                f"{self.count} of {self.known} known, and {staying} get another number: "
                "are the rows shifted?"
            )
        return ""


@dataclass(frozen=True, slots=True)
class HeldScope:
    """A scope that is held as one: over its limit, or by another `cause` that its changes share.

    Attributes:
        scope: its changes.
        excess: why it is held.
        digest: what `apply --allow` takes.
        allowed: whether it was given.
        cause: what holds it.
        needs: the hashes without which this one allows nothing, as its changes are in their
            scopes as well.
        accepted: the sources without whose acceptance its removals are held for another reason.
        partial: whether other scopes hold some of its changes, which its hash does not allow.
    """

    scope: Scope
    excess: str
    digest: str
    allowed: bool
    cause: Cause = Cause.LIMIT
    needs: tuple[str, ...] = ()
    partial: bool = False
    accepted: tuple[str, ...] = ()

    @property
    def remedy(self) -> str:
        """Return the complete command that allows it."""
        word = "for those that no other limit holds" if self.partial else "if it is right"
        flags = [f"--accept-shrink {one}" for one in self.accepted]
        flags += [f"--allow {one}" for one in (*self.needs, self.digest)]
        return f"{word}: apply {' '.join(flags)}"
