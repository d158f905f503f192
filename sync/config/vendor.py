"""The settings of a tenant that differs from the vendor's contract: changed calls, more options."""

import re
from collections.abc import Mapping
from dataclasses import replace
from string import Formatter
from typing import Annotated, Literal
from urllib.parse import unquote

from pydantic import AfterValidator, Field, model_validator

from sync.config_base.base import InvalidSetting, Strict, validation_error, validation_errors
from sync.contract import (
    CALLS,
    OPTION_SET,
    OPTIONS,
    STATUSES,
    TOKEN,
    Call,
    OptionGroup,
    OptionRule,
    OptionType,
    plain_status,
)

CHANGEABLE: Mapping[str, Call] = {name: call for name, call in CALLS.items() if call is not TOKEN}
"""The calls that can be changed. That of the token is documented, and contains the API key."""

_CHARACTERS = re.compile(r"[!-~]*")
_MEMBER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|")
_OPTION = re.compile(r"[A-Z][A-Z0-9_]*")


def _check_path(text: str) -> str:
    """Return the path, if it stays below `/api` of the tenant.

    The places in braces depend on the call, and are checked with it.
    """
    if not text.startswith("/") or text.startswith("//"):
        raise validation_error(
            "should begin with one '/'", "write what follows /api, such as /v1/test/{test}"
        )
    if not _CHARACTERS.fullmatch(text) or re.search(r"[#\\]", text):
        raise validation_error(
            "contains a character that is not allowed in a path",
            "use plain ASCII, without spaces, '#' and '\\'",
        )
    if ".." in unquote(text):
        raise validation_error(
            "contains '..'", "write the complete path after /api, such as /v1/test/{test}"
        )
    try:
        plain = not any(spec or how for _, _, spec, how in Formatter().parse(text))
    except ValueError:
        raise validation_error("has an unmatched brace", "write each place as {name}") from None
    if not plain:
        raise validation_error(
            "has a place that is not a plain {name}", "write only the name between the braces"
        )
    return text


def _check_wrapper(text: str) -> str:
    if not _MEMBER.fullmatch(text):
        raise validation_error(
            "is not a valid member name",
            "write a name such as candidates, or '' if the body itself is the list",
        )
    return text


def _check_member(text: str) -> str:
    if not text or not _MEMBER.fullmatch(text):
        raise validation_error(
            "is not a valid member name", "write a name such as afterTestOptions"
        )
    return text


_MemberName = Annotated[str, AfterValidator(_check_member)]


def _check_group(text: str) -> str:
    if text not in OPTION_SET.groups:
        known = ", ".join(OPTION_SET.groups)
        raise validation_error("is not a group of options", f"the groups are {known}")
    return text


class CallSettings(Strict):
    """A call that differs from the contract on this tenant. Omitted settings keep their values."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] | None = None
    """The HTTP method: `GET` or `POST` for a call that only reads, for others any but `GET`."""
    path: Annotated[str, AfterValidator(_check_path)] | None = None
    """The path after `/api`, such as `/v1/test/{test}/candidates`, with the same places in braces as
    the default path."""
    wrapper: Annotated[str, AfterValidator(_check_wrapper)] | None = None
    """The member of the body that contains what is sent, or `''` if it is the body itself."""
    groups: Annotated[
        dict[Annotated[str, AfterValidator(_check_group)], _MemberName],
        Field(
            default_factory=dict,
            json_schema_extra={"propertyNames": {"enum": list(OPTION_SET.groups)}},
        ),
    ]
    """Only of `option.set`: the members of the body that contain the options of a group, such as
    `{after_test: afterTestOptions}`. Omitted groups keep their names."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_empty(cls, value: object) -> object:
        empty = (
            [name for name, setting in value.items() if setting is None]
            if isinstance(value, dict)
            else []
        )
        if empty:
            raise validation_errors(
                InvalidSetting(name, "is empty", "give it a value, or remove the line")
                for name in empty
            )
        return value

    def applied_to(self, call: Call) -> Call:
        """Return the call with this tenant's changes."""
        return replace(
            call,
            method=call.method if self.method is None else self.method,
            path=call.path if self.path is None else self.path,
            wrapper=call.wrapper if self.wrapper is None else self.wrapper,
            groups={**call.groups, **self.groups},
        )


class OptionSettings(Strict):
    """An option of tests on this tenant that the vendor's contract does not contain."""

    group: OptionGroup
    """The group in which the option is sent. Those of `security` can change only until the test is
    activated."""
    type: OptionType = "switch"
    """The type of its value: a `switch` (true or false), a `pin`, or any `text`."""
    secret: bool = False
    """Whether its value must never be stored, logged or shown. Pins always are secret."""
    one_way: bool = False
    """Whether switching it off takes back nothing that it has done. Such a switch is never switched
    off by `undo`, and otherwise only after a person has allowed it."""

    def as_rule(self) -> OptionRule:
        """Return the option's rule, as the contract has for the known options."""
        secret = self.secret or self.type == "pin"
        return OptionRule(self.group, self.type, secret, one_way=self.one_way)


def _check_option(name: str) -> str:
    if not _OPTION.fullmatch(name):
        raise validation_error(
            "is not a valid option name",
            "write it as Inspera does, in capitals, such as SHOW_TIMER",
        )
    if name in OPTIONS:
        raise validation_error(
            "is already a known option", "remove it; it can be used without this setting"
        )
    return name


OptionName = Annotated[str, AfterValidator(_check_option)]


def _check_status(word: str) -> str:
    """Return a status as the known ones are compared."""
    plain = plain_status(word)
    if not plain:
        raise validation_error(
            "is not a status of a test", "write the word that Inspera shows, such as ready"
        )
    if plain in STATUSES:
        raise validation_error(
            "is already a known status", "remove it; it is known without this setting"
        )
    return plain


StatusWord = Annotated[str, AfterValidator(_check_status)]
StatusMeaning = Literal["not_activated", "activated", "archived"]
"""What a status can mean that only this tenant has."""
