"""Exit statuses, as `help exit-statuses` documents them: of those that apply to a run, the first in this order is given."""

from enum import IntEnum


class Exit(IntEnum):
    """What the process says at its end."""

    OK = 0
    ERRORS = 1
    USAGE = 2
    HELD = 3
    SOURCE = 4
    INSPERA = 5
    CHANGES = 10
    LOCKED = 75
    INTERRUPTED = 130
    TERMINATED = 143


def worst(
    *, inspera: bool = False, source: bool = False, held: bool = False, row_errors: bool = False
) -> Exit:
    """The status of a run that was neither locked nor interrupted."""
    for applies, status in (
        (inspera, Exit.INSPERA),
        (source, Exit.SOURCE),
        (held, Exit.HELD),
        (row_errors, Exit.ERRORS),
    ):
        if applies:
            return status
    return Exit.OK
