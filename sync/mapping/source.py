"""Where a field's text comes from: a column, a template (over columns or a pattern's groups), or a constant."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from sync.mapping.rules import FieldRule, RuleError
from sync.mapping.template import Template, parse_template
from sync.mapping.values import BadValueError, Values, clean

Parts = Callable[[Values], list[str]]
"""Gives the cleaned values of a template's places, in its order."""


@dataclass(frozen=True, slots=True)
class Source:
    """A field's text before lookup, case and default. `plain` is its column when it is nothing but that column."""

    read: Callable[[Values], str]
    columns: frozenset[str]
    plain: str = ""
    template: Template | None = None
    parts: Parts | None = None

    def origin(self, fold: Callable[[str], str] | None) -> Callable[[Values], str | None] | None:
        """Gives a row's combination of parts as one text where it could be confused; `None` when it never can be.

        `fold` is the field's change of case: parts that differ only in what it changes are the same combination.
        """
        template, parts = self.template, self.parts
        if template is None or parts is None or len(template.names) < 2:
            return None
        if fold is None:
            return lambda values: template.origin(parts(values))
        literals = frozenset("".join(fold(character) for character in template.literals))
        folded = replace(template, literals=literals)
        return lambda values: folded.origin([fold(part) for part in parts(values)])


def compile_source(rule: FieldRule) -> Source:
    """Makes the reader of a field's text, with the rule's pattern where it has one.

    Raises:
        RuleError: the rule names no source or several, or one that can't be read.
    """
    if rule.constant is not None:
        return _constant(rule, rule.constant)
    if rule.column is None and rule.template is None:
        raise RuleError("has no source; give 'column', 'template' or 'constant'")
    if rule.column is None or rule.template is None:
        source = _columns(rule.template) if rule.template is not None else _column(rule.column or "")
        return source if rule.pattern is None else _matched(source, rule.pattern)
    if rule.pattern is None:
        raise RuleError("has both 'column' and 'template'; keep one, or add a 'pattern' whose groups fill the template")
    return _groups(_column(rule.column), rule.pattern, parse_template(rule.template))


def column_name(text: str) -> str:
    """A column's name as the sources give it: stripped and in NFC.

    Raises:
        RuleError: it is blank or holds a control character.
    """
    try:
        name = clean(text)
    except BadValueError as error:
        raise RuleError(f"column: {error}") from None
    if not name:
        raise RuleError("column: is blank; give the name of a column")
    return name


def _constant(rule: FieldRule, constant: str) -> Source:
    if rule.column is not None or rule.template is not None:
        raise RuleError("has a 'constant' and another source; keep one")
    try:
        text = clean(constant)
    except BadValueError as error:
        raise RuleError(f"constant: {error}") from None
    source = Source(lambda _: text, frozenset())
    return source if rule.pattern is None else _matched(source, rule.pattern)


def _column(name: str) -> Source:
    column = column_name(name)
    return Source(lambda values: clean(values[column]), frozenset({column}), plain=column)


def _columns(text: str) -> Source:
    template = parse_template(text)
    names = template.names

    def parts(values: Values) -> list[str]:
        return [clean(values[name]) for name in names]

    return Source(lambda values: template.fill(parts(values)), frozenset(names), template=template, parts=parts)


def _groups(source: Source, pattern: str, template: Template) -> Source:
    expression = _compiled(pattern)
    if unknown := [name for name in template.names if name not in expression.groupindex]:
        name = unknown[0]
        raise RuleError(f"template: '{name}' is not a named group of the pattern; name one as (?P<{name}>…)")
    whole, names = source.read, template.names

    def parts(values: Values) -> list[str]:
        text = whole(values)
        match = _match(expression, text) if text else None
        return [clean(match[name] or "") for name in names] if match else [""]

    return Source(lambda values: template.fill(parts(values)), source.columns, template=template, parts=parts)


def _matched(source: Source, pattern: str) -> Source:
    """The source's text narrowed to what the pattern picks out of it."""
    expression = _compiled(pattern)
    group = _picked(expression)
    whole = source.read

    def read(values: Values) -> str:
        text = whole(values)
        return clean(_match(expression, text)[group] or "") if text else ""

    return replace(source, read=read, plain="")


def _picked(expression: re.Pattern[str]) -> str | int:
    if "value" in expression.groupindex:
        return "value"
    if expression.groups > 1:
        raise RuleError("pattern: has several groups; name the wanted one 'value', or add a 'template' over the groups")
    return expression.groups


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise RuleError(f"pattern: can't be read ({error}); correct the regular expression") from None


def _match(expression: re.Pattern[str], text: str) -> re.Match[str]:
    match = expression.fullmatch(text)
    if match is None:
        raise BadValueError("does not match the feed's pattern", "correct it in the source, or the 'pattern'")
    return match
