"""How `init` asks on a terminal, and what an answer must be."""

from collections.abc import Callable
from pathlib import Path

import typer

from sync.errors import UsageError

Check = Callable[[str], str]
"""Return the answer as it is used, or raise `ValueError` with what is wrong with it."""

Ask = Callable[[str, str | None, Check], str]
"""Ask a person: the question, the default, and the check."""


def ask_on_terminal(question: str, default: str | None, check: Check) -> str:
    """Ask until the answer passes the check. An empty default is not shown."""

    def checked(text: str) -> str:
        try:
            return check(text.strip())
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    answer: str = typer.prompt(question, default, value_proc=checked, show_default=bool(default))
    return answer


def check_option(option: str, text: str, check: Check) -> str:
    """Return the answer that an option gives.

    Raises:
        UsageError: it can't be used.
    """
    try:
        return check(text.strip())
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def one_line(text: str) -> str:
    """Return a text that is one line."""
    if not text or not text.isprintable():
        raise ValueError("give it in one line")
    return text


def existing_file(text: str) -> str:
    """Return the path of a file that exists."""
    if not Path(text).is_file():
        raise ValueError("does not exist")
    return text


def key_file_path(text: str) -> str:
    """Return a path that fits into a reference; its file need not exist yet."""
    if not text or not text.isprintable() or {"{", "}"} & set(text):
        raise ValueError("is not a path that a reference can name; give one without braces")
    return text


def text_encoding(text: str) -> str:
    """Return the name of a text encoding."""
    try:
        "".encode(text)
    except LookupError:
        raise ValueError("is not a known encoding") from None
    return text


def optional(check: Check) -> Check:
    """Return a check that also accepts an empty answer."""
    return lambda text: check(text) if text else ""


def one_of(*words: str) -> Check:
    """Return a check that accepts one of these words."""

    def check(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"answer {' or '.join(words)}")
        return text.lower()

    return check
