"""The service's web server, in a thread of its own: `/healthz`, `/readyz`, `/metrics` and pages."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from sync.config_base.addresses import address_and_port
from sync.errors import Unusable, UsageError
from sync.service.health import Health
from sync.service.metrics import CONTENT_TYPE

_NOT_STORED = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_LONGEST_START = 10.0
_GRACE = 2
_SETTLED = 0.05
_KEEP_ALIVE = 75
_PATIENCE = 10.0
"""The seconds for the head of a request, from its first byte or from the connection on."""

_log = structlog.get_logger("page")

_MOST_AT_ONCE = 32
"""Connections at a time; more are answered with 503."""


class HealthPages(Protocol):
    """The service's metrics in the format of Prometheus."""

    def expose(self) -> bytes:
        """Return all metrics as they are now."""
        ...


@dataclass(frozen=True, slots=True)
class Certificate:
    """The files of a certificate and its key, in PEM."""

    certificate: Path
    key: Path


@contextmanager
def serve_pages(
    listen: str,
    health: Callable[[], Health],
    metrics: HealthPages,
    *,
    pages: Mapping[str, ASGIApp] | None = None,
    tls: Certificate | None = None,
) -> Iterator[str]:
    """Serve health, metrics and `pages` inside the block; yield the address.

    Port 0 takes any free port. The server's thread calls `health` for each request; it must return
    at once. `pages` answer below their paths, of which
    `/` comes last.

    Raises:
        UsageError: it can't listen there, or the certificate can't be used.
    """
    listener = _listener(listen)
    host, port = listener.getsockname()[:2]
    try:
        server = _Server(_application(health, metrics, pages or {}), tls)
    except (OSError, ssl.SSLError) as error:
        listener.close()
        reason = error.strerror or type(error).__name__
        raise UsageError(
            f"service.page.tls: the certificate or its key can't be used ({reason}); both are "
            "files in PEM that this user may read"
        ) from None
    thread = threading.Thread(target=server.run, args=([listener],), name="pages", daemon=True)
    try:
        thread.start()
        if not server.answers.wait(_LONGEST_START):
            raise UsageError(f"nothing answers on {listen}: the web server did not start")
        scheme = "https" if tls else "http"
        yield f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
    finally:
        server.end()
        thread.join(_GRACE + 1)
        listener.close()


class _Connection(H11Protocol):
    """A connection that is closed unless the head of each request is complete in time.

    uvicorn has a limit between requests only, so a client that sends nothing, or one byte at a
    time, would keep its place.
    """

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._be_patient()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._be_patient()  # a further request has begun, and its head is not complete

    def handle_events(self) -> None:
        super().handle_events()
        if self.cycle is not None and not self.cycle.response_complete:
            self._end_patience()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_patience()
        super().connection_lost(exc)

    def _be_patient(self) -> None:
        if self._patience is None:
            self._patience = self.loop.call_later(_PATIENCE, self._give_up)

    def _end_patience(self) -> None:
        if self._patience:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        _log.warning("closed a connection without a request", seconds=_PATIENCE)
        self.transport.close()


class _Server(Server):
    """A uvicorn server that sleeps until `end` is called, instead of waking ten times a second."""

    def __init__(self, application: Starlette, tls: Certificate | None) -> None:
        super().__init__(
            Config(
                application,
                http=_Connection,
                ssl_certfile=tls.certificate if tls else None,
                ssl_keyfile=tls.key if tls else None,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                limit_concurrency=_MOST_AT_ONCE,
                timeout_keep_alive=_KEEP_ALIVE,
                timeout_graceful_shutdown=_GRACE,
            )
        )
        self.answers = threading.Event()
        self._wake: Callable[[], object] = lambda: None

    async def main_loop(self) -> None:
        loop, ending = asyncio.get_running_loop(), asyncio.Event()
        self._wake = lambda: loop.call_soon_threadsafe(ending.set)
        if self.started:
            self.answers.set()
        if not self.should_exit:
            await ending.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # No new connections are accepted, and uvicorn gets to know the last ones before it closes
        # all.
        for listener in sockets or ():
            asyncio.get_running_loop().remove_reader(listener)
        await asyncio.sleep(_SETTLED)
        await super().shutdown(sockets)

    def end(self) -> None:
        """End the server, from any thread."""
        self.should_exit = True
        try:
            self._wake()
        except RuntimeError:
            # Its loop is closed: it has ended already.
            return


def _application(
    health: Callable[[], Health], metrics: HealthPages, pages: Mapping[str, ASGIApp]
) -> Starlette:
    async def healthz(_request: Request) -> Response:
        alive = health().alive
        return JSONResponse({"alive": alive}, 200 if alive else 503, _NOT_STORED)

    async def readyz(_request: Request) -> Response:
        now = health()
        return JSONResponse(now.document(), 200 if now.ready else 503, _NOT_STORED)

    async def metrics_page(_request: Request) -> Response:
        return Response(metrics.expose(), headers={**_NOT_STORED, "Content-Type": CONTENT_TYPE})

    routes: list[BaseRoute] = [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics_page),
    ]
    routes += (Mount(path, page) for path, page in pages.items())
    application = Starlette(routes=routes)
    application.router.redirect_slashes = False
    return application


def _listener(listen: str) -> socket.socket:
    try:
        host, port = address_and_port(listen)
    except Unusable as error:
        raise UsageError(f"service.listen: {listen} {error}") from None
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay off only for sockets that say that they are TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        reason = (error.strerror or "unknown reason").lower()
        raise UsageError(
            f"service.listen: {listen} can't be used ({reason}); free it, or choose another port"
        ) from None
    return listener
