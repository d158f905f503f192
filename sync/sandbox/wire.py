"""What goes over the wire: one call, its answer, a refusal, and a reader of JSON bodies that names everything wrong."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from sqlite3 import Connection
from typing import Any, Literal

Json = Any
"""A value as `json.loads` gives it."""

Status = int | Literal["reset"]
"""An HTTP status, or "reset": the connection is dropped instead of answered."""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_EMAIL = re.compile(r"[^@\s,;<>\[\]()]+@[^@\s.,;<>\[\]()]+(\.[^@\s.,;<>\[\]()]+)+")
_MAX_EMAIL = 254
_MOST = 999_999_999


class Refusal(Exception):  # noqa: N818  (errors are named by what they mean)
    """This Inspera says no: an HTTP status, and every reason at once."""

    def __init__(self, status: int, *errors: str) -> None:
        super().__init__("; ".join(errors))
        self.status, self.errors = status, errors


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered to a call. A body that is text is sent as it stands, everything else as JSON."""

    status: Status
    body: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def no(cls, refusal: Refusal, headers: Mapping[str, str] | None = None) -> "Answer":
        """The answer that carries a refusal's reasons."""
        return cls(refusal.status, {"success": False, "errors": list(refusal.errors)}, headers or {})


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it arrived: `ids` from the path, header names in lower case, `now` aware and in UTC.

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
        """The body.

        Raises:
            Refusal: it is not JSON, or is not said to be.
        """
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Refusal(400, "Content-Type: must be application/json")
        try:
            return parse(self.raw)
        except ValueError:
            raise Refusal(400, "the body is not JSON") from None

    def flag(self, name: str) -> bool:
        """Whether a query parameter such as `isExternal` is there and true."""
        return self.query.get(name, "").lower() == "true"


Handler = Callable[[Connection, Call], Answer]
"""What carries out one kind of call, inside a transaction that a `Refusal` takes back."""


def parse(raw: bytes) -> Json:
    """The value of JSON text.

    Raises:
        ValueError: it is not JSON, or nobody can mean it: nested very deeply, no number, half a character.
    """
    try:
        value = json.loads(raw)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def is_number(text: str) -> bool:
    """Whether the text is a whole number of digits only, small enough for the database."""
    return text.isascii() and text.isdigit() and len(text) <= 18


def moment_text(when: datetime) -> str:
    """A time as Inspera writes it: UTC, whole seconds (vendor contract, Conventions)."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_moment(text: str) -> bool:
    try:
        return bool(_MOMENT.fullmatch(text) and datetime.fromisoformat(text))
    except ValueError:
        return False


class Reader:
    """Takes the members out of a JSON object and collects what is wrong with them, to be said at once by `close`.

    Every method gives `None` for a member that is absent or wrong. `where` goes before each complaint.
    """

    def __init__(self, value: Json, where: str = "", errors: list[str] | None = None) -> None:
        self.errors: list[str] = [] if errors is None else errors
        self._where = where
        self._left: dict[str, Json] = dict(value) if isinstance(value, dict) else {}
        if not isinstance(value, dict):
            self.errors.append(f"{where or 'the body'}: must be a JSON object")

    def complain(self, name: str, what: str) -> None:
        """Adds a complaint about one member."""
        self.errors.append(f"{self._where}{'.' if self._where else ''}{name}: {what}")

    def _take(self, name: str, needed: bool) -> Json:
        if name not in self._left:
            if needed:
                self.complain(name, "is missing")
            return None
        value = self._left.pop(name)
        if value is None:
            self.complain(name, "must not be null")
        return value

    def text(self, name: str, *, needed: bool = False, most: int = 1000) -> str | None:
        """Text of at most `most` characters; a needed one must not be blank either."""
        value = self._take(name, needed)
        if value is None:
            return None
        if not isinstance(value, str):
            self.complain(name, "must be text")
        elif needed and not value.strip():
            self.complain(name, "must not be empty")
        elif len(value) > most:
            self.complain(name, f"at most {most} characters, has {len(value)}")
        else:
            return value
        return None

    def email(self, name: str) -> str | None:
        """An email address; an empty one clears."""
        value = self.text(name, most=_MAX_EMAIL)
        if value and not _EMAIL.fullmatch(value):
            self.complain(name, "is not an email address")
            return None
        return value

    def whole(self, name: str, *, least: int, needed: bool = False) -> int | None:
        """A whole number, not less than `least` and at most nine digits long."""
        value = self._take(name, needed)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _MOST:
            self.complain(name, f"must be a whole number, {least} or more")
            return None
        return value

    def seconds(self, name: str) -> float | None:
        """A number of seconds, 0 or more; fractions are welcome."""
        value = self._take(name, needed=False)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < float("inf"):
            self.complain(name, "must be a number of seconds, 0 or more")
            return None
        return float(value)

    def moment(self, name: str) -> str | None:
        """A needed time such as `2024-10-18T07:00:00Z`: UTC, whole seconds (vendor contract, Conventions)."""
        value = self.text(name, needed=True)
        if value is None:
            return None
        if _is_moment(value):
            return value
        self.complain(name, "must be a time in UTC with whole seconds, such as 2024-10-18T07:00:00Z")
        return None

    def flag(self, name: str) -> bool:
        """True or false; false when absent."""
        value = self._take(name, needed=False)
        if value is not None and not isinstance(value, bool):
            self.complain(name, "must be true or false")
        return value is True

    def any(self, name: str) -> Json:
        """A member of any type."""
        return self._left.pop(name, None)

    def items(self, name: str, *, needed: bool = False) -> "list[Reader] | None":
        """A list of objects, each with a reader that adds to the same complaints; a needed one must not be empty."""
        value = self._take(name, needed)
        if value is None:
            return None
        if not isinstance(value, list):
            self.complain(name, "must be a list")
            return None
        if needed and not value:
            self.complain(name, "must not be empty")
        return [Reader(item, f"{name}[{place}]", self.errors) for place, item in enumerate(value)]

    def done(self) -> None:
        """Complains of each member that nobody took: a misspelt one would otherwise be lost without a word."""
        for name in self._left:
            self.complain(name, "is not known here")
        self._left.clear()

    def close(self) -> None:
        """Ends the reading.

        Raises:
            Refusal: something was wrong; 400 with every complaint.
        """
        self.done()
        if self.errors:
            raise Refusal(400, *self.errors)
