"""The accounts that Inspera's exports name: logins, and external ids where the exports have them.

They are in the scratch, so that memory does not grow with their number and nothing of them is kept.
"""

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, text

from sync.records.base import Kind
from sync.records.remote import RemotePerson
from sync.state.dialect import analyse, casefold_sql, create_index, insert
from sync.state.sqlite.open import count
from sync.state.staging.scratch import chunks

_COLUMNS = ("number", "login", "auth_system", "external_id")


def stage_accounts(
    connection: Connection, kind: Kind, people: Iterable[RemotePerson]
) -> tuple[int, int]:
    """Store the accounts of an export, one row for each external id.

    Logins are stored without regard to case, as usernames are compared (rules 31). Returns how many
    accounts there are, and how many of them have no login.
    """
    total = nameless = 0

    def rows() -> Iterator[tuple[object, ...]]:
        nonlocal total, nameless
        for total, person in enumerate(people, 1):
            login = (person.username or "").strip().casefold() or None
            nameless += login is None
            for auth_system, external_id in person.external_ids or ((None, None),):
                yield (total, login, auth_system, external_id)

    for chunk in chunks(rows()):
        insert(connection, "existing_account", _COLUMNS, chunk, kind=kind.value)
    create_index(connection, "ix_existing_login", "existing_account (login)")
    create_index(connection, "ix_existing_id", "existing_account (external_id)")
    analyse(connection, "existing_account")
    return total, nameless


def discard_accounts(connection: Connection, kind: Kind) -> None:
    """Delete what was stored of an export that could not be read to its end."""
    connection.execute(
        text("DELETE FROM existing_account WHERE kind = :kind"), {"kind": kind.value}
    )


def has_account(
    connection: Connection, login: str, auth_system: str | None, external_id: str | None
) -> bool:
    """Tell whether an export names an account with this login or this external id."""
    query = text(
        "SELECT 1 FROM existing_account WHERE login = :login UNION ALL"
        " SELECT 1 FROM existing_account WHERE external_id = :external_id"
        " AND auth_system = :auth_system LIMIT 1"
    )
    values = {"login": login.casefold(), "auth_system": auth_system, "external_id": external_id}
    return connection.execute(query, values).first() is not None


def are_all_shared(connection: Connection, kind: Kind, other: Kind) -> bool:
    """Tell whether every login in the export of a kind is in that of the other kind, too."""
    query = text(
        "SELECT 1 FROM existing_account a WHERE a.kind = :kind AND a.login IS NOT NULL AND NOT"
        " EXISTS (SELECT 1 FROM existing_account b WHERE b.kind = :other AND b.login = a.login)"
        " LIMIT 1"
    )
    return connection.execute(query, {"kind": kind.value, "other": other.value}).first() is None


def shows_external_ids(connection: Connection, kind: Kind) -> bool:
    """Tell whether the export of this kind has external ids."""
    query = "SELECT 1 FROM existing_account WHERE kind = :kind AND external_id IS NOT NULL LIMIT 1"
    return connection.execute(text(query), {"kind": kind.value}).first() is not None


def count_lacking(connection: Connection, kind: Kind, before: str) -> tuple[int, int]:
    """Return how many known active people the export lacks, and how many there are.

    Only those count that were last written before this time (UTC text): a newer account may not be
    in the export yet.
    """
    known = (
        f"SELECT count(*) FROM known_{kind} k WHERE k.lifecycle = 'active'"
        " AND k.username IS NOT NULL AND k.updated < :before"
    )
    login = casefold_sql(connection, "k.username")
    lacking = (
        f"{known} AND NOT EXISTS (SELECT 1 FROM existing_account e WHERE e.kind = :kind"
        f" AND e.login = {login})"
    )
    return (
        count(connection, lacking, before=before, kind=kind.value),
        count(connection, known, before=before),
    )
