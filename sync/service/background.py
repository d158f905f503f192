"""A question that may take long, asked so that who needs the answer can go on without it."""

import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Thread
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class BackgroundCall(Generic[Answer]):
    """Asks something, each time in a thread of its own, which does not keep the process alive."""

    def __init__(self, ask: Callable[[], Answer], name: str) -> None:
        self._ask, self._name = ask, name
        self._open: Future[Answer] | None = None
        self._since = 0.0

    def answer(self, seconds: float) -> Answer:
        """The answer, or what the question raises. Asks, unless an earlier question is still open.

        Raises:
            TimeoutError: there is none within so many seconds; the question stays open.
        """
        if self._open is None:
            self._open, self._since = Future(), time.monotonic()
            Thread(target=self._put, args=(self._open,), name=self._name, daemon=True).start()
        if not wait([self._open], seconds).done:
            raise TimeoutError
        answered, self._open = self._open, None
        return answered.result()

    def _put(self, answer: Future[Answer]) -> None:
        try:
            answer.set_result(self._ask())
        except BaseException as error:  # raised where the answer is needed
            answer.set_exception(error)

    @property
    def open_for(self) -> float:
        """Seconds for which a question has been without an answer; 0 when none is open."""
        return 0.0 if self._open is None else time.monotonic() - self._since
