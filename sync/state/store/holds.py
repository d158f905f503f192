"""What a run holds, and what people have decided about it before."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection

from sync.planning.decided import DecidedChange
from sync.planning.limits import HeldScope
from sync.records.base import Key, Kind
from sync.records.changes import Cause, PlannedChange
from sync.state import decisions, holds
from sync.state.compare import plan_reader


class StoredHolds:
    """The holds of a run, and the decisions that it begins with."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep_planned(
        self, run_id: int, now: datetime, kinds: Collection[Kind], scopes: Sequence[HeldScope]
    ) -> None:
        """Store what the plan holds of these kinds, instead of what earlier plans held."""
        holds.keep_planned(self._connection, run_id, now, kinds, scopes)
        self._connection.commit()

    def note(self, line: PlannedChange, cause: Cause, reason: str) -> None:
        """Note that a line is held although the plan lets it pass: Inspera was read."""
        holds.note_while_sending(self._connection, line, cause, reason)

    def keep_noted(
        self, run_id: int, now: datetime, kinds: Collection[Kind], *, whole: bool
    ) -> None:
        """Store what was held while sending; `whole` says that all of the plan was sent."""
        holds.keep_while_sending(self._connection, run_id, now, kinds, whole=whole)
        self._connection.commit()

    def is_drafted(self, kind: Kind, key: Key) -> bool:
        """Tell whether anything is to be done about a record, also when nobody asked for it."""
        return plan_reader.is_drafted(self._connection, kind, key)

    def take_expired(self, now: datetime) -> list[DecidedChange]:
        """Forget the approvals that count no more, and return them."""
        return decisions.take_expired(self._connection, now)

    def forget(self, decided: Sequence[DecidedChange]) -> None:
        """Forget these decisions."""
        decisions.delete(self._connection, decided)

    def forget_silent(self) -> None:
        """Forget the approvals of changes that make no call, once these are stored."""
        decisions.use_up_silent(self._connection)
        self._connection.commit()

    def mark_tried(self, run_id: int, kinds: Collection[Kind]) -> None:
        """Record that a run has begun with the decisions about these kinds."""
        decisions.mark_tried(self._connection, run_id, kinds)
        self._connection.commit()
