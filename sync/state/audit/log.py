"""Writing the audit log.

Only who holds the lock of the state for a run appends to the chain, in the same transaction as what
the line is about. So no two writers can fork it; on PostgreSQL the epoch of the run, which is
checked at each commit, and the number of the line, which is unique, prove it. A command that must
not wait for the lock, such as `pause`, leaves a note, which the next holder of the lock appends.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, text

from sync.records.base import Key, Kind, utc_text
from sync.state.audit import people
from sync.state.audit.chain import START, Anchor, AuditLine, Event, to_json
from sync.state.known_writer import Clock

COLUMNS = tuple(AuditLine.__dataclass_fields__)

_APPEND = text(
    f"INSERT INTO audit ({', '.join(COLUMNS)}, hash)"
    f" VALUES ({', '.join(f':{name}' for name in COLUMNS)}, :hash)"
)
_END = text("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a new line is about. `content` is JSON of the values, which only the hash keeps.

    `at` and `who` are those of the log when they are None.
    """

    event: Event
    kind: Kind | None = None
    key: Key = ()
    action: str = ""
    scope: str = ""
    outcome: str = ""
    content: str = field(default="", repr=False)
    details: dict[str, Any] = field(default_factory=dict)
    at: str | None = None
    who: str | None = None


def read_end(connection: Connection) -> Anchor:
    """Return the newest line."""
    row = connection.execute(_END).first()
    return Anchor(row.number, row.hash) if row else Anchor(0, START)


class AuditLog:
    """The log of one state, for the holder of its lock. The caller commits.

    Args:
        connection: to the state, opened to write.
        clock: returns the time; aware.
        who: the operator, or `service`.
        run: the number of the run.
    """

    def __init__(
        self, connection: Connection, clock: Clock, who: str, run: int | None = None
    ) -> None:
        self._connection, self._clock, self._who, self._run = connection, clock, who, run

    def append(self, entries: Sequence[Entry]) -> None:
        """Append a line for each entry."""
        if not entries:
            return
        concerned = [people.person_of(one.kind, one.key) if one.kind else None for one in entries]
        names = people.pseudonyms(self._connection, {one for one in concerned if one})
        end, now, rows = read_end(self._connection), utc_text(self._clock()), []
        for entry, person in zip(entries, concerned, strict=True):
            pseudonym = names[person] if person else None
            hash_of = pseudonym.hash_of if pseudonym else people.hash_of
            line = AuditLine(
                number=end.lines + 1,
                at=entry.at or now,
                who=entry.who or self._who,
                run=self._run,
                event=entry.event.value,
                kind=entry.kind.value if entry.kind else "",
                action=entry.action,
                record=people.plain_part(entry.kind, entry.key) if entry.kind else "",
                person=pseudonym.name if pseudonym else "",
                scope=entry.scope,
                outcome=entry.outcome,
                content=hash_of(entry.content) if entry.content else "",
                details=to_json(entry.details),
            )
            end = Anchor(line.number, line.digest(end.digest))
            rows.append({**asdict(line), "hash": end.digest})
        self._connection.execute(_APPEND, rows)
