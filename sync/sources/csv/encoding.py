"""Checks that a file is in the encoding that its settings name. The encoding is never guessed."""

import codecs
from typing import BinaryIO

from sync.errors import SourceError
from sync.text.characters import is_misread

_LOOK = 512
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
"""Byte order marks with their encodings.

UTF-32 comes first: its marks begin like those of UTF-16.
"""

_KEEPS_MARK = {"utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"}


def require_encoding(place: str, file: BinaryIO, encoding: str) -> None:
    """Check the first bytes, and leave the file at its start.

    Raises:
        SourceError: the bytes show that the file is in another encoding.
    """
    name, start = codecs.lookup(encoding).name, _peek(file)
    wide = name.startswith(("utf-16", "utf-32"))
    for mark, taking in _BYTE_ORDER_MARKS:
        if start.startswith(mark):
            if name == taking or (
                name in _KEEPS_MARK and name.startswith(taking.removesuffix("-sig"))
            ):
                return
            kind = taking.removesuffix("-sig").upper()
            reason = f"is {kind}, as its byte order mark shows, and not {encoding}"
            raise SourceError(place, reason, f"set its 'encoding' to {taking}")
    if wide and start and b"\0" not in start:
        reason = f"is not {encoding}: it has no zero byte, and every table in {encoding} has some"
        raise SourceError(
            place, reason, "set its 'encoding' to the one it is in, such as utf-8-sig or cp1252"
        )
    if not wide and (meant := _wide_encoding(start)):
        reason = f"seems to be {meant} without a byte order mark: every other byte is zero (NUL)"
        raise SourceError(place, reason, f"set its 'encoding' to {meant}")


def _peek(file: BinaryIO) -> bytes:
    peek = getattr(file, "peek", None)
    if peek is not None:
        return bytes(peek(_LOOK)[:_LOOK])
    start = file.read(_LOOK)
    file.seek(0)
    return start


def _wide_encoding(start: bytes) -> str | None:
    """Return the encoding that the places of zero bytes show; None if they show none."""
    if len(start) < 4 or start.count(b"\0") * 3 < len(start):
        return None
    zeros = "".join(
        "0" if start[at::4].count(b"\0") * 4 > len(start) // 2 else "x" for at in range(4)
    )
    return {"x0x0": "utf-16-le", "0x0x": "utf-16-be", "x000": "utf-32-le", "000x": "utf-32-be"}.get(
        zeros
    )


class Utf8Watch:
    """A check whether all bytes beyond ASCII, in a text of a one-byte encoding, are valid UTF-8.

    Real text is never so by chance, except for a single pair such as `É®`, which proves nothing.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._found: set[str] = set()
        self._valid = is_one_byte(encoding)

    def look(self, text: str) -> None:
        """Take the next piece of the text."""
        if not self._valid or text.isascii():
            return
        try:
            read = self._decoder.decode(text.encode(self._encoding))
        except UnicodeError:
            self._valid, self._found = False, set()
            return
        if len(self._found) < 2:
            self._found.update(character for character in read if not character.isascii())

    @property
    def is_utf8(self) -> bool:
        """Tell whether the whole text is UTF-8. Call it at the end of the text."""
        if not self._valid or self._decoder.getstate()[0]:
            return False
        return len(self._found) > 1 or any(_proves(character) for character in self._found)


def _proves(character: str) -> bool:
    pair = character.encode()
    seen = "".join(
        chr(byte) if byte in _UNDEFINED else bytes([byte]).decode("cp1252") for byte in pair
    )
    return is_misread(seen) or character == "Š"  # which is seen as "Å" and a no-break space


_UNDEFINED = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
"""Bytes that windows-1252 does not have."""


def is_one_byte(encoding: str) -> bool:
    """Tell whether the encoding has one character for each byte, and includes ASCII."""
    every = bytes(range(256))
    try:
        ascii_ = every[:128].decode(encoding)
        upper = every[128:].decode(encoding, "replace")
        return ascii_ == every[:128].decode("ascii") and len(upper) == 128 and len(set(upper)) > 64
    except UnicodeError:
        return False
