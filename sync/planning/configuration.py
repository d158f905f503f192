"""What a change of the configuration would do, and whether a person must look first. Pure.

When the meaning of the feeds changed, the plan is compared with the plan by the earlier
configuration. The changes that only the new one makes are counted by kind and action.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sync.planning.limits import Limit
from sync.records.base import Kind
from sync.records.changes import CALLING, Action, Change

COUNTED = CALLING | {Action.WITHDRAW}
"""Actions that are counted and held: those that make calls, and a test's withdrawal."""


@dataclass(frozen=True, slots=True)
class ConfigurationChange:
    """A change of the configuration, before its effects are known.

    Attributes:
        settings: the changed settings, in one text.
        trouble: why the earlier configuration could not show all that it would do; each change of
            the kinds concerned then counts as one that only the new configuration makes.
        proven: the kinds and sources that the earlier configuration read completely. The source
            itself has not shrunk, whatever the new feeds leave out of it.
    """

    settings: str
    trouble: Sequence[str] = ()
    proven: Collection[tuple[Kind, str]] = ()


@dataclass(frozen=True, slots=True)
class ConfigurationImpact:
    """The changes that only the new configuration makes.

    Attributes:
        settings: the changed settings, in one text.
        trouble: see `ConfigurationChange`.
        counts: how many there are by kind and action.
        known: how many records of each of these kinds are known.
        limit: how many of a kind pass unasked.
        examples: the first of them by kind and action.
        held: whether they are held in this plan.
    """

    settings: str
    trouble: Sequence[str]
    counts: Mapping[tuple[Kind, Action], int]
    known: Mapping[Kind, int]
    limit: Limit
    examples: Mapping[tuple[Kind, Action], Sequence[Change]] = field(default_factory=dict)
    held: bool = False

    def effect(self) -> str:
        """Return what they do: `updates 300 learners, creates 4 tests`."""
        parts = (
            f"{action}s {_number(count, kind)}" for (kind, action), count in self.counts.items()
        )
        return ", ".join(parts) or "changes nothing that is sent"

    def excess(self) -> str:
        """Return the arithmetic by which they are held; empty when they are within the limit."""
        return " and ".join(self._over())

    def _over(self) -> Iterator[str]:
        totals = Counter[Kind]()
        for (kind, _), count in self.counts.items():
            totals[kind] += count
        for kind, count in totals.items():
            known = self.known.get(kind, 0)
            most = self.limit.of(known)
            if kind not in self.first_loads and count > most:
                cap = self.limit.cap(known)
                bound = f"max({self.limit.at_least}, {self.limit.percent:g}%"
                bound += ")" if cap is None else f" up to {cap:g})"
                changes = f"{count:,} changes of {_number(known, kind, 'known ')}"
                yield f"{changes} is more than {bound} = {most:g}"

    @property
    def first_loads(self) -> frozenset[Kind]:
        """Return the kinds of which nothing is known yet: loading them is never held."""
        return frozenset(kind for kind, _ in self.counts if not self.known.get(kind, 0))


def _number(count: int, kind: Kind, word: str = "") -> str:
    plural = "" if count == 1 or kind is Kind.STAFF else "s"
    return f"{count:,} {word}{kind}{plural}"
