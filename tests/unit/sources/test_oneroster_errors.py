"""OneRoster bundles that can't be used: each is refused whole, with where, what, and what to do."""

import zipfile
from itertools import islice
from pathlib import Path

import pytest
from sync.errors import SourceError
from sync.sources.oneroster.lookup import temporary_database

from .oneroster import Read, add, delta, edit, folder, source, zipped

EVERY = ("learners", "staff", "tests", "candidates", "contributors")
SECRET = "made-up-secret-1"


def refusal(bundle: Path, rows_of: str = "candidates", **settings: object) -> str:
    with pytest.raises(SourceError) as caught:
        Read(bundle, rows_of, **settings)
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    assert caught.value.where.startswith(bundle.name)
    assert caught.value.remedy
    assert "made-up-secret" not in text
    return text


@pytest.mark.parametrize("rows_of", EVERY)
def test_without_a_manifest_nothing_is_read(tmp_path: Path, rows_of: str) -> None:
    bundle = folder(tmp_path)
    (bundle / "manifest.csv").unlink()
    assert refusal(bundle, rows_of).startswith(
        "bundle/manifest.csv: is not there; check that the export writes it"
    )
    assert "bundle.zip/manifest.csv: is not there" in refusal(zipped(bundle), rows_of)


@pytest.mark.parametrize("mode", ["bulk", "delta"])
@pytest.mark.parametrize("file", ["enrollments", "users", "orgs"])
def test_a_file_that_the_manifest_promises_has_to_be_there(
    tmp_path: Path, file: str, mode: str
) -> None:
    bundle = folder(tmp_path)
    edit(bundle, "manifest.csv", f"file.{file},bulk", f"file.{file},{mode}")
    (bundle / f"{file}.csv").unlink()
    wanted = f"/{file}.csv: is not there, but the manifest says '{mode}'; have the bundle exported again, complete"
    assert refusal(bundle) == "bundle" + wanted
    assert refusal(zipped(bundle)) == "bundle.zip" + wanted


def test_that_holds_for_files_that_these_rows_do_not_need(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    edit(bundle, "manifest.csv", "file.results,absent", "file.results,bulk")
    assert "bundle/results.csv: is not there" in refusal(bundle, "learners")


@pytest.mark.parametrize(
    ("rows_of", "file"),
    [
        ("learners", "users"),
        ("staff", "users"),
        ("tests", "classes"),
        ("candidates", "enrollments"),
        ("candidates", "users"),
        ("contributors", "classes"),
    ],
)
def test_a_file_that_is_needed_may_not_be_absent(tmp_path: Path, rows_of: str, file: str) -> None:
    bundle = folder(tmp_path)
    edit(bundle, "manifest.csv", f"file.{file},bulk", f"file.{file},absent")
    assert (
        f"bundle/manifest.csv: says that {file}.csv is absent, which rows of {rows_of} need"
        in refusal(bundle, rows_of)
    )


def test_courses_are_needed_when_they_are_the_tests(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    edit(bundle, "manifest.csv", "file.courses,bulk\n", "")
    assert "does not list courses.csv, which rows of candidates need" in refusal(
        bundle, tests_by="course"
    )
    assert "does not list courses.csv, which rows of tests need" in refusal(
        bundle, "tests", tests_by="course"
    )
    assert len(Read(bundle, "candidates").rows) == 4


def test_roles_are_needed_in_1_2(tmp_path: Path) -> None:
    bundle = folder(tmp_path, "v12")
    edit(bundle, "manifest.csv", "file.roles,bulk", "file.roles,absent")
    assert "says that roles.csv is absent, which rows of learners need" in refusal(
        bundle, "learners"
    )
    assert len(Read(bundle, "candidates").rows) == 4


@pytest.mark.parametrize(
    ("version", "shown"),
    [
        ("1.0", "'1.0'"),
        ("2.0", "'2.0'"),
        ("1.10", "'1.10'"),
        ("v one", "'v ***'"),
        ("11.1", "'11.1'"),
    ],
)
def test_another_version_is_refused_by_its_name(tmp_path: Path, version: str, shown: str) -> None:
    bundle = folder(tmp_path)
    edit(bundle, "manifest.csv", "oneroster.version,1.1", f"oneroster.version,{version}")
    assert (
        f"manifest.csv: is for OneRoster {shown}; have the bundle exported as OneRoster 1.1 or 1.2"
        in refusal(bundle)
    )


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("oneroster.version,1.1\n", "", "bundle/manifest.csv: has no 'oneroster.version'"),
        (
            "file.users,bulk",
            "file.users,some",
            "file.users: 'some' is not a mode; have it exported as bulk, delta or absent",
        ),
        ("file.users,bulk", "file.users,", "file.users: '' is not a mode"),
        (
            "file.users,bulk",
            "file.users,bulk\nfile.users,delta",
            "line 10: gives another value for a property",
        ),
        ("propertyName,value", "propertyname,value", "column 'propertyName' is missing"),
        ("file.users,bulk", "file.users", "line 9: has 1 cell where the header has 2"),
    ],
)
def test_a_manifest_that_can_not_be_understood_is_refused(
    tmp_path: Path, old: str, new: str, wanted: str
) -> None:
    bundle = folder(tmp_path)
    edit(bundle, "manifest.csv", old, new)
    assert wanted in refusal(bundle)


