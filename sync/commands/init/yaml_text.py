"""Settings as YAML text, and the rules of a feed's `map`."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import yaml


class Inline(dict[str, object]):
    """A mapping that is written on one line."""


class ReferenceText(str):
    """A text in which `${` begins a reference; in other texts it is escaped."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Writes settings as this project writes them: no aliases, one line for each text."""

    def ignore_aliases(self, _data: object) -> bool:
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        style = None if any(map(str.isalnum, text)) else "'"  # a bare `;` is easily overlooked
        if not text.isprintable():
            style = '"'  # which escapes what can't be seen, a line break included
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    def represent_inline(self, values: Inline) -> yaml.MappingNode:
        return self.represent_mapping("tag:yaml.org,2002:map", values, flow_style=True)


_Dumper.add_representer(str, _Dumper.represent_text)
_Dumper.add_representer(ReferenceText, _Dumper.represent_text)
_Dumper.add_representer(Inline, _Dumper.represent_inline)


def yaml_lines(indent: str, settings: Mapping[str, object]) -> list[str]:
    """Return the settings as lines of YAML, each behind this indentation."""
    text = yaml.dump(
        _escaped(settings),
        Dumper=_Dumper,
        default_flow_style=False,
        allow_unicode=True,
        sort_keys=False,
        width=math.inf,
    )
    return [indent + line for line in text.rstrip("\n").split("\n")]


def yaml_line(settings: Mapping[str, object]) -> str:
    """Return one setting as a line of YAML."""
    return " ".join(yaml_lines("", settings))


def _escaped(value: object) -> object:
    """Return the value with `${` escaped in its texts, but not in names and references."""
    if isinstance(value, dict):
        return type(value)((name, _escaped(inner)) for name, inner in value.items())
    if isinstance(value, str) and not isinstance(value, ReferenceText):
        return value.replace("${", "$${")
    return value


class RuleText(NamedTuple):
    """Where a field's value comes from.

    Attributes:
        columns: the columns that it needs.
        setting: the rule as it is written in a `map`.
    """

    columns: tuple[str, ...]
    setting: str | Inline


def field_rule(*columns: str, separator: str = " ", **more: str | None) -> RuleText:
    """Return the rule that takes one column, or several with a separator, with more settings."""
    name, text = "column", columns[0]
    if len(columns) > 1:
        name, text = "template", separator.join(f"{{{column}}}" for column in columns)
    given = {setting: value for setting, value in more.items() if value is not None}
    if given or (name == "column" and "{" in text):
        return RuleText(columns, Inline({name: text, **given}))
    return RuleText(columns, text)
