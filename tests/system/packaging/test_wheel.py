"""The wheel contains the manual, the guides, the example configuration and the unit."""

import subprocess
import sys
import tomllib
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CARRIED = {
    "sync/_config/README.md": "config/README.md",
    "sync/_config/inspera-sync.yaml": "config/inspera-sync.yaml",
    "sync/_config/examples/csv.yaml": "config/examples/csv.yaml",
    "sync/_deploy/README.md": "deploy/README.md",
    "sync/_deploy/systemd/inspera-sync.service": "deploy/systemd/inspera-sync.service",
    "sync/_deploy/systemd/as-inspera-sync": "deploy/systemd/as-inspera-sync",
    "sync/_demo/inspera-sync.yaml": "config/demo/inspera-sync.yaml",
}
"""Files of the wheel that are elsewhere in a checkout."""


def test_the_rules_of_the_build_include_every_file_that_help_prints() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["packages"] == ["sync"]  # with sync/help
    for inside, outside in CARRIED.items():
        assert (ROOT / outside).is_file()
        assert any(
            inside == target or inside.startswith(f"{target}/")
            for source, target in wheel["force-include"].items()
            if outside.startswith(source)
        ), inside


@pytest.mark.skipif(find_spec("hatchling") is None, reason="hatchling is not installed")
def test_the_wheel_has_them_and_no_tests(tmp_path: Path) -> None:
    words = ["-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    subprocess.run(
        [sys.executable, *words, str(tmp_path), str(ROOT)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("inspera_sync-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    pages = {f"sync/help/{path.name}" for path in (ROOT / "sync" / "help").glob("*.md")}
    templates = [
        *(ROOT / "sync").glob("*/templates/*"),
        ROOT / "sync" / "report" / "report.schema.json",
    ]
    pages |= {path.relative_to(ROOT).as_posix() for path in templates}
    assert pages | CARRIED.keys() <= names
    assert not [name for name in names if name.startswith("tests/")]
