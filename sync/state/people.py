"""All that the state keeps about one person: to show it to them, or to forget it.

Where people are is derived from the schema, so that a new table is not left out.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Table, text

from sync.records.base import Kind
from sync.records.kinds import KEY_FIELDS, PEOPLE, PERSON_OF
from sync.state.audit import people as audit_people
from sync.state.audit.reader import read_lines
from sync.state.dialect import is_postgres
from sync.state.schema import KNOWN, METADATA

FORGOTTEN = "(forgotten)"
"""What stands in a message in the place of a person."""

_FREE_TEXT = {
    "run": ("reason",),
    "finding": ("text", "place"),
    "intent": ("message",),
    "refused": ("message",),
    "hold": ("reason", "name"),
    "held_change": ("reason", "place"),
    "decision": ("why",),
    "undone": ("why",),
    "test_trait": ("message",),
}
"""Columns with sentences, which may quote a person's key, login, external id or address."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person of the state, by kind and key."""

    kind: Kind
    key: str

    @property
    def places(self) -> Kind:
        """Return the kind of what they are on tests."""
        return next(kind for kind, whose in PERSON_OF.items() if whose is self.kind)


@dataclass(frozen=True, slots=True)
class Standing:
    """What matters before a person is forgotten.

    Attributes:
        rows: how many rows each table has about them.
        open_calls: how many calls have no known outcome yet.
        source: the source that named them when it was last read; empty for none.
        seats: how many seats or duties on tests this tool has put there.
    """

    rows: Mapping[str, int]
    open_calls: int
    source: str
    seats: int


def find_kinds(connection: Connection, key: str) -> list[Kind]:
    """Return the kinds of people with this key of which anything is kept."""
    return [kind for kind in PEOPLE if any(_counts(connection, Person(kind, key)).values())]


def read_standing(connection: Connection, person: Person) -> Standing:
    """Return what matters before this person is forgotten."""
    values = {"person": person.kind.value, "place": person.places.value, "key": person.key}
    opened = f"SELECT count(*) FROM intent WHERE outcome IS NULL AND {_RECORD}"
    source = f"SELECT source FROM known_{person.kind} WHERE key = :key"
    whose = KEY_FIELDS[person.places][1]
    seats = f"SELECT count(*) FROM known_{person.places} WHERE {whose} = :key AND managed"
    return Standing(
        _counts(connection, person),
        int(connection.execute(text(opened), values).scalar_one()),
        str(connection.execute(text(source), values).scalar() or ""),
        int(connection.execute(text(seats), values).scalar_one()),
    )


_RECORD = "((kind = :person AND k1 = :key) OR (kind = :place AND k2 = :key))"
_SNAPSHOT = (
    "((k1 = :key AND :person IN (SELECT w.kind FROM watermark w WHERE w.feed = snapshot.feed))"
    " OR (k2 = :key AND :place IN (SELECT w.kind FROM watermark w WHERE w.feed = snapshot.feed))"
    " OR ((k2 = :key OR k1 = :key)"
    " AND NOT EXISTS (SELECT 1 FROM watermark w WHERE w.feed = snapshot.feed)))"
)


def _places(person: Person) -> Iterator[tuple[Table, str]]:
    """Yield the tables with rows about this person, and which rows these are."""
    of_known = {KNOWN[person.kind]: "key = :key"}
    of_known[KNOWN[person.places]] = f"{KEY_FIELDS[person.places][1]} = :key"
    for table in METADATA.sorted_tables:
        columns = set(table.columns.keys())
        if table in of_known:
            yield table, of_known[table]
        elif {"kind", "k1", "k2"} <= columns:
            yield table, _RECORD
        elif {"k1", "k2"} <= columns:
            yield table, _SNAPSHOT
        elif {"kind", "key"} <= columns:
            yield table, "kind = :person AND key = :key"


def _values(person: Person) -> dict[str, str]:
    return {"person": person.kind.value, "place": person.places.value, "key": person.key}


def _counts(connection: Connection, person: Person) -> dict[str, int]:
    return {
        table.name: int(
            connection.execute(
                text(f"SELECT count(*) FROM {table.name} WHERE {where}"), _used(person, where)
            ).scalar_one()
        )
        for table, where in _places(person)
    }


