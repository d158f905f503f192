"""Blanks where several feeds are of one kind: a feed that does not map a field says nothing about it (rules 12)."""

from copy import deepcopy
from typing import Any

import pytest
from sync.records.base import Kind

from ..support.university import TEST, University


@pytest.fixture
def halves(university: University) -> University:
    """Two feeds of candidates, of whom only those of the first, `ordinary`, have a room and a building."""
    university.registrations.columns += ("building", "resit")
    ordinary = university.feed("candidate")
    resits = deepcopy(ordinary)
    ordinary["map"] |= {"room": "room", "building": "building"}
    ordinary["where"], resits["where"] = {"resit": ["no"]}, {"resit": ["yes"]}
    university.config["feeds"].append(resits)
    university.register(TEST, "1001", "1002", "1003")
    for learner in ("1001", "1002"):
        university.registrations.set(f"{TEST} {learner}", room="U-37", building="B", resit="no")
    university.registrations.set(f"{TEST} 1003", room="U-37", resit="yes")
    university.apply_once()
    return university


def seat(university: University, name: str) -> tuple[Any, Any]:
    """The room and the building of a candidate."""
    one = university.candidates()[name]
    return one["roomName"], one["buildingName"]


def change(university: University, learner: str, **cells: str) -> None:
    university.registrations.set(f"{TEST} {learner}", **cells)
    university.apply_cleanly()


def test_a_row_of_a_feed_without_rooms_takes_none_away(halves: University) -> None:
    change(halves, "1001", resit="yes", room="", building="", extra="30")
    assert halves.candidates()["s1001"]["extraTimeMins"] == 30
    assert seat(halves, "s1001") == ("U-37", "B")
    change(halves, "1003", extra="15", room="")
    assert seat(halves, "s1003") == (None, None)
    assert halves.planned() == []
    # Back in the feed that has rooms, its blank counts again
    change(halves, "1001", resit="no")
    assert seat(halves, "s1001") == (None, None)


def test_a_blank_of_the_feed_with_rooms_takes_away_what_it_had_put_there(
    halves: University,
) -> None:
    change(halves, "1001", room="")
    assert seat(halves, "s1001") == (None, "B")
    assert seat(halves, "s1002") == ("U-37", "B")


@pytest.mark.parametrize("blank", ["keep", "clear"])
def test_what_one_feed_says_of_blanks_is_for_its_own_rows(halves: University, blank: str) -> None:
    resits = halves.config["feeds"][-1]
    resits["map"]["room"] = "room"
    resits["blank"] = blank
    halves.apply_cleanly()
    assert seat(halves, "s1003") == ("U-37", None)
    halves.registrations.set(f"{TEST} 1001", room="")
    halves.registrations.set(f"{TEST} 1002", resit="yes", room="", building="")
    change(halves, "1003", room="")
    cleared = None if blank == "clear" else "U-37"
    assert seat(halves, "s1001") == (None, "B")
    assert seat(halves, "s1002") == (cleared, "B")
    assert seat(halves, "s1003") == (cleared, None)
    assert halves.planned() == []


@pytest.mark.parametrize("kinds", ["all", "one"])
def test_the_feeds_of_a_kind_are_told_apart_in_a_job_of_that_kind_too(
    halves: University, kinds: str
) -> None:
    halves.registrations.set(f"{TEST} 1001", resit="yes", room="", building="")
    halves.registrations.set(f"{TEST} 1002", room="")
    halves.run_job("seats", *([Kind.CANDIDATE] if kinds == "one" else []))
    assert (seat(halves, "s1001"), seat(halves, "s1002")) == (("U-37", "B"), (None, "B"))


def test_a_feed_that_fills_gives_rooms_and_takes_them_away_in_rows_of_the_other(
    halves: University,
) -> None:
    halves.config["sources"]["rooms"] = {"type": "csv", "path": "rooms.csv"}
    path = halves.folder / "rooms.csv"

    def fill(*rows: str) -> None:
        path.write_text("\n".join(("exam,learner,room", *rows, "")), encoding="utf-8")

    fill(f"{TEST},1001,A1", f"{TEST},1003,A3")
    halves.config["feeds"].append(
        {
            "kind": "candidate",
            "source": "rooms",
            "on_conflict": "fill",
            "map": {"test": "exam", "learner": "learner", "room": "room"},
        }
    )
    halves.apply_cleanly()
    assert seat(halves, "s1001") == ("U-37", "B")
    assert seat(halves, "s1003") == ("A3", None)
    fill(f"{TEST},1001,A1", f"{TEST},1003,")
    change(halves, "1001", room="")
    assert seat(halves, "s1001") == ("A1", "B")
    assert seat(halves, "s1003") == (None, None)
    assert halves.planned() == []
    path.unlink()
    halves.apply()
    assert seat(halves, "s1001") == ("A1", "B")


def graders(university: University) -> University:
    """Two feeds of contributors, of whom only those of the second one have rooms."""
    university.add_feeds("staff", "contributor")
    university.graders.columns += ("by",)
    with_rooms = university.feed("contributor")
    plain = deepcopy(with_rooms)
    del plain["map"]["room"]
    with_rooms["where"], plain["where"] = {"by": ["office"]}, {"by": ["unit"]}
    plain["allow_empty"] = True
    university.config["feeds"].insert(-1, plain)
    university.register(TEST, "1001")
    university.assign_staff(TEST, "501", "502", room="U-37", by="office")
    university.apply_once()
    return university


def test_a_contributor_keeps_the_room_that_only_another_feed_has(university: University) -> None:
    graders(university)
    university.graders.set(f"{TEST} 501", by="unit")
    university.graders.set(f"{TEST} 502", room="")
    university.apply_cleanly()
    assert university.contributors()["t501"]["roomName"] == "U-37"
    assert university.contributors()["t502"]["roomName"] is None
    assert university.planned() == []


def test_a_room_goes_once_the_feed_no_longer_keeps_it(halves: University) -> None:
    halves.feed("candidate")["blank"] = "keep"
    change(halves, "1001", room="")
    assert seat(halves, "s1001") == ("U-37", "B")
    del halves.feed("candidate")["blank"]
    halves.apply_cleanly()
    assert seat(halves, "s1001") == (None, "B")
    assert halves.planned() == []
