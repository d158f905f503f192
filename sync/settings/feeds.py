"""Feeds: which rows of a source become records of one kind, and how each field is made."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from sync.model import Kind
from sync.settings.fields import FieldSpec, MinutesSpec, TimeSpec
from sync.settings.strict import Filled, Named, Strict, Word, filled


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
                {"type": "array", "minItems": 1, "items": {"type": ["string", "number", "boolean"]}},
            ]
        }
    ),
]


class LearnerMap(Strict):
    """Where each field of a learner comes from. A field that is not mapped is never sent."""

    key: FieldSpec | None = None
    """The source's own stable identifier, such as a student number. It is never sent. Default: `external_id`."""
    username: FieldSpec
    """The login name in Inspera. It can't be changed there afterwards."""
    external_id: FieldSpec
    """The identifier by which the auth system knows the person."""
    auth_system: FieldSpec | None = None
    """The auth system, where it differs from row to row; otherwise use the feed's own `auth_system`."""
    first_name: FieldSpec
    """The given name."""
    last_name: FieldSpec
    """The family name."""
    email: FieldSpec | None = None
    """The email address."""
    password: FieldSpec | None = None
    """A first password. It is sent when the learner is created, and never stored, compared or shown."""


class TestMap(Strict):
    """Where each field of a test comes from. A field that is not mapped is never sent."""

    __test__ = False  # not a test case, whatever pytest thinks of its name

    key: FieldSpec | None = None
    """The source's own stable identifier. It is never sent. Default: `external_test_id`."""
    external_test_id: FieldSpec
    """The identifier under which Inspera keeps the test for us."""
    title: FieldSpec
    """The title: at most 500 characters, without square brackets."""
    start: TimeSpec
    """When the test opens."""
    end: TimeSpec
    """When the test closes for those without extra time."""
    duration: MinutesSpec
    """The working time, in minutes; at most the time between start and end."""
    template: FieldSpec | None = None
    """The test in Inspera to copy. It is sent only when the test is created."""


class CandidateMap(Strict):
    """Where each field of a candidate comes from. A field that is not mapped is never sent."""

    test: FieldSpec
    """The key of the test, as the test feed's `key` makes it."""
    learner: FieldSpec
    """The key of the learner, as the learner feed's `key` makes it."""
    candidate_id: FieldSpec | None = None
    """The candidate number on this test."""
    extra_time: MinutesSpec | None = None
    """Extra time: minutes, or a share of the duration such as `25%`."""
    room: FieldSpec | None = None
    """The room."""
    building: FieldSpec | None = None
    """The building."""


class FeedSettings(Strict):
    """What every feed says, whatever its kind."""

    source: Annotated[str, Field(min_length=1)]
    """The name of a source, as it stands under `sources`."""
    where: Annotated[dict[Named, Values], Field(default_factory=dict)]
    """Takes only the rows whose columns hold one of these values. Without it, every row."""
    may_be_empty: bool = False
    """Whether it can be right that this feed has no row at all. Otherwise its source counts as unhealthy then."""
    blank: Literal["keep", "clear"] = "keep"
    """What a blank value means: `keep` leaves Inspera's value alone, `clear` empties it."""

    @property
    def clear_blanks(self) -> bool:
        """Whether a blank value empties Inspera's."""
        return self.blank == "clear"


def _mapped(fields: Strict) -> dict[str, FieldSpec]:
    """The fields that are mapped, in the order of the model."""
    every = ((name, getattr(fields, name)) for name in type(fields).model_fields)
    return {name: spec for name, spec in every if spec is not None}


class LearnerFeed(FeedSettings):
    """A feed of learners: the people who sit exams."""

    kind: Literal[Kind.LEARNER]
    """`learner`."""
    auth_system: Filled | None = None
    """The auth system that every learner of this feed logs in with, as the tenant names it, such as `FEIDE`."""
    map: LearnerMap
    """Where each field comes from."""

    def fields(self) -> dict[str, FieldSpec]:
        """Every field that is made, by name: `key` is always there, and so is `auth_system` once loaded."""
        made = {"key": self.map.external_id, **_mapped(self.map)}
        if self.auth_system is not None:
            made["auth_system"] = FieldSpec(constant=self.auth_system)
        return made


class TestFeed(FeedSettings):
    """A feed of tests: the exams as events in time."""

    __test__ = False  # not a test case, whatever pytest thinks of its name

    kind: Literal[Kind.TEST]
    """`test`."""
    map: TestMap
    """Where each field comes from."""

    def fields(self) -> dict[str, FieldSpec]:
        """Every field that is made, by name; `key` is always there."""
        return {"key": self.map.external_test_id, **_mapped(self.map)}


class CandidateFeed(FeedSettings):
    """A feed of candidates: learners' seats on tests."""

    kind: Literal[Kind.CANDIDATE]
    """`candidate`."""
    map: CandidateMap
    """Where each field comes from."""

    def fields(self) -> dict[str, FieldSpec]:
        """Every field that is made, by name."""
        return _mapped(self.map)


Feed = Annotated[LearnerFeed | TestFeed | CandidateFeed, Field(discriminator="kind")]
"""A feed of any kind; `kind` says which."""
