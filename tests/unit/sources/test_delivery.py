"""Files that are delivered into a folder: which one counts, its marker, and its checksum."""

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
from pydantic import ValidationError
from sync.errors import SourceError
from sync.sources.base import SourceSettings
from sync.sources.csv.source import CsvSettings

from .conftest import csv_text, opened, zipped
from .contract import SourceContract

NOON = 1_795_521_600
"""A time in seconds since the epoch; files below are written some seconds after it."""


class TestAPatternKeepsTheContract(SourceContract):
    def make(
        self, folder: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]
    ) -> SourceSettings:
        (folder / "drop").mkdir(exist_ok=True)
        text = csv_text(columns, rows)
        for name, content, at in (("1", "not,this\n", 1), ("2", text, 2), ("3", "nor,this\n", 3)):
            put(folder / "drop" / f"students-{name}.csv", content, at=at)
        put(folder / "drop" / "students-2.csv.sha256", checksum(text), at=2)
        put(folder / "drop" / "students-2.csv.done", at=2)
        settings = {
            "path": "drop/students-*",
            "done_marker": "{file}.done",
            "sha256": "{file}.sha256",
        }
        return CsvSettings.model_validate(settings)

    def absent(self) -> SourceSettings:
        return CsvSettings(path=Path("nowhere/*.csv"))

    def damage_end(self, folder: Path) -> None:
        path = folder / "drop" / "students-2.csv"
        put(path, path.read_text(encoding="utf-8") + '1,"cut', at=2)
        put(
            path.with_name("students-2.csv.sha256"),
            checksum(path.read_text(encoding="utf-8")),
            at=2,
        )

    def disturb(self, folder: Path) -> None:
        put(folder / "drop" / "students-2.csv", "student_no,given,family\n", at=2)

    def test_nothing_stays_open_after_an_error(self, tmp_path: Path) -> None:
        """The contract for a pattern: errors name the file, not the pattern."""
        source = self.make(tmp_path, ("a", "b"), [("1", "2")] * 50_000)
        self.damage_end(tmp_path)
        before = len(os.listdir("/dev/fd"))  # noqa: PTH208 - Path.iterdir would not count its own descriptor alike
        with pytest.raises(SourceError, match=r"^drop/students-2\.csv line 50002: the quote"):
            list(source.rows(tmp_path))
        assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208 - as above


