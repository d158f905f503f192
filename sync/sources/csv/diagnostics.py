"""The search for the line of an error.

It runs after an error only, so it may read the file again.
"""

import codecs
from collections.abc import Iterable
from typing import BinaryIO, NamedTuple

_CHUNK = 1 << 16


class BadByte(NamedTuple):
    """The first byte that can't be decoded, and its line, counted from 1."""

    line: int
    byte: int


class OpenQuote(NamedTuple):
    """The last quote that began a cell: its line, and whether it was still open at the end."""

    line: int
    open: bool


def find_bad_byte(file: BinaryIO, encoding: str) -> BadByte | None:
    """Return the place where the file stops being text in this encoding; None if it is not known.

    Raises:
        OSError: the file can't be read again.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    breaks = _LineBreaks()
    while chunk := file.read(_CHUNK):
        before = decoder.getstate()
        try:
            breaks.add(decoder.decode(chunk))
        except UnicodeError:
            decoder.setstate(before)
            return _byte_by_byte(decoder, chunk, breaks)
    return _byte_by_byte(decoder, b"", breaks)


def _byte_by_byte(
    decoder: codecs.IncrementalDecoder, chunk: bytes, breaks: "_LineBreaks"
) -> BadByte | None:
    # Only the decoder knows its shift states and half characters, and so which byte is too much.
    try:
        for at in range(len(chunk)):
            breaks.add(decoder.decode(chunk[at : at + 1]))
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return BadByte(breaks.count + 1, error.object[error.start])
    except UnicodeError:
        return None
    return None


def line_breaks(text: str) -> int:
    """Count the lines that end in the text: by a line feed, a carriage return, or both."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")


class _LineBreaks:
    """A count of line breaks in text that comes in pieces: a CR LF may be split between two."""

    def __init__(self) -> None:
        self.count = 0
        self._after_return = False

    def add(self, text: str) -> None:
        if not text:
            return
        self.count += line_breaks(text)
        if self._after_return and text[0] == "\n":
            self.count -= 1
        self._after_return = text[-1] == "\r"


def find_open_quote(
    lines: Iterable[str], first: int, delimiter: str, quote: str, escape: str | None = None
) -> OpenQuote | None:
    """Follow the quotes of one row from its line `first` on; return None if all are right.

    Stop at a quote that is followed by neither a delimiter, a line break nor another quote.
    """
    ends = {delimiter, "\r", "\n"}
    state, opened = "start", 0
    for number, line in enumerate(lines, start=first):
        characters = iter(line)
        for character in characters:
            if character == escape:
                next(characters, None)
                state = state if state == "inside" else "plain"
            elif state == "inside":
                state = "after" if character == quote else state
            elif character == quote and state == "start":
                state, opened = "inside", number
            elif character == quote and state == "after":
                state = "inside"
            elif character in ends:
                state = "start"
            elif state == "after":
                return OpenQuote(opened, open=False)
            else:
                state = "plain"
    return OpenQuote(opened, open=True) if state == "inside" else None
