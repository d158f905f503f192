"""After a run, what was written is read back: how long that took, and what is not as it was sent."""

from datetime import timedelta

import pytest

from ..support.manual_edits import put_candidate
from ..support.university import TEST, University, numbers

SECOND = timedelta(seconds=1)


@pytest.fixture
def whole(university: University) -> University:
    """Every kind on one test, and all of what is written is read back."""
    university.add_feeds("staff", "contributor", "option")
    university.config["verify"] = "all"
    university.register(TEST, *numbers(1001, 30))
    university.assign_staff(TEST, "7001", "7002", committees="A")
    university.settings.add(f"{TEST} LOCKDOWN_BROWSER", value="yes")
    return university


@pytest.fixture
def late(university: University) -> University:
    """One learner is to be made, and a second goes by with each call to an Inspera where writes are readable late."""
    university.config["inspera"] |= {"workers": 1, "read_after_write_delay": "4s"}
    university.keep_feeds("learner")
    university.students.add("1001")
    university.tick = SECOND
    return university


def readable_after(university: University, seconds: int) -> None:
    """Inspera shows nothing of a write until so many seconds later."""
    university.sandbox.control(failures={"seconds": {"delayed_visibility": seconds}})


def lookups(university: University) -> int:
    """How often the last command looked people up."""
    return sum("/users/external/" in call["path"] for call in university.calls())


def test_all_that_was_written_is_read_back_but_for_options_which_nothing_shows(
    whole: University,
) -> None:
    ran = whole.apply_cleanly()
    # 30 learners and as many seats, two members of staff and two contributors, one test and its committee
    assert "67 create done, 66 read back; exit status 0" in ran.out
    assert "66 read back" in whole.run("status").out


def test_a_sample_is_of_20_of_each_kind_at_most_and_is_the_default(whole: University) -> None:
    del whole.config["verify"]
    ran = whole.apply_cleanly()
    read = next(
        int(part.split()[0].split()[-1]) for part in ran.out.split(", ") if "read back" in part
    )
    assert 2 * 10 + 6 <= read <= 2 * 20 + 6


def test_nothing_is_read_back_where_the_configuration_says_so(whole: University) -> None:
    whole.config["verify"] = "none"
    ran = whole.apply_cleanly()
    assert "read back" not in ran.out
    assert whole.calls()[-1]["method"] == "POST"


def test_nothing_is_read_back_by_a_run_that_wrote_nothing(whole: University) -> None:
    whole.apply_once()
    whole.apply_cleanly()
    assert whole.calls() == []


def test_what_is_readable_late_is_counted_with_the_seconds_that_it_took(late: University) -> None:
    readable_after(late, 3)
    ran = late.apply_cleanly()
    assert "1 create done, 1 read back, 3 seconds at most until readable; exit status 0" in ran.out
    assert "3 seconds at most until readable" in late.run("status").out
    assert late.status()["runs"][0]["counts"]["seconds at most until readable"] == 3


def test_what_is_not_readable_in_the_time_that_it_may_take_is_reported(late: University) -> None:
    readable_after(late, 3600)
    ran = late.apply()
    assert ran.status == 1
    assert "1 not as sent" in ran.out
    assert (
        "drift: learner 1001: was sent, but is not there; look at it in Inspera, or run `reconcile`"
        in ran.out
    )
    assert lookups(late) > 2
    assert "was sent, but is not there" in late.run("status").out


def test_what_somebody_changed_behind_our_back_is_reported(whole: University) -> None:
    whole.apply_once()
    whole.registrations.set(f"{TEST} 1001", extra="30", number="7")
    whole.registrations.set(f"{TEST} 1002", number="8")
    whole.meanwhile = lambda: put_candidate(whole, "1001", extraTimeMins=5)
    ran = whole.apply()
    assert ran.status == 1
    assert f"drift: candidate {TEST} / 1001: was sent, but extra_time is not as sent" in ran.out
    assert "1 not as sent, 1 read back, 2 update done; exit status 1" in ran.out
    assert "extra_time is not as sent" in whole.run("status").out
    assert whole.reconcile("--repair").status == 0
    assert whole.candidates()["s1001"]["extraTimeMins"] == 30


def test_a_removal_that_somebody_undid_is_reported(whole: University) -> None:
    whole.apply_once()
    whole.registrations.drop(f"{TEST} 1001")
    whole.meanwhile = lambda: put_candidate(whole, "1001")
    ran = whole.apply()
    assert ran.status == 1
    assert f"candidate {TEST} / 1001: was sent, but is still there" in ran.out


@pytest.mark.parametrize("status", [404, 405, 403])
def test_a_tenant_without_the_candidate_list_is_not_blamed(whole: University, status: int) -> None:
    whole.fail(method="GET", path="*/candidates", status=status)
    ran = whole.apply()
    assert "not as sent" not in ran.out
    assert ran.status == 0, ran.output
    assert len(whole.candidates()) == 30


def test_a_tenant_that_cannot_be_read_just_then_is_reported_of(whole: University) -> None:
    whole.apply_once()
    whole.students.set("1001", family="Nyfamilie")
    whole.config["inspera"]["attempts"] = 1
    whole.fail(method="GET", path="*/users/external/*", status=500)
    ran = whole.apply()
    assert ran.status == 1
    assert "learner 1001: was sent, but could not be read" in ran.out
