"""The outcome of a change whose call ended in an error."""

from sync.errors import AlreadyExists, CallError, Refused, Stop, Unknown
from sync.inspera.caller import StopInDoubt
from sync.records.changes import Cause, Outcome, Result


def outcome_of(error: CallError) -> Outcome:
    """Return the outcome of a change whose call ended in this error, in the error's own words.

    `Cause.TAKEN`: the username exists.

    Raises:
        Stop: the error is a `Stop`: it is not about this change, of which nothing was sent.
    """
    if isinstance(error, StopInDoubt):
        return Outcome(Result.UNKNOWN, str(error))
    if isinstance(error, Stop):
        raise error
    if isinstance(error, AlreadyExists):
        return Outcome(Result.REFUSED, str(error), cause=Cause.TAKEN)
    if isinstance(error, Refused):
        return Outcome(Result.REFUSED, str(error))
    result = Result.UNKNOWN if isinstance(error, Unknown) else Result.NOT_SENT
    return Outcome(result, str(error))


def lookup_failed(error: CallError, result: Result = Result.NOT_SENT) -> Outcome:
    """Return the outcome of a change that was not sent because a look-up failed.

    Raises:
        Stop: the error is a `Stop`.
    """
    if isinstance(error, Stop):
        raise error
    return Outcome(result, f"not looked up: {error}")
