"""Pydantic's complaints in words for people.

None of them repeats a value: it may be a secret in the wrong place.

Only what a source's own validators say (`ValueError`) is passed on as it is.
"""

import re
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import ValidationError

from sync.config.errors import SettingError, Steps
from sync.config.guide import described, names_at, setting_at, suggestion
from sync.config.tree import Plain, value_at
from sync.sources import SOURCES

_TAGGED = ("feeds", "sources")
"""Where pydantic puts the chosen kind or type into the way to a setting, as the third step."""

_MISPLACED = {
    "format": "the fields 'start' and 'end'",
    "zone": "the fields 'start' and 'end'",
    "minutes": "the fields 'duration' and 'extra_time'",
    "separator": "the fields 'roles', 'committees', 'accesses' and 'organisations'",
}
_EMPTY = ("is empty", "give it a value, or take the line out")
_SECTION = ("should hold settings of its own", "write them below it, indented, as 'name: value'")
_WHOLE = ("should be a whole number", "write one such as 5")
_NUMBER = ("should be a number", "write one such as 5 or 2.5")
_SWITCH = ("should be true or false", "write one of these")
_TEXT = ("should be one text", "write a single value on this line")
_LIST = ("should be a list", "begin each entry with '- ' on a line of its own")
_BY_TYPE = {
    "model_type": _SECTION, "model_attributes_type": _SECTION, "dict_type": _SECTION,
    "int_type": _WHOLE, "int_parsing": _WHOLE, "int_from_float": _WHOLE, "int_parsing_size": _WHOLE,
    "float_type": _NUMBER, "float_parsing": _NUMBER, "finite_number": _NUMBER,
    "bool_type": _SWITCH, "bool_parsing": _SWITCH,
    "string_type": _TEXT, "path_type": _TEXT,
    "list_type": _LIST, "tuple_type": _LIST, "set_type": _LIST, "frozen_set_type": _LIST,
    "string_too_short": _EMPTY,
    "too_short": ("is too short", "give more entries"),
}  # fmt: skip
_BOUNDS = {
    "string_too_long": ("max_length", "is too long", "characters at most: {}"),
    "greater_than_equal": ("ge", "is too small", "the least is {}"),
    "greater_than": ("gt", "is too small", "it must be more than {}"),
    "less_than_equal": ("le", "is too large", "the most is {}"),
    "less_than": ("lt", "is too large", "it must be less than {}"),
}


def findings_of(error: ValidationError, data: Plain) -> Iterator[SettingError]:
    """Yield everything pydantic found wrong with these values, each at its setting."""
    for detail in error.errors(include_url=False, include_input=False):
        yield from _findings(detail["type"], _steps(detail["loc"], data), detail, data)


def _steps(loc: Steps, data: Plain) -> Steps:
    """Return the way as the file has it.

    Without pydantic's tags, and ending where the file's own value ends.
    """
    loc = loc[:-1] if loc and loc[-1] == "[key]" else loc  # pydantic's word for the name itself
    tagged = len(loc) > 2 and loc[0] in _TAGGED
    steps = loc[:2] + loc[3:] if tagged else loc
    for length in range(len(steps)):
        value = value_at(data, steps[:length])
        if not isinstance(value, dict | list) or (
            isinstance(value, list) and isinstance(steps[length], str)
        ):
            return steps[:length]
    return steps


def _findings(code: str, steps: Steps, detail: Any, data: Plain) -> Iterator[SettingError]:
    context = detail.get("ctx", {})
    if code == "missing":
        yield _missing(steps, data)
    elif code == "extra_forbidden":
        yield _unknown(steps, data)
    elif code in ("union_tag_invalid", "union_tag_not_found"):
        yield _untagged((*steps, context["discriminator"].strip("'")), context, data)
    elif value_at(data, steps) is None:
        yield SettingError(steps, *_EMPTY)
    elif code == "told":
        for one in context["told"]:
            inner = isinstance(value_at(data, steps), dict) and one.at
            yield SettingError((*steps, one.at) if inner else steps, one.reason, one.remedy)
    elif code == "literal_error":
        yield _no_choice(steps, data)
    else:
        yield SettingError(steps, *_plain(code, detail["msg"], context))


def _missing(steps: Steps, data: Plain) -> SettingError:
    about = described(steps, data)
    return SettingError(steps, "is needed", f"add it: {_lowered(about)}" if about else "add it")


def _lowered(text: str) -> str:
    """Return a sentence as the end of another; a name in capitals stays as it is."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def _unknown(steps: Steps, data: Plain) -> SettingError:
    name, known = str(steps[-1]), names_at(steps[:-1], data)
    if name in _MISPLACED and "column" in known:
        return SettingError(
            steps, f"is only for {_MISPLACED[name]}", "take it out here", on_name=True
        )
    return SettingError(steps, "unknown setting", suggestion(name, known), on_name=True)


def _untagged(steps: Steps, context: dict[str, Any], data: Plain) -> SettingError:
    choices = tuple(re.findall(r"'([^']*)'", context.get("expected_tags", "")))
    value = value_at(data, steps)
    if not isinstance(value, str):
        return SettingError(steps, "is needed", "add it: it says what the settings around it mean")
    if steps[0] == "sources" and (broken := SOURCES.broken.get(value)):
        return SettingError(steps, broken.reason, broken.remedy)
    return SettingError(steps, "is not one of the choices", suggestion(value, choices))


def _no_choice(steps: Steps, data: Plain) -> SettingError:
    choices = tuple(str(one) for one in _choices(setting_at(steps, data)))
    return SettingError(
        steps, "is not one of the choices", suggestion(str(value_at(data, steps)), choices)
    )


def _choices(annotation: Any) -> tuple[Any, ...]:
    """Return the values of a Literal, or of the one inside an optional."""
    found: list[Any] = []
    for one in get_args(annotation):
        found += _choices(one) if get_args(one) else ([] if one is type(None) else [one])
    return tuple(found)


def _plain(code: str, message: str, context: dict[str, Any]) -> tuple[str, str]:
    if code in _BY_TYPE:
        return _BY_TYPE[code]
    if code in _BOUNDS:
        limit, reason, remedy = _BOUNDS[code]
        return reason, remedy.format(f"{context[limit]:g}")
    return _lowered(message.removeprefix("Value error, ").removesuffix(".")), "correct it"
