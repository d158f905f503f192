"""Derived values: roles in one record, committees by name, usernames that Inspera keeps."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sync.mapping import fingerprint
from sync.records.base import Kind, RowError, joined, listed
from sync.records.candidate import Candidate
from sync.records.committee import Committee
from sync.records.contributor import Contributor
from sync.records.kinds import Record
from sync.records.learner import Learner
from sync.records.staff import Staff
from sync.state.store import Store

from ...support.examples import examples
from .databases import blank
from .worlds import NOW

pytestmark = pytest.mark.usefixtures("database")

FEEDS = [Kind.LEARNER, Kind.STAFF, Kind.COMMITTEE, Kind.CONTRIBUTOR, Kind.CANDIDATE]
PLACES = [f"{kind}.csv" for kind in FEEDS]
ROLES = ("evaluate", "monitor", "plan")
Look = Callable[[Store], Any]


def stage(rows: Sequence[Record], look: Look, known: Sequence[str] = ()) -> Any:
    """Return what `look` sees once these rows are staged, by line from 2, in this state."""
    with blank() as connection:
        for statement in known:
            connection.execute(text(statement))
        store = Store(connection, places=PLACES, fingerprint=fingerprint)
        for kind in FEEDS:
            mine = [(row, None, line) for line, row in enumerate(rows, start=2) if row.kind is kind]
            store.staging.stage(kind, FEEDS.index(kind), mine)
        store.staging.close(unsure=frozenset(Kind))
        return look(store)


def contributor(store: Store) -> Any:
    return store.staging.wanted(Kind.CONTRIBUTOR, ("T", "7"))


def row_errors(store: Store) -> list[RowError]:
    return list(store.staging.row_errors())


def committees(store: Store) -> dict[str, str]:
    """The committees that are wanted on test T, with the places of what asks for them."""
    store.comparison.compute_windows(NOW)
    store.comparison.compute_context(NOW, {})
    return {
        pair.key[1]: pair.where
        for pair in store.comparison.arrived_or_changed(Kind.COMMITTEE)
        if pair.key[0] == "T"
    }


def a_known(kind: Kind, **values: str) -> str:
    columns = ", ".join(f'"{name}"' for name in values)
    quoted = ", ".join(f"'{value}'" for value in values.values())
    return (
        f"INSERT INTO known_{kind} ({columns}, lifecycle, managed, updated)"
        f" VALUES ({quoted}, 'active', true, '')"
    )


rows_of_one = st.lists(
    st.tuples(
        st.sets(st.sampled_from(ROLES), min_size=1),
        st.none() | st.sets(st.sampled_from(["A", "B", "Å"])),
        st.sampled_from([None, 1]),
    ),
    min_size=1,
    max_size=5,
)


@settings(deadline=None, max_examples=examples(20))
@given(rows_of_one)
def test_several_roles_of_one_person_are_one_contributor_with_all_of_them(
    rows: list[tuple[set[str], set[str] | None, int | None]],
) -> None:
    made = [
        Contributor("T", "7", joined(r), None if c is None else joined(c), "R 1", None, n)
        for r, c, n in rows
    ]
    wanted, said = stage(made, lambda store: (contributor(store), row_errors(store)))
    named = [c for _, c, _ in rows if c is not None]
    assert said == []
    assert set(listed(wanted["roles"])) == set().union(*(r for r, _, _ in rows))
    assert wanted["committees"] == (joined(set().union(*named)) if named else None)
    assert wanted["room"] == "R 1"


@pytest.mark.parametrize("notify", [(None, None), (1, None), (None, 1)])
def test_anyone_who_is_to_be_told_by_one_row_is_reported(
    notify: tuple[int | None, int | None],
) -> None:
    made = [
        Contributor("T", "7", role, notify=told) for role, told in zip(ROLES, notify, strict=False)
    ]

    def read_sent(store: Store) -> Any:
        store.comparison.compute_windows(NOW)
        store.comparison.compute_context(NOW, {})
        (pair,) = store.comparison.arrived_or_changed(Kind.CONTRIBUTOR)
        assert pair.wanted is not None
        return pair.wanted["notify"], pair.where

    assert stage(made, read_sent) == (1 if 1 in notify else None, "contributor.csv line 2")


def test_one_contributor_looks_the_same_however_many_rows_make_it() -> None:
    def look(store: Store) -> Any:
        store.comparison.compute_windows(NOW)
        store.comparison.compute_context(NOW, {})
        return [pair.fingerprint for pair in store.comparison.arrived_or_changed(Kind.CONTRIBUTOR)]

    one = [Contributor("T", "7", joined(["evaluate", "monitor"]), "A")]
    two = [Contributor("T", "7", "monitor", "A"), Contributor("T", "7", "evaluate")]
    assert stage(one, look) == stage(two, look) == stage([*reversed(two)], look)


@pytest.mark.parametrize(("room", "building"), [("R 2", None), (None, None), ("R 1", "B")])
def test_rows_of_one_contributor_that_differ_in_their_place_contradict_each_other(
    room: str | None, building: str | None
) -> None:
    rows = [
        Contributor("T", "7", "evaluate", room="R 1"),
        Contributor("T", "7", "monitor", None, room, building),
    ]
    wanted, said = stage(rows, lambda store: (contributor(store), row_errors(store)))
    assert wanted is None
    assert [row_error.key for row_error in said] == [("T", "7"), ("T", "7")]
    assert "contributor.csv line 3 has the same key" in said[0].reason


def test_committees_that_only_people_name_are_wanted_from_the_first_row_that_names_them() -> None:
    rows: list[Record] = [
        Candidate("T", "1", committees="B"),
        Contributor("T", "7", "evaluate", joined(["A", "C"])),
        Contributor("T", "8", "evaluate", "A"),
        Candidate("T", "2", committees=joined(["A", "B"])),
        Committee("T", "C", "GRADING"),
        Candidate("U", "2", committees="D"),
    ]
    assert stage(rows, committees) == {
        "A": "contributor.csv line 3",
        "B": "candidate.csv line 2",
        "C": "committee.csv line 6",
    }


def test_committees_whose_names_differ_only_in_case_are_row_errors() -> None:
    rows: list[Record] = [
        Contributor("T", "7", "evaluate", "Å"),
        Candidate("T", "1", committees="å"),
        Committee("U", "å"),
    ]
    wanted, said = stage(rows, lambda store: (committees(store), row_errors(store)))
    assert wanted == {}
    assert {(row_error.kind, row_error.key) for row_error in said} == {
        (Kind.COMMITTEE, ("T", "Å")),
        (Kind.COMMITTEE, ("T", "å")),
    }
    assert "candidate.csv line 3" in said[0].reason


def test_a_row_that_leaves_its_committee_blank_still_wants_the_one_that_its_person_is_in() -> None:
    known = [
        a_known(Kind.COMMITTEE, test="T", committee="A"),
        a_known(Kind.COMMITTEE, test="T", committee="B"),
        a_known(Kind.CANDIDATE, test="T", learner="1", committees=joined(["A", "Not managed"])),
        a_known(Kind.CANDIDATE, test="T", learner="2", committees="B"),
    ]
    rows = [Candidate("T", "1"), Candidate("T", "2", committees="")]

    def wanted(store: Store) -> list[str]:
        return [
            name
            for name in ("A", "B", "Not managed")
            if store.staging.wanted(Kind.COMMITTEE, ("T", name)) is not None
        ]

    assert stage(rows, wanted, known) == ["A"]


def alias(kind: Kind) -> str:
    return f"INSERT INTO alias VALUES ('{kind}', '7', 'ase@example.edu', 'ase.p')"


@pytest.mark.parametrize(("kind", "record"), [(Kind.LEARNER, Learner), (Kind.STAFF, Staff)])
def test_a_person_matched_by_email_keeps_the_username_that_inspera_has(
    kind: Kind, record: type[Record]
) -> None:
    def look(store: Store) -> Any:
        store.comparison.compute_windows(NOW)
        store.comparison.compute_context(NOW, {})
        wanted = store.staging.wanted(kind, ("7",))
        assert wanted is not None
        return wanted["username"], [
            pair.fingerprint for pair in store.comparison.arrived_or_changed(kind)
        ]

    row = record("7", "ase@example.edu", first_name="Åse")  # type: ignore[call-arg]  # a person of either kind
    kept = record("7", "ase.p", first_name="Åse")  # type: ignore[call-arg]  # as above
    assert stage([row], look, [alias(kind)]) == ("ase.p", [fingerprint(kept)])
    assert stage([row], look)[0] == "ase@example.edu"


def test_a_username_that_the_source_changes_later_is_not_hidden_by_the_kept_one() -> None:
    changed = Learner("7", "ase2@example.edu")

    def username(store: Store) -> Any:
        return (store.staging.wanted(Kind.LEARNER, ("7",)) or {})["username"]

    assert stage([changed], username, [alias(Kind.LEARNER)]) == "ase2@example.edu"
    assert (
        stage([changed._replace(username="ase@example.edu")], username, [alias(Kind.STAFF)])
        == "ase@example.edu"
    )
