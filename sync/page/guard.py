"""The guard in front of the pages: hosts, sizes, headers, and where a form comes from."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sync.config_base.addresses import is_loopback

LARGEST = 64 * 1024
"""The most bytes of a form."""

SLOWEST = 10.0
"""The most seconds for the body of a request."""

_MOST_FIELDS = 2_000

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
"""The pages' content security policy: no script at all, and nothing from elsewhere."""

HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Refused(Exception):  # noqa: N818 - named by what it means
    """A request that is refused, with an HTTP status and the reason with what to do."""

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.headers = status, reason, dict(headers or {})


@dataclass(frozen=True, slots=True)
class Reach:
    """How the pages are reached.

    Attributes:
        secure: whether people's browsers speak HTTPS.
        proxy: the address of the web server in front, such as `https://exams.example.edu`; empty
            without one.
    """

    secure: bool = False
    proxy: str = ""

    def check_host(self, request: Request) -> None:
        """Refuse a name that only a forged page would use for this machine.

        Raises:
            Refused: the host is not this service's.
        """
        try:
            host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
        except ValueError:
            raise Refused(400, "The name of the host in the request can't be read.") from None
        if self.proxy:
            right = host == urlsplit(self.proxy).hostname or is_loopback(host)
        else:
            right = self.secure or is_loopback(host)
        if not right:
            raise Refused(421, "This address is not that of the status page.")

    def check_origin(self, request: Request) -> None:
        """Refuse a form that another site has made the browser send.

        Raises:
            Refused: it comes from another site.
        """
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
        own = {f"{'https' if self.secure else 'http'}://{request.headers.get('host', '')}"}
        if self.proxy:
            own = {self.proxy}
        if (origin is not None and origin not in own) or site not in (None, "same-origin", "none"):
            raise Refused(403, "This form came from another site. Nothing was changed.")

    def client(self, request: Request) -> str:
        """Return the address of the person's machine; behind a proxy the one that the proxy saw."""
        if self.proxy and (chain := request.headers.get("x-forwarded-for")):
            return chain.rpartition(",")[2].strip()
        return request.client.host if request.client else ""


def check_address(request: Request) -> None:
    """Refuse an address with a character that no record has, and that PostgreSQL can't take.

    Raises:
        Refused: it has one.
    """
    if "\0" in request.scope["path"] or any("\0" in one for one in request.query_params.values()):
        raise Refused(404, "There is no such page.")


async def read_form(request: Request) -> Mapping[str, list[str]]:
    """Return the fields of a form.

    Raises:
        Refused: it is too large, too slow, or not a form.
    """
    if request.headers.get("content-type", "").split(";")[0] != "application/x-www-form-urlencoded":
        raise Refused(415, "This is not a form of these pages. Nothing was changed.")
    body = bytearray()
    try:
        async with asyncio.timeout(SLOWEST):
            async for piece in request.stream():
                body += piece
                if len(body) > LARGEST:
                    raise Refused(413, f"The form has more than {LARGEST:,} bytes.")
    except TimeoutError:
        raise Refused(408, "The form did not arrive in time. Nothing was changed.") from None
    unreadable = Refused(400, "The form can't be read. Nothing was changed.")
    try:
        form = parse_qs(
            body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"
        )
    except ValueError:
        raise unreadable from None
    if any("\0" in value for values in form.values() for value in values):
        raise unreadable  # PostgreSQL can't store it
    return form


class SecurityHeaders:
    """Adds the security headers to every answer that does not have its own."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._headers = dict(HEADERS)
        if secure:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(
                        (name.lower().encode(), value.encode())
                        for name, value in self._headers.items()
                        if name.lower().encode() not in there
                    ),
                ]
            await send(message)

        await self._app(scope, receive, with_headers)
