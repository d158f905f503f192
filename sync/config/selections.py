"""The settings that name records: those that are protected, and those of a pilot group."""

from datetime import date
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    WithJsonSchema,
    model_validator,
)

from sync.config_base.base import InvalidSetting as Invalid
from sync.config_base.base import (
    NonBlank,
    Strict,
    require_entries,
    validation_error,
    validation_errors,
)
from sync.config_base.days import Day
from sync.planning.protection import Protection
from sync.planning.selection import Selection
from sync.records.base import Kind

_SCALAR = {"type": ["string", "number", "boolean"]}
_KIND = {"type": "string", "enum": [kind.value for kind in Kind]}


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Patterns = Annotated[
    tuple[NonBlank, ...],
    AfterValidator(require_entries),
    BeforeValidator(_as_list),
    WithJsonSchema({"anyOf": [_SCALAR, {"type": "array", "minItems": 1, "items": _SCALAR}]}),
]
"""One key or pattern, or a list of them."""

Kinds = Annotated[
    tuple[Kind, ...],
    AfterValidator(require_entries),
    BeforeValidator(_as_list),
    WithJsonSchema({"anyOf": [_KIND, {"type": "array", "minItems": 1, "items": _KIND}]}),
]
"""One kind, or a list of them."""


class SelectionSettings(Strict):
    """Records by test, person and kind. What is given applies together."""

    test: Patterns | None = None
    """The keys of tests, with the wildcards `*`, `?` and `[…]`. A test includes everything on it."""
    person: Patterns | None = None
    """The keys of learners and staff, with wildcards. A person includes their places on tests."""
    kind: Kinds | None = None
    """The kinds, such as `candidate`."""

    @model_validator(mode="before")
    @classmethod
    def _require_one(cls, given: Any) -> Any:
        # Before the fields: an entry that names nothing would name everything.
        if isinstance(given, dict) and not {"test", "person", "kind"} & given.keys():
            raise validation_error("names no record", "add 'test', 'person' or 'kind'")
        return given

    def as_selection(self) -> Selection:
        """Return the records that this names."""
        return Selection(self.kind or (), self.test or (), self.person or ())


class OnlySettings(SelectionSettings):
    """Records of a pilot group."""


class ProtectSettings(SelectionSettings):
    """Records that are never updated or removed, the reason, and until when."""

    why: str | None = None
    """The reason, shown with each change that is not made. Needed."""
    until: Day | None = None
    """The last day of the protection (in UTC), such as `2026-12-31`. Needed."""

    @model_validator(mode="after")
    def _require_reason_and_end(self) -> "ProtectSettings":
        missing = []
        if not (self.why or "").strip():
            missing.append(Invalid("", "has no reason", "add 'why: TEXT'"))
        if not self.until:
            remedy = "add 'until: 2026-12-31', the last day of the protection"
            missing.append(Invalid("", "has no end, and nothing may be protected forever", remedy))
        if missing:
            raise validation_errors(missing)
        return self

    def as_protection(self) -> Protection:
        """Return the protection that the guard applies."""
        until = date.fromisoformat(self.until or "")
        return Protection(self.as_selection(), (self.why or "").strip(), until)
