"""The settings of one field of a record: the right-hand sides of a feed's `map`."""

import re
from collections.abc import Mapping
from string import Formatter
from typing import Annotated, Literal, TypedDict

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from sync.config.patterns import check_format, check_pattern, check_zone, groups_of
from sync.config_base.base import (
    ColumnName,
    InvalidSetting,
    NonBlank,
    SourceValue,
    Strict,
    require_entries,
    text_or_settings,
    validation_error,
    validation_errors,
)


class RuleArguments(TypedDict):
    """The arguments of the mapping's `FieldRule`: `FieldRule(**spec.as_rule())`."""

    column: str | None
    template: str | None
    constant: str | None
    default: str | None
    lookup: Mapping[str, str] | None
    case: str | None
    pattern: str | None
    format: str | None
    zone: str | None
    minutes: str | None
    separator: str | None
    first_of: tuple[str, ...] | None
    computed: str | None
    next_day: bool
    languages: tuple[str, ...]


def _check_template(text: str) -> str:
    """Return the template, if it is valid: plain `{name}` placeholders, at least one."""
    try:
        parts = [
            (name, spec, how) for _, name, spec, how in Formatter().parse(text) if name is not None
        ]
    except ValueError:
        raise validation_error(
            "is a template with an unmatched brace",
            "close it, or double it ('{{') for the character itself",
        ) from None
    if not parts:
        raise validation_error(
            "is a template without any {name} in it", "write 'constant:' for a fixed value"
        )
    if any(not name.removesuffix("?") or spec or how for name, spec, how in parts):
        raise validation_error(
            "has a placeholder that is not a plain {name}",
            "write only the column's name between the braces, without ':' or '!'",
        )
    return text


def placeholders(template: str) -> frozenset[str]:
    """Return the names between the braces of a valid template."""
    return frozenset(
        name.removesuffix("?") for _, name, _, _ in Formatter().parse(template) if name
    )


_NAMES_IN_FORMAT = re.compile(r"%[AaBb]")
Language = Literal["nb", "sv", "da", "de", "nl", "en"]


def _as_tuple(value: object) -> object:
    return [value] if isinstance(value, str) else value


