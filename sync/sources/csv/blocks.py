"""The text of a table in blocks of whole lines.

Checks that concern every line are made for a whole block at once, which is much faster.
"""

import re
from collections.abc import Iterator
from typing import TextIO

from sync.sources.csv.diagnostics import line_breaks
from sync.sources.csv.encoding import Utf8Watch
from sync.sources.csv.errors import TWO_EXPORTS, line_error

MAX_LINE = 1 << 20
"""The longest line in characters: a longer one is not CSV, and would have to fit into memory."""

_BLOCK = 1 << 16
_MARK_INSIDE = re.compile("(?:^|[\r\n])\ufeff")


class TextBlocks:
    """One pass over a text, in blocks that end with a line break, except perhaps the last.

    Attributes:
        torn: whether the text ended without a line break. Known after the last block.
    """

    def __init__(self, place: str, text: TextIO, encoding: str) -> None:
        self._place, self._text, self._encoding = place, text, encoding
        self._lines = 0  # in the blocks before this one
        self.torn = False

    def __iter__(self) -> Iterator[str]:
        """Yield the blocks.

        Raises:
            SourceError: the text contains what no table contains, or is in another encoding.
        """
        utf8, rest = Utf8Watch(self._encoding), ""
        while piece := self._text.read(_BLOCK):
            text = rest + piece
            self._refuse_marks(text)
            # A carriage return at the very end may be the first half of a line break.
            end = 1 + max(text.rfind("\n"), text.rfind("\r", 0, len(text) - 1))
            block, rest = text[:end], text[end:]
            self._lines += line_breaks(block)
            if len(rest) > MAX_LINE:
                raise line_error(
                    self._place,
                    self._lines + 1,
                    f"has more than {MAX_LINE:,} characters in one line",
                    "check that 'path' names a CSV file",
                )
            utf8.look(block)
            yield block
        self.torn = rest != "" and not rest.endswith("\r")
        utf8.look(rest)
        yield rest
        if utf8.is_utf8:
            raise line_error(
                self._place,
                None,
                f"is UTF-8, not {self._encoding}: all its bytes beyond ASCII are valid UTF-8",
                "set its 'encoding' to utf-8-sig",
            )

    def _refuse_marks(self, text: str) -> None:
        """Raise an error for a NUL or a byte order mark in the text."""
        if (at := text.find("\0")) >= 0:
            raise line_error(
                self._place,
                self._lines + 1 + line_breaks(text[:at]),
                "contains a NUL character: the file is damaged, or is in another encoding",
                f"export it again as {self._encoding}, or correct its 'encoding'",
            )
        if not self._lines and text.startswith("\ufeff"):
            raise line_error(
                self._place,
                1,
                "starts with a byte order mark",
                "set its 'encoding' to one with such a mark, such as utf-8-sig or utf-16",
            )
        if "\ufeff" in text and (match := _MARK_INSIDE.search(text)):
            raise line_error(
                self._place,
                self._lines + 1 + line_breaks(text[: match.end()]),
                "starts with a byte order mark, in the middle of the file",
                TWO_EXPORTS,
            )
