"""The watch on deliveries: new once each time, and only when complete."""

import hashlib
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sync.sources.base import Watcher
from sync.sources.csv.source import CsvSettings
from sync.sources.oneroster.source import OneRosterSettings

HEADER = "number,name\n"


def watcher(folder: Path, **settings: object) -> Watcher:
    found = CsvSettings.model_validate({"path": "in.csv", **settings}).watcher(folder)
    assert found is not None
    return found


def mark(path: Path) -> None:
    path.write_text("")


def sum_up(path: Path) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name(f"{path.name}.sha256").write_text(f"{digest}  {path.name}\n")


def test_a_source_without_a_proof_has_no_watch(tmp_path: Path) -> None:
    assert CsvSettings.model_validate({"path": "in.csv"}).watcher(tmp_path) is None


def test_what_is_moved_into_place_is_new_once(tmp_path: Path) -> None:
    watch = watcher(tmp_path, moved_into_place=True)
    assert not watch.is_new()
    for content in ("1,a\n", "1,b\n"):
        (tmp_path / "part").write_text(HEADER + content)
        (tmp_path / "part").rename(tmp_path / "in.csv")
        assert [watch.is_new() for _ in range(3)] == [True, False, False]
    (tmp_path / "in.csv").unlink()
    assert not watch.is_new()


def test_the_same_file_moved_again_is_new(tmp_path: Path) -> None:
    watch = watcher(tmp_path, moved_into_place=True)
    for _ in range(2):
        (tmp_path / "part").write_text(HEADER)
        os.utime(tmp_path / "part", (1, 1))
        (tmp_path / "part").rename(tmp_path / "in.csv")
        watch.is_new()
    (tmp_path / "other").write_text(HEADER)
    (tmp_path / "other").rename(tmp_path / "in.csv")
    assert watch.is_new()


def test_a_file_counts_once_its_marker_is_there_and_not_while_the_next_is_written(
    tmp_path: Path,
) -> None:
    watch, file = watcher(tmp_path, done_marker="{file}.done"), tmp_path / "in.csv"
    file.write_text(HEADER)
    assert not watch.is_new()
    mark(tmp_path / "in.csv.done")
    assert watch.is_new()
    later = (tmp_path / "in.csv.done").stat().st_mtime_ns + 10_000_000
    file.write_text(f"{HEADER}1,")
    os.utime(file, ns=(later, later))
    assert not watch.is_new()
    mark(tmp_path / "in.csv.done")
    os.utime(tmp_path / "in.csv.done", ns=(later + 1, later + 1))
    assert watch.is_new()


def test_a_file_counts_once_its_checksum_fits(tmp_path: Path) -> None:
    watch, file = watcher(tmp_path, sha256="{file}.sha256"), tmp_path / "in.csv"
    file.write_text(f"{HEADER}1,a\n")
    sum_up(file)
    assert watch.is_new()
    file.write_text(f"{HEADER}1,")
    assert not watch.is_new()
    file.write_text(f"{HEADER}1,b\n")
    assert not watch.is_new()
    sum_up(file)
    assert watch.is_new()


def test_the_newest_of_a_pattern_counts(tmp_path: Path) -> None:
    watch = watcher(tmp_path, path="in-*.csv", moved_into_place=True, select_by="name")
    (tmp_path / "in-1.csv").write_text(HEADER)
    assert watch.is_new()
    (tmp_path / ".in-2.csv.part").write_text(HEADER)
    assert not watch.is_new()
    (tmp_path / ".in-2.csv.part").rename(tmp_path / "in-2.csv")
    assert watch.is_new()


def test_a_bundle_in_a_folder_is_new_when_one_of_its_files_is(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "users.csv").write_text(HEADER)
    settings = {"path": "bundle", "rows_of": "learners", "moved_into_place": True}
    watch = OneRosterSettings.model_validate({"type": "oneroster", **settings}).watcher(tmp_path)
    assert watch
    assert [watch.is_new(), watch.is_new()] == [True, False]
    (tmp_path / "next.csv").write_text(f"{HEADER}1,a\n")
    (tmp_path / "next.csv").rename(bundle / "users.csv")
    assert watch.is_new()


def write_slowly(rng: random.Random, file: Path, look: Callable[[], bool]) -> list[bool]:
    """Write a file in pieces, and look after each. The last look is after its proof was written."""
    # No delivery begins as another one: then an old checksum would fit a part of it.
    first = rng.randrange(10**9)
    content = HEADER + "".join(f"{first + n},name\n" for n in range(rng.randrange(1, 40)))
    file.write_text("")
    seen, place = [look()], 0
    while place < len(content):
        step = rng.randrange(1, 30)
        with file.open("a") as piece:
            piece.write(content[place : place + step])
        place += step
        seen.append(look())
    return seen


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("proof", ["done_marker", "sha256"])
def test_fifty_deliveries_written_at_random_count_when_complete_and_never_before(
    tmp_path: Path, proof: str, seed: int
) -> None:
    rng, file = random.Random(seed), tmp_path / "in.csv"
    name = "{file}.done" if proof == "done_marker" else "{file}.sha256"
    watch = watcher(tmp_path, **{proof: name})
    for _ in range(5):
        if rng.random() < 0.5:  # an export that cleans up first
            shutil.rmtree(tmp_path)
            tmp_path.mkdir()
        assert not any(write_slowly(rng, file, watch.is_new))
        if proof == "sha256":
            sum_up(file)
        else:
            later = file.stat().st_mtime_ns + 1
            mark(tmp_path / "in.csv.done")
            os.utime(tmp_path / "in.csv.done", ns=(later, later))
        assert [watch.is_new(), watch.is_new()] == [True, False]