def test_a_manifest_names_no_file_outside_of_the_bundle(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    add(bundle, "manifest.csv", "file.../users,bulk")
    assert len(Read(bundle, "candidates").rows) == 4


@pytest.mark.parametrize(
    ("rows_of", "file", "column"),
    [
        ("learners", "users", "sourcedId"),
        ("learners", "users", "role"),
        ("learners", "users", "status"),
        ("learners", "users", "orgSourcedIds"),
        ("learners", "orgs", "sourcedId"),
        ("tests", "classes", "status"),
        ("tests", "classes", "courseSourcedId"),
        ("tests", "classes", "termSourcedIds"),
        ("candidates", "enrollments", "role"),
        ("candidates", "enrollments", "userSourcedId"),
        ("candidates", "enrollments", "classSourcedId"),
        ("candidates", "classes", "courseSourcedId"),
        ("candidates", "users", "status"),
    ],
)
def test_a_column_that_is_needed_is_missed_by_file_and_name(
    tmp_path: Path, rows_of: str, file: str, column: str
) -> None:
    bundle = folder(tmp_path)
    header = (bundle / f"{file}.csv").read_text(encoding="utf-8").splitlines()[0]
    edit(bundle, f"{file}.csv", header, header.replace(column, column.upper(), 1))
    assert f"bundle/{file}.csv: column '{column}' is missing (it has " in refusal(bundle, rows_of)
    with pytest.raises(SourceError, match="is missing"):
        source(bundle, rows_of).column_names(tmp_path)


def test_a_column_that_is_needed_in_1_2(tmp_path: Path) -> None:
    bundle = folder(tmp_path, "v12")
    edit(bundle, "roles.csv", "userSourcedId", "userId")
    assert "bundle/roles.csv: column 'userSourcedId' is missing" in refusal(bundle, "learners")


@pytest.mark.parametrize(
    "file", ["users", "classes", "orgs", "academicSessions", "enrollments", "courses"]
)
def test_a_row_error_in_any_file_of_the_rows_makes_nothing_of_it(tmp_path: Path, file: str) -> None:
    bundle = folder(tmp_path)
    lines = (bundle / f"{file}.csv").read_text(encoding="utf-8").count("\n")
    add(bundle, f"{file}.csv", 'one,"cut')
    assert refusal(bundle).startswith(
        f'bundle/{file}.csv line {lines + 1}: the quote (") that opens a cell here'
    )
    assert refusal(zipped(bundle)).startswith(f"bundle.zip/{file}.csv line {lines + 1}: the quote")


def test_text_that_is_not_utf_8_is_reported_by_its_line(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    path = bundle / "users.csv"
    path.write_bytes(path.read_bytes().replace("Åse".encode(), "Åse".encode("cp1252")))
    for one in (bundle, zipped(bundle)):
        assert "/users.csv line 2: byte 0xC5 can't be read as UTF-8" in refusal(one, "learners")
        assert "/users.csv line 2: byte 0xC5 can't be read as UTF-8" in refusal(one)


@pytest.mark.parametrize(
    ("rows_of", "file", "row"),
    [
        (
            "learners",
            "users",
            "usr-1,,,true,org-arts,student,other,,A,B,,500009,x@example.edu,,,,,made-up-secret-9,",
        ),
        (
            "candidates",
            "users",
            "usr-1,,,true,org-arts,student,other,,A,B,,500009,x@example.edu,,,,,made-up-secret-9,",
        ),
        ("tests", "classes", "cls-100a,,,Other,,crs-100,X,scheduled,,org-arts,ses-spring,,,"),
        ("candidates", "classes", "cls-100a,,,Other,,crs-100,X,scheduled,,org-arts,ses-spring,,,"),
        ("candidates", "courses", "crs-100,,,ses-year,Other,X,,org-arts,,,10"),
    ],
)
def test_two_rows_that_say_different_things_of_one_id_are_refused(
    tmp_path: Path, rows_of: str, file: str, row: str
) -> None:
    bundle = folder(tmp_path)
    lines = (bundle / f"{file}.csv").read_text(encoding="utf-8").count("\n")
    add(bundle, f"{file}.csv", row)
    where = f"bundle/{file}.csv line {lines + 1}"
    assert f"{where}: has the same sourcedId as line 2, but differs from it" in refusal(
        bundle, rows_of
    )


def test_two_rows_that_say_the_same_are_one(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    before = {rows_of: Read(bundle, rows_of).rows for rows_of in EVERY}
    for file in ("users", "classes", "courses", "orgs"):
        lines = (bundle / f"{file}.csv").read_text(encoding="utf-8").splitlines()
        add(bundle, f"{file}.csv", lines[1], lines[1], lines[2])
    assert {rows_of: Read(bundle, rows_of).rows for rows_of in EVERY} == before


def test_in_1_1_a_person_may_have_a_row_for_each_role(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    first = (bundle / "users.csv").read_text(encoding="utf-8").splitlines()[1]
    add(
        bundle,
        "users.csv",
        first.replace(",student,", ",teacher,"),
        first.replace(",student,", ",proctor,"),
    )
    assert len(Read(bundle, "learners").rows) == 3
    assert [
        row[0] for row in Read(bundle, "staff", roles=["teacher", "proctor"]).table("sourcedId")
    ] == [
        "usr-4",
        "usr-5",
        "usr-1",
    ]
    assert len(Read(bundle, "candidates").rows) == 4


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    for content in (b"", b"sourcedId,status\n", b"PK\x03\x04 and so on"):
        path.write_bytes(content)
        assert refusal(path).startswith("bundle.zip: can't be unpacked: the zip file is ")


def test_an_archive_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = zipped(folder(tmp_path))
    data = path.read_bytes()
    for length in (100, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        assert "can't be unpacked" in refusal(path)


@pytest.mark.parametrize("file", ["users", "classes", "enrollments"])
def test_damage_anywhere_in_an_archive_is_found(tmp_path: Path, file: str) -> None:
    path = zipped(folder(tmp_path))
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(f"{file}.csv")
    data = bytearray(path.read_bytes())
    data[info.header_offset + 30 + len(info.filename) + info.compress_size // 2] ^= 0x10
    path.write_bytes(data)
    assert refusal(path).startswith(f"bundle.zip/{file}.csv")


def test_an_archive_with_several_bundles_is_refused(tmp_path: Path) -> None:
    path = zipped(folder(tmp_path))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("other/manifest.csv", "propertyName,value\n")
    assert "bundle.zip: contains 2 files named manifest.csv" in refusal(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_with_a_file_twice_is_refused(tmp_path: Path) -> None:
    path = zipped(folder(tmp_path))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("users.csv", "sourcedId,status,role\n")
    assert "bundle.zip/users.csv: is in the archive more than once" in refusal(path)


def test_an_archive_that_needs_a_password_is_refused(tmp_path: Path) -> None:
    path = zipped(folder(tmp_path))
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"users.csv") - 46
    assert data[entry : entry + 4] == b"PK\x01\x02"
    data[entry + 8] |= 1
    path.write_bytes(data)
    assert "bundle.zip/users.csv: is encrypted with a password; deliver it without one" in refusal(
        path
    )


@pytest.mark.parametrize(
    ("rows_of", "file", "rows_before"),
    [
        *(
            ("candidates", file, 0)
            for file in ("manifest", "users", "orgs", "classes", "enrollments")
        ),
        *(("learners", file, 1) for file in ("manifest", "users", "orgs")),
    ],
)
def test_a_folder_in_which_a_file_changes_during_the_reading_is_not_used(
    tmp_path: Path, rows_of: str, file: str, rows_before: int
) -> None:
    bundle = folder(tmp_path)
    with source(bundle, rows_of).open(tmp_path) as extract:
        assert len(list(islice(extract.rows, rows_before))) == rows_before
        replaced = tmp_path / "new.csv"
        replaced.write_bytes((bundle / f"{file}.csv").read_bytes())
        replaced.replace(bundle / f"{file}.csv")
        with pytest.raises(
            SourceError, match=rf"^bundle/{file}\.csv: was changed or replaced while it was read"
        ):
            list(extract.rows)


@pytest.mark.parametrize("rows_of", ["learners", "candidates"])
def test_an_archive_that_is_replaced_during_the_reading_is_not_used(
    tmp_path: Path, rows_of: str
) -> None:
    bundle = folder(tmp_path)
    path = zipped(bundle)
    with source(path, rows_of).open(tmp_path) as extract:
        zipped(bundle, "other.zip").replace(path)
        with pytest.raises(
            SourceError, match=r"^bundle\.zip: was changed or replaced while it was read"
        ):
            list(extract.rows)


def test_a_delta_is_read_as_strictly(tmp_path: Path) -> None:
    bundle = folder(tmp_path)
    delta(bundle, "users")
    add(bundle, "users.csv", "usr-9,,")
    assert "bundle/users.csv line 7: has 3 cells where the header has 19" in refusal(bundle)


def test_a_pattern_that_matches_no_archive_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^drop/\*\.zip: is not there"):
        list(
            source(tmp_path / "x", "learners")
            .model_copy(update={"path": Path("drop/*.zip")})
            .rows(tmp_path)
        )
    (tmp_path / "drop").mkdir()
    with pytest.raises(SourceError, match=r"^drop/\*\.zip: no file matches"):
        list(
            source(tmp_path / "x", "learners")
            .model_copy(update={"path": Path("drop/*.zip")})
            .rows(tmp_path)
        )


def test_a_temporary_file_that_can_not_grow_is_reported() -> None:
    def fill() -> None:
        with temporary_database("users.csv") as database:
            database.execute("PRAGMA max_page_count = 8")
            database.executemany(
                "INSERT INTO lookup (id) VALUES (?)", (("x" * 1000,) for _ in range(1000))
            )

    with pytest.raises(
        SourceError, match=r"^users\.csv: can't be joined .*full.*; free space .*TMPDIR"
    ):
        fill()
