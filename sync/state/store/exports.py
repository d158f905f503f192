"""An export of people from Inspera, to be compared with what is known."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import Connection

from sync.records.base import Key, Kind, utc_text
from sync.records.changes import Fields
from sync.records.remote import RemotePerson
from sync.state.compare import existing_accounts, verification


class StagedExports:
    """The exported people of each kind: all that an export says of them, or their accounts alone."""

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

    def stage_accounts(self, kind: Kind, people: Iterable[RemotePerson]) -> tuple[int, int]:
        """Stage logins and external ids; return the numbers of accounts, and of those without login."""
        return existing_accounts.stage_accounts(self._connection, kind, people)

    def discard_accounts(self, kind: Kind) -> None:
        """Forget the accounts of an export that can't be used."""
        existing_accounts.discard_accounts(self._connection, kind)

    def has_account(self, login: str, auth_system: str | None, external_id: str | None) -> bool:
        """Tell whether the staged accounts have this login, in any case, or this external id."""
        return existing_accounts.has_account(self._connection, login, auth_system, external_id)

    def are_all_shared(self, kind: Kind, other: Kind) -> bool:
        """Tell whether every staged login of a kind is one of the other kind, too."""
        return existing_accounts.are_all_shared(self._connection, kind, other)

    def shows_external_ids(self, kind: Kind) -> bool:
        """Tell whether the staged accounts of a kind have external ids."""
        return existing_accounts.shows_external_ids(self._connection, kind)

    def count_lacking(self, kind: Kind, before: datetime) -> tuple[int, int]:
        """Return how many people known before a time the accounts lack, and how many are known."""
        return existing_accounts.count_lacking(self._connection, kind, utc_text(before))
