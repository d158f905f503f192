"""Progress of long work: a bar on a terminal, else a plain line now and then."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from threading import Lock
from typing import TYPE_CHECKING, Any, TextIO, cast

from sync.progress import Progress
from sync.text.characters import escaped

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

EVERY = 10.0
"""Seconds between two plain lines."""


@contextmanager
def shown(stream: TextIO | None = None) -> Iterator[Progress]:
    """Show progress on `stream` (standard error by default): a bar on a terminal, else lines."""
    stream = stream or sys.stderr
    if not stream.isatty():
        yield _Lines(stream)
        return
    bars = _Bars(stream)
    try:
        if sys.stdout.isatty():
            with redirect_stdout(cast(TextIO, _WithoutBars(sys.stdout, bars))):
                yield bars
        else:
            yield bars
    finally:
        bars.hide()


class _Bars:
    """A bar for each phase, on a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown: RichProgress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._lock = Lock()

    def __call__(self, phase: str, done: int, total: int | None = None) -> None:
        from rich.markup import escape

        with self._lock:
            if self._shown is None:
                self._shown, self._tasks = self._start(), {}
            if phase not in self._tasks:
                name = escape(escaped(phase))
                self._tasks[phase] = self._shown.add_task(name, total=total)
            self._shown.update(self._tasks[phase], completed=done, total=total)

    def _start(self) -> "RichProgress":
        from rich.console import Console
        from rich.progress import Progress as RichProgress

        # rich would send standard output to the stream of the bar, and so past `> plan.txt`
        shown = RichProgress(
            console=Console(file=self._stream), transient=True, redirect_stdout=False
        )
        shown.start()
        return shown

    def hide(self) -> None:
        """Remove the bars, until the next progress."""
        with self._lock:
            if self._shown is not None:
                self._shown.stop()
                self._shown = None


class _WithoutBars:
    """A standard output on the terminal of the bars, which are hidden while it is written to."""

    def __init__(self, stream: TextIO, bars: _Bars) -> None:
        self._stream, self._bars = stream, bars

    def write(self, text: str) -> int:
        self._bars.hide()
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Lines:
    """A line at most every `EVERY` seconds, so that a log stays readable; short work has none."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._printed = stream, time.monotonic()

    def __call__(self, phase: str, done: int, total: int | None = None) -> None:
        now = time.monotonic()
        if now - self._printed >= EVERY:
            self._printed = now
            print(
                f"{phase}: {done:,}" + (f" of {total:,}" if total else ""),
                file=self._stream,
                flush=True,
            )
