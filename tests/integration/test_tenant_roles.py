"""A role on a test is one for the whole tenant: the plan names who gets which."""

import json

import pytest

from ..support.university import TEST, University, numbers


@pytest.fixture
def graded(university: University) -> University:
    """A test with a grader, who has no account yet, and staff whose accesses are known."""
    university.add_feeds("staff", "contributor")
    university.register(TEST, "1001")
    university.assign_staff(TEST, "501")
    return university


def gains(university: University) -> list[tuple[str, bool, int, list[str]]]:
    """Return what the plan says of each role: whether it is certain, how many get it, and who."""
    return [
        (one["role"], one["certain"], one["count"], one["keys"])
        for one in university.plan_json()["summary"]["tenant_roles"]
    ]


def test_a_plan_names_who_gets_a_role_for_the_whole_tenant(graded: University) -> None:
    line = "Roles: 501 becomes grader of the tenant (role evaluate) by being put on a test; taking"
    assert line in graded.plan().out
    assert gains(graded) == [("evaluate", True, 1, ["501"])]
    ran = graded.apply_cleanly()
    assert line in ran.out
    assert gains(graded) == []


def test_a_role_that_the_account_has_by_its_accesses_or_by_another_test_is_not_gained(
    graded: University,
) -> None:
    graded.feed("staff")["map"]["accesses"] = {"constant": "ar_monitor;plan"}
    graded.apply_once()
    graded.assign_staff("MAT1100-H26", "501", "502", duties="monitor;plan;evaluate")
    assert gains(graded) == [("evaluate", True, 1, ["502"])]


def test_of_an_account_whose_roles_are_unknown_it_says_may(graded: University) -> None:
    graded.apply_once()
    graded.graders.set(f"{TEST} 501", duties="evaluate;chief_invigilate")
    assert "Roles: 501 may become chief invigilator of the tenant" in graded.plan().out
    assert gains(graded) == [("chief_invigilate", False, 1, ["501"])]


def test_many_are_one_line_with_their_number_and_the_first_keys(graded: University) -> None:
    graded.assign_staff(TEST, *numbers(601, 7))
    text = "Roles: 8 staff become grader of the tenant (role evaluate) by being put on a test: "
    first = graded.run("plan").out
    assert f"{text}501, 601, 602, 603, 604 and 3 more (--all shows them); taking" in first
    assert ", ".join(numbers(601, 7)) in graded.plan().out
    report = graded.run("report", "plan", "--json", "-")
    assert text in json.dumps(json.loads(report.out), ensure_ascii=False)


def test_who_does_not_go_ahead_gains_nothing(graded: University) -> None:
    graded.apply_once()
    graded.assign_staff(TEST, "502")
    graded.employees.drop("502")
    assert gains(graded) == []
