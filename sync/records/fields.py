"""What a kind of record says about its fields, and what is derived from it.

Each kind has one file in this package. It declares the record as a named tuple whose fields are
annotated with a `FieldSpec`, and a `RecordType` that reads these annotations. The feeds' `map`, the
columns of the state, the bodies of requests and what is compared are all derived from there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal, get_args, get_type_hints

from sync.records.base import Kind

TextKind = Literal["free", "word", "label", "identifier"]
"""`free` is taken as it is (passwords), `word` is one of those that the configuration knows
(statuses, times)."""

FieldType = Literal[
    "text", "title", "time", "duration", "extra_time", "choice", "notice", "length of time"
]
"""How a source's text becomes the field's value."""

FieldValue = str | int | datetime | None
"""A field's value; `None` when it is unmapped or blank."""

MAX_ID = 255
"""Characters in a username or an external id; a longer one is a shifted column, not an id."""

UNLIMITED = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """All that is known of one field.

    Attributes:
        description: what the field is, for the configuration's JSON Schema.
        type: how a source's text becomes the value.
        text: what kind of text it is (see `sync.mapping.texts`).
        limit: how many characters a value may have; each item of a list.
        choices: the only words that it may be, in any case and after `prefix`; each item of a list.
        prefix: what may stand before a choice.
        many: whether it is a list in one text (see `sync.records.base.joined`).
        cleared: what a blank becomes where a feed has `blank: clear`.
        personal: whether it says something about a person, so that messages never quote it.
        required: whether a feed must map it.
        mapped: whether a feed can map it. Other fields are made from mapped ones.
        identity: whether Inspera knows the record by it, or can't change it.
        once: whether it is never compared: it matters only when the record is sent, becomes
            another field, or is for this tool alone (without `sent_as`).
        secret: whether it is never stored, logged or shown.
        indexed: whether the state looks records up by it.
        sent_as: the vendor's name for it in requests; empty when it is not sent under a name of its
            own.
        copied: whether requests hold its value as it is, a list as a list. Other values are put
            into words by `sync.inspera.requests`.
        adds: which change of it counts as an addition, which is sent even while the test is frozen
            (rules 16): a `first` value, a first or `more` of it, or `never`. Of a list, more items.
        removed_as: the vendor's name for the flag that clears it, where an empty text clears nothing.
        shown_as: the vendor's names for it in answers, the first one that is there counts; usually
            the one of requests.
    """

    description: str = ""
    type: FieldType = "text"
    text: TextKind = "free"
    limit: int = UNLIMITED
    choices: tuple[str, ...] = ()
    prefix: str = ""
    many: bool = False
    cleared: str | int | None = None
    personal: bool = False
    required: bool = False
    mapped: bool = True
    identity: bool = False
    once: bool = False
    secret: bool = False
    indexed: bool = False
    sent_as: str = ""
    copied: bool = True
    adds: Literal["first", "more", "never"] = "first"
    removed_as: str = ""
    shown_as: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RecordType:
    """A kind of record: its class, its fields in order, and what it depends on.

    Attributes:
        kind: the kind.
        make: the class of its records, whose annotations say what the fields are.
        noun: one such record with its article, such as `a learner`.
        key: the fields that make up the key. They come first in the record.
        key_from: the field whose rule makes the key when a feed maps no `key`.
        needs: the kinds that must be in Inspera before a record of this one can be.
        person: the kind of the person whose key is the second part of this one's.
        note: what else the JSON Schema says about the `map` of this kind.
        fields: every field by name, in the record's order.
        numbers: the fields that hold whole numbers.

    Raises:
        TypeError: a field is not annotated with a `FieldSpec`, or the fields are in another order
            than the key, what is compared, and what is not. Fingerprints rely on that order, so a
            new field goes after the last one that is compared, or after the last one.
    """

    kind: Kind
    make: type
    noun: str
    key: tuple[str, ...] = ("key",)
    key_from: str | None = None
    needs: tuple[Kind, ...] = ()
    person: Kind | None = None
    note: str = ""
    fields: Mapping[str, FieldSpec] = field(init=False)
    numbers: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        fields, numbers = dict[str, FieldSpec](), set[str]()
        for name, hint in get_type_hints(self.make, include_extras=True).items():
            value, *extras = get_args(hint) or (hint,)
            specs = [extra for extra in extras if isinstance(extra, FieldSpec)]
            if len(specs) != 1:
                raise TypeError(f"{self.make.__name__}.{name} is not annotated with one FieldSpec")
            fields[name] = specs[0]
            if int in (value, *get_args(value)):
                numbers.add(name)
        object.__setattr__(self, "fields", MappingProxyType(fields))
        object.__setattr__(self, "numbers", frozenset(numbers))
        if tuple(fields) != (*self.key, *self.compared, *self.once):
            raise TypeError(f"{self.make.__name__}: order the fields as key, compared, sent once")

    def named(self, test: Callable[[FieldSpec], object]) -> tuple[str, ...]:
        """Return the names of the fields for which the test holds, in the record's order."""
        return tuple(name for name, spec in self.fields.items() if test(spec))

    @property
    def once(self) -> tuple[str, ...]:
        """Return the fields that are never compared."""
        return self.named(lambda spec: spec.once)

    @property
    def identity(self) -> tuple[str, ...]:
        """Return the fields by which Inspera knows a record, or that it can't change."""
        return self.named(lambda spec: spec.identity)

    @property
    def compared(self) -> tuple[str, ...]:
        """Return the fields that are fingerprinted, remembered and compared."""
        return tuple(name for name in self.fields if name not in (*self.key, *self.once))

    @property
    def copied(self) -> Mapping[str, str]:
        """Return the vendor's name of each field that requests copy."""
        names = self.named(lambda spec: spec.sent_as and spec.copied)
        return {name: self.fields[name].sent_as for name in names}

    @property
    def members(self) -> tuple[str, ...]:
        """Return the vendor's names of all that a request may send of this kind, each once."""
        names = (name for spec in self.fields.values() for name in (spec.sent_as, spec.removed_as))
        return tuple(dict.fromkeys(filter(None, names)))

    @property
    def removed(self) -> tuple[str, ...]:
        """Return the fields that only a flag of their own clears."""
        return self.named(lambda spec: spec.removed_as)
