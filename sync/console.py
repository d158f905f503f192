"""Standard output and standard error that never stop a run: what can't be written is lost.

A full disk, a reader that has ended (`| head`), a closed terminal or an encoding without `ø` would
raise an error in the middle of a run that sends. Here none does, and the loss is noted (rules 40).
"""

import atexit
import codecs
import json
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from threading import RLock
from typing import Any, TextIO, cast

from sync.text.characters import escaped

JSON = "inspera-sync.json"
"""The name of the error handler that writes missing characters as JSON does: `\\u00f8`."""


def _escape_for_json(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error(JSON, _escape_for_json)


class GuardedStream:
    """A stream that loses what can't be written instead of raising an error. Thread-safe.

    Args:
        stream: where to write; None if it was closed before the process began.
        keep_trying: write on after a failure, as a log should. A report ends with the first one.

    Attributes:
        errors: the error handler for characters that the encoding does not have.
        lost: why something could not be written; empty if everything was.
        reader_left: whether the reason is that the reader has ended.
        missed: how many lines were lost since the last written one.
    """

    def __init__(self, stream: TextIO | None, *, keep_trying: bool = False) -> None:
        self._stream, self._keep_trying, self._lock = stream, keep_trying, RLock()
        self._half_line = False
        self.errors = "backslashreplace"
        self.lost = "" if stream is not None else "it is closed"
        self.reader_left = False
        self.missed = 0

    def write(self, text: str) -> int:
        """Write the text, or lose it. Return its length, as a stream does."""
        if not isinstance(text, str):
            raise TypeError(f"write() needs a text, not {type(text).__name__}")
        with self._lock:
            if self._stream is not None and (self._keep_trying or not self.lost):
                try:
                    self._write(self._stream, text)
                except (OSError, ValueError) as error:
                    self._lose(error, text)
        return len(text)

    def flush(self) -> None:
        """Do nothing: everything is written at once."""

    def _write(self, stream: TextIO, text: str) -> None:
        encoding = getattr(stream, "encoding", None) or "utf-8"
        content = text.encode(encoding, self.errors)
        if (descriptor := _flushed_descriptor(stream)) is None:
            stream.write(content.decode(encoding))
        else:
            # Not through Python's buffer: after a full disk, its content would fail again at exit.
            _write_all(descriptor, b"\n" + content if self._half_line else content)
        self._half_line, self.missed = False, 0

    def _lose(self, error: OSError | ValueError, text: str) -> None:
        self.lost = (error.strerror if isinstance(error, OSError) else None) or "it is closed"
        self.reader_left = isinstance(error, BrokenPipeError)
        self._half_line = self._half_line or (isinstance(error, _HalfWrittenError) and error.some)
        self.missed += max(text.count("\n"), 1)

    def __getattr__(self, name: str) -> Any:
        if self._stream is None:
            return getattr(_NOWHERE, name)
        return getattr(self._stream, name)


class _HalfWrittenError(OSError):
    """A part of a text may have been written (`some`), and the rest was not."""

    some = False


_NOWHERE = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - open until the process ends
atexit.register(_NOWHERE.close)  # at the latest then, or Python warns that nobody closed it


def _flushed_descriptor(stream: TextIO) -> int | None:
    """Flush the stream and return its file descriptor; None if it has none, as in tests."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):  # io.UnsupportedOperation is both
        return None
    stream.flush()
    return descriptor


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:  # another process has made the pipe non-blocking
            select.select([], [descriptor], [])
        except BrokenPipeError:
            raise
        except OSError as error:
            half = _HalfWrittenError(error.errno, error.strerror)
            half.some = len(rest) < len(content)
            raise half from None


@contextmanager
def guard_standard_streams() -> Iterator[GuardedStream]:
    """Guard standard error and standard output of this process, and yield the latter."""
    _fill_gaps()
    report, errors = GuardedStream(sys.stdout), GuardedStream(sys.stderr, keep_trying=True)
    with redirect_stdout(cast(TextIO, report)), redirect_stderr(cast(TextIO, errors)):
        yield report


def use_json_escapes() -> None:
    """Keep the following output valid JSON, even if the encoding does not have a character."""
    if isinstance(sys.stdout, GuardedStream):
        sys.stdout.errors = JSON


def put(piece: str) -> None:
    """Write to standard output as it is."""
    sys.stdout.write(piece)
    sys.stdout.flush()


def write(piece: str) -> None:
    """Write to standard output, with control and invisible characters of the sources escaped."""
    put(escaped(piece))


def say(line: str) -> None:
    """Write a line to standard output, escaped."""
    write(f"{line}\n")


def warn(line: str) -> None:
    """Write a line to standard error, escaped."""
    print(escaped(line), file=sys.stderr, flush=True)  # noqa: T201


def _fill_gaps() -> None:
    """Open the null device for each closed standard stream.

    Otherwise the next file that is opened would get its number, and our output.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                os.open(os.devnull, os.O_RDWR)  # it gets the lowest free number
