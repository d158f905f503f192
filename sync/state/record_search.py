"""The search for people and tests in what is known, and where a person or a test appears."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, text

from sync.records.base import Key, Kind
from sync.records.kinds import PERSON_OF

_AFTER_ALL = "\U0010ffff"
"""A character that sorts after every other one: the end of a range of keys that begin alike."""

_PEOPLE = (Kind.LEARNER, Kind.STAFF)


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A record that a search has found: its name or title, and its login or start."""

    kind: Kind
    key: Key
    name: str
    note: str


def find_records(connection: Connection, words: str, most: int) -> Sequence[FoundRecord]:
    """Return people and tests whose key, login, name or title is, or begins with, these words.

    Names are searched only when nothing has such a key or login: they have no index.
    """
    exact = list(_matches(connection, "= :words", words, most))
    if exact:
        return exact
    begins = ">= :words AND {column} < :end"
    found = list(_matches(connection, begins, words, most))
    # An index tells upper from lower case: names are tried as they are written, and as names are.
    names = dict.fromkeys((words, words.title(), words.capitalize()))
    return found or next(filter(None, (list(_named(connection, one, most)) for one in names)), [])


def _matches(
    connection: Connection, condition: str, words: str, most: int
) -> Iterator[FoundRecord]:
    values = {"words": words, "end": words + _AFTER_ALL, "most": most}
    for kind in (*_PEOPLE, Kind.TEST):
        seen = set()
        for column in ("key",) if kind is Kind.TEST else ("key", "username"):
            where = f"{column} {condition.format(column=column)}"
            for one in _read(connection, kind, where, values):
                if one.key not in seen:
                    seen.add(one.key)
                    yield one


def _named(connection: Connection, words: str, most: int) -> Iterator[FoundRecord]:
    """Yield people by their last name, or by first and last, and tests by a part of their title."""
    first, _, last = words.rpartition(" ")
    values = {"last": last, "end": last + _AFTER_ALL, "first": f"{_escaped(first)}%", "most": most}
    where = "last_name >= :last AND last_name < :end"
    if first:
        where += " AND first_name LIKE :first ESCAPE '\\'"
    for kind in _PEOPLE:
        yield from _read(connection, kind, where, values)
    title = {"any": f"%{_escaped(words.lower())}%", "most": most}
    yield from _read(connection, Kind.TEST, "lower(title) LIKE :any ESCAPE '\\'", title)


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _read(
    connection: Connection, kind: Kind, where: str, values: Mapping[str, object]
) -> Iterator[FoundRecord]:
    columns = "title AS first_name, NULL AS last_name, start AS note"
    if kind is not Kind.TEST:
        columns = "first_name, last_name, username AS note"
    query = f"SELECT key, {columns} FROM known_{kind} WHERE {where} ORDER BY key LIMIT :most"
    for row in connection.execute(text(query), values):
        name = " ".join(filter(None, (row.first_name, row.last_name)))
        yield FoundRecord(kind, (row.key,), name, row.note or "")


@dataclass(frozen=True, slots=True)
class Place:
    """A seat or a role of a person on a test, or a person who is on a test."""

    kind: Kind
    key: Key
    name: str
    lifecycle: str
    start: str


def read_places(connection: Connection, kind: Kind, key: Key, most: int) -> Sequence[Place]:
    """Return where a person is on tests, the latest first, or who is on a test, by key."""
    found: list[Place] = []
    for on, person in PERSON_OF.items():
        if kind is person:
            where, name, order = f"r.{person} = :key", "t.title", "start DESC, r.test"
        elif kind is Kind.TEST:
            where, name, order = "r.test = :key", "''", f"r.{person}"
        else:
            continue
        query = text(
            f"SELECT r.test, r.{person} AS person, r.lifecycle, {name} AS name,"
            f" coalesce(t.start, '') AS start FROM known_{on} r"
            f" LEFT JOIN known_test t ON t.key = r.test WHERE {where} ORDER BY {order} LIMIT :most"
        )
        for row in connection.execute(query, {"key": key[0], "most": most}):
            place = Place(on, (row.test, row.person), row.name or "", row.lifecycle, row.start)
            found.append(place)
    return found[:most]


def read_names(connection: Connection, kind: Kind, keys: Collection[str]) -> Mapping[str, str]:
    """Return the names of known people by key."""
    if not keys:
        return {}  # an empty list has no type, and PostgreSQL takes it for numbers
    query = text(
        f"SELECT key, first_name, last_name FROM known_{kind} WHERE key IN :keys"
    ).bindparams(bindparam("keys", expanding=True))
    return {
        row.key: " ".join(filter(None, (row.first_name, row.last_name)))
        for row in connection.execute(query, {"keys": list(keys)})
    }
