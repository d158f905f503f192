"""Values of a first configuration as YAML: columns, templates, and what is said about them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_PLAIN = re.compile(r"[^\W\d_][\w.@/-]*( [\w.@/-]+)*|[0-9]+")
_ADDRESS = re.compile(r"[a-z]+://[\w.:/@-]+")
_REFERENCE = re.compile(r"\$\{file:[\w./@-]+\}")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


@dataclass(frozen=True, slots=True)
class YamlValue:
    """Where a field comes from: a column, a template or a constant, and what else is said about it.

    Attributes:
        text: the column's name, the template or the constant.
        how: which of the three it is.
        columns: the columns that it needs.
    """

    text: str
    how: str
    columns: tuple[str, ...] = ()
    more: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def yaml(self) -> str:
        """Return the YAML after the field's name."""
        more = {name: text for name, text in self.more.items() if text is not None}
        short = not more and (
            self.how == "template" or (self.how == "column" and "{" not in self.text)
        )
        if short:
            return quoted(self.text)
        return flow({self.how: self.text, **more})

    def text_of(self, row: Mapping[str, str]) -> str:
        """Return what a row has for it, before anything is done with it."""
        cells = [row.get(name, "").strip() for name in self.columns]
        return " ".join(cells) if all(cells) else ""


def column(name: str) -> YamlValue:
    """Return the value that one column holds."""
    return YamlValue(name, "column", (name,))


def spelt(name: str, **more: str | None) -> YamlValue:
    """Return the same, with more settings."""
    return YamlValue(name, "column", (name,), more)


def template(text: str, *columns: str) -> YamlValue:
    """Return a value of text with these columns in braces."""
    return YamlValue(text, "template", columns)


def constant(text: str) -> YamlValue:
    """Return a value that is the same for every row."""
    return YamlValue(text, "constant")


def quoted(text: str) -> str:
    """Return a text as a YAML value: quoted unless it is plain, and with any `${` escaped."""
    if (_PLAIN.fullmatch(text) and text.lower() not in _WORDS) or _ADDRESS.fullmatch(text):
        return text
    return reference(text.replace("${", "$${"))


def reference(text: str) -> str:
    """Return the same for a text in which `${` begins a reference."""
    if _REFERENCE.fullmatch(text):
        return text
    if "'" in text and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"


def flow(values: Mapping[str, str]) -> str:
    """Return a mapping on one line."""
    return "{" + ", ".join(f"{name}: {quoted(text)}" for name, text in values.items()) + "}"
