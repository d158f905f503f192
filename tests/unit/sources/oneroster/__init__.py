"""Bundles for tests, made from the samples in this folder: every name in them is made up."""

import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from sync.records.base import Row
from sync.sources.oneroster.source import OneRosterSettings

SAMPLES = Path(__file__).parent
Version = Literal["v11", "v12"]


def folder(into: Path, version: Version = "v11", name: str = "bundle") -> Path:
    """Return a copy of a sample that a test may change."""
    path = into / name
    shutil.copytree(SAMPLES / version, path)
    return path


def edit(bundle: Path, file: str, old: str, new: str) -> None:
    """Replace a text that must be there."""
    path = bundle / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def add(bundle: Path, file: str, *lines: str) -> None:
    with (bundle / file).open("a", encoding="utf-8") as out:
        out.writelines(f"{line}\n" for line in lines)


def delta(bundle: Path, *files: str) -> None:
    """Has the manifest say that these files are deltas."""
    for file in files:
        edit(bundle, "manifest.csv", f"file.{file},bulk", f"file.{file},delta")


def zipped(bundle: Path, name: str = "bundle.zip", inside: str = "") -> Path:
    """Return the same bundle as an archive in the same folder."""
    path = bundle.parent / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(bundle.iterdir()):
            archive.write(file, inside + file.name)
    return path


def source(bundle: Path, rows_of: str, **settings: object) -> OneRosterSettings:
    return OneRosterSettings.model_validate({"path": bundle.name, "rows_of": rows_of, **settings})


class Read:
    """What was read of a bundle, to its end."""

    def __init__(self, bundle: Path, rows_of: str, **settings: object) -> None:
        with source(bundle, rows_of, **settings).open(bundle.parent) as extract:
            self.rows: list[Row] = list(extract.rows)
            self.place, self.columns = extract.place, extract.columns
            self.partial, self.doubts = extract.partial, list(extract.doubts)

    def table(self, *columns: str) -> list[tuple[str, ...]]:
        return [tuple(row.values[name] for name in columns) for row in self.rows]

    def by(self, key: str, column: str) -> Mapping[str, str]:
        found = {row.values[key]: row.values[column] for row in self.rows}
        assert len(found) == len(self.rows)
        return found
