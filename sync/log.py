"""Logging: one line an event, coloured on a terminal, JSON when not; and the masking of what must not be shown."""

import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

_NATIONAL_ID = re.compile(r"(?<![\w])(?:\d{11}|(?:\d{2})?\d{6}[-+A]\d{3}[\dA-Z]|\d{10})(?![\w])")
_SHOWN = 4


def masked(text: str) -> str:
    """`text` with what looks like a national identity number cut to its first digits, such as `0101*******`.

    Norwegian (11 digits), Danish (10 digits, or 6-4), Swedish (6-4 or 8-4) and Finnish (6-4 with a letter) shapes.
    """
    return _NATIONAL_ID.sub(lambda found: found[0][:_SHOWN] + "*" * (len(found[0]) - _SHOWN), text)


def _mask(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: masked(value) if isinstance(value, str) else value for name, value in event.items()}


def configure(stream: TextIO | None = None, level: str = "warning") -> None:
    """Sends log events to `stream` (standard error by default), from `level` on."""
    out = stream or sys.stderr
    terminal = out.isatty()
    renderer: Any = (
        structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _mask,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
