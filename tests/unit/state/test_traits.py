"""What Inspera has shown of tests that stops changes on them: how long, and when it is forgotten."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection
from sync.mapping import fingerprint
from sync.records.base import Kind
from sync.records.changes import Action, Cause, Outcome, Result
from sync.records.contributor import Contributor
from sync.records.test import Test
from sync.state import refusals, traits
from sync.state.journal import Journal
from sync.state.store import Store

from .databases import blank
from .journalled import START, line

pytestmark = pytest.mark.usefixtures("database")

TEST, PART = (Kind.TEST, ("T",)), (Kind.CONTRIBUTOR, ("T", "7"))
HOUR = timedelta(hours=1)


@pytest.fixture
def connection() -> Iterator[Connection]:
    with blank() as connection:
        yield connection


def ended(connection: Connection, outcome: Outcome, one: tuple[Kind, tuple[str, ...]]) -> None:
    journal = Journal(connection, lambda: START, "apply")
    change = replace(line(one, Action.UPDATE, None if one is TEST else "Åse"), wave="0")
    (intent,) = journal.intend([change])
    journal.record([(intent, change, outcome)])
    journal.commit()


def facts(connection: Connection, hours: float) -> tuple[str, bool]:
    """Return what the plan knows of the contributor's test, so many hours after the start."""
    store = Store(connection, places=["rows.csv"], fingerprint=fingerprint)
    for record in (Test("T"), Contributor("T", "7", "evaluate")):
        store.staging.stage(record.kind, 0, [(record, None, 2)])
    store.staging.close(unsure=frozenset(Kind))
    store.comparison.compute_windows(START + hours * HOUR)
    store.comparison.compute_context(START + hours * HOUR, {})
    (pair,) = store.comparison.arrived_or_changed(Kind.CONTRIBUTOR)
    return pair.facts.archived, pair.facts.parent


def shown(connection: Connection, hours: float) -> set[str]:
    """Return what stops changes on the test T, so many hours after the start."""
    store = Store(connection, places=["rows.csv"], fingerprint=fingerprint)
    store.staging.close(unsure=frozenset(Kind))
    store.comparison.compute_windows(START + hours * HOUR)
    return set(traits.find(connection, "T", START + hours * HOUR))


def test_an_archived_test_is_left_alone_for_a_day(connection: Connection) -> None:
    ended(connection, Outcome(Result.DEFERRED, "it is archived", cause=Cause.ARCHIVED), PART)
    assert facts(connection, 23) == ("it is archived", False)


def test_a_day_later_an_archived_test_is_tried(connection: Connection) -> None:
    ended(connection, Outcome(Result.DEFERRED, "it is archived", cause=Cause.ARCHIVED), PART)
    assert shown(connection, 25) == set()


def test_on_request_an_archived_test_is_tried(connection: Connection) -> None:
    ended(connection, Outcome(Result.DEFERRED, "it is archived", cause=Cause.ARCHIVED), PART)
    refusals.wake(connection)
    assert facts(connection, 0) == ("", False)


def test_a_change_that_passes_shows_that_a_test_is_not_archived(connection: Connection) -> None:
    ended(connection, Outcome(Result.DEFERRED, "it is archived", cause=Cause.ARCHIVED), PART)
    ended(connection, Outcome(Result.DONE), PART)
    assert traits.archived(connection) == set()


def test_a_parent_stays_one_until_a_look_up_shows_otherwise(connection: Connection) -> None:
    ended(connection, Outcome(Result.DONE, is_parent=True), TEST)
    ended(connection, Outcome(Result.DONE), TEST)
    assert facts(connection, 1000) == ("", True)
    ended(connection, Outcome(Result.DONE, is_parent=False), TEST)
    assert traits.find(connection, "T", START) == {}


def test_what_is_known_follows_a_new_key_and_goes_with_the_test(connection: Connection) -> None:
    ended(connection, Outcome(Result.DONE, is_parent=True), TEST)
    journal = Journal(connection, lambda: START, "adopt")
    journal.known.rename(Kind.TEST, ("T",), ("U",))
    shown(connection, 0)
    assert traits.stopped(connection, traits.PARENT, START) == {"U": ""}
    journal.known.forget(Kind.TEST, ("U",))
    assert traits.stopped(connection, traits.PARENT, START) == {}
