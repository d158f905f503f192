"""What a refusal of a change on a test means, by the vendor's words. Pure.

The words are inferred (`sync.contract`). Refusals with other words are ordinary ones.
"""

from sync.contract import ARCHIVED, STARTED_WORDS
from sync.errors import Refused
from sync.records.changes import Cause, Outcome, Result


def deferred_as_archived(error: Refused) -> Outcome | None:
    """Return the outcome of all changes on a test that is archived; None if it is not refused so.

    Such a refusal is about the test, so nothing more is sent for it (rules 22).
    """
    if ARCHIVED not in str(error).lower():
        return None
    return Outcome(Result.DEFERRED, str(error), cause=Cause.ARCHIVED)


def cause_of_kept(error: Refused) -> Cause:
    """Return `STARTED` if a candidate is not taken off because they have started; else none."""
    text = str(error).lower()
    return Cause.STARTED if any(word in text for word in STARTED_WORDS) else Cause.NONE
