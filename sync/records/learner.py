"""Learners: the people who sit exams."""

from typing import Annotated, NamedTuple

from sync.records import common
from sync.records.base import Kind
from sync.records.fields import FieldSpec, RecordType


class Learner(NamedTuple):
    """A person who sits exams (vendor contract, Users API).

    Records are named tuples, not dataclasses, because one is made for every row.
    """

    key: Annotated[
        str,
        FieldSpec(
            description="The source's own stable identifier, such as a student number. It is never"
            " sent. Default: `external_id`.",
            text="identifier",
            personal=True,
        ),
    ]
    username: Annotated[str | None, common.USERNAME] = None
    external_id: Annotated[str | None, common.EXTERNAL_ID] = None
    auth_system: Annotated[str | None, common.AUTH_SYSTEM] = None
    first_name: Annotated[str | None, common.FIRST_NAME] = None
    last_name: Annotated[str | None, common.LAST_NAME] = None
    email: Annotated[str | None, common.EMAIL] = None
    password: Annotated[
        str | None,
        FieldSpec(
            description="A first password. It is sent when the learner is created, and never"
            " stored, compared or shown.",
            personal=True,
            once=True,
            secret=True,
            sent_as="password",
            copied=False,
        ),
    ] = None

    def __repr__(self) -> str:
        return f"Learner({self.key!r})"  # neither the password nor the person's name

    @property
    def kind(self) -> Kind:
        """Return the record's kind."""
        return Kind.LEARNER


LEARNER = RecordType(kind=Kind.LEARNER, make=Learner, noun="a learner", key_from="external_id")
