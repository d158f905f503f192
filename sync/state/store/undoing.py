"""The changes of an earlier run, and what takes them back."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from sync.planning.undo import Inverse, RecordedChange
from sync.records.base import Key, Kind
from sync.state import undone
from sync.state.compare import inverse
from sync.state.compare.inverse import ChangingRun
from sync.state.store.scope import RunScope


class Undoing:
    """The inverse of an earlier run: as recorded, as staged, and as it is remembered."""

    def __init__(self, scope: RunScope) -> None:
        self._scope, self._connection = scope, scope.connection

    def runs(self, most: int) -> Sequence[ChangingRun]:
        """Return the newest runs that have changed something, the newest first."""
        return inverse.read_changing_runs(self._connection, most)

    def command(self, run_id: int) -> str | None:
        """Return the command of a run; None for a run that the state does not know."""
        return inverse.read_command(self._connection, run_id)

    def recorded(self, run_id: int) -> Iterator[RecordedChange]:
        """Yield the changes that a run was about to send, with what is known by now."""
        one_way = {name for name, rule in self._scope.options.items() if rule.one_way}
        for one in inverse.read_recorded(self._connection, run_id, self._scope.fingerprint_of):
            is_one_way = one.kind is Kind.OPTION and one.key[1] in one_way
            yield replace(one, one_way=True) if is_one_way else one

    def stage(self, inverses: Iterable[tuple[RecordedChange, Inverse]]) -> None:
        """Stage what is wanted instead of these changes."""
        inverse.stage_inverses(self._connection, inverses, self._scope.fingerprint_of)

    def undrafted(self) -> Iterator[tuple[Kind, Key]]:
        """Yield the staged records of which nothing is to be changed after all."""
        return inverse.find_undrafted(self._connection)

    def name_command(self, command: str) -> None:
        """Name in the reasons of the draft the command that takes their hashes."""
        inverse.name_command(self._connection, command)

    def remember(self, now: datetime, run_id: int, undo_run: int, person: str, why: str) -> None:
        """Store, before it is sent, what is undone, so that no later run sends it again."""
        undone.remember(self._connection, now, run_id, undo_run, person, why)
        self._connection.commit()

    def settle(self, undo_run: int) -> None:
        """Forget what could not be undone, and what an undo of an undo has brought back."""
        undone.settle(self._connection, undo_run)
        self._connection.commit()
