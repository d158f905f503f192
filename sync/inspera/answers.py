"""Sorts answers by how we recover from them, as the table in `recovery` has it, and words what they mean. Pure."""

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from sync.contract import Call
from sync.errors import CallError, CallMissing, NotThere, Refused, Retry, Stop, Unknown
from sync.inspera.calls import Request
from sync.inspera.recovery import RECOVERY, happened
from sync.inspera.responses import envelope


class Throttled(Retry):
    """A 429: Inspera wants fewer calls from all of us, not only from this worker."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as it came: `retry_after`, `location` and `date` are its headers of these names."""

    status: int
    body: bytes = b""
    retry_after: str | None = None
    location: str | None = None
    date: str | None = None


def document(request: Request, answer: Answer, now: datetime) -> object:
    """The parsed content of an answer that says that the call was carried out. `now` is aware.

    Raises:
        CallError: it says anything else, of the class that says how to recover.
    """
    if not 200 <= answer.status < 300:
        raise _sorted(request, answer, now)
    if answer.status == 204:
        return {}
    try:
        content: object = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise unreadable(request.call, answer.status) from None
    if envelope.failed(content):
        raise refusal(request, answer.status, content)
    return content


def unreadable(call: Call, status: int) -> Unknown:
    """A 2xx without the content that the contract gives it."""
    return Unknown(
        f"Inspera's answer to {call.name} ({status}) cannot be read, so it is not known whether it was done"
    )


def missing(call: Call, status: int) -> CallMissing:
    """A call that this tenant does not seem to have."""
    return CallMissing(
        f"this tenant does not seem to have the call {call.name} ({status}), so it is not sent in this run; "
        f"run `inspera-sync doctor`, and ask Inspera whether it is open to your key"
    )


def refusal(request: Request, status: int, content: object) -> Refused:
    """A no to what was sent, in the vendor's own words."""
    said = envelope.words(content, request.hide) or "no reason was given"
    message = f"Inspera refused {request.call.name} ({status}): {said}"
    named = envelope.named(content, request.ids)
    return NotThere(message, status, named) if status == 404 else Refused(message, status, named)


def throttled(call: Call, answer: Answer, now: datetime) -> Throttled:
    """A 429, with the wait that it asks for."""
    return Throttled(
        f"Inspera asked for fewer calls and would not take {call.name} (429)",
        asked_wait(answer, now),
    )


def asked_wait(answer: Answer, now: datetime) -> float | None:
    """The seconds that `Retry-After` asks for, given as seconds or as a date; `None` when it asks for nothing."""
    asked = (answer.retry_after or "").strip()
    if not asked:
        return None
    try:
        seconds = float(asked) if asked[0] in "0123456789" else _until(asked, now)
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def date_of(answer: Answer) -> datetime | None:
    """When Inspera's own clock says that it answered, aware; `None` when the answer does not say."""
    try:
        return _moment(answer.date) if answer.date else None
    except (ValueError, TypeError, OverflowError):
        return None


def content_of(answer: Answer) -> object:
    """The parsed content of a refusal, `None` when it is not JSON: a page for browsers is nobody's reason."""
    try:
        content: object = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return content


def redirected(call: Call, answer: Answer) -> Stop:
    """A redirect, which is never followed: it could carry the key or the token elsewhere."""
    try:
        parts = urlsplit(answer.location or "")
        aim = (
            f"{parts.scheme}://{parts.hostname}"
            if parts.scheme and parts.hostname
            else "another address"
        )
    except ValueError:
        aim = "another address"
    return Stop(
        f"inspera.url: Inspera answered {call.name} with a redirect ({answer.status}) to {aim}; "
        f"set inspera.url to the tenant's own https address"
    )


def _sorted(request: Request, answer: Answer, now: datetime) -> CallError:
    call, status = request.call, answer.status
    error = RECOVERY[happened(call, status)].error
    if error is Retry:
        return throttled(call, answer, now)
    if error is CallMissing:
        return missing(call, status)
    if error is Stop:
        return _stopping(call, answer)
    if error is Unknown:
        return Unknown(
            f"Inspera failed on {call.name} ({status}), so it is not known whether it was done"
        )
    return refusal(request, status, content_of(answer))


def _stopping(call: Call, answer: Answer) -> Stop:
    if answer.status == 401:
        return Stop(
            f"Inspera does not accept its own new token for {call.name} (401): check that the user who owns the key "
            f"still exists, and that API use is activated for the tenant"
        )
    if answer.status == 407:
        return Stop(
            "inspera.proxy: the proxy wants a user name and password (407); put them into inspera.proxy"
        )
    return redirected(call, answer)


def _until(date: str, now: datetime) -> float:
    return (_moment(date) - now).total_seconds()


def _moment(date: str) -> datetime:
    at = parsedate_to_datetime(date)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
