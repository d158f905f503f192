"""Standard output and standard error that never stop the work: what can't be written is lost, and that is remembered.

A full disk, a reader that has gone (`| head`), a terminal that was closed, an encoding without `ø`: each of them would
raise in the middle of a run that sends. Here none does (rules 40).
"""

import codecs
import json
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from threading import RLock
from typing import Any, TextIO, cast

JSON = "inspera-sync.json"
"""Name of the way in which characters that an encoding lacks are written within JSON, which knows `\\u00f8` alone."""


def _escape_for_json(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error(JSON, _escape_for_json)


class GuardedStream:
    """A stream that loses what can't be written instead of raising. Thread-safe.

    Args:
        stream: what is written to; None when it was closed before the process began.
        goes_on: try again after a failure, as a log should. A report is over with the first.

    Attributes:
        errors: what becomes of characters that the encoding lacks.
        lost: why something could not be written; empty when all was.
        reader_left: whether that is because whoever read it has gone.
        missed: how many lines were lost since the last one that was written.
    """

    def __init__(self, stream: TextIO | None, *, goes_on: bool = False) -> None:
        self._stream, self._goes_on, self._lock = stream, goes_on, RLock()
        self._torn = False
        self.errors = "backslashreplace"
        self.lost = "" if stream is not None else "it is closed"
        self.reader_left = False
        self.missed = 0

    def write(self, text: str) -> int:
        """Write the text, or lose it. Returns its length, as a stream does."""
        if not isinstance(text, str):
            raise TypeError(f"a text is written here, not {type(text).__name__}")
        with self._lock:
            if self._stream is not None and (self._goes_on or not self.lost):
                try:
                    self._put(self._stream, text)
                except (OSError, ValueError) as error:
                    self._lose(error, text)
        return len(text)

    def flush(self) -> None:
        """Do nothing: everything is written at once."""

    def _put(self, stream: TextIO, text: str) -> None:
        encoding = getattr(stream, "encoding", None) or "utf-8"
        content = text.encode(encoding, self.errors)
        if (number := _number(stream)) is None:
            stream.write(content.decode(encoding))
        else:
            # Past Python's buffer: what a full disk leaves in it would be tried again, and fail, at the end.
            _write_all(number, b"\n" + content if self._torn else content)
        self._torn, self.missed = False, 0

    def _lose(self, error: OSError | ValueError, text: str) -> None:
        self.lost = (error.strerror if isinstance(error, OSError) else None) or "it is closed"
        self.reader_left = isinstance(error, BrokenPipeError)
        self._torn = self._torn or (isinstance(error, _HalfWrittenError) and error.some)
        self.missed += max(text.count("\n"), 1)

    def __getattr__(self, name: str) -> Any:
        if self._stream is None:
            return getattr(_NOWHERE, name)
        return getattr(self._stream, name)


class _HalfWrittenError(OSError):
    """A part of a text may have been written (`some`), and the rest was not."""

    some = False


_NOWHERE = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - as long as the process lives


def _number(stream: TextIO) -> int | None:
    """Return the stream's file descriptor, with nothing left in its buffer; None when it has none, as in tests."""
    try:
        number = stream.fileno()
    except (OSError, ValueError):  # io.UnsupportedOperation is both
        return None
    stream.flush()
    return number


def _write_all(number: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        try:
            rest = rest[os.write(number, rest) :]
        except BlockingIOError:  # somebody else has made the pipe so, and its reader is slow
            select.select([], [number], [])
        except BrokenPipeError:
            raise
        except OSError as error:
            half = _HalfWrittenError(error.errno, error.strerror)
            half.some = len(rest) < len(content)
            raise half from None


@contextmanager
def guard_standard_streams() -> Iterator[GuardedStream]:
    """Guard this process's standard output, which is given, and standard error while it is open."""
    _fill_gaps()
    report, errors = GuardedStream(sys.stdout), GuardedStream(sys.stderr, goes_on=True)
    with redirect_stdout(cast(TextIO, report)), redirect_stderr(cast(TextIO, errors)):
        yield report


def use_json_escapes() -> None:
    """Let what follows on standard output stay JSON, whatever the encoding lacks."""
    if isinstance(sys.stdout, GuardedStream):
        sys.stdout.errors = JSON


def _fill_gaps() -> None:
    """Open nothing in the place of standard streams that are closed, or the next file would get their number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
