"""What a refusal means by its words: a candidate who has started, an archived test, or neither."""

import pytest
from sync.errors import Refused
from sync.inspera.refusal_words import cause_of_kept, deferred_as_archived
from sync.records.changes import Cause


@pytest.mark.parametrize(
    "words",
    [
        "Candidate 1002 has started the test",
        "Candidates that have started cannot be removed",
        "The candidate has already started",
    ],
)
def test_a_candidate_who_has_started_is_recognised(words: str) -> None:
    assert cause_of_kept(Refused(words, 400)) is Cause.STARTED


@pytest.mark.parametrize(
    "words",
    [
        "Another request for this test is in progress",
        "The export has not started",
        "A request was submitted for this test a moment ago",
        "Unknown user",
    ],
)
def test_a_refusal_for_another_reason_is_tried_again(words: str) -> None:
    assert cause_of_kept(Refused(words, 400)) is Cause.NONE
    assert deferred_as_archived(Refused(words, 400)) is None


def test_an_archived_test_is_recognised() -> None:
    outcome = deferred_as_archived(Refused("The assessment is Archived", 400))
    assert outcome is not None
    assert outcome.cause is Cause.ARCHIVED
