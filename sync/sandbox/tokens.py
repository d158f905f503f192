"""Access tokens: given out against the client id and the API key, and asked for on every other call."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from hmac import compare_digest
from sqlite3 import Connection

from sync.sandbox.wire import Answer, Call, Refusal

_FORM = "application/x-www-form-urlencoded"
_KEY_PARAMETERS = ("code", "api_key", "apikey", "key")


@dataclass(frozen=True, slots=True)
class Tokens:
    """Gives out and checks tokens (vendor contract, Token).

    `lifetime` tells the seconds that a new one lives; `used` holds those that were good for a call already.
    """

    client_id: str
    api_key: str
    lifetime: Callable[[], float]
    used: set[str] = field(default_factory=set, repr=False)

    def give(self, db: Connection, call: Call) -> Answer:
        """Answers `POST /api/authenticate/token/`. Older tokens stay good until they expire."""
        failure = self._malformed(call)
        if failure is not None:
            return Answer(400, {"error": failure})
        right = _same(call.query["client_id"], self.client_id) and _same(
            call.headers["code"], self.api_key
        )
        if not right:
            return Answer(401, {"error": "invalid_grant"})
        token, lifetime = secrets.token_urlsafe(32), self.lifetime()
        db.execute("DELETE FROM tokens WHERE expires <= ?", (call.now.timestamp(),))
        expires = call.now + timedelta(seconds=lifetime)
        db.execute(
            "INSERT INTO tokens (token, expires) VALUES (?, ?)", (token, expires.timestamp())
        )
        return Answer(200, {"access_token": token, "expires_in": int(lifetime)})

    def require(self, db: Connection, call: Call) -> None:
        """Lets the call pass if it carries a token that has not expired (vendor contract, Conventions).

        Raises:
            Refusal: 401, it does not.
        """
        token = _bearer(call)
        if not token:
            raise Refusal(401, "Authorization: the bearer token is missing")
        row = db.execute("SELECT expires FROM tokens WHERE token = ?", (token,)).fetchone()
        if row is None or row["expires"] <= call.now.timestamp():
            raise Refusal(401, "Authorization: the token is unknown or has expired")

    def note_use(self, call: Call) -> None:
        """The call's token was good for it."""
        self.used.add(_bearer(call))

    def was_used(self, call: Call) -> bool:
        """Whether the call's token was good for a call already, and no failure hid that, since this sandbox started."""
        return _bearer(call) in self.used

    def _malformed(self, call: Call) -> str | None:
        if any(name.lower() in _KEY_PARAMETERS for name in call.query):
            return "the API key must not be in the query, where it reaches access logs: send it in the header 'code'"
        if call.query.get("grant_type") != "authorization_code":
            return "grant_type must be authorization_code"
        if not call.query.get("client_id"):
            return "client_id is missing in the query"
        if not call.headers.get("code"):
            return "the API key is missing in the header 'code'"
        if call.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
            return f"Content-Type must be {_FORM}"
        return "the body must be empty" if call.raw else None


def void_token(db: Connection, call: Call) -> None:
    """Makes the token that the call carries good for nothing from now on."""
    db.execute("DELETE FROM tokens WHERE token = ?", (_bearer(call),))


def _bearer(call: Call) -> str:
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _same(given: str, right: str) -> bool:
    return compare_digest(given.encode(), right.encode())
