"""A YAML file as plain values, with the line of each.

Every scalar stays the text in the file, and an empty value is None. The settings model decides
which texts are numbers, and which are true or false.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from sync.config.errors import SettingError, Steps
from sync.config.yaml_text import TAG, Place, YamlError, compose, place_of

Plain = str | None | list["Plain"] | dict[str, "Plain"]
"""A value of the file: a text, None, a list or a mapping."""

MOST_VALUES = 50_000
"""The most values of one file. A few lines with aliases of aliases can expand to billions."""

MOST_LEVELS = 30

_SCALARS = frozenset(TAG + name for name in ("str", "null", "bool", "int", "float", "merge"))
_MERGE = TAG + "merge"

Pairs = dict[str, tuple[yaml.Node, yaml.Node]]
"""The entries of a mapping by name: the node of the name and the node of the value."""


@dataclass(slots=True)
class Tree:
    """The values of a configuration file, and where each is.

    Attributes:
        data: the values, with merge keys and aliases expanded.
        values: where each value begins.
        names: where the name of each value begins, for values in mappings.
        findings: errors of the YAML: repeated names, tags, and names that are not text.
    """

    data: Plain = None
    values: dict[Steps, Place] = field(default_factory=dict)
    names: dict[Steps, Place] = field(default_factory=dict)
    findings: list[SettingError] = field(default_factory=list)

    def place(self, steps: Steps, on_name: bool = False) -> Place:
        """Return the place of this setting, or else of the nearest one that contains it."""
        for length in range(len(steps), 0, -1):
            near = steps[:length]
            prefer_name = on_name or length < len(steps)
            if prefer_name and near in self.names:
                return self.names[near]
            if near in self.values:
                return self.values[near]
        return self.values.get((), Place(1, 1))


def is_true(value: Plain) -> bool:
    """Tell whether this is one of the texts that a switch of the settings takes for true."""
    return str(value).lower() in ("true", "yes", "on", "1")


def value_at(data: Plain, steps: Steps) -> Plain:
    """Return the value at the end of this path, or None if it does not exist."""
    for step in steps:
        if isinstance(data, dict) and isinstance(step, str):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return None
    return data


def feeds_in(data: Plain) -> Iterator[tuple[int, dict[str, Plain]]]:
    """Yield the feeds that are mappings, each with its position in the list."""
    feeds = value_at(data, ("feeds",))
    for index, feed in enumerate(feeds if isinstance(feeds, list) else ()):
        if isinstance(feed, dict):
            yield index, feed


def read_tree(text: str) -> Tree:
    """Return the tree of a YAML text.

    Raises:
        YamlError: it is not one valid YAML document, or has too many values or levels.
    """
    node = compose(text)
    tree = Tree()
    if node is not None:
        tree.data = _Writer(tree).value(node, ())
    return tree


class _Writer:
    """A converter of YAML nodes to plain values, which also notes their places and errors."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._open: set[int] = set()
        self._count = 0

    def value(self, node: yaml.Node, steps: Steps) -> Plain:
        """Return the value of the node at this place of the tree."""
        self._counted(node, steps)
        self._tree.values[steps] = place_of(node.start_mark)
        if id(node) in self._open:
            return self._wrong(
                steps,
                "is an alias ('*') that contains itself",
                "write the value in place of the alias",
            )
        self._open.add(id(node))
        try:
            return self._written(node, steps)
        finally:
            self._open.discard(id(node))

    def _counted(self, node: yaml.Node, steps: Steps) -> None:
        self._count += 1
        if self._count > MOST_VALUES or len(steps) > MOST_LEVELS:
            reason = "the file has too many values or levels"
            raise YamlError(place_of(node.start_mark), reason, "use fewer aliases and levels")

    def _written(self, node: yaml.Node, steps: Steps) -> Plain:
        if isinstance(node, yaml.MappingNode) and node.tag == TAG + "map":
            pairs = self._pairs(node, steps)
            for name, (key, _) in pairs.items():
                self._tree.names[(*steps, name)] = place_of(key.start_mark)
            return {name: self.value(value, (*steps, name)) for name, (_, value) in pairs.items()}
        if isinstance(node, yaml.SequenceNode) and node.tag == TAG + "seq":
            return [self.value(item, (*steps, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and node.tag in _SCALARS:
            return self._scalar(node, steps)
        return self._wrong(
            steps,
            "has a tag ('!'), which is not supported",
            "remove the tag, or put the value in quotes",
        )

    def _scalar(self, node: yaml.ScalarNode, steps: Steps) -> Plain:
        if node.tag == TAG + "null":
            return None
        text = str(node.value)
        if _is_text(text):
            return text
        return self._wrong(
            steps, "contains an escape ('\\') that is not a character", "use single quotes"
        )

    def _pairs(self, node: yaml.MappingNode, steps: Steps) -> Pairs:
        """Return the entries of a mapping, including those that `<<:` merges into it.

        The mapping's own entries win; of merged ones, the first.
        """
        pairs: Pairs = {}
        merges: Pairs = {}
        for key, value in node.value:
            name = self._name(key, steps)
            if name is None:
                continue
            into = merges if key.tag == _MERGE else pairs
            if name in into:
                self._twice((*steps, name), into[name][0], key)
            else:
                into[name] = key, value
        for key, value in merges.values():
            for merged in self._merged_pairs(value, (*steps, str(key.value))):
                pairs = {**merged, **pairs}
        return pairs

    def _merged_pairs(self, node: yaml.Node, steps: Steps) -> Iterator[Pairs]:
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for part in parts:
            self._counted(part, steps)
            if not isinstance(part, yaml.MappingNode) or id(part) in self._open:
                self._wrong(steps, "does not name a mapping to merge", "write '<<: *NAME'")
                continue
            self._open.add(id(part))
            try:
                yield self._pairs(part, steps)
            finally:
                self._open.discard(id(part))

    def _name(self, key: yaml.Node, steps: Steps) -> str | None:
        text = key.value if isinstance(key, yaml.ScalarNode) and key.tag in _SCALARS else None
        if isinstance(text, str) and text and _is_text(text):
            return text
        self._tree.values.setdefault((*steps, "?"), place_of(key.start_mark))
        self._wrong(
            (*steps, "?"), "is a name that is not plain text", "write a plain name before the ':'"
        )
        return None

    def _twice(self, steps: Steps, first: yaml.Node, second: yaml.Node) -> None:
        first_place, second_place = place_of(first.start_mark), place_of(second.start_mark)
        reason = f"is set twice, on line {first_place.line} and on line {second_place.line}"
        self._tree.names[steps] = first_place
        self._tree.findings.append(SettingError(steps, reason, "keep one of them", on_name=True))

    def _wrong(self, steps: Steps, reason: str, remedy: str) -> Plain:
        self._tree.findings.append(SettingError(steps, reason, remedy))
        return None


def _is_text(text: str) -> bool:
    """Tell whether the text has only valid characters: an escape can also be half of one."""
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)
