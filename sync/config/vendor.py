"""Where a tenant differs from the vendor's contract.

Calls that it takes otherwise, and options that it has besides.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from string import Formatter
from typing import Annotated, Literal
from urllib.parse import unquote

from pydantic import AfterValidator, model_validator

from sync.config_base.base import InvalidSetting, Strict, told, told_one
from sync.contract import CALLS, OPTIONS, TOKEN, Call, OptionGroup, OptionRule, OptionType

CHANGEABLE: Mapping[str, Call] = {name: call for name, call in CALLS.items() if call is not TOKEN}
"""The calls that can be changed. The token's is documented, and it carries the API key."""

_CHARACTERS = re.compile(r"[!-~]*")
_MEMBER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|")
_OPTION = re.compile(r"[A-Z][A-Z0-9_]*")


def _checked_path(text: str) -> str:
    """Return the path, if it stays below `/api` of the tenant.

    Which places it needs depends on the call.
    """
    if not text.startswith("/") or text.startswith("//"):
        raise told_one(
            "should begin with one '/'", "write what follows /api, such as /v1/test/{test}"
        )
    if not _CHARACTERS.fullmatch(text) or re.search(r"[#\\]", text):
        raise told_one(
            "holds a character that a path can't", "use plain ASCII, without spaces, '#' and '\\'"
        )
    if ".." in unquote(text):
        raise told_one("holds '..'", "write the path as Inspera has it, from '/' on")
    try:
        plain = not any(spec or how for _, _, spec, how in Formatter().parse(text))
    except ValueError:
        raise told_one("has a brace that has no partner", "write each place as {name}") from None
    if not plain:
        raise told_one(
            "has a place that is not a plain {name}", "write the name alone between the braces"
        )
    return text


def _checked_wrapper(text: str) -> str:
    if not _MEMBER.fullmatch(text):
        raise told_one(
            "is not a valid member name",
            "write one such as candidates, or '' where the body itself holds it",
        )
    return text


class CallSettings(Strict):
    """How this tenant takes a call, where it differs from what is known or assumed.

    What is left out stays as it is.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] | None = None
    """The HTTP method. A call that only reads takes `GET` or `POST`, any other all but `GET`."""
    path: Annotated[str, AfterValidator(_checked_path)] | None = None
    """The path after `/api`, such as `/v1/test/{test}/candidates`, with the same places in braces
    as the usual one."""
    wrapper: Annotated[str, AfterValidator(_checked_wrapper)] | None = None
    """The member of the body that holds what is sent, or `''` where the body itself does."""

    @model_validator(mode="before")
    @classmethod
    def _nothing_unsaid(cls, value: object) -> object:
        empty = (
            [name for name, one in value.items() if one is None] if isinstance(value, dict) else []
        )
        if empty:
            raise told(
                InvalidSetting(name, "is empty", "give it a value, or take the line out")
                for name in empty
            )
        return value

    def applied_to(self, call: Call) -> Call:
        """Return the call as this tenant takes it."""
        return replace(
            call,
            method=call.method if self.method is None else self.method,
            path=call.path if self.path is None else self.path,
            wrapper=call.wrapper if self.wrapper is None else self.wrapper,
        )


class OptionSettings(Strict):
    """An option of tests that this tenant has and the vendor's contract does not name."""

    group: OptionGroup
    """The group that the option is sent in; those of `security` can change only until the test is
    activated."""
    type: OptionType = "switch"
    """What it holds: a `switch` (true or false), a `pin`, or any `text`."""
    secret: bool = False
    """Whether its value must never be stored, logged or shown. A pin's never is."""

    def as_rule(self) -> OptionRule:
        """Return what is to be known of the option."""
        return OptionRule(self.group, self.type, self.secret or self.type == "pin")


def _checked_option(name: str) -> str:
    if not _OPTION.fullmatch(name):
        raise told_one(
            "is not a valid option name",
            "write it as Inspera does, in capitals, such as SHOW_TIMER",
        )
    if name in OPTIONS:
        raise told_one("is an option that is known already", "take it out; it can be used as it is")
    return name


OptionName = Annotated[str, AfterValidator(_checked_option)]
