"""Rules 15: A large change is held. Removals above the limits are held, per kind and per test, and
so are updates and creates above theirs; everything else is sent.
"""

import re
from typing import Any

import pytest

from ..support.university import NEXT_DAY, OTHER, TEST, University, names, numbers


def held(university: University) -> dict[str, dict[str, Any]]:
    """The scopes that the plan holds, by name."""
    return {one["scope"]: one for one in university.plan_json()["summary"]["held_scopes"]}


def leave(university: University, test: str, learners: list[str]) -> None:
    """These learners' registrations for a test vanish."""
    university.registrations.drop(*(f"{test} {learner}" for learner in learners))


@pytest.fixture
def forty(university: University) -> University:
    """40 learners on one test, nine of them on another."""
    university.allow_shrinkage()
    university.register(TEST, *numbers(1001, 40))
    university.register(OTHER, *numbers(1001, 9))
    university.apply_once()
    return university


def test_nine_of_nine_candidates_gone_is_held_whatever_the_limit(forty: University) -> None:
    leave(forty, OTHER, numbers(1001, 9))
    leave(forty, TEST, ["1040"])
    forty.config["limits"] = {"test": {"at_least": 50}}
    ran = forty.apply()
    assert ran.status == 3
    assert (
        f"removals on test {OTHER}: 9 of 9 known: none would remain; if it is right: apply --allow "
        in ran.out
    )
    assert set(forty.candidates(OTHER)) == names(numbers(1001, 9))
    assert set(forty.candidates(TEST)) == names(numbers(1001, 39))


def test_the_only_candidate_of_a_test_may_go(university: University) -> None:
    university.register(TEST, *numbers(1001, 5))
    university.register(OTHER, "1001")
    university.apply_once()
    leave(university, OTHER, ["1001"])
    university.apply_cleanly()
    assert university.candidates(OTHER) == {}


@pytest.mark.parametrize(("gone", "passes"), [(10, True), (11, False)])
def test_a_tests_removals_pass_up_to_a_quarter_of_its_candidates(
    forty: University, gone: int, passes: bool
) -> None:
    forty.config["limits"] = {"kind": {"at_least": 40}}
    leave(forty, TEST, numbers(1001, gone))
    assert forty.apply().status == (0 if passes else 3)
    assert len(forty.candidates(TEST)) == (40 - gone if passes else 40)
    if not passes:
        why = held(forty)[f"removals on test {TEST}"]["why"]
        assert why == "11 of 40 known is more than max(3, 25% up to 100) = 10"


@pytest.mark.parametrize(("gone", "passes"), [(3, True), (4, False)])
def test_a_small_tests_removals_pass_up_to_three(
    forty: University, gone: int, passes: bool
) -> None:
    leave(forty, OTHER, numbers(1001, gone))
    assert forty.apply().status == (0 if passes else 3)
    assert len(forty.candidates(OTHER)) == (9 - gone if passes else 9)


def test_a_kinds_removals_are_counted_over_all_its_tests(forty: University) -> None:
    leave(forty, TEST, numbers(1001, 9))
    leave(forty, OTHER, numbers(1001, 2))
    assert (
        held(forty)["removals of candidate"]["why"]
        == "11 of 49 known is more than max(10, 10% up to 500) = 10"
    )
    assert forty.apply().status == 3
    assert forty.writes() == []


def test_the_hash_lets_exactly_those_changes_pass_that_it_was_printed_for(
    forty: University,
) -> None:
    leave(forty, OTHER, numbers(1001, 4))
    hash_ = held(forty)[f"removals on test {OTHER}"]["hash"]
    assert hash_ in forty.plan().out
    leave(forty, OTHER, ["1005"])
    assert held(forty)[f"removals on test {OTHER}"]["hash"] != hash_
    refused = forty.apply("--allow", hash_)
    assert (refused.status, len(forty.candidates(OTHER))) == (2, 9)
    assert (
        f"--allow {hash_}: nothing that is held now has this hash, so nothing was sent"
        in refused.err
    )
    forty.registrations.add(f"{OTHER} 1005")
    assert forty.apply("--allow", hash_).status == 0
    assert set(forty.candidates(OTHER)) == names(numbers(1005, 5))


def test_a_change_over_two_limits_needs_the_word_for_both(forty: University) -> None:
    leave(forty, TEST, numbers(1001, 11))
    scopes = held(forty)
    whole = scopes.pop("all held removals")
    assert set(scopes) == {"removals of candidate", f"removals on test {TEST}"}
    assert whole["why"] == "11, over 2 limits"
    for scope in scopes.values():
        assert forty.apply("--allow", scope["hash"]).status == 3
        assert len(forty.candidates(TEST)) == 40
    assert forty.apply(*(f"--allow={scope['hash']}" for scope in scopes.values())).status == 0
    assert len(forty.candidates(TEST)) == 29


