"""Errors, named by how we recover from them.

One record's refusal never stops the others; a `Stop` ends the run. Every error carries its own wording: what
happened and what to do, in one line, without secrets and without people's names.
"""


class SyncError(Exception):
    """The base of every error that this project raises on purpose; `str()` is fit to show to an operator."""


class UsageError(SyncError):
    """The command or the configuration is wrong; nothing was done. Exit status 2."""


class Locked(SyncError):
    """Another process holds this state. Exit status 75."""


class Interrupted(SyncError):
    """The run was ended by a signal, its deadline or a pause while nothing was being sent yet."""


class SourceError(SyncError):
    """A source could not be read whole; nothing of it is used in this run. Exit status 4.

    `where` is the file (or URL) with the line where one is known; `reason` says what; `remedy` what to do.
    """

    def __init__(self, where: str, reason: str, remedy: str) -> None:
        super().__init__(f"{where}: {reason}; {remedy}")
        self.where, self.reason, self.remedy = where, reason, remedy


class StateError(SyncError):
    """The state store cannot be used as it is (newer version, not writable, damaged). Exit status 2."""


class OtherTenant(StateError):
    """The state belongs to another tenant than the configuration names. Exit status 2."""


class StateUnreachable(StateError):
    """The state store cannot be used just now (full, unreadable, out of reach); a service tries again. Status 4."""


class StateBusy(StateUnreachable):
    """A program that is not a run of ours holds the state store. Exit status 75."""


class Deposed(StateError):
    """Another process has taken over: nothing of this run may be written any more. Exit status 75."""


class CallError(SyncError):
    """The base of what can go wrong with one call to Inspera."""


class Retry(CallError):
    """Not carried out for sure: it was not sent, or Inspera said 429. May be repeated.

    `after` is the number of seconds that Inspera asked for, when it did.
    """

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class Unknown(CallError):
    """Sent, but the answer was lost or unreadable: it may have been carried out."""


class Refused(CallError):
    """Inspera said no to this record, in its own words.

    `status` is the HTTP status; `named` holds the ids that the answer names, so that a batch can be narrowed down.
    """

    def __init__(self, message: str, status: int, named: frozenset[str] = frozenset()) -> None:
        super().__init__(message)
        self.status, self.named = status, named


class NotThere(Refused):
    """A 404: on a look-up nobody matches; on a write the test (or the call) does not exist."""


class CallMissing(CallError):
    """405 or 501, or a 404 on three tests that exist: the tenant does not seem to have the call, which stops."""


class Stop(CallError):
    """Nothing more can be sent in this run: the key is refused, the certificate is not trusted. Exit status 5."""
