"""How one field of a record is made from a row: the right-hand sides of a feed's `map`."""

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

from sync.config.patterns import checked_format, checked_pattern, checked_zone, groups_of
from sync.config_base.base import (
    Filled,
    InvalidSetting,
    Named,
    Strict,
    Word,
    filled,
    text_or_settings,
    told,
    told_one,
)


class RuleWords(TypedDict):
    """A field's rule in plain values, named as the mapping names them.

    `FieldRule(**spec.as_rule())`.
    """

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


def _checked_template(text: str) -> str:
    """Return the template, if it can be filled in: plain `{name}` placeholders, at least one."""
    try:
        parts = [
            (name, spec, how) for _, name, spec, how in Formatter().parse(text) if name is not None
        ]
    except ValueError:
        raise told_one(
            "is a template with a brace that has no partner",
            "pair it, or double it ('{{') for the character itself",
        ) from None
    if not parts:
        raise told_one(
            "is a template without any {name} in it", "write 'constant:' for a fixed value"
        )
    if any(not name.removesuffix("?") or spec or how for name, spec, how in parts):
        raise told_one(
            "has a placeholder that is not a plain {name}",
            "write the column's name alone between the braces, without ':' or '!'",
        )
    return text


def placeholders(template: str) -> frozenset[str]:
    """Return the names between the braces of a sound template."""
    return frozenset(
        name.removesuffix("?") for _, name, _, _ in Formatter().parse(template) if name
    )


