"""What staff do on tests: several roles of one person are one contributor, and only what is ours is taken away."""

from typing import Any

import pytest

from ..support.university import DAY_AFTER, DURING, OTHER, TEST, University, numbers

CONTRIBUTORS = "/contributors"


@pytest.fixture
def graded(university: University) -> University:
    """Five members of staff, of whom four grade a test."""
    university.add_feeds("staff", "contributor")
    university.register(TEST, "1001")
    university.employees.add("7005")
    university.assign_staff(TEST, *numbers(7001, 4))
    university.apply_once()
    return university


def roles(university: University, username: str) -> list[str]:
    """What Inspera lets somebody do on the test."""
    return sorted(university.contributors()[username]["roles"])


def sent_entries(university: University) -> list[dict[str, Any]]:
    """Every contributor of the last command's assignments."""
    return [
        entry
        for call in university.sent(CONTRIBUTORS, "POST")
        for entry in call["body"]["contributors"]
    ]


def by_hand(university: University, number: str, **place: object) -> None:
    """Somebody puts a member of staff on the test, or changes what they do there, in Inspera's own pages."""
    university.sandbox.edit(contributor={"test": TEST, "username": f"t{number}", **place})


def test_several_rows_of_one_person_are_one_contributor_with_all_roles_and_committees(
    graded: University,
) -> None:
    graded.graders.add(f"{TEST} 7005", duties="evaluate", committees="A")
    graded.graders.add(f"{TEST} 7005", duties="plan;evaluate", committees="B")
    graded.graders.add(f"{TEST} 7005", duties="monitor")
    assert graded.planned()[-1] == f"create contributor {TEST}/7005"
    graded.apply_cleanly()
    (entry,) = sent_entries(graded)
    assert sorted(entry["roles"]) == ["evaluate", "monitor", "plan"]
    assert graded.contributors()["t7005"]["committees"] == ["A", "B"]
    assert graded.planned() == []


def test_rows_of_one_person_that_differ_in_their_room_are_row_errors_and_change_nothing(
    graded: University,
) -> None:
    graded.graders.add(f"{TEST} 7001", duties="plan", room="U-37")
    ran = graded.apply()
    assert ran.status == 1
    assert all(f"graders.csv line {line}" in ran.out for line in (2, 6))
    assert roles(graded, "t7001") == ["evaluate"]


def test_a_role_that_is_added_is_sent_with_all_the_others(graded: University) -> None:
    graded.graders.add(f"{TEST} 7001", duties="monitor")
    assert graded.planned() == [f"update contributor {TEST}/7001"]
    assert "roles evaluate → evaluate, monitor" in graded.plan().out
    graded.apply_cleanly()
    assert [sorted(entry["roles"]) for entry in sent_entries(graded)] == [["evaluate", "monitor"]]
    assert roles(graded, "t7001") == ["evaluate", "monitor"]
    assert graded.planned() == []


def test_a_role_that_is_taken_away_is_gone_and_the_rest_stays(graded: University) -> None:
    graded.graders.set(f"{TEST} 7001", duties="evaluate;plan", room="U-37")
    graded.apply_cleanly()
    graded.graders.set(f"{TEST} 7001", duties="plan")
    graded.apply_cleanly()
    (entry,) = sent_entries(graded)
    assert (entry["roles"], entry["roomName"]) == (["plan"], "U-37")
    assert roles(graded, "t7001") == ["plan"]


def test_a_contributor_who_the_source_drops_is_taken_off_the_test(graded: University) -> None:
    graded.graders.drop(f"{TEST} 7001")
    assert graded.planned() == [f"remove contributor {TEST}/7001"]
    graded.apply_cleanly()
    assert set(graded.contributors()) == {"t7002", "t7003", "t7004"}
    assert graded.planned() == []


def test_contributors_who_were_there_before_us_are_updated_and_never_removed(
    graded: University,
) -> None:
    by_hand(graded, "7005", roles=["evaluate"])
    graded.graders.add(f"{TEST} 7005", duties="evaluate;plan")
    ran = graded.apply_cleanly()
    assert "1 create found" in ran.out
    assert roles(graded, "t7005") == ["evaluate", "plan"]
    graded.graders.drop(f"{TEST} 7005", f"{TEST} 7001")
    assert graded.planned() == [f"remove contributor {TEST}/7001"]
    graded.apply_cleanly()
    assert "t7005" in graded.contributors()


