"""The caller: it makes calls at the permitted rate, with a token, and repeats them if it is safe."""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, TypeVar

import structlog
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_when_event_set,
)
from tenacity.nap import sleep_using_event
from tenacity.wait import wait_random_exponential

from sync.contract import SAVES, TOKEN, Call, Repeat
from sync.errors import (
    CallError,
    CallMissing,
    NotThere,
    Outdated,
    Refused,
    Retry,
    Stop,
    Unknown,
)
from sync.inspera import call_errors
from sync.inspera.auth import AccessToken
from sync.inspera.call_errors import HttpResponse, Throttled, ThrottledInDoubt
from sync.inspera.client import Client, Unreachable
from sync.inspera.clock import ClockCheck
from sync.inspera.connection import Connection
from sync.inspera.in_flight import InFlight
from sync.inspera.request import Request
from sync.inspera.tenant_health import TenantHealth
from sync.inspera.throttle import Throttle

T = TypeVar("T")
_LONGEST_BACKOFF = 30.0
_CHUNK = 64 * 1024
_IN_MEMORY = 4 * 1024 * 1024
"""The most bytes of a download that are kept in memory; more go into a temporary file."""
_MAX_RENEWALS = 5
_STATUS_WORDS: dict[type[CallError], str] = {Unreachable: "unreachable", Stop: "stopped"}
_log = structlog.get_logger("inspera.call")


class StopInDoubt(Stop):
    """A Stop after an earlier attempt of the same call that may have been carried out."""


_OUTDATED = "Inspera was read too long ago, because calls had to wait; the next run reads it again"


