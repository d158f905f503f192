"""Small worlds with awkward keys: what is known, what feeds want, which rows are faults, what is under way."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from hypothesis import strategies as st
from sqlalchemy import Connection, text
from sync.engine.doors import Feed
from sync.errors import SourceError
from sync.mapping import CompiledFeed, fields_of, fingerprint
from sync.model import COMPARED, KEY_FIELDS, Candidate, Fault, Key, Kind, Learner, Record, Row, Test, key_of
from sync.state.scratch import columns_of, to_json

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)
LONG = "lang" * 80
LEARNER_KEYS = ("1", "01", "a", "A", "å", "Å", "aa", "æ ø", LONG)
TEST_KEYS = ("INF-1", "inf-1", "ØV 1", "øv 1", "1", "01")
HOURS = ((-48, 4), (-1, 4), (-2, 2), (24, 4), (24 * 30, 4))
"""Starts from now, and lengths: ended, under way, just over (but for extra time), soon, later."""

Identity = tuple[Kind, Key]


@dataclass
class World:
    """Everything that a plan rests on. Rows are records or faults, in the order of their lines."""

    known: dict[Identity, dict[str, Any]] = field(default_factory=dict)
    rows: dict[Kind, list[Record | Fault]] = field(default_factory=dict)
    unread: frozenset[Kind] = frozenset()
    under_way: dict[Identity, dict[str, Any]] = field(default_factory=dict)
    accepted: frozenset[Identity] = frozenset()

    def feeds(self) -> list[Feed]:
        """A feed for each kind; those of `unread` break off at their end."""
        return [self._feed(kind) for kind in Kind]

    def _feed(self, kind: Kind) -> Feed:
        made = self.rows[kind]

        def rows() -> Iterator[Row]:
            yield from (Row(line, {}) for line in range(len(made)))
            if kind in self.unread:
                raise SourceError(f"{kind}.csv", "is cut off", "export it again")

        mapper = cast("CompiledFeed", _Prepared(made))
        return Feed(kind, f"{kind}.csv", lambda: (), rows, mapper, may_be_empty=True)


@dataclass
class _Prepared:
    """Stands in for a feed's mapping: its rows are records or faults already."""

    made: list[Record | Fault]

    def missing(self, _columns: object) -> list[str]:
        return []

    def map(self, row: Row) -> Record | list[Fault]:
        made = self.made[row.line]
        return [made] if isinstance(made, Fault) else made

    def origin(self, _row: Row) -> None:
        return None


def put(connection: Connection, world: World) -> None:
    """Writes what the world knows, has under way and has accepted into an empty state."""
    connection.execute(text("INSERT INTO run (command, started, status, counts) VALUES ('apply', '', 'done', '{}')"))
    for (kind, key), fields in world.known.items():
        names = [*KEY_FIELDS[kind], *COMPARED[kind], "fingerprint", "standing", "ours", "updated"]
        values = dict(zip(KEY_FIELDS[kind], key, strict=True)) | {"updated": "2026-11-01T00:00:00Z"} | fields
        columns, marks = ", ".join(f'"{n}"' for n in names), ", ".join(f":{n}" for n in names)
        connection.execute(text(f"INSERT INTO known_{kind} ({columns}) VALUES ({marks})"), values)
    for (kind, key), fields in world.under_way.items():
        connection.execute(
            text(
                "INSERT INTO intent (run_id, kind, k1, k2, action, fields, at, message)"
                " VALUES (1, :kind, :k1, :k2, 'update', :fields, '2026-11-01T00:00:00Z', '')"
            ),
            {"kind": kind, "fields": to_json(fields)} | dict(zip(("k1", "k2"), columns_of(key), strict=True)),
        )
    for kind, key in world.accepted:
        connection.execute(text("INSERT INTO accepted VALUES (:kind, :key, '', '')"), {"kind": kind, "key": key[0]})
    connection.commit()


def copied(original: Path, to: Path) -> Path:
    """A copy of an empty state, which is quicker than making one."""
    with (
        closing(sqlite3.connect(original, isolation_level=None)) as source,
        closing(sqlite3.connect(to, isolation_level=None)) as target,
    ):
        source.backup(target)
    source.close()
    target.close()
    return to


def learners(key: str) -> st.SearchStrategy[Learner]:
    def make(login: int, look: int) -> Learner:
        name = f"u{login}@example.edu"
        return Learner(key, name, name, "FEIDE", "Åse", f"Prøvesen {look}", f"p{look}@example.edu")

    return st.builds(make, st.integers(1, 8), st.integers(1, 8))


