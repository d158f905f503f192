"""The snapshots of feeds, from which a run that reads only changes takes the rest."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sync.records.base import Kind
from sync.state.staging import snapshot
from sync.state.store.scope import RunScope


class Snapshots:
    """The last complete contents of feeds, each feed by its digest."""

    def __init__(self, scope: RunScope) -> None:
        self._scope, self._connection = scope, scope.connection

    def mark_of(self, feed: str) -> str:
        """Return from where a feed is to be read for changes; empty when all of it must be read."""
        return snapshot.read_watermark(self._connection, feed)

    def exists(self, feed: str) -> bool:
        """Tell whether there is a snapshot of this feed, made under the same rules."""
        return snapshot.has_snapshot(self._connection, feed)

    def cover(
        self, number: int, kind: Kind, feed: str, mark: str, *, source: str, whole: bool
    ) -> int:
        """Record what was staged of a feed, and stage the rest from its last snapshot, if any.

        Returns:
            How many records that adds to the wanted ones.
        """
        snapshot.begin_snapshot(
            self._connection, number, kind, feed, mark, source=source, whole=whole
        )
        if whole:
            return 0
        fingerprint_of = self._scope.fingerprint_of
        return snapshot.stage_unchanged(self._connection, number, kind, feed, fingerprint_of)

    def keep(self, now: datetime, feeds: Iterable[str], unhealthy: Collection[str] = ()) -> None:
        """Store this run's snapshots with their marks, and drop those of other feeds.

        What an unhealthy source no longer names stays in the snapshots of its feeds.
        """
        snapshot.store_snapshots(self._connection, now, unhealthy)
        snapshot.forget_other_feeds(self._connection, feeds)
