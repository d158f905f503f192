"""Staff: the people who make, run and grade exams."""

from typing import Annotated, Final, NamedTuple

from sync.records import common
from sync.records.base import Kind
from sync.records.fields import FieldSpec, RecordType

STATUSES: Final = ("active", "disabled")
"""What a member of staff can be, in our words."""


class Staff(NamedTuple):
    """A person who makes, runs or grades exams.

    An administrative user (vendor contract, Users API; inferred).
    """

    key: Annotated[
        str,
        FieldSpec(
            description="The source's own stable identifier, such as an employee number. It is"
            " never sent. Default: `external_id`.",
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
    status: Annotated[
        str | None,
        FieldSpec(
            description="`active` or `disabled`; where the source has other words, `lookup`"
            " translates them.",
            type="choice",
            text="word",
            choices=STATUSES,
            sent_as="status",
            copied=False,
        ),
    ] = None
    accesses: Annotated[
        str | None,
        FieldSpec(
            description="What the person may do in Inspera: a list, in the tenant's words.",
            text="label",
            many=True,
            cleared="",
            sent_as="authorizedAccesses",
        ),
    ] = None
    organisations: Annotated[
        str | None,
        FieldSpec(
            description="The organisations in Inspera to which the person belongs: a list, in the"
            " tenant's words.",
            text="label",
            many=True,
            cleared="",
            sent_as="organisations",
        ),
    ] = None
    password: Annotated[
        str | None,
        FieldSpec(
            description="A first password. It is sent when the person is created, and never stored,"
            " compared or shown.",
            personal=True,
            once=True,
            secret=True,
            sent_as="password",
            copied=False,
        ),
    ] = None

    def __repr__(self) -> str:
        return f"Staff({self.key!r})"  # neither the password nor the person's name

    @property
    def kind(self) -> Kind:
        """Return the record's kind."""
        return Kind.STAFF


STAFF = RecordType(kind=Kind.STAFF, make=Staff, noun="a member of staff", key_from="external_id")
