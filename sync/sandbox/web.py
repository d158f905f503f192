"""The sandbox's door to the network: the vendor's addresses, and the sandbox's own under `/_sandbox/`."""

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

from sync.sandbox.backend import PAGE, Backend
from sync.sandbox.openapi import apidoc
from sync.sandbox.page import overview, page_of_test
from sync.sandbox.wire import Answer, Call, Operations, Refusal, is_number

MAX_BODY = 8 * 1024 * 1024
"""Bytes of a body that are read."""

_BODILESS = (204, 304)


class Protocol(H11Protocol):
    """uvicorn's own protocol, which also remembers its connections, so that one can be dropped without an answer."""

    connections_by_ends: ClassVar[dict[object, asyncio.Transport]] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its parent has it
        """Remembers the connection by its two ends, as a call's scope names them."""
        super().connection_made(transport)
        self.connections_by_ends[self.client, self.server] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets it."""
        self.connections_by_ends.pop((self.client, self.server), None)
        super().connection_lost(exc)


class Pauses:
    """Waits that all end at once when the sandbox stops."""

    def __init__(self) -> None:
        self._over = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Lets that many seconds go by."""
        if seconds > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), seconds)

    def end(self) -> None:
        """Ends every wait, also those to come. To be called in the event loop's own thread."""
        self._over.set()


class RawPaths:
    """Has paths matched as they were sent, so that a `%2F` inside an external id does not split it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the call on; `_call` decodes what the path holds."""
        await self._app(dict(scope) | {"path": scope["raw_path"].decode("ascii")}, receive, send)


class Address:
    """One address of the vendor's, as an ASGI application."""

    def __init__(self, desk: Backend, pauses: Pauses, operations: Operations) -> None:
        self._desk, self._pauses, self._operations = desk, pauses, operations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one call."""
        try:
            call = await _call(Request(scope, receive), self._desk)
            answer = await self._answer(call)
        except ClientDisconnect:
            return
        if answer.status == "reset":
            await _drop(scope, receive)
        else:
            await _response(self._dated(answer, call.now), answer.status)(scope, receive, send)

    def _dated(self, answer: Answer, now: datetime) -> Answer:
        """Add the time by the sandbox's own clock, unless a rule gives another `Date`."""
        date = format_datetime(
            now + timedelta(seconds=self._desk.controls.clock_offset), usegmt=True
        )
        given = any(name.lower() == "date" for name in answer.headers)
        return answer if given else replace(answer, headers={"Date": date, **answer.headers})

    async def _answer(self, call: Call) -> Answer:
        operation = self._operations.get(call.method)
        rule = self._desk.controls.rule_for(
            call.method, call.path, operation.kind if operation else "read"
        )
        await self._pauses.wait(rule.delay if rule else 0.0)
        answer = self._desk.handle(call, self._operations, rule)
        if rule and rule.status is None:
            answer = replace(answer, headers={**answer.headers, **rule.headers})
        latency = self._desk.controls.latency if operation and operation.writes else 0.0
        await self._pauses.wait(latency + (rule.latency if rule else 0.0))
        return answer


def application(desk: Backend, pauses: Pauses) -> Starlette:
    """The whole site. It answers only to loopback's own names, so that no web page can reach it by another."""
    routes: list[BaseRoute] = [
        Route("/_sandbox/", _page),
        Route("/_sandbox/tests/{run}", _page_of_test),
        Route("/_sandbox/requests", _get_requests),
        Route("/_sandbox/contents", _get_contents),
        Route("/_sandbox/control", _control, methods=["GET", "POST"]),
        Route("/_sandbox/manual-edits", _by_hand, methods=["POST"]),
        Route("/_sandbox", _to_page),
        Route("/_sandbox/{rest:path}", _unknown),
        Route("/apidoc", _apidoc),
    ]
    routes += [
        Route(path, Address(desk, pauses, operations))
        for path, operations in desk.addresses().items()
    ]
    routes.append(Route("/{rest:path}", Address(desk, pauses, {})))
    hosts = Middleware(
        TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"], www_redirect=False
    )
    app = Starlette(
        routes=routes,
        middleware=[hosts, Middleware(RawPaths)],
        exception_handlers={Refusal: _refused},
    )
    app.state.desk = desk
    return app


async def _call(request: Request, desk: Backend) -> Call:
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > MAX_BODY:
            raise Refusal(413, f"the body: at most {MAX_BODY} bytes")
    ids = {name: unquote(text) for name, text in request.path_params.items()}
    headers = {name.lower(): value for name, value in request.headers.items()}
    base = f"http://{headers.get('host', '')}"
    path = unquote(request.scope["path"])
    return Call(
        request.method,
        path,
        ids,
        dict(request.query_params),
        headers,
        bytes(raw),
        desk.clock(),
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
    """Ends the connection with a reset and no answer, as a firewall or a crash would."""
    ends = (scope["client"], scope["server"])
    transport = Protocol.connections_by_ends.get(ends)
    if transport is not None:
        # Lingering for no time makes the system send a reset instead of an orderly end.
        transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


def _refused(_: Request, error: Exception) -> Response:
    refusal = error if isinstance(error, Refusal) else Refusal(500, str(error))
    return _response(Answer.no(refusal), refusal.status)


def _desk(request: Request) -> Backend:
    desk = request.app.state.desk
    assert isinstance(desk, Backend)  # noqa: S101  (tells mypy what the state holds)
    return desk


async def _get_requests(request: Request) -> Response:
    after = request.query_params.get("after", "0")
    if not is_number(after):
        raise Refusal(400, "after: must be a whole number")
    entries = _desk(request).requests(int(after))
    return JSONResponse({"requests": entries, "more": len(entries) == PAGE})


async def _get_contents(request: Request) -> Response:
    return JSONResponse(_desk(request).contents())


async def _control(request: Request) -> Response:
    desk = _desk(request)
    if request.method == "POST":
        desk.controls.change((await _call(request, desk)).json())
    return JSONResponse(desk.controls.shown())


async def _by_hand(request: Request) -> Response:
    desk = _desk(request)
    return JSONResponse(desk.edit((await _call(request, desk)).json()))


async def _page(request: Request) -> Response:
    desk = _desk(request)
    at = {name: _page_number(request, name) for name in ("tests", "people")}
    return _html(desk.look(lambda db: overview(db, desk.controls, at["tests"], at["people"])))


async def _page_of_test(request: Request) -> Response:
    run, at = request.path_params["run"], _page_number(request, "page")
    page = (
        _desk(request).look(lambda db: page_of_test(db, int(run), at)) if is_number(run) else None
    )
    if page is None:
        raise Refusal(404, f"test {run} does not exist")
    return _html(page)


def _page_number(request: Request, name: str) -> int:
    """The number of a page of a list, 1 being the first; what is no number is 1."""
    given = request.query_params.get(name, "")
    return max(1, int(given)) if is_number(given) and len(given) <= 9 else 1


def _html(page: str) -> Response:
    # Nothing is loaded or run, whatever a record's text says.
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
