"""The meaning of the configuration by which the state was last brought in step."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from sync.records.base import utc_text


@dataclass(frozen=True, slots=True)
class StoredConfiguration:
    """The digest and the content (JSON without secrets) of a configuration, and since when."""

    digest: str
    content: str
    at: str


def read_configuration(connection: Connection) -> StoredConfiguration | None:
    """Return the applied configuration; None when the state has none yet."""
    query = text("SELECT digest, content, at FROM applied_configuration WHERE id = 1")
    row = connection.execute(query).first()
    return StoredConfiguration(row.digest, row.content, row.at) if row else None


def store_configuration(connection: Connection, digest: str, content: str, now: datetime) -> None:
    """Store the applied configuration, in place of the earlier one, and commit it."""
    connection.execute(text("DELETE FROM applied_configuration"))
    connection.execute(
        text(
            "INSERT INTO applied_configuration (id, digest, content, at)"
            " VALUES (1, :digest, :content, :at)"
        ),
        {"digest": digest, "content": content, "at": utc_text(now)},
    )
    connection.commit()
