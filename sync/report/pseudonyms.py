"""Pseudonyms for the people in a report: the same value has the same one, in this report only.

A pseudonym is a keyed hash with a key that is drawn for the report and never stored. Texts, such
as Inspera's words, are searched for the values of all people.
"""

import hashlib
import re
import secrets
from base64 import b32encode
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from unicodedata import normalize

from sync.records.base import Key, Kind
from sync.records.changes import Fields, Value
from sync.records.kinds import PEOPLE, PERSON_OF, RECORD_TYPES
from sync.report.report_model import FieldChange, Group, Item, Report, Section

Find = Callable[[Collection[str]], Mapping[str, bool]]
"""Returns those of some texts that a person has, each with whether it is a candidate number."""

_NUMBER = "candidate_id"
_WORD = re.compile(r"\w+")
_WORDS = 8
"""The most words of one value, such as the parts of an email address."""

_BETWEEN = 3
"""The most characters between two words of one value."""

_KEPT = re.compile(
    r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\dZ)?|\b(?:line|row|entry|rules?|status) \d+\b"
    r"|\b[PN]-[A-Z2-7]{8}\b"
)
"""What is never a person's value: times, places in files, numbers of rules, and pseudonyms."""

_HASH = re.compile(r"\b[0-9a-f]{12}\b")
"""A hash of a change: anyone who has the source could find out what it is a hash of."""

_FOREIGN = frozenset({"refused", "unknown", "no updates"})
"""Causes whose reasons are in Inspera's words, which may name what this program does not know."""

_CODE = re.compile(r"(?<![PN]-)\b\w*\d{5}\w*\b")
"""What may identify somebody in Inspera's words: a word with five digits in a row."""

