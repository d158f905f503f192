"""The reference page of all settings in markdown, made from the JSON Schema of the model."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sync.config.schema import json_schema

Schema = Mapping[str, Any]

INTRODUCTION: Final = """# Settings

Every setting of the configuration file, with its default.

This page is generated from the settings model: `inspera-sync schema --markdown`. Do not edit it.
The [example](inspera-sync.yaml) uses all of them; [examples](examples) has small, complete files.
In the paths, NAME is a name of your choice. Write durations as `90s`, `30m`, `26h`, `1h30m` or
`7d`. Write a secret as `${file:PATH}`, `${cred:NAME}`, `${cmd:COMMAND}` or `${NAME}`.
"""

_PLAIN: Final = {"boolean": "true or false", "integer": "whole number", "number": "number"}


def reference_text() -> str:
    """Return the text of `config/README.md`."""
    schema = json_schema()
    definitions: dict[str, Schema] = schema["$defs"]
    parts = [INTRODUCTION, "## The file\n", _table(schema, definitions)]
    for name, paths in _places(schema, definitions).items():
        where = ", ".join(dict.fromkeys(paths))
        about = _line(definitions[name].get("description", ""))
        parts += [f"## {_words(name).capitalize()}\n", f"At {where}. {about}\n"]
        parts.append(_table(definitions[name], definitions))
    return "\n".join(parts)


def _places(schema: Schema, definitions: Mapping[str, Schema]) -> dict[str, list[str]]:
    """Return the paths of each definition with settings, in the order of the file."""
    places: dict[str, list[str]] = {}
    queue = [("", schema)]
    for prefix, owner in queue:  # grows while it is read: breadth first
        for setting, value_schema in _settings(owner).items():
            for path, condition, name in _references(f"{prefix}{setting}", value_schema):
                if not _settings(definitions[name]):
                    continue
                if name not in places:
                    queue.append((f"{path}.", definitions[name]))
                places.setdefault(name, []).append(f"`{path}`{condition}")
    return places


def _references(path: str, schema: Any) -> Iterator[tuple[str, str, str]]:
    """Yield each definition to which a setting refers: the path, the condition, and its name."""
    if isinstance(schema, list):
        for choice in schema:
            yield from _references(path, choice)
    if not isinstance(schema, dict):
        return
    if reference := schema.get("$ref"):
        yield path, "", reference.rsplit("/", 1)[1]
    elif choice := schema.get("discriminator"):
        for word, reference in choice["mapping"].items():
            condition = f" with `{choice['propertyName']}: {word}`"
            yield path, condition, reference.rsplit("/", 1)[1]
    else:
        for key in ("anyOf", "oneOf", "allOf", "items"):
            yield from _references(path, schema.get(key))
        yield from _references(f"{path}.NAME", schema.get("additionalProperties"))
        yield from _references(f"{path}.NAME", list(schema.get("patternProperties", {}).values()))


def _table(schema: Schema, definitions: Mapping[str, Schema]) -> str:
    rows = [
        f"| `{name}` | {_value(value_schema, definitions)} | {_default(name, value_schema, schema)} "
        f"| {_line(value_schema.get('description', ''))} |"
        for name, value_schema in _settings(schema).items()
    ]
    return "\n".join(["| Setting | Value | Default | Meaning |", "|---|---|---|---|", *rows, ""])


def _with_settings(schema: Schema) -> Schema:
    """Return the part of a definition that has settings, because some may also be a plain text."""
    return next((choice for choice in schema.get("anyOf", ()) if "properties" in choice), schema)


def _settings(schema: Schema) -> Mapping[str, Schema]:
    settings: Mapping[str, Schema] = _with_settings(schema).get("properties", {})
    return settings


def _value(schema: Schema, definitions: Mapping[str, Schema]) -> str:
    """Return a short description of the values of a setting."""
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if reference := schema.get("$ref"):
        name = reference.rsplit("/", 1)[1]
        words = _words(name)
        link = f"[{words}](#{words.replace(' ', '-')})"
        return link if _settings(definitions[name]) else _value(definitions[name], definitions)
    choices = [choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null"]
    if choices:
        return " or ".join(dict.fromkeys(_value(choice, definitions) for choice in choices))
    return _collection(schema, definitions) or _PLAIN.get(str(schema.get("type")), "text")


def _collection(schema: Schema, definitions: Mapping[str, Schema]) -> str:
    """Return the contents of a list or mapping, with links; empty for any other setting."""
    name = {"array": "list", "object": "mapping"}.get(str(schema.get("type")), "")
    named = [
        _value({"$ref": f"#/$defs/{value_schema}"}, definitions)
        for _, _, value_schema in _references("", schema)
        if _settings(definitions[value_schema])
    ]
    return f"{name} of {', '.join(named)}" if name and named else name


def _default(name: str, schema: Schema, owner: Schema) -> str:
    if name in _with_settings(owner).get("required", ()):
        return "needed"
    default = schema.get("default")
    if default in (None, {}, []) or isinstance(default, dict):
        return ""
    if not isinstance(default, str):
        return f"`{json.dumps(default)}`"
    return f"`{default}`"


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _words(name: str) -> str:
    """Return the name of a definition as words: "ldap column" for `LdapColumnSettings`."""
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return words.strip().removesuffix(" settings")
