"""The question on a terminal whether changes are sent."""

import select
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from sync.console import put, say
from sync.engine.interruption import Interruption
from sync.errors import UsageError
from sync.report.wording import plural

LIMIT = 600.0
"""Seconds after which a question without an answer counts as answered with no.

Meanwhile the run holds the lock of the state, and a service waits for it.
"""

EVERY = 0.2
"""Seconds between two looks at whether the run is to end."""

ReadAnswer = Callable[[float], str | None]
"""A function that waits for a line so many seconds and returns it; None without one.

At the end of the input it returns an empty text.
"""


@dataclass(frozen=True, slots=True)
class Question:
    """A question to the person at the terminal.

    Attributes:
        interruption: ends the wait for an answer.
        read: waits for the answer.
        monotonic: returns seconds from any origin.
        text: returns the question about so many.
    """

    interruption: Interruption
    read: ReadAnswer
    monotonic: Callable[[], float] = time.monotonic
    text: Callable[[int], str] = lambda total: (
        f"Send {'this' if total == 1 else 'these'} {plural(total, 'change')}?"
    )

    def __call__(self, total: int) -> bool:
        """Ask about so many changes, or people. Anything except `y` or `yes` means no.

        Raises:
            Interrupted: the run is to end.
        """
        put(f"{self.text(total)} [y/N] ")
        end = self.monotonic() + LIMIT
        answer = None
        while answer is None and self.monotonic() < end:
            if self.interruption.event.is_set():
                say("")
                self.interruption.raise_if_set()
            answer = self.read(EVERY)
        if not answer:  # neither an end-of-file nor a question without an answer ends its line
            say("" if answer == "" else f"(no answer within {LIMIT / 60:g} minutes)")
        return (answer or "").strip().lower() in ("y", "yes")


def question_on_terminal(interruption: Interruption, *, yes: bool) -> Question | None:
    """Return the question; None with `yes`, or without a person at a terminal."""
    # A standard input that was closed before the process began is None.
    if yes or not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        return None
    return Question(interruption, _read_line)


def forget_on_terminal(interruption: Interruption, *, yes: bool) -> Question | None:
    """Return the question whether people are forgotten; None with `yes`.

    Raises:
        UsageError: there is no person at a terminal, and what follows can't be undone.
    """
    if yes:
        return None
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("forget: can't be undone, and nobody is there to be asked; add --yes")
    return Question(
        interruption, _read_line, text=lambda total: f"Forget {total:,}? This can't be undone."
    )


def _read_line(seconds: float) -> str | None:
    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    return sys.stdin.readline() if ready else None
