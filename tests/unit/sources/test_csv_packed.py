"""CSV files packed with gzip or zip: unpacked, and refused if the archive is damaged."""

import gzip
import tracemalloc
import warnings
import zipfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sync.errors import SourceError
from sync.sources.base import SourceSettings
from sync.sources.csv.source import CsvSettings

from ...support.examples import examples
from .conftest import csv_text, zipped
from .contract import MEMORY, SourceContract

TEXT = "number,given\n" + "".join(f"{n},Åse\n" for n in range(2_000))
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


class TestGzipKeepsTheContract(SourceContract):
    def make(
        self, folder: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]
    ) -> SourceSettings:
        (folder / "students.csv.gz").write_bytes(gzip.compress(csv_text(columns, rows).encode()))
        return CsvSettings(path=Path("students.csv.gz"))

    def absent(self) -> SourceSettings:
        return CsvSettings(path=Path("nowhere.csv.gz"))

    def damage_end(self, folder: Path) -> None:
        path = folder / "students.csv.gz"
        path.write_bytes(path.read_bytes()[:-5])

    def disturb(self, folder: Path) -> None:
        with (folder / "students.csv.gz").open("ab") as file:
            file.write(gzip.compress(b"1,2,3\n"))


class TestZipKeepsTheContract(SourceContract):
    def make(
        self, folder: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]
    ) -> SourceSettings:
        (folder / "students.zip").write_bytes(zipped({"out/students.csv": csv_text(columns, rows)}))
        return CsvSettings(path=Path("students.zip"))

    def absent(self) -> SourceSettings:
        return CsvSettings(path=Path("nowhere.zip"))

    def damage_end(self, folder: Path) -> None:
        path = folder / "students.zip"
        path.write_bytes(with_wrong_checksum(path.read_bytes()))

    def disturb(self, folder: Path) -> None:
        with zipfile.ZipFile(folder / "students.zip", "a") as archive:
            archive.writestr("more.csv", "1,2,3\n")


def with_wrong_checksum(packed: bytes) -> bytes:
    """Return the archive with another checksum for its first member."""
    at = packed.index(b"PK\x01\x02") + 16
    return packed[:at] + bytes(4) + packed[at + 4 :]


def source_of(folder: Path, name: str, content: bytes, **more: object) -> CsvSettings:
    (folder / name).write_bytes(content)
    return CsvSettings.model_validate({"path": name, **more})


def refused(folder: Path, name: str, content: bytes, **more: object) -> SourceError:
    source = source_of(folder, name, content, **more)
    with pytest.raises(SourceError) as caught:
        list(source.rows(folder))
    assert caught.value.where.startswith(name)
    assert caught.value.remedy
    return caught.value


def count(folder: Path, name: str, content: bytes, **more: object) -> int:
    return len(list(source_of(folder, name, content, **more).rows(folder)))


@pytest.mark.parametrize("name", ["a.csv.gz", "A.GZ"])
def test_a_file_is_unpacked_by_the_end_of_its_name(tmp_path: Path, name: str) -> None:
    assert count(tmp_path, name, gzip.compress(TEXT.encode())) == 2_000


def test_the_setting_is_believed_more_than_the_name(tmp_path: Path) -> None:
    assert count(tmp_path, "a.csv", gzip.compress(TEXT.encode()), compression="gzip") == 2_000
    assert count(tmp_path, "a.csv", zipped({"x": TEXT}), compression="zip") == 2_000
    assert count(tmp_path, "a.gz", TEXT.encode(), compression="none") == 2_000


def test_a_gzip_file_of_several_pieces_is_read_to_its_last(tmp_path: Path) -> None:
    assert (
        count(tmp_path, "a.gz", gzip.compress(TEXT.encode()) + gzip.compress("x,Åse\n".encode()))
        == 2_001
    )


