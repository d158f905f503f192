"""OneRoster bundles with deleted people, with deltas, and with missing references."""

import hashlib
import os
import time
import tracemalloc
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from sync.errors import SourceError
from sync.mapping import FeedRule, FieldRule, compile_feed
from sync.records.base import Kind
from sync.sources.oneroster.source import OneRosterSettings

from .oneroster import Read, Version, add, delta, edit, folder, source, zipped

GONE = "tobedeleted"
VERSIONS = pytest.mark.parametrize("version", ["v11", "v12"])
HOUR_NS = 3_600 * 10**9


def delete(bundle: Path, file: str, key: str, said: str = GONE) -> None:
    edit(bundle, f"{file}.csv", f"\n{key},,", f"\n{key},{said},")


@VERSIONS
@pytest.mark.parametrize("said", [GONE, "ToBeDeleted", " tobedeleted "])
def test_a_user_that_is_to_be_deleted_departs(tmp_path: Path, version: Version, said: str) -> None:
    bundle = folder(tmp_path, version)
    delete(bundle, "users", "usr-2", said)
    statuses = Read(bundle, "learners").by("sourcedId", "status")
    assert (statuses["usr-1"], statuses["usr-2"]) == ("", GONE)


def test_a_feed_takes_that_for_a_departure(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    delete(bundle, "users", "usr-2")
    rule = FeedRule(
        Kind.LEARNER,
        {"key": FieldRule(column="sourcedId")},
        {},
        departure=dict(OneRosterSettings.departures),
    )
    feed = compile_feed(rule, "bundle/users.csv")
    assert [feed.departure(row) for row in Read(bundle, "learners").rows] == [
        None,
        ("usr-2",),
        None,
    ]


def test_in_1_2_a_person_departs_with_the_last_role_that_is_meant(tmp_path: Path) -> None:
    bundle = folder(tmp_path, "v12")
    delete(bundle, "roles", "rol-3")
    read = Read(bundle, "learners")
    assert read.by("sourcedId", "status")["usr-2"] == ""
    assert (
        read.by("sourcedId", "org.name")["usr-2"] == "Faculty of Examples"
    )  # of the role that is left
    delete(bundle, "roles", "rol-2")
    assert Read(bundle, "learners").by("sourcedId", "status")["usr-2"] == GONE


def test_in_1_2_another_role_does_not_keep_a_learner(tmp_path: Path) -> None:
    bundle = folder(tmp_path, "v12")
    delete(bundle, "roles", "rol-6")
    assert Read(bundle, "learners").by("sourcedId", "status")["usr-4"] == GONE
    assert Read(bundle, "staff").by("sourcedId", "status")["usr-4"] == ""


def test_a_class_that_is_to_be_deleted_departs_as_a_test(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    delete(bundle, "classes", "cls-200")
    assert Read(bundle, "tests").by("sourcedId", "status") == {
        "cls-100a": "",
        "cls-100b": "",
        "cls-200": GONE,
    }


def test_a_deleted_course_is_a_test_that_departs_when_tests_are_courses(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    delete(bundle, "courses", "crs-200")
    assert Read(bundle, "tests", tests_by="course").by("sourcedId", "status")["crs-200"] == GONE
    assert Read(bundle, "tests").by("sourcedId", "status")["cls-200"] == ""


@pytest.mark.parametrize(
    ("file", "key"), [("enrollments", "enr-4"), ("users", "usr-3"), ("classes", "cls-200")]
)
@pytest.mark.parametrize("tests_by", ["class", "course"])
def test_a_candidate_departs_with_the_enrollment_the_user_or_the_class(
    tmp_path: Path, file: str, key: str, tests_by: str
) -> None:
    bundle = folder(tmp_path)
    delete(bundle, file, key)
    statuses = Read(bundle, "candidates", tests_by=tests_by).table("userSourcedId", "status")
    assert statuses[-1] == ("usr-3", GONE)
    assert {status for _, status in statuses[:-1]} == {""}


def test_a_candidate_departs_with_the_course_when_tests_are_courses(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    delete(bundle, "courses", "crs-200")
    assert (
        Read(bundle, "candidates", tests_by="course").by("userSourcedId", "status")["usr-3"] == GONE
    )
    assert ("usr-3", "") in Read(bundle, "candidates").table("userSourcedId", "status")


@pytest.mark.parametrize(
    ("first", "second"), [one for one in product(("", "active", GONE), repeat=2) if one != ("", "")]
)
def test_several_enrollments_stand_as_long_as_one_does(
    tmp_path: Path, first: str, second: str
) -> None:
    bundle = folder(tmp_path)
    delete(bundle, "enrollments", "enr-1", first)
    delete(bundle, "enrollments", "enr-2", second)
    row = Read(bundle, "candidates", tests_by="course").rows[0]
    expected = (3, second) if first == GONE != second else (2, first)
    assert (row.line, row.values["status"]) == expected


def test_a_deleted_class_leaves_the_candidate_of_another_class_of_the_course(
    tmp_path: Path,
) -> None:
    bundle = folder(tmp_path)
    delete(bundle, "classes", "cls-100a")
    read = Read(bundle, "candidates", tests_by="course")
    assert read.by("userSourcedId", "status") == {"usr-1": "", "usr-2": GONE, "usr-3": ""}
    assert read.by("userSourcedId", "class.classCode")["usr-1"] == "EKS100-B"


@pytest.mark.parametrize(
    ("rows_of", "deltas", "partial"),
    [
        ("learners", ["users"], "the bundle says that users.csv is a delta"),
        ("learners", ["orgs"], "the bundle says that orgs.csv is a delta"),
        ("learners", ["enrollments", "classes"], ""),
        ("tests", ["users"], ""),
        (
            "candidates",
            ["enrollments", "users"],
            "the bundle says that enrollments.csv and users.csv are deltas",
        ),
        (
            "candidates",
            ["orgs", "classes", "academicSessions"],
            "the bundle says that academicSessions.csv, classes.csv and orgs.csv are deltas",
        ),
    ],
)
def test_rows_that_rest_on_a_delta_are_not_all(
    tmp_path: Path, rows_of: str, deltas: list[str], partial: str
) -> None:
    bundle = folder(tmp_path)
    delta(bundle, *deltas)
    assert Read(bundle, rows_of).partial == partial


def test_what_a_delta_does_not_hold_is_blank_and_no_doubt(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    header = (bundle / "users.csv").read_text(encoding="utf-8").splitlines()[0]
    (bundle / "users.csv").write_text(header + "\n", encoding="utf-8")
    delta(bundle, "enrollments", "users")
    read = Read(bundle, "candidates")
    assert read.table("userSourcedId", "user.username", "class.classCode")[0] == (
        "usr-1",
        "",
        "EKS100-A",
    )
    assert read.doubts == []


def test_in_a_delta_of_1_2_the_deleted_depart_without_a_role(tmp_path: Path) -> None:
    bundle = folder(tmp_path, "v12")
    header = (bundle / "roles.csv").read_text(encoding="utf-8").splitlines()[0]
    (bundle / "roles.csv").write_text(header + "\n", encoding="utf-8")
    delta(bundle, "users", "roles")
    delete(bundle, "users", "usr-2")
    read = Read(bundle, "learners")
    assert read.table("sourcedId", "status", "role") == [("usr-2", GONE, "")]
    assert read.partial == "the bundle says that roles.csv and users.csv are deltas"
    (doubt,) = read.doubts
    assert doubt.startswith("4 of its rows have no role in roles.csv, the first on line 2; ")


@pytest.mark.parametrize(
    ("rows_of", "file", "old", "doubt"),
    [
        (
            "learners",
            "users",
            "org-law,student,chloe",
            "1 of its rows names a sourcedId that is not in orgs.csv",
        ),
        (
            "tests",
            "classes",
            "crs-200",
            "1 of its rows names a sourcedId that is not in courses.csv",
        ),
        (
            "candidates",
            "enrollments",
            "usr-1",
            "2 of its rows name a sourcedId that is not in users.csv",
        ),
        (
            "candidates",
            "classes",
            "ses-exams,,,",
            "1 of its rows names a sourcedId that is not in academicSessions.csv",
        ),
    ],
)
def test_what_is_named_and_not_there_is_a_doubt(
    tmp_path: Path, rows_of: str, file: str, old: str, doubt: str
) -> None:
    bundle = folder(tmp_path)
    edit(bundle, f"{file}.csv", old, f"x{old}")
    read = Read(bundle, rows_of)
    (text,) = read.doubts
    assert text.startswith(f"{doubt}, the first on line ")
    assert text.endswith("; have the bundle exported again, complete, or set 'references' to false")
    assert Read(bundle, rows_of, completeness={"references": False}).doubts == []
    assert Read(bundle, rows_of, completeness={"references": False}).rows == read.rows


def test_what_leaves_may_name_what_has_left(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    delete(bundle, "enrollments", "enr-4")
    edit(bundle, "users.csv", "usr-3,", "usr-9,")
    assert Read(bundle, "candidates").doubts == []


def test_people_without_any_role_are_a_doubt(tmp_path: Path) -> None:
    bundle = folder(tmp_path, "v12")
    edit(bundle, "roles.csv", "usr-5", "usr-9")
    (doubt,) = Read(bundle, "learners").doubts
    assert doubt.startswith("1 of its rows has no role in roles.csv, the first on line 6; ")


def aged(path: Path, hours: float) -> None:
    then = time.time_ns() - int(hours * HOUR_NS)
    os.utime(path, ns=(then, then))


def test_an_archive_that_is_too_old_is_a_doubt(tmp_path: Path) -> None:
    path = zipped(folder(tmp_path))
    whole = {"max_age": "26h"}
    assert Read(path, "learners", completeness=whole).doubts == []
    aged(path, 40)
    read = Read(path, "learners", completeness=whole)
    (doubt,) = read.doubts
    assert doubt.startswith("was written 40h ago, 14h more than max_age (26h); ")
    assert len(read.rows) == 3


def test_of_a_folder_the_oldest_file_of_the_rows_counts(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    aged(bundle / "classes.csv", 40)
    assert Read(bundle, "learners", completeness={"max_age": "26h"}).doubts == []
    (doubt,) = Read(bundle, "candidates", completeness={"max_age": "26h"}).doubts
    assert doubt.startswith("classes.csv was written 40h ago")


def test_an_archive_has_to_be_marked_as_complete(tmp_path: Path) -> None:
    path = zipped(folder(tmp_path))
    with pytest.raises(
        SourceError, match=r"^bundle\.zip: is not complete: its marker 'bundle\.zip\.done' is not"
    ):
        Read(path, "learners", done_marker="{file}.done")
    (tmp_path / "bundle.zip.done").touch()
    assert len(Read(path, "learners", done_marker="{file}.done").rows) == 3


def test_each_file_of_a_folder_has_to_be_older_than_the_marker_in_it(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    with pytest.raises(SourceError, match="its marker 'READY' is not there"):
        Read(bundle, "learners", done_marker="READY")
    (bundle / "READY").touch()
    assert len(Read(bundle, "learners", done_marker="READY").rows) == 3
    aged(bundle / "users.csv", -1)
    with pytest.raises(
        SourceError, match=r"^bundle/users\.csv: is not complete: its marker 'READY' is older"
    ):
        Read(bundle, "learners", done_marker="READY")


def test_checksums_are_held_against_an_archive_or_each_file(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    path = zipped(bundle)
    (tmp_path / "bundle.zip.sha256").write_text(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  bundle.zip\n"
    )
    assert len(Read(path, "learners", sha256="{file}.sha256").rows) == 3
    sums = (
        f"{hashlib.sha256(one.read_bytes()).hexdigest()}  {one.name}\n"
        for one in sorted(bundle.iterdir())
    )
    text = "".join(sums)
    (bundle / "SHA256SUMS").write_text(text)
    assert len(Read(bundle, "candidates", sha256="SHA256SUMS").rows) == 4
    add(bundle, "orgs.csv", "org-new,,,Faculty of Additions,school,EX-3,org-uni")
    with pytest.raises(SourceError, match=r"^bundle/orgs\.csv: does not have the SHA-256 checksum"):
        Read(bundle, "candidates", sha256="SHA256SUMS")


PEOPLE, CLASSES, ENROLLED = 10_000, 500, 10_000
MEMORY = 6_000_000
"""Bytes, for all that is held of a bundle at any time."""


def lines(template: str, count: int) -> Iterator[str]:
    return (template.format(n=n, person=n % PEOPLE, group=n % CLASSES) for n in range(count))


def test_the_memory_does_not_grow_with_the_bundle(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    person = "p-{n},,,true,org-arts,student,u{n},,Given{n},Exämple,,{n},u{n}@example.edu,,,,,,"
    add(bundle, "users.csv", *lines(person, PEOPLE))
    add(
        bundle,
        "classes.csv",
        *lines("c-{n},,,Group {n},,crs-100,G{n},scheduled,,org-arts,ses-spring,,,", CLASSES),
    )
    add(
        bundle,
        "enrollments.csv",
        *lines("e-{n},,,c-{group},org-arts,p-{person},student,,,", ENROLLED),
    )
    tracemalloc.start()
    try:
        with source(bundle, "candidates").open(tmp_path) as extract:
            count = sum(1 for row in extract.rows if row.values["user.username"])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 4 + len({(n % PEOPLE, n % CLASSES) for n in range(ENROLLED)})
    assert peak < MEMORY