def test_everything_else_goes_on_next_to_what_is_held(forty: University) -> None:
    leave(forty, OTHER, numbers(1001, 9))
    forty.register(TEST, "1099")
    forty.students.set("1001", family="Øvelsesen")
    assert forty.apply().status == 3
    assert "s1099" in forty.candidates(TEST)
    assert forty.learners()["s1001"]["lastName"] == "Øvelsesen"


def test_no_hash_lets_an_identity_change_pass(forty: University) -> None:
    forty.students.set("1001", feide="s1001-new")
    leave(forty, OTHER, numbers(1002, 8))
    (scope,) = held(forty).values()
    assert forty.apply("--allow", scope["hash"]).status == 3
    assert "s1001-new" not in forty.learners()
    assert set(forty.candidates(OTHER)) == {"s1001"}


def test_updates_above_half_of_a_kind_are_held_and_can_be_allowed(forty: University) -> None:
    for learner in numbers(1001, 21):
        forty.students.set(learner, family="Øvelsesenius")
    assert (
        held(forty)["updates of learner"]["why"] == "21 of 40 known is more than max(10, 50%) = 20"
    )
    assert forty.apply().status == 3
    assert forty.writes() == []
    assert forty.apply("--allow", held(forty)["updates of learner"]["hash"]).status == 0
    assert len(forty.writes()) == 21


def test_updates_up_to_half_of_a_kind_pass(forty: University) -> None:
    for learner in numbers(1001, 20):
        forty.students.set(learner, family="Øvelsesenius")
    forty.apply_cleanly()
    assert len(forty.writes()) == 20


def test_withdrawn_tests_are_counted_and_held_above_the_limit(university: University) -> None:
    university.keep_feeds("test", "candidate", "learner")
    university.allow_shrinkage()
    university.register(TEST, "1001")
    courses = [f"FAG{number}-H26" for number in numbers(1, 11)]
    university.exams.add(*courses)
    university.apply_once()
    university.exams.drop(*courses)
    assert (
        held(university)["removals of test"]["why"]
        == "11 of 12 known is more than max(10, 10% up to 500) = 10"
    )
    assert university.apply().status == 3
    assert "withdrawn" not in university.run("status").out.split("Last runs")[0]


EVENING, TOO_EARLY, LATE_ENOUGH = "2026-09-01T20:00", "2026-09-02T07:59", "2026-09-02T08:01"


def test_a_leak_that_stays_below_the_limit_each_time_is_held_once_it_adds_up(
    forty: University,
) -> None:
    forty.config["limits"] = {"kind": {"at_least": 40}}
    leave(forty, TEST, numbers(1001, 7))
    forty.apply_cleanly()
    forty.at(EVENING)
    leave(forty, TEST, numbers(1008, 4))
    why = held(forty)[f"removals on test {TEST}"]["why"]
    assert (
        why
        == "4 in this run and 7 in the last 24 h of 40 known is more than max(3, 25% up to 100) = 10"
    )
    ran = forty.apply()
    assert ran.status == 3
    assert why in ran.out
    assert len(forty.candidates(TEST)) == 33
    forty.at(TOO_EARLY)
    assert forty.apply().status == 3
    forty.at(LATE_ENOUGH)
    forty.apply_cleanly()
    assert len(forty.candidates(TEST)) == 29


def test_a_leak_over_several_tests_adds_up_for_the_kind(forty: University) -> None:
    leave(forty, TEST, numbers(1001, 8))
    forty.apply_cleanly()
    forty.at(EVENING)
    leave(forty, OTHER, numbers(1001, 3))
    why = (
        "3 in this run and 8 in the last 24 h of 49 known is more than max(10, 10% up to 500) = 10"
    )
    assert {name: one["why"] for name, one in held(forty).items()} == {"removals of candidate": why}


def test_what_a_person_allowed_does_not_count_afterwards(forty: University) -> None:
    leave(forty, OTHER, numbers(1001, 4))
    hash_ = held(forty)[f"removals on test {OTHER}"]["hash"]
    assert forty.apply("--allow", hash_).status == 0
    forty.at(EVENING)
    leave(forty, OTHER, numbers(1005, 3))
    forty.apply_cleanly()
    assert set(forty.candidates(OTHER)) == names(["1008", "1009"])


def test_what_failed_or_came_back_does_not_count(forty: University) -> None:
    forty.fail(method="DELETE", path="*/candidates", status=409)
    leave(forty, OTHER, numbers(1001, 3))
    assert forty.apply().status == 1
    forty.stop_failing()
    forty.registrations.add(*(f"{OTHER} {learner}" for learner in numbers(1001, 3)))
    forty.apply_cleanly()
    leave(forty, OTHER, numbers(1004, 3))
    forty.apply_cleanly()
    forty.registrations.add(*(f"{OTHER} {learner}" for learner in numbers(1004, 3)))
    forty.apply_cleanly()
    leave(forty, OTHER, numbers(1007, 3))
    forty.apply_cleanly()
    assert set(forty.candidates(OTHER)) == names(numbers(1001, 6))


