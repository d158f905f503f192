"""The difference between a header and a row.

A table has one header at its top, or none. A second one means that two tables are in one file.
"""

import re
from collections.abc import Iterable, Sequence

from sync.sources.csv.errors import TWO_EXPORTS, line_error
from sync.text.characters import trimmed

_PLAIN = re.compile(rb"[a-z0-9]+")
_PIECE = re.compile(r"[^\W_]+")
_WORD_LIST = """
    achternaam building bygg candidate candidateid candidateno candidatenumber code committee
    course coursecode courseid date dato displayname duration efternamn efternavn email
    emailaddress emne emnekode employeeno employeenumber end enddate endtime epost etternavn exam
    examid externalid extra extratime faculty family familyname feide first firstname forename
    fornavn fornavne fullname förnamn given givenname group id kandidat kandidatnr kandidatnummer
    key kode kurs kurskode last lastname login loginid mail middle minutes nachname name names
    namn navn no nr number personid personnr role rolle rom room semester sluttid start startdate
    starttid starttime status student studentid studentno studentnr studentnumber studentnummer
    surname term test testid tid time titel title type user userid username vak varighet voornaam
    vorname
"""
_WORDS = frozenset(_WORD_LIST.split())
"""Words that are common in headers, folded."""


def folded(cell: str) -> str:
    """Return a cell in the form in which headers are compared: without case, blanks and signs."""
    return "".join(_PIECE.findall(trimmed(cell).casefold()))


class HeaderWatch:
    """A search for the header among the rows, in any case and order.

    A row is the header if at least half of its cells, and at least two, are different column names.
    In a table of one or two columns all cells must be.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(map(folded, names)) - {""}
        width = len(names)
        self._least = width if width < 3 else max(2, (width + 1) // 2)
        self._pieces = [
            max(_PLAIN.findall(name.casefold().encode()), key=len, default=b"") for name in names
        ]

    def may_be_in(self, text: str) -> bool:
        """Tell quickly whether a row of the text may be a header; if not, no row is checked.

        It may be if the text contains enough pieces of the names, or a line without data.
        """
        # As bytes, because folding the case of text beyond ASCII takes as long as reading it.
        low = text.encode("utf-8", "surrogatepass").lower()
        missing = 0
        for piece in self._pieces:
            missing += piece not in low
            if missing > len(self._pieces) - self._least:
                return has_line_without_data(low)
        return True

    def is_header(self, cells: Iterable[str]) -> bool:
        """Tell whether the row is the header."""
        return len(self._names.intersection(map(folded, cells))) >= self._least


_NO_DATA = bytes(set(range(256)).difference(b"0123456789@\r\n"))


def has_line_without_data(text: bytes) -> bool:
    """Tell quickly whether a line of the text has neither a digit nor an `@`, as headers do."""
    data = text.translate(None, _NO_DATA).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return (
        data.startswith(b"\n")
        or b"\n\n" in data
        or (data[-1:] in b"\n" and text[-1:] not in (b"\n", b"\r", b""))
    )


_RULE = re.compile(r"[-=_+|\s]*")


def is_rule(cells: Iterable[str]) -> bool:
    """Tell whether the row is the line of dashes that some programs draw under a header."""
    text = "".join(cells)
    return len(text) > 1 and _RULE.fullmatch(text) is not None and ("--" in text or "==" in text)


def is_made_of_words(cells: Sequence[str]) -> bool:
    """Tell whether a row anywhere in a table is a header with other names.

    More than half of its cells, and at least three, are different words of headers. No cell has a
    digit or an `@`.
    """
    if any("@" in cell or any(map(str.isdigit, cell)) for cell in cells):
        return False
    return len(_WORDS.intersection(map(folded, cells))) >= max(3, len(cells) // 2 + 1)


def reads_like_header(cells: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Tell whether a row is a header of the other rows rather than one of them.

    It is if at least half of its cells, and at least two, are words of headers. It also is if none
    of its cells is blank or has a digit or an `@`, and in some column every other row (two at
    least) has a number, a code with two digits or more, or an address.
    """
    known = sum(folded(cell) in _WORDS for cell in cells)
    if known * 2 >= len(cells) and known >= min(2, len(cells)):
        return True
    if any(not cell.strip() or "@" in cell or any(map(str.isdigit, cell)) for cell in cells):
        return False
    columns = list(zip(*others, strict=False))
    return len(others) > 1 and any(all(map(_is_data, column)) for column in columns)


def _is_data(cell: str) -> bool:
    digits = sum(map(str.isdigit, cell))
    return "@" in cell or digits > 1 or (digits == 1 and len(cell.strip()) == 1)


class GapWatch:
    """A check of the first row after blank lines, where a second table may begin with its header.

    Attributes:
        watching: whether blank lines came before this row, or before the row before it.
        previous: the last row; empty before the first.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self.watching = False
        self.previous: list[str] = []
        self._candidate: tuple[int, list[str], list[str]] | None = None

    def look(self, line: int, cells: list[str]) -> None:
        """Take the first row after the gap, then the one after it.

        Raises:
            SourceError: the first reads like a header of the others.
        """
        if self._candidate is None:
            if self.previous:
                self._candidate = line, cells, self.previous
            else:
                self.watching = False
            return
        at, candidate, before = self._candidate
        self.watching, self._candidate = False, None
        if reads_like_header(candidate, [before, cells]):
            reason = "reads like a second header, after blank lines"
            raise line_error(self._place, at, reason, TWO_EXPORTS)