def tests_of(key: str) -> st.SearchStrategy[Test]:
    def make(name: int, external: int, hours: tuple[int, int]) -> Test:
        start = NOW + timedelta(hours=hours[0])
        return Test(key, f"x{external}", f"Øving {name}", start, start + timedelta(hours=hours[1]), 60, "1001")

    return st.builds(make, st.integers(1, 5), st.integers(1, 8), st.sampled_from(HOURS))


def candidates(key: Key) -> st.SearchStrategy[Candidate]:
    numbers, extra = st.sampled_from([None, None, "7", "8"]), st.sampled_from([None, 0, 30])
    return st.builds(lambda number, minutes: Candidate(key[0], key[1], number, minutes), numbers, extra)


KEYS: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.LEARNER: st.sampled_from(LEARNER_KEYS).map(lambda key: (key,)),
    Kind.TEST: st.sampled_from(TEST_KEYS).map(lambda key: (key,)),
    Kind.CANDIDATE: st.tuples(st.sampled_from(TEST_KEYS), st.sampled_from(LEARNER_KEYS)),
}
STANDINGS = {
    Kind.LEARNER: ("active", "active", "released"),
    Kind.TEST: ("active", "active", "withdrawn", "retired"),
    Kind.CANDIDATE: ("active", "active", "active", "retired"),
}


def records(kind: Kind, key: Key) -> st.SearchStrategy[Any]:
    """Any record of a kind with this key."""
    if kind is Kind.CANDIDATE:
        return candidates(key)
    return learners(key[0]) if kind is Kind.LEARNER else tests_of(key[0])


@st.composite
def known_records(draw: st.DrawFn, kind: Kind) -> dict[Identity, dict[str, Any]]:
    known = {}
    keys = draw(st.lists(KEYS[kind], max_size=6, unique_by=lambda key: tuple(part.lower() for part in key)))
    for key in keys:
        record = draw(records(kind, key))
        fields = {name: value for name, value in fields_of(record).items() if name in COMPARED[kind]}
        told = {
            "fingerprint": draw(st.sampled_from([fingerprint(record), fingerprint(record), None, b"of old"])),
            "standing": draw(st.sampled_from(STANDINGS[kind])),
            "ours": draw(st.sampled_from([True, True, False])),
        }
        known[kind, key] = {"record": record, **fields, **told}
    return known


@st.composite
def rows_of(draw: st.DrawFn, kind: Kind, known: dict[Identity, dict[str, Any]]) -> list[Record | Fault]:
    """Rows for some of what is known (often unchanged), for some that is new, and some that can't be used."""
    rows: list[Record | Fault] = []
    for identity in known:
        if identity[0] is kind and draw(st.booleans()):
            rows.append(draw(st.one_of(st.just(known[identity]["record"]), records(kind, identity[1]))))
    for key in draw(st.lists(KEYS[kind], max_size=4)):
        rows.append(draw(records(kind, key)))
    for key in draw(st.lists(KEYS[kind], max_size=draw(st.sampled_from([0, 0, 1, 2])))):
        whole = draw(st.sampled_from(["whole", "whole", "half", "none"]))
        half = (key[0], "") if kind is Kind.CANDIDATE else None
        said = {"whole": key, "half": half, "none": None}[whole]
        rows.append(Fault(f"{kind}.csv line 99", "field", "is bad", "correct it", kind, said))
    return draw(st.permutations(rows))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Any world of a few records of each kind."""
    known = {identity: fields for kind in Kind for identity, fields in draw(known_records(kind)).items()}
    rows = {kind: draw(rows_of(kind, known)) for kind in Kind}
    unread = draw(st.sampled_from([frozenset[Kind](), frozenset[Kind](), *(frozenset({kind}) for kind in Kind)]))
    named = sorted(
        {(r.kind, key_of(r)) for made in rows.values() for r in made if not isinstance(r, Fault)} | set(known)
    )
    under_way = {}
    for kind, key in draw(st.lists(st.sampled_from(named), max_size=3, unique=True)) if named else []:
        record = draw(records(kind, key))
        under_way[kind, key] = {name: value for name, value in fields_of(record).items() if name in COMPARED[kind]}
    new = [identity for identity in named if identity[0] is not Kind.CANDIDATE]
    accepted = frozenset(draw(st.lists(st.sampled_from(new), max_size=2))) if new else frozenset()
    return World(known, rows, unread, under_way, accepted)
