"""Finding the place of a CSV file's error. Runs only once something went wrong, so it may read the file again."""

import codecs
from collections.abc import Iterable
from typing import BinaryIO, NamedTuple

_CHUNK = 1 << 16


class BadByte(NamedTuple):
    """The first byte that can't be decoded, and its line, counted from 1."""

    line: int
    byte: int


class OpenQuote(NamedTuple):
    """The last quote that began a cell: its line, and whether it was still open at the end of the text."""

    line: int
    open: bool


def find_bad_byte(file: BinaryIO, encoding: str) -> BadByte | None:
    """Where the file, read from its start, stops being text in this encoding; `None` when that can't be told.

    Raises:
        OSError: the file can't be read again.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    breaks = _Breaks()
    while chunk := file.read(_CHUNK):
        before = decoder.getstate()
        try:
            breaks.add(decoder.decode(chunk))
        except UnicodeError:
            decoder.setstate(before)
            return _byte_by_byte(decoder, chunk, breaks)
    return _byte_by_byte(decoder, b"", breaks)


def _byte_by_byte(
    decoder: codecs.IncrementalDecoder, chunk: bytes, breaks: "_Breaks"
) -> BadByte | None:
    """Shift states and half characters belong to the decoder, so only the decoder can say which byte is too much."""
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
    """How many lines end in the text, as an open text file counts them: by `\\n`, `\\r` and `\\r\\n`."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")


class _Breaks:
    """Counts line breaks in text that comes in pieces: a `\\r\\n` may be torn."""

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
    lines: Iterable[str], first: int, delimiter: str, quote: str, escape: str = ""
) -> OpenQuote | None:
    """Follows one row's quotes from its first line, number `first`; `None` when they are in order.

    Stops at a quote that is followed by neither a delimiter, a line break nor another quote.
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
