"""Takes Inspera's side of drift into what is known, so that the next plan sees the difference.

That plan then sends what the sources say, through the guard and the journal like anything else.
"""

from collections import Counter

from sync.engine.compare import taken_over
from sync.engine.reconcile import Drift, DriftGroup
from sync.planning.limits import Limit, Scope
from sync.records.base import Kind
from sync.state.journal import Journal
from sync.state.store import Store


def take_over(drift: Drift, journal: Journal) -> bool:
    """Take Inspera's values of a drift as known; return False when it is left alone.

    It is left alone while its test runs, for example.

    Somebody who is gone from a running test may come back: that is an addition.
    """
    if not drift.managed or (
        drift.under_way and not (drift.heap is DriftGroup.GONE and drift.kind is Kind.CANDIDATE)
    ):
        return False
    if drift.heap is DriftGroup.GONE:
        # What named a person or a test went with it
        journal.known.forget_with_candidates(drift.kind, drift.key)
        return True
    if drift.there is not None:
        known = taken_over(drift.kind, drift.known, drift.there)
        journal.known.remember(drift.kind, drift.key, known, managed=bool(drift.known["managed"]))
        if drift.kind is Kind.CANDIDATE and "extra_time" in drift.fields:
            # Also where we did not put the candidate there
            journal.known.accept(drift.kind, drift.key)
    return True


class Repair:
    """The repair of drift, which takes Inspera's values as known.

    What is gone waits until all has been read, since the limit of removals applies to it first.

    No more of a kind is kept than its limit allows. `taken` and `left` count what was taken over
    and what was not.
    """

    def __init__(self, store: Store, journal: Journal, limit: Limit) -> None:
        self._store, self._journal, self._limit = store, journal, limit
        self._known: dict[Kind, int] = {}
        self._gone: dict[Kind, list[Drift]] = {}
        self._counts: Counter[Kind] = Counter()
        self.taken = self.left = 0

    def take(self, drift: Drift) -> None:
        """Take over what was changed; what is gone is kept for `finish`."""
        if drift.heap is DriftGroup.GONE:
            self._keep(drift)
        elif drift.managed:
            self._settle(drift)

    def finish(self) -> list[tuple[Kind, Scope]]:
        """Take over what is gone, and return the kinds of which too much is, with their arithmetic.

        Nothing of these kinds is taken over.
        """
        held = []
        for kind, gone in self._gone.items():
            scope = Scope(f"gone of {kind}", self._counts[kind], self._known[kind], self._limit)
            if scope.excess():
                self.left += scope.count
                held.append((kind, scope))
                continue
            for drift in gone:
                self._settle(drift)
        return held

    def _keep(self, drift: Drift) -> None:
        kind = drift.kind
        if kind not in self._known:
            self._known[kind] = sum(1 for _ in self._store.known.everything(kind))
        self._counts[kind] += 1
        kept = self._gone.setdefault(kind, [])
        if self._counts[kind] <= self._limit.of(self._known[kind]):
            kept.append(drift)

    def _settle(self, drift: Drift) -> None:
        taken = take_over(drift, self._journal)
        self.taken += taken
        self.left += not taken
