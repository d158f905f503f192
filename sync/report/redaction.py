"""What is said about a person, without who they are, so that it can be sent to somebody else."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sync.records.kinds import KEY_FIELDS, PEOPLE, RECORD_TYPES
from sync.report.explanation import Explanation

REDACTED = "Names, mails, logins and national identity numbers are masked; keys are not."

MASK = "***"
_EMAIL = re.compile(r"[^\s<>\"',;:()]+@[^\s<>\"',;:()]+")

PERSONAL = frozenset(
    name
    for kind in PEOPLE
    for name in RECORD_TYPES[kind].named(lambda spec: spec.personal)
    if name not in KEY_FIELDS[kind]
)
"""The fields that say who a person is."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """The masking of these values wherever they occur; without `active` nothing changes."""

    values: frozenset[str]
    active: bool
    _pattern: re.Pattern[str] | None = field(init=False, compare=False)

    def __post_init__(self) -> None:
        longest = sorted(filter(str.strip, self.values), key=len, reverse=True)
        # As whole words only, so that a short name does not blot out parts of other words
        words = "|".join(rf"(?<!\w){re.escape(value)}(?!\w)" for value in longest)
        pattern = re.compile(words, re.IGNORECASE) if words else None
        object.__setattr__(self, "_pattern", pattern)

    def __call__(self, text: str) -> str:
        """Return a text without the values, and without anything that looks like a mail address."""
        if not self.active:
            return text
        text = self._pattern.sub(MASK, text) if self._pattern else text
        return _EMAIL.sub(MASK, text)

    def of_values(self, value: object) -> object:
        """Return plain values for JSON with each text redacted; names of members stay."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, Mapping):
            return {self(name): self.of_values(each) for name, each in value.items()}
        if isinstance(value, Sequence):
            return [self.of_values(each) for each in value]
        return value


def personal_values(
    explained: Iterable[Explanation], people: Iterable[Mapping[str, object]]
) -> frozenset[str]:
    """Return every text in these that says who somebody is, except for keys."""
    explained = list(explained)
    keys = {part for one in explained for part in one.key}
    found = {text for one in explained for text in _texts(one)}
    found |= {text for fields in people for text in _of_fields(fields)}
    return frozenset(found) - keys


def _texts(one: Explanation) -> Iterator[str]:
    for row in one.rows:
        for way in row.trace.fields:
            if way.field in PERSONAL:
                yield from way.cells.values()
                yield from (str(step.value) for step in way.steps if step.what != "constant")
    if one.kind in PEOPLE:
        for fields in (one.known.fields if one.known else {}, *_sides(one)):
            yield from _of_fields(fields)


def _sides(one: Explanation) -> Iterator[Mapping[str, object]]:
    if one.change:
        yield one.change.change.before
        yield one.change.change.after


def _of_fields(fields: Mapping[str, object]) -> Iterator[str]:
    yield from (str(value) for name, value in fields.items() if name in PERSONAL and value)
