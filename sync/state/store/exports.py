"""An export of people from Inspera, to be compared with what is known."""

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection

from sync.records.base import Key, Kind
from sync.records.changes import Fields
from sync.records.remote import RemotePerson
from sync.state.compare import verification


class StagedExports:
    """The exported people of each kind."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def stage(self, kind: Kind, people: Iterable[RemotePerson]) -> int:
        """Stage an export of people, and return how many rows it has."""
        return verification.stage_export(self._connection, kind, people)

    def read(self, kind: Kind) -> Iterator[tuple[Key, Fields, RemotePerson | None]]:
        """Yield all active known people of a kind, each with their exported person."""
        return verification.match_export(self._connection, kind)

    def strangers(self, kind: Kind) -> Iterator[str]:
        """Yield the exported people who are not known."""
        return verification.find_unknown_in_export(self._connection, kind)
