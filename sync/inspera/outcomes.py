"""What an error of a call means for the change that it was made for."""

from sync.errors import CallError, Refused, Stop, Unknown
from sync.inspera.caller import StopInDoubt
from sync.records.changes import Outcome, Result


def outcome_of(error: CallError) -> Outcome:
    """The outcome of a change whose call ended in this error, in the error's own words.

    Raises:
        Stop: the error is one; it is not about this change, of which nothing was sent.
    """
    if isinstance(error, StopInDoubt):
        return Outcome(Result.UNKNOWN, str(error))
    if isinstance(error, Stop):
        raise error
    return Outcome(result_of(error), str(error))


def result_of(error: CallError) -> Result:
    """Refused and unknown are what they say; anything else was not sent, or not taken."""
    if isinstance(error, Refused):
        return Result.REFUSED
    return Result.UNKNOWN if isinstance(error, Unknown) else Result.NOT_SENT


def unread(error: CallError, result: Result = Result.NOT_SENT) -> Outcome:
    """The outcome when a look-up failed before anything was sent for the change.

    Raises:
        Stop: the error is one.
    """
    if isinstance(error, Stop):
        raise error
    return Outcome(result, f"not looked up: {error}")
