"""Exit statuses, as `help exit-statuses` documents them.

If several apply to a run, the first one in `worst` is used.
"""

from enum import IntEnum


class Exit(IntEnum):
    """The exit status of the process."""

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
    """Return the status of a run that was neither locked nor interrupted."""
    for applies, status in (
        (inspera, Exit.INSPERA),
        (source, Exit.SOURCE),
        (held, Exit.HELD),
        (row_errors, Exit.ERRORS),
    ):
        if applies:
            return status
    return Exit.OK
