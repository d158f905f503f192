"""As few calls as possible: one export before a load, readings that are shared, and the estimate."""

from collections import Counter
from pathlib import Path

import pytest

from ..support.call_names import count_calls
from ..support.first_load import PROBE, FirstLoad
from ..support.university import OTHER, TEST, University, numbers

LOAD = 12
"""New learners of a load, above `existing.export_above` of these stories."""


def load(university: University, learners: int = LOAD, above: int = 5) -> None:
    university.config |= {"existing": {"export_above": above}, "verify": "none"}
    university.keep_feeds("learner", "staff")
    university.students.add(*numbers(1001, learners))


def calls(university: University) -> Counter[str]:
    return count_calls(university.calls())


def test_a_load_costs_an_export_of_each_kind_and_one_call_a_learner(university: University) -> None:
    load(university)
    ran = university.apply_cleanly()
    made = calls(university)
    assert made["learner.save"] == LOAD
    # The look for a lost state, up to 20, by external id and by login.
    assert made["person.search"] == made["person.by_external_id"] == LOAD
    assert (made["export.order"], made["export.file"]) == (2, 2)
    assert "whose login is not among them are created without a look-up" in ran.out
    assert ran.out.count("Not seen so") == 1
    assert len(university.learners()) == LOAD


def test_few_new_learners_are_looked_up_and_nothing_is_exported(university: University) -> None:
    load(university, learners=5)
    university.apply_cleanly()
    assert calls(university)["export.order"] == 0
    assert calls(university)["person.search"] == 2 * 5  # with the look for a lost state
    load(university, above=0)
    university.students.add(*numbers(2001, LOAD))
    university.apply_cleanly()
    assert calls(university)["export.order"] == 0
    assert calls(university)["person.search"] == 2 * LOAD - 5


def test_who_has_the_login_in_any_case_is_looked_up_as_before(university: University) -> None:
    load(university)
    (row, *_) = university.students.rows
    login = row["feide"]
    names = {"firstName": row["given"], "lastName": row["family"], "email": row["mail"]}
    university.sandbox.edit(student={"username": login, **names})
    other = university.students.rows[1]["feide"]
    university.sandbox.edit(student={"username": other.upper()})
    ran = university.apply()
    assert calls(university)["person.search"] == LOAD + 2
    assert ran.status == 3
    assert "has this username in another case" in ran.out
    assert "was there before us" in ran.out
    assert len(university.learners()) == LOAD


def test_a_learner_whose_login_is_a_member_of_staff_is_looked_up(university: University) -> None:
    load(university)
    theirs, other = (row["feide"] for row in university.students.rows[:2])
    names = {"firstName": "En", "lastName": "Annen", "email": "annen@example.edu"}
    university.sandbox.edit(staff={"username": other, "externalId": other, **names})
    ran = university.apply()
    assert ran.status == 3
    assert "may be somebody else's" in ran.out
    assert calls(university)["learner.save"] == LOAD - 1
    assert theirs in university.learners()


def test_an_export_with_external_ids_shows_an_account_under_another_login(
    university: University,
) -> None:
    load(university)
    university.sandbox.control(export_details=True)
    row = university.students.rows[3]
    ids = [{"authType": "FEIDE", "externalId": row["feide"]}]
    university.sandbox.edit(student={"username": "another", "externalIds": ids})
    ran = university.apply()
    assert "the account with this external id has another username" in ran.out
    assert "Not seen so" not in ran.out
    assert len(university.sent("/student")) == LOAD - 1


def test_without_a_usable_export_everyone_is_looked_up(university: University) -> None:
    load(university)
    university.fail(path="*/fileExport/order", status=405)
    ran = university.apply_cleanly()
    assert calls(university)["person.search"] == 2 * LOAD
    assert "Inspera's export of its learners could not be used" in ran.out
    assert "new learners are looked up one by one" in ran.out


def test_an_export_that_lacks_who_is_known_is_not_believed(university: University) -> None:
    load(university, above=0)
    university.apply_once()
    load(university, learners=0)
    university.students.add(*numbers(2001, LOAD))
    university.at("2026-09-01T09:00")
    university.fail(method="GET", path="/export/*", status=200, body={"students": []})
    ran = university.apply_cleanly()
    assert "lacks 12 of 12 known learners: new learners are looked up one by one" in ran.out
    assert calls(university)["person.search"] == LOAD


def test_staff_need_both_exports_as_a_learners_account_is_not_ours_either(
    university: University,
) -> None:
    load(university, learners=0)
    university.add_feeds("staff")
    university.keep_feeds("staff")
    university.employees.add(*numbers(4001, LOAD))
    university.apply_cleanly()
    made = calls(university)
    assert (made["export.order"], made["staff.save"], made["person.search"]) == (2, LOAD, LOAD)
    assert "managed (put there by us)" in university.run("explain", "staff", "4001").out
    university.sandbox.edit(student={"username": "t5001"})
    university.employees.add(*numbers(5001, LOAD))
    university.apply()
    assert calls(university)["person.search"] == 1


def test_a_new_test_costs_two_calls_and_one_reading_for_its_committees_and_graders(
    university: University,
) -> None:
    university.config |= {"verify": "none"}
    university.add_feeds("staff", "committee", "contributor", "option")
    university.register(TEST, "1001")
    university.panels.add(f"{TEST} A")
    university.assign_staff(TEST, "4001", committees="A")
    university.settings.add(f"{TEST} LOCKDOWN_BROWSER", value="true")
    university.apply_cleanly()
    made = calls(university)
    # A look for a lost state, one before the create, and one before a security option.
    assert (made["test.search"], made["test.save"]) == (3, 1)
    assert (made["test.read"], made["committee.create"], made["contributor.assign"]) == (1, 1, 1)
    assert (made["candidate.list"], made["candidate.assign"], made["option.set"]) == (1, 1, 1)


