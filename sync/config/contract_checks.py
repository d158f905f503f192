"""Checks against the vendor's contract: roles, options, types and pins in feeds, and changed calls.

They read the plain values of the file. No message repeats a value: it may be a pin.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from sync.config.errors import SettingError, Steps, name_text
from sync.config.guide import suggest
from sync.config.tree import Plain, feeds_in, is_true, value_at
from sync.config.vendor import CHANGEABLE
from sync.contract import (
    CALLS,
    COMMITTEE_TYPES,
    MAX_COMMITTEE_NAME,
    OPTION_SET,
    OPTIONS,
    ROLES,
    TOKEN,
    Call,
    OptionRule,
    OptionType,
    is_valid_pin,
    places_of,
)
from sync.errors import Unusable
from sync.mapping.words import SWITCH
from sync.records.base import Kind
from sync.records.kinds import LISTS, PEOPLE

_TYPES: Mapping[str, OptionType] = {"switch": "switch", "pin": "pin"}
STATUSES = ("active", "disabled")


_Check = Callable[[str], Unusable | None]
"""A function that returns the error of a text in the configuration, or None if it is valid."""


def check_values(data: Plain) -> Iterator[SettingError]:
    """Yield the constants, defaults and values of lookups that Inspera would refuse."""
    options = _options(data)
    for index, feed in feeds_in(data):
        fields = feed.get("map")
        for name, spec in fields.items() if isinstance(fields, dict) else ():
            check = _check_for(feed, name, options)
            for steps, error in (
                _errors_in(check, spec, many=name in LISTS).items() if check else ()
            ):
                yield SettingError(
                    ("feeds", index, "map", name, *steps), error.reason, error.remedy
                )


def _errors_in(check: _Check, spec: Plain, *, many: bool) -> dict[Steps, Unusable]:
    """Return the error at each place of a field's rule; of a list at one place, the last error."""
    checked = ((steps, check(text)) for steps, text in _fixed_values(spec, many=many) if text)
    return {steps: error for steps, error in checked if error}


def _fixed_values(spec: Plain, *, many: bool) -> Iterator[tuple[Steps, str]]:
    """Yield each value that is written in a field's rule, with its place in the rule."""
    if not isinstance(spec, dict):
        return
    separator = str(spec.get("separator") or ";")
    for name in ("constant", "default"):
        whole = spec.get(name)
        for text in _split(whole, separator if many else None):
            yield (name,), text
    lookup = spec.get("lookup")
    for word, meaning in lookup.items() if isinstance(lookup, dict) else ():
        for text in _split(meaning, None):
            yield ("lookup", word), text


def _split(text: Plain, separator: str | None) -> Iterable[str]:
    parts = text.split(separator) if isinstance(text, str) and separator else [text]
    return [part.strip() for part in parts if isinstance(part, str)]


def _check_for(
    feed: Mapping[str, Plain], name: str, options: Mapping[str, OptionRule]
) -> _Check | None:
    kind = feed.get("kind")
    if kind == Kind.OPTION and name == "option":
        others = ", or declare it under 'inspera.options'"
        return partial(_check_choice, "option of tests", options, others)
    if kind == Kind.OPTION and name == "value":
        return _check_for_option_value(options.get(_named_option(feed)))
    return _CHECKS.get((str(kind), name))


def _named_option(feed: Mapping[str, Plain]) -> str:
    """Return the option of all rows of an option feed; empty if it differs from row to row."""
    constant = value_at(dict(feed), ("map", "option", "constant"))
    return constant.strip().upper() if isinstance(constant, str) else ""


def _check_for_option_value(rule: OptionRule | None) -> _Check | None:
    if rule is None or rule.type == "text":
        return None
    return _check_pin if rule.type == "pin" else _check_switch


def _check_pin(text: str) -> Unusable | None:
    if is_valid_pin(text):
        return None
    remedy = "give 6 or more printable ASCII characters, letters and digits among them"
    return Unusable("is not a pin that Inspera accepts", remedy)


def _check_switch(text: str) -> Unusable | None:
    return (
        None
        if text.lower() in SWITCH
        else Unusable("is neither true nor false", "write 'true' or 'false'")
    )


def _check_length(text: str) -> Unusable | None:
    if len(text) <= MAX_COMMITTEE_NAME:
        return None
    return Unusable("is too long", f"use no more characters than {MAX_COMMITTEE_NAME}")


def _check_choice(what: str, words: Iterable[str], more: str, text: str) -> Unusable | None:
    words = list(words)
    known = text.lower() in {word.lower() for word in words}
    return (
        None
        if known
        else Unusable(f"is not a valid {what}", f"use one of {', '.join(words)}{more}")
    )


def _check_role(text: str) -> Unusable | None:
    return _check_choice("role of contributors", ROLES, "", text.lower().removeprefix("ar_"))


_CHECKS: Mapping[tuple[str, str], _Check] = {
    (Kind.STAFF, "status"): partial(_check_choice, "status of staff", STATUSES, ""),
    (Kind.COMMITTEE, "committee"): _check_length,
    (Kind.COMMITTEE, "type"): partial(_check_choice, "type of committees", COMMITTEE_TYPES, ""),
    (Kind.CONTRIBUTOR, "roles"): _check_role,
    (Kind.CONTRIBUTOR, "committees"): _check_length,
    (Kind.CONTRIBUTOR, "notify"): _check_switch,
    (Kind.CANDIDATE, "committees"): _check_length,
}