@SHARED
@given(keep=st.integers(0, len(gzip.compress(TEXT.encode(), mtime=0)) - 1))
def test_a_gzip_file_that_is_cut_anywhere_is_refused(tmp_path: Path, keep: int) -> None:
    error = refused(tmp_path, "a.csv.gz", gzip.compress(TEXT.encode(), mtime=0)[:keep])
    assert error.where == "a.csv.gz"
    assert error.reason.startswith("can't be unpacked: the gzip file is")


@SHARED
@given(keep=st.integers(0, len(zipped({"a.csv": TEXT})) - 1))
def test_a_zip_file_that_is_cut_anywhere_is_refused(tmp_path: Path, keep: int) -> None:
    assert (
        "can't be unpacked: the zip file"
        in refused(tmp_path, "a.zip", zipped({"a.csv": TEXT})[:keep]).reason
    )


@pytest.mark.parametrize("header", [None, ["number", "given"]])
@pytest.mark.parametrize("name", ["a.gz", "a.zip"])
def test_an_empty_file_is_no_archive_of_nothing(
    tmp_path: Path, name: str, header: list[str] | None
) -> None:
    assert "can't be unpacked" in refused(tmp_path, name, b"", columns=header).reason


PACKED = {"a.gz": gzip.compress(TEXT.encode(), mtime=0), "a.zip": zipped({"a.csv": TEXT})}


@settings(SHARED, max_examples=examples(100))
@given(name=st.sampled_from(sorted(PACKED)), data=st.data())
def test_an_archive_with_a_damaged_byte_is_read_right_or_refused(
    tmp_path: Path, name: str, data: st.DataObject
) -> None:
    content = bytearray(PACKED[name])
    near_the_ends = st.one_of(
        st.integers(0, 60), st.integers(-120, -1), st.integers(0, len(content) - 1)
    )
    content[data.draw(near_the_ends)] ^= data.draw(st.integers(1, 255))
    source = source_of(tmp_path, name, bytes(content))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the standard library's words on strange archives
        with suppress(SourceError):
            rows = list(source.rows(tmp_path))
            assert [row.values["number"] for row in rows] == [str(n) for n in range(2_000)]


def test_an_archive_with_a_directory_that_can_not_be_is_read_right_or_refused(
    tmp_path: Path,
) -> None:
    packed = zipped({"å.csv": TEXT})
    directory = len(packed) - packed.index(b"PK\x01\x02")
    for at in [*range(45), *range(-directory, 0)]:
        for byte in (0, 99, 128, 255):
            content = bytearray(packed)
            content[at] = byte
            source = source_of(tmp_path, "a.zip", bytes(content))
            with suppress(SourceError):
                assert len(list(source.rows(tmp_path))) == 2_000


def test_a_checksum_of_the_archive_that_does_not_fit_is_a_row_error_after_good_rows(
    tmp_path: Path,
) -> None:
    packed = gzip.compress((TEXT + TEXT.partition("\n")[2] * 19).encode())
    wrong = packed[:-8] + bytes(4) + packed[-4:]
    rows = source_of(tmp_path, "a.csv.gz", wrong).rows(tmp_path)
    assert next(rows).values["number"] == "0"
    with pytest.raises(SourceError) as caught:
        list(rows)
    assert str(caught.value) == (
        "a.csv.gz: can't be unpacked: the gzip file is damaged, or is not gzip; "
        "deliver it again, in binary mode; or correct 'compression'"
    )


def test_a_file_that_is_not_packed_after_all_is_reported(tmp_path: Path) -> None:
    for name in ("a.gz", "a.zip"):
        assert "is damaged, or is not " in refused(tmp_path, name, TEXT.encode()).reason


def test_errors_inside_have_the_line_of_the_text_inside(tmp_path: Path) -> None:
    broken = TEXT.encode() + b"2000,\xff\n"
    for name, packed in (("a.csv.gz", gzip.compress(broken)), ("a.zip", zipped({"a.csv": broken}))):
        error = refused(tmp_path, name, packed)
        assert error.where == f"{name} line 2002"
        assert "0xFF" in error.reason
        quote = refused(tmp_path, name, packed_alike(name, TEXT + '1,"cut\n'))
        assert quote.where == f"{name} line 2002"
        assert "is not closed" in quote.reason


