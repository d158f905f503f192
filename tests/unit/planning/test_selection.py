import pytest
from sync.planning.selection import PilotGroup, Selection
from sync.records.base import Key, Kind

ON_INF = Selection(tests=("INF*",))
PERSON = Selection(people=("1001",), kinds=(Kind.CANDIDATE,))


@pytest.mark.parametrize(
    ("selection", "kind", "key", "covered"),
    [
        (ON_INF, Kind.TEST, ("INF1",), True),
        (ON_INF, Kind.CANDIDATE, ("INF1", "1001"), True),
        (ON_INF, Kind.LEARNER, ("INF1",), False),
        (PERSON, Kind.CANDIDATE, ("MAT1", "1001"), True),
        (PERSON, Kind.LEARNER, ("1001",), False),
        (Selection(people=("1001",)), Kind.STAFF, ("1001",), True),
        (Selection(people=("1001",)), Kind.OPTION, ("INF1", "1001"), False),
        (Selection(), Kind.TEST, ("T",), True),
    ],
)
def test_all_parts_must_name_a_record(
    selection: Selection, kind: Kind, key: Key, covered: bool
) -> None:
    assert selection.covers(kind, key) is covered
    assert selection.may_cover(kind, key[0], key[1] if len(key) > 1 else "") is covered


def test_a_part_of_a_key_that_cannot_be_read_may_be_anybodys() -> None:
    assert ON_INF.may_cover(Kind.CANDIDATE, None, "1001")
    assert PERSON.may_cover(Kind.CANDIDATE, "INF1", None)
    assert not ON_INF.may_cover(Kind.CANDIDATE, "MAT1", None)


def test_a_pilot_group_is_a_union_and_a_feed_narrows_its_kind() -> None:
    group = PilotGroup([ON_INF, PERSON], {Kind.CANDIDATE: [Selection(people=("100*",))]})
    assert group.covers(Kind.TEST, ("INF1",))
    assert group.covers(Kind.CANDIDATE, ("MAT1", "1001"))
    assert not group.covers(Kind.CANDIDATE, ("INF1", "2001"))
    assert not PilotGroup()
