"""A change of the configuration that changes too much is held, with its arithmetic (rules 15)."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from sync.records.base import Kind

from ..support.university import NEXT_DAY, OTHER, TEST, University, names, numbers

SCOPE = "change of the configuration"


def applied(university: University) -> Any:
    """The stored configuration: digest and content."""
    with closing(sqlite3.connect(university.state)) as state:
        return state.execute("SELECT digest, content FROM applied_configuration").fetchone()


def impact(university: University) -> dict[str, Any] | None:
    """What the plan says about the change of the configuration."""
    found: dict[str, Any] | None = university.plan_json()["summary"]["configuration"]
    return found


@pytest.fixture
def thirty(university: University) -> University:
    """30 learners on one test, five of them on another."""
    university.register(TEST, *numbers(1001, 30))
    university.register(OTHER, *numbers(1001, 5))
    university.apply_once()
    return university


def swap_names(university: University) -> None:
    university.feed("learner")["map"] |= {"first_name": "family", "last_name": "given"}


def test_a_changed_mapping_is_held_and_one_hash_lets_it_go(thirty: University) -> None:
    swap_names(thirty)
    thirty.register(TEST, "1099")
    ran = thirty.apply()
    assert ran.status == 3
    assert (
        f"{SCOPE}: it creates 1 learner, updates 30 learners; 31 changes of 30 known learners is more than "
        "max(10, 10%) = 10; changed: feeds[1].map.first_name: changed, feeds[1].map.last_name: "
        "changed; if it is right: apply --allow "
    ) in ran.out
    assert "s1099" not in thirty.candidates(TEST)
    assert thirty.apply("--allow", ran.allow_hash).status == 0
    assert thirty.learners()["s1001"]["firstName"] == thirty.students.rows[0]["family"]
    assert "s1099" in thirty.candidates(TEST)
    quiet = thirty.apply_cleanly()
    assert "onfiguration" not in quiet.out


def test_it_stays_held_in_the_next_night(thirty: University) -> None:
    swap_names(thirty)
    first = thirty.apply()
    thirty.at(NEXT_DAY)
    second = thirty.apply()
    assert (first.status, second.status) == (3, 3)
    assert first.allow_hash == second.allow_hash
    assert thirty.writes() == []


def test_what_the_sources_change_meanwhile_goes_on(thirty: University) -> None:
    thirty.feed("candidate")["map"]["extra_time"] = "{extra}"
    thirty.feed("candidate")["map"]["room"] = "room"
    thirty.registrations.set(f"{OTHER} 1001", room="B12")
    thirty.students.set("1003", family="Testesen")
    ran = thirty.apply_cleanly()
    assert (
        "Configuration: this change of the configuration updates 1 candidate; changed: "
        "feeds[3].map.extra_time: changed, feeds[3].map.room: added"
    ) in ran.out
    assert len(thirty.writes()) == 2


@pytest.mark.parametrize("change", ["limits", "jobs", "completeness", "shrink", "same"])
def test_a_harmless_change_reads_nothing_a_second_time(
    thirty: University, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = thirty.config
    if change == "limits":
        config["limits"] = {"configuration": {"percent": 20}}
    elif change == "jobs":
        config["jobs"] = {"all": {"every": "1h"}}
    elif change == "completeness":
        thirty.feed("learner")["allow_empty"] = True
    elif change == "shrink":
        thirty.allow_shrinkage()
    else:
        config["feeds"] = [dict(reversed(feed.items())) for feed in config["feeds"]]

    def fail(*_: object) -> None:
        raise AssertionError("the earlier configuration was read")

    monkeypatch.setattr("sync.config.meaning_changes.load_values", fail)
    before = applied(thirty)
    thirty.apply_cleanly()
    assert applied(thirty) == before


def test_a_narrower_where_is_held_as_one_whatever_shrinks_by_it(thirty: University) -> None:
    for learner in numbers(1001, 12):
        thirty.registrations.set(f"{TEST} {learner}", room="old")
    thirty.apply_cleanly()
    thirty.feed("candidate")["where_not"] = {"room": "old"}
    ran = thirty.apply()
    assert ran.status == 3
    assert "it removes 12 candidates; 12 changes of 35 known candidates is more than" in ran.out
    assert len(thirty.candidates(TEST)) == 30
    assert thirty.apply("--allow", ran.allow_hash).status == 0
    assert set(thirty.candidates(TEST)) == names(numbers(1013, 18))
    thirty.apply_cleanly()


def test_what_waits_for_the_grace_counts_in_the_first_night(thirty: University) -> None:
    thirty.config["grace"] = {"readings": 2, "age": "1h"}
    for learner in numbers(1001, 12):
        thirty.registrations.set(f"{TEST} {learner}", room="old")
    thirty.feed("candidate")["where_not"] = {"room": "old"}
    ran = thirty.apply()
    assert ran.status == 3
    assert "it removes 12 candidates; 12 changes of 35 known candidates" in ran.out
    assert thirty.apply("--allow", ran.allow_hash).status == 0
    assert len(thirty.candidates(TEST)) == 18


def test_approving_the_whole_hold_is_enough(thirty: University) -> None:
    swap_names(thirty)
    held = thirty.apply()
    assert held.status == 3
    listed = thirty.run("held").out
    assert SCOPE in listed
    approved = thirty.run("approve", held.allow_hash, "--why", "the columns were swapped")
    assert approved.status == 0, approved.output
    assert len(thirty.writes()) == 30
    assert "changes nothing that is sent" in thirty.apply_cleanly().out
    assert "onfiguration" not in thirty.apply_cleanly().out


def test_a_field_for_all_candidates_is_held(thirty: University) -> None:
    for row in list(thirty.registrations.rows):
        row["room"] = "B12"
    thirty.feed("candidate")["map"]["room"] = "room"
    ran = thirty.apply()
    assert "it updates 35 candidates; 35 changes of 35 known candidates" in ran.out
    assert "changed: feeds[3].map.room: added" in ran.out
    thirty.apply("--allow", ran.allow_hash)
    assert thirty.apply_cleanly().out.count("B12") == 0


def test_a_new_kind_is_loaded_without_asking(thirty: University) -> None:
    thirty.add_feeds("staff", "contributor")
    thirty.assign_staff(TEST, *numbers(2001, 15))
    ran = thirty.apply_cleanly()
    assert "this change of the configuration creates 15 staff, creates 15 contributors" in ran.out
    assert "feeds[4]: added, feeds[5]: added" in ran.out
    assert "onfiguration" not in thirty.apply_cleanly().out


def test_a_renamed_source_changes_nothing(thirty: University) -> None:
    thirty.config["sources"]["people"] = thirty.config["sources"].pop("students")
    thirty.feed("learner")["source"] = "people"
    ran = thirty.apply()
    assert "this change of the configuration changes nothing that is sent" in ran.out
    assert thirty.writes() == []


def test_an_earlier_source_that_is_gone_is_said_and_stops_nothing(thirty: University) -> None:
    for row in thirty.students.rows[:12]:
        row["family"] = "Testesen"
    thirty.students.path = thirty.folder / "new.csv"
    thirty.config["sources"]["students"]["path"] = "new.csv"
    (thirty.folder / "students.csv").unlink()
    ran = thirty.apply()
    assert ran.status == 3
    assert "students.csv can't be relied on by the earlier configuration" in ran.out
    assert "it updates 12 learners" in ran.out


def test_an_earlier_configuration_that_is_not_valid_any_more_counts_every_change(
    thirty: University,
) -> None:
    with closing(sqlite3.connect(thirty.state)) as state, state:
        state.execute("UPDATE applied_configuration SET digest = '', content = '{\"learner\": {}}'")
    thirty.students.set("1001", family="Testesen")
    ran = thirty.apply()
    assert ran.status == 0
    assert "the earlier configuration can't be used any more" in ran.out
    assert len(thirty.writes()) == 1


def test_a_job_compares_only_what_it_reads(thirty: University) -> None:
    swap_names(thirty)
    thirty.feed("candidate")["map"]["room"] = "room"
    thirty.registrations.set(f"{OTHER} 1001", room="B12")
    before = applied(thirty)
    thirty.run_job("tests", Kind.TEST)
    assert applied(thirty) == before
    assert thirty.apply().status == 3


def test_no_secret_gets_into_the_state(thirty: University) -> None:
    thirty.add_feeds("option")
    thirty.settings.add(f"{TEST} SEB_SETTINGS_PINCODE")
    feed = thirty.feed("option")
    feed["map"]["option"] = {"constant": "SEB_SETTINGS_PINCODE"}
    feed["map"]["value"] = {"constant": "Pincode12345"}
    thirty.feed("learner")["map"]["password"] = {"constant": "Passord98765"}
    thirty.apply()
    content = applied(thirty)[1]
    assert '"option"' in content
    assert "Pincode12345" not in content
    assert "Passord98765" not in content


def test_check_shows_the_impact_beforehand_as_the_plan_then_holds_it(thirty: University) -> None:
    swap_names(thirty)
    thirty.register(TEST, "1099")
    before = thirty.state.read_bytes()
    ran = thirty.run("check", "--impact")
    assert ran.status == 3
    assert (
        "Configuration: changed: feeds[1].map.first_name: changed, feeds[1].map.last_name: changed"
    ) in ran.out
    assert "this change of the configuration creates 1 learner, updates 30 learners." in ran.out
    assert "update learner 1001: first_name changes, last_name changes (students.csv line 2)" in (
        ran.out
    )
    assert "… and 27 more of these" in ran.out
    why = "31 changes of 30 known learners is more than max(10, 10%) = 10"
    assert f"the next `apply` would hold this: {why}" in ran.out
    assert ran.out.splitlines()[-1].endswith("exit status 3: something is held.")
    assert thirty.state.read_bytes() == before
    assert why in thirty.apply().out


def test_check_says_that_nothing_changed_or_that_there_is_nothing_to_compare(
    university: University,
) -> None:
    university.register(TEST, "1001")
    assert "there is nothing to compare with" in university.run("check", "--impact").out
    university.apply_once()
    ran = university.run("check", "--impact")
    assert (ran.status, "has changed its meaning since that `apply`" in ran.out) == (0, True)
    university.feed("candidate")["map"]["room"] = "room"
    university.registrations.set(f"{TEST} 1001", room="B12")
    ran = university.run("check", "--impact")
    assert "within the limits, so the next `apply` sends it" in ran.out
    assert ran.status == 0
