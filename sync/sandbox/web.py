"""The sandbox's web application: the vendor's endpoints, and its own pages under `/_sandbox/`."""

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import ClassVar
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from sync.sandbox.backend import PAGE, SandboxBackend
from sync.sandbox.manual_edits import EXAMPLES
from sync.sandbox.openapi import apidoc
from sync.sandbox.page import overview, page_of_test
from sync.sandbox.rules import Rule
from sync.sandbox.wire import Answer, Endpoints, ReceivedCall, Refusal, is_number

MAX_BODY = 8 * 1024 * 1024
"""The most bytes of a body that are read."""

_BODILESS = (204, 304)


class Protocol(H11Protocol):
    """uvicorn's protocol with a list of its connections, so that one can be dropped."""

    connections_by_ends: ClassVar[dict[object, asyncio.Transport]] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its parent has it
        """Store the connection by its two ends, as a call's scope names them."""
        super().connection_made(transport)
        self.connections_by_ends[self.client, self.server] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the connection."""
        self.connections_by_ends.pop((self.client, self.server), None)
        super().connection_lost(exc)


class Pauses:
    """Waits that all end at once when the sandbox stops."""

    def __init__(self) -> None:
        self._over = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Wait that many seconds."""
        if seconds > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), seconds)

    def end(self) -> None:
        """End all waits, also later ones. Call it in the event loop's thread."""
        self._over.set()


class RawPaths:
    """A filter that keeps paths as they were sent, so that a `%2F` does not split an external id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on; `_receive` decodes the path's parts."""
        await self._app(dict(scope) | {"path": scope["raw_path"].decode("ascii")}, receive, send)


class EndpointApp:
    """The endpoints of one path, as an ASGI application."""

    def __init__(self, backend: SandboxBackend, pauses: Pauses, endpoints: Endpoints) -> None:
        self._backend, self._pauses, self._endpoints = backend, pauses, endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        # It ends before the client has the answer, so the client's next request comes after it.
        with self._backend.controls.limit.request() as one_too_many:
            try:
                call = await _receive(Request(scope, receive), self._backend)
                answer = await self._answer(call, one_too_many)
            except ClientDisconnect:
                return
        if answer.status == "reset":
            await _drop(scope, receive)
        else:
            await _response(self._dated(answer, call.now), answer.status)(scope, receive, send)

    def _dated(self, answer: Answer, now: datetime) -> Answer:
        """Add the time by the sandbox's clock, unless a rule sets another `Date`."""
        date = format_datetime(
            now + timedelta(seconds=self._backend.controls.clock_offset), usegmt=True
        )
        given = any(name.lower() == "date" for name in answer.headers)
        return answer if given else replace(answer, headers={"Date": date, **answer.headers})

    async def _answer(self, call: ReceivedCall, one_too_many: Rule | None) -> Answer:
        if one_too_many:
            return self._backend.handle(call, self._endpoints, one_too_many)
        endpoint = self._endpoints.get(call.method)
        rule = self._backend.controls.rule_for(
            call.method, call.path, endpoint.kind if endpoint else "read"
        )
        await self._pauses.wait(rule.delay if rule else 0.0)
        answer = self._backend.handle(call, self._endpoints, rule)
        if rule and rule.status is None:
            answer = replace(answer, headers={**answer.headers, **rule.headers})
        latency = self._backend.controls.latency if endpoint and endpoint.writes else 0.0
        await self._pauses.wait(latency + (rule.latency if rule else 0.0))
        return answer


def application(backend: SandboxBackend, pauses: Pauses) -> Starlette:
    """Return the whole site. Web pages can't reach it: it answers only to loopback's names."""
    routes: list[BaseRoute] = [
        Route("/_sandbox/", _page),
        Route("/_sandbox/tests/{run}", _page_of_test),
        Route("/_sandbox/requests", _get_requests),
        Route("/_sandbox/contents", _get_contents),
        Route("/_sandbox/control", _control, methods=["GET", "POST"]),
        Route("/_sandbox/manual-edits", _by_hand, methods=["POST"]),
        Route("/_sandbox/manual-edits", _edit_examples, methods=["GET"]),
        Route("/_sandbox", _to_page),
        Route("/_sandbox/{rest:path}", _unknown),
        Route("/apidoc", _apidoc),
    ]
    routes += [
        Route(path, EndpointApp(backend, pauses, endpoints))
        for path, endpoints in backend.endpoints().items()
    ]
    routes.append(Route("/{rest:path}", EndpointApp(backend, pauses, {})))
    hosts = Middleware(
        TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"], www_redirect=False
    )
    app = Starlette(
        routes=routes,
        middleware=[hosts, Middleware(RawPaths)],
        exception_handlers={Refusal: _refused},
    )
    app.state.backend = backend
    return app


