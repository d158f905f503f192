"""What Inspera has shown of tests that stops changes on them: archived tests, and parents."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from sync.records.base import utc_text
from sync.records.changes import SOON

ARCHIVED, PARENT = "archived", "parent"

_PAUSE = timedelta(hours=24)
"""After which one change of an archived test is tried, since a person may have restored it."""

_SHORT_PAUSE = timedelta(minutes=15)
"""The same for a test that starts soon, whatever was planned when it was refused."""

_IN_FORCE = """(again = '' OR (again > :now AND NOT (again <= :rested AND EXISTS
    (SELECT 1 FROM test_window w WHERE w.test = test_trait.test AND w.wave LIKE :soon))))"""
"""The condition that a trait still stops changes. The table `test_window` knows what starts soon."""

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
    query = text(f"SELECT trait, message FROM test_trait WHERE test = :test AND {_IN_FORCE}")
    rows = connection.execute(query, {"test": test, **_times(now)})
    return {row.trait: row.message for row in rows}


def stopped(connection: Connection, trait: str, now: datetime) -> dict[str, str]:
    """Return all tests that a trait stops now, each with Inspera's words. `now` is aware."""
    query = text(f"SELECT test, message FROM test_trait WHERE trait = :trait AND {_IN_FORCE}")
    rows = connection.execute(query, {"trait": trait, **_times(now)})
    return {row.test: row.message for row in rows}


def _times(now: datetime) -> dict[str, str]:
    """Return the parameters of the condition.

    A trait was stored `_PAUSE` before the time in `again`.
    """
    rested = utc_text(now + _PAUSE - _SHORT_PAUSE)
    return {"now": utc_text(now), "rested": rested, "soon": f"{SOON}%"}


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
