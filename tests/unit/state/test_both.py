"""Snapshots, sources, joined rows and merged feeds, on each database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sync.errors import Deposed
from sync.mapping import fingerprint
from sync.records.base import Kind, RowError
from sync.records.candidate import Candidate
from sync.records.changes import Action
from sync.records.kinds import Record
from sync.records.learner import Learner
from sync.state.journal import Journal
from sync.state.staging.lookups import StagedLookup
from sync.state.store import Store

from .databases import blank, kept
from .journalled import START, line
from .worlds import NOW

pytestmark = pytest.mark.usefixtures("database")
AASE, BJOERN = (
    Learner("1", "åse@example.edu", first_name="Åse"),
    Learner("2", "bjørn@example.edu", first_name="Bjørn"),
)


@pytest.fixture
def connection() -> Iterator[Connection]:
    with blank() as connection:
        yield connection


def stage(store: Store, feed: int, *records: Record) -> None:
    for kind in Kind:
        store.staging.stage(
            kind, feed, [(one, None, n) for n, one in enumerate(records, 2) if one.kind is kind]
        )


def test_what_a_reading_of_changes_does_not_name_is_wanted_as_it_was(tmp_path: Path) -> None:
    state, bad = (
        kept(tmp_path),
        RowError("people.csv line 4", "email", "is bad", "correct it", Kind.LEARNER, ("3",)),
    )
    with state.open() as connection:
        store = Store(connection, places=["people"], fingerprint=fingerprint)
        stage(store, 0, AASE, BJOERN)
        store.staging.add_row_errors([bad], 0)
        store.staging.depart(Kind.LEARNER, 0, [(("4",), 5)])
        store.snapshots.cover(0, Kind.LEARNER, "digest", "monday", source="people", whole=True)
        store.snapshots.keep(NOW, ["digest"])
    with state.open() as connection:
        store = Store(connection, places=["people"], fingerprint=fingerprint)
        assert store.snapshots.mark_of("digest") == "monday"
        stage(store, 0, BJOERN._replace(first_name="Bjarne"))
        assert (
            store.snapshots.cover(
                0, Kind.LEARNER, "digest", "tuesday", source="people", whole=False
            )
            == 1
        )
        store.snapshots.keep(NOW, ["digest"])
        names = {
            key: (store.staging.wanted(Kind.LEARNER, (key,)) or {}).get("first_name")
            for key in "123"
        }
        assert names == {"1": "Åse", "2": "Bjarne", "3": None}
        assert [one.key for one in store.staging.row_errors()] == [("3",)]
        assert connection.execute(text("SELECT k1, line FROM departed")).fetchall() == [("4", 5)]
        assert store.snapshots.mark_of("digest") == "tuesday"


def test_a_later_feed_fills_up_what_an_earlier_one_lacks(connection: Connection) -> None:
    store = Store(connection, places=["a.csv", "b.csv"], fingerprint=fingerprint)
    seat = Candidate("T", "1", candidate_id="7")
    stage(store, 0, Learner("1", "åse@example.edu"), seat)
    stage(store, 1, AASE, BJOERN, seat._replace(candidate_id="8", extra_time=15))
    later = [(Kind.LEARNER, 1, "fill"), (Kind.CANDIDATE, 1, "fill")]
    store.staging.close(later, unsure=[Kind.TEST])  # no test is read here
    wanted, there = (
        store.staging.wanted(Kind.LEARNER, ("1",)),
        store.staging.wanted(Kind.CANDIDATE, ("T", "1")),
    )
    assert wanted is not None
    assert wanted["first_name"] == "Åse"
    assert store.staging.wanted(Kind.LEARNER, ("2",)) is not None
    assert there is not None
    assert (there["candidate_id"], there["extra_time"]) == ("7", 15)
    assert store.staging.row_error_count() == 0


def test_joined_rows_are_found_by_key_with_those_that_say_otherwise(connection: Connection) -> None:
    store = Store(connection, places=[], fingerprint=fingerprint)
    assert store.lookups.stage(3, [("å", ("R 1",), 2), ("å", ("R 2",), 3), ("Å", ("R 3",), 4)]) == 3
    assert store.lookups.find(3, ["å", "Å", "a"]) == {
        "å": StagedLookup(("R 1",), 2, (3,)),
        "Å": StagedLookup(("R 3",), 4),
    }
    assert store.lookups.find(2, ["å"]) == {}


def test_who_named_what_is_known_is_noted_and_tells_when_a_source_has_shrunk(
    connection: Connection,
) -> None:
    journal = Journal(connection, lambda: START, "apply")
    for key in "123":
        journal.known.remember(Kind.LEARNER, (key,), {})
    for named, shrinkage in (((AASE, BJOERN), (1, 3)), ((AASE,), (1, 2))):
        store = Store(connection, places=["people"], fingerprint=fingerprint)
        store.baselines.set_sources({Kind.LEARNER: ["people"]})
        stage(store, 0, *named)
        store.staging.close(unsure=frozenset(Kind))
        store.comparison.compute_windows(NOW)
        assert store.baselines.shrinkage(Kind.LEARNER, "people") == shrinkage
        store.baselines.note_sources([(Kind.LEARNER, "people")], [(Kind.LEARNER, "people")])
        _forget_the_scratch(connection)
    store = Store(connection, places=[], fingerprint=fingerprint)
    store.baselines.keep_groups("people", {"Å", "A"})
    store.baselines.keep_rows({"rooms": 5, "gone": 1}, ["rooms", "gone"])
    store.baselines.keep_rows({"rooms": 6}, ["rooms"])
    assert store.baselines.groups_of("people") == {"Å", "A"}
    assert (
        store.baselines.rows_of("rooms", ["rooms"]),
        store.baselines.rows_of("gone", ["gone"]),
    ) == (6, 6)


def _forget_the_scratch(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("DISCARD TEMP")
        return
    names = (
        connection.exec_driver_sql("SELECT name FROM scratch.sqlite_master WHERE type = 'table'")
        .scalars()
        .all()
    )
    for name in names:
        connection.exec_driver_sql(f"DROP TABLE scratch.{name}")


def test_what_is_known_on_a_test_is_reported_with_its_people(connection: Connection) -> None:
    journal = Journal(connection, lambda: START, "apply")
    for kind, key in (
        (Kind.LEARNER, ("1",)),
        (Kind.LEARNER, ("2",)),
        (Kind.STAFF, ("7",)),
        (Kind.TEST, ("T",)),
    ):
        journal.known.remember(kind, key, {"first_name": "Åse"})
    journal.known.remember(
        Kind.CANDIDATE, ("T", "1"), {"extra_time": 15, "committees": "Å"}, managed=False
    )
    journal.known.remember(Kind.CONTRIBUTOR, ("T", "7"), {"committees": "B"})
    store = Store(connection, places=[], fingerprint=fingerprint)
    people = store.known.people(Kind.CANDIDATE, "T", ["1", "2"])
    assert {key: (one["first_name"], bool(one["managed"])) for key, one in people.items()} == {
        "1": ("Åse", False),
        "2": ("Åse", True),
    }
    journal.known.accept(Kind.CANDIDATE, ("T", "1"))
    assert store.known.people(Kind.CANDIDATE, "T", ["1"])["1"]["managed"]
    assert store.known.on_test(Kind.CANDIDATE, "T")["1"]["extra_time"] == 15
    assert set(store.known.committees_in_use("T")) == {"Å", "B"}
    assert store.known.tests_of("7") == ["T"]
    assert (store.known.count(Kind.LEARNER), store.known.is_blank()) == (2, False)


def test_somebody_matched_by_email_keeps_the_username_that_is_there(connection: Connection) -> None:
    Journal(connection, lambda: START, "apply").known.alias(
        Kind.LEARNER, ("1",), "åse@example.edu", "old@example.edu"
    )
    store = Store(connection, places=["people"], fingerprint=fingerprint)
    stage(store, 0, AASE)
    store.staging.close(unsure=frozenset(Kind))
    wanted = store.staging.wanted(Kind.LEARNER, ("1",))
    assert wanted is not None
    assert wanted["username"] == "old@example.edu"


def test_a_run_that_another_one_has_taken_over_from_intends_nothing_more(
    connection: Connection,
) -> None:
    def deposed() -> None:
        raise Deposed("another process has taken over this state; this run stops")

    Store(connection, places=[], fingerprint=fingerprint)
    journal = Journal(connection, lambda: START, "apply", deposed)
    with pytest.raises(Deposed):
        journal.intend([line((Kind.LEARNER, ("1",)), Action.CREATE)])
    journal.commit()
    assert connection.execute(text("SELECT count(*) FROM intent")).scalar_one() == 0
