"""The errors of pydantic in plain words.

They never repeat a value: it may be a secret in the wrong place. Only the `ValueError` of a
source's own validator is passed on as it is.
"""

import re
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import ValidationError

from sync.config.errors import SettingError, Steps
from sync.config.guide import describe, names_at, setting_at, suggest
from sync.config.tree import Plain, value_at
from sync.sources import SOURCES

_TAGGED = ("feeds", "sources")
"""Sections in whose paths pydantic inserts the selected kind or type as the third step."""

_MISPLACED = {
    "format": "the fields 'start' and 'end'",
    "zone": "the fields 'start' and 'end'",
    "minutes": "the fields 'duration' and 'extra_time'",
    "separator": "the fields 'roles', 'committees', 'accesses' and 'organisations'",
}
NEEDED, UNKNOWN = "is needed", "unknown setting"
"""The reasons for a setting that is missing, and for one that does not exist."""

_EMPTY = ("is empty", "give it a value, or remove the line")
_SECTION = ("should contain settings", "write them below it, indented, as 'name: value'")
_WHOLE = ("should be a whole number", "write a number such as 5")
_NUMBER = ("should be a number", "write a number such as 5 or 2.5")
_SWITCH = ("should be true or false", "write 'true' or 'false'")
_TEXT = ("should be one text", "write a single value on this line")
_LIST = ("should be a list", "begin each entry with '- ' on its own line")
_BY_TYPE = {
    "model_type": _SECTION, "model_attributes_type": _SECTION, "dict_type": _SECTION,
    "int_type": _WHOLE, "int_parsing": _WHOLE, "int_from_float": _WHOLE, "int_parsing_size": _WHOLE,
    "float_type": _NUMBER, "float_parsing": _NUMBER, "finite_number": _NUMBER,
    "bool_type": _SWITCH, "bool_parsing": _SWITCH,
    "string_type": _TEXT, "path_type": _TEXT,
    "list_type": _LIST, "tuple_type": _LIST, "set_type": _LIST, "frozen_set_type": _LIST,
    "string_too_short": _EMPTY,
    "too_short": ("is too short", "add entries"),
}  # fmt: skip
_BOUNDS = {
    "string_too_long": ("max_length", "is too long", "use no more characters than {}"),
    "greater_than_equal": ("ge", "is too small", "use at least {}"),
    "greater_than": ("gt", "is too small", "use more than {}"),
    "less_than_equal": ("le", "is too large", "use at most {}"),
    "less_than": ("lt", "is too large", "use less than {}"),
}


def findings_of(error: ValidationError, data: Plain) -> Iterator[SettingError]:
    """Yield the errors that pydantic reports for these values, each with its setting."""
    for detail in error.errors(include_url=False, include_input=False):
        yield from _findings(detail["type"], _steps(detail["loc"], data), detail, data)


def _steps(loc: Steps, data: Plain) -> Steps:
    """Return the path of a setting in the file, from pydantic's location of an error.

    Pydantic adds steps that the file does not contain, such as the selected kind of a feed.
    """
    loc = loc[:-1] if loc and loc[-1] == "[key]" else loc  # so pydantic marks an error of the name
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
    elif code == "invalid_settings":
        for error in context["invalid_settings"]:
            is_section = isinstance(value_at(data, steps), dict) and error.at
            yield SettingError(
                (*steps, error.at) if is_section else steps, error.reason, error.remedy
            )
    elif code == "literal_error":
        yield _no_choice(steps, data)
    else:
        yield SettingError(steps, *_plain(code, detail["msg"], context))


def _missing(steps: Steps, data: Plain) -> SettingError:
    about = describe(steps, data)
    return SettingError(steps, NEEDED, f"add it: {_lowered(about)}" if about else "add it")


def _lowered(text: str) -> str:
    """Return a sentence to follow a colon; a name in capitals stays as it is."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def _unknown(steps: Steps, data: Plain) -> SettingError:
    name, known = str(steps[-1]), names_at(steps[:-1], data)
    if name in _MISPLACED and "column" in known:
        return SettingError(
            steps, f"is only for {_MISPLACED[name]}", "remove it here", on_name=True
        )
    return SettingError(steps, UNKNOWN, suggest(name, known), on_name=True)


def _untagged(steps: Steps, context: dict[str, Any], data: Plain) -> SettingError:
    choices = tuple(re.findall(r"'([^']*)'", context.get("expected_tags", "")))
    value = value_at(data, steps)
    if not isinstance(value, str):
        return SettingError(steps, NEEDED, "add it: the other settings depend on it")
    if steps[0] == "sources" and (broken := SOURCES.broken.get(value)):
        return SettingError(steps, broken.reason, broken.remedy)
    return SettingError(steps, "is not a valid value", suggest(value, choices))


def _no_choice(steps: Steps, data: Plain) -> SettingError:
    choices = tuple(str(choice) for choice in _choices(setting_at(steps, data)))
    return SettingError(steps, "is not a valid value", suggest(str(value_at(data, steps)), choices))


def _choices(annotation: Any) -> tuple[Any, ...]:
    """Return the values of a Literal, or of a Literal inside an optional type."""
    choices: list[Any] = []
    for choice in get_args(annotation):
        choices += (
            _choices(choice) if get_args(choice) else ([] if choice is type(None) else [choice])
        )
    return tuple(choices)


def _plain(code: str, message: str, context: dict[str, Any]) -> tuple[str, str]:
    if code in _BY_TYPE:
        return _BY_TYPE[code]
    if code in _BOUNDS:
        limit, reason, remedy = _BOUNDS[code]
        return reason, remedy.format(f"{context[limit]:g}")
    return _lowered(message.removeprefix("Value error, ").removesuffix(".")), "correct it"
