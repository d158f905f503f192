"""When an export of Inspera's people tells who exists, instead of a look-up of each person. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sync.records.base import Kind

EXPORTS: Final[Mapping[Kind, tuple[Kind, ...]]] = {
    Kind.LEARNER: (Kind.LEARNER, Kind.STAFF),
    Kind.STAFF: (Kind.STAFF, Kind.LEARNER),
}
"""The exports that prove that a login is new: those of both kinds, since a login is one account. A
learner must not overwrite a staff account with other names (rules 32), and an account that was there
before us is never disabled by us (rules 10)."""

UNSEEN: Final = (
    "Not seen so: an account with another login and the same external id;"
    " `existing.export_above: 0` looks everyone up."
)
"""What an export of logins does not show, and what to do about it."""


@dataclass(frozen=True, slots=True)
class NewPeople:
    """How many new people of a kind a plan has: for tests of the next 7 days, and others.

    Those near are looked up one by one: an export may take 30 minutes (rules 19).
    """

    near: int = 0
    later: int = 0

    def need_export(self, above: int) -> bool:
        """Tell whether the others are so many that an export is made; `above` 0: never."""
        return 0 < above < self.later

    def proven(self, above: int) -> int:
        """Return how many people an export proves to be new, if none of them exists."""
        return self.later if self.need_export(above) else 0
