"""Candidates: learners on tests."""

from dataclasses import replace
from typing import Annotated, Final, NamedTuple

from sync.records import common
from sync.records.base import Kind
from sync.records.fields import FieldSpec, RecordType

MAX_CANDIDATES: Final = 1500
"""Candidates that one test can hold (vendor contract, Test API: candidates)."""

SHARES: Final = 300_000
"""The whole, of which extra time is a share: thousandths of a percent, and of a minute an hour, are
exact in it."""


class Candidate(NamedTuple):
    """A learner on a test; `test` and `learner` are keys.

    `extra_time` is in whole minutes, `committees` a list.

    `extra_share` is extra time as a share of the test's duration, in `SHARES`, before it is turned
    into minutes.
    """

    test: Annotated[str, common.TEST]
    learner: Annotated[
        str,
        FieldSpec(
            description="The key of the learner, as the learner feed's `key` makes it.",
            text="identifier",
            personal=True,
            required=True,
            indexed=True,
            sent_as="externalId",
            copied=False,
        ),
    ]
    candidate_id: Annotated[
        str | None,
        FieldSpec(
            description="The candidate number on this test.",
            text="identifier",
            cleared="",
            sent_as="candidateId",
            adds="never",  # Inspera may have given out a number of its own already
        ),
    ] = None
    extra_time: Annotated[
        int | None,
        FieldSpec(
            description="Extra time: minutes, or a share of the duration such as `25%`, `12,5 %` or"
            " `15 min/h`; at most the duration.",
            type="extra_time",
            text="word",
            cleared=0,
            sent_as="extraTimeMins",
            adds="more",
        ),
    ] = None
    room: Annotated[str | None, common.ROOM] = None
    building: Annotated[str | None, common.BUILDING] = None
    committees: Annotated[
        str | None,
        replace(
            common.COMMITTEES,
            description="The committees that grade the candidate: a list of names. Those that"
            " no feed names are created.",
        ),
    ] = None
    extra_share: Annotated[int | None, FieldSpec(mapped=False, once=True)] = None

    @property
    def kind(self) -> Kind:
        """Return the record's kind."""
        return Kind.CANDIDATE


CANDIDATE = RecordType(
    kind=Kind.CANDIDATE,
    make=Candidate,
    noun="a candidate",
    key=("test", "learner"),
    needs=(Kind.LEARNER, Kind.TEST, Kind.COMMITTEE),
    person=Kind.LEARNER,
)
