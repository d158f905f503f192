"""What the pages show of the configuration can be loaded, and every setting that they name exists."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from sync.config import json_schema, load
from sync.records.base import Kind
from sync.sandbox.failures_file import load_failures

from .pages import OPERATING, README, blocks, rows, section

WHOLE = next(block.text for block in blocks(README) if block.file == "inspera-sync.yaml")
BLOCKS = [
    (page, block.text)
    for page in (README, OPERATING)
    for block in blocks(page)
    if block.language == "yaml" and block.file != "failures.yaml"
]


@pytest.mark.parametrize(
    ("page", "text"), BLOCKS, ids=[f"{page.parent.name}-{n}" for n, (page, _) in enumerate(BLOCKS)]
)
def test_every_yaml_block_can_be_loaded_as_it_stands_or_as_sections_of_the_walk_throughs(
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


def test_the_defaults_that_the_readme_shows_are_the_defaults(tmp_path: Path) -> None:
    shown = next(text for _, text in BLOCKS if text.startswith("on_absence:"))
    plain, said = tmp_path / "plain.yaml", tmp_path / "said.yaml"
    plain.write_text(WHOLE, encoding="utf-8")
    said.write_text(WHOLE + shown, encoding="utf-8")
    before, after = load(plain).settings, load(said).settings
    for name in ("on_absence", "limits", "existing", "verify", "reconcile"):
        assert f"\n{name}:" in f"\n{shown}"
        assert getattr(before, name) == getattr(after, name)


def test_the_file_of_row_errors_that_the_readme_shows_can_be_used(tmp_path: Path) -> None:
    path = tmp_path / "failures.yaml"
    path.write_text(
        next(block.text for block in blocks(README) if block.file == "failures.yaml"),
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
    for name in path.split("."):
        if name not in here.get("properties", {}):
            return False
        here = resolved(here["properties"][name])
    return True


@pytest.mark.parametrize("page", [README, OPERATING], ids=["README", "deploy"])
def test_every_setting_that_is_named_by_its_path_exists(page: Path) -> None:
    named = re.findall(
        r"`((?:inspera|limits|found|on_absence|reconcile)\.[a-z_.]+)`",
        page.read_text(encoding="utf-8"),
    )
    assert [path for path in named if not is_setting(path)] == []


def test_the_paths_of_the_readme_are_looked_for() -> None:
    assert is_setting("inspera.calls_per_second")
    assert is_setting("limits.test.percent")
    assert not is_setting("limits.exam.percent")


@pytest.mark.parametrize("title", ["Configure", "Feeds", "Calls that your tenant takes otherwise"])
def test_every_setting_and_word_in_the_tables_exists(title: str) -> None:
    for row in rows(section(README, title)):
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
        for row in rows(section(README, "Feeds"))
    }
    fields = SCHEMA["$defs"][f"{kind.capitalize()}Map"]
    needed, further = told[kind]
    assert sorted(needed) == sorted(fields["required"])
    assert sorted(further) == sorted(set(fields["properties"]) - set(fields["required"]))


def test_the_tables_leave_no_setting_of_a_feed_out() -> None:
    told = set(re.findall(r"`([a-z_]+)`", section(README, "Feeds")))
    definitions = [
        resolved(schema)
        for name, schema in SCHEMA["$defs"].items()
        if re.search("Feed$|Map$|Spec$", name)
    ]
    wanted = {name for definition in definitions for name, _ in properties(definition)}
    assert wanted <= told
    assert len(wanted) > 25
