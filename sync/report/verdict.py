"""The last line of a command: its result, with the exit status that it ends with."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sync.exit_codes import Exit
from sync.report.lines import Line, Tone

_WHY: Final[Mapping[Exit, str]] = {
    Exit.ERRORS: "something is in error",
    Exit.USAGE: "the configuration must be corrected",
    Exit.HELD: "something is held, or waits for a test that starts soon",
    Exit.SOURCE: "a source can't be used or trusted",
    Exit.INSPERA: "Inspera can't be reached, or refuses the key",
    Exit.LOCKED: "another run, or another program, has locked the state",
    Exit.INTERRUPTED: "ended early",
    Exit.TERMINATED: "ended early",
}


_CAUSES: Final[Mapping[Exit, Mapping[str, tuple[str, ...]]]] = {
    Exit.ERRORS: {
        "a row is in error": ("row error",),
        "a change failed": ("refused", "unknown", "not sent", "not as sent"),
        "a change waits": ("waiting", "deferred"),
    },
    Exit.HELD: {
        "something is held": ("held",),
        "something waits for a test that starts soon": ("waiting", "deferred"),
    },
}
"""What gives an exit status, with the ends of the names of the figures that count it."""

_BY_WORD: Final[Mapping[str, str]] = {
    "paused": "sending is paused",
    "declined": "nothing was sent, as you asked",
}
"""Why a run that ended in one of these ways has status 3."""

_NO_COUNTS: Final[Mapping[str, int]] = MappingProxyType({})


def verdict_text(
    what: str,
    figures: str,
    status: int,
    counts: Mapping[str, int] = _NO_COUNTS,
    word: str = "done",
) -> Line:
    """Return the last line of a command, so that it can never contradict the exit status.

    Args:
        what: the command's name, such as `Check`.
        figures: what it found, such as `2 row errors`.
        status: the exit status.
        counts: the figures by their name, from which the reason for the status follows.
        word: how a run ended.
    """
    meaning = status_text(status, counts, word)
    return Line(f"{what}: {figures}; exit status {meaning}.", status_tone(status))


def status_tone(status: int) -> Tone:
    """Return the tone of an exit status."""
    if status in (Exit.OK, Exit.CHANGES):
        return Tone.GOOD
    return Tone.HELD if status == Exit.HELD else Tone.ERROR


def status_text(status: int, counts: Mapping[str, int] = _NO_COUNTS, word: str = "done") -> str:
    """Return an exit status and its meaning: `4: a source can't be used or trusted`, or `0`."""
    why = _causes_text(Exit(status), counts) or _WHY.get(Exit(status), "")
    why = _BY_WORD.get(word, why) if status == Exit.HELD else why
    return f"{int(status)}{f': {why}' if why else ''}"


def _causes_text(status: Exit, counts: Mapping[str, int]) -> str:
    """Return the reasons for an exit status that the figures of a run show; empty for none."""
    causes = [
        cause
        for cause, ends in _CAUSES.get(status, {}).items()
        if any(number and name.endswith(ends) for name, number in counts.items())
    ]
    # Something held gives the status by itself, so that what waits need not be soon.
    return " and ".join(causes[:1] if status is Exit.HELD else causes)
