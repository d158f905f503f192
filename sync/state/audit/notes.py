"""Lines that commands leave for the next holder of the run lock, who appends them to the audit log.

A command that must not wait for a run, such as `pause`, leaves one: on PostgreSQL a row of the
table `audit_note`, on SQLite a file next to the state.
"""

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import Connection, text

from sync.planning.decided import DecidedChange
from sync.records.base import Kind
from sync.state.audit.chain import Event
from sync.state.audit.log import AuditLog, Entry
from sync.state.staging.scratch import key_columns, key_from

LEAVE = "INSERT INTO audit_note (id, content) VALUES (%s, %s)"
"""How a note is left on PostgreSQL; `to_row` has its values."""


@dataclass(frozen=True, slots=True)
class Note:
    """A line that a command leaves for the next holder of the lock."""

    event: Event
    at: str
    who: str
    kind: str = ""
    k1: str = ""
    k2: str = ""

    def to_entry(self) -> Entry:
        """Return the entry of the log."""
        kind = Kind(self.kind) if self.kind else None
        key = key_from(kind, self.k1, self.k2) if kind else ()
        return Entry(event=self.event, kind=kind, key=key, at=self.at, who=self.who)

    @classmethod
    def of(cls, row: dict[str, str]) -> "Note":
        """Return the note of a stored row.

        Raises:
            ValueError: it is about an unknown event.
            KeyError: a part is missing.
        """
        names = ("at", "who", "kind", "k1", "k2")
        return cls(Event(row["event"]), *(row[name] for name in names))


def notes_of(decided: Iterable[DecidedChange]) -> list[Note]:
    """Return the lines of decisions; those that leave a change open have none."""
    notes = []
    for one in decided:
        if one.approved or one.rejected:
            event = Event.APPROVED if one.approved else Event.REJECTED
            notes.append(Note(event, one.at, one.person, one.kind, *key_columns(one.key)))
    return notes


def new_order() -> str:
    """Return a text that is unique, and sorts after those of the same second before it."""
    return f"{time.time_ns():x}-{uuid4().hex[:8]}"


def to_row(note: Note) -> tuple[str, str]:
    """Return a note as a row of its table. Rows sort by when they were left."""
    return f"{note.at}-{new_order()}", json.dumps(asdict(note), ensure_ascii=False)


def append(connection: Connection, notes: Sequence[Note]) -> None:
    """Append notes to the audit log; the caller, who holds the lock, commits."""
    AuditLog(connection, _unused_clock, "").append([one.to_entry() for one in notes])


def take_rows(connection: Connection) -> None:
    """Append the notes of the table, and commit."""
    query = text("DELETE FROM audit_note WHERE content <> '' RETURNING id, content")
    rows = sorted(connection.execute(query).all())
    append(connection, [Note.of(json.loads(row.content)) for row in rows])
    connection.commit()


def take_name(connection: Connection, name: str) -> bool:
    """Record that the file with this name is appended. Return whether it was not before."""
    query = text("INSERT INTO audit_note (id, content) VALUES (:name, '') ON CONFLICT DO NOTHING")
    return connection.execute(query, {"name": name}).rowcount > 0


def drop_name(connection: Connection, name: str) -> None:
    """Forget the name of a file that is deleted."""
    connection.execute(text("DELETE FROM audit_note WHERE id = :name"), {"name": name})


def _unused_clock() -> datetime:
    """Return no real time: a note has the time of its own."""
    return datetime.fromtimestamp(0, UTC)
