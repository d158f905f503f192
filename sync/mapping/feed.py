"""A whole feed made ready: every row becomes a record, row errors, or nothing."""

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import copy
from operator import itemgetter
from types import MappingProxyType
from typing import NamedTuple

from sync.mapping.conditions import Condition
from sync.mapping.fields import CompiledField, Lookup
from sync.mapping.records import RecordShape
from sync.mapping.source import Columns
from sync.mapping.texts import word
from sync.mapping.trace import ConditionTrace, RowTrace, Step, trace_field
from sync.mapping.values import BadValueError, CarefulTexts, Texts, all_sound
from sync.mapping.windows import Complete
from sync.records.base import Key, Kind, Row, RowError, row_place
from sync.records.checks import UNUSABLE, Conflict
from sync.records.fields import MAX_ID, FieldValue
from sync.records.kinds import KEY_FIELDS, ON_A_TEST, Record
from sync.records.rule_numbers import SafetyRule, rule_of_field

Origin = tuple[str | None, ...]
"""For each part of the key: the combination of source values that made it, where it could be
confused with another."""

_Problems = list[tuple[str, BadValueError]]


class Checks(NamedTuple):
    """What is asked of a row beyond its fields.

    Which are selected, which depart, and what is worked out.
    """

    conditions: Sequence[Condition]
    departure: Sequence[Condition] = ()
    needs_names: bool = False
    complete: Complete | None = None
    lookups: Mapping[str, Lookup] = MappingProxyType({})


