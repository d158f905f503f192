"""What earlier runs left: calls without an outcome, a need for recovery, and what they wrote."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from sync.records.base import Key, Kind
from sync.records.changes import OpenIntent, WrittenRecord
from sync.state import history, journal, old_copy
from sync.state.compare import verification
from sync.state.sqlite.open import count


class EarlierRuns:
    """What the journal holds of earlier runs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def recovery_need(self) -> old_copy.RecoveryNeed | None:
        """Return why this state must be recovered before anything is sent; None if it need not."""
        return old_copy.read_recovery_need(self._connection)

    def open_intents(self) -> Iterator[OpenIntent]:
        """Yield the intents of earlier runs without an outcome."""
        return journal.open_intents(self._connection)

    def open_intent_count(self) -> int:
        """Return how many intents of earlier runs have no outcome."""
        return count(self._connection, "SELECT count(*) FROM intent WHERE outcome IS NULL")

    def newest(self) -> int:
        """Return the number of the newest run; 0 before the first."""
        return count(self._connection, "SELECT coalesce(max(id), 0) FROM run")

    def stays(self, now: datetime) -> Mapping[Kind, Sequence[Key]]:
        """Return those who stay without a source, as the last `apply` noted; needs no plan."""
        return history.read_unnamed(self._connection, now)

    def written(self, run_id: int, kind: Kind, most: int | None) -> Iterator[WrittenRecord]:
        """Yield what a run has written of a kind: up to `most` of it, spread evenly."""
        return verification.sample_written(self._connection, run_id, kind, most)
