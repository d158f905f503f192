"""The access token: one for the whole process, fetched at the first call and renewed in time."""

import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime

import structlog

from sync.contract import TOKEN, Call
from sync.errors import CallError, Retry, Stop, Unknown
from sync.inspera import call_errors
from sync.inspera.call_errors import HttpResponse
from sync.inspera.connection import Connection
from sync.inspera.recovery import RECOVERY, Event, event_of_token
from sync.inspera.request import Request
from sync.inspera.requests import bodies
from sync.inspera.responses import envelope

_MARGIN = 60.0
_REMEMBERED = 8  # accepted tokens: enough for all that workers can hold at once
_log = structlog.get_logger("inspera.token")

Send = Callable[[Request, dict[str, str]], HttpResponse]
"""A function that sends a request with these headers and returns any response."""


class AccessToken:
    """The token that all workers share (vendor contract, Token). Thread-safe.

    It is not known whether a second token invalidates the first. So only one thread fetches while
    the others wait for it. `clock` returns aware times, `monotonic` seconds from any origin.
    """

    def __init__(
        self,
        connection: Connection,
        send: Send,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._connection, self._send = connection, send
        self._call = connection.named(TOKEN)
        self._clock, self._monotonic = clock, monotonic
        self._lock = threading.Lock()
        self._value: str | None = None
        self._accepted: deque[str] = deque(maxlen=_REMEMBERED)
        self._renew_at = 0.0

    def current(self) -> str:
        """Return a token that is valid for another minute, or for half its life if that is shorter.

        Raises:
            Retry: it could not be fetched now, so nothing was sent.
            Stop: the key is refused, or a person must solve a problem at Inspera.
        """
        with self._lock:
            if self._value is None or self._monotonic() >= self._renew_at:
                self._fetch()
            return self._value or ""

    def accept(self, token: str) -> None:
        """Record that Inspera accepted this token."""
        if token not in self._accepted:
            self._accepted.append(token)

    def was_accepted(self, token: str) -> bool:
        """Tell whether Inspera ever accepted this token; then a refusal means it expired."""
        return token in self._accepted

    def renewed(self, refused: str) -> str:
        """Return another token than the refused one; raises as `current` does."""
        with self._lock:
            if self._value in (None, refused):
                self._fetch()
            return self._value or ""

    def _fetch(self) -> None:
        self._value = None
        key = self._connection.api_key().strip()
        if not key or not key.isascii() or not key.isprintable():
            raise Stop(
                "inspera.api_key: the API key is empty, or contains a character that no key has (a "
                "line break, or a letter outside ASCII); copy it again from Inspera"
            )
        query, headers = bodies.token(self._connection.client_id, key)
        sent_at = self._monotonic()
        try:
            response = self._send(Request(self._call, query=query, hide=(key,)), headers)
        except Unknown as error:
            raise Retry(f"no token could be fetched from Inspera: {error}") from None
        value, life = self._read(response, key)
        # Its life is counted from before the request: a slow response must not extend it.
        self._value, self._renew_at = value, sent_at + life - min(_MARGIN, life / 2)
        _log.info("token fetched", seconds=round(life))

    def _read(self, response: HttpResponse, key: str) -> tuple[str, float]:
        if not 200 <= response.status < 300:
            raise _token_error(self._call, response, key, self._clock())
        try:
            return envelope.token(call_errors.content_of(response))
        except ValueError:
            raise Stop(
                f"Inspera's response to {self._call.name} ({response.status}) contains no token; "
                "check inspera.url, and that API use is activated for the tenant"
            ) from None


def _token_error(call: Call, response: HttpResponse, key: str, now: datetime) -> CallError:
    """Return the error for a response without a token (vendor contract, Token)."""
    status = response.status
    event = event_of_token(status)
    if event is Event.REDIRECTED:
        return call_errors.redirected(call, response)
    if event is Event.THROTTLED:
        return call_errors.throttled(call, response, now)
    if RECOVERY[event].error is Retry:
        return Retry(f"Inspera could not issue a token ({status}), so nothing was sent")
    reason = envelope.words(call_errors.content_of(response), (key,)) or "no reason was given"
    remedy = {
        400: "the API key or client id is refused; check inspera.api_key and inspera.client_id",
        401: "the API key is refused; check inspera.api_key and inspera.client_id",
        403: "the user who owns the API key may not use the API; ask Inspera to open it",
        404: "this address has no Inspera; check inspera.url",
        407: "the proxy wants a user name and password; put them into inspera.proxy",
        409: "a person must solve this with Inspera's support",
    }.get(status, "check inspera.url, inspera.client_id and inspera.api_key")
    return Stop(f"Inspera issued no token ({status}: {reason}): {remedy}")
