"""Invisible characters, text that was read in the wrong encoding, and text that is safe to print.

People and programs compare the values of sources, and both must see the same characters. So
invisible ones are stripped, refused or escaped, by the rules of this module only.
"""

import re
from typing import Literal
from unicodedata import category

Damage = Literal["mojibake", "html", "escape", "null", "replacement"]
"""Damage to text that a feed can allow with `allow_text`.

In this order: text read in the wrong encoding, HTML entities, escapes of letters, words for a
missing value, and U+FFFD.
"""

ESCAPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that are always escaped: some move the cursor or reverse the text."""

_KEPT_BREAK = "\n"
_BEFORE_BLANK = "ÂÃ"
"""Letters that, before a no-break space or a soft hyphen, show a wrong encoding (`Ã\\xa0` is à)."""

UNSEEN = (
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef"
)
"""Invisible characters outside the format categories, for use in `[…]` of a regular expression."""

LIKE_ASCII = "\u2010\u2011\u2212\ufe63\uff01-\uff5e"
"""Hyphens and full-width letters that look like those of ASCII, for the same use."""

LIKE_LATIN = "\u0370-\u03ff\u0400-\u052f"
"""Greek and Cyrillic, with letters that look like Latin ones, for the same use."""


def escaped(text: str) -> str:
    r"""Return the text with invisible and control characters escaped, as `\u200b`.

    Line breaks stay. Characters beyond U+FFFF become two escapes, as JSON requires, so that
    escaped JSON has the same meaning.
    """
    if text.isascii() and text.replace(_KEPT_BREAK, "").isprintable():
        return text
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if character in (" ", _KEPT_BREAK) or (
        category(character) not in ESCAPED and not is_odd_space(character)
    ):
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def is_odd_space(character: str) -> bool:
    """Tell whether this is a space other than the plain one, such as a no-break space."""
    return character != " " and category(character) == "Zs"


def trimmed(text: str) -> str:
    r"""Return the text without blanks, odd spaces and format characters at its ends.

    A no-break space may be half of a letter in the wrong encoding (`Ã\xa0` is à). It stays, so that
    `is_misread` can still detect the damage.
    """
    start, end = 0, len(text)
    while start < end and _is_blank(text[start]):
        start += 1
    while end > start and _is_blank(text[end - 1]) and not _is_half(text[start:end]):
        end -= 1
    return text[start:end]


def _is_blank(character: str) -> bool:
    return character.isspace() or category(character) in {"Cf", "Zs"}


def _is_half(text: str) -> bool:
    return len(text) > 1 and text[-1] in "\xa0\xad" and text[-2] in _BEFORE_BLANK


def plain_spaces(text: str) -> str:
    """Return the text with a plain space in place of every odd one."""
    return "".join(" " if is_odd_space(character) else character for character in text)


# UTF-8 that was read as windows-1252 (or Latin-1): a first byte as Â to ô, then bytes 80 to BF. A
# pair can also be real text ("MÍŠA", "CAFÉ®", "RØD–BLÅ"), so a single pair counts only if no real
# text contains it.
_NEXT = "\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_ORDINARY = "\xa0°²³¹ª«®º»¼½¾´·…‘’“”•–—™›ŠŒŽšœžŸ"
_STRANGE = f"(?:(?![{_ORDINARY}])[{_NEXT}])"
_TWO = f"[\xc2-\xdf][{_NEXT}]"
_THREE = f"[\xe0-\xef][{_NEXT}]{{2}}"
_FOUR = f"[\xf0-\xf4][{_NEXT}]{{3}}"
# ė, œ, ő and others whose second half is ordinary: the European part of Latin Extended-A.
_EXTENDED = "Ä[Œž‘“•—›š™Ÿ°]|Å[Œž‘“Šš›œŸž™½¾º]|È[™›]"
_UTF8_AS_WINDOWS = re.compile(
    f"[ÂÃ][{_NEXT}]"
    f"|[\xc4-\xdf]{_STRANGE}"
    f"|{_EXTENDED}"
    f"|(?:{_TWO}|{_THREE}|{_FOUR}){{2}}"
    f"|[\xe0-\xef](?:{_STRANGE}[{_NEXT}]|[{_NEXT}]{_STRANGE})"
    f"|â€|á[º»][{_NEXT}]|ï»¿|ï¿½|{_FOUR}"
)
# UTF-8 that was read in other encodings: DOS (cp850, cp437), an old Macintosh, windows-1250.
_OTHERS = (
    r"[\u2500-\u259f]|ÔÇ[^\x00-\x7f]|Γ[Çê][^\x00-\x7f]|‚Ä[^\x00-\x7f]|[≈ƒ¬][^\x00-\x7f]"
    r"|√[†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥∑∏∫ªºæøÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü]"
    r"|[ĂĹ][\u00a0-\u00bf\u0080-\u009f‚„…†‡‰‹‘’“”•€™›˘˛ˇŁĄĽąľśźŚŹŤťŽžŠšŻż]"
)
_UTF8_AS_OTHERS = re.compile(_OTHERS)
MAYBE_MISREAD = f"[\xc2-\xf4][{_NEXT}]|{_OTHERS}"
"""A quick check of a whole row: it matches wherever `is_misread` does, and rarely elsewhere."""


# Text in an encoding of DOS or an old Macintosh, read as windows-1252: letters become signs.
SIGNS = "¡¤¥¦¨¯¶¸¼½¾¿†‡‰‹›„"
_SIGN_IN_WORD = re.compile(rf"(?<=[^\W\d_])[{SIGNS}](?=[^\W\d_])")


def has_sign_in_word(text: str) -> bool:
    """Tell whether a word has a sign in place of a letter, such as `Bj¿rn`."""
    return not text.isascii() and bool(_SIGN_IN_WORD.search(text))


def is_misread(text: str) -> bool:
    """Tell whether the text contains UTF-8 read in another encoding: `Ã¸` for ø (mojibake)."""
    if text.isascii():
        return False
    return bool(_UTF8_AS_WINDOWS.search(text) or _UTF8_AS_OTHERS.search(text))
