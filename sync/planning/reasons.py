"""Reasons that many records share. Pure."""

from sync.records.base import Key, Kind
from sync.records.kinds import PERSON_OF

OWN_ENDS = (" ", ",", "`")
"""What follows a record's own person or test in a reason: more words, a clause, or the end of a
command."""


def general_reason(kind: Kind, key: Key, reason: str) -> str:
    """Return a reason without the record's own person or test, so that many records share it.

    The state does the same in SQL for the groups of a plan (`plan_reader`).
    """
    noun, own = (PERSON_OF[kind], key[1]) if kind in PERSON_OF else (kind, key[0])
    for end in OWN_ENDS:
        reason = reason.replace(f"{noun} {own}{end}", f"{noun} …{end}")
    return reason
