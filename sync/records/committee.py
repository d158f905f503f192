"""Committees of tests."""

from typing import Annotated, NamedTuple

from sync.contract import COMMITTEE_TYPES, MAX_COMMITTEE_NAME
from sync.records import common
from sync.records.base import Kind
from sync.records.fields import FieldSpec, RecordType


class Committee(NamedTuple):
    """A committee of a test (vendor contract, Test API: committees).

    `type` is `GRADING` or `REASSESSMENT`.
    """

    test: Annotated[str, common.TEST]
    committee: Annotated[
        str,
        FieldSpec(
            description="The committee's name: at most 50 characters.",
            text="label",
            limit=MAX_COMMITTEE_NAME,
            required=True,
            sent_as="name",
            copied=False,
        ),
    ]
    type: Annotated[
        str | None,
        FieldSpec(
            description="`GRADING` or `REASSESSMENT`. Without it, Inspera makes it a grading"
            " committee.",
            type="choice",
            text="word",
            choices=COMMITTEE_TYPES,
            identity=True,
            sent_as="type",
        ),
    ] = None

    @property
    def kind(self) -> Kind:
        """Return the record's kind."""
        return Kind.COMMITTEE


COMMITTEE = RecordType(
    kind=Kind.COMMITTEE,
    make=Committee,
    noun="a committee",
    key=("test", "committee"),
    needs=(Kind.TEST,),
)
