"""The last line of a file that counts the rows before it: taken off the text, and held against what was read."""

import re
from collections.abc import Iterable, Iterator

from sync.records.base import Row
from sync.sources.csv.reader import MAX_LINE

_MOST_DIGITS = 18


class Trailer:
    """Waits for one reading's last line, and says in `doubts` what does not fit."""

    def __init__(self, pattern: str, doubts: list[str]) -> None:
        """`pattern` has to match the whole line, and has the count in its group `rows`."""
        self._pattern, self._doubts = re.compile(pattern), doubts
        self._found: re.Match[str] | None = None

    @property
    def found(self) -> bool:
        """Whether the last line is one, once the text has ended."""
        return self._found is not None

    def taken_off(self, texts: Iterable[str]) -> Iterator[str]:
        """The same text without its trailer: always one line behind, for only the last one can be it."""
        held = ""
        for piece in texts:
            text = held + piece
            start = _start_of_last_line(text)
            if len(text) - start > 2 * MAX_LINE:  # it is followed by blank lines without end
                start = len(text)
            held = text[start:]
            yield text[:start]
        self._found = self._pattern.fullmatch(held.strip())
        if self._found is None:
            yield held

    def counted(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The same rows. After the last one it is known whether they are as many as the trailer says."""
        count = 0
        for count, row in enumerate(rows, start=1):  # noqa: B007 - used after the loop
            yield row
        if doubt := self._doubt(count):
            self._doubts.append(doubt)

    def _doubt(self, read: int) -> str:
        if self._found is None:
            return "its last line is no trailer: it may be cut off; export it again, or correct 'trailer'"
        digits = (self._found["rows"] or "").strip()
        if not digits.isdecimal() or len(digits) > _MOST_DIGITS:
            return "its last line counts no rows; correct the group 'rows' of 'trailer'"
        told = int(digits)
        were = "was" if read == 1 else "were"
        error = f"its last line counts {told:,} {'row' if told == 1 else 'rows'} and {read:,} {were} read"
        return (
            ""
            if told == read
            else f"{error}; export it again: rows are missing, or are counted in another way"
        )


def _start_of_last_line(text: str) -> int:
    """Where the last line begins that is not blank."""
    filled = text.rstrip("\r\n")
    return 1 + max(filled.rfind("\n"), filled.rfind("\r"))
