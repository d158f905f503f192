"""A small web server on loopback: `/healthz`, `/readyz` and `/metrics`, in a thread of its own."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn import Config, Server

from sync.config_base.addresses import loopback_address
from sync.errors import Unusable, UsageError
from sync.service.health import Health
from sync.service.metrics import CONTENT_TYPE

_NOT_STORED = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_LONGEST_START = 10.0
_GRACE = 2
_SETTLED = 0.05
_KEEP_ALIVE = 75
_MOST_AT_ONCE = 32
"""Connections at a time; more are answered with 503."""


class HealthPages(Protocol):
    """The service's metrics in the format of Prometheus."""

    def expose(self) -> bytes:
        """Return all metrics as they are now."""
        ...


@contextmanager
def serve_health(listen: str, health: Callable[[], Health], metrics: HealthPages) -> Iterator[str]:
    """Serve health and metrics inside the block; yield the address: `http://127.0.0.1:9464`.

    Port 0 takes any free port. The server's thread calls `health` for each request; it must return
    at once.

    Raises:
        UsageError: it can't listen there.
    """
    listener = _listener(listen)
    host, port = listener.getsockname()[:2]
    server = _Server(_application(health, metrics))
    thread = threading.Thread(target=server.run, args=([listener],), name="health", daemon=True)
    try:
        thread.start()
        if not server.answers.wait(_LONGEST_START):
            raise UsageError(
                f"nothing answers on {listen}: the web server for health did not start"
            )
        yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    finally:
        server.end()
        thread.join(_GRACE + 1)
        listener.close()


class _Server(Server):
    """A uvicorn server that sleeps until `end` is called, instead of waking ten times a second."""

    def __init__(self, application: Starlette) -> None:
        super().__init__(
            Config(
                application,
                http="h11",
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


def _application(health: Callable[[], Health], metrics: HealthPages) -> Starlette:
    async def healthz(_request: Request) -> Response:
        alive = health().alive
        return JSONResponse({"alive": alive}, 200 if alive else 503, _NOT_STORED)

    async def readyz(_request: Request) -> Response:
        now = health()
        return JSONResponse(now.document(), 200 if now.ready else 503, _NOT_STORED)

    async def metrics_page(_request: Request) -> Response:
        return Response(metrics.expose(), headers={**_NOT_STORED, "Content-Type": CONTENT_TYPE})

    routes = [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics_page)]
    application = Starlette(routes=routes)
    application.router.redirect_slashes = False
    return application


def _listener(listen: str) -> socket.socket:
    try:
        host, port = loopback_address(listen)
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
