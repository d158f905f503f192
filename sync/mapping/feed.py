"""A whole feed made ready: every row becomes a record, faults, or nothing."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sync.errors import UsageError
from sync.mapping.fields import CompiledField, compile_field
from sync.mapping.records import FIELDS, KEY_FROM, MAKERS, FieldValue, conflicts
from sync.mapping.rules import FeedRule, FieldRule, RuleError
from sync.mapping.source import column_name
from sync.mapping.values import BadValueError, Values, clean
from sync.model import KEY_FIELDS, Fault, Key, Kind, Record, Row

Origin = tuple[str | None, ...]
"""For each part of the key: the combination of source values that made it, where it could be confused with another."""

_Problems = list[tuple[str, BadValueError]]


@dataclass(frozen=True, slots=True)
class _Condition:
    """One column of `where`, with the values that select a row."""

    column: str
    wanted: frozenset[str]

    def holds(self, values: Values) -> bool:
        text = values[self.column].strip()
        return text in self.wanted or clean(text) in self.wanted


class CompiledFeed:
    """A feed's rules made into readers. Made by `compile_feed`; keeps no state, so threads may share it.

    `place` is how the rows' source is named to people; `columns` are the columns that the feed needs, in its fields,
    in templates and in `where`.
    """

    def __init__(
        self, kind: Kind, place: str, fields: Mapping[str, CompiledField], conditions: tuple[_Condition, ...]
    ) -> None:
        self.kind, self.place = kind, place
        self.columns = frozenset(c.column for c in conditions).union(*(f.columns for f in fields.values()))
        self._conditions = conditions
        key_fields = KEY_FIELDS[kind]
        # A key that has no rule of its own is made by its field's rule, and its faults are that field's faults.
        self._labels = {name: name if name in fields else KEY_FROM[kind] for name in key_fields}
        readers = {name: fields[label].read for name, label in self._labels.items()}
        readers |= {name: field.read for name, field in fields.items()}
        self._names = tuple(FIELDS[kind])[: 1 + max(tuple(FIELDS[kind]).index(name) for name in readers)]
        self._readers = tuple(readers.get(name, _unmapped) for name in self._names)
        self._make: Callable[..., Record] = MAKERS[kind]
        self._parts = len(key_fields)
        self._origins = tuple(fields[label].origin for label in self._labels.values())

    def missing(self, columns: Iterable[str]) -> list[str]:
        """The needed columns that are not among `columns`, in alphabetical order."""
        return sorted(self.columns.difference(columns))

    def map(self, row: Row) -> Record | list[Fault] | None:
        """The row's record, or all of its faults at once, or `None` when `where` does not select it. Never raises.

        A fault's key is whole when it can be read, whatever else is wrong; `(test, "")` for a candidate of which only
        the test can be read; otherwise `None`.
        """
        values = row.values
        try:
            for condition in self._conditions:
                if not condition.holds(values):
                    return None
            made = [read(values) for read in self._readers]
        except (BadValueError, KeyError):
            return self._faults(row)
        if None in made[: self._parts] or (self.kind is Kind.TEST and self._conflict(made)):
            return self._faults(row)
        return self._make(*made)

    def origin(self, row: Row) -> Origin | None:
        """Which combination of source values made each part of the row's key, where another could make the same part.

        One entry for each part of the key (two for a candidate: test, learner): the values, joined by `SEPARATOR`, of
        a template over several when one of them holds a character of the template's literal text, or two places of
        the template touch, or a value goes beyond ASCII; otherwise `None`. `None` as a whole when no part has one. Two
        rows with an equal part of the key and different entries for it are two combinations made into one key.
        """
        if not any(self._origins):
            return None
        made = tuple(_origin(read, row.values) for read in self._origins)
        return made if any(made) else None

    def _conflict(self, made: list[FieldValue]) -> bool:
        return next(conflicts(dict(zip(self._names, made, strict=True))), None) is not None

    def _faults(self, row: Row) -> list[Fault] | None:
        """Goes through the row again, unhurriedly, and keeps everything that is wrong; `None` if it isn't selected."""
        problems: _Problems = []
        for condition in self._conditions:
            try:
                if not condition.holds(row.values):
                    return None
            except (BadValueError, KeyError) as error:
                problems.append((condition.column, _told(error)))
        made: dict[str, FieldValue] = {}
        for name, read in zip(self._names, self._readers, strict=True):
            label = self._labels.get(name, name)
            try:
                made[name] = read(row.values)
            except (BadValueError, KeyError) as error:
                problems.append((label, _told(error)))
                continue
            if name in self._labels and made[name] is None:
                remedy = "fill it in in the source: without it nobody can tell which record this row is"
                problems.append((label, BadValueError("is blank", remedy)))
        if self.kind is Kind.TEST:
            problems.extend(conflicts(made))
        return self._worded(row, problems, _key(self.kind, made))

    def _worded(self, row: Row, problems: _Problems, key: Key | None) -> list[Fault]:
        where = f"{self.place} line {row.line}"
        faults = [Fault(where, name, error.reason, error.remedy, self.kind, key) for name, error in problems]
        # The key and the field that it is made from say the same thing twice.
        return list(dict.fromkeys(faults))


