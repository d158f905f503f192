"""The trailer: a last line with the number of rows before it.

It is removed from the text, and its number is compared with the rows that were read.
"""

import re
from collections.abc import Iterable, Iterator

from sync.records.base import Row
from sync.sources.csv.blocks import MAX_LINE

_MOST_DIGITS = 18


class Trailer:
    """The last line of one read. What does not fit is added to `doubts`."""

    def __init__(self, pattern: str, doubts: list[str]) -> None:
        """Take a pattern for the whole line, with the number of rows in its group `rows`."""
        self._pattern, self._doubts = re.compile(pattern), doubts
        self._match: re.Match[str] | None = None

    @property
    def found(self) -> bool:
        """Tell whether the last line is a trailer, once the text has ended."""
        return self._match is not None

    def remove_from(self, texts: Iterable[str]) -> Iterator[str]:
        """Yield the text without its trailer.

        Always one line behind, as only the last can be it.
        """
        last = ""
        for piece in texts:
            text = last + piece
            start = _start_of_last_line(text)
            if len(text) - start > 2 * MAX_LINE:  # endless blank lines follow it
                start = len(text)
            last = text[start:]
            yield text[:start]
        self._match = self._pattern.fullmatch(last.strip())
        if self._match is None:
            yield last

    def count(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the same rows. After the last one, compare their number with the trailer's."""
        number = 0
        for number, row in enumerate(rows, start=1):  # noqa: B007 - used after the loop
            yield row
        if doubt := self._doubt(number):
            self._doubts.append(doubt)

    def _doubt(self, read: int) -> str | None:
        if self._match is None:
            return (
                "its last line does not match 'trailer', so it may be cut off;"
                " export it again, or correct 'trailer'"
            )
        digits = (self._match["rows"] or "").strip()
        if not digits.isdecimal() or len(digits) > _MOST_DIGITS:
            return "its last line has no number of rows; correct the group 'rows' of 'trailer'"
        expected = int(digits)
        if expected == read:
            return None
        rows, were = "row" if expected == 1 else "rows", "was" if read == 1 else "were"
        return (
            f"its last line counts {expected:,} {rows}, but {read:,} {were} read;"
            " export it again: rows are missing, or are counted in another way"
        )


def _start_of_last_line(text: str) -> int:
    """Return where the last line begins that is not blank."""
    content = text.rstrip("\r\n")
    return 1 + max(content.rfind("\n"), content.rfind("\r"))
