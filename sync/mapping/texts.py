"""What the text of a field may hold.

Identifiers are the same to the eye and to machines, names are what people wrote.

The rules (rules 33): in an identifier, what nobody sees, spaces other than the plain one, and
digits other than 0 to 9 are refused. In a name or title odd spaces become plain ones, what has no
meaning of its own is taken out, and what turns the reading order is refused. Text that was plainly
damaged on its way is refused in both.
"""

import re
from collections.abc import Callable, Collection
from functools import partial
from html.entities import html5
from unicodedata import category, name

from sync.mapping.values import BadValueError
from sync.records.fields import TextKind
from sync.records.rule_numbers import SafetyRule
from sync.text.characters import (
    LIKE_ASCII,
    LIKE_LATIN,
    UNSEEN,
    Damage,
    has_sign_in_word,
    is_misread,
    is_odd_space,
    plain_spaces,
)

Check = Callable[[str], str]
"""A function that returns the text as the field takes it, or raises `BadValueError`."""

_JOINERS = "\u200c\u200d"
_MEANINGLESS = "\u00ad\u200b\u2060\ufeff\u200e\u200f\u061c" + _JOINERS
"""Soft hyphen, zero-width space, word joiner, byte order mark, marks of direction: without them a
name is the same."""

_UNSEEN = re.compile(f"[{UNSEEN}]")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|([A-Za-z][A-Za-z0-9]*));")
_OPEN_ENTITY = re.compile(
    r"&(?:#[0-9]{2,7}|#[xX][0-9a-fA-F]{2,6}|[AOao]ring|(?:AE|ae|OE|oe)lig|[Oo]slash|szlig|nbsp"
    r"|[A-Za-z](?:grave|acute|circ|tilde|uml|cedil))"
)
"""The entities of letters, which many programs leave without the semicolon."""
_BYTES = (
    r"(?:\\x[89a-fA-F][0-9a-fA-F]){2}|%[cC][2-9a-fA-F]%[89abAB][0-9a-fA-F]"
    r"|=C[2-9A-F]=[89AB][0-9A-F]"
)
_ESCAPE = re.compile(rf"\\u[0-9a-fA-F]{{4}}|\\x[89a-fA-F][0-9a-fA-F]|{_BYTES}")
"""A letter that is written out, as in JSON, in programs, in web addresses and in mail."""
_ESCAPE_IN_IDENTIFIER = re.compile(
    rf"\\u(?=[0-9]*[a-fA-F])(?:00[89a-fA-F]|01[0-9a-fA-F]|1[eE][0-9a-fA-F]"
    rf"|20[0-6]|[fF][eE][fF])[0-9a-fA-F](?![0-9])|{_BYTES}"
)
"""The same, but not a login of a domain, such as `UNI\\u012345`."""
_LIKE_ANOTHER = re.compile(f"[{LIKE_ASCII}]")
_LATIN, _LIKE_LATIN = re.compile("[A-Za-z]"), re.compile(f"[{LIKE_LATIN}]")
_NULLS = re.compile(
    r"(?<!\w)(?:\\N(?!\w)|(?i:\(null\)|<null>|\[null\])"
    r"|#(?:N/A|REF!|NAME\?|VALUE!|DIV/0!|NUM!|NULL!))"
    r"|^#(?:NV|I/T|[A-ZÄÅÆÉÖØ/0]{2,12}[!?])$"
)
_NULL_IDENTIFIERS = re.compile(r"(?<![A-Za-z0-9])NULL(?![A-Za-z0-9])|^null$")
_IN_SOURCE = "correct it in the source"
_ENCODING = "correct it where the source was made, or the source's 'encoding'"


def check_of(kind: TextKind, allowed: Collection[str] = ()) -> Check | None:
    """Return the check of a kind of text, where the feed allows this damage.

    None when there is nothing to check.
    """
    checks: dict[TextKind, Check | None] = {
        "free": None,
        "word": word,
        "label": partial(label, allowed=allowed),
        "identifier": partial(identifier, allowed=allowed),
    }
    return checks[kind]


def word(text: str) -> str:
    """Return the text as it is compared with words of the configuration.

    What nobody sees does not count.
    """
    if text.isascii():
        return text
    return plain_spaces("".join(character for character in text if category(character) != "Cf"))


def identifier(text: str, allowed: Collection[str] = ()) -> str:
    """Return the text, if the eye and a machine read it alike and it was not damaged.

    Raises:
        BadValueError: it holds something that nobody sees, or was damaged.
    """
    if "null" not in allowed and _NULL_IDENTIFIERS.search(text):
        raise _damaged("null", "holds a word for no value", "leave it empty in the source")
    _refuse_damage(text, allowed)
    _refuse_escape(text, allowed, _ESCAPE_IN_IDENTIFIER)
    return seen(text)


