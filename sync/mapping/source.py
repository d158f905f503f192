"""Where a field's text comes from.

A column, a template (over columns or a pattern's groups), or a constant.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from operator import itemgetter

from sync.mapping.rules import FieldRule, RuleError
from sync.mapping.template import Template, parse_template
from sync.mapping.values import BadValueError, Texts, clean

Fold = Callable[[str], str]
"""Text to text: a change of case, a lookup."""

_REMEMBERED = 1024
"""Of how many combinations of values what a template makes of them is remembered: rows on one test
stand together."""


class Columns:
    """The columns that a feed needs, each with its index in the row's texts."""

    def __init__(self) -> None:
        self._indexes: dict[str, int] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Return the columns in the order of their indexes."""
        return tuple(self._indexes)

    def index(self, text: str) -> int:
        """Return the index of a column, which is needed from now on.

        Its name is stripped and put into NFC, as sources do.

        Raises:
            RuleError: the name is blank or holds a control character.
        """
        try:
            name = clean(text)
        except BadValueError as error:
            raise RuleError(f"column: {error}") from None
        if not name:
            raise RuleError("column: is blank; give the name of a column")
        return self._indexes.setdefault(name, len(self._indexes))


@dataclass(frozen=True, slots=True)
class Composed:
    """A template with the reader of its parts.

    `columns` are theirs when each part is simply a column.
    """

    template: Template
    parts: Callable[[Texts], tuple[str, ...]]
    columns: tuple[str, ...] = ()
    fold: Fold | None = None
    _pick: Callable[[Mapping[str, str]], tuple[str, ...]] | None = field(init=False, compare=False)
    _doubtful: Callable[[tuple[str, ...]], bool] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_pick", itemgetter(*self.columns) if self.columns else None)
        object.__setattr__(self, "_doubtful", lru_cache(_REMEMBERED)(self.template.doubtful))

    def origin(self, texts: Texts) -> str | None:
        """Return the row's combination of parts as one text.

        `None` if no other combination could make the same key, or this one can't be read.
        """
        try:
            parts = self.parts(texts)
        except BadValueError:
            return None
        return self.template.origin(
            parts if self.fold is None else tuple(self.fold(part) for part in parts)
        )

    def doubtless(self, values: Mapping[str, str]) -> bool:
        """Tell whether one look at a row's raw values shows that the key has no origin.

        `False` leaves it open.
        """
        try:
            return self._pick is not None and not self._doubtful(self._pick(values))
        except KeyError:
            return False

    def folded(self, fold: Fold) -> "Composed":
        """Return the same under a change of case.

        Parts that differ only in what it changes are the same combination.
        """
        literals = self.template.literals
        literals = literals.union("".join(literals).lower(), "".join(literals).upper())
        return replace(self, template=replace(self.template, literals=literals), fold=fold)


@dataclass(frozen=True, slots=True)
class Source:
    """A field's text before lookup, case and default.

    `plain` is the column's index when the source is nothing but a column; `composed` is its
    template over several parts, if it has one.
    """

    read: Callable[[Texts], str]
    plain: int | None = None
    composed: Composed | None = None


def compile_source(rule: FieldRule, columns: Columns) -> Source:
    """Make the reader of a field's text, with the rule's pattern where it has one.

    Raises:
        RuleError: the rule names no source or several, or one that can't be read.
    """
    if rule.first_of is not None:
        source = _first_of(rule, rule.first_of, columns)
    elif rule.constant is not None:
        source = _constant(rule, rule.constant)
    elif rule.column is not None and rule.template is not None:
        if rule.pattern is None:
            reason = "has both 'column' and 'template'"
            raise RuleError(
                f"{reason}; keep one, or add a 'pattern' whose groups fill the template"
            )
        return _groups(_column(rule.column, columns), rule.pattern, parse_template(rule.template))
    elif rule.template is not None:
        source = _template(parse_template(rule.template), columns)
    elif rule.column is not None:
        source = _column(rule.column, columns)
    else:
        raise RuleError("has no source; give 'column', 'template', 'first_of' or 'constant'")
    return source if rule.pattern is None else _matched(source, rule.pattern)


def source_text(rule: FieldRule) -> str:
    """Return where the text of a field comes from, such as `column feide`. No value is named."""
    if rule.first_of is not None:
        text = f"the first of {', '.join(rule.first_of)} that is not blank"
    elif rule.constant is not None:
        text = "constant"
    elif rule.column is not None:
        text = f"column {rule.column}"
    else:
        text = f"template {rule.template}"
    if rule.pattern is None:
        return text
    return f"{text}, pattern {rule.pattern}{f', template {rule.template}' if rule.column and rule.template else ''}"


def _constant(rule: FieldRule, constant: str) -> Source:
    if rule.column is not None or rule.template is not None:
        raise RuleError("has a 'constant' and another source; keep one")
    try:
        text = clean(constant)
    except BadValueError as error:
        raise RuleError(f"constant: {error}") from None
    return Source(lambda _: text)


def _column(name: str, columns: Columns) -> Source:
    index = columns.index(name)
    return Source(lambda texts: texts[index], plain=index)


def _template(template: Template, columns: Columns) -> Source:
    indexes = [columns.index(name) for name in template.names]
    if len(indexes) == 1:
        only = indexes[0]
        return Source(lambda texts: template.fill((texts[only],)))
    parts: Callable[[Texts], tuple[str, ...]] = itemgetter(*indexes)
    composed = Composed(template, parts, tuple(columns.names[index] for index in indexes))
    fill = lru_cache(_REMEMBERED)(template.fill)
    return Source(lambda texts: fill(parts(texts)), composed=composed)


def _first_of(rule: FieldRule, texts: tuple[str, ...], columns: Columns) -> Source:
    if (
        rule.column is not None
        or rule.template is not None
        or rule.constant is not None
        or not texts
    ):
        raise RuleError("has 'first_of' and another source, or nothing in it; keep one")
    each = [
        _template(parse_template(one), columns) if "{" in one else _column(one, columns)
        for one in texts
    ]
    readers = [source.read for source in each]

    def read(texts: Texts) -> str:
        return next((text for reader in readers if (text := reader(texts))), "")

    return Source(read)


def _groups(source: Source, pattern: str, template: Template) -> Source:
    expression, whole, names = _compiled(pattern), source.read, template.names
    for name in names:
        if name not in expression.groupindex:
            raise RuleError(
                f"template: '{name}' is not a named group of the pattern; name one as (?P<{name}>…)"
            )

    def parts(texts: Texts) -> tuple[str, ...]:
        text = whole(texts)
        return _cleaned(_match(expression, text)[name] for name in names) if text else ("",)

    composed = Composed(template, parts) if len(names) > 1 else None
    return Source(lambda texts: template.fill(parts(texts)), composed=composed)


def _matched(source: Source, pattern: str) -> Source:
    """Return the source's text narrowed to what the pattern picks out of it."""
    expression, whole = _compiled(pattern), source.read
    group: str | int = "value" if "value" in expression.groupindex else expression.groups
    if expression.groups > 1 and group != "value":
        raise RuleError(
            "pattern: has several groups; name the wanted one 'value', "
            "or add a 'template' over the groups"
        )

    def read(texts: Texts) -> str:
        text = whole(texts)
        return clean(_match(expression, text)[group] or "") if text else ""

    return replace(source, read=read, plain=None)


def _cleaned(groups: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(clean(group or "") for group in groups)


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise RuleError(
            f"pattern: can't be read ({error}); correct the regular expression"
        ) from None


def _match(expression: re.Pattern[str], text: str) -> re.Match[str]:
    match = expression.fullmatch(text)
    if match is None:
        raise BadValueError(
            "does not match the feed's pattern", "correct it in the source, or the 'pattern'"
        )
    return match
