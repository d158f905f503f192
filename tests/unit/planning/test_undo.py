"""What takes a change back, and the reasons for which nothing can."""

from typing import Any

import pytest
from sync.planning.undo import RecordedChange, invert
from sync.records.base import Key, Kind
from sync.records.changes import Action

CANDIDATE: tuple[Kind, Key] = (Kind.CANDIDATE, ("T1", "L1"))


def recorded(record: tuple[Kind, Key], action: Action, **more: Any) -> RecordedChange:
    """Return a change that was done, and after which nothing happened."""
    values: dict[str, Any] = {"outcome": "done", "after": {}, "before": {}, **more}
    values.setdefault("known", values["after"])
    return RecordedChange(1, *record, action, **values)


def test_a_create_on_a_test_is_a_removal_and_a_removal_a_create() -> None:
    created = invert(recorded(CANDIDATE, Action.CREATE, after={"room": "A"}))
    assert created is not None
    assert (created.possible, created.wanted, created.left) == (True, None, "")
    removed = invert(recorded(CANDIDATE, Action.REMOVE, before={"room": "A"}, known=None))
    assert removed is not None
    assert removed.wanted is not None
    assert removed.wanted["room"] == "A"


def test_an_update_gets_back_only_the_fields_that_it_changed() -> None:
    before, after = {"room": "A", "extra_time": 15}, {"room": "B", "extra_time": 15}
    inverse = invert(recorded(CANDIDATE, Action.UPDATE, before=before, after=after))
    assert inverse is not None
    assert inverse.wanted == {"room": "A"}


@pytest.mark.parametrize(("managed", "possible"), [(True, True), (False, False)])
def test_a_field_without_a_former_value_is_cleared_only_where_we_created_the_record(
    managed: bool, possible: bool
) -> None:
    before, after = {"building": "X"}, {"building": "X", "room": "B"}
    change = recorded(CANDIDATE, Action.UPDATE, before=before, after=after, managed=managed)
    inverse = invert(change)
    assert inverse is not None
    assert inverse.possible is possible
    assert inverse.wanted == ({"room": ""} if managed else None)
    assert ("no former value is known" in inverse.left) is not managed


@pytest.mark.parametrize(
    ("record", "action", "more", "reason"),
    [
        ((Kind.LEARNER, ("L1",)), Action.CREATE, {}, "no call that deletes a learner"),
        ((Kind.TEST, ("T1",)), Action.CREATE, {}, "no call that deletes a test"),
        ((Kind.STAFF, ("S1",)), Action.DELETE, {}, "the account was deleted"),
        ((Kind.OPTION, ("T1", "PIN")), Action.CREATE, {}, "its former value in Inspera"),
        (
            (Kind.OPTION, ("T1", "PIN")),
            Action.UPDATE,
            {"before": {"value": "digest 1"}, "after": {"value": "digest 2"}},
            "is a secret",
        ),
        (CANDIDATE, Action.CREATE, {"outcome": "found"}, "was in Inspera before"),
        (CANDIDATE, Action.CREATE, {"outcome": None}, "not known yet"),
        (CANDIDATE, Action.CREATE, {"later": 9}, "run 9 has changed it again"),
        (CANDIDATE, Action.CREATE, {"known": None}, "somebody has decided about it since"),
        (CANDIDATE, Action.UPDATE, {"after": {"room": "B"}}, "its former values are not kept"),
    ],
)
def test_what_cannot_be_taken_back_has_its_reason(
    record: tuple[Kind, Key], action: Action, more: dict[str, Any], reason: str
) -> None:
    inverse = invert(recorded(record, action, **more))
    assert inverse is not None
    assert not inverse.possible
    assert reason in inverse.left


@pytest.mark.parametrize(
    "more", [{"outcome": "refused"}, {"outcome": "not sent"}, {"done_already": True}]
)
def test_what_had_no_effect_or_was_undone_already_needs_nothing(more: dict[str, Any]) -> None:
    assert invert(recorded(CANDIDATE, Action.CREATE, **more)) is None


def test_a_notification_is_named_although_the_rest_is_taken_back() -> None:
    contributor = (Kind.CONTRIBUTOR, ("T1", "S1"))
    inverse = invert(recorded(contributor, Action.CREATE, notified=True))
    assert inverse is not None
    assert inverse.possible
    assert "asked to notify" in inverse.left
