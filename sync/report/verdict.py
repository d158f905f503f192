"""The last line of a command: its result, with the exit status that it ends with."""

from collections.abc import Mapping
from typing import Final

from sync.exit_codes import Exit
from sync.report.lines import Line, Tone

_WHY: Final[Mapping[Exit, str]] = {
    Exit.ERRORS: "a row is in error, or a change failed",
    Exit.USAGE: "the configuration must be corrected",
    Exit.HELD: "something is held, or waits for a test that starts soon",
    Exit.SOURCE: "a source can't be used or trusted",
    Exit.INSPERA: "Inspera can't be reached, or refuses the key",
    Exit.INTERRUPTED: "ended early",
    Exit.TERMINATED: "ended early",
}


def verdict_text(what: str, figures: str, status: int) -> Line:
    """Return the last line of a command, so that it can never contradict the exit status.

    Args:
        what: the command's name, such as `Check`.
        figures: what it found, such as `2 row errors`.
        status: the exit status.
    """
    return Line(f"{what}: {figures}; exit status {status_text(status)}.", status_tone(status))


def status_tone(status: int) -> Tone:
    """Return the tone of an exit status."""
    if status in (Exit.OK, Exit.CHANGES):
        return Tone.GOOD
    return Tone.HELD if status == Exit.HELD else Tone.ERROR


def status_text(status: int) -> str:
    """Return an exit status and its meaning: `4: a source can't be used or trusted`, or `0`."""
    why = _WHY.get(Exit(status), "")
    return f"{int(status)}{f': {why}' if why else ''}"
