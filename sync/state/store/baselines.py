"""The baselines of sources: what each contained when it was last complete."""

from collections.abc import Collection, Mapping, Sequence

from sync.records.base import Kind
from sync.state.compare import provenance
from sync.state.staging import tails
from sync.state.store.scope import RunScope


class Baselines:
    """What each source contained when it was last complete."""

    def __init__(self, scope: RunScope) -> None:
        self._scope, self._connection = scope, scope.connection

    def set_sources(
        self, sources: Mapping[Kind, Collection[str]], accepted: Collection[Kind] = ()
    ) -> None:
        """Set the sources of each kind: none removes what another one has named.

        Of the `accepted` kinds a person has said that what they name now is correct.
        """
        self._scope.sources = {kind: tuple(names) for kind, names in sources.items()}
        self._scope.accepted = frozenset(accepted)

    def shrinkage(self, kind: Kind, source: str) -> tuple[int, int]:
        """Return how many records of this source no feed names any more, and how many it named."""
        sources = self._scope.sources.get(kind, ())
        return provenance.count_shrinkage(self._connection, kind, source, sources)

    def note_sources(
        self,
        feeds: Sequence[tuple[Kind, str]],
        proven: Collection[tuple[Kind, str]],
        accepted: Collection[str] = (),
    ) -> None:
        """Record which source names each known record.

        `feeds` are the kinds and sources of feeds by number.
        """
        provenance.record_sources(self._connection, feeds, proven, accepted)

    def groups_of(self, source: str) -> frozenset[str]:
        """Return the groups that the source had when it was last complete."""
        return provenance.read_groups(self._connection, source)

    def keep_groups(self, source: str, groups: Collection[str]) -> None:
        """Record the groups that the source has."""
        provenance.store_groups(self._connection, source, groups)

    def rows_of(self, source: str, sources: Collection[str]) -> int:
        """Return how many rows a joined source had when it was complete.

        `sources` are all joined ones. 0 if it never was.
        """
        return provenance.read_row_count(self._connection, source, sources)

    def keep_rows(self, rows: Mapping[str, int], sources: Collection[str]) -> None:
        """Record how many rows joined sources have; `sources` are all that exist."""
        provenance.store_row_counts(self._connection, rows, sources)

    def lost_tail(self, kind: Kind, source: str, least: int, *, tests_whole: bool) -> int:
        """Return how many last records of the last delivery are all missing (see `tails.lost`)."""
        return tails.count_lost(self._connection, kind, source, least, tests_whole=tests_whole)

    def keep_tails(
        self, feeds: Mapping[tuple[Kind, str], Sequence[int]], sources: Collection[str]
    ) -> None:
        """Record the last records of sources, by their feeds; `sources` are all that exist."""
        for (kind, source), by_feed in feeds.items():
            tails.store_tail(self._connection, kind, source, by_feed)
        tails.forget_other_sources(self._connection, sources)

    def ended_whole(self, source: str) -> bool:
        """Tell whether the source's last delivery ended in a line end."""
        return tails.ended_in_line_end(self._connection, source)

    def keep_endings(self, endings: Mapping[str, bool]) -> None:
        """Record of each source whether its delivery ended in a line end."""
        for source, whole in endings.items():
            tails.store_ending(self._connection, source, whole=whole)
