"""A person decides: what is held at night is listed, approved as a whole or in part, or rejected."""

import json
import re
from typing import Any

import pytest
from sync.app import App

from ..support.university import NEXT_DAY, OTHER, TEST, University, names, numbers

TEN_LEFT = numbers(1001, 10)


def holds(university: University, *words: str) -> list[dict[str, Any]]:
    """What `held` lists."""
    found: list[dict[str, Any]] = json.loads(university.run("held", "--json", *words).out)["holds"]
    return found


def only_hold(university: University) -> str:
    """The hash of the one hold."""
    (hold,) = holds(university)
    return str(hold["id"])


def approve(university: University, id_: str, *words: str) -> Any:
    """Runs `approve`, by a person of this name."""
    return university.run(
        "approve", id_, "--why", "checked with the faculty", "--by", "ann", *words
    )


def reject(university: University, id_: str, *words: str) -> Any:
    """Runs `reject`, by a person of this name."""
    return university.run("reject", id_, "--why", "a wrong export", "--by", "ann", *words)


@pytest.fixture
def night(university: University) -> University:
    """A mass withdrawal was held at night: ten of twelve have left the one test."""
    university.allow_shrinkage()
    university.register(TEST, *numbers(1001, 12))
    university.register(OTHER, "1001", "1002")
    university.apply_once()
    university.registrations.drop(*(f"{TEST} {learner}" for learner in TEN_LEFT))
    assert university.apply().status == 3
    university.at(NEXT_DAY)
    return university


def test_what_was_held_is_listed_with_its_arithmetic_and_the_command(night: University) -> None:
    (hold,) = holds(night)
    assert hold["counts"] == [{"action": "remove", "kind": "candidate", "count": 10}]
    assert (hold["since"], hold["test"]) == ("2026-09-01T08:00:00Z", TEST)
    listed = night.run("held")
    assert listed.status == 0
    assert f"{hold['id']}: remove 10 candidates, since 2026-09-01" in listed.out
    assert "10 of 12 known is more than max(3, 25% up to 100) = 3\n" in listed.out
    assert f"to decide: approve {hold['id']} --why TEXT" in listed.out
    one = night.run("held", hold["id"][:4]).out
    assert "remove candidate INF1000-H26 / 1001" in one
    status = night.run("status").out
    assert "10 changes in 1 hold, since 2026-09-01" in status
    assert "`held`" in status


def test_a_hold_is_approved_whole_and_carried_out_at_once(night: University) -> None:
    ran = approve(night, only_hold(night)[:6])
    assert ran.status == 0, ran.output
    assert "Approved: 10 changes, until 2026-09-03T08:00:00Z." in ran.out
    assert set(night.candidates()) == names(numbers(1011, 2))
    assert holds(night) == []
    assert "Nothing is held." in night.run("held").out
    night.apply_cleanly()


def test_an_approval_of_what_makes_no_call_says_that_it_waits_for_a_whole_run(
    university: University,
) -> None:
    university.config["on_absence"] = {"candidate": "keep"}
    university.config["limits"] = {"kind": {"at_least": 0, "percent": 1}}
    university.allow_shrinkage()
    for test in (TEST, OTHER, "FYS1001-H26"):
        university.register(test, "1001")
    university.apply_once()
    university.exams.drop(TEST)
    university.registrations.drop(f"{TEST} 1001")
    assert university.apply().status == 3
    ran = approve(university, only_hold(university))
    assert ran.status == 1
    assert (
        "this change makes no call and waits for a whole run; run `inspera-sync apply`" in ran.out
    )
    university.apply_cleanly()
    assert "1 test withdrawn" in university.run("status").out


def test_a_hold_is_approved_in_part_and_the_rest_rejected(night: University) -> None:
    ran = approve(night, only_hold(night), "--only", f"{TEST}/1001", "--only", "1002")
    assert set(night.candidates()) == names(numbers(1003, 10)), ran.output
    ran = night.apply()  # the rest would be within the limit, and nobody has decided about it
    assert ran.status == 3
    assert "left open by ann on 2026-09-02 10:00 Europe/Oslo (08:00Z), who decided about" in ran.out
    assert set(night.candidates()) == names(numbers(1003, 10))
    assert reject(night, only_hold(night)).status == 0
    assert holds(night) == []
    assert night.apply().status == 0  # a rejected removal is missed by nobody
    assert set(night.candidates()) == names(numbers(1003, 10))
    deferred = [one["reason"] for one in night.plan_json()["changes"]]
    assert len(deferred) == 8
    assert deferred[0].startswith("rejected by ann on 2026-09-02T08:00:00Z: a wrong export; it")
    assert "a wrong export" in night.run("held", "--all").out
    assert "rejected by ann" in night.run("status", "--all").out


def test_the_log_has_neither_who_decided_nor_why(night: University) -> None:
    reject(night, only_hold(night))
    night.run("--verbose", "apply")
    err = night.outputs[-1]
    assert "run ended" in err
    assert "a wrong export" not in err
    assert "by ann" not in err


