"""What is known held against what Inspera shows: what it does not show, and what is not known, is no difference."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sync.engine.compare import differences, taken_over
from sync.records.base import Kind, joined
from sync.records.kinds import COMPARED
from sync.records.remote import Member, RemotePerson, RemoteTest

SHOWING: dict[Kind, list[str]] = {
    Kind.LEARNER: ["username", "first_name", "last_name", "email"],
    Kind.STAFF: ["username", "first_name", "last_name", "email", "status"],
    Kind.TEST: ["external_test_id", "title", "start", "end", "duration"],
    Kind.COMMITTEE: ["type"],
    Kind.CONTRIBUTOR: ["roles", "committees", "room", "building"],
    Kind.CANDIDATE: ["candidate_id", "extra_time", "room", "building", "committees"],
}
"""What Inspera can show of each kind."""
MAKES: dict[Kind, Any] = {
    Kind.LEARNER: RemotePerson,
    Kind.STAFF: RemotePerson,
    Kind.TEST: RemoteTest,
}


def values(name: str) -> st.SearchStrategy[Any]:
    return (
        st.sampled_from([None, 0, 30])
        if name in {"extra_time", "duration"}
        else st.sampled_from([None, "", "a", "å"])
    )


@st.composite
def sides(draw: st.DrawFn) -> tuple[Kind, dict[str, Any], Any]:
    kind = draw(st.sampled_from(list(SHOWING)))
    known = {name: draw(values(name)) for name in COMPARED[kind]}
    there = {name: draw(values(name)) for name in SHOWING[kind]}
    first = {"remote_id": "9"} if kind in MAKES else {}
    return kind, known, MAKES.get(kind, Member)(**{**first, **there})


@given(sides())
def test_exactly_the_fields_that_both_sides_tell_and_tell_otherwise_differ(
    pair: tuple[Kind, dict[str, Any], Any],
) -> None:
    kind, known, there = pair
    expected = []
    for name in COMPARED[kind]:
        managed, theirs = known[name], getattr(there, name, None)
        if managed is not None and theirs is not None and (managed or "") != (theirs or ""):
            expected.append(name)
    assert list(differences(kind, known, there)) == expected


@given(sides())
def test_once_inspera_s_side_is_taken_over_nothing_differs_and_what_it_does_not_show_stays(
    pair: tuple[Kind, dict[str, Any], Any],
) -> None:
    kind, known, there = pair
    taken = taken_over(kind, known, there)
    assert differences(kind, taken, there) == ()
    for name in COMPARED[kind]:
        theirs = getattr(there, name, None)
        assert taken[name] == (known[name] if theirs is None else theirs)


@pytest.mark.parametrize(("known", "there"), [(0, 0), (None, 30), (30, None)])
def test_no_minutes_and_minutes_that_are_not_shown_are_no_difference(
    known: int | None, there: int | None
) -> None:
    assert differences(Kind.CANDIDATE, {"extra_time": known}, Member(extra_time=there)) == ()


def test_lists_are_compared_whatever_their_order_was() -> None:
    known = {"roles": joined(["monitor", "evaluate"]), "committees": joined([])}
    assert (
        differences(
            Kind.CONTRIBUTOR, known, Member(roles=joined(["evaluate", "monitor"]), committees="")
        )
        == ()
    )
    assert differences(Kind.CONTRIBUTOR, known, Member(roles="evaluate", committees="A")) == (
        "roles",
        "committees",
    )


def test_a_room_that_was_taken_away_differs_from_one_that_inspera_shows_and_not_from_none() -> None:
    taken = {"room": "", "building": "Main"}
    assert differences(Kind.CANDIDATE, taken, Member(room="A1", building="")) == (
        "room",
        "building",
    )
    assert differences(Kind.CANDIDATE, taken, Member(room="", building="Main")) == ()
    assert differences(Kind.CANDIDATE, taken, Member()) == ()
    assert taken_over(Kind.CANDIDATE, taken, Member(room="A1"))["room"] == "A1"
