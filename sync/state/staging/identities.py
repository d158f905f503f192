"""The fields that Inspera identifies by, each of which must have one bearer (rules 31).

They are the username, the external id and the external test id, compared by case too. Two
wanted records of one identity are row errors of both, and neither is sent. A person who is
wanted as a learner and as staff is held as well. A new record with the identity of a known one
is an error; when that one has vanished, it is held as an identity change. What is known of all
of them stays.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection, text

from sync.records.base import Key, Kind, RowError
from sync.records.changes import Fields
from sync.records.kinds import ON_A_TEST, PEOPLE
from sync.state.dialect import casefold_sql
from sync.state.staging.scratch import add_row_errors, drop_invalid


class Identity(NamedTuple):
    """A field by which Inspera tells records of these kinds apart, within `scope` (SQL)."""

    field: str
    kinds: tuple[Kind, ...]
    label: str
    article: str
    scope: str = "''"


IDENTITIES = (
    Identity("username", PEOPLE, "username", "a username"),
    Identity(
        "external_id", PEOPLE, "external id", "an external id", "coalesce({0}.auth_system, '')"
    ),
    Identity("external_test_id", (Kind.TEST,), "external test id", "an external test id"),
)

Record = tuple[Kind, str]
"""A kind of record and its key."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """A wanted record with an identity, and the place of its row.

    `before` says that only an earlier reading named it.
    """

    kind: Kind
    key: str
    place: str
    value: str = field(repr=False)
    before: bool = False

    @property
    def record(self) -> Record:
        """Return the kind and the key of the record."""
        return self.kind, self.key


@dataclass(slots=True)
class Clashes:
    """The errors of each record, and the records that share an identity, within and across kinds.

    `concerned` contains why nothing known of a record may be removed, also without a row error.
    """

    errors: dict[Record, list[RowError]] = field(default_factory=lambda: defaultdict(list))
    within: set[Record] = field(default_factory=set)
    across: set[Record] = field(default_factory=set)
    concerned: dict[Record, str] = field(default_factory=dict)

    @property
    def held(self) -> set[Record]:
        """Return who stays wanted, and is held."""
        return self.across - self.within

    def add(self, record: Record, row_error: RowError, *, across: bool) -> None:
        """Note an error of a record."""
        self.errors[record].append(row_error)
        (self.across if across else self.within).add(record)
        self.concern(record, f"{row_error.reason}; {row_error.remedy}")

    def concern(self, record: Record, reason: str) -> None:
        """Note that what is known of a record stays."""
        self.concerned.setdefault(record, reason)

    def row_errors(self, records: Iterable[Record]) -> list[RowError]:
        """Return the errors of these records, each once."""
        return list(
            dict.fromkeys(row_error for record in records for row_error in self.errors[record])
        )


def drop_records(connection: Connection, clashes: Clashes, records: Sequence[Record]) -> None:
    """Remove records with an error from what is wanted."""
    add_row_errors(connection, clashes.row_errors(records))
    for kind in sorted({kind for kind, _ in records}):
        drop_invalid(connection, kind)


def compared_sql(connection: Connection, identity: Identity, kind: Kind) -> tuple[str, str, str]:
    """Return the SQL for scope, compared value and bearer of what is wanted of a kind."""
    # No person is created only to be disabled, and a known one is compared as known.
    there = " AND coalesce(w.status, '') <> 'disabled'" if kind is Kind.STAFF else ""
    return (
        identity.scope.format("w"),
        casefold_sql(connection, f"w.{identity.field}"),
        f"w.{identity.field} <> ''{there}",
    )


ONE_OF_BOTH = (
    "leave the person out of the feed of learners or of that of staff (`where`), or correct the row"
)


def read_errors(connection: Connection) -> Mapping[tuple[Kind, Key], str]:
    """Return why records that share an identity are neither sent nor adopted."""
    rows = connection.execute(text("SELECT kind, k1, reason FROM clash WHERE error = 1")).fetchall()
    return {(Kind(row.kind), (str(row.k1),)): str(row.reason) for row in rows}


def find_reused(connection: Connection, kind: Kind, key: Key) -> Key | None:
    """Return the key of the vanished record whose identity this new one has."""
    query = text("SELECT min(old_key) FROM reused WHERE kind = :kind AND new_key = :key")
    old = connection.execute(query, {"kind": kind, "key": key[0]}).scalar()
    return None if old is None else (str(old),)


def find_holder(
    connection: Connection, kind: Kind, key: Key, fields: Fields, remote_id: str | None
) -> str:
    """Return the known record with this identity in Inspera, such as `learner 1001`; else empty."""
    if kind in ON_A_TEST:  # A member of a test is identified by the person's account.
        return ""
    # What is known of the record itself may be among the fields.
    about = {**fields, "remote_id": remote_id}
    for other in PEOPLE if kind in PEOPLE else (kind,):
        itself = {"key": key[0]} if other is kind else {}
        for names in _HOLDING:  # One by one, so that each uses its index.
            values = {name: about[name] for name in names if about.get(name)}
            if len(values) < len(names):
                continue
            conditions = [f"{name} = :{name}" for name in names] + ["key <> :key"] * len(itself)
            query = text(f"SELECT min(key) FROM known_{other} WHERE {' AND '.join(conditions)}")
            holding = connection.execute(query, {**values, **itself}).scalar()
            if holding is not None:
                return f"{other} {holding}"
    return ""


_HOLDING = (("remote_id",), ("username",), ("external_id", "auth_system"), ("external_test_id",))
"""The fields that identify an account or a test, each alone or both together."""
