"""Recent readings of tests, which several changes of one test share within a run.

A reading decides only while it is recent and nothing was sent to its part of the test since.
Removals and reading back never use one (rules 10 and 17).
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Final, TypeVar

from sync.records.base import Kind
from sync.records.remote import Members, RemoteTest

T = TypeVar("T")

LONGEST: Final = 60.0
"""Seconds for which a reading counts as recent."""

MOST: Final = 64
"""The most tests of which readings are kept: memory does not grow with a plan."""


@dataclass(frozen=True, slots=True)
class TestMatches:
    """The tests with an external id.

    `conclusive` is false when the tenant answered 404 and has never answered a search with success.
    Then no match proves nothing: the tenant may lack the call.
    """

    matches: tuple[RemoteTest, ...]
    conclusive: bool = True


class RecentReadings:
    """The recent readings of a run, by test. Thread-safe.

    Every write forgets what it may have changed. `elapsed` returns seconds from any origin.
    """

    def __init__(self, elapsed: Callable[[], float]) -> None:
        self._elapsed, self._lock = elapsed, Lock()
        self._searches: OrderedDict[str, tuple[float, TestMatches]] = OrderedDict()
        self._members: OrderedDict[str, dict[Kind, tuple[float, Members]]] = OrderedDict()

    def keep_search(self, external_test_id: str, found: TestMatches, at: float) -> None:
        """Keep what a search that began `at` this time has found."""
        with self._lock:
            self._searches[external_test_id] = (at, found)
            _limit(self._searches)

    def take_search(self, external_test_id: str) -> TestMatches | None:
        """Return what a recent search has found, for one use; None to search again."""
        with self._lock:
            kept = self._searches.pop(external_test_id, None)
        return kept[1] if kept and self._is_recent(kept[0]) else None

    def keep_members(self, remote_id: str, read: Mapping[Kind, Members], at: float) -> None:
        """Keep what one reading that began `at` this time shows of the kinds on a test."""
        shown = {kind: (at, members) for kind, members in read.items() if members.readable}
        with self._lock:
            self._members.setdefault(remote_id, {}).update(shown)
            self._members.move_to_end(remote_id)
            _limit(self._members)

    def find_members(self, remote_id: str, kind: Kind) -> Members | None:
        """Return what a recent reading shows of a kind on a test; None to read again."""
        with self._lock:
            kept = self._members.get(remote_id, {}).get(kind)
        return kept[1] if kept and self._is_recent(kept[0]) else None

    def forget_members(self, remote_id: str, kind: Kind | None = None) -> None:
        """Forget what was read of a kind on a test, or of all kinds, because it was written."""
        with self._lock:
            if kind is None:
                self._members.pop(remote_id, None)
            else:
                self._members.get(remote_id, {}).pop(kind, None)

    def forget_search(self, external_test_id: str) -> None:
        """Forget what a search has found, because the test was written."""
        with self._lock:
            self._searches.pop(external_test_id, None)

    def _is_recent(self, at: float) -> bool:
        return self._elapsed() - at <= LONGEST


def _limit(kept: OrderedDict[str, T]) -> None:
    while len(kept) > MOST:
        kept.popitem(last=False)
