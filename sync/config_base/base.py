"""The base class of all settings, their text types, and the errors of this project's validators."""

import unicodedata
from collections.abc import Iterable, Sized
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

_REFUSED = frozenset({"Cc", "Cs", "Zl", "Zp"})


class Strict(BaseModel):
    """The base class of all settings.

    It refuses unknown names. Settings can't change after loading, and errors never show a value.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        coerce_numbers_to_str=True,
    )


class InvalidSetting(NamedTuple):
    """One error that a validator of this project reports.

    `at` names the setting below the validated one. It is empty if the validated setting is wrong.
    """

    at: str
    reason: str
    remedy: str


def validation_errors(errors: Iterable[InvalidSetting]) -> PydanticCustomError:
    """Return the exception with which a validator reports several errors.

    Operators see its reasons and remedies as they are.
    """
    entries = tuple(errors)
    text = "; ".join(f"{error.reason}; {error.remedy}" for error in entries)
    return PydanticCustomError(
        "invalid_settings", "{text}", {"text": text, "invalid_settings": entries}
    )


def validation_error(reason: str, remedy: str) -> PydanticCustomError:
    """Return the exception with which a validator reports one error in the validated setting."""
    return validation_errors([InvalidSetting("", reason, remedy)])


Collection = TypeVar("Collection", bound=Sized)


def require_entries(value: Collection) -> Collection:
    """Return the list or mapping if it has at least one entry.

    Pydantic's own check (`min_length`) also counts wrong entries as missing, and would report
    two errors for one mistake.
    """
    if not len(value):
        raise validation_error("is empty", "give at least one entry")
    return value


def empty_is_default(value: object) -> object:
    """Return an empty mapping for a section whose lines are all commented out."""
    return {} if value is None else value


def empty_is_none(value: object) -> object:
    """Return an empty list for a list whose entries are all commented out."""
    return [] if value is None else value


def _clean(text: str) -> str:
    """Return the text stripped and composed (NFC), as the values of sources are.

    Otherwise a setting that looks the same as a value in a source would not match it.
    """
    text = unicodedata.normalize("NFC", text.strip())
    if any(unicodedata.category(character) in _REFUSED for character in text):
        raise validation_error(
            "contains a line break or another control character",
            "write it on one line, without escapes",
        )
    return text


def _refuse_blank(text: str) -> str:
    if not text:
        raise validation_error("is empty", "give it a value, or remove the line")
    return text


SourceValue = Annotated[
    str, AfterValidator(_clean), WithJsonSchema({"type": ["string", "number", "boolean"]})
]
"""A value as the source writes it. `0123`, `NO` and `true` need no quotes."""

NonBlank = Annotated[
    str,
    AfterValidator(_clean),
    AfterValidator(_refuse_blank),
    WithJsonSchema({"type": ["string", "number", "boolean"], "minLength": 1}),
]
"""A value as the source writes it, never blank."""

ColumnName = Annotated[
    str,
    AfterValidator(_clean),
    AfterValidator(_refuse_blank),
    WithJsonSchema({"type": "string", "minLength": 1}),
]
"""The name of a column, or a template with such names; never blank."""


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Values = Annotated[
    tuple[SourceValue, ...],
    AfterValidator(require_entries),
    BeforeValidator(_as_list),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": ["string", "number", "boolean"]},
                {
                    "type": "array",
                    "minItems": 1,
                    "items": {"type": ["string", "number", "boolean"]},
                },
            ]
        }
    ),
]
"""One value, or a list of them."""


def text_or_settings(schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
    """Return the JSON Schema of settings that may also be written as one text.

    Editors then accept both forms.
    """
    reference = handler(schema)
    whole: dict[str, Any] = handler.resolve_ref_schema(reference)
    if "anyOf" not in whole:
        mapping = dict(whole)
        about = {key: mapping.pop(key) for key in ("title", "description")}
        whole.clear()
        whole.update(about, anyOf=[{"type": "string", "minLength": 1}, mapping])
    return reference
