"""`report` shows a plan, a run or what is held as text, JSON and HTML, also without naming anybody."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from sync.commands.schema import report_schema_text

from ..support import reported
from ..support.reported import LAW, MATHS
from ..support.university import TEST, CommandResult, University


@pytest.fixture
def reporting(university: University) -> University:
    """Return a university whose plan holds, waits and has row errors."""
    reported.begin(university)
    reported.change(university)
    return university


def report(university: University, *words: str) -> CommandResult:
    ran = university.run("report", *words)
    assert ran.status == 0, ran.output
    return ran


def as_json(university: University, *words: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(report(university, *words, "--json", "-").out)
    jsonschema_rs.validate(json.loads(report_schema_text()), document)
    return document


def items(document: dict[str, Any], section: str) -> list[dict[str, Any]]:
    (found,) = (one for one in document["sections"] if one["name"] == section)
    return [item for group in found["groups"] for item in group["items"]]


def test_a_plan_is_reported_whole_and_nothing_is_sent_or_written(reporting: University) -> None:
    before, plan = reporting.state.read_bytes(), reporting.plan_json()
    document = as_json(reporting)
    assert (reporting.state.read_bytes(), len(reporting.sent())) == (before, 0)
    assert document["statement"] == "This is a plan. Nothing of it has been sent to Inspera."
    assert document["exit_status"] == 3
    assert list(document["totals"]) == ["held", "errors", "waiting", "deferred", "changes"]
    assert document["totals"]["errors"] == len(plan["row_errors"]) == 3
    assert document["totals"]["changes"] == plan["summary"]["changes"]
    told = [(each["kind"], *each["key"]) for each in plan["changes"]]
    shown = [
        (item["kind"], *item["key"])
        for section in ("held", "waiting", "deferred", "changes")
        for item in items(document, section)
    ]
    assert sorted(shown) == sorted(told)
    for section in document["sections"]:
        assert section["total"] == document["totals"][section["name"]]
        assert section["total"] == len(items(document, section["name"]))
    assert sum(one["count"] for one in document["counts"]) == len(told)


def test_a_change_names_its_test_its_person_and_both_values(reporting: University) -> None:
    document = as_json(reporting)
    (moved,) = (item for item in items(document, "held") if item["key"] == [MATHS])
    assert moved["test"]["start"] == "2026-12-02T08:00:00Z"  # as Inspera has it
    start = {"name": "start", "before": "2026-12-02T08:00:00Z", "after": "2027-12-02T08:00:00Z"}
    assert start | {"secret": False} in moved["fields"]
    assert moved["remedy"] == f"if that is right: apply --allow {moved['hash']}"
    (more,) = (item for item in items(document, "changes") if item["key"] == [LAW, "1010"])
    assert more["person"] == "Çağla Nygård"
    assert more["fields"] == [{"name": "extra_time", "before": None, "after": 45, "secret": False}]
    days = {one["day"]: one["counts"] for one in document["days"]}
    assert days["2026-12-01"] == {"held": 9}
    assert days["2026-12-14"] == {"added": 6}


def test_what_is_held_comes_first_by_its_cause_in_plain_words(reporting: University) -> None:
    document = as_json(reporting)
    held = document["sections"][0]
    assert [group["cause"] for group in held["groups"]] == ["times", "limit"]
    limit = held["groups"][1]
    assert (limit["title"], limit["rule"], limit["total"]) == ("More changes than usual", 15, 9)
    assert "Check the source first" in limit["explanation"]
    assert limit["notes"][0].startswith(f"removals on test {TEST}: 9 of 12 known is more than")


def test_text_names_keys_but_nobody(reporting: University) -> None:
    out = report(reporting).out
    assert out.index("Held (10)") < out.index("Errors (3)") < out.index("Changes (18)")
    assert f"remove candidate {TEST} / 1001" in out
    assert f"update candidate {LAW} / 1010: extra_time (nothing) → 45 min" in out
    assert "start 2026-12-02 09:00 (08:00 UTC) → 2027-12-02 09:00 (08:00 UTC)" in out
    assert not [name for name in ("Çağla", "Nygård", "s1010@example.edu") if name in out]


def test_a_run_is_reported_from_the_journal(reporting: University) -> None:
    assert reporting.apply().status == 3
    document = as_json(reporting, "run")
    assert (document["run"]["id"], document["run"]["status"]) == (2, "done")
    assert document["totals"] == {
        "held": 10,
        "errors": 3,
        "waiting": 0,
        "deferred": 0,
        "changes": 18,
    }
    (room,) = (item for item in items(document, "changes") if item["key"] == [LAW, "1011"])
    assert room["fields"] == [
        {"name": "room", "before": None, "after": "Sal Ø <b>2</b>", "secret": False}
    ]
    first = as_json(reporting, "run", "1")
    assert first["totals"]["changes"] == 49
    assert reporting.run("report", "run", "7").status == 2
    assert reporting.run("report", "plan", "1").status == 2


def test_a_run_before_the_first_one_is_an_error(university: University) -> None:
    university.register(TEST, "1001")
    ran = university.run("report", "run")
    assert ran.status == 2
    assert "nothing has run yet" in ran.err


def test_what_is_held_is_reported_with_the_commands_and_the_decision(
    reporting: University,
) -> None:
    reporting.apply()
    document = as_json(reporting, "held")
    limit, _times = document["sections"][0]["groups"]
    assert document["totals"] == {"held": 10}
    command = re.search(r"approve (\w+) --why TEXT", limit["notes"][1])
    assert command
    assert {item["person"] for item in limit["items"]} >= {"Bjørn Testdóttir"}
    first, second = (item["hash"] for item in limit["items"][:2])
    assert reporting.run("reject", first, "--why", "they sit it").status == 0
    assert reporting.run("approve", second, "--why", "they left").status in (0, 3)
    assert as_json(reporting, "held")["totals"]["held"] <= 9
    assert f"remove candidate {TEST} / 1003" in report(reporting, "held").out


PLANTED = ("Plantesen", "Grønn-Åse", "plantet@example.edu", "s424242", "424242", "KAND99887")


def plant(university: University) -> None:
    """Plant values of a person in every place that a report shows."""
    university.register(LAW, "424242")
    university.students.set(
        "424242", given="Grønn-Åse", family="Plantesen", mail="plantet@example.edu"
    )
    university.registrations.set(f"{LAW} 424242", number="KAND99887")


@pytest.mark.parametrize("subject", [["plan"], ["run"]])
def test_pseudonyms_leave_nothing_of_anybody(reporting: University, subject: list[str]) -> None:
    plant(reporting)
    # Inspera names somebody, also where somebody else is refused.
    words = "s424242 (GRØNN-ÅSE PLANTESEN) has KAND99887, and Çağla Øvelsesen 1011"
    reporting.fail(method="POST", path="*/users/student", status=400, body={"error": words})
    assert reporting.apply().status == 3
    reporting.students.set("424242", family="Plantesen-Ny")
    html, file = reporting.folder / "report.html", reporting.folder / "report.json"
    report(reporting, *subject, "--pseudonymise", "--html", str(html), "--json", str(file))
    out = report(reporting, *subject, "--pseudonymise", "--all").out
    for content in (html.read_text("utf-8"), file.read_text("utf-8"), out):
        assert not [value for value in PLANTED if value.lower() in content.lower()]
        assert not re.findall(r"@example\.edu|Testdóttir|Øvelsesen|Çağla|s10\d\d\b", content)
        assert not re.findall(r"(?<![\w,])10[0-2]\d\b", content)
        assert re.search(r"P-[A-Z2-7]{8}", content)
    document = json.loads(file.read_text("utf-8"))
    jsonschema_rs.validate(json.loads(report_schema_text()), document)
    assert document["pseudonymised"]
    titles = {
        item["test"]["title"]
        for name in document["totals"]
        for item in items(document, name)
        if item["test"]
    }
    assert "INF1000 Skriftlig prøve" in titles


def test_a_pseudonym_is_the_same_in_all_of_a_report_and_another_in_the_next(
    reporting: University,
) -> None:
    first, second = (as_json(reporting, "--pseudonymise") for _ in range(2))

    def of_learner(document: dict[str, Any]) -> set[str]:
        changes = items(document, "changes")
        (more,) = (item for item in changes if item["fields"] and item["fields"][0]["after"] == 45)
        (name,) = (
            item for item in changes if item["kind"] == "learner" and item["action"] == "update"
        )
        return {more["key"][1], name["key"][0]}

    assert len(of_learner(first)) == len(of_learner(second)) == 1
    assert of_learner(first) != of_learner(second)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_file_is_private_and_only_a_report_is_replaced(reporting: University) -> None:
    file = reporting.folder / "report.html"
    ran = report(reporting, "--html", str(file))
    assert ran.out == f"Wrote {file}: 10 held, 3 errors, 0 waiting, 0 deferred, 18 changes.\n"
    assert mode(file) == 0o600
    report(reporting, "--json", str(file))  # another report
    assert file.read_text("utf-8").startswith('{"document": "inspera-sync report", "schema": 1')
    other = reporting.folder / "students.csv"
    content = other.read_bytes()
    refused = reporting.run("report", "--html", str(other))
    assert refused.status == 2
    assert "exists and is not a report" in refused.err
    assert other.read_bytes() == content
    nowhere = reporting.run("report", "--html", str(reporting.folder / "none" / "report.html"))
    assert nowhere.status == 2
    assert reporting.run("report", "--html", "-", "--json", "-").status == 2
    notes = reporting.folder / "notes.txt"
    notes.write_text("mine")
    report(reporting, "--html", str(notes), "--force")
    assert "inspera-sync report" in notes.read_text("utf-8")[:200]
    assert not list(reporting.folder.glob(".*report*"))
