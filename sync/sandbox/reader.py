"""A reader of JSON bodies that reports all errors at once."""

import re
from collections.abc import Collection
from datetime import datetime

from sync.sandbox.wire import Json, Refusal

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_EMAIL = re.compile(r"[^@\s,;<>\[\]()]+@[^@\s.,;<>\[\]()]+(\.[^@\s.,;<>\[\]()]+)+")
_MAX_EMAIL = 254
_MOST = 999_999_999
_MOST_TEXT = 1000


class BodyReader:
    """A reader of a JSON object's members. It collects all errors, and `close` raises them.

    Every method returns `None` for a member that is absent or invalid. `where` precedes each error.
    """

    def __init__(self, value: Json, where: str = "", errors: list[str] | None = None) -> None:
        self.errors: list[str] = [] if errors is None else errors
        self.where = where
        self._left: dict[str, Json] = dict(value) if isinstance(value, dict) else {}
        if not isinstance(value, dict):
            self.errors.append(f"{where or 'the body'}: must be a JSON object")

    def complain(self, name: str, what: str) -> None:
        """Add an error about one member."""
        self.errors.append(f"{self._place(name)}: {what}")

    def _place(self, name: str) -> str:
        return f"{self.where}.{name}" if self.where else name

    def _take(self, name: str, needed: bool) -> Json:
        if name not in self._left:
            if needed:
                self.complain(name, "is missing")
            return None
        value = self._left.pop(name)
        if value is None:
            self.complain(name, "must not be null")
        return value

    def text(self, name: str, *, needed: bool = False, most: int = _MOST_TEXT) -> str | None:
        """Read a text of at most `most` characters; a needed one must not be blank."""
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
        """Read an email address; an empty one clears."""
        value = self.text(name, most=_MAX_EMAIL)
        if value and not _EMAIL.fullmatch(value):
            self.complain(name, "is not an email address")
            return None
        return value

    def whole(self, name: str, *, least: int, needed: bool = False) -> int | None:
        """Read a whole number, not less than `least` and at most nine digits long."""
        value = self._take(name, needed)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _MOST:
            self.complain(name, f"must be a whole number, {least} or more")
            return None
        return value

    def seconds(self, name: str) -> float | None:
        """Read a number of seconds, 0 or more, of at most nine digits; fractions are allowed."""
        return self._number(name, _MOST, "must be a number of seconds, 0 or more, such as 2.5")

    def number(self, name: str) -> float | None:
        """Read a number of at most nine digits, which may be below 0."""
        return self._number(name, _MOST, "must be a number, such as -7200", least=-_MOST)

    def rate(self, name: str) -> float | None:
        """Read a share of calls, from 0 to 1."""
        return self._number(
            name, 1, "must be a number from 0 to 1, such as 0.05 for one call in twenty"
        )

    def _number(self, name: str, most: float, otherwise: str, least: float = 0) -> float | None:
        value = self._take(name, needed=False)
        if value is None:
            return None
        if (
            not isinstance(value, int | float)
            or isinstance(value, bool)
            or not least <= value <= most
        ):
            self.complain(name, otherwise)
            return None
        return float(value)

    def moment(self, name: str) -> str | None:
        """Read a needed time in UTC with whole seconds, such as `2024-10-18T07:00:00Z`."""
        value = self.text(name, needed=True)
        if value is None:
            return None
        if _is_moment(value):
            return value
        self.complain(
            name, "must be a time in UTC with whole seconds, such as 2024-10-18T07:00:00Z"
        )
        return None

    def flag(self, name: str) -> bool | None:
        """Read true or false."""
        value = self._take(name, needed=False)
        if value is None or isinstance(value, bool):
            return value
        self.complain(name, "must be true or false")
        return None

    def choice(self, name: str, choices: Collection[str], *, needed: bool = False) -> str | None:
        """Read one of a few words."""
        value = self.text(name, needed=needed)
        if value is None or value in choices:
            return value
        self.complain(name, f"must be one of {', '.join(choices)}")
        return None

    def texts(
        self, name: str, *, needed: bool = False, choices: Collection[str] = ()
    ) -> list[str] | None:
        """Read a list of texts that are not blank, sorted and unique; a needed one is not empty."""
        value = self._list(name, needed)
        if value is None:
            return None
        if choices and not all(isinstance(item, str) and item in choices for item in value):
            self.complain(name, f"must contain only {', '.join(choices)}")
        elif not all(
            isinstance(item, str) and item.strip() and len(item) <= _MOST_TEXT for item in value
        ):
            self.complain(
                name, f"must contain only text, not blank and at most {_MOST_TEXT} characters long"
            )
        else:
            return sorted(set(value))
        return None

    def _list(self, name: str, needed: bool) -> list[Json] | None:
        value = self._take(name, needed)
        if value is None:
            return None
        if not isinstance(value, list):
            self.complain(name, "must be a list")
            return None
        if needed and not value:
            self.complain(name, "must not be empty")
        return value

    def any(self, name: str) -> Json:
        """Read a member of any type."""
        return self._left.pop(name, None)

    def inner(self, name: str, *, needed: bool = False) -> "BodyReader | None":
        """Read an object; its reader adds to the same errors."""
        value = self._take(name, needed)
        return None if value is None else BodyReader(value, self._place(name), self.errors)

    def items(self, name: str, *, needed: bool = False) -> "list[BodyReader] | None":
        """Read a list of objects, whose readers add to the same errors; a needed one has some."""
        value = self._list(name, needed)
        if value is None:
            return None
        where = self._place(name)
        return [
            BodyReader(item, f"{where}[{place}]", self.errors) for place, item in enumerate(value)
        ]

    def done(self, known: Collection[str] = ()) -> None:
        """Add an error for each member that was not read, so that a misspelt one is noticed.

        `known` are the valid names, which the error lists.
        """
        for name in self._left:
            self.complain(
                name, "is not a known name" + (f"; known are {', '.join(known)}" if known else "")
            )
        self._left.clear()

    def close(self) -> None:
        """End the reading.

        Raises:
            Refusal: something is invalid; 400 with all errors.
        """
        self.done()
        if self.errors:
            raise Refusal(400, *self.errors)


def _is_moment(text: str) -> bool:
    try:
        return bool(_MOMENT.fullmatch(text) and datetime.fromisoformat(text))
    except ValueError:
        return False
