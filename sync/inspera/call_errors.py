"""Translation of HTTP responses into errors, by the table in `recovery`. Pure."""

import json
import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from sync.contract import SAVES, Call, Repeat
from sync.errors import (
    AlreadyExists,
    CallError,
    CallMissing,
    NotThere,
    Refused,
    Retry,
    Stop,
    Unknown,
)
from sync.inspera.recovery import RECOVERY, event_of
from sync.inspera.request import Request
from sync.inspera.responses import envelope, limits
from sync.inspera.responses.existing import Existing, existing_of
from sync.inspera.responses.wording import page_text, texts_in


class Throttled(Retry):
    """A 429, or words of the limit on requests: Inspera wants fewer calls from all workers, not only from this one."""


class ThrottledInDoubt(Unknown):
    """Words of the limit on requests, with a status that does not prove that nothing was done.

    Of a call that must not be sent twice. The limit may have been met after it was carried out.
    """


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One response; `retry_after`, `location` and `date` are its headers of these names.

    `said` is the status that was sent, if `status` is another (see `with_limit_as_429`).
    `header_names` are the names of all its headers, and `seconds` is how long it took.
    """

    status: int
    body: bytes = b""
    retry_after: str | None = None
    location: str | None = None
    date: str | None = None
    said: int | None = None
    header_names: frozenset[str] = field(default=frozenset(), compare=False)
    seconds: float = field(default=0.0, compare=False)


def with_limit_as_429(response: HttpResponse, request: Request | None = None) -> HttpResponse:
    """Return the response with status 429 if it refuses the call because of too many requests.

    The status of such a response is not known (vendor contract, Conventions), so its words tell it.
    Words that the `request` contains do not count.
    """
    status = response.status
    if status == 429 or status < 200 or 300 <= status < 400:
        return response
    if status < 300 and not envelope.failed(content_of(response)):
        return response
    content = _words_of(response)
    # The reasons of a refusal only: its other members may repeat what was sent.
    texts = envelope.all_texts(content) if status >= 500 else envelope.reasons(content)
    found = limits.speaks_of_requests(
        texts,
        at_fault=status >= 500,
        sent=_sent(request) if request else frozenset(),
        asks_to_wait=response.retry_after is not None,
    )
    return replace(response, status=429, said=status) if found else response


def parse_success(request: Request, response: HttpResponse, now: datetime) -> object:
    """Return the parsed body of a response that reports success. `now` is aware.

    Raises:
        CallError: it reports anything else; the class says how to recover.
    """
    if not 200 <= response.status < 300:
        raise _error_of(request, response, now)
    if response.status == 204:
        return {}
    try:
        content: object = json.loads(response.body)
    except (ValueError, RecursionError):
        raise unreadable(request.call, response.status) from None
    if envelope.failed(content):
        raise refusal(request, response)
    return content


def unreadable(call: Call, status: int) -> Unknown:
    """Return the error for a 2xx without the content that the contract describes."""
    return Unknown(
        f"Inspera's response to {call.name} ({status}) cannot be read, so it is not known whether "
        "it was carried out"
    )


def call_missing(call: Call, status: int) -> CallMissing:
    """Return the error for a call that this tenant does not seem to have."""
    return CallMissing(
        f"this tenant does not seem to have the call {call.name} ({status}), so it is not sent in "
        "this run; run `inspera-sync doctor`, and ask Inspera whether it is open to your key"
    )


def refusal(request: Request, response: HttpResponse) -> Refused:
    """Return the error for a refused request, in the vendor's own words."""
    status, content = response.status, content_of(response)
    reason = envelope.words(content, request.hide) or "no reason was given"
    message = f"Inspera refused {request.call.name} ({status}): {reason}"
    named = envelope.named(content, request.ids)
    if status == 404:
        return NotThere(message, status, named)
    if request.call.name in SAVES:
        existing = existing_of(status, _words_of(response), _sent(request))
        if existing:
            by_name = existing is Existing.USERNAME
            return AlreadyExists(message, status, named, names_username=by_name)
    return Refused(message, status, named)


def throttled(call: Call, response: HttpResponse, now: datetime) -> Throttled:
    """Return the error for a 429, with the wait that it asks for."""
    return Throttled(
        f"Inspera asked for fewer calls and did not accept {call.name} "
        f"({response.said or response.status})",
        requested_wait(response, now),
    )


def requested_wait(response: HttpResponse, now: datetime) -> float | None:
    """Return the seconds that `Retry-After` asks for, by number or date; `None` without it."""
    text = (response.retry_after or "").strip()
    if not text:
        return None
    try:
        is_number = text[0] in "0123456789"
        seconds = float(text) if is_number else (_parse_date(text) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def date_of(response: HttpResponse) -> datetime | None:
    """Return when Inspera responded by its own clock, aware; `None` without a readable `Date`."""
    try:
        return _parse_date(response.date) if response.date else None
    except (ValueError, TypeError, OverflowError):
        return None


def content_of(response: HttpResponse) -> object:
    """Return the parsed body of a refusal; `None` when it is not JSON but a page for browsers."""
    try:
        content: object = json.loads(response.body)
    except (ValueError, RecursionError):
        return None
    return content


def redirected(call: Call, response: HttpResponse) -> Stop:
    """Return the error for a redirect. It is never followed: it could carry the key elsewhere."""
    destination = "another address"
    try:
        parts = urlsplit(response.location or "")
        if parts.scheme and parts.hostname:
            destination = f"{parts.scheme}://{parts.hostname}"
    except ValueError:
        pass  # an unreadable location is not repeated
    return Stop(
        f"inspera.url: Inspera answered {call.name} with a redirect ({response.status}) to "
        f"{destination}; set inspera.url to the tenant's own https address"
    )


def _error_of(request: Request, response: HttpResponse, now: datetime) -> CallError:
    call, status = request.call, response.status
    error = RECOVERY[event_of(call, status)].error
    if error is Retry:
        if _may_be_carried_out(call, response):
            return ThrottledInDoubt(
                f"Inspera asked for fewer calls in its response to {call.name} ({response.said}), "
                "so it is not known whether it was carried out"
            )
        return throttled(call, response, now)
    if error is CallMissing:
        return call_missing(call, status)
    if error is Unknown:
        return Unknown(
            f"Inspera failed on {call.name} ({status}), so it is not known whether it was carried "
            "out"
        )
    return _stop(call, response) if error is Stop else refusal(request, response)


def _may_be_carried_out(call: Call, response: HttpResponse) -> bool:
    """Tell whether a call that must not be sent twice may be carried out despite the limit.

    A 4xx refuses it. A 5xx, or a 2xx with errors, may come after it.
    """
    refuses = response.said is None or (400 <= response.said < 500 and response.said != 408)
    return not (refuses or call.reads or call.repeat is Repeat.SAFE)


def _stop(call: Call, response: HttpResponse) -> Stop:
    if response.status == 401:
        return Stop(
            f"Inspera does not accept its own new token for {call.name} (401): check that the user "
            "who owns the key still exists, and that API use is activated for the tenant"
        )
    if response.status == 407:
        return Stop(
            "inspera.proxy: the proxy wants a user name and password (407); put them into "
            "inspera.proxy"
        )
    return redirected(call, response)


def _words_of(response: HttpResponse) -> object:
    """Return the content of a response; that of a page for browsers as one message."""
    content = content_of(response)
    return {"message": page_text(response.body)} if content is None else content


def _sent(request: Request) -> frozenset[str]:
    """Return the values of a request, which a response may repeat."""
    return texts_in(request.places, request.query, request.body)


def _parse_date(text: str) -> datetime:
    at = parsedate_to_datetime(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
