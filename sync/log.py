"""Logging: one line an event, coloured on a terminal, JSON when not, with what must not be shown masked.

Lines of libraries go the same way, from warnings on. Run, job, kind and key are bound in context, by
`structlog.contextvars`.
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
    """`function`, for other threads, with what is bound in the log's context of this one, and with `bound`."""
    context = copy_context()
    context.run(structlog.contextvars.bind_contextvars, **bound)

    def inside(*arguments: P.args, **named: P.kwargs) -> T:
        # A context can be entered by one thread at a time, so each call gets its own.
        return context.copy().run(function, *arguments, **named)

    return inside


def configure(stream: TextIO | None = None, level: str = "warning") -> None:
    """Sends log events to `stream` (standard error by default), from `level` on; of libraries from warnings on."""
    out = stream or sys.stderr
    prepared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _explain,
        _mask,
        _counting_lost(out),
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
    _adopt_libraries(out, formatter)


def _counting_lost(out: TextIO) -> structlog.typing.Processor:
    """Say in the first line after some that could not be written how many these were (see `sync.console`)."""

    def mention(_logger: Any, _method: str, event: Event) -> Event:
        missed: int = getattr(out, "missed", 0)
        return {**event, "lines_lost_before": missed} if missed else event

    return mention


class _Libraries(logging.Handler):
    """Writes what libraries log, a line at a time between our own."""

    def __init__(self, out: TextIO, formatter: logging.Formatter) -> None:
        super().__init__(logging.WARNING)
        self._out, self._lines = out, structlog.WriteLogger(out)
        self.setFormatter(formatter)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if not self._out.closed:
                self._lines.msg(self.format(record))
        except Exception:
            # A line that can't be written must not end a run. (logging's own habit would print the record's values.)
            return


def _adopt_libraries(out: TextIO, formatter: logging.Formatter) -> None:
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, _Libraries)]:
        root.removeHandler(handler)
    root.addHandler(_Libraries(out, formatter))


def _explain(_logger: Any, _method: str, event: Event) -> Event:
    """Puts what an exception is, and where it was raised, in the place of the exception itself.

    Only our own errors and the operating system's say what happened: others may quote a person's record or a secret.
    """
    given = event.pop("exc_info", None)
    error = sys.exception() if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException) and _is_ours(error):
        event["error"] = str(error)
    elif isinstance(error, BaseException):
        event["error"] = _named(error)
        event["traceback"] = list(_trace(error))
    return event


def _is_ours(error: BaseException) -> bool:
    """Whether the error is worded by this project, fit to show."""
    return type(error).__module__.partition(".")[0] == "sync"


def _named(error: BaseException) -> str:
    said = str(error) if _is_ours(error) else getattr(error, "strerror", None)
    return f"{type(error).__name__}: {said}" if isinstance(said, str) else type(error).__name__


def _trace(error: BaseException) -> Iterator[str]:
    """Where it was raised, outermost first, and then the same of what caused it."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        if seen:
            yield f"caused by {_named(cause)}"
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
    # systemd takes the number off again, and keeps it as the line's priority.
    return lambda logger, method, event: (
        f"<{_PRIORITIES.get(event.get('level', ''), 6)}>{render(logger, method, event)}"
    )


def _is_journal(out: TextIO) -> bool:
    """Whether the stream ends in systemd's journal, which names itself by device and inode."""
    try:
        found = os.fstat(out.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"
