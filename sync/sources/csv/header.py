"""Telling a header from a row: a table has one at its top (or none), and a second one means two tables in one file."""

import re
from collections.abc import Iterable, Sequence

from sync.text.characters import trimmed

_PLAIN = re.compile(rb"[a-z0-9]+")
_PIECE = re.compile(r"[^\W_]+")
_WORDS = frozenset({
    "achternaam", "building", "bygg", "candidate", "candidateid", "candidateno", "candidatenumber", "code",
    "committee", "course", "coursecode", "courseid", "date", "dato", "displayname", "duration", "efternamn",
    "efternavn", "email", "emailaddress", "emne", "emnekode", "employeeno", "employeenumber", "end", "enddate",
    "endtime", "epost", "etternavn", "exam", "examid", "externalid", "extra", "extratime", "faculty", "family",
    "familyname", "feide", "first", "firstname", "forename", "fornavn", "fornavne", "fullname", "förnamn",
    "given", "givenname", "group", "id", "kandidat", "kandidatnr", "kandidatnummer", "key", "kode", "kurs",
    "kurskode", "last", "lastname", "login", "loginid", "mail", "middle", "minutes", "nachname", "name",
    "names", "namn", "navn", "no", "nr", "number", "personid", "personnr", "role", "rolle", "rom", "room",
    "semester", "sluttid", "start", "startdate", "starttid", "starttime", "status", "student", "studentid",
    "studentno", "studentnr", "studentnumber", "studentnummer", "surname", "term", "test", "testid", "tid",
    "time", "titel", "title", "type", "user", "userid", "username", "vak", "varighet", "voornaam", "vorname",
})  # fmt: skip
"""Words that headers are made of, folded."""


def folded(cell: str) -> str:
    """Return a cell as headers are compared: without case, blanks and signs."""
    return "".join(_PIECE.findall(trimmed(cell).casefold()))


class HeaderWatch:
    """Finds the header again among the rows, whatever its case, blanks and order.

    A row is the header when at least half of its cells are names of columns, each another one, and at least two are (of
    a table with up to two columns: all).
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(map(folded, names)) - {""}
        width = len(names)
        self._least = width if width < 3 else max(2, (width + 1) // 2)
        self._pieces = [
            max(_PLAIN.findall(name.casefold().encode()), key=len, default=b"") for name in names
        ]

    def may_be_in(self, text: str) -> bool:
        """Tell at a glance whether some row of the text may be a header; where none is, no row need be looked at.

        That is so where the text has enough of the names' pieces, or a line without data.
        """
        # as bytes, because folding the case of text beyond ASCII takes as long as reading it
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
    """Tell at a glance whether some line of the text holds neither a digit nor an address, as headers do."""
    data = text.translate(None, _NO_DATA).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return (
        data.startswith(b"\n")
        or b"\n\n" in data
        or (data[-1:] in b"\n" and text[-1:] not in (b"\n", b"\r", b""))
    )


_RULE = re.compile(r"[-=_+|\s]*")


def is_rule(cells: Iterable[str]) -> bool:
    """Tell whether the row is the line that some programs draw under a header: only dashes, two at least."""
    text = "".join(cells)
    return len(text) > 1 and _RULE.fullmatch(text) is not None and ("--" in text or "==" in text)


def is_made_of_words(cells: Sequence[str]) -> bool:
    """Tell whether a row anywhere in a table is a header of other names: more than half of its cells are such words.

    Three at least, each another one, and no cell holds a digit or an `@`.
    """
    if any("@" in cell or any(map(str.isdigit, cell)) for cell in cells):
        return False
    return len(_WORDS.intersection(map(folded, cells))) >= max(3, len(cells) // 2 + 1)


def reads_like_header(cells: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Tell whether a row is rather a header of the other rows than one of them.

    It is when at least half of its cells (and two) are words that headers are made of; or when none of its cells is
    blank or holds a digit or an `@`, and there is a column in which every other row (two at least) holds a number, a
    code with two digits or more, or an address.
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
