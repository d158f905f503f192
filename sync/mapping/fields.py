"""One field's rule made into a reader: row values in, the field's value out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sync.mapping.minutes import compile_duration, compile_extra_time
from sync.mapping.records import UNLIMITED, FieldSpec, FieldValue, title, within
from sync.mapping.rules import FieldRule, RuleError
from sync.mapping.source import compile_source
from sync.mapping.times import compile_time
from sync.mapping.values import BadValueError, Values, clean, quoted

Reader = Callable[[Values], FieldValue]
"""Gives the field's value, `None` when blank.

Raises `BadValueError` when it can't be used, `KeyError` when the row lacks its column.
"""

_Step = Callable[[str], str]
_CASES: Final = {"lower": str.lower, "upper": str.upper}
_LISTED = 5


@dataclass(frozen=True, slots=True)
class CompiledField:
    """A field's reader, the columns that it needs and, for a template over several values, its origin."""

    read: Reader
    columns: frozenset[str]
    origin: Callable[[Values], str | None] | None = None


def compile_field(rule: FieldRule, spec: FieldSpec, *, clear_blanks: bool) -> CompiledField:
    """Makes a field's reader from its rule.

    Raises:
        RuleError: the rule can't be followed.
    """
    _refuse_strays(rule, spec)
    convert = _converter(rule, spec)
    fold = _fold(rule)
    source = compile_source(rule)
    steps = _steps(rule, spec, fold)
    blank = _blank(rule, spec, convert, clear_blanks=clear_blanks)
    if source.plain and not steps and spec.type == "text":
        read = _plain(source.plain, spec.limit, blank)
    else:
        read = _general(source.read, steps, convert, blank)
    if rule.constant is not None:
        read = _once(read)
    return CompiledField(read, source.columns, source.origin(fold))


def _refuse_strays(rule: FieldRule, spec: FieldSpec) -> None:
    if (rule.format is not None or rule.zone is not None) and spec.type != "time":
        raise RuleError("'format' and 'zone' are for date-times; remove them")
    if rule.minutes is not None and spec.type not in {"duration", "extra_time"}:
        raise RuleError("'minutes' is for durations; remove it")


def _converter(rule: FieldRule, spec: FieldSpec) -> Callable[[str], FieldValue] | None:
    if spec.type == "time":
        return compile_time(rule)
    if spec.type == "duration":
        return compile_duration(rule)
    if spec.type == "extra_time":
        return compile_extra_time(rule)
    if spec.type == "title":
        return title
    if spec.limit == UNLIMITED:
        return None
    return lambda text: within(text, spec.limit)


def _fold(rule: FieldRule) -> _Step | None:
    if rule.case is None:
        return None
    if rule.case not in _CASES:
        raise RuleError(f"case: {quoted(rule.case)} is unknown; use lower or upper")
    change = _CASES[rule.case]
    # A change of case can leave letters decomposed (İ, ǰ).
    return lambda text: clean(change(text))


def _steps(rule: FieldRule, spec: FieldSpec, fold: _Step | None) -> list[_Step]:
    steps: list[_Step] = []
    if rule.lookup is not None:
        steps.append(_lookup(rule, spec))
    if fold is not None:
        steps.append(fold)
    return steps


def _lookup(rule: FieldRule, spec: FieldSpec) -> _Step:
    try:
        table = {clean(text): clean(value) for text, value in (rule.lookup or {}).items()}
    except BadValueError as error:
        raise RuleError(f"lookup: {error}") from None
    known = ", ".join(list(table)[:_LISTED]) + (f" and {len(table) - _LISTED} more" if len(table) > _LISTED else "")

    def step(text: str) -> str:
        if text in table:
            return table[text]
        if not text or rule.default is not None:
            return ""
        reason = "is not in the lookup table"
        if not spec.personal:
            reason = f"{quoted(text)} is not in the lookup table ({known})"
        raise BadValueError(reason, "correct it in the source, or add it to the feed's 'lookup'")

    return step


def _blank(
    rule: FieldRule, spec: FieldSpec, convert: Callable[[str], FieldValue] | None, *, clear_blanks: bool
) -> FieldValue:
    """What a blank becomes: the default, "clear it", or nothing."""
    if rule.default is not None:
        try:
            if text := clean(rule.default):
                return convert(text) if convert else text
        except BadValueError as error:
            raise RuleError(f"default: {error}") from None
    return spec.cleared if clear_blanks else None


def _plain(column: str, limit: int, blank: FieldValue) -> Reader:
    """The reader of nearly every field; `clean` is written out in it for speed."""

    def read(values: Values) -> FieldValue:
        text = values[column].strip()
        if text.isascii() and text.isprintable() and len(text) <= limit:
            return text or blank
        return within(clean(text), limit) or blank

    return read


def _general(
    source: Callable[[Values], str],
    steps: Sequence[_Step],
    convert: Callable[[str], FieldValue] | None,
    blank: FieldValue,
) -> Reader:
    def read(values: Values) -> FieldValue:
        text = source(values)
        for step in steps:
            text = step(text)
        if not text:
            return blank
        return convert(text) if convert else text

    return read


def _once(read: Reader) -> Reader:
    """A constant's reader: it is the same in every row, and a bad one is the configuration's fault, not a row's."""
    try:
        value = read({})
    except BadValueError as error:
        raise RuleError(f"constant: {error}") from None
    return lambda _: value
