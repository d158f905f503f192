"""Who may see the pages: the token, sessions, and a limit on wrong tokens."""

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

IDLE = 60 * 60.0
"""The seconds without a request after which a session ends."""

LONGEST = 12 * 60 * 60.0
"""The most seconds that a session lasts: a working day."""

MOST_SESSIONS = 64
"""Sessions at a time; one more ends the oldest."""

WINDOW = 60.0
WRONG_OF_ONE, WRONG_OF_ALL = 5, 50
"""How many wrong tokens a client, and all clients together, may send within `WINDOW` seconds."""

_MOST_CLIENTS = 1_000


class WrongToken(Exception):  # noqa: N818 - named by what it means
    """The token is not the right one."""


class TooMany(Exception):  # noqa: N818 - named by what it means
    """Too many wrong tokens were sent. `seconds` is when the next one is looked at."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass(slots=True)
class Session:
    """A person who has logged in. `csrf` proves that a form is from this session's pages."""

    began: float
    seen: float
    token: bytes
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(32))


class Access:
    """The check of tokens and sessions. Thread-safe.

    Args:
        token: returns the token that is valid now; another one ends all sessions.
        clock: returns seconds from any origin.
    """

    def __init__(
        self, token: Callable[[], str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._token, self._clock = token, clock
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def log_in(self, given: str, client: str) -> str:
        """Begin a session, and return the value of its cookie. `client` is an address.

        Raises:
            WrongToken: the token is not the right one.
            TooMany: too many wrong ones were sent before, so this one is not looked at.
        """
        self.check(given, client)
        now, cookie = self._clock(), secrets.token_urlsafe(32)
        with self._lock:
            self._sessions[cookie] = Session(now, now, self._digest())
            while len(self._sessions) > MOST_SESSIONS:
                self._sessions.popitem(last=False)
        return cookie

    def check(self, given: str, client: str) -> None:
        """Check a token.

        Raises:
            WrongToken: the token is not the right one.
            TooMany: too many wrong ones were sent before, so this one is not looked at.
        """
        now = self._clock()
        with self._lock:
            self._forget_wrong(now)
            of_one = list(self._wrong.get(client, ()))
            of_all = [moment for times in self._wrong.values() for moment in times]
            if len(of_one) >= WRONG_OF_ONE:
                raise TooMany(int(of_one[0] + WINDOW - now) + 1)
            if len(of_all) >= WRONG_OF_ALL:
                raise TooMany(int(min(of_all) + WINDOW - now) + 1)
        if hmac.compare_digest(_digest(given), self._digest()):
            return
        with self._lock:
            self._wrong.setdefault(client, deque(maxlen=WRONG_OF_ONE)).append(now)
            while len(self._wrong) > _MOST_CLIENTS:
                self._wrong.popitem(last=False)
        raise WrongToken

    def session(self, cookie: str | None) -> Session | None:
        """Return the session with this cookie; None if there is none, or it has ended."""
        if not cookie:
            return None
        now = self._clock()
        with self._lock:
            found = self._sessions.get(cookie)
            if found is None:
                return None
            ended = now - found.seen > IDLE or now - found.began > LONGEST
            if ended or not hmac.compare_digest(found.token, self._digest()):
                del self._sessions[cookie]
                return None
            found.seen = now
            return found

    def log_out(self, cookie: str | None) -> None:
        """End the session with this cookie, if there is one."""
        with self._lock:
            self._sessions.pop(cookie or "", None)

    def _digest(self) -> bytes:
        return _digest(self._token())

    def _forget_wrong(self, now: float) -> None:
        for client, times in list(self._wrong.items()):
            while times and now - times[0] > WINDOW:
                times.popleft()
            if not times:
                del self._wrong[client]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