def packed_alike(name: str, text: str) -> bytes:
    return gzip.compress(text.encode()) if name.endswith(".gz") else zipped({"a.csv": text})


def test_a_packed_file_that_is_replaced_while_it_is_read_is_not_used(tmp_path: Path) -> None:
    for name in ("a.gz", "a.zip"):
        rows = source_of(tmp_path, name, packed_alike(name, TEXT)).rows(tmp_path)
        next(rows)
        (tmp_path / "new").write_bytes(packed_alike(name, TEXT))
        (tmp_path / "new").rename(tmp_path / name)
        with pytest.raises(SourceError, match="was changed or replaced while it was read"):
            list(rows)


def test_an_archive_of_several_files_needs_to_be_told_which(tmp_path: Path) -> None:
    packed = zipped({"out/students.csv": TEXT, "out/exams.csv": "x\n1\n", "readme.txt": "?"})
    error = refused(tmp_path, "a.zip", packed)
    assert error.reason == "contains 3 files, instead of one"
    assert "'member'" in error.remedy
    for member in ("students.csv", "out/students.csv", "*/stud*.csv", "student?.csv"):
        assert count(tmp_path, "a.zip", packed, member=member) == 2_000
    assert refused(tmp_path, "a.zip", packed, member="*.csv").reason.startswith(
        "contains 2 files named '*.csv'"
    )
    assert refused(tmp_path, "a.zip", packed, member="x.csv").reason.startswith(
        "contains no file named 'x.csv'"
    )


def test_folders_in_an_archive_are_no_files_and_an_archive_may_hold_none(tmp_path: Path) -> None:
    assert count(tmp_path, "a.zip", zipped({"out/": "", "out/a.csv": TEXT})) == 2_000
    assert refused(tmp_path, "a.zip", zipped({"out/": ""})).reason.startswith("contains no file")


def test_an_encrypted_archive_is_reported_from_a_damaged_one(tmp_path: Path) -> None:
    packed = bytearray(zipped({"a.csv": TEXT}))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.index(signature) + flags] |= 1
    assert refused(tmp_path, "a.zip", bytes(packed)).reason == "is encrypted with a password"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packing_that_could_grow_without_bound_is_refused(tmp_path: Path, method: int) -> None:
    assert (
        "by a method that is not supported"
        in refused(tmp_path, "a.zip", zipped({"a.csv": TEXT}, method)).reason
    )


def test_an_archive_may_hold_its_file_as_it_is(tmp_path: Path) -> None:
    assert count(tmp_path, "a.zip", zipped({"a.csv": TEXT}, zipfile.ZIP_STORED)) == 2_000


@pytest.mark.parametrize("name", ["bomb.csv.gz", "bomb.zip"])
def test_a_little_file_that_unpacks_to_an_endless_line_is_refused_in_bounded_memory(
    tmp_path: Path, name: str
) -> None:
    source = source_of(tmp_path, name, packed_alike(name, "a,b\n" + "x" * 100_000_000))
    assert (tmp_path / name).stat().st_size < 200_000
    tracemalloc.start()
    try:
        with pytest.raises(
            SourceError, match="line 2: has more than 1,048,576 characters in one line"
        ):
            list(source.rows(tmp_path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * MEMORY


def test_a_member_is_only_for_archives(tmp_path: Path) -> None:
    for values in ({"path": "a.csv"}, {"path": "a.zip", "compression": "gzip"}, {"path": "drop/*"}):
        with pytest.raises(ValidationError, match="only for zip archives"):
            CsvSettings.model_validate(values | {"member": "x.csv"})
    assert CsvSettings.model_validate({"path": "drop/*.zip", "member": "x.csv"}).member == "x.csv"


def test_another_compression_is_refused() -> None:
    with pytest.raises(ValidationError, match="compression"):
        CsvSettings.model_validate({"path": "a.csv", "compression": "lzma"})
