"""A call that may take long, made in the background so that its user is not blocked."""

import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")


class BackgroundCall(Generic[T]):
    """A call of a function in a new thread, which does not keep the process alive."""

    def __init__(self, function: Callable[[], T], name: str) -> None:
        self._function, self._name = function, name
        self._pending: Future[T] | None = None
        self._since = 0.0

    def result(self, timeout: float) -> T:
        """Return the function's result, or raise its error.

        The function is called, unless an earlier call has not returned yet.

        Raises:
            TimeoutError: it did not return within `timeout` seconds; the call goes on.
        """
        if self._pending is None:
            self._pending, self._since = Future(), time.monotonic()
            Thread(target=self._run, args=(self._pending,), name=self._name, daemon=True).start()
        if not wait([self._pending], timeout).done:
            raise TimeoutError
        returned, self._pending = self._pending, None
        return returned.result()

    def _run(self, future: Future[T]) -> None:
        try:
            future.set_result(self._function())
        except BaseException as error:  # raised where the result is needed
            future.set_exception(error)

    @property
    def pending_for(self) -> float:
        """Return the seconds since a call began that has not returned; 0 without one."""
        return 0.0 if self._pending is None else time.monotonic() - self._since
