"""Receivers of notifications on loopback: a web server and a mail server."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

from .servers.needed import free_port


class Webhook:
    """A web server that keeps what it is sent. `status` is what it answers."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.requested: list[str] = []
        self.status, self.gate = 200, threading.Event()
        self.gate.set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"json://user:hemmelig-token@127.0.0.1:{self.port}/hemmelig-sti"

    @property
    def bodies(self) -> list[str]:
        return [str(one["message"]) for one in self.received]


@contextmanager
def webhook() -> Iterator[Webhook]:
    """Serve a webhook inside the block."""
    one = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            one.gate.wait(10)
            if one.status == 200:
                one.received.append(json.loads(content))
            self._answer()

        def do_GET(self) -> None:
            one.requested.append(self.path)
            self._answer()

        def _answer(self) -> None:
            self.send_response(one.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        one.port = server.server_port
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        try:
            yield one
        finally:
            one.gate.set()
            server.shutdown()


class _Mails:
    def __init__(self) -> None:
        self.texts: list[str] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802
        self.texts.append(envelope.content.decode())
        return "250 OK"


@contextmanager
def mail_server() -> Iterator[tuple[int, list[str]]]:
    """Run a mail server inside the block; yields its port and the mails that it takes."""
    mails = _Mails()
    port = free_port()
    controller = Controller(mails, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield port, mails.texts
    finally:
        controller.stop()