def put(path: Path, content: str | bytes = "", at: int = 0) -> Path:
    """Write a file as if `at` seconds after noon."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    os.utime(path, (NOON + at, NOON + at))
    return path


def checksum(content: str | bytes) -> str:
    return hashlib.sha256(content if isinstance(content, bytes) else content.encode()).hexdigest()


Choice = Callable[..., str]


@pytest.fixture
def choice(tmp_path: Path) -> Choice:
    """Return the name of the file that is read: `choice(path, **settings)`."""

    def chosen(path: str, **more: object) -> str:
        rows, _, place = opened(CsvSettings.model_validate({"path": path, **more}), tmp_path)
        assert [row.values["name"] for row in rows] == [place]
        return place

    return chosen


def refused(folder: Path, path: str, **more: object) -> SourceError:
    source = CsvSettings.model_validate({"path": path, **more})
    with pytest.raises(SourceError) as caught:
        list(source.rows(folder))
    assert caught.value.remedy
    assert len(str(caught.value).splitlines()) == 1
    return caught.value


def deliver(folder: Path, **files: int) -> None:
    """Write CSV files that contain their names: `a_csv=5` is a.csv, five seconds after noon."""
    for name, at in files.items():
        real = name.replace("_", ".")
        put(folder / real, f"name\n{real}\n", at)


def test_the_file_that_was_written_last_is_the_newest(tmp_path: Path, choice: Choice) -> None:
    deliver(tmp_path, a_csv=1, b_csv=3, c_csv=2, d_txt=9)
    assert choice("*.csv") == "b.csv"
    assert choice("[ac].csv") == "c.csv"


def test_of_files_written_at_once_the_last_by_name_is_the_newest(
    tmp_path: Path, choice: Choice
) -> None:
    deliver(tmp_path, b_csv=1, c_csv=1, a_csv=1)
    assert choice("?.csv") == "c.csv"


def test_the_newest_can_be_the_last_by_name(tmp_path: Path, choice: Choice) -> None:
    deliver(tmp_path, a_csv=9, c_csv=1, b_csv=5)
    assert choice("*.csv", select_by="name") == "c.csv"


def test_the_newest_counts_at_each_opening_anew(tmp_path: Path, choice: Choice) -> None:
    deliver(tmp_path, a_csv=1)
    assert choice("*.csv") == "a.csv"
    deliver(tmp_path, b_csv=2)
    assert choice("*.csv") == "b.csv"


def test_only_plain_files_that_are_not_hidden_match(tmp_path: Path, choice: Choice) -> None:
    deliver(tmp_path, a_csv=1)
    put(tmp_path / ".b.csv", "still being transferred", at=5)
    (tmp_path / "c.csv").mkdir()
    (tmp_path / "d.csv").symlink_to("gone")
    os.mkfifo(tmp_path / "e.csv")
    assert choice("*.csv") == "a.csv"


def test_a_hidden_file_can_be_asked_for(tmp_path: Path, choice: Choice) -> None:
    put(tmp_path / ".b.csv", "name\n.b.csv\n")
    assert choice(".*.csv") == ".b.csv"


def test_the_newest_file_is_not_passed_over_when_it_is_not_sound(tmp_path: Path) -> None:
    deliver(tmp_path, a_csv=1)
    put(tmp_path / "b.csv", "", at=2)
    assert refused(tmp_path, "*.csv").where == "b.csv"


def test_no_file_that_matches_is_reported_with_the_pattern(tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    assert str(refused(tmp_path, "drop/*.csv")) == (
        "drop/*.csv: no file matches; check 'path', and that the export has run"
    )
    assert str(refused(tmp_path, "gone/*.csv")).startswith("gone/*.csv: is not there; check 'path'")


def test_a_pattern_is_named_as_it_stands_and_the_file_once_it_is_open(tmp_path: Path) -> None:
    source = CsvSettings(path=Path("*.csv"))
    deliver(tmp_path, a_csv=1)
    assert source.place(tmp_path) == "*.csv"
    assert opened(source, tmp_path)[2] == "a.csv"
    deliver(tmp_path, b_csv=2)
    put(tmp_path / "b.csv", "name\n1,2\n", at=2)
    assert refused(tmp_path, "*.csv").where == "b.csv line 2"


def test_a_pattern_for_a_folder_is_refused() -> None:
    for path in ("*/a.csv", "drop-?/a.csv", "[ab]/*.csv", "**/a.csv"):
        with pytest.raises(ValidationError, match="has a pattern for a folder"):
            CsvSettings.model_validate({"path": path})


def test_packed_files_can_be_mixed_with_others(tmp_path: Path, choice: Choice) -> None:
    deliver(tmp_path, a_csv=1)
    put(tmp_path / "b.csv.zip", zipped({"b.csv": "name\nb.csv.zip\n"}), at=2)
    assert choice("*.csv*") == "b.csv.zip"


@pytest.mark.parametrize(
    ("template", "marker"),
    [
        ("{file}.done", "b.csv.done"),
        ("{stem}.ok", "b.ok"),
        ("READY", "READY"),
        (".{file}-{stem}", ".b.csv-b"),
    ],
)
def test_without_its_marker_a_file_is_not_complete(
    tmp_path: Path, choice: Choice, template: str, marker: str
) -> None:
    deliver(tmp_path, b_csv=5)
    for path, where in (("b.csv", "b.csv"), ("*.csv", "*.csv")):
        assert refused(tmp_path, path, done_marker=template).where == where
        put(tmp_path / marker, at=5)
        assert choice(path, done_marker=template) == "b.csv"
        put(tmp_path / marker, at=4)
        assert refused(tmp_path, path, done_marker=template).where == where
        (tmp_path / marker).unlink()


def test_a_missing_and_an_old_marker_are_distinguished(tmp_path: Path) -> None:
    deliver(tmp_path, b_csv=5)
    missing = refused(tmp_path, "b.csv", done_marker="{file}.done")
    assert missing.reason == "is not complete: its marker 'b.csv.done' is not there"
    put(tmp_path / "b.csv.done", at=4)
    old = refused(tmp_path, "b.csv", done_marker="{file}.done")
    assert old.reason.startswith("is not complete: its marker 'b.csv.done' is older than the file")
    assert "'done_marker'" in old.remedy


def test_the_newest_that_is_complete_counts(tmp_path: Path, choice: Choice) -> None:
    deliver(tmp_path, a_csv=1, b_csv=2, c_csv=3, d_csv=4)
    for name, at in (("a", 1), ("b", 2), ("d", 3)):  # d's belongs to an earlier d
        put(tmp_path / f"{name}.csv.done", at=at)
    assert choice("*.csv", done_marker="{file}.done") == "b.csv"
    put(tmp_path / "READY", at=3)
    assert choice("*.csv", done_marker="READY") == "c.csv"


def test_when_none_is_complete_they_are_counted_and_a_marker_is_named(tmp_path: Path) -> None:
    deliver(tmp_path, a_csv=1, b_csv=2)
    assert refused(tmp_path, "*.csv", done_marker="{file}.done").reason == (
        "none of the 2 files that match is marked as complete by a marker such as "
        "'b.csv.done', written after it"
    )
    assert refused(tmp_path, "a*.csv", done_marker="{file}.done").reason.startswith(
        "the file that matches is not marked"
    )


def test_a_marker_is_none_of_the_files_even_when_it_matches(tmp_path: Path, choice: Choice) -> None:
    deliver(tmp_path, a_csv=1)
    put(tmp_path / "a.csv.done", at=2)
    put(tmp_path / "a.csv.sha256", checksum("name\na.csv\n"), at=3)
    assert choice("a*", done_marker="{file}.done", sha256="{file}.sha256") == "a.csv"
    (tmp_path / "a.csv.done").unlink()
    assert choice("a*", sha256="{file}.sha256") == "a.csv"


def test_a_file_can_not_be_its_own_marker(tmp_path: Path) -> None:
    deliver(tmp_path, a_csv=1)
    assert "its own marker" in refused(tmp_path, "a.csv", done_marker="{stem}.csv").reason
    assert refused(tmp_path, "*.csv", done_marker="{stem}.csv").where == "*.csv"


@pytest.mark.parametrize(
    ("name", "stem"),
    [("a.csv", "a"), ("a.csv.gz", "a"), ("a-1.2.csv.zip", "a-1.2"), ("a", "a"), (".a.csv", ".a")],
)
def test_the_stem_is_the_name_without_the_ends_that_say_what_it_is(
    tmp_path: Path, choice: Choice, name: str, stem: str
) -> None:
    put(tmp_path / name, f"name\n{name}\n")
    put(tmp_path / f"{stem}.done")
    assert choice(name, done_marker="{stem}.done", compression="none") == name


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{name}.done", "part in braces"),
        ("{file.done", "part in braces"),
        ("../{file}", "another file in the same folder"),
        ("{file}", "another file in the same folder"),
        ("{stem}", "another file in the same folder"),
        ("..", "another file in the same folder"),
        (" ", "is empty"),
    ],
)
@pytest.mark.parametrize("setting", ["done_marker", "sha256"])
def test_a_name_that_can_not_belong_to_the_file_is_refused(
    setting: str, template: str, why: str
) -> None:
    with pytest.raises(ValidationError, match=why):
        CsvSettings.model_validate({"path": "a.csv", setting: template})


SIDECAR = "{file}.sha256"
RIGHT = checksum("name\na.csv\n")
WRONG = checksum("another")


@pytest.mark.parametrize(
    "told",
    [
        RIGHT,
        RIGHT.upper() + "\n",
        f"{RIGHT}  a.csv\n",
        f"{RIGHT} *a.csv\r\n",
        f"{RIGHT}  /srv/export/a.csv\n",
        f"{RIGHT}  a.csv.part\n",
        f"{WRONG}  b.csv\n{RIGHT}  a.csv\n\n",
    ],
)
def test_the_checksum_is_read_as_sha256sum_writes_it(
    tmp_path: Path, choice: Choice, told: str
) -> None:
    deliver(tmp_path, a_csv=1)
    put(tmp_path / "a.csv.sha256", told)
    assert choice("a.csv", sha256=SIDECAR) == "a.csv"


def test_a_file_that_is_not_what_was_checked_is_refused_before_its_first_row(
    tmp_path: Path,
) -> None:
    deliver(tmp_path, a_csv=1)
    put(tmp_path / "a.csv.sha256", WRONG)
    rows = CsvSettings(path=Path("a.csv"), sha256=SIDECAR).rows(tmp_path)
    with pytest.raises(SourceError) as caught:
        next(rows)
    assert str(caught.value) == (
        "a.csv: does not have the SHA-256 checksum that was delivered with it; "
        "deliver both again: the file is damaged, or the checksum is of another file"
    )


@pytest.mark.parametrize("told", [None, WRONG])
def test_an_older_file_is_not_taken_for_one_whose_checksum_fails(
    tmp_path: Path, told: str | None
) -> None:
    deliver(tmp_path, a_csv=1, b_csv=2)
    put(tmp_path / "a.csv.sha256", RIGHT)
    if told:
        put(tmp_path / "b.csv.sha256", told)
    assert refused(tmp_path, "*.csv", sha256=SIDECAR).where == "b.csv"


@pytest.mark.parametrize(
    "told", ["", "\n", "a.csv\n", RIGHT[:-1], f"{WRONG}  b.csv\n{WRONG}  c.csv\n", RIGHT + "0"]
)
def test_a_checksum_that_says_nothing_of_the_file_is_reported(tmp_path: Path, told: str) -> None:
    deliver(tmp_path, a_csv=1)
    put(tmp_path / "a.csv.sha256", told)
    assert (
        refused(tmp_path, "a.csv", sha256=SIDECAR).reason
        == "'a.csv.sha256' does not contain its SHA-256 checksum"
    )


def test_two_checksums_of_one_file_prove_nothing(tmp_path: Path) -> None:
    deliver(tmp_path, a_csv=1)
    put(tmp_path / "SUMS", f"{RIGHT}  a.csv\n{WRONG}  a.csv\n")
    assert "does not contain" in refused(tmp_path, "a.csv", sha256="SUMS").reason


def test_a_missing_checksum_is_reported_by_its_name(tmp_path: Path) -> None:
    deliver(tmp_path, a_csv=1)
    error = refused(tmp_path, "a.csv", sha256="{stem}.sum")
    assert error.reason == "its checksum 'a.sum' can't be read (No such file or directory)"
    assert "'sha256'" in error.remedy


def test_the_checksum_is_of_the_file_as_it_is_stored(tmp_path: Path, choice: Choice) -> None:
    packed = zipped({"x.csv": "name\na.zip\n"})
    put(tmp_path / "a.zip", packed)
    put(tmp_path / "a.zip.sha256", f"{checksum(packed)}  a.zip")
    assert choice("a.zip", sha256=SIDECAR) == "a.zip"


def test_what_was_checked_is_what_is_read(tmp_path: Path) -> None:
    content = "name\n" + "a\n" * 100_000
    put(tmp_path / "a.csv", content)
    put(tmp_path / "a.csv.sha256", checksum(content))
    rows = CsvSettings(path=Path("a.csv"), sha256=SIDECAR).rows(tmp_path)
    next(rows)
    put(tmp_path / "new", content.replace("a\n", "b\n"))
    (tmp_path / "new").rename(tmp_path / "a.csv")
    with pytest.raises(SourceError, match="was changed or replaced while it was read"):
        list(rows)
