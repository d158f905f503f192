"""The rows of sources that feeds join."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, text

from sync.state.staging import lookups


class JoinedRows:
    """The staged rows of joined sources, each source by its number."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def stage(self, number: int, rows: Iterable[tuple[str, lookups.Cells, int]]) -> int:
        """Stage the rows of a joined source (key, wanted cells, line), and return how many."""
        return lookups.stage_lookup(self._connection, number, rows)

    def find(self, number: int, keys: Sequence[str]) -> Mapping[str, lookups.StagedLookup]:
        """Return what a joined source has under these keys."""
        return lookups.look_up(self._connection, number, keys)

    def drop_line(self, number: int, line: int) -> None:
        """Remove one row of a joined source."""
        query = text("DELETE FROM lookup WHERE id = :id AND line = :line")
        self._connection.execute(query, {"id": number, "line": line})
