"""Logging: one line per event, coloured on a terminal, otherwise JSON, and masked.

Warnings and errors of libraries are logged in the same way. Run, job, kind and key are bound in the
context by `structlog.contextvars`.
"""

import logging
import os
import sys
from collections.abc import Callable, Iterator, MutableMapping
from contextvars import copy_context
from typing import Any, ParamSpec, TextIO, TypeVar

import structlog

from sync.text.characters import escaped
from sync.text.masking import masked

P = ParamSpec("P")
T = TypeVar("T")
Event = MutableMapping[str, Any]

_PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}


def in_context(function: Callable[P, T], **bound: str) -> Callable[P, T]:
    """Return the function with this thread's log context and `bound`, for use in other threads."""
    context = copy_context()
    context.run(structlog.contextvars.bind_contextvars, **bound)

    def call(*arguments: P.args, **named: P.kwargs) -> T:
        # Only one thread at a time can enter a context, so each call gets a copy.
        return context.copy().run(function, *arguments, **named)

    return call


def configure(stream: TextIO | None = None, level: str = "warning") -> None:
    """Send log events from `level` on to `stream`, by default standard error."""
    out = stream or sys.stderr
    prepared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _explain,
        _mask,
        _lost_lines_counter(out),
    ]
    renderer = _renderer(out)
    structlog.configure(
        processors=[*prepared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        foreign_pre_chain=[
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(allow=()),
            *prepared,
        ],
    )
    _handle_libraries(out, formatter)


def _lost_lines_counter(out: TextIO) -> structlog.typing.Processor:
    """Return a processor that adds the number of lost lines to an event (see `sync.console`)."""

    def add_count(_logger: Any, _method: str, event: Event) -> Event:
        missed: int = getattr(out, "missed", 0)
        return {**event, "lines_lost_before": missed} if missed else event

    return add_count


class _LibraryHandler(logging.Handler):
    """A handler that writes the log records of libraries as lines between our own."""

    def __init__(self, out: TextIO, formatter: logging.Formatter) -> None:
        super().__init__(logging.WARNING)
        self._out, self._lines = out, structlog.WriteLogger(out)
        self.setFormatter(formatter)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if not self._out.closed:
                self._lines.msg(self.format(record))
        except Exception:
            # A line that can't be written must not end a run. The default of logging would also
            # print the values of the record.
            return


def _handle_libraries(out: TextIO, formatter: logging.Formatter) -> None:
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _LibraryHandler)]:
        root.removeHandler(handler)
    root.addHandler(_LibraryHandler(out, formatter))


def _explain(_logger: Any, _method: str, event: Event) -> Event:
    """Replace an exception by its name and the places where it was raised.

    Keep the message only of our own errors and those of the operating system: others may quote a
    person's record or a secret.
    """
    given = event.pop("exc_info", None)
    error = sys.exception() if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException) and _is_ours(error):
        event["error"] = str(error)
    elif isinstance(error, BaseException):
        event["error"] = _describe(error)
        event["traceback"] = list(_trace(error))
    return event


def _is_ours(error: BaseException) -> bool:
    """Tell whether the message of the error is written by this project, and may be shown."""
    return type(error).__module__.partition(".")[0] == "sync"


def _describe(error: BaseException) -> str:
    message = str(error) if _is_ours(error) else getattr(error, "strerror", None)
    return (
        f"{type(error).__name__}: {message}" if isinstance(message, str) else type(error).__name__
    )


def _trace(error: BaseException) -> Iterator[str]:
    """Yield the places where it was raised, the outermost first, and then those of its causes."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        if seen:
            yield f"caused by {_describe(cause)}"
        seen.add(id(cause))
        step = cause.__traceback__
        while step is not None:
            code = step.tb_frame.f_code
            yield f"{code.co_filename}:{step.tb_lineno} in {code.co_qualname}"
            step = step.tb_next
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def _mask(_logger: Any, _method: str, event: Event) -> Event:
    return {name: _masked_value(value) for name, value in event.items()}


def _masked_value(value: object) -> object:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict):
        return {name: _masked_value(each) for name, each in value.items()}
    return [_masked_value(each) for each in value] if isinstance(value, list | tuple) else value


def _escaped(event: Event) -> Event:
    return {
        name: escaped(value) if isinstance(value, str) else value for name, value in event.items()
    }


def _renderer(out: TextIO) -> Callable[[Any, str, Event], str]:
    if out.isatty():
        console = structlog.dev.ConsoleRenderer()
        return lambda logger, method, event: console(logger, method, _escaped(event))
    write = structlog.processors.JSONRenderer(ensure_ascii=False)

    def render(logger: Any, method: str, event: Event) -> str:
        return escaped(str(write(logger, method, event)))

    if not _is_journal(out):
        return render
    # systemd removes the number from the line, and stores it as the priority.
    return lambda logger, method, event: (
        f"<{_PRIORITIES.get(event.get('level', ''), 6)}>{render(logger, method, event)}"
    )


def _is_journal(out: TextIO) -> bool:
    """Tell whether the stream is systemd's journal, by the variable with its device and inode."""
    try:
        found = os.fstat(out.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"