_WORDED = re.compile(r"%[AaBb]")
Language = Literal["nb", "sv", "da", "de", "nl", "en"]


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class _OneOrListed:
    """Tells editors that one word will do, too."""

    @staticmethod
    def __get_pydantic_json_schema__(
        schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        listed = handler(schema)
        return {"anyOf": [listed["items"], listed]}


Languages = Annotated[
    tuple[Language, ...], AfterValidator(filled), BeforeValidator(_listed), _OneOrListed
]
Template = Annotated[Named, AfterValidator(_checked_template)]


class FieldSettings(Strict):
    """How one field is made.

    A text is short for `column`, or for `template` when it holds a `{`.
    """

    column: Named | None = None
    """The column that holds the value."""
    template: Template | None = None
    """Text with columns in braces, such as `{course}-{term}`; with a `pattern`, with that
    pattern's groups. A place with a question mark may be blank, as in `{given} {middle?}`: the text
    before it is then left out, too."""
    first_of: Annotated[tuple[Named, ...], AfterValidator(filled)] | None = None
    """Several columns, or templates, of which the first that is not blank counts, as in
    `[preferred, given]`."""
    # These three may hold a password or a pin, so no repr shows them.
    constant: Annotated[Filled | None, Field(repr=False)] = None
    """One value for every row."""
    default: Annotated[Filled | None, Field(repr=False)] = None
    """The value to take where the column is blank."""
    lookup: Annotated[
        Annotated[dict[Word, Word], AfterValidator(filled)] | None, Field(repr=False)
    ] = None
    """A table of values: what the column says, and what it means here. A value that is not in the
    table is an error."""
    lower: bool = False
    """Turn the value into lower case."""
    upper: bool = False
    """Turn the value into upper case."""
    pattern: str | None = None
    """A regular expression that the whole value must match. Its group named `value` is taken, as in
    `(?P<value>[0-9]+)-.*`, or several named groups are put together by `template`."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        if isinstance(value, str):
            return {"template" if "{" in value else "column": value}
        return value

    @field_validator("pattern")
    @classmethod
    def _sound_pattern(cls, value: str | None) -> str | None:
        return None if value is None else checked_pattern(value)

    @model_validator(mode="after")
    def _fits_together(self) -> "FieldSettings":
        found = self._conflicts()
        if found:
            raise told(found)
        return self

    def _conflicts(self) -> list[InvalidSetting]:
        found = self._conflicts_of_origin() + self._conflicts_of_pattern()
        if self.lower and self.upper:
            found.append(InvalidSetting("upper", "contradicts 'lower'", "keep one of them"))
        return found

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
                InvalidSetting(name, "does nothing next to 'constant'", "keep one of them")
                for name in given
            ]
        if self.first_of is not None and (self.column is not None or self.template is not None):
            return [
                InvalidSetting(
                    "first_of", "is given next to another source of the value", "keep one of them"
                )
            ]
        if self.column is None and self.template is None and self.first_of is None:
            return [
                InvalidSetting(
                    "",
                    "does not say where the value comes from",
                    "add 'column', 'template' or 'constant'",
                )
            ]
        if self.column is not None and self.template is not None and self.pattern is None:
            return [
                InvalidSetting(
                    "template",
                    "is given next to 'column'",
                    "keep one, or add the 'pattern' whose groups it joins",
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
            remedy = "name one so, as in (?P<value>…), or add a 'template' over its groups"
            return [InvalidSetting("pattern", "has no group named 'value'", remedy)]
        remedy = f"the groups are {', '.join(sorted(groups))}"
        missing = sorted(placeholders(self.template or "") - groups)
        return [
            InvalidSetting(
                "template", f"names '{name}', which is not a group of the pattern", remedy
            )
            for name in missing
        ]

    @property
    def case(self) -> Literal["lower", "upper"] | None:
        """Return the case that the value is turned into, if any."""
        if self.lower:
            return "lower"
        return "upper" if self.upper else None

    def as_rule(self) -> RuleWords:
        """Return everything the mapping needs to know, in plain values."""
        return RuleWords(
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
    """How a date and time is made.

    Without `format` the source writes ISO 8601, such as `2026-05-20T09:00`.
    """

    format: str | None = None
    """How the source writes the time, in the letters of strptime, such as `%d.%m.%Y %H:%M`."""
    zone: str | None = None
    """The time zone that the source means, such as `Europe/Oslo`. Needed when `format` has no
    `%z`."""
    language: Languages | None = None
    """The language, or several, in which the source writes months and weekdays (`%B`, `%b`, `%A`,
    `%a`): `nb`, `sv`, `da`, `de`, `nl` or `en`. Without it, English."""

    @field_validator("format")
    @classmethod
    def _sound_format(cls, value: str | None) -> str | None:
        return None if value is None else checked_format(value)

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        return None if value is None else checked_zone(value)

    def _conflicts(self) -> list[InvalidSetting]:
        found = super()._conflicts()
        if self.format is not None and "%z" not in self.format and self.zone is None:
            found.append(
                InvalidSetting(
                    "format",
                    "does not say which time zone is meant",
                    "add one, as in zone: Europe/Oslo",
                )
            )
        if self.language is not None and not _WORDED.search(self.format or ""):
            reason = "means nothing without a month's or a weekday's name in 'format'"
            found.append(InvalidSetting("language", reason, "add %B or %b there, or take it out"))
        if self.format is not None and "%z" in self.format and self.zone is not None:
            found.append(
                InvalidSetting(
                    "zone",
                    "is given although the format reads the zone by %z",
                    "take one of them out",
                )
            )
        return found

    def as_rule(self) -> RuleWords:
        """Return everything the mapping needs to know, in plain values."""
        return {
            **super().as_rule(),
            "format": self.format,
            "zone": self.zone,
            "languages": self.language or (),
        }


class EndSettings(TimeSettings):
    """How the end of a test is made: like any other time, or computed."""

    computed: Literal["start + duration"] | None = None
    """`start + duration`, where the source has no end of its own. Nothing else is given then."""
    next_day: bool = False
    """Whether an end that comes before the start is on the day after, for sources that give times
    of day only, such as 22:00 to 02:00. Otherwise it is an error."""

    def _conflicts(self) -> list[InvalidSetting]:
        if self.computed is not None:
            return _beside_computed(self)
        return super()._conflicts()

    def as_rule(self) -> RuleWords:
        """Return everything the mapping needs to know, in plain values."""
        return RuleWords(
            **{**super().as_rule(), "computed": self.computed, "next_day": self.next_day}
        )


def _beside_computed(spec: FieldSettings) -> list[InvalidSetting]:
    given = [name for name in type(spec).model_fields if name != "computed" and getattr(spec, name)]
    return [
        InvalidSetting(name, "does nothing next to 'computed'", "keep one of them")
        for name in given
    ]


class MinutesSettings(FieldSettings):
    """How a number of minutes is made."""

    minutes: Literal["number", "hh:mm", "hours", "iso8601"] | None = None
    """How the source writes it: `number` of minutes (the default), `hh:mm`, `hours` (1.5), or
    `iso8601` (PT1H30M)."""

    def as_rule(self) -> RuleWords:
        """Return everything the mapping needs to know, in plain values."""
        return RuleWords(**{**super().as_rule(), "minutes": self.minutes})


class DurationSettings(MinutesSettings):
    """How the duration of a test is made: from the source, or computed."""

    computed: Literal["end - start"] | None = None
    """`end - start`, where the working time is all the time from start to end. Nothing else is
    given then."""

    def _conflicts(self) -> list[InvalidSetting]:
        if self.computed is not None:
            return _beside_computed(self)
        return super()._conflicts()

    def as_rule(self) -> RuleWords:
        """Return everything the mapping needs to know, in plain values."""
        return RuleWords(**{**super().as_rule(), "computed": self.computed})


def _checked_separator(text: str) -> str:
    if not text.isprintable():
        raise told_one(
            "holds a character that no value can",
            "write a visible one, such as ',', or take the line out",
        )
    return text


class ListSettings(FieldSettings):
    """How a list is made: one text, taken apart.

    `lookup` and `default` are for each item; blank items don't count.
    """

    separator: (
        Annotated[str, Field(min_length=1, max_length=10), AfterValidator(_checked_separator)]
        | None
    ) = None
    """What stands between two items, `;` by default. Spaces around an item don't count."""

    def as_rule(self) -> RuleWords:
        """Return everything the mapping needs to know, in plain values."""
        return RuleWords(**{**super().as_rule(), "separator": self.separator})
