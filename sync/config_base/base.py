"""What all settings have in common.

Strictness, the text type of the `map`, and errors told by our own validators.
"""

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
    """The base of all settings.

    Unknown names are refused, nothing changes after loading, errors show no value.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
        coerce_numbers_to_str=True,
    )


class InvalidSetting(NamedTuple):
    """One thing that a validator of this project found.

    `at` names the setting below the one validated, or is empty.
    """

    at: str
    reason: str
    remedy: str


def told(found: Iterable[InvalidSetting]) -> PydanticCustomError:
    """Return the exception by which a validator hands over what it found.

    Its words are those that operators will see.
    """
    words = tuple(found)
    text = "; ".join(f"{one.reason}, {one.remedy}" for one in words)
    return PydanticCustomError("told", "{text}", {"text": text, "told": words})


def told_one(reason: str, remedy: str) -> PydanticCustomError:
    """Return the same for a single thing, wrong with the setting that is being validated."""
    return told([InvalidSetting("", reason, remedy)])


Collection = TypeVar("Collection", bound=Sized)


def filled(value: Collection) -> Collection:
    """Return the list or mapping, if it holds anything.

    Pydantic's own check also counts entries that are wrong as missing.
    """
    if not len(value):
        raise told_one("is empty", "give at least one entry")
    return value


def empty_is_default(value: object) -> object:
    """Return an empty mapping for a section whose lines are all commented out."""
    return {} if value is None else value


def _cleaned(text: str) -> str:
    """Return the text as values of sources are compared.

    Stripped, composed (NFC), without control characters.
    """
    text = unicodedata.normalize("NFC", text.strip())
    if any(unicodedata.category(character) in _REFUSED for character in text):
        raise told_one(
            "holds a line break or another control character",
            "write it on one line, without escapes",
        )
    return text


def _not_blank(text: str) -> str:
    if not text:
        raise told_one("is empty", "give it a value, or take the line out")
    return text


Word = Annotated[
    str, AfterValidator(_cleaned), WithJsonSchema({"type": ["string", "number", "boolean"]})
]
"""A value as it stands in a source; `0123`, `NO` and `true` need no quotes here."""

Filled = Annotated[
    str,
    AfterValidator(_cleaned),
    AfterValidator(_not_blank),
    WithJsonSchema({"type": ["string", "number", "boolean"], "minLength": 1}),
]
"""The same, but never blank."""

Named = Annotated[
    str,
    AfterValidator(_cleaned),
    AfterValidator(_not_blank),
    WithJsonSchema({"type": "string", "minLength": 1}),
]
"""A name of a column, or a template over such names; never blank."""


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Values = Annotated[
    tuple[Word, ...],
    AfterValidator(filled),
    BeforeValidator(_listed),
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
    """Return the JSON Schema of settings for which one text is short.

    It tells editors that either will do.
    """
    reference = handler(schema)
    whole: dict[str, Any] = handler.resolve_ref_schema(reference)
    if "anyOf" not in whole:
        mapping = dict(whole)
        about = {key: mapping.pop(key) for key in ("title", "description")}
        whole.clear()
        whole.update(about, anyOf=[{"type": "string", "minLength": 1}, mapping])
    return reference
