"""Small worlds: known records, wanted rows, row errors, open intents and refusals."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import Connection, text
from sync.engine.protocols import BoundSource, Feed
from sync.errors import SourceError
from sync.mapping import CompiledFeed, fingerprint
from sync.records.base import Key, Kind, Row, RowError
from sync.records.kinds import COMPARED, KEY_FIELDS, Record
from sync.state.staging.scratch import key_columns, to_json

from ...support.opened import opened

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)
Identity = tuple[Kind, Key]


@dataclass
class World:
    """Everything that a plan rests on. Rows are records or row errors, in line order."""

    known: dict[Identity, dict[str, Any]] = field(default_factory=dict)
    rows: dict[Kind, list[Record | RowError]] = field(default_factory=dict)
    unread: frozenset[Kind] = frozenset()
    under_way: dict[Identity, dict[str, Any]] = field(default_factory=dict)
    accepted: frozenset[Identity] = frozenset()
    refused: dict[Identity, tuple[Record | None, bool]] = field(default_factory=dict)
    """What was refused (None: its removal), and whether it still rests."""
    delete: bool = False
    """Whether staff who are absent are deleted."""

    def feeds(self) -> list[Feed]:
        """Return a feed for each kind; those of `unread` break off at their end."""
        return [self._feed(kind) for kind in Kind]

    def _feed(self, kind: Kind) -> Feed:
        made = self.rows[kind]

        def rows() -> Iterator[Row]:
            yield from (Row(line, {}) for line in range(len(made)))
            if kind in self.unread:
                raise SourceError(f"{kind}.csv", "is cut off", "export it again")

        mapper = cast("CompiledFeed", _Prepared(made))
        names = kind in (Kind.COMMITTEE, Kind.CONTRIBUTOR, Kind.CANDIDATE)
        place = f"{kind}.csv"
        return Feed(
            kind,
            BoundSource(kind, place, opened(place, (), rows)),
            mapper,
            allow_empty=True,
            names_committees=names,
        )


@dataclass
class _Prepared:
    """Stands in for a feed's mapping: its rows are records or row errors already."""

    made: list[Record | RowError]

    has_departures = False

    def at(self, _place: str) -> "_Prepared":
        return self

    def missing(self, _columns: object) -> list[str]:
        return []

    def map(self, row: Row) -> Record | list[RowError]:
        made = self.made[row.line]
        return [made] if isinstance(made, RowError) else made

    def origin(self, _row: Row) -> None:
        return None


def put(connection: Connection, world: World) -> None:
    """Write what the world knows, has under way, has accepted and was refused into a state."""
    connection.execute(
        text(
            "INSERT INTO run (command, started, status, counts, reason)"
            " VALUES ('apply', '', 'done', '{}', '')"
        )
    )
    for (kind, key), fields in world.known.items():
        names = [
            *KEY_FIELDS[kind],
            *COMPARED[kind],
            "fingerprint",
            "lifecycle",
            "managed",
            "updated",
        ]
        values = (
            dict(zip(KEY_FIELDS[kind], key, strict=True))
            | {"updated": "2026-11-01T00:00:00Z"}
            | fields
        )
        columns, marks = ", ".join(f'"{n}"' for n in names), ", ".join(f":{n}" for n in names)
        connection.execute(text(f"INSERT INTO known_{kind} ({columns}) VALUES ({marks})"), values)
    for (kind, key), fields in world.under_way.items():
        connection.execute(
            text(
                "INSERT INTO intent (run_id, kind, k1, k2, action, fields, before, approved, at, message)"
                " VALUES (1, :kind, :k1, :k2, 'update', :fields, '{}', false, '2026-11-01T00:00:00Z',"
                " '')"
            ),
            {"kind": kind, "fields": to_json(fields)}
            | dict(zip(("k1", "k2"), key_columns(key), strict=True)),
        )
    for kind, key in world.accepted:
        connection.execute(
            text("INSERT INTO accepted VALUES (:kind, :key, '', '')"), {"kind": kind, "key": key[0]}
        )
    for (kind, key), (record, rests) in world.refused.items():
        again = "2027-01-01T00:00:00Z" if rests else "2026-11-02T00:00:00Z"
        connection.execute(
            text(
                "INSERT INTO refused VALUES (:kind, :k1, :k2, :fingerprint, 1, '', '9999', :again, "
                "'no such room', '')"
            ),
            {"kind": kind, "again": again, "fingerprint": fingerprint(record) if record else b""}
            | dict(zip(("k1", "k2"), key_columns(key), strict=True)),
        )
    connection.commit()
