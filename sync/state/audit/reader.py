"""Reading and checking the audit log, a line at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from sync.state.audit.chain import Anchor, AuditLine, ChainBreak, Verifier
from sync.state.audit.log import COLUMNS
from sync.state.dialect import stream
from sync.state.sqlite.open import count

_LINES = f"SELECT {', '.join(f'a.{name}' for name in COLUMNS)}, a.hash FROM audit a"


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line, and the person that its pseudonym stands for, unless they were forgotten."""

    line: AuditLine
    digest: str
    person: str | None = None


def read_lines(
    connection: Connection, since: str = "", pseudonym: str | None = None
) -> Iterator[ReadLine]:
    """Yield the lines since a time (UTC text), or those about one person, in their order."""
    query = (
        f"{_LINES.replace(' FROM', ', p.key AS whose FROM')}"
        " LEFT JOIN audit_person p ON a.person <> '' AND p.pseudonym = a.person"
        f" WHERE a.at >= :since{' AND a.person = :name' if pseudonym else ''} ORDER BY a.number"
    )
    names = {"name": pseudonym} if pseudonym else {}
    for row in stream(connection, query, since=since, **names):
        yield ReadLine(
            AuditLine(**{name: row._mapping[name] for name in COLUMNS}), row.hash, row.whose
        )


def verify(
    connection: Connection, anchor: Anchor | None = None
) -> tuple[ChainBreak | None, Anchor]:
    """Check every line, and return the first place that is broken, with the newest line.

    Checked with it are the anchors that each run has stored when it ended.
    """
    verifier = Verifier(anchor)
    rows: Any = stream(connection, f"{_LINES} ORDER BY a.number")
    lines = (
        (AuditLine(**{name: row._mapping[name] for name in COLUMNS}), str(row.hash)) for row in rows
    )
    broken = verifier.find_break(lines)
    rows.close()
    broken = broken or _contradicted_by_run(connection)
    return broken, verifier.end


def _contradicted_by_run(connection: Connection) -> ChainBreak | None:
    """Return what the record of a run shows to be missing or replaced."""
    query = (
        "SELECT r.id, r.audit_lines, a.hash FROM run r LEFT JOIN audit a ON"
        " a.number = r.audit_lines WHERE r.audit_lines > 0"
        " AND (a.hash IS NULL OR a.hash <> r.audit_hash) ORDER BY r.audit_lines LIMIT 1"
    )
    row = connection.execute(text(query)).first()
    if row is None:
        return None
    if row.hash is not None:
        return ChainBreak(row.audit_lines, f"was replaced: run {row.id} has recorded another hash")
    last = count(connection, "SELECT max(number) FROM audit")
    return ChainBreak(
        last + 1, f"is missing: when run {row.id} ended there were {row.audit_lines:,} lines"
    )


def waiting(connection: Connection) -> int:
    """Return how many lines of the table of notes wait for the next holder of the lock."""
    return count(connection, "SELECT count(*) FROM audit_note WHERE content <> ''")