class _OneOrListed:
    """The JSON Schema of a list for which one word may be written, too."""

    @staticmethod
    def __get_pydantic_json_schema__(
        schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        listed = handler(schema)
        return {"anyOf": [listed["items"], listed]}


Languages = Annotated[
    tuple[Language, ...], AfterValidator(require_entries), BeforeValidator(_as_tuple), _OneOrListed
]
Template = Annotated[ColumnName, AfterValidator(_check_template)]


class FieldSettings(Strict):
    """Where one field comes from.

    A text is short for `column`, or for `template` if it contains a `{`.
    """

    column: ColumnName | None = None
    """The column with the value."""
    template: Template | None = None
    """A text with columns in braces, such as `{course}-{term}`. With a `pattern`, the braces contain
    that pattern's groups. A column with a question mark may be blank, as in `{given} {middle?}`:
    then the text before it is left out, too."""
    first_of: Annotated[tuple[ColumnName, ...], AfterValidator(require_entries)] | None = None
    """Several columns or templates, such as `[preferred, given]`; the first that is not blank is
    used."""
    # These three may contain a password or a pin, so no repr shows them.
    constant: Annotated[NonBlank | None, Field(repr=False)] = None
    """One value for every row."""
    default: Annotated[NonBlank | None, Field(repr=False)] = None
    """The value to use if the column is blank."""
    lookup: Annotated[
        Annotated[dict[SourceValue, SourceValue], AfterValidator(require_entries)] | None,
        Field(repr=False),
    ] = None
    """A table that translates the column's values. A value that is not in the table is an error."""
    lower: bool = False
    """Turn the value into lower case."""
    upper: bool = False
    """Turn the value into upper case."""
    pattern: str | None = None
    """A regular expression that the whole value must match. Its group `value` is used, as in
    `(?P<value>[0-9]+)-.*`, or `template` combines several named groups."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        if isinstance(value, str):
            return {"template" if "{" in value else "column": value}
        return value

    @field_validator("pattern")
    @classmethod
    def _check_pattern(cls, value: str | None) -> str | None:
        return None if value is None else check_pattern(value)

    @model_validator(mode="after")
    def _check_together(self) -> "FieldSettings":
        conflicts = self._conflicts()
        if conflicts:
            raise validation_errors(conflicts)
        return self

    def _conflicts(self) -> list[InvalidSetting]:
        conflicts = self._conflicts_of_origin() + self._conflicts_of_pattern()
        if self.lower and self.upper:
            conflicts.append(InvalidSetting("upper", "contradicts 'lower'", "keep one of them"))
        return conflicts

    def _conflicts_of_origin(self) -> list[InvalidSetting]:
        if self.constant is not None:
            names = (
                "column",
                "template",
                "first_of",
                "default",
                "lookup",
                "lower",
                "upper",
                "pattern",
            )
            given = [name for name in names if getattr(self, name)]
            return [
                InvalidSetting(name, "has no effect next to 'constant'", "keep one of them")
                for name in given
            ]
        if self.first_of is not None and (self.column is not None or self.template is not None):
            return [
                InvalidSetting(
                    "first_of", "is set together with 'column' or 'template'", "keep one of them"
                )
            ]
        if self.column is None and self.template is None and self.first_of is None:
            return [
                InvalidSetting(
                    "",
                    "does not say where the value comes from",
                    "add 'column', 'first_of', 'template' or 'constant'",
                )
            ]
        if self.column is not None and self.template is not None and self.pattern is None:
            return [
                InvalidSetting(
                    "template",
                    "is set together with 'column'",
                    "keep one of them, or add a 'pattern' whose groups the template combines",
                )
            ]
        return []

    def _conflicts_of_pattern(self) -> list[InvalidSetting]:
        if self.pattern is None or self.constant is not None:
            return []
        if self.column is None and self.first_of is None:
            return [InvalidSetting("pattern", "has no column to read", "add 'column'")]
        groups = groups_of(self.pattern)
        if self.template is None and "value" not in groups:
            remedy = "name a group so, as in (?P<value>…), or add a 'template' with its groups"
            return [InvalidSetting("pattern", "has no group named 'value'", remedy)]
        remedy = f"use its groups: {', '.join(sorted(groups))}"
        missing = sorted(placeholders(self.template or "") - groups)
        return [
            InvalidSetting("template", f"names '{name}', which is not a group of 'pattern'", remedy)
            for name in missing
        ]

    @property
    def case(self) -> Literal["lower", "upper"] | None:
        """Return the case to which the value is converted, if any."""
        if self.lower:
            return "lower"
        return "upper" if self.upper else None

    def as_rule(self) -> RuleArguments:
        """Return the rule of this field as arguments of the mapping's `FieldRule`."""
        return RuleArguments(
            column=self.column,
            template=self.template,
            constant=self.constant,
            default=self.default,
            lookup=self.lookup,
            case=self.case,
            pattern=self.pattern,
            format=None,
            zone=None,
            minutes=None,
            separator=None,
            first_of=self.first_of,
            computed=None,
            next_day=False,
            languages=(),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return text_or_settings(schema, handler)


class TimeSettings(FieldSettings):
    """Where a date and time comes from.

    Without `format` it must be ISO 8601, such as `2026-05-20T09:00`.
    """

    format: str | None = None
    """The format of the time in the source, in the codes of strptime, such as `%d.%m.%Y %H:%M`."""
    zone: str | None = None
    """The time zone of the source, such as `Europe/Oslo`. It is needed if `format` has no `%z`."""
    language: Languages | None = None
    """One or several languages of the names of months and weekdays (`%B`, `%b`, `%A`, `%a`) in the
    source: `nb`, `sv`, `da`, `de`, `nl` or `en`. Default: English."""

    @field_validator("format")
    @classmethod
    def _check_format(cls, value: str | None) -> str | None:
        return None if value is None else check_format(value)

    @field_validator("zone")
    @classmethod
    def _check_zone(cls, value: str | None) -> str | None:
        return None if value is None else check_zone(value)

    def _conflicts(self) -> list[InvalidSetting]:
        conflicts = super()._conflicts()
        if self.format is not None and "%z" not in self.format and self.zone is None:
            conflicts.append(
                InvalidSetting(
                    "format",
                    "has no time zone",
                    "add it as a setting, such as 'zone: Europe/Oslo'",
                )
            )
        if self.language is not None and not _NAMES_IN_FORMAT.search(self.format or ""):
            reason = "has no effect: 'format' has no name of a month or a weekday"
            conflicts.append(InvalidSetting("language", reason, "add %B or %b there, or remove it"))
        if self.format is not None and "%z" in self.format and self.zone is not None:
            conflicts.append(
                InvalidSetting(
                    "zone",
                    "is set although 'format' reads the zone with %z",
                    "remove one of them",
                )
            )
        return conflicts

    def as_rule(self) -> RuleArguments:
        """Return the rule of this field as arguments of the mapping's `FieldRule`."""
        return {
            **super().as_rule(),
            "format": self.format,
            "zone": self.zone,
            "languages": self.language or (),
        }


class EndSettings(TimeSettings):
    """Where the end of a test comes from: from the source, or computed."""

    computed: Literal["start + duration"] | None = None
    """`start + duration`, if the source has no end of its own. It allows no other settings."""
    next_day: bool = False
    """Whether an end before the start means the next day, for sources that contain only times of
    day, such as 22:00 to 02:00. Otherwise such an end is an error."""

    def _conflicts(self) -> list[InvalidSetting]:
        if self.computed is not None:
            return _conflicts_with_computed(self)
        return super()._conflicts()

    def as_rule(self) -> RuleArguments:
        """Return the rule of this field as arguments of the mapping's `FieldRule`."""
        return RuleArguments(
            **{**super().as_rule(), "computed": self.computed, "next_day": self.next_day}
        )


def _conflicts_with_computed(spec: FieldSettings) -> list[InvalidSetting]:
    given = [name for name in type(spec).model_fields if name != "computed" and getattr(spec, name)]
    return [
        InvalidSetting(name, "has no effect next to 'computed'", "keep one of them")
        for name in given
    ]


class MinutesSettings(FieldSettings):
    """Where a number of minutes comes from."""

    minutes: Literal["number", "hh:mm", "hours", "iso8601"] | None = None
    """The format in the source: a `number` of minutes (the default), `hh:mm`, `hours` (1.5), or
    `iso8601` (PT1H30M)."""

    def as_rule(self) -> RuleArguments:
        """Return the rule of this field as arguments of the mapping's `FieldRule`."""
        return RuleArguments(**{**super().as_rule(), "minutes": self.minutes})


class DurationSettings(MinutesSettings):
    """Where the duration of a test comes from: from the source, or computed."""

    computed: Literal["end - start"] | None = None
    """`end - start`, if the working time is all the time from start to end. It allows no other
    settings."""

    def _conflicts(self) -> list[InvalidSetting]:
        if self.computed is not None:
            return _conflicts_with_computed(self)
        return super()._conflicts()

    def as_rule(self) -> RuleArguments:
        """Return the rule of this field as arguments of the mapping's `FieldRule`."""
        return RuleArguments(**{**super().as_rule(), "computed": self.computed})


def _check_separator(text: str) -> str:
    if not text.isprintable():
        raise validation_error(
            "contains an unprintable character, which a value can't contain",
            "write a visible one, such as ',', or remove the line",
        )
    return text


class ListSettings(FieldSettings):
    """Where a list comes from: from one text that is split into items.

    `lookup` and `default` apply to each item. Blank items are ignored.
    """

    separator: (
        Annotated[str, Field(min_length=1, max_length=10), AfterValidator(_check_separator)] | None
    ) = None
    """The text between two items. Default: `;`. Spaces around an item are ignored."""

    def as_rule(self) -> RuleArguments:
        """Return the rule of this field as arguments of the mapping's `FieldRule`."""
        return RuleArguments(**{**super().as_rule(), "separator": self.separator})
