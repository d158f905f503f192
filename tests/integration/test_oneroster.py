"""OneRoster bundles, night after night: in bulk and as deltas. A delta without a person removes nobody."""

import csv
from typing import Any

import pytest

from ..support.university import University

HEADERS = {
    "orgs": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId",
    "users": "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,"
    "middleName,identifier,email,sms,phone,agentSourcedIds,grades,password",
    "courses": "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,"
    "subjectCodes",
    "classes": "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,"
    "schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods",
    "enrollments": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,"
    "beginDate,endDate",
    "academicSessions": "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear",
}


FEEDS: list[dict[str, Any]] = [
    {
        "kind": "learner",
        "source": "learners",
        "auth_system": "FEIDE",
        "map": {
            "key": "sourcedId",
            "username": "username",
            "external_id": "username",
            "first_name": "givenName",
            "last_name": "familyName",
            "email": "email",
        },
    },
    {
        "kind": "test",
        "source": "tests",
        "map": {
            "key": "sourcedId",
            "external_test_id": "{course.courseCode}-{classCode}",
            "title": "{course.courseCode} {title}",
            "start": {
                "template": "{session.endDate} 09:00",
                "format": "%Y-%m-%d %H:%M",
                "zone": "Europe/Oslo",
            },
            "end": {
                "template": "{session.endDate} 13:00",
                "format": "%Y-%m-%d %H:%M",
                "zone": "Europe/Oslo",
            },
            "duration": {"constant": "240"},
            "template": {"constant": "1001"},
        },
    },
    {
        "kind": "candidate",
        "source": "candidates",
        "map": {"test": "classSourcedId", "learner": "userSourcedId"},
    },
]


TESTS = "MAT101-1A"


class Bundle:
    """What the student system drops each night. Rows are given by the columns that matter."""

    def __init__(self, university: University) -> None:
        self.folder = university.folder / "roster"
        self.folder.mkdir()
        self.tables: dict[str, dict[str, dict[str, str]]] = {name: {} for name in HEADERS}
        self.put("orgs", "school", name="Made-up School", type="school")
        self.put("courses", "mat", title="Mathematics", courseCode="MAT101", orgSourcedId="school")
        self.put(
            "academicSessions",
            "h26",
            title="H26",
            type="term",
            startDate="2026-08-15",
            endDate="2026-12-01",
        )
        self.put(
            "classes",
            "mat-1a",
            title="Group 1A",
            courseSourcedId="mat",
            classCode="1A",
            classType="scheduled",
            schoolSourcedId="school",
            termSourcedIds="h26",
        )

    def put(self, table: str, key: str, **values: str) -> None:
        self.tables[table][key] = {"sourcedId": key, **self.tables[table].get(key, {}), **values}

    def person(self, number: str) -> None:
        login = f"s{number}"
        self.put(
            "users",
            f"u{number}",
            enabledUser="true",
            orgSourcedIds="school",
            role="student",
            username=login,
            givenName="Åse",
            familyName=f"Eksempel{number}",
            email=f"{login}@example.edu",
        )
        self.put(
            "enrollments",
            f"e{number}",
            classSourcedId="mat-1a",
            schoolSourcedId="school",
            userSourcedId=f"u{number}",
            role="student",
        )

    def drop(self, mode: str, **only: tuple[str, ...]) -> None:
        """Writes the night's files: all rows in bulk, or of a delta those that are named, and an empty file else."""
        manifest = {
            "manifest.version": "1.0",
            "oneroster.version": "1.1",
            "source.systemName": "Made-up SIS",
        }
        for name, header in HEADERS.items():
            rows = self.tables[name]
            kept = rows.values() if mode == "bulk" else [rows[key] for key in only.get(name, ())]
            manifest[f"file.{name}"] = mode
            with (self.folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, header.split(","), restval="")
                writer.writeheader()
                writer.writerows(
                    {**row, "status": row.get("status", "" if mode == "bulk" else "active")}
                    for row in kept
                )
        for absent in (
            "categories",
            "courseResources",
            "demographics",
            "lineItems",
            "resources",
            "results",
        ):
            manifest[f"file.{absent}"] = "absent"
        lines = ["propertyName,value", *(f"{name},{value}" for name, value in manifest.items())]
        (self.folder / "manifest.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def bundle(university: University) -> Bundle:
    """Five learners in one class, delivered in bulk and applied."""
    kinds = ("learners", "tests", "candidates")
    university.config["sources"] = {
        name: {"type": "oneroster", "path": "roster", "rows_of": name} for name in kinds
    }
    university.config["feeds"] = FEEDS
    bundle = Bundle(university)
    for number in "12345":
        bundle.person(number)
    bundle.drop("bulk")
    university.apply_once()
    assert set(university.candidates(TESTS)) == {"s1", "s2", "s3", "s4", "s5"}
    return bundle


def test_in_bulk_who_is_absent_is_removed(university: University, bundle: Bundle) -> None:
    del bundle.tables["enrollments"]["e1"]
    bundle.drop("bulk")
    university.apply_cleanly()
    assert set(university.candidates(TESTS)) == {"s2", "s3", "s4", "s5"}


def test_a_delta_without_a_person_removes_nobody_and_brings_who_is_new(
    university: University, bundle: Bundle
) -> None:
    bundle.person("6")
    bundle.drop("delta", users=("u6",), enrollments=("e6",))
    ran = university.apply()
    assert ran.status == 0
    assert "removals wait for a full reading" in ran.out
    assert set(university.candidates(TESTS)) == {"s1", "s2", "s3", "s4", "s5", "s6"}


def test_who_is_to_be_deleted_departs_also_by_a_delta(
    university: University, bundle: Bundle
) -> None:
    bundle.put("enrollments", "e1", status="tobedeleted")
    bundle.drop("delta", enrollments=("e1",))
    university.apply_cleanly()
    assert set(university.candidates(TESTS)) == {"s2", "s3", "s4", "s5"}


def test_an_empty_delta_is_no_reason_for_anything(university: University, bundle: Bundle) -> None:
    bundle.drop("delta")
    university.apply_cleanly()
    assert university.writes() == []
    assert len(university.candidates(TESTS)) == 5


def test_what_one_delta_brought_and_could_not_be_sent_is_sent_after_the_next(
    university: University, bundle: Bundle
) -> None:
    bundle.person("6")
    bundle.drop("delta", enrollments=("e6",))  # whoever that is comes a night later
    ran = university.apply()
    assert ran.status == 1
    assert "learner: no feed makes the learner" in ran.out
    assert len(university.candidates(TESTS)) == 5, "nor is anybody removed"
    bundle.drop("delta", users=("u6",))
    university.apply_cleanly()
    assert "s6" in university.candidates(TESTS)


def test_a_departure_that_was_held_is_not_forgotten_by_the_next_delta(
    university: University, bundle: Bundle
) -> None:
    for number in "12345":
        bundle.put("enrollments", f"e{number}", status="tobedeleted")
    bundle.drop("delta", enrollments=tuple(f"e{number}" for number in "12345"))
    assert university.apply().status == 3
    bundle.drop("delta")
    ran = university.apply()
    assert ran.status == 3
    assert "none would remain" in ran.out
    assert len(university.candidates(TESTS)) == 5


def test_a_bundle_without_its_manifest_removes_nobody(
    university: University, bundle: Bundle
) -> None:
    del bundle.tables["enrollments"]["e1"]
    bundle.drop("bulk")
    (bundle.folder / "manifest.csv").unlink()
    ran = university.apply()
    assert ran.status == 4
    assert university.writes() == []
