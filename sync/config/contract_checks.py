"""Checks against what the vendor's contract names.

Roles, options, types and pins in feeds, and calls that are changed.

They read the plain values, and no message repeats one: it may be a pin.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from sync.config.errors import SettingError, Steps, name_text
from sync.config.guide import suggestion
from sync.config.tree import Plain, feeds_in, value_at
from sync.config.vendor import CHANGEABLE
from sync.contract import (
    CALLS,
    COMMITTEE_TYPES,
    MAX_COMMITTEE_NAME,
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
from sync.records.base import Kind
from sync.records.kinds import LISTS, PEOPLE

_TRUE = ("true", "yes", "on", "1")
SWITCH = (*_TRUE, "false", "no", "off", "0")
"""The words that a switch takes, in any case."""

_TYPES: Mapping[str, OptionType] = {"switch": "switch", "pin": "pin"}
STATUSES = ("active", "disabled")


_Judge = Callable[[str], Unusable | None]
"""What is wrong with a text that stands in the configuration, if anything is."""


def words_fixed(data: Plain) -> Iterator[SettingError]:
    """Yield constants, defaults and meanings in lookups that Inspera would not take."""
    options = _options(data)
    for index, feed in feeds_in(data):
        fields = feed.get("map")
        for name, spec in fields.items() if isinstance(fields, dict) else ():
            judge = _judge(feed, name, options)
            for steps, wrong in _wrong(judge, spec, many=name in LISTS).items() if judge else ():
                place = ("feeds", index, "map", name, *steps)
                yield SettingError(place, wrong.reason, wrong.remedy)


def _wrong(judge: _Judge, spec: Plain, *, many: bool) -> dict[Steps, Unusable]:
    """Return what is wrong at each place of a field's rule.

    Of a list that stands at one place, the last that is wrong.
    """
    judged = ((steps, judge(text)) for steps, text in _fixed(spec, many=many) if text)
    return {steps: wrong for steps, wrong in judged if wrong}


def _fixed(spec: Plain, *, many: bool) -> Iterator[tuple[Steps, str]]:
    """Yield each word that a field's rule contains itself, with its place in the rule."""
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


def _judge(
    feed: Mapping[str, Plain], name: str, options: Mapping[str, OptionRule]
) -> _Judge | None:
    kind = feed.get("kind")
    if kind == Kind.OPTION and name == "option":
        others = ", or declare it under 'inspera.options'"
        return partial(_among, "option of tests", options, others)
    if kind == Kind.OPTION and name == "value":
        return _judge_of_value(options.get(_named_option(feed)))
    return _JUDGES.get((str(kind), name))


def _named_option(feed: Mapping[str, Plain]) -> str:
    """Return the option that all rows of an option feed are about.

    Empty when it differs from row to row.
    """
    constant = value_at(dict(feed), ("map", "option", "constant"))
    return constant.strip().upper() if isinstance(constant, str) else ""


def _judge_of_value(rule: OptionRule | None) -> _Judge | None:
    if rule is None or rule.type == "text":
        return None
    return _pin if rule.type == "pin" else _switch


def _pin(text: str) -> Unusable | None:
    if is_valid_pin(text):
        return None
    remedy = "give 6 or more printable ASCII characters, letters and digits among them"
    return Unusable("is not a pin that Inspera accepts", remedy)


def _switch(text: str) -> Unusable | None:
    return (
        None
        if text.lower() in SWITCH
        else Unusable("is neither true nor false", "write one of these")
    )


def _short(text: str) -> Unusable | None:
    if len(text) <= MAX_COMMITTEE_NAME:
        return None
    return Unusable("is too long", f"characters at most: {MAX_COMMITTEE_NAME}")


def _among(what: str, words: Iterable[str], more: str, text: str) -> Unusable | None:
    words = list(words)
    known = text.lower() in {word.lower() for word in words}
    return (
        None
        if known
        else Unusable(f"is not a valid {what}", f"use one of {', '.join(words)}{more}")
    )


