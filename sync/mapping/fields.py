"""One field's rule made into a reader: the row's cleaned texts in, the field's value out."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from sync.mapping.minutes import compile_duration, compile_extra_time
from sync.mapping.rules import FieldRule, RuleError
from sync.mapping.source import Columns, Composed, Fold, compile_source, source_text
from sync.mapping.texts import check_of, word
from sync.mapping.times import compile_time
from sync.mapping.trace import Step, Steps, no_steps
from sync.mapping.values import BadValueError, Texts, clean, quoted
from sync.mapping.words import chosen, length_of_time, notice, title, within
from sync.records.base import joined, listed
from sync.records.fields import MAX_ID, UNLIMITED, FieldSpec, FieldValue
from sync.text.masking import quoted_value

Reader = Callable[[Texts], FieldValue]
"""A function that returns the field's value, or what a blank becomes.

It raises `BadValueError` when the value can't be used.
"""

_Convert = Callable[[str], FieldValue]
_CASES: Final = {"lower": str.lower, "upper": str.upper}
_LISTED = 5
_CHECKED = "checked, with plain spaces"
_SEPARATOR = ";"
_BY_RULE: Mapping[str, Callable[[FieldRule], _Convert]] = MappingProxyType(
    {"time": compile_time, "duration": compile_duration, "extra_time": compile_extra_time}
)
_CODES: Final = frozenset({"choice", "notice", "time", "duration", "extra_time", "length of time"})
"""Types of fields that hold no free text, so that a lookup's words may be named."""
_BY_TEXT: Mapping[str, _Convert] = MappingProxyType(
    {"title": title, "notice": notice, "length of time": length_of_time}
)


@dataclass(frozen=True, slots=True)
class CompiledField:
    """A field's reader, what a blank becomes, and what the feed can do faster than the reader.

    `careful` is the reader that also checks the text; `read` is for rows that one look has shown to
    be sound. `plain` is the index of the column whose text, when not too long, is the value;
    `composed` is a template over several parts. `steps` does the same as `careful`, one by one.
    """

    read: Reader
    careful: Reader
    blank: FieldValue
    plain: int | None
    composed: Composed | None
    steps: Steps = no_steps


@dataclass(frozen=True, slots=True)
class Lookup:
    """The words of a column that a field's lookup knows; others are row errors."""

    column: str
    words: frozenset[str]
    separator: str | None
    personal: bool

    def missing(self, cell: str) -> list[str]:
        """Return the words of a cell that the lookup does not know."""
        parts = cell.split(self.separator) if self.separator else [cell]
        texts = (part.strip() for part in parts)
        return [text for text in texts if text and not self.words.intersection((text, word(text)))]


def lookup_of(rule: FieldRule, spec: FieldSpec) -> Lookup | None:
    """Return the lookup of a field whose unknown words are row errors; None without one."""
    whole = rule.template is None and rule.pattern is None and rule.default is None
    if rule.lookup is None or rule.column is None or not whole:
        return None
    words = frozenset(clean(text) for text in rule.lookup)
    separator = (rule.separator or _SEPARATOR) if spec.many else None
    return Lookup(clean(rule.column), words, separator, spec.personal)


def compile_field(
    rule: FieldRule,
    spec: FieldSpec,
    columns: Columns,
    *,
    clear_blanks: bool,
    allowed: Collection[str] = (),
) -> CompiledField:
    """Make a field's reader from its rule, and note the columns that it needs.

    `allowed` names the damage that its text may have (see `sync.mapping.texts`).

    Raises:
        RuleError: the rule can't be followed.
    """
    _refuse_strays(rule, spec)
    if rule.computed is not None:
        return CompiledField(_nothing, _nothing, None, None, None)  # `Complete` makes its value
    convert, fold = _converter(rule, spec), _fold(rule)
    source = compile_source(rule, columns)
    named = _steps(rule, spec, fold)
    steps = [step for _, step in named]
    if spec.many:
        blank = _blank(rule, spec, _each(rule, [], convert, None), clear_blanks=clear_blanks)
        steps, convert = [_each(rule, steps, convert, blank)], None
        named = [(f"items split at '{rule.separator or _SEPARATOR}'", steps[0])]
    else:
        blank = _blank(rule, spec, convert, clear_blanks=clear_blanks)
    read, check = _reader(source.read, steps, convert, blank), check_of(spec.text, allowed)
    careful = _reader(source.read, [check, *steps], convert, blank) if check else read
    checked = [(_CHECKED, check), *named] if check else named
    traced = _tracer(rule, source.read, checked, (_convert_text(rule), convert), blank)
    if rule.constant is not None:
        read = careful = _once(careful)
    composed = source.composed
    if composed is not None and fold is not None:
        composed = composed.folded(fold)
    # Rows that are long as a whole go through the readers all the same, so no limit from `MAX_ID`
    # on is passed over.
    plain = source.plain if spec.type == "text" and spec.limit >= MAX_ID and not steps else None
    return CompiledField(read, careful, blank, plain, composed, traced)


def _nothing(_texts: Texts) -> None:
    """Read nothing: the value of a computed field comes from the others of its row."""


