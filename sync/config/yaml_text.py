"""The YAML nodes of a text, without YAML's guesses of types, and its errors in plain words."""

import re
from dataclasses import dataclass
from typing import Any

import yaml

TAG = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    """A loader that recognizes only empty values and merge keys.

    So `NO`, `0123` and `12:30` stay texts.
    """

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 - PyYAML's own class attribute, emptied on purpose


_Loader.add_implicit_resolver(
    TAG + "null", re.compile(r"(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]
)
_Loader.add_implicit_resolver(TAG + "merge", re.compile(r"<<$"), ["<"])


@dataclass(frozen=True, slots=True)
class Place:
    """A line and a column of the file, both counted from 1."""

    line: int
    column: int


def place_of(mark: yaml.Mark | None) -> Place:
    """Return the place of PyYAML's mark, which counts from zero."""
    return Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)


class YamlError(Exception):
    """A text that is not one valid YAML document: where, why, and what to do."""

    def __init__(self, place: Place, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.place, self.reason, self.remedy = place, reason, remedy


def compose(text: str) -> yaml.Node | None:
    """Return the root node of the document, or None if the text is empty.

    Raises:
        YamlError: it is not one valid YAML document.
    """
    try:
        loader = _Loader(text)
        try:
            return loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise YamlError(
            place_of(error.problem_mark), *_reworded(f"{error.context} {error.problem}")
        ) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = Place(before.count("\n") + 1, error.position - before.rfind("\n"))
        raise YamlError(
            place,
            "this character is not allowed in YAML, and may be invisible",
            "delete it",
        ) from None
    except RecursionError:
        raise YamlError(
            Place(1, 1), "the file has too many levels", "write it with fewer levels"
        ) from None


_QUOTE = "put the value in single quotes"
_REWORDED = (
    (r"found character '\\t'", "there is a tab", "indent with spaces"),
    (r"found character", "a value begins with a character that YAML reserves", _QUOTE),
    (
        r"while scanning an alias",
        "a value that begins with '*' is an alias in YAML, and this one is not valid",
        _QUOTE,
    ),
    (
        r"found undefined alias",
        "a value that begins with '*' is an alias in YAML, and this one is not defined",
        _QUOTE,
    ),
    (
        r"found undefined tag",
        "a value that begins with '!' is a tag, and this one is unknown",
        _QUOTE,
    ),
    (
        r"found duplicate anchor",
        "a value that begins with '&' is an anchor, and this one is defined twice",
        _QUOTE,
    ),
    (
        r"found unknown escape",
        "this backslash has no meaning in double quotes",
        "use single quotes",
    ),
    (
        r"while scanning a quoted scalar",
        "a quoted text is not closed",
        "add the missing quotation mark",
    ),
    (r"found another document", "there is a second document ('---')", "use one document only"),
    (
        r"mapping values are not",
        "there is a second ':' on this line, or it is not aligned",
        "put the value in quotes, or align the line",
    ),
    (
        r"could not find expected ':'",
        "a ':' is missing after a name",
        "add it, or indent the line below the one above",
    ),
    (
        r"expected <block end>",
        "this line is not aligned with the other lines of its section",
        "correct its indentation",
    ),
    (
        r"expected ',' or",
        "a list or mapping in brackets is not closed, or lacks a comma",
        f"add it, or {_QUOTE}",
    ),
)


def _reworded(problem: str) -> tuple[str, str]:
    """Return PyYAML's error in plain words.

    Its own messages often quote the text, which may contain a secret.
    """
    for pattern, reason, remedy in _REWORDED:
        if re.search(pattern, problem):
            return reason, remedy
    return (
        "this is not YAML",
        "look for a missing quotation mark, colon or space here or just above",
    )
