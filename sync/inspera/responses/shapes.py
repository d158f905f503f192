"""Readers of the parts of responses. They raise `ValueError` for an unexpected form."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime


def text(value: object) -> str | None:
    """Return a text, or a number as a text because it may be an id; otherwise None."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value)


def whole_number(value: object) -> int | None:
    """Return a whole number, also if it is written as a text; otherwise None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) else None


def flag(value: object) -> bool | None:
    """Return true or false; None for everything else."""
    return value if isinstance(value, bool) else None


def moment(value: object) -> str | None:
    """Return a time as plans write it, in UTC and whole seconds.

    The result is None for a time without an offset, because its zone is not known.
    """
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        return None if at.tzinfo is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        return None


def pairs(value: object, name: str) -> Iterator[tuple[str, str]]:
    """Yield auth systems with external ids; `name` is the member with the external id.

    See vendor contract, Conventions.
    """
    for entry in objects(value) if isinstance(value, list) else ():
        auth_system, external_id = text(entry.get("authType")), text(entry.get(name))
        if auth_system and external_id:
            yield auth_system, external_id


def unwrapped(document: object) -> Mapping[str, object]:
    """Return the content of a response, without the `result` that may be around it.

    See vendor contract, Test API: read.
    """
    outer = as_object(document)
    inner = outer.get("result")
    return inner if isinstance(inner, dict) else outer


def as_object(document: object) -> Mapping[str, object]:
    """Return the document, if it is an object."""
    if not isinstance(document, dict):
        raise ValueError("not an object")  # noqa: TRY004 -- one error for every unexpected form
    return document


def objects(value: object) -> Iterator[Mapping[str, object]]:
    """Return the entries of a list, each of which must be an object."""
    if not isinstance(value, list):
        raise ValueError("not a list")  # noqa: TRY004 -- one error for every unexpected form
    return (as_object(entry) for entry in value)


def member(row: Mapping[str, object], *names: str) -> object:
    """Return the first of these members that the object has."""
    for name in names:
        if name in row:
            return row[name]
    raise ValueError("the list is missing")


def required(row: Mapping[str, object], name: str) -> str:
    """Return the id in this member, which must not be missing."""
    value = text(row.get(name))
    if not value:
        raise ValueError("an id is missing")
    return value
