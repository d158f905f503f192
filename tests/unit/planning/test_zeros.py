"""What a spreadsheet does to a number, and what is a change of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sync.planning.zeros import are_lost, lost_zeros
from sync.records.base import Kind
from sync.records.changes import Action, Change


@pytest.mark.parametrize(
    ("was", "now", "lost"),
    [
        ("0150", "150", True),
        ("0150", "150.0", True),
        ("150", "150,0", True),
        ("00A1", "A1", True),
        ("000", "0", True),
        ("150", "0150", False),
        ("150.0", "150", False),
        ("0150", "151", False),
        ("0150", "", False),
        (None, "150", False),
    ],
)
def test_only_lost_zeros_are_lost_zeros(was: str | None, now: str, lost: bool) -> None:
    assert are_lost(was, now) is lost


@given(st.from_regex("[0-9]{1,8}", fullmatch=True), st.integers(1, 4))
def test_of_two_ways_at_most_one_is_a_loss(number: str, zeros: int) -> None:
    longer = "0" * zeros + number
    assert are_lost(longer, number)
    assert not are_lost(number, longer)


def test_only_identifiers_of_an_update_count() -> None:
    before, after = {"candidate_id": "0150", "room": "01"}, {"candidate_id": "150", "room": "1"}
    change = Change(
        Action.UPDATE, Kind.CANDIDATE, ("T", "1"), before, after, ("room", "candidate_id")
    )
    assert lost_zeros(change) == "candidate_id 0150 → 150 differs only by leading zeros"
    create = Change(Action.CREATE, Kind.CANDIDATE, ("T", "1"), {}, after, ("candidate_id",))
    assert lost_zeros(create) == ""
