import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sync.config import json_schema, schema_text

SCHEMA_FILE = Path(__file__).parents[3] / "config" / "schema.json"


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for inner in schema.values():
            yield from objects(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from objects(inner)


def test_the_schema_in_the_repository_is_the_models_own() -> None:
    held = SCHEMA_FILE.read_text(encoding="utf-8")
    assert held == schema_text(), "write it anew: inspera-sync schema > config/schema.json"


def test_every_setting_is_described_to_editors() -> None:
    bare = [
        f"{schema.get('title')}.{name}"
        for schema in objects(json_schema())
        for name, setting in schema["properties"].items()
        if not setting.get("description")
    ]
    assert bare == []


def test_every_mapping_of_settings_is_closed_to_unknown_names() -> None:
    assert {schema.get("additionalProperties") for schema in objects(json_schema())} == {False}


def test_a_field_may_be_a_text_or_a_mapping() -> None:
    for name in ("FieldSettings", "TimeSettings", "MinutesSettings", "ListSettings"):
        text, mapping = json_schema()["$defs"][name]["anyOf"]
        assert text["type"] == "string"
        assert {"column", "template", "constant", "default", "lookup", "pattern"} <= set(
            mapping["properties"]
        )


def test_the_schema_says_what_it_is_and_is_plain_json() -> None:
    schema = json.loads(schema_text())
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert (schema["title"], schema["required"]) == (
        "inspera-sync",
        ["inspera", "sources", "feeds"],
    )
    assert schema["description"].startswith("The configuration file of inspera-sync.")


def test_editors_are_reported_the_names_of_calls_and_the_form_of_an_option_s_name() -> None:
    inspera = json_schema()["$defs"]["InsperaSettings"]["properties"]
    names = inspera["calls"]["propertyNames"]["enum"]
    assert {"candidate.assign", "option.set"} <= set(names)
    assert "token.fetch" not in names
    assert re.fullmatch(inspera["options"]["propertyNames"]["pattern"], "SHOW_TIMER")