def test_withdrawn_tests_of_the_last_day_count_as_well(university: University) -> None:
    university.keep_feeds("test", "candidate", "learner")
    university.allow_shrinkage()
    university.register(TEST, "1001")
    courses = [f"FAG{number}-H26" for number in numbers(1, 11)]
    university.exams.add(*courses)
    university.apply_once()
    university.exams.drop(*courses[:8])
    assert university.apply().status == 0
    university.at(EVENING)
    university.exams.drop(*courses[8:])
    why = (
        "3 in this run and 8 in the last 24 h of 12 known is more than max(10, 10% up to 500) = 10"
    )
    assert held(university)["removals of test"]["why"] == why
    university.at(NEXT_DAY)
    assert held(university) == {}


@pytest.fixture
def halved(forty: University) -> University:
    """Half of the registrations are gone: over the limit of the kind and of both tests."""
    leave(forty, TEST, numbers(1001, 20))
    leave(forty, OTHER, numbers(1001, 5))
    return forty


def test_one_hash_allows_all_held_removals(halved: University) -> None:
    out = halved.run("plan").out
    assert (
        out.count("all held removals: 25, over 3 limits; if all 25 held removals are right: ") == 1
    )
    scopes = held(halved)
    assert next(iter(scopes)) == "all held removals"
    hash_ = scopes["all held removals"]["hash"]
    limit = "limit: removals of candidate: 25 of 49 known is more than max(10, 10% up to 500) = 10"
    assert f"{limit}; if all 25 held removals are right: apply --allow {hash_}" in out
    assert halved.run("plan", "--allow", hash_).status == 0
    assert halved.apply("--allow", hash_).status == 0
    assert len(halved.candidates(TEST)) == 20


def test_the_hash_of_all_is_of_exactly_these(halved: University) -> None:
    hash_ = held(halved)["all held removals"]["hash"]
    leave(halved, OTHER, ["1006"])
    refused = halved.apply("--allow", hash_)
    assert refused.status == 2
    assert f"--allow {hash_}: nothing that is held now has this hash" in refused.err
    assert halved.writes() == []


def test_each_scope_names_the_complete_command(halved: University) -> None:
    halved.config["limits"] = {"kind": {"at_least": 22}}
    for learners in (numbers(1021, 19), numbers(1006, 4)):
        halved.registrations.add(*(f"{OTHER} 2{one}" for one in learners))
    halved.students.add(*(f"2{one}" for one in (*numbers(1021, 19), *numbers(1006, 4))))
    out = halved.run("plan").out
    (flags,) = re.findall(f"removals on test {TEST}: .*; if it is right: apply (.*)", out)
    assert flags.count("--allow") == 2
    assert halved.apply(*flags.split()).status == 3
    assert len(halved.candidates(TEST)) == 20
    assert len(names(numbers(1001, 9)) & set(halved.candidates(OTHER))) == 9


def test_a_wrong_hash_is_named_next_to_a_right_one(halved: University) -> None:
    hash_ = held(halved)["all held removals"]["hash"]
    refused = halved.apply("--allow", hash_, "--allow", "0123456789ab")
    assert refused.status == 2
    assert "--allow 0123456789ab: nothing that is held now has this hash (the other" in refused.err
    assert halved.writes() == []


def test_a_shrunk_source_is_accepted_only_when_its_removals_were_sent(
    university: University,
) -> None:
    university.register(TEST, *numbers(1001, 40))
    university.apply_once()
    leave(university, TEST, numbers(1001, 20))
    accept = ("--accept-shrink", "registrations")
    assert university.apply().status == 4
    assert university.apply(*accept).status == 3
    assert university.apply().status == 4
    out = university.run("plan", *accept).out
    command = re.findall("all held removals: .* apply (.*)", out)[0]
    assert university.apply(*command.split()).status == 0
    assert len(university.candidates(TEST)) == 20
    assert university.apply().status == 0


def test_a_hash_of_what_the_freeze_defers_does_not_open_the_limits_of_removals(
    university: University,
) -> None:
    university.register(TEST, *numbers(1001, 9))
    university.apply_once()
    university.at("2026-12-01T07:30")
    university.registrations.drop(*(f"{TEST} {one}" for one in numbers(1001, 5)))
    (frozen,) = university.plan_json()["summary"]["held_scopes"]
    assert university.apply("--allow", frozen["hash"]).status == 3
    assert set(university.candidates()) == names(numbers(1001, 9))
    ran = university.plan("--allow", frozen["hash"])
    hashes = set(re.findall(r"--allow (\w+)", ran.out)) - {frozen["hash"]}
    both = [f"--allow={one}" for one in (frozen["hash"], *hashes)]
    assert university.apply(*both).status == 0
    assert set(university.candidates()) == names(numbers(1006, 4))
