"""The clashes of a plan, which are named and hold nothing."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime

from sqlalchemy import Connection

from sync.planning.clashes import Clash, ClashType
from sync.records.base import Kind
from sync.state.compare import clashes


class StoredClashes:
    """Learners on two tests at once, full rooms, and tests without candidates or graders."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, now: datetime, kinds: Collection[Kind], rooms: Mapping[str, int]) -> None:
        """Find the clashes. Needs everything decided, and the plan not yet closed.

        `kinds` are those that have a feed in this run, `rooms` the places of each room.
        """
        clashes.fill_clashes(self._connection, now, kinds, rooms)

    def keep(self, covers: Callable[[str], bool]) -> None:
        """Keep only the clashes of tests that are covered, by their keys."""
        clashes.keep_clashes(self._connection, covers)

    def counts(self) -> dict[ClashType, int]:
        """Return how many there are of each type."""
        return clashes.count_clashes(self._connection)

    def read(self, type_: ClashType, most: int | None = None) -> Iterator[Clash]:
        """Yield those of a type, the soonest first, at most `most`."""
        return clashes.read_clashes(self._connection, type_, most)

    def read_all(self) -> Iterator[Clash]:
        """Yield all clashes, type by type."""
        for type_ in self.counts():
            yield from self.read(type_)
