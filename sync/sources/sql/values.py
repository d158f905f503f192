"""The values of a database as text, as all sources return them.

`None` becomes an empty text. Nothing is rounded or guessed.
"""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import NoneType
from typing import Any
from uuid import UUID

from sync.errors import Unusable

_KEPT = {"\t", "\n", "\r"}


def column_names(names: Iterable[object]) -> tuple[str, ...]:
    """Return the names of a query's columns, stripped and in NFC.

    Raises:
        Unusable: a name is blank or repeated.
    """
    texts: list[str] = []
    for number, name in enumerate(names, 1):
        text = unicodedata.normalize("NFC", str(name or "").strip())
        if text in ("", "?column?"):
            raise Unusable(f"column {number} of the query has no name", "give it one with AS")
        if text in texts:
            raise Unusable(
                f"the query has two columns named '{text}'", "give each its own name with AS"
            )
        texts.append(text)
    return tuple(texts)


def _bool(value: bool) -> str:
    return "true" if value else "false"


def _decimal(value: Decimal) -> str:
    return format(value, "f")


def _hours(value: timedelta) -> str:
    """Return hours and minutes, such as 04:30, with seconds only if they are not zero."""
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
        text = "\0"  # refused below, so that no chained exception contains the bytes
    if any(character < " " and character not in _KEPT for character in text):
        raise Unusable(
            "contains bytes that are not UTF-8 text",
            "convert it to text or to a number in the query, with CAST",
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
    """Return one column of some rows as texts.

    Raises:
        Unusable: a value has a type that can't be converted.
    """
    types = set(map(type, values))
    # Most columns contain only texts: they are returned as they are, without a look at each.
    if types == {str}:
        return values
    if types == {str, NoneType}:
        return ["" if value is None else value for value in values]
    converters = {type_: _converter(type_) for type_ in types}
    if len(converters) == 1:
        return list(map(converters.popitem()[1], values))
    return [converters[type(value)](value) for value in values]


def _converter(type_: type) -> Callable[[Any], str]:
    for base in type_.__mro__:
        if base in _TEXTS:
            return _TEXTS[base]
    raise Unusable(
        f"contains a value of type {type_.__name__}",
        "convert it to text in the query, with CAST",
    )
