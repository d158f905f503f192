"""Text that a field takes only as certain words, or only so long.

Titles, choices, switches, values of options.
"""

from collections.abc import Callable
from types import MappingProxyType

from sync.contract import OptionRule, is_valid_pin
from sync.mapping.values import BadValueError
from sync.records.fields import FieldSpec
from sync.records.test import MAX_TITLE
from sync.text.durations import parse_duration
from sync.text.masking import quoted_value

SWITCH = MappingProxyType(
    {
        "true": True,
        "yes": True,
        "on": True,
        "1": True,
        "ja": True,
        "false": False,
        "no": False,
        "off": False,
        "0": False,
        "nei": False,
        "nej": False,
    }
)
"""The words for true and false, in any case; also the Scandinavian ones, as exports have them."""

_SHORT = 5
"""Letters of a word that is shown although it stands where a pin, which is longer, may be."""

_TRANSLATE = "correct it in the source, or translate it by the feed's 'lookup'"


def within(text: str, limit: int) -> str:
    """Return the text, if it has at most `limit` characters.

    Raises:
        BadValueError: it is longer.
    """
    if len(text) > limit:
        raise BadValueError(
            f"{len(text)} characters, at most {limit} can be used", "shorten it in the source"
        )
    return text


_LONGEST = 366 * 24 * 3600


def length_of_time(text: str) -> int:
    """Return the seconds of a length of time with its unit, such as `2h` or `14d`.

    Raises:
        BadValueError: it is not one, or longer than a year.
    """
    try:
        seconds = int(parse_duration(text).total_seconds())
    except ValueError:
        reason = f"{quoted_value(text)} is not a length of time"
        remedy = "write it with its unit, such as 90m, 4h or 14d"
        raise BadValueError(reason, remedy) from None
    if seconds > _LONGEST:
        raise BadValueError(f"{quoted_value(text)} is more than a year", "correct it in the source")
    return seconds


def title(text: str) -> str:
    """Return the text, if a test can have it as its title (vendor contract, Test API: create).

    Raises:
        BadValueError: it is too long, or holds `[` or `]`.
    """
    if "[" in text or "]" in text:
        raise BadValueError(
            "holds '[' or ']', which Inspera does not take in a title", "remove it in the source"
        )
    return within(text, MAX_TITLE)


def chosen(spec: FieldSpec) -> Callable[[str], str]:
    """Return the reader of one of the field's choices, written in any case.

    It raises `BadValueError` for another word.
    """
    words = {word.lower(): word for word in spec.choices}

    def read(text: str) -> str:
        word = words.get(text.lower().removeprefix(spec.prefix))
        if word is None:
            begin = "is" if spec.personal else f"{quoted_value(text, spec.choices, code=True)} is"
            raise BadValueError(f"{begin} not one of {', '.join(spec.choices)}", _TRANSLATE)
        return word

    return read


def switched(text: str, *, secret: bool = False) -> bool:
    """Tell whether the text says true.

    Raises:
        BadValueError: it says neither true nor false. It quotes no `secret`, and nothing that may
            be a pin or a quit code from another column: only a short word.
    """
    if text.lower() not in SWITCH:
        shown = not secret and text.isalpha() and len(text) <= _SHORT
        begin = f"{quoted_value(text, SWITCH, code=True)} is" if shown else "is"
        raise BadValueError(f"{begin} not one of {', '.join(SWITCH)}", _TRANSLATE)
    return SWITCH[text.lower()]


def notice(text: str) -> int | None:
    """1 when the text says that Inspera is to tell the person.

    Not to is the same as saying nothing.

    Raises:
        BadValueError: it says neither true nor false.
    """
    return 1 if switched(text) else None


def option_value(rule: OptionRule, text: str) -> str:
    """Return the value of an option as it is kept.

    `true` or `false` for a switch (vendor contract, Test API: settings).

    Raises:
        BadValueError: the option can't have it; no pin is quoted.
    """
    if rule.type == "switch":
        return "true" if switched(text, secret=rule.secret) else "false"
    if rule.type == "pin" and not is_valid_pin(text):
        reason = "is not 6 or more printable ASCII characters with letters and digits among them"
        raise BadValueError(reason, "correct the pin in the source")
    return text
