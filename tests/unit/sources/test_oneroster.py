"""OneRoster bundles: the contract of all sources, as folder and as archive, and the joins."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from pydantic import ValidationError
from sync.config.fields import FieldSettings, TimeSettings
from sync.mapping import FeedRule, FieldRule, compile_feed
from sync.records.base import Kind, utc_text
from sync.records.test import Test
from sync.sources.base import SourceSettings
from sync.sources.oneroster.source import OneRosterSettings

from .contract import COLUMNS, SourceContract
from .oneroster import Read, Version, add, edit, folder, source, zipped

MANIFEST = "propertyName,value\noneroster.version,1.1\nfile.users,bulk\n"
VERSIONS = pytest.mark.parametrize("version", ["v11", "v12"])


def lines_of(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    """Return the lines of a users.csv with more columns, as exports add them."""
    yield "sourcedId", "status", "role", *columns
    for number, row in enumerate(rows):
        yield f"usr-{number}", "", "student", *row


class OneRosterContract(SourceContract):
    """The contract for OneRoster: its own columns come in addition to those of the contract."""

    def test_its_columns_are_read_without_its_rows(self, tmp_path: Path) -> None:
        source = self.make_large(tmp_path, 20_000)
        self.damage_end(tmp_path)
        assert source.column_names(tmp_path) == ("sourcedId", "status", "role", *COLUMNS)

    def test_a_source_without_rows_still_has_columns(self, tmp_path: Path) -> None:
        source = self.make(tmp_path, COLUMNS, [])
        assert source.column_names(tmp_path) == ("sourcedId", "status", "role", *COLUMNS)
        assert list(source.rows(tmp_path)) == []


class TestAFolderKeepsTheContract(OneRosterContract):
    def make(
        self, folder: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]
    ) -> SourceSettings:
        bundle = folder / "bundle"
        bundle.mkdir(exist_ok=True)
        (bundle / "manifest.csv").write_text(MANIFEST)
        with (bundle / "users.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(lines_of(columns, rows))
        return OneRosterSettings(path=Path("bundle"), rows_of="learners")

    def absent(self) -> SourceSettings:
        return OneRosterSettings(path=Path("nowhere"), rows_of="learners")

    def damage_end(self, folder: Path) -> None:
        add(folder / "bundle", "users.csv", 'usr-x,,student,"cut')

    def disturb(self, folder: Path) -> None:
        add(folder / "bundle", "users.csv", "usr-x,,student,1,2,3")


class TestAnArchiveKeepsTheContract(OneRosterContract):
    def make(
        self, folder: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]
    ) -> SourceSettings:
        with zipfile.ZipFile(folder / "bundle.zip", "w") as archive:
            archive.writestr("manifest.csv", MANIFEST)
            with (
                archive.open("users.csv", "w") as member,
                io.TextIOWrapper(member, "utf-8", newline="") as file,
            ):
                csv.writer(file).writerows(lines_of(columns, rows))
        return OneRosterSettings(path=Path("bundle.zip"), rows_of="learners")

    def absent(self) -> SourceSettings:
        return OneRosterSettings(path=Path("nowhere.zip"), rows_of="learners")

    def damage_end(self, folder: Path) -> None:
        path = folder / "bundle.zip"
        data = bytearray(path.read_bytes())
        data[data.index(b"PK\x01\x02") - 1] ^= (
            1  # the last byte of users.csv, before the archive's list of files
        )
        path.write_bytes(data)

    def disturb(self, folder: Path) -> None:
        with (folder / "bundle.zip").open("ab") as file:
            file.write(b"more")


@VERSIONS
def test_learners_are_users_with_the_role_of_a_student(tmp_path: Path, version: Version) -> None:
    read = Read(folder(tmp_path, version), "learners")
    people = [
        row
        for row in read.table("sourcedId", "username", "familyName", "role")
        if row[0] != "usr-4"
    ]
    assert people == [
        ("usr-1", "aase", "Eksempel", "student"),
        ("usr-2", "bjorn", "Prøve", "student"),
        ("usr-3", "chloe", "Sample, the third", "student"),
    ]
    assert read.place == "bundle/users.csv"
    assert [row.line for row in read.rows][:3] == [2, 3, 4]
    assert read.partial == ""
    assert read.doubts == []


def test_in_1_2_a_person_with_several_roles_is_in_each_kind_once(tmp_path: Path) -> None:
    bundle = folder(tmp_path, "v12")
    assert Read(bundle, "learners").table("sourcedId", "role")[-1] == ("usr-4", "student")
    assert Read(bundle, "staff").table("sourcedId", "role") == [("usr-4", "teacher")]
    assert [row[0] for row in Read(bundle, "learners").table("sourcedId")].count("usr-2") == 1


@VERSIONS
def test_the_roles_that_are_meant_can_be_named(tmp_path: Path, version: Version) -> None:
    read = Read(folder(tmp_path, version), "staff", roles=["Teacher", "proctor"])
    assert read.table("sourcedId", "role") == [("usr-4", "teacher"), ("usr-5", "proctor")]


def test_the_first_org_of_a_person_is_theirs_in_1_1(tmp_path: Path) -> None:
    read = Read(folder(tmp_path), "learners")
    assert read.by("sourcedId", "org.name") == {
        "usr-1": "Faculty of Examples",
        "usr-2": "Faculty of Examples",
        "usr-3": "Faculty of Samples",
    }
    assert read.by("sourcedId", "org.identifier")["usr-1"] == "EX-1"


def test_the_primary_org_counts_in_1_2_and_else_that_of_the_primary_role(tmp_path: Path) -> None:
    read = Read(folder(tmp_path, "v12"), "learners")
    assert read.by("sourcedId", "org.name") == {
        "usr-1": "Faculty of Examples",
        "usr-2": "Faculty of Samples",  # of rol-3, which is primary
        "usr-3": "Faculty of Samples",
        "usr-4": "Faculty of Samples",  # of the role that makes them a learner
    }
    assert read.by("sourcedId", "role.orgSourcedId")["usr-2"] == "org-law"


@VERSIONS
def test_a_test_is_a_class_with_its_course_school_and_first_term(
    tmp_path: Path, version: Version
) -> None:
    read = Read(folder(tmp_path, version), "tests")
    shown = read.table(
        "sourcedId",
        "classCode",
        "course.courseCode",
        "org.name",
        "session.title",
        "session.endDate",
    )
    assert shown == [
        ("cls-100a", "EKS100-A", "EKS100", "Faculty of Examples", "Spring 2026", "2026-06-12"),
        ("cls-100b", "EKS100-B", "EKS100", "Faculty of Examples", "Spring 2026", "2026-06-12"),
        ("cls-200", "EKS200-A", "EKS200", "Faculty of Samples", "Exam weeks 2026", "2026-06-12"),
    ]
    assert read.by("sourcedId", "course.metadata.credits")["cls-200"] == "15"


def test_a_term_without_a_start_is_not_the_first(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    edit(bundle, "academicSessions.csv", "2026-01-05", "")
    assert Read(bundle, "tests").by("sourcedId", "session.title")["cls-100a"] == "Exam weeks 2026"


def test_a_test_can_be_a_course(tmp_path: Path) -> None:
    read = Read(folder(tmp_path), "tests", tests_by="course")
    assert read.place == "bundle/courses.csv"
    assert read.table("sourcedId", "title", "org.name", "session.schoolYear") == [
        ("crs-100", "Examples for beginners", "Faculty of Examples", "2026"),
        ("crs-200", "Samples, continued", "Faculty of Samples", "2026"),
    ]


@VERSIONS
def test_candidates_are_enrollments_with_all_that_they_name(
    tmp_path: Path, version: Version
) -> None:
    read = Read(folder(tmp_path, version), "candidates")
    assert read.place == "bundle/enrollments.csv"
    shown = read.table(
        "userSourcedId",
        "user.identifier",
        "user.email",
        "class.classCode",
        "course.title",
        "org.name",
    )
    assert shown == [
        (
            "usr-1",
            "500001",
            "aase@example.edu",
            "EKS100-A",
            "Examples for beginners",
            "Faculty of Examples",
        ),
        (
            "usr-1",
            "500001",
            "aase@example.edu",
            "EKS100-B",
            "Examples for beginners",
            "Faculty of Examples",
        ),
        (
            "usr-2",
            "500002",
            "bjorn@example.edu",
            "EKS100-A",
            "Examples for beginners",
            "Faculty of Examples",
        ),
        (
            "usr-3",
            "500003",
            "chloe@example.edu",
            "EKS200-A",
            "Samples, continued",
            "Faculty of Samples",
        ),
    ]
    assert [row.line for row in read.rows] == [2, 3, 4, 5]
    assert read.table("session.title", "role")[0] == ("Spring 2026", "student")


def test_contributors_are_enrollments_of_staff(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    teachers = [("usr-4", "cls-100a", "dag"), ("usr-4", "cls-100b", "dag")]
    columns = ("userSourcedId", "classSourcedId", "user.username")
    assert Read(bundle, "contributors").table(*columns) == teachers
    assert Read(bundle, "contributors", roles=["teacher", "proctor"]).table(*columns) == [
        *teachers,
        ("usr-5", "cls-200", "eva"),
    ]


def test_somebody_in_two_classes_of_a_course_is_one_candidate_of_it(tmp_path: Path) -> None:
    read = Read(folder(tmp_path), "candidates", tests_by="course")
    assert read.table("userSourcedId", "course.sourcedId") == [
        ("usr-1", "crs-100"),
        ("usr-2", "crs-100"),
        ("usr-3", "crs-200"),
    ]
    assert [row.line for row in read.rows] == [2, 4, 5]


def test_somebody_who_is_in_a_class_twice_is_one_candidate(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    add(bundle, "enrollments.csv", "enr-8,,, cls-100a ,org-arts, usr-2,student,,,")
    assert len(Read(bundle, "candidates").rows) == 4


def test_keys_are_joined_without_the_spaces_around_them(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    edit(bundle, "users.csv", "usr-2,", " usr-2 ,")
    edit(bundle, "classes.csv", "crs-200", " crs-200 ")
    read = Read(bundle, "candidates")
    assert read.table("user.username", "course.courseCode")[2:] == [
        ("bjorn", "EKS100"),
        ("chloe", "EKS200"),
    ]
    assert read.doubts == []


def test_enrollments_that_name_nobody_are_not_taken_for_one_person(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    add(
        bundle,
        "enrollments.csv",
        "enr-8,,,cls-200,org-law,,student,,,",
        "enr-9,,,cls-200,org-law,,student,,,",
    )
    assert [row.values["userSourcedId"] for row in Read(bundle, "candidates").rows].count("") == 2


@VERSIONS
@pytest.mark.parametrize("rows_of", ["learners", "staff"])
def test_a_person_without_an_id_is_left_for_the_feed_to_judge(
    tmp_path: Path, version: Version, rows_of: str
) -> None:
    bundle = folder(tmp_path, version)
    user = "usr-1" if rows_of == "learners" else "usr-4"
    edit(bundle, "users.csv", f"{user},", " ,")
    assert [
        row[0] for row in Read(bundle, rows_of).table("username", "sourcedId") if row[1] == " "
    ] == ["aase" if rows_of == "learners" else "dag"]


@VERSIONS
@pytest.mark.parametrize("inside", ["", "export/"])
@pytest.mark.parametrize("rows_of", ["learners", "staff", "tests", "candidates", "contributors"])
def test_an_archive_gives_the_rows_of_the_folder(
    tmp_path: Path, version: Version, rows_of: str, inside: str
) -> None:
    bundle = folder(tmp_path, version)
    packed, plain = Read(zipped(bundle, inside=inside), rows_of), Read(bundle, rows_of)
    assert packed.rows == plain.rows
    assert packed.place == plain.place.replace("bundle/", "bundle.zip/")


def test_the_newest_archive_counts(tmp_path: Path) -> None:
    old, new = folder(tmp_path, name="old"), folder(tmp_path, name="new")
    edit(new, "users.csv", "aase,", "aase.new,")
    zipped(old, "oneroster-20260102.zip")
    zipped(new, "oneroster-20260103.zip")
    pattern = OneRosterSettings(path=Path("oneroster-*.zip"), rows_of="learners", select_by="name")
    with pattern.open(tmp_path) as extract:
        assert extract.place == "oneroster-20260103.zip/users.csv"
        assert next(extract.rows).values["username"] == "aase.new"


def test_a_byte_order_mark_is_taken(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    for file in bundle.iterdir():
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert len(Read(bundle, "candidates").rows) == 4


def test_files_that_are_absent_give_no_columns(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    for file in ("orgs", "courses", "academicSessions"):
        (bundle / f"{file}.csv").unlink()
        edit(bundle, "manifest.csv", f"file.{file},bulk", f"file.{file},absent")
    columns = Read(bundle, "candidates").columns
    assert {name.partition(".")[0] for name in columns if "." in name} == {"user", "class"}


def test_a_password_is_a_column_of_people_only(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    assert Read(bundle, "learners").by("sourcedId", "password")["usr-1"] == "made-up-secret-1"
    assert "user.password" not in Read(bundle, "candidates").columns


def test_the_columns_are_those_of_every_row(tmp_path: Path) -> None:
    bundle = folder(tmp_path, "v12")
    for rows_of in ("learners", "staff", "tests", "candidates", "contributors"):
        read = Read(bundle, rows_of)
        assert read.rows
        assert all(set(row.values) == set(read.columns) for row in read.rows)
        assert len(set(read.columns)) == len(read.columns)


def test_a_feed_makes_exam_times_of_dates(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    times = {"format": "%Y-%m-%d %H:%M", "zone": "Europe/Oslo"}
    said = {
        "key": FieldSettings.model_validate("sourcedId"),
        "title": FieldSettings.model_validate("{course.courseCode} {title}"),
        "start": TimeSettings.model_validate({"template": "{session.endDate} 09:00", **times}),
        "end": TimeSettings.model_validate({"template": "{session.endDate} 13:00", **times}),
    }
    fields = {name: FieldRule(**spec.as_rule()) for name, spec in said.items()}
    feed = compile_feed(FeedRule(Kind.TEST, fields, {}), "bundle/classes.csv")
    assert feed.missing(source(bundle, "tests").column_names(tmp_path)) == []
    made = feed.map(Read(bundle, "tests").rows[0])
    assert isinstance(made, Test)
    assert made.title == "EKS100 Examples A"
    assert made.start is not None
    assert made.end is not None
    assert (utc_text(made.start), utc_text(made.end)) == (
        "2026-06-12T07:00:00Z",
        "2026-06-12T11:00:00Z",
    )


def test_roles_say_nothing_of_tests() -> None:
    with pytest.raises(ValidationError, match="has no effect for tests; remove it"):
        OneRosterSettings(path=Path("bundle"), rows_of="tests", roles=("teacher",))