async def _receive(request: Request, backend: SandboxBackend) -> ReceivedCall:
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > MAX_BODY:
            raise Refusal(413, f"the body: at most {MAX_BODY} bytes")
    ids = {name: unquote(text) for name, text in request.path_params.items()}
    headers = {name.lower(): value for name, value in request.headers.items()}
    base = f"http://{headers.get('host', '')}"
    path = unquote(request.scope["path"])
    return ReceivedCall(
        request.method,
        path,
        ids,
        dict(request.query_params),
        headers,
        bytes(raw),
        backend.clock(),
        base,
    )


def _response(answer: Answer, status: int) -> Response:
    headers = dict(answer.headers)
    if status in _BODILESS:
        return Response(status_code=status, headers=headers)
    if isinstance(answer.body, str):
        return Response(answer.body, status, headers, media_type="text/plain")
    return JSONResponse(answer.body, status, headers)


async def _drop(scope: Scope, receive: Receive) -> None:
    """End the connection with a reset instead of an answer, as a firewall or a crash would."""
    ends = (scope["client"], scope["server"])
    transport = Protocol.connections_by_ends.get(ends)
    if transport is not None:
        # With a linger time of zero the system sends a reset instead of an orderly end.
        transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


def _refused(_: Request, error: Exception) -> Response:
    refusal = error if isinstance(error, Refusal) else Refusal(500, str(error))
    return _response(Answer.no(refusal), refusal.status)


def _backend(request: Request) -> SandboxBackend:
    backend = request.app.state.backend
    assert isinstance(backend, SandboxBackend)  # noqa: S101  (tells mypy what the state holds)
    return backend


async def _get_requests(request: Request) -> Response:
    after = request.query_params.get("after", "0")
    if not is_number(after):
        raise Refusal(400, "after: must be a whole number")
    entries = _backend(request).requests(int(after))
    return JSONResponse({"requests": entries, "more": len(entries) == PAGE})


async def _get_contents(request: Request) -> Response:
    return JSONResponse(_backend(request).contents())


async def _control(request: Request) -> Response:
    backend = _backend(request)
    if request.method == "POST":
        backend.controls.change((await _receive(request, backend)).json())
    return JSONResponse(backend.controls.shown())


async def _by_hand(request: Request) -> Response:
    backend = _backend(request)
    return JSONResponse(backend.edit((await _receive(request, backend)).json()))


async def _edit_examples(_request: Request) -> Response:
    return JSONResponse({"POST one of these as JSON": EXAMPLES})


async def _page(request: Request) -> Response:
    backend = _backend(request)
    at = {name: _page_number(request, name) for name in ("tests", "people")}
    return _html(backend.look(lambda db: overview(db, backend.controls, at["tests"], at["people"])))


async def _page_of_test(request: Request) -> Response:
    run, at = request.path_params["run"], _page_number(request, "page")
    page = (
        _backend(request).look(lambda db: page_of_test(db, int(run), at))
        if is_number(run)
        else None
    )
    if page is None:
        raise Refusal(404, f"test {run} does not exist")
    return _html(page)


def _page_number(request: Request, name: str) -> int:
    """Return the number of a list's page, from 1; 1 for anything that is not a number."""
    given = request.query_params.get(name, "")
    return max(1, int(given)) if is_number(given) and len(given) <= 9 else 1


def _html(page: str) -> Response:
    # Nothing is loaded or run, whatever a record's text contains.
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    return HTMLResponse(
        page, headers={"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"}
    )


async def _to_page(_: Request) -> Response:
    return RedirectResponse("/_sandbox/")


async def _apidoc(request: Request) -> Response:
    return JSONResponse(apidoc(f"http://{request.headers.get('host', '')}"))


async def _unknown(request: Request) -> Response:
    raise Refusal(404, f"{request.url.path} does not exist")
