"""A person's decision about exactly one change: what passes by it, what does not, and what it never allows."""

from dataclasses import replace

import pytest
from sync.planning.absence import AbsenceDoubt
from sync.planning.decide import DraftedChange, Pair, decide
from sync.planning.decided import APPROVED, REJECTED, DecidedChange, DecidedChanges
from sync.planning.diff import Context
from sync.planning.freeze import digest_of
from sync.planning.guard import Facts
from sync.records.base import Kind
from sync.records.changes import Cause, Fields, Verdict

KEY = ("INF1000-H26", "1001")
KNOWN: Fields = {
    "candidate_id": "17",
    "extra_time": 30,
    "room": None,
    "building": None,
    "committees": None,
}
SHORTER = AbsenceDoubt("registrations.csv has become shorter", needs_person=True)
UNREAD = AbsenceDoubt("registrations.csv could not be read")


def removal(facts: Facts | None = None, minutes: int = 30) -> Pair:
    """A candidate whom no source names any more."""
    known = {**KNOWN, "extra_time": minutes}
    return Pair(Kind.CANDIDATE, KEY, None, known, Context(), facts or Facts())


def about(pair: Pair, verdict: str) -> DecidedChanges:
    """The decision about what this pair calls for."""
    change = drafted(replace(pair, facts=Facts())).change
    return DecidedChanges(
        [DecidedChange(digest_of(change), change.kind, change.key, verdict, "ann", "so", "2026")]
    )


def drafted(pair: Pair, decided: DecidedChanges | None = None) -> DraftedChange:
    found = decide(pair, decided=decided or DecidedChanges()).drafted
    assert found
    return found


def test_what_is_approved_passes_marked_and_another_change_of_the_record_is_not_marked() -> None:
    approved = about(removal(), APPROVED)
    assert drafted(removal(), approved).allowed != ""
    assert drafted(removal(minutes=45), approved).allowed == ""
    assert drafted(removal(minutes=45), approved).decided == ""


@pytest.mark.parametrize(
    ("facts", "verdict", "cause"),
    [
        (Facts(trouble=SHORTER), Verdict.PASS, Cause.NONE),
        (Facts(trouble=UNREAD), Verdict.DEFERRED, Cause.SOURCE),
        (Facts(trouble=SHORTER, begun=True), Verdict.DEFERRED, Cause.BEGUN),
        (Facts(trouble=SHORTER, suspect="learner 1001"), Verdict.HELD, Cause.IDENTITY_CHANGE),
        (Facts(refused="again tomorrow"), Verdict.DEFERRED, Cause.REFUSED),
    ],
)
def test_an_approval_answers_for_a_shorter_source_and_for_nothing_else(
    facts: Facts, verdict: Verdict, cause: Cause
) -> None:
    ruling = drafted(removal(facts), about(removal(), APPROVED)).ruling
    assert (ruling.verdict, ruling.cause) == (verdict, cause)


def test_what_is_rejected_is_deferred_by_name_and_another_change_is_not() -> None:
    rejected = about(removal(), REJECTED)
    ruling = drafted(removal(), rejected).ruling
    assert (ruling.verdict, ruling.cause) == (Verdict.DEFERRED, Cause.REJECTED)
    assert ruling.reason.startswith("rejected by ann on 2026: so; it comes back when its row")
    assert drafted(removal(minutes=45), rejected).ruling.verdict is Verdict.PASS


def test_a_rejection_does_not_hide_why_a_change_could_not_be_sent_anyway() -> None:
    ruling = drafted(removal(Facts(begun=True)), about(removal(), REJECTED)).ruling
    assert ruling.cause is Cause.BEGUN
