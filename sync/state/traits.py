"""What Inspera has shown of tests that stops changes on them: archived tests, and parents."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from sync.records.base import utc_text

ARCHIVED, PARENT = "archived", "parent"

_PAUSE = timedelta(hours=24)
"""After which one change of an archived test is tried, since a person may have restored it."""

_STORE = text(
    "INSERT INTO test_trait (test, trait, since, again, message)"
    " VALUES (:test, :trait, :now, :again, :message) ON CONFLICT (test, trait)"
    " DO UPDATE SET again = excluded.again, message = excluded.message"
)


def note_archived(connection: Connection, test: str, message: str, now: datetime) -> None:
    """Store that Inspera takes no change of this test. `now` is aware."""
    values = {"test": test, "trait": ARCHIVED, "now": utc_text(now), "message": message}
    connection.execute(_STORE, {**values, "again": utc_text(now + _PAUSE)})


def note_parent(connection: Connection, test: str, now: datetime, *, is_parent: bool) -> None:
    """Store whether other tests are parts of this one. `now` is aware."""
    if not is_parent:
        lift(connection, test, PARENT)
        return
    values = {"test": test, "trait": PARENT, "now": utc_text(now), "message": ""}
    connection.execute(_STORE, {**values, "again": ""})


def lift(connection: Connection, test: str, trait: str) -> None:
    """Delete what was shown of a test."""
    query = "DELETE FROM test_trait WHERE test = :test AND trait = :trait"
    connection.execute(text(query), {"test": test, "trait": trait})


def find(connection: Connection, test: str, now: datetime) -> dict[str, str]:
    """Return what stops changes on a test now, each with Inspera's words. `now` is aware."""
    query = text(
        "SELECT trait, message FROM test_trait WHERE test = :test AND (again = '' OR again > :now)"
    )
    rows = connection.execute(query, {"test": test, "now": utc_text(now)})
    return {row.trait: row.message for row in rows}


def archived(connection: Connection) -> set[str]:
    """Return the tests that take no changes."""
    query = text("SELECT test FROM test_trait WHERE trait = :trait")
    return {str(row.test) for row in connection.execute(query, {"trait": ARCHIVED})}


def wake(connection: Connection) -> None:
    """Let the changes of archived tests be tried again at once."""
    connection.execute(
        text("UPDATE test_trait SET again = since WHERE trait = :trait"), {"trait": ARCHIVED}
    )


def rename(connection: Connection, old: str, new: str) -> None:
    """Give what was shown of a test to its new key."""
    connection.execute(text("DELETE FROM test_trait WHERE test = :new"), {"new": new})
    connection.execute(
        text("UPDATE test_trait SET test = :new WHERE test = :old"), {"old": old, "new": new}
    )


def forget(connection: Connection, test: str) -> None:
    """Delete all that was shown of a test."""
    connection.execute(text("DELETE FROM test_trait WHERE test = :test"), {"test": test})
