"""One value on its way from a cell to a field: stripped, NFC-normalised, without control characters."""

from collections.abc import Mapping
from unicodedata import category, normalize

Values = Mapping[str, str]
"""A row's values by column name."""

SEPARATOR = "\x1f"
"""Between values that are joined into one text: a control character, which no value can hold."""

_REFUSED = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Control characters, halves of surrogate pairs (they can't be sent as UTF-8), line and paragraph separators."""

_SHOWN = 40


class BadValueError(ValueError):
    """A value that can't be used. Neither text holds a value that may name a person."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason}; {remedy}")
        self.reason, self.remedy = reason, remedy


def clean(text: str) -> str:
    """The text stripped and in NFC (never NFKC, which would rewrite names); blank is `""`.

    Raises:
        BadValueError: it holds a control character.
    """
    text = text.strip()
    if text.isascii() and text.isprintable():
        return text
    text = normalize("NFC", text)
    if not text.isprintable():
        _refuse_controls(text)
    return text


def _refuse_controls(text: str) -> None:
    for position, character in enumerate(text, start=1):
        if category(character) in _REFUSED:
            raise BadValueError(
                f"holds a control character (U+{ord(character):04X}, character {position})",
                "remove it in the source",
            )


def quoted(text: str) -> str:
    """The text in quotes and cut short, for values that name nobody: times, durations, numbers, lookup values."""
    return f"'{text}'" if len(text) <= _SHOWN else f"'{text[:_SHOWN]}…'"
