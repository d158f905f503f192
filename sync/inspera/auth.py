"""The access token: one for the whole process, fetched when it is first needed, and renewed in time."""

import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime

import structlog

from sync.contract import TOKEN, Call
from sync.errors import CallError, Retry, Stop, Unknown
from sync.inspera import answers
from sync.inspera.answers import Answer
from sync.inspera.calls import Request
from sync.inspera.connection import Connection
from sync.inspera.recovery import RECOVERY, Event, happened_to_token
from sync.inspera.requests import bodies
from sync.inspera.responses import envelope

_MARGIN = 60.0
_REMEMBERED = 8  # accepted tokens: enough for all that can be in the hands of workers at once
_log = structlog.get_logger("inspera.token")

Send = Callable[[Request, dict[str, str]], Answer]
"""Sends a request with these headers and gives the answer, whatever its status."""


class AccessToken:
    """Holds the token that all workers share (vendor contract, Token). Thread-safe.

    Whether a second token voids the first is unknown, so only one thread fetches while the others wait for it.
    `clock` gives aware times, `monotonic` seconds from any origin.
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
        """A token with time left: a minute, or half its life when that is shorter.

        Raises:
            Retry: it could not be fetched now, so nothing was sent.
            Stop: the key is refused, or a person must sort something out at Inspera.
        """
        with self._lock:
            if self._value is None or self._monotonic() >= self._renew_at:
                self._fetch()
            return self._value or ""

    def accept(self, token: str) -> None:
        """Inspera took this token."""
        if token not in self._accepted:
            self._accepted.append(token)

    def was_accepted(self, token: str) -> bool:
        """Whether Inspera has ever taken this token, so that a refusal only says that its time is over."""
        return token in self._accepted

    def renewed(self, refused: str) -> str:
        """Another token than the one that was refused; raises as `current` does."""
        with self._lock:
            if self._value in (None, refused):
                self._fetch()
            return self._value or ""

    def _fetch(self) -> None:
        self._value = None
        key = self._key()
        query, headers = bodies.token(self._connection.client_id, key)
        asked_at = self._monotonic()
        try:
            answer = self._send(Request(self._call, query=query, hide=(key,)), headers)
        except Unknown as error:
            raise Retry(f"no token could be fetched from Inspera: {error}") from None
        value, life = self._read(answer, key)
        self._value, self._renew_at = value, asked_at + life - min(_MARGIN, life / 2)
        _log.info("token fetched", seconds=round(life))

    def _key(self) -> str:
        key = self._connection.api_key().strip()
        if not key or not key.isascii() or not key.isprintable():
            raise Stop(
                "inspera.api_key: the API key is empty, or holds a character that no key has (a line break, or a "
                "letter outside ASCII); copy it again from Inspera"
            )
        return key

    def _read(self, answer: Answer, key: str) -> tuple[str, float]:
        if not 200 <= answer.status < 300:
            raise _refusal(self._call, answer, key, self._clock())
        try:
            return envelope.token(answers.content_of(answer))
        except ValueError:
            raise Stop(
                f"Inspera's answer to {self._call.name} ({answer.status}) holds no token; check inspera.url, and that "
                f"API use is activated for the tenant"
            ) from None


def _refusal(call: Call, answer: Answer, key: str, now: datetime) -> CallError:
    """What an answer without a token means (vendor contract, Token)."""
    status = answer.status
    what = happened_to_token(status)
    if what is Event.REDIRECTED:
        return answers.redirected(call, answer)
    if what is Event.THROTTLED:
        return answers.throttled(call, answer, now)
    if RECOVERY[what].error is Retry:
        return Retry(f"Inspera could not give a token ({status}), so nothing was sent")
    said = envelope.words(answers.content_of(answer), (key,)) or "no reason was given"
    remedy = {
        400: "the API key or client id is refused; check inspera.api_key and inspera.client_id",
        401: "the API key is refused; check inspera.api_key and inspera.client_id",
        403: "the user who owns the API key may not use the API; ask Inspera to open it",
        404: "there is no Inspera at this address; check inspera.url",
        407: "the proxy wants a user name and password; put them into inspera.proxy",
        409: "a person must sort this out with Inspera's support",
    }.get(status, "check inspera.url, inspera.client_id and inspera.api_key")
    return Stop(f"Inspera gave no token ({status}: {said}): {remedy}")