_SHORT = 4
_BEFORE_SHORT = re.compile(
    r"(?:learner|staff|candidate|contributor|person|number|candidate_id|key|username|id|[/'\"`@])"
    r"\s*$",
    re.IGNORECASE,
)
"""What stands before a short number that is a key; another one is a count."""


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """The pseudonyms of one report.

    Attributes:
        find: where the values of people are looked up.
        key: the key of the hashes.
    """

    find: Find
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    _cached: Callable[[str], str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_cached", lru_cache(maxsize=10_000)(self._replaced))

    def of(self, value: str, *, number: bool = False) -> str:
        """Return the pseudonym of a value, such as `P-K7Q2M4XA`."""
        digest = hashlib.blake2b(value.encode("utf-8", "surrogatepass"), key=self.key).digest()
        return f"{'N' if number else 'P'}-{b32encode(digest[:5]).decode()}"

    def in_report(self, report: Report) -> Report:
        """Return the report with pseudonyms; its items are changed as they are read."""
        run = report.run and replace(report.run, reasons=[*map(self.in_text, report.run.reasons)])
        return replace(
            report,
            run=run,
            notices=[*map(self.in_text, report.notices)],
            sections=map(self._in_section, report.sections),
            pseudonymised=True,
        )

    def in_text(self, text: str) -> str:
        """Return a text with the values of people replaced."""
        return self._search(normalize("NFC", text)) if text else text

    def in_item(self, item: Item, *, foreign: bool = False) -> Item:
        """Return an item without anything that identifies a person.

        `foreign` tells that its reason is in Inspera's words.
        """
        own = self._own(item)
        place, reason, remedy, note = (
            self.in_text(own(text)) for text in (item.place, item.reason, item.remedy, item.note)
        )
        if foreign:
            reason = _CODE.sub(lambda found: self.of(found[0]), reason)
        return replace(
            item,
            key=self._key(item.kind, item.key) if item.key else item.key,
            person=None,
            fields=[self._in_field(item.kind, one) for one in item.fields],
            place=place,
            reason=reason,
            remedy=remedy,
            note=note,
            digest=None,
        )

    def _in_section(self, section: Section) -> Section:
        return replace(section, groups=map(self._in_group, section.groups))

    def _in_group(self, group: Group) -> Group:
        notes = [self.in_text(note) for note in group.notes]
        in_item = partial(self.in_item, foreign=group.cause in _FOREIGN)
        return replace(group, notes=notes, items=map(in_item, group.items))

    def _key(self, kind: Kind, key: Key) -> Key:
        if kind in PEOPLE:
            return tuple(self.of(part) if part else part for part in key)
        if kind in PERSON_OF:
            return (key[0], *(self.of(part) if part else part for part in key[1:]))
        return (key[0], *(self.in_text(part) for part in key[1:]))

    def _in_field(self, kind: Kind, change: FieldChange) -> FieldChange:
        if kind is Kind.TEST:  # its title and times stay
            return change
        personal, number = _is_personal(kind, change.name), change.name == _NUMBER

        def shown(side: Value) -> Value:
            if side in (None, ""):
                return side
            if personal:
                return self.of(str(side), number=number)
            return self.in_text(side) if isinstance(side, str) else side

        return replace(change, before=shown(change.before), after=shown(change.after))

    def _own(self, item: Item) -> Callable[[str], str]:
        """Return the function that replaces the item's own values in a text."""
        values = sorted(set(values_of(item)), key=lambda one: -len(one[0]))
        patterns = [
            (re.compile(rf"(?<!\w){re.escape(value)}(?!\w)"), self.of(value, number=number))
            for value, number in values
            if not _is_count(value, number=number)
        ]

        def replaced(text: str) -> str:
            text = normalize("NFC", text)
            for pattern, pseudonym in patterns:
                text = pattern.sub(pseudonym, text)
            return text

        return replaced

    def _search(self, text: str) -> str:
        # What differs from row to row is cut out first, so that the rest is looked up only once.
        parts, at = [], 0
        text = _HASH.sub("(hash)", text)
        for kept in (*_KEPT.finditer(text), None):
            parts.append(self._cached(text[at : kept.start() if kept else None]))
            parts.append(kept[0] if kept else "")
            at = kept.end() if kept else at
        return "".join(parts)

    def _replaced(self, text: str) -> str:
        spans = list(_spans(text))
        found = self.find({way for start, end in spans for way in _ways(text[start:end])})
        result, at = [], 0
        for start, end in spans if found else ():
            value = next((way for way in _ways(text[start:end]) if way in found), None)
            if start < at or value is None:
                continue
            number = found[value]
            if _is_count(value, number=number) and not _BEFORE_SHORT.search(text[:start]):
                continue
            result += [text[at:start], self.of(value, number=number)]
            at = end
        return "".join([*result, text[at:]])


def values_of(item: Item) -> Iterator[tuple[str, bool]]:
    """Yield the values of people in an item, each with whether it is a candidate number."""
    sides = (
        {one.name: one.before for one in item.fields},
        {one.name: one.after for one in item.fields},
    )
    yield from values_of_record(item.kind, item.key, *sides)
    if item.person:
        yield item.person, False


def values_of_record(kind: Kind, key: Key | None, *sides: Fields) -> Iterator[tuple[str, bool]]:
    """Yield the values of people in the key and the fields of a record, likewise."""
    parts: Iterable[str] = ()
    if key and kind in PEOPLE:
        parts = key
    elif key and kind in PERSON_OF:
        parts = key[1:]
    yield from ((part, False) for part in parts if part)
    for side in sides:
        for name, value in side.items():
            if value not in (None, "") and _is_personal(kind, name):
                yield str(value), name == _NUMBER


def values_in(report: Report) -> Iterator[tuple[str, bool]]:
    """Yield the values of people in the items of a report, which can be read only once."""
    for section in report.sections:
        for group in section.groups:
            for item in group.items:
                yield from values_of(item)


def _is_personal(kind: Kind, name: str) -> bool:
    spec = RECORD_TYPES[kind].fields.get(name)
    return name == _NUMBER or bool(spec and spec.personal)


def _is_count(value: str, *, number: bool) -> bool:
    """Tell whether a value could as well be a count in a text."""
    return value.isdecimal() and len(value) < (_SHORT + number)


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the places of all sequences of words, at each start the longest first."""
    words = [(found.start(), found.end()) for found in _WORD.finditer(text)]
    for at, (start, _) in enumerate(words):
        ends = [words[at][1]]
        for (_, before), (next_, end) in zip(words[at:], words[at + 1 : at + _WORDS], strict=False):
            if next_ - before > _BETWEEN or "\n" in text[before:next_]:
                break
            ends.append(end)
        yield from ((start, end) for end in reversed(ends))


def _ways(text: str) -> tuple[str, ...]:
    """Return how a value may be written in the state: identifiers in any case, names in capitals."""
    if any(character.isdecimal() or character == "@" for character in text):
        return (text, text.lower(), text.upper())
    return (text, text.title()) if text.isupper() else (text,)