def test_a_rejected_change_is_approved_after_all_by_its_own_hash(night: University) -> None:
    reject(night, only_hold(night))
    night.apply()
    (again,) = {
        found[1]
        for found in re.finditer(r"/ 1004: .*; approve (\w+) --why", night.run("held", "--all").out)
    }
    assert approve(night, again).status == 0
    assert set(night.candidates()) == names([*numbers(1001, 3), *numbers(1005, 8)])


def test_a_rejected_change_comes_back_when_its_row_changes(night: University) -> None:
    night.registrations.add(*(f"{TEST} {learner}" for learner in TEN_LEFT))
    night.exams.set(TEST, end="01.12.2027 13:00")
    assert night.apply().status == 3
    reject(night, only_hold(night))
    assert night.apply().status == 0
    night.exams.set(TEST, end="02.12.2027 13:00")
    assert night.apply().status == 3
    assert len(holds(night)) == 1
    night.exams.set(TEST, end="01.12.2027 13:00")
    assert night.apply().status == 3


def test_after_the_source_moved_on_only_the_same_changes_are_sent(night: University) -> None:
    hold = only_hold(night)
    night.registrations.add(f"{TEST} 1001")
    ran = approve(night, hold)
    assert set(night.candidates()) == names(["1001", *numbers(1011, 2)])
    assert "candidate INF1000-H26 / 1001: approved, but there is nothing to change" in ran.out
    assert ran.status == 0


def test_one_word_is_enough_where_a_source_is_shorter_as_well(university: University) -> None:
    university.register(TEST, *numbers(1001, 40))
    university.at("2026-11-30T12:00")
    university.apply_once()
    university.registrations.drop(*(f"{TEST} {learner}" for learner in numbers(1005, 20)))
    assert university.apply().status == 4
    (hold,) = holds(university)
    assert hold["decide"] == f"approve {hold['id']} --why TEXT"
    approve(university, hold["id"], "--only", "1005")
    assert len(university.candidates()) == 39
    university.at("2026-12-01T08:30")
    approve(university, only_hold(university))
    assert len(university.candidates()) == 39  # the test has begun


def test_a_lost_faculty_needs_one_word_for_all_its_limits(university: University) -> None:
    university.allow_shrinkage()
    university.add_feeds("staff", "contributor")
    university.allow_shrinkage()
    for test in (TEST, OTHER):
        university.register(test, *numbers(1001, 6))
        university.assign_staff(test, *numbers(501, 5))
    university.assign_staff("KEPT-H26", "501")
    university.register("KEPT-H26", "1001")
    university.apply_once()
    for table in (university.registrations, university.graders):
        table.rows = [row for row in table.rows if row["course"] == "KEPT"]
    university.apply()
    (hold,) = holds(university)
    assert hold["counts"] == [
        {"action": "remove", "kind": "candidate", "count": 12},
        {"action": "remove", "kind": "contributor", "count": 10},
    ]
    assert "removals of candidate: 12 of 13 known is more than max(10, 10%" in hold["reason"]
    assert hold["reason"].endswith("; and 2 more")
    approve(university, hold["id"])
    assert university.candidates() == university.contributors() == {}
    assert holds(university) == []


def test_what_has_another_value_meanwhile_stays_held_and_is_named(night: University) -> None:
    decide_beside_a_run(night, only_hold(night))
    night.registrations.add(f"{TEST} 1001", extra="30")
    ran = night.apply()
    assert ran.status == 3
    assert "candidate INF1000-H26 / 1001: approved, but its row has changed since" in ran.out
    assert set(night.candidates()) == names(["1001", *numbers(1011, 2)])
    assert "has changed since" not in night.apply().out


def test_an_older_hash_is_refused_once_the_state_moved_on(night: University) -> None:
    hold = only_hold(night)
    night.registrations.add(f"{TEST} 1001")
    night.apply()
    ran = approve(night, hold)
    assert (ran.status, len(night.candidates())) == (2, 12)
    assert f"{hold}: no hold has this hash; the holds are {only_hold(night)}" in ran.err


def test_what_was_changed_in_inspera_meanwhile_stays_held(university: University) -> None:
    university.register(TEST, "1001")
    university.apply_once()
    university.exams.set(TEST, end="01.12.2027 13:00")
    assert university.apply().status == 3
    university.sandbox.edit(test=TEST, end="2026-12-01T12:45:00Z")
    ran = approve(university, only_hold(university))
    assert ran.status == 3
    assert university.tests()[TEST]["endTime"] == "2026-12-01T12:45:00Z"
    (drift,) = [one for one in holds(university) if one["while_sending"]]
    refused = approve(university, drift["id"])
    assert refused.status == 2
    assert "approve does not decide about this (drift)" in refused.err
    assert f"run `adopt test {TEST}`" in refused.err


