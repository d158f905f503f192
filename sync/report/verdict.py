"""The last line of a command: what it came to, with the exit status that it ends with."""

from collections.abc import Mapping
from typing import Final

from sync.exit_codes import Exit

_WHY: Final[Mapping[Exit, str]] = {
    Exit.ERRORS: "a row is in error, or a change failed",
    Exit.USAGE: "the configuration must be corrected",
    Exit.HELD: "something is held, or waits for a test that starts soon",
    Exit.SOURCE: "a source can't be used or trusted",
    Exit.INSPERA: "Inspera can't be reached, or refuses the key",
    Exit.INTERRUPTED: "ended early",
    Exit.TERMINATED: "ended early",
}


def verdict_text(what: str, found: str, status: int) -> str:
    """Return the last line of a command, so that it can never contradict the exit status.

    Args:
        what: the command's word, such as `Check`.
        found: the figures, such as `2 row errors`.
        status: the exit status.
    """
    return f"{what}: {found}; exit status {status_text(status)}."


def status_text(status: int) -> str:
    """Return an exit status and its meaning: `4: a source can't be used or trusted`, or `0`."""
    why = _WHY.get(Exit(status), "")
    return f"{int(status)}{f': {why}' if why else ''}"
