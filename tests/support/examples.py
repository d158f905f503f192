"""How many examples a property whose examples are slow is tested with."""

import os


def examples(searching: int) -> int:
    """Return this many for `make search`, and half as many otherwise."""
    search = os.environ.get("HYPOTHESIS_PROFILE") == "search"
    return searching if search else (searching + 1) // 2
