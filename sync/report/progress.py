"""Progress of long work: a bar on a terminal, else a plain line now and then."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from sync.progress import Progress

EVERY = 10.0
"""Seconds between two plain lines."""


@contextmanager
def shown(stream: TextIO | None = None) -> Iterator[Progress]:
    """Show progress on `stream` (standard error by default): a bar on a terminal, else lines."""
    stream = stream or sys.stderr
    if not stream.isatty():
        yield _Lines(stream)
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(file=stream), transient=True) as bar:
        tasks: dict[str, object] = {}

        def show(phase: str, done: int, total: int | None = None) -> None:
            if phase not in tasks:
                tasks[phase] = bar.add_task(phase, total=total)
            bar.update(tasks[phase], completed=done, total=total)  # type: ignore[arg-type]  # rich's own task id

        yield show


class _Lines:
    """A line at most every `EVERY` seconds, so that a log stays readable; short work has none."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._said = stream, time.monotonic()

    def __call__(self, phase: str, done: int, total: int | None = None) -> None:
        now = time.monotonic()
        if now - self._said >= EVERY:
            self._said = now
            print(
                f"{phase}: {done:,}" + (f" of {total:,}" if total else ""),
                file=self._stream,
                flush=True,
            )