def _options(data: Plain) -> dict[str, OptionRule]:
    """Return the options of this tenant, as far as the plain values define them."""
    declared = value_at(data, ("inspera", "options"))
    options = dict(OPTIONS)
    for name, option in declared.items() if isinstance(declared, dict) else ():
        says = option if isinstance(option, dict) else {}
        # The model reports a type that does not exist. Here it must not make valid values look
        # wrong.
        holds = _TYPES.get(str(says.get("type", "switch")), "text")
        secret = holds == "pin" or is_true(says.get("secret"))
        options.setdefault(name, OptionRule("general", holds, secret))
    return options


def find_long_codes(data: Plain) -> Iterator[SettingError]:
    """Yield warnings about codes that are longer than some lock-down browsers accept."""
    options = _options(data)
    for index, feed in feeds_in(data):
        rule = options.get(_named_option(feed))
        safe = rule.safe_length if rule else None
        spec = value_at(feed, ("map", "value"))
        for steps, text in _fixed_values(spec, many=False) if safe else ():
            if safe and len(text) > safe:
                reason = f"has more than {safe} characters"
                remedy = f"use at most {safe}: Inspera's own lock-down browser may take no more"
                yield SettingError(("feeds", index, "map", "value", *steps), reason, remedy)


def find_secrets(data: Plain) -> Iterator[Steps]:
    """Yield the places where a feed has a password, a pin or a code as a constant or default."""
    options = _options(data)
    for index, feed in feeds_in(data):
        rule = options.get(_named_option(feed))
        field = (
            "password" if feed.get("kind") in PEOPLE else "value" if rule and rule.secret else None
        )
        for name in ("constant", "default"):
            if field and value_at(feed, ("map", field, name)):
                yield "feeds", index, "map", field, name


def is_secret_option(data: Plain, feed: Mapping[str, Plain]) -> bool:
    """Tell whether a feed's options may be pins or codes; also where they differ row by row."""
    rule = _options(data).get(_named_option(feed))
    return rule is None or rule.secret


def check_calls(data: Plain) -> Iterator[SettingError]:
    """Yield the calls under `inspera.calls` that don't exist, or can't work as they are changed."""
    calls = value_at(data, ("inspera", "calls"))
    for name, changed in calls.items() if isinstance(calls, dict) else ():
        steps = ("inspera", "calls", name)
        if name == TOKEN.name:
            yield SettingError(
                steps,
                "can't be changed: it is documented, and contains the API key",
                "remove it",
                True,
            )
        elif name not in CALLS:
            yield SettingError(
                steps, "is not a call", suggest(name, tuple(CHANGEABLE)), on_name=True
            )
        elif isinstance(changed, dict):
            yield from _check_method(CALLS[name], changed, steps)
            yield from _check_path(CALLS[name], changed, steps)
            yield from _check_wrapper(CALLS[name], changed, steps)
            yield from _check_groups(CALLS[name], changed, steps)


def _check_method(call: Call, changed: Mapping[str, Plain], steps: Steps) -> Iterator[SettingError]:
    method = changed.get("method")
    if call.reads and method in ("PUT", "PATCH", "DELETE"):
        yield SettingError(
            (*steps, "method"),
            "would change something, but this call only reads",
            "use GET or POST",
        )
    if not call.reads and method == "GET":
        reason = "would only read, but this call changes something"
        yield SettingError((*steps, "method"), reason, "use POST, PUT, PATCH or DELETE")


def _check_wrapper(
    call: Call, changed: Mapping[str, Plain], steps: Steps
) -> Iterator[SettingError]:
    """Report a wrapper for a call that sends no body."""
    if changed.get("wrapper") and not (call.fields or call.wrapper):
        yield SettingError(
            (*steps, "wrapper"), "has no effect: this call sends no body", "remove it"
        )


def _check_groups(call: Call, changed: Mapping[str, Plain], steps: Steps) -> Iterator[SettingError]:
    """Report names of groups for a call that sends no options."""
    if changed.get("groups") and not call.groups:
        reason = f"has no effect: only {OPTION_SET.name} sends groups of options"
        yield SettingError((*steps, "groups"), reason, "remove it")


def _check_path(call: Call, changed: Mapping[str, Plain], steps: Steps) -> Iterator[SettingError]:
    path = changed.get("path")
    try:
        places = places_of(path) if isinstance(path, str) else call.places
    except ValueError:
        return
    if lacking := sorted(call.places - places):
        yield SettingError(
            (*steps, "path"), f"lacks {_braced(lacking)}", "add it where Inspera expects it"
        )
    if unknown := sorted(places - call.places):
        remedy = f"this call fills {_braced(sorted(call.places))}" if call.places else "remove it"
        yield SettingError(
            (*steps, "path"), f"has {_braced(unknown)}, which this call does not fill", remedy
        )


def _braced(places: Iterable[str]) -> str:
    return " and ".join(f"{{{name_text(place)}}}" for place in places)
