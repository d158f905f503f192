"""The similarity of a value without a match to known values, for error messages. Pure.

Values of people are personal data. So a message repeats a value only if it looks like a key.
Otherwise it describes the shape, such as "six digits".
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from itertools import groupby

_SCIENTIFIC = re.compile(r"[+-]?\d+([.,]\d+)?[eE][+-]?\d{1,2}")
_FRACTION = re.compile(r"(\d+)[.,]0+")
_GROUPED = re.compile(r"\d{1,3}([ .,'’]\d{3})+")
_MOST_SHOWN = 40
_NUMBERS = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)


def _visible(value: str) -> str:
    return "".join(mark for mark in value if unicodedata.category(mark) not in ("Cf", "Cc"))


def _plain(value: str) -> str:
    return unicodedata.normalize("NFKC", "".join(_digit(mark) for mark in value))


def _digit(mark: str) -> str:
    return mark if mark.isascii() else str(unicodedata.decimal(mark, mark))


def _expanded(value: str) -> str:
    if not _SCIENTIFIC.fullmatch(value):
        return value
    try:
        return format(Decimal(value.replace(",", ".")).quantize(Decimal(1)), "f")
    except InvalidOperation:
        return value


def _whole(value: str) -> str:
    found = _FRACTION.fullmatch(value)
    return found[1] if found else value


def _ungrouped(value: str) -> str:
    return re.sub(r"\D", "", value) if _GROUPED.fullmatch(value) else value


def _unquoted(value: str) -> str:
    return value.strip("'\"`’‘“”=")


_STEPS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("invisible characters", _visible),
    ("another form of the same characters", _plain),
    ("quotation marks", _unquoted),
    ("scientific notation", _expanded),
    ("a trailing .0", _whole),
    ("separators between digits", _ungrouped),
    ("spaces", lambda value: "".join(value.split())),
    ("upper and lower case", str.casefold),
    ("leading zeros", lambda value: value.lstrip("0")),
)
"""What spreadsheets and exports do to a value, each with the function that removes it."""


def loose(value: str) -> str:
    """Return the value without anything that a spreadsheet or an export may have added."""
    for _, step in _STEPS:
        value = step(value)
    return value


def is_near(value: str, key: str) -> bool:
    """Tell whether two different keys may be meant to be one: one character, or less, differs.

    Less is what spreadsheets and exports change, such as leading zeros, spaces and case.
    """
    if value == key:
        return False
    return loose(value) == loose(key) or _is_one_edit(value, key)


def _is_one_edit(one: str, other: str) -> bool:
    """Tell whether one character was added, left out or replaced, or two were exchanged."""
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) > 1:
        return False
    at = next((n for n, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return short[at:] == long[at + 1 :]
    swapped = short[:at] + short[at : at + 2][::-1] + short[at + 2 :]
    return short[at + 1 :] == long[at + 1 :] or swapped == long


def differences(value: str, key: str) -> tuple[str, ...]:
    """Return the fewest differences that explain two values which are equal after `loose`."""
    needed = list(_STEPS)
    for step in _STEPS:
        fewer = [other for other in needed if other is not step]
        if _through(value, fewer) == _through(key, fewer):
            needed = fewer
    return tuple(name for name, _ in needed)


def _through(value: str, steps: Iterable[tuple[str, Callable[[str], str]]]) -> str:
    for _, step in steps:
        value = step(value)
    return value


def is_scientific(value: str) -> bool:
    """Tell whether the value is a number as a spreadsheet shortens it, such as `1.23E+11`."""
    return bool(_SCIENTIFIC.fullmatch(value))


def shape(value: str) -> str:
    """Return the shape of a value, such as `six digits` or `three letters, four digits, '-'`."""
    if "@" in value:
        return "an email address"
    runs = [(sort, len(list(run))) for sort, run in groupby(value, key=_sort)]
    return ", ".join(_run(sort, length) for sort, length in runs) or "nothing"


def _sort(mark: str) -> str:
    if mark.isdecimal():
        return "digit"
    if mark.isspace():
        return "space"
    if mark.isascii() and mark.isprintable() and not mark.isalnum():
        return mark
    return "letter" if mark.isalpha() else "other character"


def _run(sort: str, length: int) -> str:
    if len(sort) == 1:
        return f"'{sort * length}'"
    number = _NUMBERS[length] if length < len(_NUMBERS) else str(length)
    return f"{number} {sort}{'' if length == 1 else 's'}"


def commonest(keys: Iterable[str]) -> tuple[str, str]:
    """Return the most common shape of these keys, and an example; both empty without keys."""
    shapes: Counter[str] = Counter()
    first: dict[str, str] = {}
    for key in keys:
        found = shape(key)
        shapes[found] += 1
        first[found] = min(key, first.get(found, key))
    if not shapes:
        return "", ""
    (found, _), *_ = shapes.most_common(1)
    return found, first[found]


def may_be_shown(value: str) -> bool:
    """Tell whether a message may repeat the value: it is a code with a digit, and not a name."""
    return (
        len(value) <= _MOST_SHOWN and "@" not in value and any(mark.isdecimal() for mark in value)
    )
