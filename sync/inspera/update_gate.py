"""The gate before a call that updates people: it stays shut on a tenant that refuses updates."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class UpdateGate:
    """What is known in this run of one call that updates people. Thread-safe.

    Until the first update was taken, or refused because its username exists, updates are sent one
    at a time: a tenant that refuses all of them is asked once in a run, not once a person.

    A refusal that does not name the username may be about this person alone, such as an email
    address that is in use. So such refusals of two people are needed.
    """

    def __init__(self) -> None:
        self._first = threading.Lock()
        self._open = False
        self._refused: str | None = None
        self._first_refused: str | None = None

    @contextmanager
    def turn(self) -> Iterator[str | None]:
        """Wait for the turn to send an update; yield why none is sent, or `None`."""
        if not self._known:
            with self._first:
                if not self._known:
                    yield None
                    return
        yield self._refused

    @property
    def _known(self) -> bool:
        return self._open or self._refused is not None

    def open(self) -> None:
        """Record that this tenant has taken an update."""
        self._open = True

    def close(self, message: str, username: str, *, names_username: bool) -> bool:
        """Record that an update was refused as existing; return whether no more are to be sent.

        A tenant that has taken an update in this run takes others, too.
        """
        if self._open:
            return False
        if not names_username and self._first_refused in (None, username):
            self._first_refused = username
            return self._refused is not None
        self._refused = self._refused or message
        return True
