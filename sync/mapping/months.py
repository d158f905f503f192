"""Names of months and weekdays in the languages of sources.

They are put into what `strptime` reads everywhere.
"""

import re
from collections.abc import Callable, Mapping

from sync.mapping.rules import RuleError
from sync.mapping.values import BadValueError
from sync.text.masking import quoted_value

_MONTHS: Mapping[str, str] = {
    "nb": "januar,jan februar,feb mars,mar april,apr mai juni,jun juli,jul august,aug"
    " september,sep,sept oktober,okt november,nov desember,des",
    "sv": "januari,jan februari,feb mars,mar april,apr maj juni,jun juli,jul augusti,aug"
    " september,sep,sept oktober,okt november,nov december,dec",
    "da": "januar,jan februar,feb marts,mar april,apr maj juni,jun juli,jul august,aug"
    " september,sep,sept oktober,okt november,nov december,dec",
    "de": "januar,jänner,jan,jän februar,feber,feb märz,maerz,mär,mrz april,apr mai juni,jun"
    " juli,jul august,aug september,sep,sept oktober,okt november,nov dezember,dez",
    "nl": "januari,jan februari,feb maart,mrt,maa april,apr mei juni,jun juli,jul"
    " augustus,aug september,sep,sept oktober,okt november,nov december,dec",
    "en": "january,jan february,feb march,mar april,apr may june,jun july,jul august,aug"
    " september,sep,sept october,oct november,nov december,dec",
}
_WEEKDAYS: Mapping[str, str] = {
    "nb": "mandag,man,ma tirsdag,tir,ti onsdag,ons,on torsdag,tor,to fredag,fre,fr"
    " lørdag,lør,lø søndag,søn,sø",
    "sv": "måndag,mån,må tisdag,tis,ti onsdag,ons,on torsdag,tor,to fredag,fre,fr"
    " lördag,lör,lö söndag,sön,sö",
    "da": "mandag,man,ma tirsdag,tir,ti onsdag,ons,on torsdag,tor,to fredag,fre,fr"
    " lørdag,lør,lø søndag,søn,sø",
    "de": "montag,mo dienstag,di mittwoch,mi donnerstag,do freitag,fr samstag,sonnabend,sa"
    " sonntag,so",
    "nl": "maandag,ma dinsdag,di woensdag,wo donderdag,do vrijdag,vr zaterdag,za zondag,zo",
    "en": "monday,mon tuesday,tue,tues wednesday,wed thursday,thu,thur,thurs friday,fri"
    " saturday,sat sunday,sun",
}
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WORD = re.compile(r"[^\W\d_]+\.?")
_REMEDY = "correct it in the source, or the feed's 'language'"


def translated(pattern: str, languages: tuple[str, ...]) -> tuple[str, Callable[[str], str]]:
    """Return the pattern without names in it, and what puts a text into the same form.

    Raises:
        RuleError: a language is not known.
    """
    unknown = [one for one in languages if one not in _MONTHS]
    if unknown:
        raise RuleError(f"language: '{unknown[0]}' is not known; use {', '.join(_MONTHS)}")
    months = _table(_MONTHS, languages)
    days = _table(_WEEKDAYS, languages) if "%a" in pattern.lower() else {}
    dotted = re.search(r"%[aAbB]\.", pattern) is not None
    numbers = re.sub("%[Bb]", "%m", re.sub("%A", "%a", pattern))

    def word(found: re.Match[str]) -> str:
        text = found[0].rstrip(".").lower()
        rest = "." if dotted and found[0].endswith(".") else ""
        if text in days and text not in months:
            return _DAYS[_only(days[text], found[0])] + rest
        if text in months:
            return f"{_only(months[text], found[0]) + 1:02d}{rest}"
        return found[0]

    def replaced(text: str) -> str:
        if not any(one.rstrip(".").lower() in months for one in _WORD.findall(text)):
            reason = f"{quoted_value(text)} has no month that is known in {', '.join(languages)}"
            raise BadValueError(reason, _REMEDY)
        return _WORD.sub(word, text)

    return numbers, replaced


def _table(names: Mapping[str, str], languages: tuple[str, ...]) -> dict[str, set[int]]:
    """Return the numbers, from 0 on, that a word stands for in these languages."""
    table: dict[str, set[int]] = {}
    for language in languages:
        for number, words in enumerate(names[language].split()):
            for word in words.split(","):
                table.setdefault(word, set()).add(number)
    return table


def _only(numbers: set[int], word: str) -> int:
    if len(numbers) > 1:
        raise BadValueError(
            f"{quoted_value(word)} means several days or months in these languages", _REMEDY
        )
    return next(iter(numbers))