class CompiledFeed:
    """A feed's rules made into readers.

    Made by `compile.compile_feed`; keeps no state, so threads may share it.

    `place` is what stands before a row's number when it is named to people, such as `students.csv
    line`; `columns` are the columns that the feed needs, in its fields, in templates and in
    `where`. `lookups` are those of fields in which an unknown word is a row error.
    """

    def __init__(
        self,
        shape: RecordShape,
        place: str,
        columns: Columns,
        fields: Mapping[str, CompiledField],
        labels: Mapping[str, str],
        checks: Checks,
    ) -> None:
        self.kind, self.place, self.columns = shape.kind, f"{place} line", frozenset(columns.names)
        self._ordered, self._conditions = columns.names, tuple(checks.conditions)
        self._departure = tuple(checks.departure)
        self._selecting = tuple((one.at, one.wanted) for one in checks.conditions)
        self._labels, self.lookups = labels, checks.lookups
        every = {name: fields.get(name, _UNMAPPED) for name in shape.fields}
        # Two at the least: the picker of a single item gives no tuple.
        length = max(
            2, *(at for at, name in enumerate(every, start=1) if every[name] is not _UNMAPPED)
        )
        self._fields = dict(list(every.items())[:length])
        self._parts = len(KEY_FIELDS[self.kind])
        self._composed = tuple(self._fields[name].composed for name in KEY_FIELDS[self.kind])
        self._make, self._conflicts, self._complete = shape.make, shape.conflicts, checks.complete
        self._name = "first_name" if checks.needs_names and "first_name" in fields else None
        self._name_at = list(self._fields).index(self._name) if self._name else 0
        self._prepare()

    def _prepare(self) -> None:
        """Lay out the short way for sound rows.

        The texts, what needs a reader, and a record's order of them all.
        """
        made = list(self._fields.values())
        self._pick = _picker(self._ordered)
        self._specials = tuple(field.read for field in made if field.plain is None)
        self._blanks = tuple(field.blank for field in made)
        after = iter(range(len(self._ordered), len(self._ordered) + len(made)))
        self._arrange = itemgetter(
            *(next(after) if field.plain is None else field.plain for field in made)
        )

    def at(self, place: str) -> "CompiledFeed":
        """Return the same feed for rows of another place.

        Such a place is `drop/2026-11-24.csv line` or `directory entry`.
        """
        other = copy(self)
        other.place = place
        return other

    def missing(self, columns: Iterable[str]) -> list[str]:
        """Return the needed columns that are not among `columns`, in alphabetical order."""
        return sorted(self.columns.difference(columns))

    def map(self, row: Row) -> Record | list[RowError] | None:
        """Return the row's record, or all of its row errors at once. Never raises.

        The answer is `None` when `where` does not select the row. A row error's key is whole when
        it can be read, whatever else is wrong; `(test, "")` for what is on a test and of which only
        the test can be read; otherwise `None`.
        """
        # The short way, for nearly every row; whatever is unusual goes the careful way, which means
        # the same.
        try:
            raw = self._pick(row.values)
            if not all_sound(raw, MAX_ID):
                return self._carefully(row)
            texts = [text.strip() for text in raw]
            for at, wanted in self._selecting:
                if texts[at] not in wanted:
                    return None
            made = self._arrange([*texts, *[read(texts) for read in self._specials]])
            if self._complete is not None:
                made = self._completed(made)
        except (BadValueError, KeyError):
            return self._carefully(row)
        if "" in made:
            made = [
                blank if value == "" else value
                for value, blank in zip(made, self._blanks, strict=True)
            ]
        if None in made[: self._parts] or (self._name_at and not made[self._name_at]):
            return self._carefully(row)
        if self._conflicts is not None and self._conflict(made):
            return self._carefully(row)
        return self._make(*made)

    def key(self, row: Row) -> Key | None:
        """Return the key of the record that a row is about, whether or not `where` selects it.

        None when it can't be read.
        """
        texts, made = CarefulTexts(self._ordered, row.values), dict[str, FieldValue]()
        problems = [
            problem for name in KEY_FIELDS[self.kind] for problem in self._read(name, texts, made)
        ]
        return None if problems else tuple(map(str, made.values()))

    @property
    def named_words(self) -> Mapping[str, Sequence[Container[str]]]:
        """Return the values that are named for each column of `where` and `departure`.

        The values of `where_not` count, too.
        """
        every = (*self._conditions, *self._departure)
        columns = [one.column for one in every if one.wanted is one.named]
        return {column: [one.named for one in every if one.column == column] for column in columns}

    @property
    def has_departures(self) -> bool:
        """Tell whether rows of this feed can say that their record departs."""
        return bool(self._departure)

    def departure(self, row: Row) -> Key | list[RowError] | None:
        """Return the key of the record that departs by this row, or why the key can't be read.

        `None` when no record departs.

        The columns of `departure` are not conditions of `where` here: `where: {status: active}`
        selects those who stay.
        """
        texts = CarefulTexts(self._ordered, row.values)
        saying = {condition.at for condition in self._departure}
        where = [condition for condition in self._conditions if condition.at not in saying]
        for column, at, values, *_ in (*self._departure, *where):
            try:
                if word(texts[at]) not in values:
                    return None
            except BadValueError as error:
                return self.unsure(
                    row, column, error, {condition.column for condition in self._departure}
                )
        made: dict[str, FieldValue] = {}
        problems = [
            problem for name in KEY_FIELDS[self.kind] for problem in self._read(name, texts, made)
        ]
        return (
            self._worded(row, problems, _key(self.kind, made))
            if problems
            else tuple(map(str, made.values()))
        )

    def unsure(
        self, row: Row, field: str, error: BadValueError, without: Collection[str]
    ) -> list[RowError] | None:
        """Return the row's row error when some columns of it (`without`) are not known.

        `None` when `where` rules it out anyhow.

        The row error has the record's key as far as it can be read from the other columns.
        """
        texts = CarefulTexts(self._ordered, row.values)
        for column, at, wanted, *_ in self._conditions:
            try:
                if column not in without and word(texts[at]) not in wanted:
                    return None
            except BadValueError:
                continue
        made: dict[str, FieldValue] = {}
        for name in KEY_FIELDS[self.kind]:
            self._read(name, texts, made)
        return self._worded(row, [(field, error)], _key(self.kind, made))

    def origin(self, row: Row) -> Origin | None:
        """Return which combination of source values made each part of the row's key.

        One entry for each part of the key (two for what is on a test), where another combination
        could make the same part: the values, joined by `SEPARATOR`, of a template over several when
        one of them holds a character of the template's literal text, or two places of the template
        touch, or a value goes beyond ASCII; otherwise `None`. `None` as a whole when no part has
        one. Two rows with an equal part of the key and different entries for it are two
        combinations made into one key.
        """
        for composed in self._composed:
            if composed is not None and not composed.doubtless(row.values):
                break
        else:
            return None
        texts = CarefulTexts(self._ordered, row.values)
        made = tuple(composed.origin(texts) if composed else None for composed in self._composed)
        return made if any(made) else None

    def trace(self, row: Row) -> RowTrace:
        """Return how `map` and `departure` come to their answers, step by step."""
        texts = CarefulTexts(self._ordered, row.values)
        conditions = []
        for one in (*self._conditions, *self._departure):
            try:
                met = word(texts[one.at]) in one.wanted
            except BadValueError:
                met = False
            cell = row.values.get(one.column, "")
            conditions.append(ConditionTrace(one.setting, one.column, cell, met))
        made: dict[str, FieldValue] = {}
        wrong = {name: self._read(name, texts, made) for name in self._fields}
        read = dict(made)
        with suppress(BadValueError):  # `map` has the row error
            if self._complete is not None:
                self._complete(made)
        fields = []
        for name, field in self._fields.items():
            way = trace_field(name, field.steps, self._ordered, row.values)
            if name in made and made[name] != read.get(name):
                way = way._replace(steps=[*way.steps, Step("computed", made[name])])
            # Also a key that is blank, which no step says
            error = way.error or "; ".join(f"{bad.reason}; {bad.remedy}" for _, bad in wrong[name])
            if way.steps or error:
                fields.append(way._replace(error=error))
        return RowTrace(conditions, fields)

    def _conflict(self, made: Iterable[FieldValue]) -> bool:
        return next(self._conflicting(dict(zip(self._fields, made, strict=True))), None) is not None

    def _completed(self, made: Iterable[FieldValue]) -> tuple[FieldValue, ...]:
        fields = dict(zip(self._fields, made, strict=True))
        if self._complete is not None:
            self._complete(fields)
        return tuple(fields.values())

    def _conflicting(self, made: Mapping[str, FieldValue]) -> Iterator[Conflict]:
        return iter(()) if self._conflicts is None else self._conflicts(made)

    def _carefully(self, row: Row) -> Record | list[RowError] | None:
        """Return the same as `map`, value by value, keeping everything that is wrong."""
        texts = CarefulTexts(self._ordered, row.values)
        problems: _Problems = []
        for column, at, wanted, *_ in self._conditions:
            try:
                if word(texts[at]) not in wanted:
                    return None
            except BadValueError as error:
                problems.append((column, error))
        made: dict[str, FieldValue] = {}
        for name in self._fields:
            problems.extend(self._read(name, texts, made))
        try:
            if self._complete is not None:
                self._complete(made)
        except BadValueError as error:
            problems.append(("end", error))
        problems.extend(
            (one.field, BadValueError(one.reason, one.remedy)) for one in self._conflicting(made)
        )
        return (
            self._worded(row, problems, _key(self.kind, made))
            if problems
            else self._make(*made.values())
        )

    def _read(self, name: str, texts: Texts, made: dict[str, FieldValue]) -> _Problems:
        """Read one field into `made`, and return what is wrong with it."""
        label = self._labels.get(name, name)
        try:
            made[name] = self._fields[name].careful(texts)
        except BadValueError as error:
            if name != "email":
                return [(label, error)]
            # Optional: the person is made without it, and `email_errors` reports it.
            made[name] = UNUSABLE
        if name in self._labels and not made[name]:
            remedy = "fill it in in the source: without it nobody can tell which record this row is"
            return [(label, BadValueError("is blank", remedy, SafetyRule.KEYS))]
        if name == self._name and not made[name]:
            remedy = "fill it in in the source, or give the field a 'default'"
            return [(label, BadValueError("is blank", remedy))]
        return []

    def _worded(self, row: Row, problems: _Problems, key: Key | None) -> list[RowError]:
        where = row_place(self.place, row.line, key)
        row_errors = [
            RowError(
                where,
                name,
                error.reason,
                error.remedy,
                self.kind,
                key,
                rule=error.rule or rule_of_field(name),
            )
            for name, error in problems
        ]
        # The key and the field that it is made from say the same thing twice.
        return list(dict.fromkeys(row_errors))


def _nothing(_: Texts) -> None:
    return None


_UNMAPPED = CompiledField(_nothing, _nothing, None, None, None)


def _picker(columns: Sequence[str]) -> Callable[[Mapping[str, str]], tuple[str, ...]]:
    """Return a row's raw values in the order of these columns.

    Raises `KeyError` when one is missing.
    """
    if len(columns) > 1:
        return itemgetter(*columns)
    return lambda values: tuple(values[column] for column in columns)


def _key(kind: Kind, made: Mapping[str, FieldValue]) -> Key | None:
    parts = [str(made.get(name) or "") for name in KEY_FIELDS[kind]]
    return tuple(parts) if parts[0] and (all(parts) or kind in ON_A_TEST) else None
