"""The entries of a long JSON document, read by ijson while it arrives.

Memory stays small however many people are in it.
"""

import codecs
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from types import ModuleType
from typing import Any, Final

import ijson

LONGEST: Final = 32 * 1024
"""Bytes from one entry to the next; more than that is nobody's record.

ijson's time grows with the square of the levels, and this bounds them, too.
"""

_SLICE: Final = 8 * 1024
"""Characters that ijson gets at once, so that the bound is checked before it is far exceeded."""


def _load_backend() -> ModuleType:
    """Return ijson's parser in C, or the pure one where no wheel has been built with it.

    Ijson alone would also try libraries that happen to be installed on the machine.
    """
    try:
        backend: ModuleType = ijson.get_backend("yajl2_c")
    except ImportError:
        backend = ijson.get_backend("python")
    return backend


_PARSER: Final = _load_backend()


def entries(pieces: Iterable[bytes], parser: Any = _PARSER) -> Iterator[Mapping[str, object]]:
    """Yield the objects of a JSON array, or of the first array of objects in a JSON object.

    Members that the vendor adds before that array are passed over (vendor contract, Conventions).

    Raises:
        ValueError: the document is neither of these, or is cut off.
    """
    source = _Source(pieces)
    try:
        place, beginning = _locate(source, parser)
        if place is None:
            return
        whole = ijson.from_iter(chain(beginning, source))
        for entry in parser.items(whole, place):
            if not isinstance(entry, dict):
                raise ValueError("its entries are not objects")  # noqa: TRY004 -- one error for every unexpected form
            source.length = 0
            yield entry
    except ijson.JSONError:  # its text repeats what is in the file
        raise ValueError("it is not JSON, or cut off") from None
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None


def _locate(source: Iterable[bytes], parser: Any) -> tuple[str | None, list[bytes]]:
    """Return the place of the entries, as ijson names it, and the pieces read until the first one.

    The place is None if an array is empty and none has objects.
    """
    beginning: list[bytes] = []

    def read() -> Iterator[bytes]:
        for piece in source:
            beginning.append(piece)
            yield piece

    member, in_list, lists, empty = "", False, 0, 0
    for place, event, value in parser.parse(ijson.from_iter(read())):
        if in_list and event == "start_map":
            return place, beginning
        empty += in_list and event == "end_array"
        in_list = event == "start_array" and place == member
        lists += in_list
        if event == "map_key" and not place:
            member = value
    if not lists:
        raise ValueError("it has no list")
    if not empty:
        raise ValueError("its entries are not objects")
    return None, beginning


class _Source:
    """The pieces as UTF-8 without the mark at its beginning; `length` counts their bytes."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.length = 0
        self._slices = self._cut(codecs.iterdecode(pieces, "utf-8-sig"))

    def __iter__(self) -> Iterator[bytes]:
        """Return the rest of the pieces; a second loop goes on where the first one stopped."""
        return self._slices

    def _cut(self, texts: Iterable[str]) -> Iterator[bytes]:
        for text in texts:
            for start in range(0, len(text), _SLICE):  # never empty: ijson takes that for the end
                if self.length > LONGEST:
                    raise ValueError("an entry is too long")
                piece = text[start : start + _SLICE].encode()
                self.length += len(piece)
                yield piece
