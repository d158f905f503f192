"""The parts of the protocol: a call, its answer, a refusal, and an endpoint."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from sqlite3 import Connection
from typing import Any, Literal

Json = Any
"""A value as `json.loads` gives it."""

Status = int | Literal["reset"]
"""An HTTP status, or "reset": the connection is dropped instead of answered."""


class Refusal(Exception):  # noqa: N818  (errors are named by what they mean)
    """A refused call: an HTTP status and all reasons.

    `success` is the answer's member of that name; it is true for errors in a 200 (vendor contract,
    Conventions).
    """

    def __init__(self, status: int, *errors: str, success: bool = False) -> None:
        super().__init__("; ".join(errors))
        self.status, self.errors, self.success = status, errors, success


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a call. A body that is text is sent unchanged, everything else as JSON."""

    status: Status
    body: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def no(cls, refusal: Refusal, headers: Mapping[str, str] | None = None) -> "Answer":
        """Return the answer that contains a refusal's reasons."""
        return cls(
            refusal.status,
            {"success": refusal.success, "errors": list(refusal.errors)},
            headers or {},
        )


@dataclass(frozen=True, slots=True)
class ReceivedCall:
    """One received call: `ids` from the path, header names in lower case, `now` in UTC.

    `base` is this server's own address, without a slash at its end.
    """

    method: str
    path: str
    ids: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes
    now: datetime
    base: str

    def json(self) -> Json:
        """Return the parsed body.

        Raises:
            Refusal: it is not JSON, or has another content type.
        """
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Refusal(400, "Content-Type: must be application/json")
        try:
            return parse(self.raw)
        except ValueError:
            raise Refusal(400, "the body is not JSON") from None

    def flag(self, name: str) -> bool:
        """Tell whether a query parameter such as `isExternal` is present and true."""
        return self.query.get(name, "").lower() == "true"


Handler = Callable[[Connection, ReceivedCall], Answer]
"""Carries out one kind of call, inside a transaction that a `Refusal` rolls back."""

CallKind = Literal["token", "link", "read", "write", "committee"]
"""The kinds of call. "link" is by a signed link; "committee" is the write that makes committees."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path."""

    handler: Handler
    kind: CallKind

    @property
    def writes(self) -> bool:
        """Tell whether it changes data; issuing a token or ordering an export does not."""
        return self.kind in {"write", "committee"}

    @property
    def reads(self) -> bool:
        """Tell whether it shows data, as far as they are readable yet."""
        return self.kind in {"read", "link"}

    @property
    def needs_token(self) -> bool:
        """Tell whether the call must have a bearer token."""
        return self.kind not in {"token", "link"}


def with_unknown_fields(value: Json) -> Json:
    """Return a body with members that no contract names in each of its objects.

    The vendor adds fields without notice (vendor contract, Conventions).
    """
    if isinstance(value, list):
        return [with_unknown_fields(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    known = {name: with_unknown_fields(entry) for name, entry in value.items()}
    return {"addedLater": {"kind": "UNKNOWN", "values": [None, 1, "x"]}, **known, "flag": False}


Endpoints = Mapping[str, Endpoint]
"""The endpoints of one path, by method."""


def parse(raw: bytes) -> Json:
    """Return the value of JSON text.

    Raises:
        ValueError: it is not JSON, is nested very deeply, or has a NaN or half a character.
    """
    try:
        value = json.loads(raw)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def is_number(text: str) -> bool:
    """Tell whether the text consists of digits only, and is small enough for the database."""
    return text.isascii() and text.isdigit() and len(text) <= 18


def moment_text(when: datetime) -> str:
    """Return a time as Inspera writes it: UTC, whole seconds (vendor contract, Conventions)."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