def _used(person: Person, where: str) -> dict[str, str]:
    return {name: value for name, value in _values(person).items() if f":{name}" in where}


def export(connection: Connection, person: Person) -> dict[str, Any]:
    """Return everything that is kept about a person, by table, and their lines of the audit log."""
    kept: dict[str, Any] = {}
    for table, where in _places(person):
        if table.name == "audit_person":
            continue  # a salt tells nothing about a person
        query = text(f"SELECT * FROM {table.name} WHERE {where}")
        rows = [
            {
                name: value.hex() if isinstance(value, bytes) else value
                for name, value in row._mapping.items()
            }
            for row in connection.execute(query, _used(person, where))
        ]
        if rows:
            kept[table.name] = rows
    name = audit_people.find_pseudonym(connection, person.kind, person.key)
    if name:
        kept["audit"] = [
            {part: getattr(read.line, part) for part in ("number", "at", "who", "run", "event")}
            | {part: getattr(read.line, part) for part in ("kind", "action", "record", "outcome")}
            for read in read_lines(connection, pseudonym=name)
        ]
    return kept


@dataclass(slots=True)
class Eraser:
    """Forgets people, within one transaction; the caller commits, and calls `wipe` after it."""

    connection: Connection
    _words: set[str] = field(default_factory=set)

    def prepare(self) -> None:
        """Have SQLite write zeros over what is deleted, outside of a transaction."""
        if not is_postgres(self.connection):
            driver: Any = self.connection.connection.driver_connection
            driver.execute("PRAGMA secure_delete = ON")

    def forget(self, person: Person) -> None:
        """Delete all rows about a person, and note their words, which `scrub` takes from texts."""
        self._words |= set(self._words_of(person))
        for table, where in _places(person):
            self.connection.execute(
                text(f"DELETE FROM {table.name} WHERE {where}"), _used(person, where)
            )
        self.connection.execute(
            text("DELETE FROM hold WHERE id NOT IN (SELECT hold FROM held_change)")
        )

    def _words_of(self, person: Person) -> Iterator[str]:
        yield person.key
        names = ("username", "external_id", "email", "first_name", "last_name")
        query = f"SELECT {', '.join(names)} FROM known_{person.kind} WHERE key = :key"
        row = self.connection.execute(text(query), {"key": person.key}).first()
        if row is None:
            return
        yield from filter(None, (row.username, row.external_id, row.email))
        if row.first_name and row.last_name:
            yield f"{row.first_name} {row.last_name}"

    def scrub(self) -> None:
        """Take the words of those who were forgotten out of all sentences that remain."""
        if not self._words:
            return
        words = "|".join(re.escape(one) for one in sorted(self._words, key=len, reverse=True))
        pattern = re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE)
        for name, columns in _FREE_TEXT.items():
            self._scrub_table(METADATA.tables[name], columns, pattern)

    def _scrub_table(
        self, table: Table, columns: Collection[str], pattern: re.Pattern[str]
    ) -> None:
        keys = [column.name for column in table.primary_key]
        listed = ", ".join(f'"{one}"' for one in (*keys, *columns))
        changed = []
        for row in self.connection.execute(text(f"SELECT {listed} FROM {table.name}")):
            old = {name: row._mapping[name] or "" for name in columns}
            new = {name: pattern.sub(FORGOTTEN, value) for name, value in old.items()}
            if new != old:
                changed.append({**{name: row._mapping[name] for name in keys}, **new})
        if changed:
            sets = ", ".join(f'"{name}" = :{name}' for name in columns)
            same = " AND ".join(f'"{name}" = :{name}' for name in keys)
            self.connection.execute(text(f"UPDATE {table.name} SET {sets} WHERE {same}"), changed)

    def wipe(self) -> bool:
        """Leave no bytes of what was deleted in a state in a file, outside of a transaction.

        Return whether that was done: another reader may still need them.
        """
        if is_postgres(self.connection):
            return True
        driver: Any = self.connection.connection.driver_connection
        driver.execute("VACUUM main")
        (busy, *_rest), *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return not busy
