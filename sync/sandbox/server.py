"""A running sandbox, in a thread of a test's process or in its own process."""

import signal
import socket
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sync.sandbox.backend import SandboxBackend
from sync.sandbox.controls import Controls
from sync.sandbox.failures import failures_of
from sync.sandbox.failures_file import load_failures
from sync.sandbox.wire import Json

_HOST = "127.0.0.1"
_HOUR = 3600.0
_KEEP_ALIVE = 75
_GRACE = 5


class Server:
    """A backend's web server, in its own thread; `url` is its address once `start` returns."""

    def __init__(self, backend: SandboxBackend, port: int) -> None:
        self._backend = backend
        self._socket = _listen(port)
        self.url = f"http://{_HOST}:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)
        self._stop: Callable[[], None] = lambda: None
        self._listening = threading.Event()
        self._error: BaseException | None = None

    def start(self) -> None:
        """Start the server, and wait until it listens.

        Raises:
            OSError: it could not start.
        """
        self._thread.start()
        self._listening.wait()
        if not self.alive:
            self.stop()
            raise OSError(
                f"the sandbox could not start on {self.url}: {self._error}"
            ) from self._error

    @property
    def alive(self) -> bool:
        """Tell whether the server still answers."""
        return self._error is None and self._thread.is_alive()

    def stop(self) -> None:
        """End all waits, answer the calls in flight, and stop."""
        if self._thread.is_alive():
            self._stop()
            self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        import asyncio

        try:
            asyncio.run(self._serve())
        except BaseException as error:
            # Stored for `start` and `alive`, which report it.
            self._error = error
        finally:
            self._listening.set()

    async def _serve(self) -> None:
        import asyncio

        import uvicorn

        from sync.sandbox.web import Pauses, Protocol, application

        pauses, loop = Pauses(), asyncio.get_running_loop()
        server = uvicorn.Server(
            uvicorn.Config(
                application(self._backend, pauses),
                http=Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_keep_alive=_KEEP_ALIVE,
                timeout_graceful_shutdown=_GRACE,
            )
        )

        def stop() -> None:
            server.should_exit = True
            loop.call_soon_threadsafe(pauses.end)

        async def tell() -> None:
            while not server.started:
                await asyncio.sleep(0.001)
            self._listening.set()

        self._stop = stop
        telling = asyncio.create_task(tell())
        try:
            await server.serve(sockets=[self._socket])
        finally:
            telling.cancel()


class Sandbox:
    """A local Inspera for tests: a context manager that listens on a free loopback port.

    Set `inspera.url` to its `url`. `clock` returns aware times in UTC. The statuses of tests, the
    lifetimes of tokens and the delay of visibility depend on it.
    `token_lifetime` and `latency` are in seconds. `failures` strike at random (see
    `sync.sandbox.failures`).

    Raises:
        Refusal: the failures are invalid.
    """

    def __init__(
        self,
        *,
        data: Path | None = None,
        client_id: str = "example",
        api_key: str = "sandbox-key",
        latency: float = 0.0,
        token_lifetime: float = _HOUR,
        failures: Mapping[str, Json] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.client_id, self.api_key, self.url = client_id, api_key, ""
        self._data, self._clock = data, clock
        self._controls = Controls(latency, token_lifetime, failures_of(failures or {}))

    def __enter__(self) -> Self:
        self._backend = SandboxBackend(
            self._data, self.client_id, self.api_key, self._controls, self._clock
        )
        try:
            self._server = Server(self._backend, port=0)
            self._server.start()
        except BaseException:
            self._backend.close()
            raise
        self.url = self._server.url
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stop()
        self._backend.close()

    def contents(self) -> dict[str, Json]:
        """Return what this Inspera has: `{"students": […], "staff": […], "tests": [{…}]}`."""
        contents: dict[str, Json] = self._backend.contents()
        return contents

    def requests(self, after: int = 0) -> list[dict[str, Json]]:
        """Return all calls whose `seq` is above `after`, in order (see `RequestLog.note`)."""
        entries: list[dict[str, Json]] = []
        while page := self._backend.requests(entries[-1]["seq"] if entries else after):
            entries += page
        return entries

    def control(self, **settings: Json) -> dict[str, Json]:
        """Change the given controls, and return all.

        They are `latency`, `token_lifetime`, `clock_offset`, `wrapped`, `export_details`,
        `refuse_existing`, `unknown_fields`, `fail`, `failures` and `limit`. `Controls`, `Rule`,
        `sync.sandbox.failures` and `RequestLimit` describe them.

        Raises:
            Refusal: a setting is invalid; nothing was changed.
        """
        self._controls.change(settings)
        shown: dict[str, Json] = self._controls.shown()
        return shown

    def edit(self, **edit: Json) -> dict[str, Json]:
        """Edit as a person would in the vendor's own pages (`apply_edit` describes the edits).

        Raises:
            Refusal: the edit is not possible.
        """
        edited: dict[str, Json] = self._backend.edit(edit)
        return edited


def serve(  # noqa: PLR0913 - each is an option of the command
    port: int,
    data: Path | None = None,
    *,
    client_id: str = "example",
    api_key: str = "sandbox-key",
    latency: float = 0.0,
    failures: Path | None = None,
    taken: int = 0,
    ready: Callable[[str], None] | None = None,
) -> int:
    """Run a sandbox on loopback until SIGTERM or SIGINT; return the exit status.

    Call it in the main thread. Port 0 takes any free port; `ready` receives the address once it
    listens. Everything is stored in the folder `data`, or without one in memory. `latency` is in
    seconds: a write is committed first, and its answer comes that much later. `failures` is a file
    of failures that strike at random (`sync.sandbox.failures`). Another client holds `taken` of the
    requests that may be in progress.

    Raises:
        OSError: the port, the folder or the file can't be used; its text is a message for people.
        ValueError: the client id or API key is empty, or the failures are invalid.
    """
    controls = Controls(latency, _HOUR, load_failures(failures) if failures else None, taken=taken)
    backend = SandboxBackend(data, client_id, api_key, controls)
    try:
        server = Server(backend, port)
        return _run_until_signal(server, ready)
    finally:
        backend.close()


def _run_until_signal(server: Server, ready: Callable[[str], None] | None) -> int:
    stopping = threading.Event()
    signals = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, lambda *_: stopping.set()) for number in signals}
    try:
        server.start()
        if ready is not None:
            ready(server.url)
        while server.alive and not stopping.wait(0.5):
            pass
        return 0 if stopping.is_set() else 1
    finally:
        server.stop()
        for number, handler in before.items():
            signal.signal(number, handler)


def _listen(port: int) -> socket.socket:
    # asyncio turns Nagle's delay (40 ms an answer) off only for sockets that say that they are TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # Otherwise a stopped sandbox could not be started again at once on the same port.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, port))
        listener.listen(512)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise OSError(
            f"port {port} on {_HOST} cannot be used ({reason.lower()}); "
            "choose another port, or 0 for any free one"
        ) from error
    return listener
