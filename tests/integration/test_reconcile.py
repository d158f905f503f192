"""What somebody changed in Inspera is named, exactly, in three heaps; and put right only where that is asked for."""

import json
from typing import Any

import pytest

from ..support.manual_edits import linked, make_committee, put_candidate, put_contributor
from ..support.university import OTHER, TEST, University, numbers

RUNNING = "FYS1000-H26"
"""A test that is under way when the stories begin."""


Found = dict[tuple[str, str, str], list[str]]


PLANTED: Found = {
    ("changed", "test", TEST): ["title", "start", "end"],
    ("changed", "candidate", f"{TEST}/1001"): ["extra_time"],
    ("changed", "candidate", f"{TEST}/1003"): ["candidate_id"],
    ("gone", "candidate", f"{TEST}/1002"): [],
    ("changed", "contributor", f"{TEST}/7001"): ["roles"],
    ("gone", "committee", f"{TEST}/B"): [],
    ("changed", "contributor", f"{TEST}/7002"): ["committees"],
    ("changed", "learner", "1005"): ["last_name"],
    ("changed", "staff", "7003"): ["email"],
    ("gone", "learner", "1006"): [],
    ("gone", "candidate", f"{TEST}/1006"): [],
    ("gone", "staff", "7004"): [],
    ("gone", "contributor", f"{TEST}/7004"): [],
}


STRANGERS: Found = {
    ("unmanaged", "committee", f"{TEST}/Z"): [],
    ("unmanaged", "contributor", f"{TEST}/FEIDE t9001"): [],
    ("unmanaged", "candidate", f"{TEST}/FEIDE s9001"): [],
}


FOREIGN_PEOPLE: Found = {
    ("unmanaged", "learner", "s9001"): [],
    ("unmanaged", "staff", "t9001"): [],
    ("unmanaged", "staff", "administrator"): [],
}


@pytest.fixture
def steady(university: University) -> University:
    """A university that is in step, with strangers on its test, and another test under way."""
    university.add_feeds("staff", "contributor")
    university.at("2026-08-31T08:00")
    university.register(TEST, *numbers(1001, 8))
    university.register(OTHER, *numbers(1001, 4))
    university.exams.add(RUNNING, start="01.09.2026 09:00", end="01.09.2026 13:00")
    university.register(RUNNING, *numbers(1001, 4))
    university.registrations.set(f"{TEST} 1001", extra="30")
    university.registrations.set(f"{RUNNING} 1001", extra="15")
    university.registrations.set(f"{TEST} 1003", number="3")
    university.assign_staff(TEST, *numbers(7001, 4))
    university.graders.set(f"{TEST} 7001", committees="A")
    university.graders.set(f"{TEST} 7002", committees="A;B")
    university.apply_once()
    university.at("2026-09-01T08:00")
    plant_strangers(university)
    return university


def plant_strangers(university: University) -> None:
    """Somebody and something that no source names."""
    names = {"firstName": "Fremmed", "lastName": "Person"}
    university.sandbox.edit(student={"username": "s9001", "externalIds": linked("s9001"), **names})
    university.sandbox.edit(staff={"username": "t9001", "externalIds": linked("t9001"), **names})
    make_committee(university, "Z")
    put_contributor(university, "9001", roles=["plan"], committees=["Z"])
    put_candidate(university, "9001")


def plant_drift(university: University) -> None:
    """What `PLANTED` says. A changed duration goes with the times, since no reading shows it."""
    times = {"start": "2026-12-02T08:00:00Z", "end": "2026-12-02T13:00:00Z", "duration": 300}
    university.sandbox.edit(test=TEST, title="Noe annet", **times)
    put_candidate(university, "1001", extraTimeMins=60)
    put_candidate(university, "1003", candidateId="33")
    put_candidate(university, "1002", removed=True)
    put_contributor(university, "7001", roles=["evaluate", "plan"])
    university.sandbox.edit(committee={"test": TEST, "name": "B", "removed": True})
    university.sandbox.edit(student={"username": "s1005", "lastName": "Gift"})
    university.sandbox.edit(staff={"username": "t7003", "email": "gammel@example.edu"})
    university.sandbox.edit(student={"username": "s1006", "removed": True})
    university.sandbox.edit(staff={"username": "t7004", "removed": True})


def found(university: University, *words: str) -> Found:
    """What a reconciliation found, told to programs: heap, kind and key, with the fields that differ."""
    ran = university.reconcile("--json", *words)
    lines = [json.loads(line) for line in ran.out.splitlines() if line.startswith("{")]
    return {(one["heap"], one["kind"], "/".join(one["key"])): one["fields"] for one in lines}


def in_inspera(university: University) -> dict[str, Any]:
    """All that matters of what Inspera holds: without its own numbers, and without what is only counted."""
    text = json.dumps(university.sandbox.contents())
    contents: dict[str, Any] = json.loads(text, object_hook=_without_numbers)
    for test in contents["tests"]:
        for name in ("candidates", "contributors"):
            test[name].sort(key=lambda one: one["username"])
    for people in (contents["students"], contents["staff"]):
        people.sort(key=lambda one: one["username"])
    return contents


