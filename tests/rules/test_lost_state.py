"""An empty state against an Inspera that already has our people and tests."""

import pytest

from .site import OTHER, TEST, Site, names, numbers


@pytest.fixture
def lost(site: Site) -> Site:
    """Everything is in Inspera, and the state is gone."""
    site.seat(TEST, *numbers(1001, 5))
    site.seat(OTHER, *numbers(1001, 3))
    site.settled()
    for file in site.folder.glob("state.db*"):
        file.unlink()
    return site


def test_a_lost_state_is_held_and_nothing_is_sent(lost: Site) -> None:
    ran = lost.apply()
    assert ran.status == 3
    assert "this looks like a lost state" in ran.out
    assert "`adopt`" in ran.out
    assert lost.writes() == []


def test_adopt_settles_a_lost_state_without_sending_and_only_what_no_search_shows_is_sent_once(
    lost: Site,
) -> None:
    ran = lost.adopt("--managed")
    assert ran.status == 0
    assert "15 taken" in ran.out
    assert lost.writes() == []
    assert lost.planned() == [f"update test {TEST}", f"update test {OTHER}"]
    assert "duration (nothing) → 240" in lost.plan().out
    lost.settled()
    assert lost.planned() == []


def test_seats_adopted_as_ours_can_be_removed_and_others_can_not(lost: Site) -> None:
    lost.adopt("--managed")
    lost.registrations.drop(f"{TEST} 1001")
    lost.settled()
    assert set(lost.seats()) == names(numbers(1002, 4))


def test_seats_adopted_plainly_are_found_and_stay(lost: Site) -> None:
    lost.adopt()
    lost.registrations.drop(f"{TEST} 1001")
    lost.seat(TEST, "1009")
    lost.settled()
    assert set(lost.seats()) == names([*numbers(1001, 5), "1009"])


def test_showing_what_would_be_adopted_writes_no_state(lost: Site) -> None:
    ran = lost.adopt("--show")
    assert "Would be: 15 taken" in ran.out
    assert not lost.state.exists()


def test_the_doubtful_is_shown_and_not_taken_in(lost: Site) -> None:
    lost.sandbox.edit(test=TEST, end="2026-12-01T13:00:00Z")
    ran = lost.adopt("--managed")
    assert ran.status == 3
    assert f"doubtful: test {TEST}: its times differ" in ran.out
    assert f"adopt test {TEST}" in ran.out


def test_a_person_without_our_external_id_is_found_by_login(site: Site) -> None:
    site.seat(TEST, "1001")
    (row,) = site.students.rows
    site.sandbox.edit(
        student={"username": "s1001", "firstName": row["given"], "lastName": row["family"]}
    )
    ran = site.adopt()
    assert "taken: learner 1001" in ran.out
    site.settled()
    assert site.people()["s1001"]["externalIds"] == [{"authType": "FEIDE", "externalId": "s1001"}]
    assert set(site.seats()) == {"s1001"}


def test_a_tenant_with_nobody_of_ours_is_no_lost_state(site: Site) -> None:
    site.sandbox.edit(
        student={"username": "stranger", "firstName": "Éowyn", "lastName": "Testdóttir"}
    )
    site.seat(TEST, "1001")
    site.settled()
    assert set(site.seats()) == {"s1001"}