def _unmapped(_: Values) -> None:
    return None


def _told(error: BadValueError | KeyError) -> BadValueError:
    if isinstance(error, BadValueError):
        return error
    return BadValueError(f"the row has no column '{error.args[0]}'", "check the header of the source")


def _key(kind: Kind, made: Mapping[str, FieldValue]) -> Key | None:
    parts = [str(made.get(name) or "") for name in KEY_FIELDS[kind]]
    return tuple(parts) if parts[0] and (all(parts) or kind is Kind.CANDIDATE) else None


def _origin(read: Callable[[Values], str | None] | None, values: Values) -> str | None:
    try:
        return read(values) if read else None
    except (BadValueError, KeyError):
        return None


def compile_feed(rule: FeedRule, place: str) -> CompiledFeed:
    """Makes a feed ready to map rows; `place` is how its source is named to people, such as `students.csv`.

    Faults then say `students.csv line 7`. Columns are named as the sources give them: stripped and in NFC.

    Raises:
        UsageError: the rules can't be followed; it lists all that is wrong, one a line.
    """
    wrong: list[str] = []
    fields: dict[str, CompiledField] = {}
    for name, field_rule in rule.fields.items():
        try:
            fields[name] = _field(rule, name, field_rule)
        except RuleError as error:
            wrong.append(f"map.{name}: {error}")
    conditions: list[_Condition] = []
    for column, wanted in rule.where.items():
        try:
            conditions.append(_condition(column, wanted))
        except RuleError as error:
            wrong.append(f"where.{column}: {error}")
    wrong.extend(_keyless(rule))
    if wrong:
        raise UsageError("\n".join(f"feed of {rule.kind}s from {place}: {text}" for text in wrong))
    return CompiledFeed(rule.kind, place, fields, tuple(conditions))


def _field(rule: FeedRule, name: str, field_rule: FieldRule) -> CompiledField:
    spec = FIELDS[rule.kind].get(name)
    if spec is None:
        raise RuleError(f"is not a field of a {rule.kind}; use {', '.join(FIELDS[rule.kind])}")
    return compile_field(field_rule, spec, clear_blanks=rule.clear_blanks)


def _condition(column: str, wanted: Iterable[str]) -> _Condition:
    try:
        return _Condition(column_name(column), frozenset(clean(text) for text in wanted))
    except BadValueError as error:
        raise RuleError(str(error)) from None


def _keyless(rule: FeedRule) -> list[str]:
    """What a feed lacks to know its records by."""
    source = KEY_FROM.get(rule.kind)
    missing = [name for name in KEY_FIELDS[rule.kind] if name not in rule.fields and source not in rule.fields]
    alternative = f" or map '{source}'" if source else ""
    return [f"map.{name}: is missing; give the column that holds it{alternative}" for name in missing]
