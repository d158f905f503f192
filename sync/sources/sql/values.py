"""What a database gives, as the text that all sources give. `None` is an empty text; nothing is rounded or guessed."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import NoneType
from typing import Any
from uuid import UUID

_KEPT = {"\t", "\n", "\r"}


class UnreadableValue(Exception):  # noqa: N818 - says what it means
    """A value is no text and can't be made one; says what to do. The value itself is not told: it may be personal."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason}; {remedy}")
        self.reason, self.remedy = reason, remedy


def column_names(names: Iterable[object]) -> tuple[str, ...]:
    """The names of a query's columns, stripped and in NFC.

    Raises:
        Untold: one is blank, or there twice.
    """
    found: list[str] = []
    for number, name in enumerate(names, 1):
        text = unicodedata.normalize("NFC", str(name or "").strip())
        if text in ("", "?column?"):
            raise UnreadableValue(
                f"column {number} of the query has no name", "give it one with AS"
            )
        if text in found:
            raise UnreadableValue(
                f"the query has two columns named '{text}'", "give each its own name with AS"
            )
        found.append(text)
    return tuple(found)


def _bool(value: bool) -> str:
    return "true" if value else "false"


def _decimal(value: Decimal) -> str:
    return format(value, "f")


def _hours(value: timedelta) -> str:
    """Hours and minutes, such as 04:30; seconds only where there are some."""
    seconds, fraction = divmod(abs(value) // timedelta(microseconds=1), 1_000_000)
    minutes, seconds = divmod(seconds, 60)
    text = f"{'-' if value < timedelta() else ''}{minutes // 60:02}:{minutes % 60:02}"
    if seconds or fraction:
        text += f":{seconds:02}"
    return f"{text}.{fraction:06}" if fraction else text


def _bytes(value: bytes | bytearray | memoryview) -> str:
    try:
        text = bytes(value).decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"  # told below, so that no exception in the chain carries the bytes
    if any(character < " " and character not in _KEPT for character in text):
        raise UnreadableValue(
            "holds bytes that are no text in UTF-8",
            "make it text (or a number) in the query, with CAST",
        )
    return text


_TEXTS: Mapping[type, Callable[[Any], str]] = {
    str: str,
    NoneType: lambda _: "",
    bool: _bool,
    int: int.__repr__,
    float: float.__repr__,
    Decimal: _decimal,
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: _hours,
    bytes: _bytes,
    bytearray: _bytes,
    memoryview: _bytes,
    UUID: str,
}


def as_texts(values: Sequence[Any]) -> Iterable[str]:
    """One column of some rows as texts. The values as they are where all are texts already, which most are.

    Raises:
        Untold: one of them is of a type that has no text.
    """
    types = set(map(type, values))
    if types == {str}:
        return values
    if types == {str, NoneType}:
        return ["" if value is None else value for value in values]
    ways = {one: _way(one) for one in types}
    if len(ways) == 1:
        return list(map(ways.popitem()[1], values))
    return [ways[type(value)](value) for value in values]


def _way(one: type) -> Callable[[Any], str]:
    for base in one.__mro__:
        if base in _TEXTS:
            return _TEXTS[base]
    raise UnreadableValue(
        f"holds a value of type {one.__name__}, which is no text",
        "make it text in the query, with CAST",
    )
