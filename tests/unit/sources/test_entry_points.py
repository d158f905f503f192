"""Sources of other packages: found by their entry points, and left out if they can't be used."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from sync.exit_codes import Exit
from sync.sources.base import SourceSettings
from sync.sources.csv.source import CsvSettings
from sync.sources.registry import GROUP, Registry

from . import contract, example_source
from .contract import SourceContract
from .example_source import JsonLines

OWN = {"csv": CsvSettings}
MODULE = Path(example_source.__file__)
CONFIG = """\
inspera: {url: "https://example.inspera.com", client_id: example, api_key: "${file:key}"}
sources:
  people: {type: jsonl, path: people.jsonl}
feeds:
  - kind: learner
    source: people
    auth_system: FEIDE
    map: {external_id: student_no, username: student_no, first_name: given, last_name: family}
"""
PEOPLE = (
    '["student_no", "given", "family"]\n["500001", "Åse", "Eksempel"]\n[500002, "Bjørn", null]\n'
)


def install(
    folder: Path, *points: str, code: str = "", package: str = "example-jsonl", version: str = "1.2"
) -> None:
    """Install a package into the folder: its module and its metadata."""
    name = package.replace("-", "_")
    (folder / f"{name}_code.py").write_text(
        code or MODULE.read_text(encoding="utf-8"), encoding="utf-8"
    )
    about = folder / f"{name}-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    (about / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *points, ""]))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder on the path of Python, for packages."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def run(site: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a process of its own, where these packages are installed."""
    folder.joinpath("inspera-sync.yaml").write_text(CONFIG, encoding="utf-8")
    folder.joinpath("people.jsonl").write_text(PEOPLE, encoding="utf-8")
    folder.joinpath("key").write_text("k")
    folder.joinpath("key").chmod(0o400)
    environment = os.environ | {
        "PYTHONPATH": str(site),
        "INSPERA_SYNC_CONFIG": str(folder / "inspera-sync.yaml"),
    }
    command = [sys.executable, "-m", "sync", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def why_not(word: str) -> str:
    """Return why an installed source is not in the registry, which still has the built-in ones."""
    registry = Registry(OWN)
    assert registry["csv"] is CsvSettings
    assert registry.get(word) is OWN.get(word)
    assert registry.broken[word].remedy
    return registry.broken[word].reason


@pytest.mark.process
def test_the_whole_program_reads_a_source_of_another_package(site: Path, tmp_path: Path) -> None:
    install(site, "jsonl = example_jsonl_code:JsonLines")
    ran = run(site, tmp_path, "check")
    assert ran.returncode == Exit.OK, ran.stdout + ran.stderr
    assert "people.jsonl: 2 rows, 2 valid learners" in ran.stdout


@pytest.mark.process
def test_its_settings_are_checked_like_all_others(site: Path, tmp_path: Path) -> None:
    install(
        site,
        "jsonl = example_jsonl_code:JsonLines",
        code=MODULE.read_text().replace("path: Path", "paht: Path"),
    )
    ran = run(site, tmp_path, "check")
    assert ran.returncode == Exit.USAGE
    assert "sources.people.path: unknown setting; did you mean 'paht'?" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.process
def test_it_is_in_the_schema_for_editors(site: Path, tmp_path: Path) -> None:
    install(site, "jsonl = example_jsonl_code:JsonLines")
    definitions = json.loads(run(site, tmp_path, "schema").stdout)["$defs"]
    assert definitions["JsonLines"]["properties"]["type"]["const"] == "jsonl"
    assert definitions["JsonLines"]["properties"]["path"]["description"].startswith("The file.")
    assert "JsonLines" not in json.loads(run(tmp_path, tmp_path, "schema").stdout)["$defs"]


@pytest.mark.process
def test_a_module_that_was_imported_before_the_program_was_is_found_all_the_same(
    site: Path,
) -> None:
    install(site, "jsonl = example_jsonl_code:JsonLines")
    code = "import example_jsonl_code as e, sync.config\nfrom sync.sources import SOURCES\n"
    code += "print(SOURCES['jsonl'] is e.JsonLines, dict(SOURCES.broken))"
    environment = os.environ | {"PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.split() == ["True", "{}"]


def test_without_other_packages_the_registry_is_our_own(site: Path) -> None:
    assert dict(Registry(OWN)) == OWN
    assert Registry(OWN).broken == {}


BROKEN = {
    "a module that is not there": ("absent_module:X", "", "can't be loaded (ModuleNotFoundError: No module named 'ab"),
    "a name that is not there": ("bad_code:Missing", "x = 1", "can't be loaded (AttributeError: module 'bad_code'"),
    "a module with a slip in it": ("bad_code:X", "def", "can't be loaded (SyntaxError: "),
    "a module that ends the program": ("bad_code:X", "raise SystemExit(3)", "can't be loaded (SystemExit)"),
    "a module that fails": ("bad_code:X", "raise OSError('key=geheim')", "can't be loaded (OSError)"),
    "not a class": ("bad_code:X", "X = 'a text'", "it is not derived from SourceSettings"),
    "another class": ("bad_code:X", "class X: pass", "it is not derived from SourceSettings"),
    "a class without its parts": (
        "bad_code:X",
        "from typing import Literal\nfrom sync.sources.base import SourceSettings\n"
        "class X(SourceSettings):\n    type: Literal['bad'] = 'bad'\n",
        "it lacks open and place",
    ),
    "a class for another word": ("bad_code:JsonLines", MODULE.read_text(), "its 'type' is not Literal['bad']"),
    "a class with a type of several words": (
        "bad_code:JsonLines",
        MODULE.read_text().replace('Literal["jsonl"]', 'Literal["bad", "jsonl"]'),
        "its 'type' is not Literal['bad']",
    ),
    "a class with a type of any text": (
        "bad_code:JsonLines",
        MODULE.read_text().replace('Literal["jsonl"]', "str"),
        "its 'type' is not Literal['bad']",
    ),
    "settings that no schema can tell": (
        "bad_code:JsonLines",
        MODULE.read_text().replace('"jsonl"', '"bad"').replace("path: Path", "path: type[Path]").replace(
            "class JsonLines", "from collections.abc import Callable\nclass JsonLines").replace(
            "type[Path]", "Callable[[], int]"),
        "its settings can't be written as a JSON Schema",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_what_can_not_be_a_source_is_kept_out_with_the_reason(
    what: str, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value, code, reason = BROKEN[what]
    install(site, f"bad = {value}", code=code or "x = 1", package="bad")
    monkeypatch.delitem(sys.modules, "bad_code", raising=False)
    told = why_not("bad")
    assert told.startswith("the package bad 1.2 offers it, but it")
    assert reason in told
    assert "geheim" not in told
    assert "\n" not in told
    sys.modules.pop("bad_code", None)


def test_a_word_of_our_own_can_not_be_taken(site: Path) -> None:
    install(site, "csv = example_jsonl_code:JsonLines")
    assert "inspera-sync has a source of this name itself" in why_not("csv")


def test_a_word_that_two_packages_offer_is_nobodys(site: Path) -> None:
    for package in ("example-jsonl", "other-jsonl"):
        install(site, f"jsonl = {package.replace('-', '_')}_code:JsonLines", package=package)
    assert "example-jsonl 1.2 and the package other-jsonl 1.2 offers it more than once" in why_not(
        "jsonl"
    )


@pytest.mark.process
def test_one_that_is_broken_does_not_keep_the_program_from_its_work(
    site: Path, tmp_path: Path
) -> None:
    install(site, "jsonl = example_jsonl_code:JsonLines", "bad = absent_module:X")
    assert run(site, tmp_path, "check").returncode == Exit.OK


@pytest.mark.process
def test_a_configuration_that_uses_one_that_is_broken_is_reported_why_at_its_line(
    site: Path, tmp_path: Path
) -> None:
    install(site, "jsonl = absent_module:X")
    ran = run(site, tmp_path, "check")
    assert ran.returncode == Exit.USAGE
    assert (
        "inspera-sync.yaml:3:18: sources.people.type: the package example-jsonl 1.2 offers it, but"
        in ran.stderr
    )
    assert (
        "(ModuleNotFoundError: No module named 'absent_module'); correct or update that package"
        in ran.stderr
    )
    assert "Traceback" not in ran.stderr


class TestExampleSource(SourceContract):
    """The guide's example keeps what every source must keep."""

    def make(
        self, folder: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]
    ) -> SourceSettings:
        with (folder / "people.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in (columns, *rows))
        return JsonLines(path=Path("people.jsonl"))

    def absent(self) -> SourceSettings:
        return JsonLines(path=Path("absent.jsonl"))

    def damage_end(self, folder: Path) -> None:
        with (folder / "people.jsonl").open("a") as file:
            file.write('["500004", "Da')

    def disturb(self, folder: Path) -> None:
        with (folder / "people.jsonl").open("a") as file:
            file.write('["500004", "Dag", "Demo"]\n')

    @pytest.fixture(autouse=True)
    def _installed(self, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Use a registry with the example installed."""
        install(site, f"jsonl = {JsonLines.__module__}:JsonLines")
        monkeypatch.setattr(contract, "SOURCES", Registry(OWN))

    def test_numbers_switches_and_nulls_become_text(self, tmp_path: Path) -> None:
        (tmp_path / "a.jsonl").write_text('["a", "b", "c", "d"]\n[1.50, true, null, "x"]\n')
        assert [row.values for row in JsonLines(path=Path("a.jsonl")).rows(tmp_path)] == [
            {"a": "1.50", "b": "true", "c": "", "d": "x"}
        ]

    @pytest.mark.parametrize("line", ['"abc"', '{"a": 1}', "[1]", "[]", "7", "", "[1, 2"])
    def test_a_line_that_is_no_list_like_the_first_is_a_error(
        self, line: str, tmp_path: Path
    ) -> None:
        (tmp_path / "a.jsonl").write_text(f'["a", "b", "c"]\n{line}\n')
        with pytest.raises(Exception, match=r"a\.jsonl line 2: is not a list like the first"):
            list(JsonLines(path=Path("a.jsonl")).rows(tmp_path))
