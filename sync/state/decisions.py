"""The decisions of people about single changes, in the state's table `decision`."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from sync.planning.decided import APPROVED, DecidedChange
from sync.records.base import Kind, utc_text
from sync.state.staging.scratch import key_columns, key_from

COLUMNS = ("digest", "kind", "k1", "k2", "verdict", "person", "why", "at", "expires")
"""The columns that a decision has from the start; `run_id` is set by the first run."""

_VALUES = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])


def store_sql(mark: str) -> str:
    """Return the statement that stores a decision; `mark` is the form of a parameter."""
    marks = ", ".join(mark.format(name) for name in COLUMNS)
    return (
        f"INSERT INTO decision ({', '.join(COLUMNS)}) VALUES ({marks})"
        f" ON CONFLICT (digest) DO UPDATE SET {_VALUES}, run_id = NULL"
    )


def to_row(decided: DecidedChange) -> dict[str, str | None]:
    """Return a decision as the columns of its table."""
    k1, k2 = key_columns(decided.key)
    return {
        "digest": decided.digest,
        "kind": decided.kind.value,
        "k1": k1,
        "k2": k2,
        "verdict": decided.verdict,
        "person": decided.person,
        "why": decided.why,
        "at": decided.at,
        "expires": decided.expires,
    }


def store(connection: Connection, decided: Iterable[DecidedChange]) -> None:
    """Store decisions, each instead of an earlier one about the same change."""
    if rows := [to_row(one) for one in decided]:
        connection.execute(text(store_sql(":{}")), rows)


def read(connection: Connection) -> list[DecidedChange]:
    """Return every decision, the oldest first."""
    query = f"SELECT {', '.join(COLUMNS)}, run_id FROM decision ORDER BY at, kind, k1, k2"
    return [
        DecidedChange(
            row.digest,
            Kind(row.kind),
            key_from(Kind(row.kind), row.k1, row.k2),
            row.verdict,
            row.person,
            row.why,
            row.at,
            row.expires,
            row.run_id is not None,
        )
        for row in connection.execute(text(query))
    ]


def counts(decided: DecidedChange, now: datetime) -> bool:
    """Tell whether a decision counts now: an approval ends."""
    return decided.expires is None or decided.expires > utc_text(now)


def take_expired(connection: Connection, now: datetime) -> list[DecidedChange]:
    """Delete the approvals that count no more, and return them."""
    expired = [one for one in read(connection) if not counts(one, now)]
    delete(connection, expired)
    return expired


def mark_tried(connection: Connection, run_id: int, kinds: Collection[Kind]) -> None:
    """Record that a run begins with the decisions about these kinds."""
    for kind in sorted(kinds):
        connection.execute(
            text("UPDATE decision SET run_id = :run WHERE run_id IS NULL AND kind = :kind"),
            {"run": run_id, "kind": kind},
        )


def delete(connection: Connection, decided: Sequence[DecidedChange]) -> None:
    """Forget these decisions."""
    if decided:
        connection.execute(
            text("DELETE FROM decision WHERE digest = :digest"),
            [{"digest": one.digest} for one in decided],
        )


def use_up(connection: Connection, digests: Sequence[str]) -> None:
    """Forget the approvals of changes that were sent."""
    if digests:
        connection.execute(
            text(f"DELETE FROM decision WHERE digest = :digest AND verdict = '{APPROVED}'"),
            [{"digest": digest} for digest in digests],
        )


def use_up_silent(connection: Connection) -> None:
    """Forget the approvals of changes that make no call, once those of the draft are stored."""
    connection.execute(
        text(
            f"DELETE FROM decision WHERE verdict = '{APPROVED}' AND EXISTS (SELECT 1 FROM draft d"
            " WHERE d.kind = decision.kind AND d.k1 = decision.k1 AND d.k2 = decision.k2"
            " AND d.verdict = 'pass' AND d.scope = 'allowed'"
            " AND d.action IN ('release', 'withdraw', 'retire', 'restore'))"
        )
    )
