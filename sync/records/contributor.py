"""Contributors: what staff do on tests."""

from dataclasses import replace
from typing import Annotated, Final, NamedTuple

from sync.contract import ROLES
from sync.records import common
from sync.records.base import Kind
from sync.records.fields import FieldSpec, RecordType

ROLE_PREFIX: Final = "ar_"
"""Before some roles as Inspera shows them (vendor contract, Test API: read), so sources may have
it, too."""


class Contributor(NamedTuple):
    """A member of staff on a test; `test` and `staff` are keys, `roles` and `committees` lists.

    `notify` asks Inspera to notify the person, once, when they are put on the test.
    """

    test: Annotated[str, common.TEST]
    staff: Annotated[
        str,
        FieldSpec(
            description="The key of the member of staff, as the staff feed's `key` makes it.",
            text="identifier",
            personal=True,
            required=True,
            indexed=True,
            sent_as="externalId",
            copied=False,
        ),
    ]
    roles: Annotated[
        str | None,
        FieldSpec(
            description="What the person does on the test: a list of `evaluate`, `monitor`, `plan`,"
            " `author`, `invigilate`,\n`chief_invigilate` and `review`; where the source has other"
            " words, `lookup` translates them.",
            type="choice",
            text="word",
            choices=tuple(ROLES),
            prefix=ROLE_PREFIX,
            many=True,
            cleared="",
            required=True,
            sent_as="roles",
        ),
    ] = None
    committees: Annotated[
        str | None,
        replace(
            common.COMMITTEES,
            description="The committees that the person is on: a list of names. Those that no"
            " feed names are created.",
        ),
    ] = None
    room: Annotated[str | None, common.ROOM] = None
    building: Annotated[str | None, common.BUILDING] = None
    notify: Annotated[
        int | None,
        FieldSpec(
            description="Whether Inspera tells the person, once, that they are on the test: true or"
            " false. Otherwise use the feed's own\n`notify`.",
            type="notice",
            text="word",
            once=True,
            sent_as="sendNotification",
            copied=False,
        ),
    ] = None

    @property
    def kind(self) -> Kind:
        """Return the record's kind."""
        return Kind.CONTRIBUTOR


CONTRIBUTOR = RecordType(
    kind=Kind.CONTRIBUTOR,
    make=Contributor,
    noun="a contributor",
    key=("test", "staff"),
    needs=(Kind.STAFF, Kind.TEST, Kind.COMMITTEE),
    person=Kind.STAFF,
)
