"""Stands between a client and a server, and can let the server die in the middle of what it says."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

BLOCK = 4096


class Between:
    """Listens on a port of its own and passes on what both sides say.

    Attributes:
        to: the server's port.
        after: how many bytes of the server are passed on until it is `killed`; None for all.
    """

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.to = 0
        self.after: int | None = None
        self.killed: Callable[[], None] = lambda: None
        self.cuts = 0

    def serve(self) -> None:
        """Takes connections until it is closed."""
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def close(self) -> None:
        """Takes no connections any more."""
        with suppress(OSError):  # it may not be connected, as sockets that listen are not
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _pass_on(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self.to)) as server:
            up = threading.Thread(target=_copy, args=(client, server, lambda _: False), daemon=True)
            up.start()
            _copy(server, client, self._is_over)
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
            up.join(5)

    def _is_over(self, said: int) -> bool:
        if self.after is None or said < self.after:
            return False
        self.after = None
        self.cuts += 1
        self.killed()
        return True


def _copy(of: socket.socket, to: socket.socket, is_over: Callable[[int], bool]) -> None:
    said = 0
    with suppress(OSError):
        while block := of.recv(BLOCK):
            said += len(block)
            if is_over(said):
                return
            to.sendall(block)
        to.shutdown(socket.SHUT_WR)


@contextmanager
def between() -> Iterator[Between]:
    """One, while it is needed."""
    one = Between()
    serving = threading.Thread(target=one.serve, daemon=True)
    serving.start()
    try:
        yield one
    finally:
        one.close()
        serving.join(5)
