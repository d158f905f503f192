"""Access tokens: issued for the client id and API key, and required by every other call."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from hmac import compare_digest
from sqlite3 import Connection

from sync.sandbox.wire import Answer, ReceivedCall, Refusal

_FORM = "application/x-www-form-urlencoded"
_KEY_PARAMETERS = ("code", "api_key", "apikey", "key")


@dataclass(frozen=True, slots=True)
class Tokens:
    """The issuer and checker of tokens (vendor contract, Token).

    `lifetime` returns the seconds that a new token is valid; `used` contains those that were
    accepted already.
    """

    client_id: str
    api_key: str
    lifetime: Callable[[], float]
    used: set[str] = field(default_factory=set, repr=False)

    def give(self, db: Connection, call: ReceivedCall) -> Answer:
        """Answer `POST /api/authenticate/token/`. Older tokens stay valid until they expire."""
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

    def require(self, db: Connection, call: ReceivedCall) -> None:
        """Check the call's token (vendor contract, Conventions).

        Raises:
            Refusal: 401, it is missing, unknown or has expired.
        """
        token = _bearer(call)
        if not token:
            raise Refusal(401, "Authorization: the bearer token is missing")
        row = db.execute("SELECT expires FROM tokens WHERE token = ?", (token,)).fetchone()
        if row is None or row["expires"] <= call.now.timestamp():
            raise Refusal(401, "Authorization: the token is unknown or has expired")

    def note_use(self, call: ReceivedCall) -> None:
        """Record that the call's token was accepted."""
        self.used.add(_bearer(call))

    def was_used(self, call: ReceivedCall) -> bool:
        """Tell whether the call's token was accepted before, since this sandbox started."""
        return _bearer(call) in self.used

    def _malformed(self, call: ReceivedCall) -> str | None:
        if any(name.lower() in _KEY_PARAMETERS for name in call.query):
            return (
                "the API key must not be in the query, where it reaches access logs: "
                "send it in the header 'code'"
            )
        if call.query.get("grant_type") != "authorization_code":
            return "grant_type must be authorization_code"
        if not call.query.get("client_id"):
            return "client_id is missing in the query"
        if not call.headers.get("code"):
            return "the API key is missing in the header 'code'"
        if call.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
            return f"Content-Type must be {_FORM}"
        return "the body must be empty" if call.raw else None


def void_token(db: Connection, call: ReceivedCall) -> None:
    """Make the call's token invalid from now on."""
    db.execute("DELETE FROM tokens WHERE token = ?", (_bearer(call),))


def _bearer(call: ReceivedCall) -> str:
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _same(given: str, right: str) -> bool:
    return compare_digest(given.encode(), right.encode())
