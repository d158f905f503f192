"""Makes a call happen: in its turn, with a token, repeated where that is safe, and its answer read and sorted."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TypeVar

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

from sync.contract import LEARNER_SAVE, STAFF_DISABLE, STAFF_ENABLE, STAFF_SAVE, TOKEN, Call, Repeat
from sync.errors import CallError, CallMissing, NotThere, Refused, Retry, Stop, Unknown
from sync.inspera import answers
from sync.inspera.answers import Answer, Throttled
from sync.inspera.auth import AccessToken
from sync.inspera.calls import Request
from sync.inspera.client import Client, Unreachable
from sync.inspera.clock import ClockCheck
from sync.inspera.connection import Connection
from sync.inspera.tenant_health import TenantHealth
from sync.inspera.throttle import Throttle

T = TypeVar("T")
_LONGEST_BACKOFF = 30.0
_MOST_RENEWALS = 5
_SAVES = frozenset(call.name for call in (LEARNER_SAVE, STAFF_SAVE, STAFF_ENABLE, STAFF_DISABLE))
_FAILED: dict[type[CallError], str] = {Unreachable: "unreachable", Stop: "stopped"}
_log = structlog.get_logger("inspera.call")


class StopInDoubt(Stop):
    """A Stop that came when an earlier attempt of the same call may have been carried out."""


class Caller:
    """Makes calls for all workers. Thread-safe.

    Once `stop` is set nothing more is sent and every wait ends; calls in flight finish. `clock` gives aware times,
    `monotonic` seconds from any origin, and `sleep` waits that many seconds unless `stop` ends it.
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
        self.tenant = TenantHealth(patience=connection.attempts * max(connection.workers, 4))
        self.clock_check = ClockCheck()
        self._stop, self._monotonic = stop, monotonic
        self._sleep = sleep or sleep_using_event(stop)
        self._client = Client(connection)
        self._limiter = Throttle(connection.calls_per_second, stop, monotonic, self._sleep)
        self._token = AccessToken(connection, self._send, clock, monotonic)
        self._backoff = wait_random_exponential(
            max=min(_LONGEST_BACKOFF, connection.retry_after_ceiling)
        )

    @property
    def stopping(self) -> bool:
        """Whether the run is being ended, so that nothing more is sent."""
        return self._stop.is_set()

    def named(self, call: Call) -> Call:
        """The call of this name as the operator has it."""
        return self.connection.named(call)

    def call(self, request: Request, read: Callable[[object], T], *, settles: bool = False) -> T:
        """Carries out one call and reads its answer with `read`, whose `ValueError` says that it can't be read.

        What was not sent is tried again, a bounded number of times; what was sent and lost only when the call just
        reads, or when a second time changes nothing; not even then when whoever calls `settles` it by a reading.

        Raises:
            Retry: it was not carried out: every attempt failed, or the run is being ended.
            Unknown: at least one attempt may have been carried out, and none was answered well.
            Refused, NotThere, CallMissing, Stop: as `sync.errors` has them.
        """
        return self.answered(request, read, settles=settles)[0]

    def answered(
        self, request: Request, read: Callable[[object], T], *, settles: bool = False
    ) -> tuple[T, Answer]:
        """The same, with the answer as it came."""
        repeats = request.call.reads or (request.call.repeat is Repeat.SAFE and not settles)
        again = (Retry, Unknown) if repeats else (Retry,)
        lost: list[Unknown] = []
        retrying = Retrying(
            stop=stop_after_attempt(self.connection.attempts) | stop_when_event_set(self._stop),
            wait=self._wait,
            retry=retry_if_exception_type(again),
            before_sleep=self._hold_all,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            made: tuple[T, Answer] = retrying(self._attempt, request, read, lost)
        except (Retry, CallMissing):
            if lost and not request.call.reads:
                raise lost[-1] from None
            raise
        except Stop as error:
            if lost and not request.call.reads:
                raise StopInDoubt(str(error)) from None
            raise
        return made

    def pause(self, seconds: float) -> bool:
        """Waits, and says whether the whole time passed; false when the run is being ended meanwhile."""
        if seconds > 0 and not self.stopping:
            self._sleep(seconds)
        return not self.stopping

    def download(self, url: str) -> Iterator[bytes]:
        """The file behind a link that an answer gave, asked for once, without our token (see `Client.download`).

        Raises:
            Retry: it can't be had just now, or the run is being ended.
            Refused: the link is not followed.
        """
        if self.stopping:
            raise Retry("the run is being ended, so nothing is downloaded")
        return self._client.download(url)

    def elapsed(self) -> float:
        """Seconds from any origin, to measure how long something takes."""
        return self._monotonic()

    def ask_time(self) -> None:
        """Fetch a token, unless some answer has shown Inspera's time already.

        Raises:
            Retry, Stop: as for the token of any call.
        """
        if not self.clock_check.seen:
            self._token.current()

    def close(self) -> None:
        """Closes all connections."""
        self._client.close()

    def _attempt(
        self, request: Request, read: Callable[[object], T], lost: list[Unknown]
    ) -> tuple[T, Answer]:
        self.tenant.admit(request.call)
        try:
            made = self._once(request, read)
        except CallError as failure:
            error = self._nowhere(request.call, failure)
            if isinstance(error, Unknown):
                lost.append(error)
            self._learn(request.call, error)
            raise error from None
        self.tenant.worked(request.call)
        return made

    def _nowhere(self, call: Call, error: CallError) -> CallError:
        """A 404 on saving a person can only mean that its address is not there: it names nobody's id."""
        if (
            isinstance(error, NotThere)
            and call.name in _SAVES
            and not (call.places or self.tenant.has(call))
        ):
            return answers.missing(call, error.status)
        return error

    def _learn(self, call: Call, error: CallError) -> None:
        """What a failure says about the tenant as a whole. A refusal is an answer like any other."""
        if isinstance(error, CallMissing):
            self.tenant.lacks(call, error)
        elif isinstance(error, Stop):
            self.tenant.stop(error)
        elif not isinstance(error, Throttled) and not self.stopping:
            self.tenant.attempted(failed=not isinstance(error, Refused))

    def _once(self, request: Request, read: Callable[[object], T]) -> tuple[T, Answer]:
        answer = self._with_token(request)
        try:
            return read(answers.document(request, answer, self.clock())), answer
        except ValueError:
            raise answers.unreadable(request.call, answer.status) from None

    def _with_token(self, request: Request) -> Answer:
        """The answer to a call with a token that is good, or a 401 to one that was new.

        A refused token is renewed once; and again only if the new one was good for somebody meanwhile, so that workers
        do not stop the run who were overtaken by one another's renewals.
        """
        token = self._token.current()
        answer = self._send(request, _bearer(token))
        for renewals in range(_MOST_RENEWALS):
            if answer.status != 401:
                self._token.accept(token)
                break
            if renewals and not self._token.was_accepted(token):
                break
            token = self._token.renewed(token)
            answer = self._send(request, _bearer(token))
        return answer

    def _send(self, request: Request, headers: dict[str, str]) -> Answer:
        """One request in its turn; also the token's."""
        if not self._limiter.acquire() or self.stopping:
            raise Retry(f"the run is being ended, so {request.call.name} was not sent")
        began, asked = self._monotonic(), self.clock()
        try:
            answer = self._client.send(request, headers)
        except CallError as error:
            self._observe(request.call, _FAILED.get(type(error), "lost"), began)
            _log.warning("call failed", call=request.call.name, error=str(error))
            if isinstance(error, Unreachable) or request.call.name == TOKEN.name:
                self._out_of_reach(error)
            raise
        self.clock_check.note(asked, self.clock(), answers.date_of(answer))
        self._note(request, answer, began)
        return answer

    def _observe(self, call: Call, status: str, began: float) -> float:
        seconds = self._monotonic() - began
        if self.connection.observe:
            self.connection.observe(call.name, status, seconds)
        return seconds

    def _note(self, request: Request, answer: Answer, began: float) -> None:
        seconds = self._observe(request.call, str(answer.status), began)
        _log.debug(
            "call", call=request.call.name, status=answer.status, milliseconds=round(seconds * 1000)
        )
        if answer.status == 429:
            if self._limiter.slow_down(began):
                _log.warning("slower", calls_per_second=round(self._limiter.calls_per_second, 2))
        elif answer.status < 500:
            self._limiter.speed_up()
        asked = answers.asked_wait(answer, self.clock()) if answer.status in (429, 503) else None
        if asked is not None:
            self._limiter.pause(min(asked, self.connection.retry_after_ceiling))
        if answer.status == 429:
            self.tenant.throttled()
        elif answer.status == 503 or (request.call.name == TOKEN.name and answer.status >= 500):
            # The call itself stays of unknown outcome; what stops is the next one.
            self.tenant.unreachable(
                f"Inspera is not available ({answer.status} on {request.call.name})"
            )
        else:
            self.tenant.reached()

    def _out_of_reach(self, error: CallError) -> None:
        reason = None if isinstance(error, Stop) else self.tenant.unreachable(str(error))
        if reason is not None:
            raise reason from None

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Retry) and error.after is not None:
            return min(error.after, self.connection.retry_after_ceiling)
        return self._backoff(state)

    def _hold_all(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Throttled) and state.next_action:
            self._limiter.pause(state.next_action.sleep)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
