"""Which values of a column select a row: words, patterns, in any case, or all but these."""

import re
from collections.abc import Container, Iterable
from typing import NamedTuple

from sync.mapping.rules import Meant, RuleError, Words
from sync.mapping.source import Columns
from sync.mapping.texts import word
from sync.mapping.values import BadValueError, clean

_REMEMBERED = 10_000


class Condition(NamedTuple):
    """One column of `where`, `where_not` or `departure`, with the values that meet it."""

    column: str
    at: int
    wanted: Container[str]
    named: Container[str]
    """The values that the rule names: for `where_not` those that are ruled out."""
    setting: str = "where"


class _Matching:
    """A container of the texts that words or a pattern name.

    Remembers what it was asked, as columns repeat values.
    """

    def __init__(self, words: Words) -> None:
        self._fold = str.casefold if words.ignore_case else str
        self._values = frozenset(self._fold(text) for text in _cleaned(words.values))
        flags = re.IGNORECASE if words.ignore_case else re.NOFLAG
        self._pattern = re.compile(words.pattern, flags) if words.pattern is not None else None
        self._known: dict[str, bool] = {}

    def __contains__(self, value: object) -> bool:
        text = str(value)
        found = self._known.get(text)
        if found is None:
            found = self._fold(text) in self._values or bool(
                self._pattern and self._pattern.fullmatch(text)
            )
            if len(self._known) < _REMEMBERED:
                self._known[text] = found
        return found


class _AllBut:
    """Every text that another container does not hold."""

    def __init__(self, named: Container[str]) -> None:
        self._named = named

    def __contains__(self, value: object) -> bool:
        return value not in self._named


def compile_condition(
    column: str, meant: Meant, columns: Columns, *, setting: str = "where"
) -> Condition:
    """Return the condition of one column.

    `setting` is the one that names it: `where`, `where_not` (every other value) or `departure`.

    Raises:
        RuleError: the column's name, a value or the pattern can't be used.
    """
    at, negated = columns.index(column), setting == "where_not"
    try:
        if isinstance(meant, Words):
            named: Container[str] = _Matching(meant)
            negated = negated is not meant.negated
        else:
            named = frozenset(_cleaned(meant))
    except (re.error, OverflowError, RecursionError) as error:
        raise RuleError(
            f"pattern: can't be read ({error}); correct the regular expression"
        ) from None
    except BadValueError as error:
        raise RuleError(str(error)) from None
    return Condition(columns.names[at], at, _AllBut(named) if negated else named, named, setting)


def _cleaned(texts: Iterable[str]) -> Iterable[str]:
    return [word(clean(text)) for text in texts]
