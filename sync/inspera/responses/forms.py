"""The form of a response: its members and their types, without any value. Pure.

A form is written to a file that leaves the institution, so it must not identify a person or a test.
A name of a member may be data too, where a response has an object by username: such a name is
replaced. The words of statuses and roles are the only values that are kept.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Final

from sync.contract import ROLES

OTHER_NAME: Final = "(another name)"
OTHER_WORD: Final = "(another word)"

_WORD_MEMBERS: Final = frozenset({"status", "roles"})
"""The members whose words are kept (vendor contract, Test API: read and search)."""

_WORD: Final = re.compile(r"[A-Za-z_]{2,40}")
_NAME: Final = re.compile(r"[a-z][A-Za-z_]*(?:[0-9]{1,2}[A-Za-z_]*)?")
_UTC: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_PARTS: Final = re.compile(r"[^\W_]+")

_KNOWN_NAMES: Final = frozenset(
    {
        *("hits", "page", "results", "result", "users", "success", "errors", "error", "message"),
        *("assessmentRunId", "assessmentRunTitle", "externalId", "isTemplate", "metadataUrl"),
        *("startTime", "endTime", "isAssessmentPath", "parentId", "name", "title", "type", "code"),
        *("contributors", "committees", "candidates", "candidateId", "extraTimeMins"),
        *("userId", "firstName", "lastName", "userName", "username", "email", "description"),
        *("externalIds", "externalUserIds", "externalUserId", "authType", *_WORD_MEMBERS),
    }
)
"""Names of the vendor contract, which are shown even if a title contains the same word."""

_KNOWN_WORDS: Final = frozenset(
    {"created", "updated", "scheduled", "active", "finished", "graded", "disabled", *ROLES}
)
"""Words of the vendor contract, in lower case, which are shown likewise."""

_TYPES: Final = {
    type(None): "nothing",
    bool: "true or false",
    int: "whole number",
    float: "number",
    list: "list",
    dict: "object",
}

_LONGEST_NAME: Final = 40
_MOST_NAMES: Final = 60
"""The most members of one object that are taken for names: with more they are data."""

_MOST_ENTRIES: Final = 200
"""The most entries of one list that are looked at."""

_DEEPEST: Final = 8
"""The most levels whose form is shown."""

_DEEPEST_VALUE: Final = 100
"""The most levels in which a value is looked for that is also a name or a word."""


@dataclass(frozen=True, slots=True)
class Form:
    """The form of one response.

    Attributes:
        members: the types of each member, by its place, such as `results[].startTime`.
        words: the words of each member that has statuses or roles, by its place.
    """

    members: Mapping[str, tuple[str, ...]]
    words: Mapping[str, tuple[str, ...]]


def form_of(document: object) -> Form:
    """Return the form of a parsed response."""
    forms = _FormReader(frozenset(_values(document, 0)))
    forms.read("", document, 0)
    return Form(_sorted(forms.members), _sorted(forms.words))


class _FormReader:
    """Collects the form of a response; `values` are the parts of its texts, in lower case."""

    def __init__(self, values: Set[str]) -> None:
        self._values = values
        self.members: defaultdict[str, set[str]] = defaultdict(set)
        self.words: defaultdict[str, set[str]] = defaultdict(set)

    def read(self, place: str, value: object, depth: int) -> None:
        """Read the value at a place, and all in it."""
        self.members[place or "(the answer)"].add(_type(value))
        if depth > _DEEPEST:
            return
        if isinstance(value, dict):
            known = len(value) <= _MOST_NAMES
            for name, member in value.items():
                shown = name if known and self._is_name(name) else OTHER_NAME
                inner = f"{place}.{shown}" if place else shown
                self.read(inner, member, depth + 1)
                if shown in _WORD_MEMBERS:
                    self._read_words(inner, member)
        elif isinstance(value, list):
            for entry in value[:_MOST_ENTRIES]:
                self.read(f"{place}[]", entry, depth + 1)

    def _read_words(self, place: str, value: object) -> None:
        for word in value[:_MOST_ENTRIES] if isinstance(value, list) else [value]:
            if isinstance(word, str):
                self.words[place].add(word if self._is_word(word) else OTHER_WORD)

    def _is_name(self, name: str) -> bool:
        """Tell whether this is the vendor's name of a member, and not data such as a username."""
        return name in _KNOWN_NAMES or (
            len(name) <= _LONGEST_NAME
            and _NAME.fullmatch(name) is not None
            and name.casefold() not in self._values
        )

    def _is_word(self, word: str) -> bool:
        """Tell whether this is a word of an enumeration, and not part of a name in the response."""
        if not _WORD.fullmatch(word):
            return False
        return word.lower().removeprefix("ar_") in _KNOWN_WORDS or not any(
            part.casefold() in self._values for part in (word, *_PARTS.findall(word))
        )


def _values(value: object, depth: int) -> Iterator[str]:
    """Yield all texts of a response and their parts, except those of statuses and roles."""
    if depth > _DEEPEST_VALUE:
        return
    if isinstance(value, dict):
        for name, member in value.items():
            if name not in _WORD_MEMBERS or isinstance(member, dict):
                yield from _values(member, depth + 1)
    elif isinstance(value, list):
        for entry in value:
            yield from _values(entry, depth + 1)
    elif isinstance(value, str):
        yield value.casefold()
        yield from (part.casefold() for part in _PARTS.findall(value))


def _type(value: object) -> str:
    if isinstance(value, str):
        return _text_type(value)
    if isinstance(value, list) and not value:
        return "empty list"
    return _TYPES.get(type(value), "object")


def _text_type(text: str) -> str:
    if not text:
        return "empty text"
    if _UTC.fullmatch(text):
        return "time in UTC"
    return "text of digits" if text.isascii() and text.isdigit() else "text"


def _sorted(found: Mapping[str, set[str]]) -> dict[str, tuple[str, ...]]:
    return {place: tuple(sorted(found[place])) for place in sorted(found)}
