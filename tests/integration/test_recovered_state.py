"""A lost state is recovered by the guide: all that was ours is ours again, whatever moved meanwhile."""

import pytest

from ..support.manual_edits import put_candidate, put_contributor
from ..support.university import OTHER, TEST, University, names, numbers


@pytest.fixture
def lost(university: University) -> University:
    """Two tests with candidates and a contributor, all of it ours; then the state is lost."""
    university.allow_shrinkage()
    university.add_feeds("staff", "contributor")
    university.register(TEST, *numbers(1001, 6))
    university.register(OTHER, *numbers(1001, 4))
    university.assign_staff(TEST, "7001")
    university.apply_once()
    for file in university.folder.glob("state.db*"):
        file.unlink()
    return university


def recover(university: University) -> None:
    """Recover as deploy/backup.md advises, to its end."""
    assert university.apply().status == 3
    university.adopt("--managed")
    university.apply()
    university.adopt("--held")
    university.apply_cleanly()
    assert university.planned() == []


def test_the_candidates_of_a_test_that_moved_meanwhile_are_ours_again(lost: University) -> None:
    lost.exams.set(TEST, start="02.12.2026 09:00", end="02.12.2026 13:00")
    recover(lost)
    assert lost.tests()[TEST]["startTime"] == "2026-12-02T08:00:00Z"
    lost.registrations.drop(f"{TEST} 1001", f"{TEST} 1002")
    lost.graders.drop(f"{TEST} 7001")
    lost.config["feeds"][-1]["allow_empty"] = True
    lost.apply_cleanly()
    assert set(lost.candidates()) == names(numbers(1003, 4))
    assert lost.contributors() == {}


def test_a_test_that_moved_is_named_and_nothing_of_it_is_sent_before_a_person_decides(
    lost: University,
) -> None:
    lost.exams.set(TEST, start="02.12.2026 09:00", end="02.12.2026 13:00")
    ran = lost.adopt("--managed")
    assert ran.status == 3
    assert f"doubtful: test {TEST}: its times differ: Inspera has 2026-12-01T08:00:00Z" in ran.out
    assert f"`adopt test {TEST} --keep` keeps Inspera's value until the source's changes" in ran.out
    assert "14 taken" not in ran.out
    assert lost.apply().status == 3
    assert lost.tests()[TEST]["startTime"] == "2026-12-01T08:00:00Z"
    assert lost.adopt("test", TEST, "--keep").status == 0
    lost.apply_cleanly()
    assert lost.tests()[TEST]["startTime"] == "2026-12-01T08:00:00Z"
    lost.registrations.drop(f"{TEST} 1001")
    lost.apply_cleanly()
    assert set(lost.candidates()) == names(numbers(1002, 5))


def test_somebody_with_more_minutes_than_the_source_says_is_ours_again_and_keeps_them_till_a_person_decides(
    lost: University,
) -> None:
    put_candidate(lost, "1001", extraTimeMins=60)
    lost.registrations.set(f"{TEST} 1001", extra="30")
    ran = lost.adopt("--managed")
    assert (
        f"doubtful: candidate {TEST} / 1001: Inspera gives 60 minutes of extra time, the source 30"
        in ran.out
    )
    assert lost.apply().status == 3
    assert lost.candidates()["s1001"]["extraTimeMins"] == 60
    assert lost.adopt("candidate", TEST, "1001", "--keep").status == 0
    lost.apply_cleanly()
    lost.registrations.drop(f"{TEST} 1001")
    lost.apply_cleanly()
    assert "s1001" not in lost.candidates()


def test_a_contributor_with_further_roles_is_ours_again(lost: University) -> None:
    put_contributor(lost, "7001", roles=["evaluate", "plan"])
    assert lost.adopt("--managed").status == 3
    assert lost.apply().status == 3
    assert sorted(lost.contributors()["t7001"]["roles"]) == ["evaluate", "plan"]
    assert lost.adopt("--held", "--keep").status == 0
    lost.apply_cleanly()
    lost.graders.drop(f"{TEST} 7001")
    lost.config["feeds"][-1]["allow_empty"] = True
    lost.apply_cleanly()
    assert lost.contributors() == {}


def test_the_seat_of_somebody_whose_account_is_doubtful_is_ours_again(lost: University) -> None:
    lost.students.set("1001", feide="renamed")
    lost.students.rows[0]["feide"] = "renamed"
    account = lost.learners()["s1001"]
    lost.sandbox.edit(student={**_external("renamed"), "username": account["username"]})
    ran = lost.adopt("--managed")
    assert "doubtful: learner 1001" in ran.out
    assert f"taken: candidate {TEST} / 1001" in ran.out


def _external(name: str) -> dict[str, object]:
    return {"externalIds": [{"authType": "FEIDE", "externalId": name}]}


def test_a_tenant_in_use_is_still_taken_in_as_theirs(lost: University) -> None:
    lost.exams.set(TEST, start="02.12.2026 09:00", end="02.12.2026 13:00")
    lost.adopt()
    lost.apply()
    lost.adopt("--held")
    lost.apply_cleanly()
    lost.registrations.drop(f"{TEST} 1001")
    lost.apply_cleanly()
    assert set(lost.candidates()) == names(numbers(1001, 6))


def test_what_was_taken_in_as_theirs_by_mistake_can_be_made_ours(lost: University) -> None:
    lost.adopt()
    lost.apply_cleanly()
    lost.registrations.drop(f"{TEST} 1001")
    assert "1 candidate stays, put there by hand" in lost.apply_cleanly().out
    assert lost.adopt("candidate", TEST, "1001", "--managed").status == 0
    lost.apply_cleanly()
    assert "s1001" not in lost.candidates()


def test_adopt_reads_each_test_once_for_each_kind(lost: University) -> None:
    lost.adopt("--managed")
    read = [call["path"] for call in lost.calls() if call["path"].endswith("/candidates")]
    assert len(read) == len(set(read)) == 2
