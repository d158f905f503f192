"""One value on its way from a cell to a field.

Stripped, NFC-normalised, without control characters.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Protocol
from unicodedata import category, is_normalized, normalize

from sync.errors import Unusable
from sync.records.rule_numbers import SafetyRule
from sync.text.characters import LIKE_ASCII, LIKE_LATIN, MAYBE_MISREAD, SIGNS, UNSEEN, trimmed

SEPARATOR = "\x1f"
"""Between values that are joined into one text: a control character, which no value can hold."""

_REFUSED = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Control characters, halves of surrogate pairs (they can't be sent as UTF-8), line and paragraph
separators."""

_SHOWN = 40

_WESTERN = bytes([*range(0x80), *range(0x80, 0xC0), 0xC3])
"""The bytes of ASCII and of À to ÿ in UTF-8, which hold nothing that is looked for: the quickest
look of all."""

_UNUSUAL = re.compile(
    "[^\x00-\x7f\xc0-\xff\u0100\u0101\u0103-\u0138\u013a-\u0151\u0154-\u015f\u0162-\u0177\u0179-\u017c]"
)
"""What is neither ASCII nor one of the Latin letters that can't be the second half of anything: one
quick look."""

_ODD = re.compile(
    f"[{UNSEEN}{SIGNS}{LIKE_ASCII}{LIKE_LATIN}\ufffd²³¹⁰-⁹₀-₉①-⑳]|{MAYBE_MISREAD}|[^\\D0-9]"
)
"""The same beyond ASCII: what nobody sees or looks like something else, digits other than 0 to 9,
and what may be read in a wrong encoding."""


class BadValueError(Unusable, ValueError):
    """A value that can't be used in a record.

    `rule` is the safety rule behind it; None for that of its field.
    """

    def __init__(self, reason: str, remedy: str, rule: SafetyRule | None = None) -> None:
        super().__init__(reason, remedy)
        self.rule = rule


class Texts(Protocol):
    """A row's cleaned values, by their column's index.

    Reading one that can't be used raises `BadValueError`.
    """

    def __getitem__(self, index: int, /) -> str: ...


class CarefulTexts:
    """A row's values, cleaned when they are asked for.

    So a bad value hurts only the fields that need it.
    """

    def __init__(self, columns: Sequence[str], values: Mapping[str, str]) -> None:
        self._columns, self._values = columns, values

    def __getitem__(self, index: int) -> str:
        column = self._columns[index]
        if column not in self._values:
            raise BadValueError(
                f"the row has no column '{column}'", "check the header of the source"
            )
        return clean(self._values[column])


def all_sound(raw: Sequence[str], limit: int) -> bool:
    """Tell whether stripping is all that these values need.

    They also have at most `limit` characters together. A look at all of them at once costs a tenth
    of a look at each. Every piece of NFC text is in NFC.
    """
    joined = "".join(raw)
    if len(joined) > limit or not joined.isprintable():
        return False
    # Written out, because a loop over these marks takes longer than the search for them: they are
    # what plain text has where it was damaged, and seldom otherwise
    if "&" in joined or "\\" in joined or "#" in joined or "null" in joined or "NULL" in joined:
        return False
    if "%C" in joined or "%c" in joined or "=C" in joined:
        return False
    return joined.isascii() or (
        is_normalized("NFC", joined)
        and (
            not joined.encode().translate(None, _WESTERN)
            or not _UNUSUAL.search(joined)
            or not _ODD.search(joined)
        )
    )


def clean(text: str) -> str:
    """Return the text stripped and in NFC; blank is `""`.

    Format characters are stripped, too. NFKC would rewrite names, so it is never used.

    Raises:
        BadValueError: it holds a control character.
    """
    stripped = text.strip()
    if stripped.isascii() and stripped.isprintable():
        return stripped
    text = normalize("NFC", trimmed(text))
    if not text.isprintable():
        _refuse_controls(text)
    return text


def _refuse_controls(text: str) -> None:
    for position, character in enumerate(text, start=1):
        if category(character) in _REFUSED:
            raise BadValueError(
                f"holds a control character (U+{ord(character):04X}, character {position})",
                "remove it in the source",
                SafetyRule.NORMALISED_TEXT,
            )


def quoted(text: str) -> str:
    """Return the text of a setting in quotes and cut short.

    What comes from a row is for `sync.text.masking.quoted_value`.
    """
    return f"'{text}'" if len(text) <= _SHOWN else f"'{text[:_SHOWN]}…'"
