"""Rules 18: An empty state against a tenant that already has our tests is held ("this looks like a
lost state"). A restored copy asks for `reconcile`.
"""

import pytest

from ..support.university import OTHER, TEST, University, names, numbers


@pytest.fixture
def lost(university: University) -> University:
    """Everything is in Inspera, and the state is gone."""
    university.register(TEST, *numbers(1001, 5))
    university.register(OTHER, *numbers(1001, 3))
    university.apply_once()
    for file in university.folder.glob("state.db*"):
        file.unlink()
    return university


def test_a_lost_state_is_held_and_nothing_is_sent(lost: University) -> None:
    ran = lost.apply()
    assert ran.status == 3
    assert "this looks like a lost state" in ran.out
    assert "`adopt`" in ran.out
    assert lost.writes() == []


def test_adopt_settles_a_lost_state_without_sending_and_only_what_no_search_shows_is_sent_once(
    lost: University,
) -> None:
    ran = lost.adopt("--managed")
    assert ran.status == 0
    assert "15 taken" in ran.out
    assert lost.writes() == []
    assert lost.planned() == [f"update test {TEST}", f"update test {OTHER}"]
    assert "duration (nothing) → 240" in lost.plan().out
    lost.apply_cleanly()
    assert lost.planned() == []


def test_seats_adopted_as_ours_can_be_removed_and_others_can_not(lost: University) -> None:
    lost.adopt("--managed")
    lost.registrations.drop(f"{TEST} 1001")
    lost.apply_cleanly()
    assert set(lost.candidates()) == names(numbers(1002, 4))


def test_seats_adopted_plainly_are_found_and_stay(lost: University) -> None:
    lost.adopt()
    lost.registrations.drop(f"{TEST} 1001")
    lost.register(TEST, "1009")
    lost.apply_cleanly()
    assert set(lost.candidates()) == names([*numbers(1001, 5), "1009"])


def test_showing_what_would_be_adopted_writes_no_state(lost: University) -> None:
    ran = lost.adopt("--show")
    assert "Would be: 15 taken" in ran.out
    assert not lost.state.exists()


def test_the_doubtful_is_shown_and_not_taken_in(lost: University) -> None:
    lost.sandbox.edit(test=TEST, end="2026-12-01T13:00:00Z")
    ran = lost.adopt("--managed")
    assert ran.status == 3
    assert f"doubtful: test {TEST}: its times differ" in ran.out
    assert f"adopt test {TEST}" in ran.out


def test_a_person_without_our_external_id_is_found_by_login(university: University) -> None:
    university.register(TEST, "1001")
    (row,) = university.students.rows
    university.sandbox.edit(
        student={"username": "s1001", "firstName": row["given"], "lastName": row["family"]}
    )
    ran = university.adopt()
    assert "taken: learner 1001" in ran.out
    university.apply_cleanly()
    assert university.learners()["s1001"]["externalIds"] == [
        {"authType": "FEIDE", "externalId": "s1001"}
    ]
    assert set(university.candidates()) == {"s1001"}


def test_a_tenant_with_nobody_of_ours_is_no_lost_state(university: University) -> None:
    university.sandbox.edit(
        student={"username": "stranger", "firstName": "Éowyn", "lastName": "Testdóttir"}
    )
    university.register(TEST, "1001")
    university.apply_cleanly()
    assert set(university.candidates()) == {"s1001"}