class Caller:
    """A maker of calls for all workers. Thread-safe.

    Once `stop` is set, nothing more is sent and every wait ends; calls in flight finish. `clock`
    returns aware times, `monotonic` seconds from any origin, and `sleep` waits that many seconds
    unless `stop` ends it.
    """

    def __init__(
        self,
        connection: Connection,
        stop: threading.Event,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self.connection, self.clock = connection, clock
        self.tenant = TenantHealth(
            connection.attempts * max(connection.max_in_flight, 4), monotonic
        )
        self.clock_check = ClockCheck()
        self._stop, self._monotonic = stop, monotonic
        self._sleep = sleep or sleep_using_event(stop)
        self._client = Client(connection)
        self._in_flight = InFlight(connection.max_in_flight, stop, monotonic, connection.observer)
        self._queue = threading.Lock()
        self._throttle = Throttle(connection.calls_per_second, stop, monotonic, self._sleep)
        self._token = AccessToken(connection, self._send, clock, monotonic)
        self._backoff = wait_random_exponential(
            max=min(_LONGEST_BACKOFF, connection.retry_after_ceiling)
        )

    @property
    def stopping(self) -> bool:
        """Tell whether the run is being ended, so that nothing more is sent."""
        return self._stop.is_set()

    def named(self, call: Call) -> Call:
        """Return the call of this name as the operator has it."""
        return self.connection.named(call)

    def call(self, request: Request, read: Callable[[object], T], *, settles: bool = False) -> T:
        """Make one call and return its body as `read` returns it.

        `read` raises `ValueError` for a body that it can't read. A request that was not sent is
        sent again, a bounded number of times. A request that was sent and lost is sent again only
        if the call only reads, or if sending it twice changes nothing. With `settles` it is not
        sent again even then, because the calling code reads its outcome instead (rules 22).

        Raises:
            Retry: it was not carried out: every attempt failed, or the run is being ended.
            Unknown: at least one attempt may have been carried out, and none succeeded.
            Outdated: what the request rests on did not hold any more when it was to be sent.
            Refused, NotThere, CallMissing, Stop: see `sync.errors`.
        """
        return self.call_with_response(request, read, settles=settles)[0]

    def call_with_response(
        self, request: Request, read: Callable[[object], T], *, settles: bool = False
    ) -> tuple[T, HttpResponse]:
        """Make one call as `call` does, and return the whole response too."""
        repeats = request.call.reads or (request.call.repeat is Repeat.SAFE and not settles)
        lost: list[Unknown] = []
        retrying = Retrying(
            stop=stop_after_attempt(self.connection.attempts) | stop_when_event_set(self._stop),
            wait=self._wait,
            retry=retry_if_exception_type((Retry, Unknown) if repeats else (Retry,)),
            before_sleep=self._pause_all,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            result: tuple[T, HttpResponse] = retrying(self._attempt, request, read, lost)
        except (Retry, CallMissing, Outdated):
            # An earlier attempt may have been carried out: the last error must not hide that.
            if lost and not request.call.reads:
                raise lost[-1] from None
            raise
        except Refused as error:
            # Perhaps it is refused because the lost attempt was carried out.
            error.in_doubt = bool(lost)
            raise
        except Stop as error:
            if lost and not request.call.reads:
                raise StopInDoubt(str(error)) from None
            raise
        return result

    def read_once(self, request: Request) -> HttpResponse:
        """Make one call that only reads, and return its response whatever its status.

        It is not repeated, and says nothing about the health of the tenant.

        Raises:
            ValueError: the call may change something.
            Retry, Unknown, Stop: see `Client.send`; the token is fetched as for any call.
        """
        if not request.call.reads:
            raise ValueError(f"{request.call.name} may change something")
        return self._send_with_token(request)

    def pause(self, seconds: float) -> bool:
        """Wait; return false when the run is being ended meanwhile."""
        if seconds > 0 and not self.stopping:
            self._sleep(seconds)
        return not self.stopping

    def download(self, url: str) -> Iterator[bytes]:
        """Download the file behind a link once, without our token, and yield it in chunks.

        The whole file is downloaded before its first chunk is yielded. Otherwise it would be a call
        in flight until it is read, and the calls that are made meanwhile might wait for its end.

        Raises:
            Retry: it can't be downloaded now, or the run is being ended.
            Refused: the link is not followed.
        """
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
            with self._admitted("nothing is downloaded", throttled=False):
                began = self._monotonic()
                try:
                    for chunk in self._client.download(url):
                        _write(file, chunk)
                except Throttled:
                    self._slow_down(began)
                    raise
            file.seek(0)
            while chunk := file.read(_CHUNK):
                yield chunk

    def elapsed(self) -> float:
        """Return seconds from any origin, to measure how long something takes."""
        return self._monotonic()

    def ask_time(self) -> None:
        """Fetch a token, unless some response has shown Inspera's time already.

        Raises:
            Retry, Stop: as for the token of any call.
        """
        if not self.clock_check.seen:
            self._token.current()

    def close(self) -> None:
        """Close all connections."""
        self._client.close()
        self._in_flight.close()

    def _attempt(
        self, request: Request, read: Callable[[object], T], lost: list[Unknown]
    ) -> tuple[T, HttpResponse]:
        self.tenant.admit(request.call)
        try:
            response = self._send_with_token(request)
            content = call_errors.parse_success(request, response, self.clock())
            try:
                result = read(content)
            except ValueError:
                raise call_errors.unreadable(request.call, response.status) from None
        except CallError as failure:
            error = self._without_call(request.call, failure)
            if isinstance(error, Unknown):
                lost.append(error)
            self._note_failure(request.call, error)
            raise error from None
        self.tenant.worked(request.call)
        return result, response

    def _without_call(self, call: Call, error: CallError) -> CallError:
        """Return the error for a 404 on saving a person: the path has no id, so the call is missing."""
        if (
            isinstance(error, NotThere)
            and call.name in SAVES
            and not (call.places or self.tenant.has(call))
        ):
            return call_errors.call_missing(call, error.status)
        return error

    def _note_failure(self, call: Call, error: CallError) -> None:
        """Record a failure in the tenant's health. Refusals don't count."""
        if isinstance(error, CallMissing):
            self.tenant.lacks(call, error)
        elif isinstance(error, Stop):
            self.tenant.stop(error)
        elif not isinstance(error, Throttled | ThrottledInDoubt | Outdated) and not self.stopping:
            self.tenant.attempted(failed=not isinstance(error, Refused))

    def _send_with_token(self, request: Request) -> HttpResponse:
        """Return the response to a request with a valid token, or a 401 to one with a new token.

        A refused token is renewed once. It is renewed again only if Inspera accepted the new one
        meanwhile: then other workers have renewed it too, and the run must not stop for that.
        """
        token = self._token.current()
        response = self._send(request, _bearer(token))
        for renewals in range(_MAX_RENEWALS):
            if response.status != 401:
                self._token.accept(token)
                break
            if renewals and not self._token.was_accepted(token):
                break
            token = self._token.renewed(token)
            response = self._send(request, _bearer(token))
        return response

    def _send(self, request: Request, headers: dict[str, str]) -> HttpResponse:
        """Send one request, also the token's, when it is permitted."""
        with self._admitted(f"{request.call.name} was not sent"):
            if request.may_go and not request.may_go():
                raise Outdated(_OUTDATED)
            return self._send_now(request, headers)

    @contextmanager
    def _admitted(self, instead: str, *, throttled: bool = True) -> Iterator[None]:
        """Wait until one more call may be in flight and the throttle permits it.

        Raises:
            Retry: the run is being ended; its message says what happens `instead`.
        """
        # One worker at a time waits for both, so that only calls in flight count as in flight, and
        # none that waits for the throttle.
        with self._queue:
            while True:
                self._in_flight.wait_for_room()
                if self.stopping or (throttled and not self._throttle.acquire()) or self.stopping:
                    raise Retry(f"the run is being ended, so {instead}")
                if self._in_flight.enter():
                    break
        try:
            yield
        finally:
            self._in_flight.leave()

    def _send_now(self, request: Request, headers: dict[str, str]) -> HttpResponse:
        began, sent_at = self._monotonic(), self.clock()
        try:
            response = call_errors.with_limit_as_429(self._client.send(request, headers), request)
        except CallError as error:
            self._observe(request.call, _STATUS_WORDS.get(type(error), "lost"), began)
            _log.warning("call failed", call=request.call.name, error=str(error))
            if isinstance(error, Unreachable) or request.call.name == TOKEN.name:
                stop = None if isinstance(error, Stop) else self.tenant.unreachable(str(error))
                if stop is not None:
                    raise stop from None
            raise
        self.clock_check.note(sent_at, self.clock(), call_errors.date_of(response))
        self._note_response(request, response, began)
        return response

    def _observe(self, call: Call, status: str, began: float) -> float:
        seconds = self._monotonic() - began
        if self.connection.observer:
            self.connection.observer.call(call.name, status, seconds)
        return seconds

    def _note_response(self, request: Request, response: HttpResponse, began: float) -> None:
        status, name = response.status, request.call.name
        seconds = self._observe(request.call, str(status), began)
        _log.debug("call", call=name, status=status, milliseconds=round(seconds * 1000))
        if status == 429:
            self._slow_down(began)
        elif status < 500:
            self._in_flight.succeed()
            self._throttle.speed_up()
        wait = call_errors.requested_wait(response, self.clock()) if status in (429, 503) else None
        if wait is not None:
            self._throttle.pause(min(wait, self.connection.retry_after_ceiling))
        if status == 429:
            self.tenant.throttled()
        elif status == 503 or (name == TOKEN.name and status >= 500):
            # The outcome of this call stays unknown; if the run stops, it stops at the next one.
            self.tenant.unreachable(f"Inspera is not available ({status} on {name})")
        else:
            self.tenant.reached()

    def _slow_down(self, began: float) -> None:
        """Lower the number of calls in flight; also the rate, if this was the only one in flight.

        Inspera limits the calls in flight and publishes no limit on the rate (rules 22).
        """
        in_flight = self._in_flight.lower(began)
        if in_flight is None:
            return
        if in_flight == 1:
            self._throttle.slow_down(began)
        _log.warning(
            "slowed down",
            in_flight=self._in_flight.allowed,
            calls_per_second=round(self._throttle.calls_per_second, 2),
        )

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Retry) and error.after is not None:
            return min(error.after, self.connection.retry_after_ceiling)
        return self._backoff(state)

    def _pause_all(self, state: RetryCallState) -> None:
        # A 429 is about all workers, so the others must not go on while this one waits (rules 22).
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Throttled) and state.next_action:
            self._throttle.pause(state.next_action.sleep)


def _write(file: IO[bytes], chunk: bytes) -> None:
    try:
        file.write(chunk)
    except OSError as error:
        raise Retry(
            "the file that Inspera made can't be stored on this machine "
            f"({error.strerror or error}); free space in {tempfile.gettempdir()}"
        ) from None


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