def _role(text: str) -> Unusable | None:
    return _among("role of contributors", ROLES, "", text.lower().removeprefix("ar_"))


_JUDGES: Mapping[tuple[str, str], _Judge] = {
    (Kind.STAFF, "status"): partial(_among, "status of staff", STATUSES, ""),
    (Kind.COMMITTEE, "committee"): _short,
    (Kind.COMMITTEE, "type"): partial(_among, "type of committees", COMMITTEE_TYPES, ""),
    (Kind.CONTRIBUTOR, "roles"): _role,
    (Kind.CONTRIBUTOR, "committees"): _short,
    (Kind.CONTRIBUTOR, "notify"): _switch,
    (Kind.CANDIDATE, "committees"): _short,
}


def _options(data: Plain) -> dict[str, OptionRule]:
    """Return the options in force, as far as the plain values tell."""
    declared = value_at(data, ("inspera", "options"))
    found = dict(OPTIONS)
    for name, option in declared.items() if isinstance(declared, dict) else ():
        says = option if isinstance(option, dict) else {}
        # A type that does not exist is reported elsewhere; here it must not make sound values look
        # wrong.
        holds = _TYPES.get(str(says.get("type", "switch")), "text")
        secret = holds == "pin" or str(says.get("secret")).lower() in _TRUE
        found.setdefault(name, OptionRule("general", holds, secret))
    return found


def secrets_fixed(data: Plain) -> Iterator[Steps]:
    """Report where a feed has a password, a pin or a code as its own constant or default."""
    options = _options(data)
    for index, feed in feeds_in(data):
        rule = options.get(_named_option(feed))
        field = (
            "password" if feed.get("kind") in PEOPLE else "value" if rule and rule.secret else None
        )
        for name in ("constant", "default"):
            if field and value_at(feed, ("map", field, name)):
                yield "feeds", index, "map", field, name


def calls_changed(data: Plain) -> Iterator[SettingError]:
    """Yield errors for calls under `inspera.calls`.

    Such a call does not exist, or could not be made as it is changed.
    """
    calls = value_at(data, ("inspera", "calls"))
    for name, changed in calls.items() if isinstance(calls, dict) else ():
        steps = ("inspera", "calls", name)
        if name == TOKEN.name:
            yield SettingError(
                steps,
                "can't be changed: it is documented, and carries the API key",
                "take it out",
                True,
            )
        elif name not in CALLS:
            yield SettingError(
                steps, "is not a call", suggestion(name, tuple(CHANGEABLE)), on_name=True
            )
        elif isinstance(changed, dict):
            yield from _method(CALLS[name], changed, steps)
            yield from _path(CALLS[name], changed, steps)
            yield from _wrapper(CALLS[name], changed, steps)


def _method(call: Call, changed: Mapping[str, Plain], steps: Steps) -> Iterator[SettingError]:
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


def _wrapper(call: Call, changed: Mapping[str, Plain], steps: Steps) -> Iterator[SettingError]:
    """Refuse a wrapper for a call that sends no body."""
    if changed.get("wrapper") and not (call.fields or call.wrapper):
        yield SettingError(
            (*steps, "wrapper"), "would hold nothing: this call sends no body", "take it out"
        )


def _path(call: Call, changed: Mapping[str, Plain], steps: Steps) -> Iterator[SettingError]:
    path = changed.get("path")
    try:
        places = places_of(path) if isinstance(path, str) else call.places
    except ValueError:
        return
    if lacking := sorted(call.places - places):
        yield SettingError(
            (*steps, "path"), f"lacks {_braced(lacking)}", "put it in where Inspera expects it"
        )
    if unknown := sorted(places - call.places):
        remedy = f"this call fills {_braced(sorted(call.places))}" if call.places else "take it out"
        yield SettingError(
            (*steps, "path"), f"has {_braced(unknown)}, which this call does not fill", remedy
        )


def _braced(places: Iterable[str]) -> str:
    return " and ".join(f"{{{name_text(place)}}}" for place in places)