def test_an_expired_approval_counts_for_nothing_and_is_named_once(night: University) -> None:
    night.run("pause")
    assert approve(night, only_hold(night), "--for", "2h").status == 3
    night.run("resume")
    night.at("2026-09-02T10:00")
    ran = night.apply()
    assert ran.status == 3
    assert "its approval expired on 2026-09-02T10:00:00Z" in ran.out
    assert len(night.candidates()) == 12
    assert "expired" not in night.apply().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("ffff",), "ffff: no hold has this hash; the holds are "),
        (
            ("{id}", "--only", "1099"),
            "--only 1099: is not in this hold, which has INF1000-H26 / 10",
        ),
        (("{id}", "--why", " "), "--why: is empty"),
        (("{id}", "--for", "90d"), "--for 90d: an approval counts up to 14 days"),
        (("{short}",), "too short"),
    ],
)
def test_a_wrong_decision_is_an_error_that_names_what_there_is(
    night: University, words: tuple[str, ...], message: str
) -> None:
    id_ = only_hold(night)
    ran = approve(night, *(word.format(id=id_, short=id_[:3]) for word in words))
    assert (ran.status, night.writes()) == (2, [])
    assert message in ran.err


def test_without_a_state_nothing_is_held(university: University) -> None:
    assert "Nothing is held." in university.run("held").out
    ran = approve(university, "abcd")
    assert (ran.status, "abcd: no hold has this hash; nothing is held" in ran.err) == (2, True)
    assert not university.state.exists()


def test_an_identity_change_is_not_approved_but_adopted(university: University) -> None:
    university.register(TEST, "1001")
    university.apply_once()
    university.students.set("1001", feide="s9999")
    university.apply()
    hold = next(one for one in holds(university) if one["cause"] == "identity_change")
    ran = approve(university, hold["id"])
    assert ran.status == 2
    assert "(identity change)" in ran.err
    assert "run `adopt learner 1001`" in ran.err


def test_what_was_rejected_is_not_adopted_with_all_others(university: University) -> None:
    university.register(TEST, "1001", "1002")
    university.apply_once()
    for learner in ("1001", "1002"):
        university.students.set(learner, feide=f"x{learner}")
    university.apply()
    hold = next(one for one in holds(university) if one["cause"] == "identity_change")
    assert reject(university, hold["id"], "--only", "1002").status == 0
    ran = university.adopt("--held", "--show")
    assert "learner 1001" in ran.out
    assert "learner 1002" not in ran.out


def test_a_rejected_create_keeps_the_run_from_ending_well(university: University) -> None:
    university.register(TEST, "1001")
    university.exams.set(TEST, end="01.12.2027 13:00")
    assert university.apply().status == 3
    reject(university, next(one["id"] for one in holds(university) if one["cause"] == "times"))
    ran = university.apply()
    assert (ran.status, university.tests()) == (1, {})


def decide_beside_a_run(university: University, hold: str, verdict: str = "approve") -> None:
    """Decides while another run holds the state."""
    app = App.open(university.write(), lambda _: None)
    with app.state.open_to_write("job nightly"):
        ran = {"approve": approve, "reject": reject}[verdict](university, hold)
    assert ran.status == 0
    assert "(job nightly) holds the state" in ran.out
    assert len(university.candidates()) == 12


def test_beside_a_run_decisions_are_queued_for_the_next_one(night: University) -> None:
    decide_beside_a_run(night, only_hold(night))
    assert "10 changes approved by ann" in night.run("held").out
    assert len(night.planned("pass")) == 10
    night.apply_cleanly()
    assert set(night.candidates()) == names(numbers(1011, 2))
    assert list(night.folder.glob("state.db.decided*")) == []


def test_a_rejection_beside_a_run_counts_in_the_next_one(night: University) -> None:
    decide_beside_a_run(night, only_hold(night), "reject")
    night.apply_cleanly()
    assert (len(night.candidates()), holds(night)) == (12, [])


def test_an_approval_ends_when_its_change_is_not_wanted_for_a_while(night: University) -> None:
    night.run("pause")
    approve(night, only_hold(night), "--for", "7d")
    night.run("resume")
    night.registrations.add(*(f"{TEST} {number}" for number in TEN_LEFT))
    night.apply()
    night.registrations.drop(*(f"{TEST} {number}" for number in TEN_LEFT))
    assert night.apply().status == 3
    assert len(night.candidates()) == 12


def test_an_approval_does_not_open_the_freeze(night: University) -> None:
    night.run("pause")
    night.at("2026-11-28T08:00")
    night.run("resume")
    night.apply()
    night.run("pause")
    approve(night, only_hold(night), "--for", "7d")
    night.run("resume")
    night.at("2026-12-01T07:00")
    night.apply()
    assert len(night.candidates()) == 12


def test_what_is_rejected_is_in_no_group_that_a_hash_lets_pass(night: University) -> None:
    reject(night, only_hold(night))
    night.at("2026-12-01T07:00")
    assert "apply --allow" not in night.plan().out
    night.apply()
    assert len(night.candidates()) == 12