def _without_numbers(value: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in value.items() if name not in ("userId", "notified")}


@pytest.fixture(params=["one_by_one", "export"])
def way(request: pytest.FixtureRequest, steady: University) -> str:
    """How people are read."""
    steady.config["reconcile"] = {"people": request.param}
    steady.sandbox.control(export_details=True)
    return str(request.param)


def test_a_tenant_that_is_in_step_has_only_strangers_who_are_left_alone(
    steady: University, way: str
) -> None:
    ran = steady.reconcile()
    assert ran.status == 0
    assert "In Inspera, and unmanaged (left alone):" in ran.out
    assert found(steady) == STRANGERS | (FOREIGN_PEOPLE if way == "export" else {})


def test_it_names_exactly_what_was_changed_and_leaves_inspera_as_it_is(
    steady: University, way: str
) -> None:
    plant_drift(steady)
    before = steady.sandbox.contents()
    assert found(steady) == PLANTED | STRANGERS | (FOREIGN_PEOPLE if way == "export" else {})
    assert steady.reconcile().status == 3
    assert steady.sandbox.contents() == before
    assert {call["path"] for call in steady.sent()} <= {"/api/v1/fileExport/order"}


def test_a_repair_brings_all_of_it_back_to_what_the_sources_say(
    steady: University, way: str
) -> None:
    before = in_inspera(steady)
    plant_drift(steady)
    assert in_inspera(steady) != before
    ran = steady.reconcile("--repair")
    assert ran.status == 0, ran.output
    assert in_inspera(steady) == before
    assert found(steady) == STRANGERS | (FOREIGN_PEOPLE if way == "export" else {})
    assert steady.planned() == []


def test_the_configuration_can_ask_for_repairs(steady: University) -> None:
    steady.config["reconcile"] = {"repair": True}
    put_candidate(steady, "1001", extraTimeMins=60)
    assert steady.reconcile().status == 0
    assert steady.candidates()["s1001"]["extraTimeMins"] == 30


def test_the_three_groups_stand_in_words_and_the_run_in_the_status(steady: University) -> None:
    plant_drift(steady)
    out = steady.reconcile().out
    headings = (
        "Changed in Inspera:",
        "Gone from Inspera:",
        "In Inspera, and unmanaged (left alone):",
    )
    changed, gone, foreign = map(out.index, headings)
    assert changed < gone < foreign
    assert f"test {TEST}: title " in out[changed:gone]
    assert "start 2026-12-01T08:00:00Z → 20" in out[changed:gone]
    assert "with --keep Inspera's value stays. All: `reconcile --repair`" in out[changed:gone]
    assert f"candidate {TEST} / 1002" in out[gone:foreign]
    assert "Gift" not in out
    status = steady.run("status", "--all").out
    assert "reconcile: done" in status
    assert f"drift: committee {TEST} / B: is gone from Inspera" in status
    assert "drift: 2 candidates: is gone from Inspera" in status


def test_a_test_under_way_is_left_alone_but_anyone_who_was_taken_off_it_comes_back(
    steady: University,
) -> None:
    steady.sandbox.edit(test=RUNNING, title="Forlenget", end="2026-09-01T12:00:00Z")
    put_candidate(steady, "1001", RUNNING, extraTimeMins=45)
    put_candidate(steady, "1002", RUNNING, removed=True)
    ran = steady.reconcile("--repair")
    assert ran.status == 3
    assert "→ Forlenget, end 2026-09-01T11:00:00Z → 2026-09-01T12:00:00Z; its test is" in ran.out
    assert f"candidate {RUNNING} / 1001: extra_time " in ran.out
    assert " → 45; its test is under way, so it is left alone" in ran.out
    assert steady.tests()[RUNNING]["title"] == "Forlenget"
    assert steady.candidates(RUNNING)["s1001"]["extraTimeMins"] == 45
    assert "s1002" in steady.candidates(RUNNING)


def test_people_are_not_read_where_the_configuration_says_so(steady: University) -> None:
    steady.config["reconcile"] = {"people": "none"}
    steady.sandbox.edit(student={"username": "s1005", "lastName": "Gift"})
    assert found(steady) == STRANGERS
    assert not any("/users" in call["path"] for call in steady.calls())


def test_staff_who_were_let_in_or_kept_out_by_hand_are_named_and_put_right(
    steady: University, way: str
) -> None:
    steady.feed("staff")["map"]["status"] = "status"
    steady.employees.add("7005", "7006", status="active")
    steady.apply_cleanly()
    steady.employees.set("7006", status="disabled")
    steady.apply_cleanly()
    steady.sandbox.edit(staff={"username": "t7005", "status": "DISABLED"})
    steady.sandbox.edit(staff={"username": "t7006", "status": "ACTIVE"})
    planted: Found = {("changed", "staff", number): ["status"] for number in ("7005", "7006")}
    drift = found(steady, "--repair")
    assert {one: fields for one, fields in drift.items() if one[0] != "unmanaged"} == planted
    assert [steady.staff()[username]["status"] for username in ("t7005", "t7006")] == [
        "ACTIVE",
        "DISABLED",
    ]
    assert steady.reconcile().status == 0
