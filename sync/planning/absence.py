"""Why a record's absence may prove nothing in a run. Pure (rules 5)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AbsenceDoubt:
    """A reason why absence proves nothing.

    Attributes:
        reason: the reason in words.
        needs_person: whether it stays until a person says that the sources are complete. Any other
            reason passes with the next complete reading.
    """

    reason: str
    needs_person: bool = False
