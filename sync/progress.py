"""The progress of long work, as those who do it and those who show it see it."""

from typing import Protocol


class Progress(Protocol):
    """A function that receives how far long work is, and shows it or not."""

    def __call__(self, phase: str, done: int, total: int | None = None) -> None:
        """Report that `done` of `total` (None when unknown) are done in this phase."""