def _refuse_strays(rule: FieldRule, spec: FieldSpec) -> None:
    if (rule.format is not None or rule.zone is not None) and spec.type != "time":
        raise RuleError("'format' and 'zone' are for date-times; remove them")
    if rule.minutes is not None and spec.type not in {"duration", "extra_time"}:
        raise RuleError("'minutes' is for durations; remove it")
    if rule.computed is not None and spec.type not in {"time", "duration"}:
        raise RuleError("'computed' is for a test's end and duration; remove it")
    if rule.next_day and spec.type != "time":
        raise RuleError("'next_day' is for a test's end; remove it")
    if rule.languages and rule.format is None:
        raise RuleError("'language' is for a 'format'; add one, or remove it")
    if rule.separator is not None and not spec.many:
        raise RuleError("'separator' is for lists; remove it")


def _converter(rule: FieldRule, spec: FieldSpec) -> _Convert | None:
    if spec.type in _BY_RULE:
        return _BY_RULE[spec.type](rule)
    if spec.type == "choice":
        return chosen(spec)
    if spec.type in _BY_TEXT:
        return _BY_TEXT[spec.type]
    if spec.limit == UNLIMITED:
        return None
    return lambda text: within(text, spec.limit)


def _fold(rule: FieldRule) -> Fold | None:
    if rule.case is None:
        return None
    if rule.case not in _CASES:
        raise RuleError(f"case: {quoted(rule.case)} is unknown; use lower or upper")
    change = _CASES[rule.case]
    # A change of case can leave letters decomposed (İ, ǰ).
    return lambda text: clean(change(text))


def _steps(rule: FieldRule, spec: FieldSpec, fold: Fold | None) -> list[tuple[str, Fold]]:
    steps: list[tuple[str, Fold]] = []
    if rule.lookup is not None:
        steps.append(("lookup", _lookup(rule, spec)))
    if fold is not None:
        steps.append((f"case: {rule.case}", fold))
    return steps


def _lookup(rule: FieldRule, spec: FieldSpec) -> Fold:
    try:
        table = {clean(text): clean(value) for text, value in (rule.lookup or {}).items()}
    except BadValueError as error:
        raise RuleError(f"lookup: {error}") from None
    code = spec.type in _CODES and not spec.personal
    known = f"{len(table)} words"
    if code:
        known = ", ".join(list(table)[:_LISTED]) + (
            f" and {len(table) - _LISTED} more" if len(table) > _LISTED else ""
        )

    def step(text: str) -> str:
        found = table.get(text) or table.get(word(text))
        if found is not None:
            return found
        if not text or rule.default is not None:
            return ""
        reason = "is not in the lookup table"
        if not spec.personal:
            reason = f"{quoted_value(text, table, code=code)} is not in the lookup table ({known})"
        raise BadValueError(reason, "correct it in the source, or add it to the feed's 'lookup'")

    return step


def _blank(
    rule: FieldRule, spec: FieldSpec, convert: _Convert | None, *, clear_blanks: bool
) -> FieldValue:
    """Return what a blank becomes: the default, "clear it", or nothing."""
    if rule.default is not None:
        try:
            text = clean(rule.default)
            value = convert(text) if text and convert else text
            if value != "":
                return value
        except BadValueError as error:
            raise RuleError(f"default: {error}") from None
    return spec.cleared if clear_blanks else None


def _each(
    rule: FieldRule, steps: Sequence[Fold], convert: _Convert | None, blank: FieldValue
) -> Fold:
    """Return what reads a list.

    It takes the list apart, reads each item as a single value, and joins the results.
    """
    separator = rule.separator or _SEPARATOR

    def items(text: str) -> Iterator[str]:
        # A list without items is one blank: a lookup may know what it means.
        for part in [part for part in text.split(separator) if part.strip()] or [""]:
            item = part.strip()
            for step in steps:
                item = step(item)
            if item:
                yield str(convert(item)) if convert else item
            else:
                yield from listed(blank)

    return lambda text: joined(items(text))


def _reader(
    source: Callable[[Texts], str],
    steps: Sequence[Fold],
    convert: _Convert | None,
    blank: FieldValue,
) -> Reader:
    def read(texts: Texts) -> FieldValue:
        text = source(texts)
        for step in steps:
            text = step(text)
        if not text:
            return blank
        return convert(text) if convert else text

    return read


def _tracer(
    rule: FieldRule,
    source: Callable[[Texts], str],
    steps: Sequence[tuple[str, Fold]],
    convert: tuple[str, _Convert | None],
    blank: FieldValue,
) -> Steps:
    """Return what yields the steps of a reader with these parts."""

    def trace(texts: Texts) -> Iterator[Step]:
        text = source(texts)
        yield Step(source_text(rule), text)
        for what, step in steps:
            before, text = text, step(text)
            if what != _CHECKED or text != before:
                yield Step(what, text)
        if not text:
            yield Step("default" if rule.default is not None else "blank", blank)
        elif convert[1] and (value := convert[1](text)) != text:
            yield Step(convert[0], value)

    return trace


def _convert_text(rule: FieldRule) -> str:
    """Return how a text becomes the value: by its format and zone, or its unit of minutes."""
    named = (("format", rule.format), ("zone", rule.zone), ("minutes", rule.minutes))
    return ", ".join(f"{name} {value}" for name, value in named if value) or "read"


def _once(read: Reader) -> Reader:
    """Return a constant's reader.

    It is the same in every row, and a bad one is a configuration error, not a row error.
    """
    try:
        value = read(())
    except BadValueError as error:
        raise RuleError(f"constant: {error}") from None
    return lambda _: value
