"""What an answer to `init` has to be, and what is offered as one."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from pydantic_core import PydanticCustomError

from sync.config.addresses import check_tenant
from sync.config.patterns import check_zone
from sync.errors import UsageError

Check = Callable[[str], str]
"""Gives an answer as it is used, or raises `ValueError` with what is wrong with it."""

_ZONE_FILE = Path("/etc/localtime")


def checked(option: str, check: Check, text: str) -> str:
    """Return the answer that was given by an option.

    Raises:
        UsageError: it can't be used.
    """
    try:
        return check(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def filled(text: str) -> str:
    """Return any text in one line."""
    if not text.strip() or not text.isprintable():
        raise ValueError("give it in one line")
    return text.strip()


def a_tenant(text: str) -> str:
    """Return the tenant's address."""
    return _checked(check_tenant, text)


def a_zone(text: str) -> str:
    """Return the name of a time zone."""
    return _checked(check_zone, text)


def _checked(check: Check, text: str) -> str:
    try:
        return check(text.strip())
    except PydanticCustomError as error:
        raise ValueError(error.message()) from None


def a_file(text: str) -> str:
    """Return the path of a file that exists."""
    if not Path(text.strip()).is_file():
        raise ValueError("does not exist")
    return text.strip()


def a_file_or_none(text: str) -> str:
    """Return the same, or nothing."""
    return a_file(text) if text.strip() else ""


def a_key_file(text: str) -> str:
    """Return a path that can stand in a reference; its file need not exist yet."""
    if re.search(r"[{}]", text) or not text.strip() or not text.isprintable():
        raise ValueError("is not a path that a reference can name; give one without braces")
    return text.strip()


def an_encoding(text: str) -> str:
    """Return the name of a text encoding."""
    try:
        "".encode(text.strip())
        return text.strip()
    except LookupError:
        raise ValueError("is not a known encoding") from None


def one_of(*words: str) -> Check:
    """Return one of these words."""

    def check(text: str) -> str:
        if text.strip().lower() not in words:
            raise ValueError(f"answer {' or '.join(words)}")
        return text.strip().lower()

    return check


def zone_here() -> str:
    """Return this machine's time zone, to be offered; empty when it is UTC or unknown."""
    name = os.path.realpath(_ZONE_FILE).partition("/zoneinfo/")[2]
    try:
        return a_zone(name) if "/" in name else ""
    except ValueError:
        return ""
