"""What Inspera refused: how long it rests, when it is tried again, when it is forgotten."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text
from sync.mapping import fingerprint
from sync.planning.decide import decide
from sync.records.base import Kind, RowError, utc_text
from sync.records.changes import Action, Outcome, PlannedChange, Result
from sync.records.contributor import Contributor
from sync.records.kinds import Record
from sync.records.staff import Staff
from sync.records.test import Test
from sync.state import refusals
from sync.state.journal import Journal
from sync.state.store import Store

from .databases import blank
from .journalled import START, line

pytestmark = pytest.mark.usefixtures("database")

PART = (Kind.CONTRIBUTOR, ("T", "7"))
HOUR = timedelta(hours=1)
LATER = "2026-11-20"
"""The wave of a test that is not of the next days."""


@pytest.fixture
def connection() -> Iterator[Connection]:
    with blank() as connection:
        yield connection


def refused(
    connection: Connection, one: PlannedChange, hours: float = 0, result: Result = Result.REFUSED
) -> None:
    """Inspera says no (or something else) to this, so many hours after the start."""
    clock = lambda: START + hours * HOUR  # noqa: E731 - a clock of one time
    journal = Journal(connection, clock, "apply")
    (intent,) = journal.intend([one])
    journal.record([(intent, one, Outcome(result, "no such room"))])
    journal.commit()


def asked(value: str = "R 1", action: Action = Action.CREATE, wave: str = LATER) -> PlannedChange:
    return replace(line(PART, action, value), wave=wave)


def rest(connection: Connection) -> list[tuple[int, float, float]]:
    """Return each refusal's count, and the hours from the start to its first and next try."""
    listed = refusals.listed(connection)
    return [(one.times, _hours(one.since), _hours(one.again)) for one in listed]


def _hours(time: str) -> float:
    hours = (n / 4 for n in range(4000))
    return next(n for n in hours if utc_text(START + n * HOUR) == time)


def test_what_is_refused_again_and_again_rests_longer_each_time(connection: Connection) -> None:
    for times, (hours, pause) in enumerate(
        [(0, 0.25), (1, 1), (3, 4), (8, 12), (24, 24), (50, 24)], start=1
    ):
        refused(connection, asked(), hours)
        assert rest(connection) == [(times, 0, hours + pause)]


def test_what_a_test_of_the_next_days_needs_is_tried_again_soon_each_time(
    connection: Connection,
) -> None:
    for times, hours in enumerate([0, 1, 3, 8], start=1):
        refused(connection, asked(wave="0"), hours)
        assert rest(connection) == [(times, 0, hours + 0.25)]


def test_a_refusal_of_something_else_begins_anew(connection: Connection) -> None:
    refused(connection, asked("R 1"))
    refused(connection, asked("R 1"), 1)
    refused(connection, asked("R 2"), 5)
    assert rest(connection) == [(1, 5, 5.25)]
    refused(connection, replace(asked(action=Action.REMOVE), fingerprint=None), 6)
    assert rest(connection) == [(1, 6, 6.25)]


@pytest.mark.parametrize("result", [Result.DONE, Result.FOUND])
def test_a_refusal_passes_when_the_record_does(connection: Connection, result: Result) -> None:
    refused(connection, asked())
    refused(connection, asked("R 2"), 1, result)
    assert rest(connection) == []


@pytest.mark.parametrize(
    "result", [Result.UNKNOWN, Result.HELD, Result.NOT_SENT, Result.DEFERRED, Result.WAITING]
)
def test_what_says_nothing_of_the_refusal_leaves_it_as_it_is(
    connection: Connection, result: Result
) -> None:
    refused(connection, asked())
    refused(connection, asked(), 1, result)
    assert rest(connection) == [(1, 0, 0.25)]


def test_everything_can_be_tried_again_at_once(connection: Connection) -> None:
    refused(connection, asked())
    refusals.wake(connection)
    assert rest(connection) == [(1, 0, 0)]


PARTY: Sequence[Record] = (Staff("7"), Test("T"), Contributor("T", "7", "evaluate", room="R 1"))


def planned(
    connection: Connection, hours: float, rows: Sequence[Record] = PARTY, *row_errors: RowError
) -> Store:
    """A store that has paired what these rows want, so many hours after the start."""
    store = Store(connection, places=["rows.csv"], fingerprint=fingerprint)
    for kind in (Kind.STAFF, Kind.TEST, Kind.CONTRIBUTOR):
        store.staging.stage(kind, 0, [(row, None, 2) for row in rows if row.kind is kind])
    store.staging.add_row_errors(row_errors)
    store.staging.close(unsure=frozenset(Kind))
    store.comparison.compute_windows(START + hours * HOUR)
    store.comparison.compute_context(START + hours * HOUR, {})
    return store


def barred(store: Store) -> str:
    """Why the contributor rests, empty when they do not; the plan counts it all the same."""
    (pair,) = store.comparison.arrived_or_changed(Kind.CONTRIBUTOR)
    why = pair.facts.refused
    drafted = decide(pair).drafted
    assert drafted is not None
    store.plan.draft([drafted])
    store.plan.close()
    assert store.plan.refused_before() == bool(why)
    return why


@settings(deadline=None, max_examples=8)
@given(hours=st.sampled_from([0.1, 0.2, 0.3, 5]), room=st.sampled_from(["R 1", "R 2"]))
def test_just_what_was_refused_rests_until_its_time_and_a_changed_row_goes_at_once(
    hours: float, room: str
) -> None:
    wanted = [*PARTY[:2], Contributor("T", "7", "evaluate", room=room)]
    with blank() as connection:
        refused(connection, replace(asked(), fingerprint=fingerprint(PARTY[2])))
        why = barred(planned(connection, hours, wanted))
    assert bool(why) == (hours < 0.25 and room == "R 1")
    assert not why or ("no such room" in why and "2026-09-01T08:15:00Z" in why)


def add_to_draft(connection: Connection) -> None:
    """Add the contributor to the plan."""
    connection.execute(
        text(
            "INSERT INTO draft (kind, k1, k2, verdict) VALUES ('contributor', 'T', '7', 'deferred')"
        )
    )


@pytest.mark.parametrize("asks", ["the plan", "a row error", "nobody", "nobody who can be sure"])
def test_a_refusal_lapses_once_nothing_asks_for_it(connection: Connection, asks: str) -> None:
    refused(connection, asked())
    row_error = RowError("rows.csv line 3", "room", "is bad", "correct it", *PART)
    planned(connection, 1, (), *([row_error] if asks == "a row error" else []))
    if asks == "the plan":
        add_to_draft(connection)
    journal = Journal(connection, lambda: START + HOUR, "apply")
    journal.lapse({Kind.CONTRIBUTOR} if asks == "nobody who can be sure" else ())
    assert bool(rest(connection)) == (asks != "nobody")


@pytest.mark.parametrize("hours", [0.1, 1])
def test_a_removal_that_was_refused_rests_too(connection: Connection, hours: float) -> None:
    journal = Journal(connection, lambda: START, "apply")
    journal.known.remember(*PART, {"roles": "evaluate"}, fingerprint=b"1", managed=True)
    refused(connection, replace(asked(action=Action.REMOVE), fingerprint=None))
    (pair,) = planned(connection, hours, PARTY[:2]).comparison.absent(Kind.CONTRIBUTOR, None, None)
    assert bool(pair.facts.refused) == (hours < 0.25)