def test_existing_contributors_of_a_claimed_test_can_be_removed(graded: University) -> None:
    graded.config["existing"] = {"claim": ["INF*"]}
    by_hand(graded, "7005", roles=["evaluate"])
    graded.graders.add(f"{TEST} 7005")
    graded.apply_cleanly()
    graded.graders.drop(f"{TEST} 7005")
    graded.apply_cleanly()
    assert "t7005" not in graded.contributors()


def test_contributors_who_no_source_names_are_not_touched(graded: University) -> None:
    by_hand(graded, "7005", roles=["author"])
    graded.graders.drop(f"{TEST} 7001")
    graded.apply_cleanly()
    assert set(graded.contributors()) == {"t7002", "t7003", "t7004", "t7005"}
    assert roles(graded, "t7005") == ["author"]


def test_a_role_given_by_hand_is_drift_and_held_until_it_is_adopted(graded: University) -> None:
    by_hand(graded, "7001", roles=["evaluate", "chief_invigilate"])
    graded.graders.set(f"{TEST} 7001", duties="evaluate;plan")
    graded.graders.set(f"{TEST} 7002", duties="plan")
    ran = graded.apply()
    assert ran.status == 3
    assert "drift: Inspera has further roles for this contributor (chief_invigilate)" in ran.out
    assert (roles(graded, "t7001"), roles(graded, "t7002")) == (
        ["chief_invigilate", "evaluate"],
        ["plan"],
    )
    assert graded.adopt("contributor", TEST, "7001").status == 0
    assert graded.writes() == []
    assert "roles chief_invigilate, evaluate → evaluate, plan" in graded.plan().out
    graded.apply_cleanly()
    assert roles(graded, "t7001") == ["evaluate", "plan"]


def test_a_contributor_taken_off_by_hand_is_held_when_the_source_changes_and_comes_back_once_adopted(
    graded: University,
) -> None:
    by_hand(graded, "7001", removed=True)
    graded.graders.set(f"{TEST} 7001", duties="plan")
    ran = graded.apply()
    assert ran.status == 3
    assert "drift: Inspera does not have this contributor any more" in ran.out
    assert "t7001" not in graded.contributors()
    assert graded.adopt("--held").status == 0
    graded.apply_cleanly()
    assert roles(graded, "t7001") == ["plan"]


@pytest.mark.parametrize("missing", ["staff", "test"])
def test_a_contributor_of_staff_or_a_test_that_nobody_knows_is_a_row_error(
    graded: University, missing: str
) -> None:
    test, staff = (OTHER, "7001") if missing == "test" else (TEST, "7999")
    graded.graders.add(f"{test} {staff}")
    ran = graded.apply()
    assert ran.status == 1
    noun = f"test '{OTHER}'" if missing == "test" else "member of staff '7999'"
    assert f"{missing}: no feed makes the {noun}, and this state does not know it" in ran.out
    assert graded.writes() == []


def test_removals_wait_while_the_test_is_under_way_and_go_after_its_end(graded: University) -> None:
    graded.graders.drop(f"{TEST} 7001")
    graded.at(DURING)
    assert graded.planned("deferred") == [f"remove contributor {TEST}/7001"]
    assert "the test is under way: nothing is taken off it" in graded.apply_cleanly().out
    assert "t7001" in graded.contributors()
    graded.at(DAY_AFTER)
    graded.apply_cleanly()
    assert set(graded.contributors()) == {"t7002", "t7003", "t7004"}


def test_contributors_of_a_test_that_has_ended_and_left_its_source_retire_with_it(
    graded: University,
) -> None:
    graded.register(OTHER, "1001")
    graded.assign_staff(OTHER, "7005")
    graded.exams.set(OTHER, start="01.12.2027 09:00", end="01.12.2027 13:00")
    graded.apply_cleanly()
    graded.exams.drop(TEST)
    graded.graders.drop(*(f"{TEST} {number}" for number in numbers(7001, 4)))
    graded.registrations.drop(f"{TEST} 1001")
    graded.at(DAY_AFTER)
    graded.apply_cleanly()
    assert graded.writes() == []
    assert set(graded.contributors()) == {f"t{number}" for number in numbers(7001, 4)}
    assert {"kind": "contributor", "lifecycle": "retired", "count": 4} in graded.status()["known"]
    assert graded.planned() == []