def seen(text: str) -> str:
    """Return the text, if everything in it can be seen and told apart.

    Raises:
        BadValueError: it holds a format character, an odd space, a digit that is not 0 to 9, or
            what looks like ASCII.
    """
    if text.isascii():
        return text
    for position, character in enumerate(text, start=1):
        at = f"(U+{ord(character):04X}, character {position})"
        if category(character) in {"Cf", "Co", "Cn"} or _UNSEEN.match(character):
            raise _unusable(f"holds a character that nobody sees {at}", "remove it in the source")
        if is_odd_space(character):
            raise _unusable(f"holds a {name(character).lower()} {at}", "remove it in the source")
        if character.isdigit() and not character.isascii():
            raise _unusable(
                f"holds a digit that is not 0 to 9 {at}", "write plain digits in the source"
            )
        if _LIKE_ANOTHER.match(character):
            reason = f"holds a character that looks like a plain one {at}"
            raise _unusable(reason, "write the plain one in the source")
    _refuse_mixed(text)
    return text


def _refuse_mixed(text: str) -> None:
    """Refuse a word of Latin letters and others that may look the same, such as a Cyrillic а."""
    for part in re.findall(r"\w+", text):
        if (odd := _LIKE_LATIN.search(part)) and _LATIN.search(part):
            reason = (
                "mixes Latin letters with another script's, which look the same "
                f"(U+{ord(odd[0]):04X})"
            )
            raise _unusable(reason, "write it in one script in the source")


def label(text: str, allowed: Collection[str] = ()) -> str:
    """Return a name, a title or a room as people mean it.

    With plain spaces, without what has no meaning.

    Raises:
        BadValueError: it turns the reading order, or was damaged on its way.
    """
    _refuse_damage(text, allowed)
    _refuse_escape(text, allowed, _ESCAPE)
    if "mojibake" not in allowed and has_sign_in_word(text):
        reason = (
            "holds a sign inside a word, where a letter was read in another encoding, "
            "such as '¿' for ø"
        )
        raise _damaged("mojibake", reason, _ENCODING)
    if text.isprintable():
        return text
    kept = [each for at, each in enumerate(text) if each not in _MEANINGLESS or _joins(text, at)]
    for character in kept:
        if category(character) == "Cf" and character not in _JOINERS:
            reason = "holds a character that nobody sees and that can change how the rest reads"
            raise _unusable(f"{reason} (U+{ord(character):04X})", "remove it in the source")
    return plain_spaces("".join(kept)).strip()


def _joins(text: str, at: int) -> bool:
    """Tell whether this is a joiner between letters of a script that needs it.

    Persian and Devanagari are such scripts.
    """
    around = text[at - 1 : at] + text[at + 1 : at + 2]
    return text[at] in _JOINERS and len(around) == 2 and all(_is_shaped(each) for each in around)


def _is_shaped(character: str) -> bool:
    """Tell whether this is a letter, mark or picture of such a script.

    Latin and Greek letters need no joiners.
    """
    return (
        category(character)[0] in "LMS"
        and character >= "\u0600"
        and not "\u1d00" <= character <= "\u1fff"
    )


def _refuse_damage(text: str, allowed: Collection[str]) -> None:
    if "null" not in allowed and _NULLS.search(text):
        reason = "holds a word for no value, or an error of a spreadsheet"
        raise _damaged("null", reason, "leave it empty in the source")
    if "&" in text and "html" not in allowed and _has_entity(text):
        raise _damaged("html", "holds an HTML entity, such as '&aring;' for å", _IN_SOURCE)
    if text.isascii():
        return
    if "\ufffd" in text and "replacement" not in allowed:
        raise _damaged(
            "replacement", "holds U+FFFD, which stands for a character that was lost", _IN_SOURCE
        )
    if "mojibake" not in allowed and is_misread(text):
        reason = "holds UTF-8 that was read in another encoding, such as 'Ã¸' for ø"
        raise _damaged("mojibake", reason, _ENCODING)


def _refuse_escape(text: str, allowed: Collection[str], escape: re.Pattern[str]) -> None:
    if "escape" not in allowed and escape.search(text):
        raise _damaged(
            "escape",
            "holds a letter that is written out, such as '\\u00e5' or '%C3%A5' for å",
            _IN_SOURCE,
        )


def _damaged(damage: Damage, reason: str, remedy: str) -> BadValueError:
    return _unusable(reason, f"{remedy}, or allow it by 'allow_text: [{damage}]' in the feed")


def _unusable(reason: str, remedy: str) -> BadValueError:
    return BadValueError(reason, remedy, SafetyRule.TEXT)


def _has_entity(text: str) -> bool:
    closed = any(found[1] is None or f"{found[1]};" in html5 for found in _ENTITY.finditer(text))
    return closed or bool(_OPEN_ENTITY.search(text))
