"""Masking: the only place that hides national identity numbers and personal values in texts.

Messages and logs may contain keys, unless a key looks like a national identity number. Of other
values they contain only the parts that can't identify a person: digits, signs, and words of times,
durations and codes.
"""

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import cache
from typing import Final

_SHOWN = 4
_QUOTED = 40
_NEAR = 0.75
_SHORTEST = 5

_SPACES = "[ \u00a0\u2009\u202f]"
_GAP = f"{_SPACES}?[-\u2010\u2011\u2012\u2013\u2014\u2212]{_SPACES}?|{_SPACES}"
_DOT = rf"{_GAP}|\."
_SPACE = f"{_SPACES}?"
# Not only dates of birth: Norwegian D-numbers add 40 to the day, Swedish coordination numbers 60.
# Norwegian help numbers add 40 to the month, synthetic ones 80: test data may be somebody's.
_DAY = r"(?:[04][1-9]|[1256]\d|[37][01])"
_MONTH = r"(?:[0489][1-9]|[159][0-2])"
_DATE = rf"(?:{_DAY}{_MONTH}\d\d|\d\d(?:0[1-9]|1[0-2])(?:[06][1-9]|[1278]\d|[39][01]))"
_LONG_DATE = r"(?:19\d\d|20[01]\d)(?:0[1-9]|1[0-2])(?:[06][1-9]|[1278]\d|[39][01])"

_NATIONAL_ID: Final = re.compile(
    rf"""(?<!\w)(?:
        \d{{11}} | \d{{10}} | {_LONG_DATE}\d{{4}}                       # all in one
      | (?:\d\d)?\d{{6}}[-+A-FU-Y]\d{{3}}[\dA-Z]         # Swedish, Danish, Icelandic, Finnish
      | (?:                                               # in groups, but not a date with a time
            (?:{_DATE}|{_LONG_DATE})(?:{_GAP})\d{{3}}(?:{_SPACE}\d\d|[\dA-Z])
          | {_DAY}(?:{_DOT}){_MONTH}(?:{_DOT})\d\d(?:{_DOT})(?:\d{{5}}|\d{{4}}|\d{{3}}{_SPACE}\d\d)
        )(?![-:]\d)
      | (?P<bsn>\d{{9}} | \d{{4}}(?:{_DOT})\d\d(?:{_DOT})\d{{3}}
          | \d{{3}}(?:{_DOT})\d\d(?:{_DOT})\d\d(?:{_DOT})\d\d)
    )(?!\w)""",
    re.VERBOSE | re.IGNORECASE,
)
"""A date of birth and the digits after it, in any grouping, but not a date with a time."""

_FOREIGN_ID = re.compile(r"(?<!\d)\d{6}(?:\d{2})?[-+ ]?\d{4,5}(?!\d)")
_EMAIL = re.compile(r"\S*@\S*")
_DIGITS = re.compile(r"\d+")
_LETTERS = re.compile(r"[^\W\d_]+")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)T(?=\d)|(?<=\d)Z\Z")
_LOGIN = re.compile(r"[^\W\d_]\d{4}|\d{4}[^\W\d_]")
_ISO_DURATION = re.compile(r"P[\dDTHMS.,]+")
_SMALL_WORD = re.compile(r"[a-z]+(?:[_-][a-z]+)*")
_SHORT_CODE = re.compile(r"[A-Z]{1,8}[-_ ]?\d{1,4}(?:[-_ ]?[A-Z0-9]{1,4})?")
_VISIBLE = re.compile(r"[^\W_]")

_ALONE_TEXT = """
    a an half quarter one two hour hours minute minutes min time timer minutter en ett et to halv
    halvtime kvarter timme timmar minuter uur minuten stunde stunden extra ekstra none null nil
    nan na n true false yes no ja nei nej nein nee on off unlimited
"""
_BESIDE_DIGITS_TEXT = """
    days am pm e z t h p pt d m s w y utc gmt cet cest mins minutt minuut std hr hrs tim day dag
    dage dager dagar dagen tag tage sec secs second seconds sek og och und and per prosent procent
    prozent percent pct of av der st nd rd th kl klokken um bis til till from fra von pst est edt
    bst jan januar januari january feb februar februari february mar mars march maart märz maerz
    mrz mrt apr april maj mai may mei jun juni june jul juli july aug august augustus augusti sep
    sept september okt oct oktober october nov november des dec dez desember december dezember mon
    tue wed thu fri sat sun monday tuesday wednesday thursday friday saturday sunday man tir ons
    tor fre lør søn mandag tirsdag onsdag torsdag fredag lørdag søndag mån tis lör sön måndag
    tisdag lördag söndag mo di mi do fr sa so montag dienstag mittwoch donnerstag freitag samstag
    sonntag ma wo vr za zo maandag dinsdag woensdag donderdag vrijdag zaterdag zondag
"""
_ALONE: Final = frozenset(_ALONE_TEXT.split())
"""Words that may be shown even without a digit next to them. None is a person's name."""
_BESIDE_DIGITS: Final = _ALONE.union(_BESIDE_DIGITS_TEXT.split())
"""Units, months and days. Some are also names of people, so they are shown only with digits."""


