"""Tests: exams as events in time."""

from datetime import datetime
from typing import Annotated, Final, NamedTuple

from sync.records.base import Kind
from sync.records.fields import MAX_ID, FieldSpec, RecordType

MAX_TITLE: Final = 500
"""Characters in a test's title, which may not hold `[` or `]` (vendor contract, Test API:
create)."""


class Test(NamedTuple):
    """An exam event (vendor contract, Test API).

    Times are aware and in UTC; `duration` is in whole minutes.
    """

    key: Annotated[
        str,
        FieldSpec(
            description="The source's own stable identifier. It is never sent. Default:"
            " `external_test_id`.",
            text="identifier",
        ),
    ]
    external_test_id: Annotated[
        str | None,
        FieldSpec(
            description="The identifier under which Inspera keeps the test for us.",
            text="identifier",
            limit=MAX_ID,
            required=True,
            identity=True,
            indexed=True,
            sent_as="externalTestId",
        ),
    ] = None
    title: Annotated[
        str | None,
        FieldSpec(
            description="The title: at most 500 characters, without square brackets.",
            type="title",
            text="label",
            required=True,
            sent_as="title",
        ),
    ] = None
    start: Annotated[
        datetime | None,
        FieldSpec(
            description="When the test opens.",
            type="time",
            text="word",
            required=True,
            sent_as="startTime",
        ),
    ] = None
    end: Annotated[
        datetime | None,
        FieldSpec(
            description="When the test closes for those without extra time.",
            type="time",
            text="word",
            required=True,
            sent_as="endTime",
        ),
    ] = None
    duration: Annotated[
        int | None,
        FieldSpec(
            description="The working time, in minutes; at most the time between start and end.",
            type="duration",
            text="word",
            required=True,
            sent_as="duration",
        ),
    ] = None
    template: Annotated[
        str | None,
        FieldSpec(
            description="The test in Inspera to copy. It is sent only when the test is created.",
            text="identifier",
            once=True,
            sent_as="sourceTemplateId",
            copied=False,
        ),
    ] = None
    freeze_before: Annotated[
        int | None,
        FieldSpec(
            description="How long before its start this test is frozen, such as `4h`. It is never"
            " sent. Default: `freeze.before`.",
            type="length of time",
            text="word",
            once=True,
            copied=False,
        ),
    ] = None
    freeze_after: Annotated[
        int | None,
        FieldSpec(
            description="How long after its end contributors, committees and options of this test"
            " still change, such as `30d`. It is never sent. Default: `freeze.after`.",
            type="length of time",
            text="word",
            once=True,
            copied=False,
        ),
    ] = None

    @property
    def kind(self) -> Kind:
        """Return the record's kind."""
        return Kind.TEST


Test.__test__ = False  # type: ignore[attr-defined]  # not a test case, whatever pytest thinks of its name

TEST = RecordType(kind=Kind.TEST, make=Test, noun="a test", key_from="external_test_id")
