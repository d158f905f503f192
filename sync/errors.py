"""Errors, named by how we recover from them.

One record's refusal never stops the others; a `Stop` ends the run. The message of every error fits
on one line: what happened and what to do, without secrets and without people's names.
"""

from sync import __version__


def install_remedy(extra: str) -> str:
    """Return how to install the libraries of an extra: no package index has this project."""
    wheel = f"inspera_sync-{__version__}-py3-none-any.whl"
    return (
        f"install the wheel again with its extra: pip install './{wheel}[{extra}]'"
        " (see `inspera-sync help operating`)"
    )


class SyncError(Exception):
    """The base of all errors that this project raises on purpose. `str()` is for an operator."""


class UsageError(SyncError):
    """The command or the configuration is wrong, and nothing was done. Exit status 2."""


class Locked(SyncError):
    """Another process has locked this state. Exit status 75."""


class Interrupted(SyncError):
    """A signal, a timeout or a pause ended the run before anything was sent."""


class SourceError(SyncError):
    """A source can't be read completely. None of it is used in this run. Exit status 4.

    Attributes:
        where: the file or the URL, with the line if it is known.
        reason: what is wrong.
        remedy: what to do.
    """

    def __init__(self, where: str, reason: str, remedy: str) -> None:
        super().__init__(f"{where}: {reason}; {remedy}")
        self.where, self.reason, self.remedy = where, reason, remedy


class Unusable(Exception):
    """A value, a query or a server can't be used: why, and what to do.

    Never shown as it is: the caller adds where, and makes a `SourceError` or a row error of it. Its
    words contain no value, because that may name a person.
    """

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason}; {remedy}")
        self.reason, self.remedy = reason, remedy


class StateError(SyncError):
    """The state can't be used: it is of a newer version, not writable or damaged. Exit status 2."""


class OtherTenant(StateError):
    """The state belongs to another tenant than the one in the configuration. Exit status 2."""


class StateUnreachable(StateError):
    """The state can't be used now, but may be later; the service tries again. Exit status 4."""


class StateBusy(StateUnreachable):
    """Another program than inspera-sync has locked the state. Exit status 75."""


class Deposed(StateError):
    """Another process has taken over the leadership; this run must not write. Exit status 75."""


class CallError(SyncError):
    """The base of what can go wrong with one call to Inspera."""


class Retry(CallError):
    """The call was certainly not carried out: it was not sent, or Inspera answered 429.

    Attributes:
        after: the number of seconds to wait, if Inspera asked for it.
    """

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class Outdated(CallError):
    """The call was not sent: what it rests on was read too long ago, and is to be read again."""


class Unknown(CallError):
    """The call was sent, but its answer is missing or unreadable: it may have been carried out."""


class Refused(CallError):
    """Inspera refused this record; the message is Inspera's.

    Attributes:
        status: the HTTP status.
        named: the ids in the answer, to find the refused records of a batch.
        in_doubt: whether an earlier attempt of the same call was lost, and may be carried out.
    """

    in_doubt = False

    def __init__(self, message: str, status: int, named: frozenset[str] = frozenset()) -> None:
        super().__init__(message)
        self.status, self.named = status, named


class AlreadyExists(Refused):
    """Inspera refused to save a person because the username exists.

    Attributes:
        names_username: whether the answer names the username; else it names nothing that exists.
    """

    def __init__(
        self,
        message: str,
        status: int,
        named: frozenset[str] = frozenset(),
        *,
        names_username: bool = False,
    ) -> None:
        super().__init__(message, status, named)
        self.names_username = names_username


class NotThere(Refused):
    """A 404: nobody matches a look-up; or for a write, the test or the call does not exist."""


class CallMissing(CallError):
    """The tenant does not seem to have the call: 405 or 501, or 404 on three existing tests."""


class Stop(CallError):
    """Nothing more can be sent in this run, such as with a refused API key. Exit status 5."""
