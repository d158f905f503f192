"""The table of all events of a call, and how the program recovers from each (rules 22). Pure.

Errors are named by how we recover from them (`sync.errors`), so each row names its error.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sync.contract import CANDIDATE_REMOVE, COMMITTEE_REMOVE, CONTRIBUTOR_REMOVE, STAFF_DELETE, Call
from sync.errors import CallError, CallMissing, NotThere, Refused, Retry, Stop, Unknown


class Event(StrEnum):
    """An event that can occur when a call is sent once."""

    NOT_SENT = "no connection could be made"
    THROTTLED = "429, or any status with words of the limit on requests"
    LOST = "sent, then no answer in time or a broken connection"
    FAILED = "5xx or 408"
    UNREADABLE = "2xx that cannot be read"
    REFUSED = "400, 409, 422, or 2xx with errors"
    NOT_ALLOWED = "403, or any other 4xx"
    NOBODY = "404 on a look-up"
    NO_TEST = "404 on a write"
    GONE = "404 on a removal"
    NO_CALL = "405 or 501"
    NO_RIGHT = "401 with a new token"
    REDIRECTED = "3xx"
    PROXY_LOGIN = "407"
    NOT_TRUSTED = "a certificate or an address that cannot be used"
    TOKEN_LATER = "no token at the moment: 5xx, 408, or the answer was lost"  # noqa: S105 - words, not a secret
    TOKEN_REFUSED = "no token: 400, 401, 403, 404, 409, or a 2xx without one"  # noqa: S105 - words, not a secret


@dataclass(frozen=True, slots=True)
class RecoveryRule:
    """The recovery from one event.

    Attributes:
        error: the error that is raised.
        then: the next step, in words.
        narrows: whether a batch is narrowed down until only the records that cause it are left.
    """

    error: type[CallError]
    then: str
    narrows: bool = False


RECOVERY: Final[Mapping[Event, RecoveryRule]] = {
    Event.NOT_SENT: RecoveryRule(
        Retry, "sent again up to `inspera.attempts` times; too many in a row end the run"
    ),
    Event.THROTTLED: RecoveryRule(
        Retry,
        "all workers pause as long as it asks, up to a ceiling; the calls in flight are halved, and "
        "the rate too if only one was in flight; sent again up to `inspera.attempts` times, but a "
        "call that must not be sent twice is settled first, unless the status is a 4xx",
    ),
    Event.LOST: RecoveryRule(
        Unknown, "settled before anything else is sent for the record, as its call allows"
    ),
    Event.FAILED: RecoveryRule(
        Unknown, "settled like a lost call; if most calls fail, the run ends"
    ),
    Event.UNREADABLE: RecoveryRule(Unknown, "settled like a lost call"),
    Event.REFUSED: RecoveryRule(
        Refused, "that record is refused, in the vendor's words; the others go on", narrows=True
    ),
    Event.NOT_ALLOWED: RecoveryRule(
        Refused, "all records of the call are refused, in the vendor's words; the others go on"
    ),
    Event.NOBODY: RecoveryRule(NotThere, "nobody matches"),
    Event.NO_TEST: RecoveryRule(
        NotThere, "that test is refused; after three tests that a read shows to exist, as 405"
    ),
    Event.GONE: RecoveryRule(
        NotThere, "done if a read proves it, or if the call has worked here before; else refused"
    ),
    Event.NO_CALL: RecoveryRule(
        CallMissing, "this call is not sent again in the run, the others go on; run `doctor`"
    ),
    Event.NO_RIGHT: RecoveryRule(Stop, "the run ends"),
    Event.REDIRECTED: RecoveryRule(Stop, "never followed; the run ends"),
    Event.PROXY_LOGIN: RecoveryRule(Stop, "the run ends"),
    Event.NOT_TRUSTED: RecoveryRule(Stop, "the run ends"),
    Event.TOKEN_LATER: RecoveryRule(Retry, "fetched again up to `inspera.attempts` times"),
    Event.TOKEN_REFUSED: RecoveryRule(Stop, "the run ends; a person must solve it"),
}
"""All events. `sync.contract.Repeat` says for each call what "as its call allows" means."""

_ABOUT_A_RECORD: Final = frozenset({400, 409, 422})
_REMOVALS: Final = frozenset(
    call.name for call in (STAFF_DELETE, COMMITTEE_REMOVE, CONTRIBUTOR_REMOVE, CANDIDATE_REMOVE)
)
_BY_STATUS: Final[Mapping[int, Event]] = {
    401: Event.NO_RIGHT,
    405: Event.NO_CALL,
    407: Event.PROXY_LOGIN,
    408: Event.FAILED,
    429: Event.THROTTLED,
    501: Event.NO_CALL,
}


def event_of(call: Call, status: int) -> Event:
    """Return the event for a response; a 2xx is one with `errors`, as others need no recovery."""
    if status == 404:
        if call.reads:
            return Event.NOBODY
        return Event.GONE if call.name in _REMOVALS else Event.NO_TEST
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 300 <= status < 400:
        return Event.REDIRECTED
    if 400 <= status < 500:
        return Event.REFUSED if status in _ABOUT_A_RECORD else Event.NOT_ALLOWED
    return Event.REFUSED if 200 <= status < 300 else Event.FAILED


def event_of_token(status: int) -> Event:
    """Return the event for a response to the token call (vendor contract, Token).

    There 500 and 501 are documented, and temporary.
    """
    if status in (429, 407):
        return _BY_STATUS[status]
    if 300 <= status < 400:
        return Event.REDIRECTED
    return Event.TOKEN_LATER if status >= 500 or status == 408 else Event.TOKEN_REFUSED


def narrows(call: Call, error: Refused) -> bool:
    """Tell whether a refusal may be about one record of many, so that a batch is narrowed down."""
    return RECOVERY[event_of(call, error.status)].narrows
