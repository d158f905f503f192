"""The configuration that pages show can be loaded, and every setting that they name exists."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from sync.config import json_schema, load
from sync.config.reference import reference_text
from sync.config.vendor import CHANGEABLE
from sync.records.base import Kind
from sync.sandbox.failures_file import load_failures
from sync.sources import BUILT_IN

from .pages import HELP, MANUAL, ROOT, SETTINGS, TUTORIAL, blocks, name_of, rows, section

WHOLE = next(block.text for block in blocks(TUTORIAL) if block.file == "inspera-sync.yaml")
BLOCKS = [
    (page, block.text)
    for page in MANUAL
    for block in blocks(page)
    if block.language == "yaml" and block.file != "failures.yaml"
]


@pytest.mark.parametrize(
    ("page", "text"), BLOCKS, ids=[f"{name_of(page)}-{n}" for n, (page, _) in enumerate(BLOCKS)]
)
def test_every_yaml_block_can_be_loaded_as_it_stands_or_as_sections_of_the_tutorials(
    page: Path, text: str, tmp_path: Path
) -> None:
    sections = {**yaml.safe_load(WHOLE), **yaml.safe_load(text)}
    sections["sources"] = {**yaml.safe_load(WHOLE)["sources"], **sections["sources"]}
    path = tmp_path / "inspera-sync.yaml"
    path.write_text(
        text if text == WHOLE else yaml.safe_dump(sections, sort_keys=False), encoding="utf-8"
    )
    loaded = load(path)
    assert loaded.settings.feeds, page


def test_the_defaults_that_the_page_shows_are_the_defaults(tmp_path: Path) -> None:
    shown = next(text for _, text in BLOCKS if text.startswith("on_absence:"))
    plain, said = tmp_path / "plain.yaml", tmp_path / "said.yaml"
    plain.write_text(WHOLE, encoding="utf-8")
    said.write_text(WHOLE + shown, encoding="utf-8")
    before, after = load(plain).settings, load(said).settings
    for name in ("on_absence", "limits", "existing", "verify", "reconcile"):
        assert f"\n{name}:" in f"\n{shown}"
        assert getattr(before, name) == getattr(after, name)


def test_the_file_of_row_errors_that_the_page_shows_can_be_used(tmp_path: Path) -> None:
    path = tmp_path / "failures.yaml"
    path.write_text(
        next(block.text for block in blocks(HELP["sandbox"]) if block.file == "failures.yaml"),
        encoding="utf-8",
    )
    assert set(load_failures(path).rates.values()) == {0.05}


def properties(schema: Any) -> Iterator[tuple[str, Any]]:
    """Every setting of the schema by name, at whatever depth."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {}).items()
        for inner in schema.values():
            yield from properties(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from properties(inner)


SCHEMA = json_schema()
EVERY = {name for name, _ in properties(SCHEMA)}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref") or next(
        (one["$ref"] for one in schema.get("allOf", ()) if "$ref" in one), None
    )
    return SCHEMA["$defs"][reference.rsplit("/", 1)[1]] if reference else schema


def is_setting(path: str) -> bool:
    here = SCHEMA
    if path.startswith("inspera.calls."):
        return path.removeprefix("inspera.calls.") in CHANGEABLE
    for name in path.split("."):
        if name not in here.get("properties", {}):
            return False
        here = resolved(here["properties"][name])
    return True


@pytest.mark.parametrize("page", MANUAL, ids=name_of)
def test_every_setting_that_is_named_by_its_path_exists(page: Path) -> None:
    named = re.findall(
        r"`((?:inspera|limits|existing|freeze|service|on_absence|reconcile)\.[a-z_.]+)`",
        page.read_text(encoding="utf-8"),
    )
    assert [path for path in named if not is_setting(path)] == []


def test_the_paths_of_the_pages_are_looked_for() -> None:
    assert is_setting("inspera.calls_per_second")
    assert is_setting("limits.test.percent")
    assert not is_setting("limits.exam.percent")


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("init", "Sections of the file"),
        ("feeds", "Settings of a feed"),
        ("feeds", "Kinds and their fields"),
        ("feeds", "How a field is written"),
        ("completeness", None),
        ("service", "Jobs"),
        ("calls", "Calls that your tenant takes in another way"),
    ],
)
def test_every_setting_and_word_in_the_tables_exists(page: str, title: str | None) -> None:
    text = section(HELP[page], title) if title else HELP[page].read_text(encoding="utf-8")
    for row in rows(text):
        cells = row[1:] if row[0] in list(Kind) else row[:1]
        named = [name for cell in cells for name in re.findall(r"`([a-z_]+)`", cell)]
        assert named, row
        assert set(named) <= EVERY, row


@pytest.mark.parametrize("kind", Kind)
def test_the_table_of_kinds_has_each_with_the_fields_that_it_needs_and_the_others(
    kind: Kind,
) -> None:
    told = {
        row[0]: [re.findall(r"`([a-z_]+)`", cell) for cell in row[1:]]
        for row in rows(section(HELP["feeds"], "Kinds and their fields"))
    }
    fields = SCHEMA["$defs"][f"{kind.capitalize()}Map"]
    needed, further = told[kind]
    assert sorted(needed) == sorted(fields["required"])
    assert sorted(further) == sorted(set(fields["properties"]) - set(fields["required"]))


def test_the_tables_leave_no_setting_of_a_feed_out() -> None:
    told = set(re.findall(r"`([a-z_]+)`", HELP["feeds"].read_text(encoding="utf-8")))
    definitions = [
        resolved(schema)
        for name, schema in SCHEMA["$defs"].items()
        if re.search("Feed$|Map$|Spec$", name)
    ]
    wanted = {name for definition in definitions for name, _ in properties(definition)}
    assert wanted <= told
    assert len(wanted) > 25


def test_the_reference_of_every_setting_is_up_to_date() -> None:
    held = SETTINGS.read_text(encoding="utf-8")
    assert held == reference_text(), (
        "generate it: inspera-sync schema --markdown > config/README.md"
    )


def test_the_reference_has_every_setting() -> None:
    listed = set(re.findall(r"^\| `([a-z_0-9]+)` \|", reference_text(), re.MULTILINE))
    assert listed == EVERY


EXAMPLES = sorted((ROOT / "config" / "examples").glob("*.yaml"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_a_small_example_can_be_loaded_and_uses_its_source(example: Path) -> None:
    settings = load(example).settings
    assert example.stem in {source.model_dump()["type"] for source in settings.sources.values()}
    assert {feed.kind for feed in settings.feeds} >= {Kind.LEARNER, Kind.TEST, Kind.CANDIDATE}


def test_there_is_an_example_for_each_kind_of_source() -> None:
    assert {path.stem for path in EXAMPLES} == set(BUILT_IN)
