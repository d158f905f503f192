"""A reader of a long JSON document piece by piece, so that its length needs no memory."""

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

LONGEST: Final = 1024 * 1024
"""The most characters of one entry. A longer one can't be the record of a person."""

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER: Final = json.JSONDecoder()


def entries(pieces: Iterable[bytes]) -> Iterator[Mapping[str, object]]:
    """Yield the objects of a JSON array, or of the arrays that are members of a JSON object.

    Raises:
        ValueError: the document is neither of these, or is cut off.
    """
    text = _Text(pieces)
    if text.peek() == "[":
        yield from _array(text)
        return
    text.take("{")
    arrays = 0
    while True:
        text.value()  # the member's name
        text.take(":")
        if text.peek() == "[":
            arrays += 1
            yield from _array(text)
        else:
            text.value()
        if text.take(",}") == "}":
            break
    if not arrays:
        raise ValueError("no list in it")


def _array(text: "_Text") -> Iterator[Mapping[str, object]]:
    text.take("[")
    if text.peek() == "]":
        text.take("]")
        return
    while True:
        entry = text.value()
        if not isinstance(entry, dict):
            raise ValueError("not a list of objects")  # noqa: TRY004 -- one error for every unexpected form
        yield entry
        if text.take(",]") == "]":
            return


class _Text:
    """The part of the text that was received and not used yet."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._coming = codecs.iterdecode(pieces, "utf-8-sig")
        self._text, self._at = "", 0

    def peek(self) -> str:
        """Return the next character other than a space, without using it; empty at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self, expected: str) -> str:
        """Use the next character other than a space, which must be one of these."""
        character = self.peek()
        if not character or character not in expected:
            raise ValueError("not JSON, or cut off")
        self._at += 1
        return character

    def value(self) -> object:
        """Use the next value, once text after it shows that it is complete."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError):
                end = len(self._text)
            if end < len(self._text):
                self._at = end
                return value
            if len(self._text) - self._at > LONGEST or not self._more():
                raise ValueError("not JSON, or cut off")

    def _more(self) -> bool:
        piece = next(self._coming, None)
        if piece is None:
            return False
        self._text, self._at = self._text[self._at :] + piece, 0
        return True
