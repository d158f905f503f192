"""Records that the configuration protects from changes, for a time and with a reason. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sync.planning.selection import Selection
from sync.records.base import Key, Kind


@dataclass(frozen=True, slots=True)
class Protection:
    """An entry of `protect`: its records are neither updated nor removed until a day is over."""

    records: Selection
    why: str
    until: date

    def has_expired(self, today: date) -> bool:
        """Tell whether the entry protects nothing any more."""
        return today > self.until


def find_protection(protections: Sequence[Protection], kind: Kind, key: Key, today: date) -> str:
    """Return until when and why a record is protected; empty when it is not."""
    for one in protections:
        if not one.has_expired(today) and one.records.covers(kind, key):
            return f"protected until {one.until} (`protect`): {one.why}"
    return ""