def masked(text: str) -> str:
    """Return the text with national identity numbers cut to their first digits: `0101*******`.

    This covers the Norwegian, Swedish, Danish, Finnish and Icelandic forms, also with spaces,
    dashes and dots. A number of nine digits is masked only if its Dutch check digit is right.
    """
    return _NATIONAL_ID.sub(_cut, text)


def masked_words(text: str) -> str:
    """Return a text from Inspera, such as a reason, without email addresses and identity numbers."""
    return _NATIONAL_ID.sub(_starred, _FOREIGN_ID.sub("***", _EMAIL.sub("***", text)))


def _starred(found: re.Match[str]) -> str:
    return found[0] if _cut(found) == found[0] else "***"


def _cut(found: re.Match[str]) -> str:
    text = found[0]
    if found["bsn"] and not _is_valid("nl.bsn", text):
        return text
    shown, kept = "", 0
    for character in text:
        kept += character.isalnum()
        shown += "*" if character.isalnum() and kept > _SHOWN else character
    return shown


_COUNTRIES: Final = {
    "no.fodselsnummer": "Norwegian",
    "se.personnummer": "Swedish",
    "fi.hetu": "Finnish",
    "is_.kennitala": "Icelandic",
    "nl.bsn": "Dutch",
    # Last, because it accepts any date: if two countries match equally often, the first is used.
    "dk.cpr": "Danish",
}
_SIGNS = re.compile("[ \u00a0\u2009\u202f.:\u2010-\u2015\u2212]+")
_LENGTHS: Final = {"no.fodselsnummer": 11, "dk.cpr": 10, "is_.kennitala": 10, "nl.bsn": 9}


def national_ids(values: Iterable[str]) -> str:
    """Return the country of national identity numbers, such as `Norwegian`; otherwise `""`.

    At least half of the values must be valid, by date and check digit: a few are valid by chance.
    """
    counts, total = dict.fromkeys(_COUNTRIES, 0), 0
    for value in values:
        total += 1
        for module in counts:
            counts[module] += _is_valid(module, value)
    most = max(counts, key=lambda module: counts[module])
    return _COUNTRIES[most] if total and counts[most] * 2 >= total else ""


def _is_valid(module: str, text: str) -> bool:
    compact = _SIGNS.sub("" if module != "fi.hetu" else "-", text)
    digits = compact.replace("-", "")
    length = _LENGTHS.get(module)
    if length is not None and (
        len(digits) != length or not digits.isdecimal() or not digits.isascii()
    ):
        return False
    return compact.isascii() and _validator(module)(digits if length is not None else compact)


@cache
def _validator(module: str) -> Callable[[str], bool]:
    # Imported when first needed: most commands never check such a number.
    from importlib import import_module

    valid: Callable[[str], bool] = import_module(f"stdnum.{module}").is_valid
    return valid


def quoted_value(text: str, known: Iterable[str] = (), *, code: bool = False) -> str:
    """Return a value of a row in quotes, shortened, and masked where it may be personal: `'K***'`.

    Shows digits, signs, words of times and durations, and a word similar to one of `known`. With
    `code`, for fields such as a role, it also shows a single word in small letters and a short
    code of capitals and digits (`INF1000`).
    """
    whole = text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"
    if "@" not in text and (_is_technical(text) or _is_code(text, known, code=code)):
        return f"'{masked(whole)}'"
    first = _VISIBLE.search(whole)
    start = first.end() if first else 0
    return f"'{whole[:start]}{_VISIBLE.sub('*', whole[start:])}'"


def _is_technical(text: str) -> bool:
    if _ISO_DURATION.fullmatch(text):
        return True
    if _LOGIN.search(_BETWEEN_DIGITS.sub(" ", text)):
        return False
    words = set(_LETTERS.findall(text.lower()))
    if _DIGITS.search(text):
        return words <= _BESIDE_DIGITS
    return words <= _ALONE and (text.islower() or text.isupper() or not words)


def _is_code(text: str, known: Iterable[str], *, code: bool) -> bool:
    if len(text) > _QUOTED:
        return False
    if code and (_SMALL_WORD.fullmatch(text) or _SHORT_CODE.fullmatch(text)):
        return True
    words = [word.lower() for word in known] if len(text) >= _SHORTEST else []
    return bool(get_close_matches(text.lower(), words, n=1, cutoff=_NEAR))