def estimate(university: University) -> Counter[str]:
    """What the plan says about calls by name, as a tenant counts them."""
    said = university.plan_json()["summary"]["calls"]
    assert said["about"] == sum(said["by_name"].values())
    saves = {"test.create": "test.save", "test.update": "test.save"}
    saves |= {f"learner.{word}": "learner.save" for word in ("create", "update")}
    saves |= {f"staff.{word}": "staff.save" for word in ("create", "update", "enable", "disable")}
    found = Counter[str]()
    for name, number in said["by_name"].items():
        found[saves.get(name, name)] += number
    return found


@pytest.mark.parametrize(("verify", "above"), [("none", 0), ("sample", 20), ("all", 20)])
def test_a_plan_says_which_calls_apply_then_makes(
    university: University, verify: str, above: int
) -> None:
    university.config |= {"verify": verify, "existing": {"export_above": above}}
    university.config["inspera"]["batch_size"] = 20
    university.add_feeds("staff", "committee", "contributor", "option")
    university.register(TEST, *numbers(1001, 45))
    university.register(OTHER, *numbers(1001, 10))
    university.students.set("1001", secret="made-up-Password-1")
    university.panels.add(f"{TEST} A")
    university.assign_staff(TEST, *numbers(4001, 3))
    university.assign_staff(OTHER, "4001")
    university.settings.add(f"{TEST} LOCKDOWN_BROWSER", value="true")
    university.settings.add(f"{OTHER} EXPLANATION_OF_GRADES_ADMINISTRATION_ENABLED", value="true")
    said = estimate(university)
    university.apply_cleanly()
    assert said == calls(university)
    university.at("2026-09-02T08:00")
    university.students.set("1001", given="Anna")
    university.exams.set(TEST, name="Muntlig")
    university.registrations.drop(f"{TEST} 1045")
    university.graders.drop(f"{TEST} 4003")
    university.employees.drop("4003")
    said = estimate(university)
    university.apply_cleanly()
    assert said == calls(university)


def test_a_plan_says_calls_and_time_and_what_an_export_does_not_show(
    university: University,
) -> None:
    load(university, learners=200)
    university.config["inspera"]["calls_per_second"] = 2
    plan = university.plan().out
    assert "About 249 calls to Inspera, about 2 min at 2 a second" in plan
    assert "Whether 200 new learners exist is taken from an export of Inspera's logins" in plan
    assert "Not seen so: an account with another login and the same external id" in plan
    university.config["existing"] = {"look_up_learners": False}
    plan = university.plan().out
    assert "About 241 calls to Inspera, about 2 min" in plan
    assert "export of Inspera's logins" not in plan
    assert "About 241 calls to Inspera" in university.run("report", "--json", "-").out


def test_a_first_load_makes_hardly_more_calls_than_the_fewest(tmp_path: Path) -> None:
    size = FirstLoad(learners=150, tests=3, candidates=330, above=50)
    made, printed = size.apply(tmp_path)
    # A token, two polls of each export, and the look for a lost state, which does not grow with the load.
    more = {"token.fetch": 1, "export.status": 4}
    more |= {"person.by_external_id": PROBE, "person.search": PROBE, "test.search": 3}
    assert made == Counter(size.least()) + Counter(more)
    assert "exit status 0" in printed


def test_who_has_an_account_costs_a_look_up_more(tmp_path: Path) -> None:
    size = FirstLoad(learners=60, tests=3, candidates=30, above=50, same=4, other=2)
    made, printed = size.apply(tmp_path)
    # Four have the login and are looked up by external id; two have another login and are refused.
    assert made["person.by_external_id"] - PROBE == 4
    assert made["learner.save"] == 60
    assert "2 create refused" in printed


def test_an_export_that_names_nobody_proves_nothing(university: University) -> None:
    load(university)
    login = university.students.rows[0]["feide"]
    names = {"firstName": "En", "lastName": "Annen", "email": "annen@example.edu"}
    university.sandbox.edit(student={"username": login, **names})
    university.fail(method="GET", path="/export/*", status=200, body={"students": []})
    ran = university.apply()
    assert ran.status == 3
    assert university.learners()[login]["lastName"] == "Annen"
    assert [one["type"] for one in university.findings()].count("export") == 1


def test_a_learner_for_a_near_test_does_not_wait_for_an_export(university: University) -> None:
    university.config |= {"existing": {"export_above": 5}, "verify": "none"}
    university.at("2026-11-29T08:00")
    university.exams.add(OTHER, start="20.01.2027 09:00", end="20.01.2027 13:00")
    university.register(TEST, "1001")
    university.apply_once()
    university.at("2026-12-01T07:50")
    university.register(TEST, "1090")
    university.register(OTHER, *numbers(2001, 10))
    university.sandbox.control(
        fail=[
            {"method": "GET", "path": "*/fileExport/status/*", "status": 200}
            | {"times": 3, "body": {"status": "running"}}
        ]
    )
    university.apply_cleanly()
    paths = [call["path"] for call in university.calls()]
    seated = next(n for n, path in enumerate(paths) if path.endswith("/candidates"))
    polls = [n for n, path in enumerate(paths) if "/fileExport/status/" in path]
    assert seated < polls[-1]
    assert calls(university)["learner.save"] == 11
